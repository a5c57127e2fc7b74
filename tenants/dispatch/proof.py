"""The épreuve that the landlord signs: the form at its worst, filled with the hardest households of the campaign.

No access code of the proof opens anything, and its pages carry the reference SPECIMEN: a scan of it matches no case.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from collections.abc import Iterator

from django.conf import settings

from campaigns.models import FormProof, QuestionnaireRevision
from campaigns.operations import present_proof
from campaigns.paper_form.painter import FormFill, Press
from campaigns.questionnaire.schema import Field, FieldType
from tenants.dispatch.batches import UnableToCompose
from tenants.dispatch.checking import ADDRESS, CODE, layout_problems
from tenants.dispatch.fills import fields_by_key, front_texts, shown_prefills
from tenants.dispatch.workshop import Variant, Workshop
from tenants.importing.code_tables import values_without_code
from tenants.importing.deposits import UnableToImport
from tenants.models import Occupant, SurveyCase

SPECIMEN = "SPECIMEN"
SHORT_NAMES = 3  # people of an invented household whose names are short
LARGE_SHOWN = 2  # layouts in large print that a proof shows
LONG_NAME, LONG_FIRST_NAME = "DE LA ROCHEFOUCAULD-MONTMORENCY", "Marie-Élisabeth Nguyễn-Kowalczyk"


def compose_proof(*, revision: QuestionnaireRevision, now: dt.datetime) -> FormProof:
    """Print the samples and present them to the landlord as the proof of `revision`.

    From the campaign's own households: the longest name, the longest address, the most people, the fewest, the least
    known, one in large print; then invented ones, so that every layout is shown.
    Raises UnableToCompose when a household holds a value that its table lost, or when a layout or one of the landlord's
    own texts does not print.
    """
    _refuse_lost_codes(revision)
    if wrong := layout_problems(revision):
        raise UnableToCompose(" ".join(wrong[:10]))
    workshop = Workshop.of(revision, now=now)
    stream = io.BytesIO()
    press = Press(stream, workshop.branding, title=f"Épreuve · {workshop.questionnaire.title}")
    for variant, fill in _samples(workshop, now):
        press.print(workshop.layouts[variant], fill)
    press.close()
    if not press.pages:
        raise UnableToCompose("Le questionnaire n'a aucune maquette : refaites sa mise en page.")
    return present_proof(revision=revision, document=stream.getvalue(), now=now)


def _refuse_lost_codes(revision: QuestionnaireRevision) -> None:
    try:
        lost = values_without_code(revision.campaign)
    except UnableToImport as error:
        raise UnableToCompose(str(error)) from error
    if lost:
        raise UnableToCompose(" ".join(lost[:10]))


def _samples(workshop: Workshop, now: dt.datetime) -> Iterator[tuple[Variant, FormFill]]:
    """The hardest households, then an invented one for each layout that none of them shows."""
    shown: set[Variant] = set()
    for case in _hardest(workshop):
        fill = workshop.filler.fill(case, code=CODE, address=settings.PORTAL_URL.rstrip("/") + ADDRESS)
        texts = {**fill.texts, "@reference": SPECIMEN, "@access_login": SPECIMEN}
        shown.add(workshop.variant_for(case))
        yield workshop.variant_for(case), dataclasses.replace(fill, case_reference=SPECIMEN, texts=texts)
    for variant, people in _wanted(workshop):
        if variant not in shown:
            yield variant, _invented(workshop, people, now)


def _wanted(workshop: Workshop) -> Iterator[tuple[Variant, int]]:
    """Every layout, with as many people as it holds, but in the smallest nobody is known.

    In large print, whose larger layouts have the same pages again, the two smallest.
    """
    for large in (False, True):
        sizes = sorted(rows for rows, its_print in workshop.layouts if its_print is large)
        for place, rows in enumerate(sizes[:LARGE_SHOWN] if large else sizes):
            yield (rows, large), rows - 1 if place else 1


def _hardest(workshop: Workshop) -> list[SurveyCase]:
    """The households that a form suits worst, each once: see `_hardness`."""
    worst: dict[str, tuple[float, int]] = {}
    cases = SurveyCase.objects.for_campaign(workshop.campaign).surveyed().order_by("pk")
    for case in cases.for_letters().iterator(chunk_size=500):
        people = list(case.household.occupants.all())
        if people and workshop.variant_for(case) in workshop.layouts:
            for name, hard in _hardness(case, people).items():
                worst[name] = max(worst.get(name, (hard, -case.pk)), (hard, -case.pk))
    chosen = list(dict.fromkeys(-pk for _, pk in worst.values()))
    found = {case.pk: case for case in SurveyCase.objects.for_letters().filter(pk__in=chosen)}
    return [found[pk] for pk in chosen]


def _hardness(case: SurveyCase, people: list[Occupant]) -> dict[str, float]:
    """How hard a household is on a form, in each way that shows; large print counts only when it is asked for."""
    lines = case.household.address_lines
    told: dict[str, float] = {
        "longest name": max(len(person.full_name) for person in people),
        "most people": len(people),
        "fewest people": -len(people),
        "least known": -_known(case, people),
        "longest address": max((len(line) for line in lines), default=0) + len(lines),
    }
    return told | {"large print": len(people)} if case.household.large_print else told


def _known(case: SurveyCase, people: list[Occupant]) -> float:
    """How much of the household is known, per person."""
    told = [case.household.email, case.household.mobile, case.household.address_2]
    told += [str(getattr(person, name) or "") for person in people for name in ("birth_date", "link", "status", "sex")]
    return sum(bool(each) for each in told) / len(people)


def _invented(workshop: Workshop, people: int, now: dt.datetime) -> FormFill:
    """A made-up household: alone with nothing known, or as many people as that, with names as long as they come."""
    names = [LONG_FIRST_NAME if people > SHORT_NAMES else f"Inès {row}" for row in range(1, people + 1)]
    texts = front_texts(workshop.campaign, reference=SPECIMEN, code=CODE, now=now)
    texts["@address"] = [
        f"Mme {names[0]} {LONG_NAME}"[:38],
        "APPT 1234 ÉTAGE 12",
        "RÉSIDENCE LES GRANDS TILLEULS BÂT C",
        "128 BIS AVENUE DE LA RÉPUBLIQUE",
        "LIEU DIT LE MOULIN DE LA VALLÉE",
        "37000 TOURS",
    ][: 3 if people == 1 else 6]
    texts["@occupant_title"] = [f"{name} {LONG_NAME}" for name in names]
    return FormFill(
        case_reference=SPECIMEN,
        texts=texts,
        prefills=_invented_prefills(workshop, people) if people > 1 else {},
        portal_url=settings.PORTAL_URL.rstrip("/") + ADDRESS,
    )


def _invented_prefills(workshop: Workshop, people: int) -> dict[tuple[str, int], str]:
    known: dict[tuple[str, int], object] = {}
    for section, field in workshop.questionnaire.fields():
        if field.prefill:
            for row in range(1, people + 1) if section.repeated else (0,):
                known[field.key, row] = _invented_value(field)
    return shown_prefills(known, fields_by_key(workshop.questionnaire))


def _invented_value(field: Field) -> object:
    """The widest answer that a field of that type usually gets."""
    if field.type is FieldType.CHOICE:
        return max(field.choices, key=lambda choice: len(choice.label)).value
    if field.type is FieldType.DIGITS:
        return "8" * (field.size or 13)
    return WIDE[field.type]


WIDE: dict[FieldType, object] = {
    FieldType.TEXT: "Bâtiment C, escalier 4, douzième étage à droite",
    FieldType.NAME: LONG_NAME,
    FieldType.EMAIL: "marie-elisabeth.de-la-rochefoucauld-montmorency@exemple.fr",
    FieldType.PHONE: "0639980000",
    FieldType.INTEGER: 12,
    FieldType.MONEY: 123456,
    FieldType.DATE: "1984-12-28",
    FieldType.TICK: True,
    FieldType.YES_NO: True,
    FieldType.SIGNATURE: True,
}
