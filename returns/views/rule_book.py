"""What the page of a campaign's règles de gestion shows: the landlord's lines, the rules, the words they may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from campaigns.models import Campaign, LandlordRule, RuleLine, RuleVersion
from campaigns.operations import UnableToDrawUp, effective_form
from campaigns.questionnaire.difference import difference
from campaigns.questionnaire.expression_wording import expression_in_words
from campaigns.questionnaire.parsing import load_library
from campaigns.questionnaire.schema import Questionnaire, Requires, Rule
from campaigns.questionnaire.symbols import Symbol, symbols_of
from campaigns.questionnaire.wording import in_words
from campaigns.rule_document import DocumentLine, UnableToRead, table_of
from campaigns.rule_encoding import line_decisions

EXAMPLES = (
    ('occupant.link = "child" et occupant.age >= 18 et occupant.dependant', "un enfant majeur à charge"),
    ("occupant.newcomer et occupant.age < 18", "un mineur absent du fichier"),
    ('un_occupant(occupant.status parmi ["married", "pacs"])', "au moins un occupant marié ou pacsé"),
    ("lease.move_in_on < 01/07/2024 et household.people > 2", "entrée avant juillet 2024, plus de deux personnes"),
    ("nombre(occupant.age >= 18) > 1", "plusieurs majeurs"),
)


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of the landlord's document, and what became of it (None: to do)."""

    line: DocumentLine
    decision: RuleLine | None

    @property
    def codes(self) -> str:
        """The rules that encode it."""
        return ", ".join(self.decision.codes) if self.decision else ""


@dataclass(frozen=True, slots=True)
class ShownRule:
    """A rule of the landlord's own: what it says now, in words (`message` with the year's), and what it said before."""

    version: RuleVersion
    condition: str
    asks: str
    message: str
    earlier: Sequence[RuleVersion]


@dataclass(frozen=True, slots=True)
class ModelRule:
    """A rule of the model; `replaced` by one of the landlord's own, or switched `off`."""

    rule: Rule
    condition: str
    replaced: bool
    off: bool


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All of the page. `trouble` says why the document or the form can't be shown; `changes` what no BAT covers yet."""

    headings: Sequence[str]
    lines: Sequence[ShownLine]
    rules: Sequence[ShownRule]
    withdrawn: Sequence[LandlordRule]
    model: Sequence[ModelRule]
    words: Mapping[str, Sequence[Symbol]]
    form: Questionnaire | None
    trouble: Sequence[str]
    changes: Sequence[str]

    @property
    def to_do(self) -> int:
        """How many lines of the document are neither encoded nor set aside."""
        return sum(each.decision is None for each in self.lines)


def rule_book(campaign: Campaign) -> RuleBook:
    """What the page shows of that campaign."""
    trouble: list[str] = []
    form = None
    try:
        form = effective_form(campaign)
    except UnableToDrawUp as error:
        trouble += error.problems
    headings, lines = _lines(campaign, trouble, decided=form is not None)
    symbols = symbols_of(form) if form else {}
    rules = list(campaign.rules.prefetch_related("versions__saved_by").order_by("code"))
    return RuleBook(
        headings=headings,
        lines=lines,
        rules=[_shown(rule, symbols, form) for rule in rules if not rule.current.withdrawn],
        withdrawn=[rule for rule in rules if rule.current.withdrawn],
        model=list(_model(campaign, {rule.code for rule in rules if not rule.current.withdrawn})),
        words=grouped(symbols),
        form=form,
        trouble=trouble,
        changes=_changes(campaign, form),
    )


def lines_to_do(campaign: Campaign) -> int:
    """How many lines of the landlord's document wait for a decision; 0 when it is no table."""
    try:
        table = table_of(campaign)
    except UnableToRead:
        return 0
    if table is None:
        return 0
    decided = line_decisions(campaign)
    return sum(line.digest not in decided for line in table.lines)


def grouped(symbols: Mapping[str, Symbol]) -> dict[str, list[Symbol]]:
    """The words that conditions may use, by group, in the order of the form."""
    groups: dict[str, list[Symbol]] = {}
    for symbol in symbols.values():
        groups.setdefault(symbol.group, []).append(symbol)
    return groups


def _lines(campaign: Campaign, trouble: list[str], *, decided: bool) -> tuple[Sequence[str], list[ShownLine]]:
    try:
        table = table_of(campaign)
    except UnableToRead as error:
        trouble.append(str(error))
        return (), []
    if table is None:
        return (), []
    decisions = line_decisions(campaign) if decided else {}
    return table.headings, [ShownLine(line, decisions.get(line.digest)) for line in table.lines]


def _shown(rule: LandlordRule, symbols: Mapping[str, Symbol], form: Questionnaire | None) -> ShownRule:
    version = rule.current
    earlier = sorted((each for each in rule.versions.all() if each != version), key=lambda each: -each.number)
    condition = expression_in_words(version.expression, symbols)
    worded = {each.code: each.message for each in form.rules} if form else {}
    message = worded.get(rule.code, version.message)
    return ShownRule(version, condition, asked_by(version.definition, form), message, earlier)


def asked_by(rule: Rule, form: Questionnaire | None) -> str:
    """What a rule asks, in words."""
    match rule.requires:
        case Requires.DOCUMENT:
            label = next((each.label for each in form.documents if each.key == rule.document_key), "") if form else ""
            return f"Pièce : {label or rule.document_key}"
        case Requires.FIELD:
            label = next((each.name for _, each in form.fields() if each.key == rule.field_key), "") if form else ""
            return f"Réponse : {label or rule.field_key}"
        case Requires.CONFIRMATION:
            return "Confirmation par nos services"
        case _:
            return "Signalement"


def _model(campaign: Campaign, own: set[str]) -> Iterator[ModelRule]:
    form = load_library(campaign.survey)
    off = {code for code, told in campaign.overlay.get("rules", {}).items() if told.get("off")}
    for rule in form.with_words(**campaign.words).rules:
        condition = in_words(rule.when, form) if rule.when else "contrôle du modèle"
        yield ModelRule(rule, condition, rule.code in own, rule.code in off)


def _changes(campaign: Campaign, form: Questionnaire | None) -> list[str]:
    """What changed in the rules since the last form drawn up, in the words of the BAT."""
    last = campaign.revisions.order_by("-number").first()
    if last is None or form is None or last.fingerprint == form.fingerprint:
        return []
    return [each.line for each in difference(last.questionnaire, form) if each.place.startswith("Règle")]
