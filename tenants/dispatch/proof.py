"""The épreuve that the landlord signs: the form at its worst, filled with the hardest households, and the letters.

No access code of the proof opens anything, and its pages carry the reference SPECIMEN: a scan of it matches no case.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from django.conf import settings

from campaigns.models import FormProof, QuestionnaireRevision
from campaigns.operations import present_proof
from campaigns.paper_form.layout import FOOT
from campaigns.paper_form.letters import Letter, preflight_letter, print_letter
from campaigns.paper_form.painter import FormFill, Press
from campaigns.paper_form.zones import Box, FormLayout
from campaigns.questionnaire.schema import Field, FieldType
from tenants.dispatch.batches import UnableToCompose
from tenants.dispatch.checking import ADDRESS, CODE, layout_problems
from tenants.dispatch.fills import fields_by_key, front_texts, shown_prefills
from tenants.dispatch.proof_letters import proof_letters
from tenants.dispatch.workshop import Variant, Workshop
from tenants.importing.code_tables import values_without_code
from tenants.importing.deposits import UnableToImport
from tenants.models import Occupant, SurveyCase

Look = tuple[tuple[object, ...], ...]
SPECIMEN = "SPECIMEN"
SHORT_NAMES = 3  # people of an invented household whose names are short
LONG_NAME, LONG_FIRST_NAME = "DE LA ROCHEFOUCAULD-MONTMORENCY", "Marie-Élisabeth Nguyễn-Kowalczyk"


def compose_proof(*, revision: QuestionnaireRevision, now: dt.datetime) -> FormProof:
    """Print the samples and present them to the landlord as the proof of `revision`.

    From the campaign's own households: the longest name, the longest address, the most people, the fewest, the least
    known, one in large print; then invented ones, so that every page of every layout, in both prints, is shown once;
    then the letters, in both prints.
    Raises UnableToCompose when a household holds a value that its table lost, or when a layout or one of the landlord's
    own texts does not print.
    """
    _refuse_lost_codes(revision)
    workshop = Workshop.of(revision, now=now)
    if wrong := layout_problems(revision, workshop.layouts):
        raise UnableToCompose(" ".join(wrong[:10]))
    if not workshop.layouts:
        raise UnableToCompose("Le questionnaire n'a aucune maquette : refaites sa mise en page.")
    stream = io.BytesIO()
    show = _Show(Press(stream, workshop.branding, title=f"Épreuve · {workshop.questionnaire.title}"))
    for title, variant, fill in _real(workshop):
        show.form(title, workshop.layouts[variant], fill)
    for variant, people in _wanted(workshop):
        show.rest(_named(variant), workshop.layouts[variant], _invented(workshop, people, now))
    address = _invented_address(6)
    letters = proof_letters(workshop.campaign, workshop.questionnaire, address, reference=SPECIMEN, now=now)
    for title, letter in letters:
        if wrong := preflight_letter(replace(letter, address_lines=tuple(address)), workshop.branding):
            raise UnableToCompose(f"{title} : {wrong[0]}")
        show.letter(title, letter)
    show.press.close()
    return present_proof(revision=revision, document=stream.getvalue(), now=now, contents=show.contents)


class _Show:
    """A proof being printed, and what its pages show."""

    def __init__(self, press: Press) -> None:
        self.press = press
        self.contents: list[dict[str, Any]] = []
        self._seen: set[Look] = set()

    def form(self, title: str, layout: FormLayout, fill: FormFill, only: Collection[int] | None = None) -> None:
        """One form, or `only` some of its pages."""
        self._begin(title)
        self.press.print(layout, fill, only)
        self._end()
        self._seen |= set(looks(layout).values())

    def rest(self, title: str, layout: FormLayout, fill: FormFill) -> None:
        """The pages of a layout that the proof does not show yet."""
        new = [page for page, look in looks(layout).items() if look not in self._seen]
        if new:
            whole = len(new) == layout.pages
            self.form(title if whole else f"{title} : pages qui lui sont propres", layout, fill, new)

    def letter(self, title: str, letter: Letter) -> None:
        """One letter."""
        self._begin(title)
        self.press.pages += print_letter(letter, self.press.ink)
        self._end()

    def _begin(self, title: str) -> None:
        self.press.announce(title)
        self.contents.append({"title": title, "first": self.press.pages + 1})

    def _end(self) -> None:
        part = self.contents[-1]
        part["pages"] = self.press.pages + 1 - part["first"]


def looks(layout: FormLayout) -> dict[int, Look]:
    """What each page of a layout looks like, told apart from all pages that look otherwise; its foot does not count."""
    drawn: dict[int, list[tuple[object, ...]]] = {page: [] for page in range(1, layout.pages + 1)}
    for zone in layout.zones:
        drawn[zone.page].append((*_at(zone.box), zone.field, zone.row, zone.kind, zone.value, zone.cells))
    for spot in layout.prefills:
        drawn[spot.page].append((*_at(spot.box), spot.field, spot.row, spot.size, spot.bold))
    for text in layout.texts:
        if text.y != FOOT:
            drawn[text.page].append((text.x, text.y, text.text, text.size, text.style, text.tone, text.align))
    for shape in layout.shapes:
        drawn[shape.page].append((*_at(shape.box), shape.kind, shape.tone, shape.radius))
    return {page: tuple(told) for page, told in drawn.items()}


def _at(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.w, box.h


def _named(variant: Variant) -> str:
    rows, large = variant
    return f"Questionnaire de {rows} lignes d'occupants" + (", gros caractères" if large else "")


def _refuse_lost_codes(revision: QuestionnaireRevision) -> None:
    try:
        lost = values_without_code(revision.campaign)
    except UnableToImport as error:
        raise UnableToCompose(str(error)) from error
    if lost:
        raise UnableToCompose(" ".join(lost[:10]))


def _real(workshop: Workshop) -> Iterator[tuple[str, Variant, FormFill]]:
    """The hardest households, each with why it was chosen."""
    for case, why in _hardest(workshop):
        fill = workshop.filler.fill(case, code=CODE, address=settings.PORTAL_URL.rstrip("/") + ADDRESS)
        texts = {**fill.texts, "@reference": SPECIMEN, "@access_login": SPECIMEN}
        fill = replace(fill, case_reference=SPECIMEN, texts=texts)
        yield f"Questionnaire d’un foyer de la campagne : {why}", workshop.variant_for(case), fill


def _wanted(workshop: Workshop) -> Iterator[tuple[Variant, int]]:
    """Every layout, with as many people as it holds, but in the smallest nobody is known."""
    for large in (False, True):
        sizes = sorted(rows for rows, its_print in workshop.layouts if its_print is large)
        for place, rows in enumerate(sizes):
            yield (rows, large), rows - 1 if place else 1


def _hardest(workshop: Workshop) -> list[tuple[SurveyCase, str]]:
    """The households that a form suits worst, each once, and in which ways: see `_hardness`."""
    worst: dict[str, tuple[float, int]] = {}
    cases = SurveyCase.objects.for_campaign(workshop.campaign).surveyed().order_by("pk")
    for case in cases.for_letters().iterator(chunk_size=500):
        people = list(case.household.occupants.all())
        if people and workshop.variant_for(case) in workshop.layouts:
            for name, hard in _hardness(case, people).items():
                worst[name] = max(worst.get(name, (hard, -case.pk)), (hard, -case.pk))
    why: dict[int, list[str]] = {}
    for name, (_, pk) in worst.items():
        why.setdefault(-pk, []).append(name)
    found = {case.pk: case for case in SurveyCase.objects.for_letters().filter(pk__in=why)}
    return [(found[pk], ", ".join(ways)) for pk, ways in why.items()]


def _hardness(case: SurveyCase, people: list[Occupant]) -> dict[str, float]:
    """How hard a household is on a form, in each way that shows; large print counts only when it is asked for."""
    lines = case.household.address_lines
    told: dict[str, float] = {
        "nom le plus long": max(len(person.full_name) for person in people),
        "le plus de personnes": len(people),
        "le moins de personnes": -len(people),
        "le moins de choses connues": -_known(case, people),
        "adresse la plus longue": max((len(line) for line in lines), default=0) + len(lines),
    }
    return told | {"gros caractères": len(people)} if case.household.large_print else told


def _known(case: SurveyCase, people: list[Occupant]) -> float:
    """How much of the household is known, per person."""
    told = [case.household.email, case.household.mobile, case.household.address_2]
    told += [str(getattr(person, name) or "") for person in people for name in ("birth_date", "link", "status", "sex")]
    return sum(bool(each) for each in told) / len(people)


def _invented(workshop: Workshop, people: int, now: dt.datetime) -> FormFill:
    """A made-up household: alone with nothing known, or as many people as that, with names as long as they come."""
    names = [LONG_FIRST_NAME if people > SHORT_NAMES else f"Inès {row}" for row in range(1, people + 1)]
    texts = front_texts(workshop.campaign, reference=SPECIMEN, code=CODE, now=now)
    texts["@address"] = _invented_address(3 if people == 1 else 6, names[0])
    texts["@occupant_title"] = [f"{name} {LONG_NAME}" for name in names]
    return FormFill(
        case_reference=SPECIMEN,
        texts=texts,
        prefills=_invented_prefills(workshop, people) if people > 1 else {},
        portal_url=settings.PORTAL_URL.rstrip("/") + ADDRESS,
    )


def _invented_address(lines: int, first_name: str = LONG_FIRST_NAME) -> list[str]:
    return [
        f"Mme {first_name} {LONG_NAME}"[:38],
        "APPT 1234 ÉTAGE 12",
        "RÉSIDENCE LES GRANDS TILLEULS BÂT C",
        "128 BIS AVENUE DE LA RÉPUBLIQUE",
        "LIEU DIT LE MOULIN DE LA VALLÉE",
        "37000 TOURS",
    ][:lines]


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
