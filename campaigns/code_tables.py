"""Tables de correspondance, version by version: keeping the next one, comparing two, what the form still lacks."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max

from campaigns.models import Campaign, CodeMapping, CodeTable, QuestionnaireRevision, User, codes_by_value
from campaigns.questionnaire.schema import Questionnaire

CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """A landlord's code, what it says, and our value for it ('' when it has none)."""

    code: str
    label: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of one code from a version to the next; `before` or `after` is None when it is not there."""

    code: str
    before: Line | None
    after: Line | None

    @property
    def sentence(self) -> str:
        """The change in French."""
        if self.before is None and self.after is not None:
            return f"Le code « {self.code} » ({self.after.label}) est ajouté."
        if self.after is None and self.before is not None:
            return f"Le code « {self.code} » ({self.before.label}) est retiré."
        assert self.before is not None  # noqa: S101 — one of the two is always there
        assert self.after is not None  # noqa: S101
        told = []
        if self.before.label != self.after.label:
            told.append(f"son libellé passe de « {self.before.label} » à « {self.after.label} »")
        if self.before.value != self.after.value:
            told.append(
                f"notre valeur passe de « {self.before.value or 'aucune'} » à « {self.after.value or 'aucune'} »"
            )
        return f"Code « {self.code} » : {' ; '.join(told)}."


def lines_of(table: CodeTable) -> list[Line]:
    """The lines of a version, in the order of the landlord's file."""
    return [Line(*line) for line in table.lines.order_by("pk").values_list("code", "label", "value")]


def digest_of_lines(lines: Iterable[Line]) -> str:
    """SHA-256 (hex) of the lines, in their order."""
    told = json.dumps([[line.code, line.label, line.value] for line in lines], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()


@transaction.atomic
def keep_code_table(
    *,
    campaign: Campaign,
    name: str,
    lines: Iterable[Line],
    source: str,
    now: dt.datetime,
    actor: User | None = None,
) -> tuple[CodeTable, bool]:
    """The version that holds just these lines, and whether it is new: the newest one when nothing changes."""
    kept = list(lines)
    Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
    newest = campaign.code_tables.filter(name=name).order_by("-version").first()
    digest = digest_of_lines(kept)
    if newest is not None and newest.digest == digest:
        return newest, False
    table = CodeTable(
        campaign=campaign,
        name=name,
        version=(campaign.code_tables.filter(name=name).aggregate(last=Max("version"))["last"] or 0) + 1,
        digest=digest,
        source=source[:200],
        created_at=now,
        created_by=actor,
    )
    table.save()
    CodeMapping.objects.bulk_create(
        (CodeMapping(table=table, code=each.code, label=each.label, value=each.value) for each in kept),
        batch_size=CHUNK,
    )
    return table, True


def differences(before: Iterable[Line], after: Iterable[Line]) -> list[Difference]:
    """What changes from a version to another, code by code, in the order of the newer one, departures last."""
    old = {line.code: line for line in before}
    new = {line.code: line for line in after}
    changed = [Difference(code, old.get(code), line) for code, line in new.items() if old.get(code) != line]
    return changed + [Difference(code, line, None) for code, line in old.items() if code not in new]


@transaction.atomic
def reuse_tables(*, campaign: Campaign, source: Campaign, now: dt.datetime, actor: User | None = None) -> int:
    """Take over another campaign's newest tables, of the same landlord; how many are new here.

    A table that this campaign already has is left alone.
    """
    if source.landlord_id != campaign.landlord_id:
        return 0
    known = set(campaign.code_tables.values_list("name", flat=True))
    taken = 0
    for table in source.code_tables.current():
        if table.name not in known:
            told = f"{table} de la campagne {source.get_survey_display()} {source.year}"
            lines = lines_of(table)
            keep_code_table(campaign=campaign, name=table.name, lines=lines, source=told, now=now, actor=actor)
            taken += 1
    return taken


# ── What the BAT pins ────────────────────────────────────────────────────────────────────────────────────────────────


def form_tables(form: Questionnaire, campaign: Campaign) -> list[CodeTable]:
    """The newest versions of the tables that this form's questions speak, by name."""
    wanted = {field.table for _, field in form.fields() if field.table}
    return list(campaign.code_tables.current().filter(name__in=wanted))


def pinned_tables(revision: QuestionnaireRevision) -> list[CodeTable]:
    """The versions of the code tables that an approval covers: those pinned when it was frozen, else the newest."""
    if revision.frozen_at is not None:
        return list(revision.code_tables.order_by("name"))
    return form_tables(revision.questionnaire, revision.campaign)


def pins_are_old(revision: QuestionnaireRevision) -> bool:
    """Whether a frozen revision speaks other versions of its tables than the newest: the codes have changed since."""
    if revision.frozen_at is None:
        return False
    newest = {table.pk for table in form_tables(revision.questionnaire, revision.campaign)}
    return newest != set(revision.code_tables.values_list("pk", flat=True))


def uncovered(form: Questionnaire, tables: Iterable[CodeTable]) -> list[str]:
    """French sentences: each answer of the form that has no code in its table, among these tables."""
    codes = codes_by_value({table.name: table for table in tables})
    return [
        f"Table « {field.table} » : la réponse « {choice.label} » n'a pas de code chez le bailleur."
        for _, field in form.fields()
        if field.table in codes
        for choice in field.choices
        if choice.value not in codes[field.table]
    ]
