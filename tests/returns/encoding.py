"""The sample landlords' rules documents as a case manager encodes them, for the tests of rules."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from campaigns.models import Campaign, User
from campaigns.questionnaire.overlay import apply, with_rules
from campaigns.questionnaire.parsing import load_library
from campaigns.questionnaire.schema import Questionnaire, Requires, Rule, Severity
from campaigns.rule_document import read_table
from campaigns.rule_encoding import decide_line, encode_rule, switch_library_rule

SAMPLES = Path(__file__).parents[1] / "samples"


def told(landlord: str) -> dict[str, Any]:
    """The file of that landlord's encoded rules, those it has as `landlord_a` included."""
    read = tomllib.loads((SAMPLES / landlord / "regles_encodees.toml").read_text(encoding="utf-8"))
    if "as_a" in read:
        read["rules"] += [each for each in told("landlord_a")["rules"] if each["line"] in read["as_a"]]
    return read


def rules_of(landlord: str) -> list[tuple[str, Rule]]:
    """Each rule with the code of the line of the document that it encodes."""
    return [(each["line"], _rule(each)) for each in told(landlord)["rules"]]


def _rule(told: dict[str, Any]) -> Rule:
    return Rule(
        code=told["code"],
        severity=Severity(told["severity"]),
        message=told["message"],
        label=told["label"],
        repeat="occupants" if told.get("per_occupant") else "",
        field_key=told.get("field_key", ""),
        document_key=told.get("document_key", ""),
        expression=" ".join(told["expression"].split()),
        requires=Requires(told.get("requires", "note")),
    )


def form_of(campaign: Campaign, landlord: str) -> Questionnaire:
    """The campaign's form with all that landlord's rules, as it would be drawn up once they are encoded."""
    model = load_library(campaign.survey)
    model = apply(model, {"rules": {code: {"off": True} for code in told(landlord).get("off", [])}})
    return with_rules(model, [rule for _, rule in rules_of(landlord)]).with_words(**campaign.words)


def encode_all(campaign: Campaign, landlord: str, *, actor: User, now: Any) -> int:
    """Encode the whole document of that landlord, line by line; the number of its lines."""
    for code in told(landlord).get("off", []):
        switch_library_rule(campaign=campaign, code=code, on=False, actor=actor, now=now)
    by_line: dict[str, list[str]] = {}
    for line, rule in rules_of(landlord):
        encode_rule(campaign=campaign, rule=rule, actor=actor, now=now)
        by_line.setdefault(line, []).append(rule.code)
    name = "regles_gestion.csv"
    lines = read_table(name, (SAMPLES / landlord / name).read_bytes()).lines
    for line in lines:
        codes = by_line[line.cells[0]]
        decide_line(campaign=campaign, line=line, codes=codes, reason="", actor=actor, now=now)
    return len(lines)
