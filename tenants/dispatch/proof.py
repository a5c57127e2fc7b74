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
from tenants import access_codes
from tenants.dispatch.batches import UnableToCompose
from tenants.dispatch.fills import fill_of, front_texts, shown_prefills
from tenants.dispatch.forms import Workshop
from tenants.importing.code_tables import values_without_code
from tenants.importing.deposits import UnableToImport
from tenants.models import Occupant, SurveyCase

SPECIMEN = "SPECIMEN"
CODE = access_codes.shown("ABCDEFGH2345")
ADDRESS = f"/a/{'A' * access_codes.TOKEN_LENGTH}"
INVENTED_PEOPLE = (1, 3, 7)
LONG_NAME, LONG_FIRST_NAME = "DE LA ROCHEFOUCAULD-MONTMORENCY", "Marie-Élisabeth Nguyễn-Kowalczyk"


def compose_proof(*, revision: QuestionnaireRevision, now: dt.datetime) -> FormProof:
    """Print the samples and present them to the landlord as the proof of `revision`.

    From the campaign's own households: the longest name, the most people, the fewest, the least known; invented ones
    when the campaign has none yet. Raises UnableToCompose when a household holds a value that its table lost.
    """
    _refuse_lost_codes(revision)
    workshop = Workshop.of(revision)
    stream = io.BytesIO()
    press = Press(stream, workshop.branding, title=f"Épreuve · {workshop.questionnaire.title}")
    for rows, fill in _samples(workshop, now):
        press.print(workshop.layouts[rows], fill)
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


def _samples(workshop: Workshop, now: dt.datetime) -> Iterator[tuple[int, FormFill]]:
    cases = _hardest(workshop)
    for case in cases:
        fill = fill_of(
            case=case,
            questionnaire=workshop.questionnaire,
            fields=workshop.fields,
            code=CODE,
            address=settings.PORTAL_URL.rstrip("/") + ADDRESS,
            now=now,
        )
        texts = {**fill.texts, "@reference": SPECIMEN, "@access_login": SPECIMEN}
        yield workshop.rows_for(case), dataclasses.replace(fill, case_reference=SPECIMEN, texts=texts)
    if not cases:
        yield from _invented(workshop, now)


def _hardest(workshop: Workshop) -> list[SurveyCase]:
    """The households that a form suits worst, each once: longest name, most people, fewest, least known."""
    longest: tuple[int, int] = (-1, 0)
    most: tuple[int, int] = (-1, 0)
    fewest: tuple[int, int] = (1000, 0)
    least: tuple[float, int] = (1000, 0)
    cases = SurveyCase.objects.for_campaign(workshop.campaign).surveyed().order_by("pk")
    for case in cases.for_letters().iterator(chunk_size=500):
        people = list(case.household.occupants.all())
        if not people or workshop.rows_for(case) not in workshop.layouts:
            continue
        longest = max(longest, (max(len(person.full_name) for person in people), -case.pk))
        most = max(most, (len(people), -case.pk))
        fewest = min(fewest, (len(people), case.pk))
        least = min(least, (_known(case, people), case.pk))
    chosen = list(dict.fromkeys(abs(pk) for _, pk in (longest, most, fewest, least) if pk))
    found = {case.pk: case for case in SurveyCase.objects.for_letters().filter(pk__in=chosen)}
    return [found[pk] for pk in chosen]


def _known(case: SurveyCase, people: list[Occupant]) -> float:
    """How much of the household is known, per person."""
    told = [case.household.email, case.household.mobile, case.household.address_2]
    told += [str(getattr(person, name) or "") for person in people for name in ("birth_date", "link", "status", "sex")]
    return sum(bool(each) for each in told) / len(people)


def _invented(workshop: Workshop, now: dt.datetime) -> Iterator[tuple[int, FormFill]]:
    """Made-up households: alone with nothing known, a family, and as many people as names are long."""
    for people in INVENTED_PEOPLE:
        rows = min((each for each in workshop.layouts if each > people), default=max(workshop.layouts))
        names = [LONG_FIRST_NAME if people > 3 else f"Inès {row}" for row in range(1, people + 1)]
        texts = front_texts(workshop.campaign, reference=SPECIMEN, code=CODE, now=now)
        texts["@address"] = [
            f"Mme {names[0]} {LONG_NAME}"[:38],
            "APPT 1234 ÉTAGE 12",
            "8 RUE DES ÉRABLES",
            "37000 TOURS",
        ]
        texts["@occupant_title"] = [f"{name} {LONG_NAME}" for name in names]
        yield (
            rows,
            FormFill(
                case_reference=SPECIMEN,
                texts=texts,
                prefills=_invented_prefills(workshop, people) if people > 1 else {},
                portal_url=settings.PORTAL_URL.rstrip("/") + ADDRESS,
            ),
        )


def _invented_prefills(workshop: Workshop, people: int) -> dict[tuple[str, int], str]:
    known: dict[tuple[str, int], object] = {}
    for section, field in workshop.questionnaire.fields():
        if field.prefill:
            for row in range(1, people + 1) if section.repeated else (0,):
                known[field.key, row] = _invented_value(field)
    return shown_prefills(known, workshop.fields)


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
