"""The reconciliation desk: pages that the reader could not place. A person says what each is, and it has one end.

A sheet of the form goes to its case and is keyed by eye; a piece goes to its case; the rest is set aside, with its why.
"""

from __future__ import annotations

import datetime as dt
import re

from django.db import transaction
from django.db.models import QuerySet

from campaigns.models import Campaign, LayoutVariant, User
from campaigns.paper_form.page_code import PageCode, UnreadablePageCode, parse
from campaigns.paper_form.zones import Box, Zone
from campaigns.questionnaire.schema import Reader
from returns.answers import declaration_of, questionnaire_of
from returns.arrivals import REOPENED, arrive
from returns.completeness import settle
from returns.models import FieldReading, KeyingTask, Page, SupportingDocument, SurveyReturn
from returns.transcription import finish, task_of
from tenants.case_states import Move, State
from tenants.models import SurveyCase

LOST = (Page.State.UNMATCHED, Page.State.UNREGISTERED, Page.State.FOREIGN)
ASIDE = {
    Page.State.FOREIGN: "Cette feuille n'est pas de cette campagne.",
    Page.State.DUPLICATE: "Cette feuille a été numérisée une autre fois.",
    Page.State.BLANK: "Rien n'est écrit sur cette feuille.",
}
BY_EYE = "feuille lue par une personne"
UNDASHED = re.compile(r"F1(.{8})(..)(.{8})(.)")


class UnableToReconcile(Exception):
    """The page can't go there; the message says why."""


def lost_pages(campaign: Campaign | None = None) -> QuerySet[Page]:
    """The pages that wait for a decision, oldest first; of one campaign or of all those in scope."""
    lost = Page.objects.filter(state__in=LOST, decided_at=None)
    if campaign is not None:
        lost = lost.filter(batch__campaign=campaign)
    return lost.select_related("batch__campaign__landlord", "survey_return__case").order_by("pk")


def code_of(page: Page) -> PageCode | None:
    """What the reader itself read on a sheet whose marks it could not find; None for the others."""
    if page.state != Page.State.UNREGISTERED or page.survey_return is None:
        return None
    return PageCode(case=page.survey_return.case.reference, page=page.number, layout=page.layout)


def code_typed(text: str) -> PageCode:
    """The page code that a person copied from the sheet, dashes or not. Raises UnableToReconcile."""
    packed = re.sub(r"[^0-9A-Z+]", "", text.upper())
    parts = UNDASHED.fullmatch(packed)
    try:
        return parse("-".join(("F1", *parts.groups())) if parts else text)
    except UnreadablePageCode as error:
        raise UnableToReconcile(f"{error} Recopiez tous ses caractères.") from error


def attach(*, page: Page, code: PageCode, now: dt.datetime, actor: User | None = None) -> Page:
    """Put a sheet of the form in its case; each of its fields becomes one to key, the sheet in sight.

    Raises UnableToReconcile when the code names no sheet of the campaign, or one that has been read already.
    """
    if code.is_return_sheet:
        return _attach_return_sheet(page=page, code=code, now=now, actor=actor)
    with transaction.atomic():
        page = _waiting(page)
        case, variant = _named_by(page, code)
        survey_return = page.survey_return or arrive(
            case=case,
            channel=SurveyCase.Channel.PAPER,
            submission=f"scan-{page.batch_id}-{case.pk}",
            now=now,
            actor=actor,
        )
        declaration_of(case, revision=variant.revision)
        _reopen(case, survey_return, now=now, actor=actor)
        page.survey_return, page.number, page.layout = survey_return, code.page, code.layout
        _decide(page, state=Page.State.MATCHED, explanation="", now=now, actor=actor)
        _key_by_eye(page, variant, survey_return, now=now)
        told = {"page": page.pk, "number": page.number, "receipt": survey_return.receipt}
        case.tell("page_attached", now=now, actor=actor, data=told)
        finish(survey_return=survey_return, now=now)
    return page


def _attach_return_sheet(*, page: Page, code: PageCode, now: dt.datetime, actor: User | None) -> Page:
    """The sheet of a request and the pages that follow it in the batch, which nobody could place, go to its case."""
    with transaction.atomic():
        page = _waiting(page)
        case = _case(page.batch.campaign, code.case)
        page.survey_return = arrive(
            case=case,
            channel=SurveyCase.Channel.PAPER,
            submission=f"scan-{page.batch_id}-{case.pk}",
            now=now,
            actor=actor,
            request=code.request,
        )
        page.number, page.layout = 0, code.layout
        _decide(page, state=Page.State.MATCHED, explanation="Feuille de retour.", now=now, actor=actor)
        for behind in _pages_behind(page, case):
            keep_as_piece(page=behind, reference=case.reference, now=now, actor=actor)
        SurveyReturn.objects.filter(pk=page.survey_return.pk).update(state=SurveyReturn.State.TRANSCRIBED)
        case.tell("page_attached", now=now, actor=actor, data={"page": page.pk, "receipt": page.survey_return.receipt})
        settle(case=case, now=now, actor=actor)
    return page


def _pages_behind(sheet: Page, case: SurveyCase) -> list[Page]:
    """The pages right after the sheet that wait for a decision as it did, up to the first that was placed."""
    behind = []
    for page in Page.objects.filter(batch=sheet.batch, index__gt=sheet.index).order_by("index"):
        if page.state != Page.State.UNMATCHED or page.decided_at is not None:
            break
        behind.append(page)
    known = set(SupportingDocument.objects.filter(case=case).values_list("sha256", flat=True))
    return [page for page in behind if page.digest not in known]


def keep_as_piece(*, page: Page, reference: str, now: dt.datetime, actor: User | None = None) -> SupportingDocument:
    """Put a page in a case as a supporting document, to be named next if it was not by the machine.

    Raises UnableToReconcile.
    """
    with transaction.atomic():
        page = _waiting(page)
        case = _case(page.batch.campaign, reference)
        if SupportingDocument.objects.filter(case=case, sha256=page.digest).exists():
            raise UnableToReconcile("Ce dossier a déjà cette pièce : écartez la feuille comme déjà numérisée.")
        told = page.clues
        _decide(page, state=Page.State.DOCUMENT, explanation="", now=now, actor=actor)
        document = SupportingDocument.objects.create(
            case=case,
            page=page,
            kind=told.get("kind", ""),
            read=told.get("read", {}),
            certified=bool(told.get("certified")),
            content=page.image.name,
            sha256=page.digest,
            media_type="image/jpeg",
            received_at=now,
        )
        case.tell("document_attached", now=now, actor=actor, data={"page": page.pk, "document": document.pk})
        settle(case=case, now=now, actor=actor)
    return document


def set_aside(*, page: Page, state: str, now: dt.datetime, actor: User | None = None) -> Page:
    """Say that a page brings nothing: foreign, scanned another time, or blank. Raises UnableToReconcile."""
    if state not in ASIDE:
        raise UnableToReconcile("Dites pourquoi cette feuille est écartée.")
    with transaction.atomic():
        page = _waiting(page)
        _decide(page, state=state, explanation=ASIDE[Page.State(state)], now=now, actor=actor)
        if page.survey_return is not None:
            case = page.survey_return.case
            case.tell("page_set_aside", now=now, actor=actor, data={"page": page.pk, "state": page.state})
            settle(case=case, now=now, actor=actor)
    return page


def _waiting(page: Page) -> Page:
    locked = Page.objects.select_for_update(of=("self",)).filter(pk=page.pk, state__in=LOST, decided_at=None)
    found = locked.select_related("batch__campaign", "survey_return__case").first()
    if found is None:
        raise UnableToReconcile("Cette page vient d'être traitée par quelqu'un d'autre.")
    return found


def _case(campaign: Campaign, reference: str) -> SurveyCase:
    wanted = re.sub(r"\s", "", reference).upper()
    case = SurveyCase.objects.filter(campaign=campaign, reference=wanted).first()
    if case is None:
        raise UnableToReconcile(f"Aucun dossier « {wanted[:20]} » dans cette campagne : vérifiez ses huit caractères.")
    return case


def _named_by(page: Page, code: PageCode) -> tuple[SurveyCase, LayoutVariant]:
    campaign = page.batch.campaign
    case = _case(campaign, code.case)
    if page.survey_return is not None and page.survey_return.case_id != case.pk:
        raise UnableToReconcile("Le code lu par la machine sur cette feuille est celui d'un autre dossier.")
    variants = LayoutVariant.objects.filter(revision__campaign=campaign, fingerprint=code.layout)
    variant = variants.select_related("revision").first()
    if variant is None:
        raise UnableToReconcile("Cette feuille ne vient d'aucun formulaire de cette campagne.")
    read = Page.objects.filter(survey_return__case=case, number=code.page, layout=code.layout, state=Page.State.MATCHED)
    if read.exists():
        raise UnableToReconcile("Cette feuille a déjà été lue : écartez celle-ci comme déjà numérisée.")
    return case, variant


def _reopen(case: SurveyCase, survey_return: SurveyReturn, *, now: dt.datetime, actor: User | None) -> None:
    """A return that gets a sheet is in reading again, and so is its case."""
    SurveyReturn.objects.filter(pk=survey_return.pk).update(state=SurveyReturn.State.OPEN)
    survey_return.state = SurveyReturn.State.OPEN
    case.refresh_from_db()
    if State(case.state) in REOPENED:
        case.move(Move.REOPEN, now=now, actor=actor, data={"receipt": survey_return.receipt})


def _decide(page: Page, *, state: str, explanation: str, now: dt.datetime, actor: User | None) -> None:
    page.state, page.explanation, page.decided_at, page.decided_by = state, explanation, now, actor
    page.clues = {}
    page.save()


def _key_by_eye(page: Page, variant: LayoutVariant, survey_return: SurveyReturn, *, now: dt.datetime) -> None:
    """Every field of the sheet is one to key: the machine has read nothing on it."""
    fields = {field.key: field for _, field in questionnaire_of(variant.revision).fields()}
    places: dict[tuple[str, int], list[Zone]] = {}
    for zone in variant.layout.on_page(page.number):
        places.setdefault((zone.field, zone.row), []).append(zone)
    readings = [
        FieldReading(
            page=page,
            survey_return=survey_return,
            field=key,
            row=row,
            confidence=0,
            box=_around([zone.box for zone in zones]),
            reason=BY_EYE,
        )
        for (key, row), zones in places.items()
        if fields[key].shown_in(Reader.KEYING)
    ]
    FieldReading.objects.bulk_create(readings)
    KeyingTask.objects.bulk_create([task_of(each, survey_return, fields[each.field], now=now) for each in readings])


def _around(boxes: list[Box]) -> list[float]:
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return [round(side, 2) for side in (left, top, right - left, bottom - top)]
