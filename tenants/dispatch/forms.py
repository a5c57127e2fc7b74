"""The first sending: personalised forms in print batches, each composed in one transaction or not at all."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from campaigns.models import Campaign, QuestionnaireRevision
from campaigns.operations import approved_revision, enter_field
from campaigns.paper_form.batch_press import BatchPress
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.layout import capacity_for
from campaigns.paper_form.proofing import preflight
from campaigns.paper_form.zones import FormLayout
from campaigns.questionnaire.schema import Field, Questionnaire
from tenants import access_codes
from tenants.case_states import Move, State
from tenants.dispatch.batches import Envelope, UnableToCompose, next_number, unless_broken, write
from tenants.dispatch.fills import branding_of, fields_by_key, fill_of
from tenants.messaging import UnableToQueue, queue, render
from tenants.models import Message, PrintBatch, Purpose, SurveyCase, Wave
from tenants.models.cases import SurveyCaseQuerySet

WAVE = "form"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every form of a run shares: the approved form, its layouts by rows and print, the landlord's branding."""

    campaign: Campaign
    revision: QuestionnaireRevision
    questionnaire: Questionnaire
    fields: dict[str, Field]
    layouts: dict[tuple[int, bool], FormLayout]
    branding: Branding

    @classmethod
    def of(cls, revision: QuestionnaireRevision) -> Workshop:
        """Everything parsed once."""
        questionnaire = revision.questionnaire
        return cls(
            campaign=revision.campaign,
            revision=revision,
            questionnaire=questionnaire,
            fields=fields_by_key(questionnaire),
            layouts={(variant.rows, variant.large): variant.layout for variant in revision.layouts.all()},
            branding=branding_of(revision.campaign),
        )

    def variant_for(self, case: SurveyCase) -> tuple[int, bool]:
        """The layout that the household needs: its occupant rows, and whether it is in large print."""
        people = [person.row for person in case.household.occupants.all()]
        return capacity_for(max(people, default=0)), case.household.large_print


def compose_forms(
    *,
    campaign: Campaign,
    now: dt.datetime,
    size: int = 500,
    progress: Progress | None = None,
    only: Collection[int] | None = None,
    sending_wave: Wave | None = None,
) -> list[PrintBatch]:
    """Compose the forms of every prepared case, `size` envelopes a batch, and move the cases to *sent*.

    `only` keeps to the case ids that a wave chose. Cases that cannot be printed stay prepared: `left_out()` tells
    them. Run again, it takes only what is left.
    Raises UnableToPrint without an approved BAT, UnableToCompose when a batch does not add up.
    """
    workshop = Workshop.of(approved_revision(campaign))
    ready, _ = _sorted_out(workshop)
    chosen = frozenset(only or ())
    ready = ready if only is None else [pk for pk in ready if pk in chosen]
    batches = []
    for start in range(0, len(ready), size):
        batches.append(_compose(workshop, ready[start : start + size], now, sending_wave))
        if progress is not None:
            progress(min(start + size, len(ready)), len(ready))
    if batches:
        enter_field(campaign=campaign, now=now)
        campaign.refresh_from_db(fields=["stage"])
    return batches


def left_out(*, campaign: Campaign) -> dict[str, str]:
    """The prepared cases that cannot be printed: case reference → why, and what to do."""
    workshop = Workshop.of(approved_revision(campaign))
    _, reasons = _sorted_out(workshop)
    return dict(sorted(reasons.items()))


def _prepared(workshop: Workshop) -> SurveyCaseQuerySet:
    return SurveyCase.objects.for_campaign(workshop.campaign).filter(state=State.PREPARED)


def _sorted_out(workshop: Workshop) -> tuple[list[int], dict[str, str]]:
    """Ids of the cases to print, same layouts together, then by postcode; and why the others cannot be printed."""
    keys, reasons = [], {}
    for case in _prepared(workshop).for_letters().iterator(chunk_size=500):
        problem = _problem(workshop, case)
        if problem:
            reasons[case.reference] = problem
        else:
            keys.append((workshop.variant_for(case), case.household.postcode, case.reference, case.pk))
    return [key[-1] for key in sorted(keys)], reasons


def _problem(workshop: Workshop, case: SurveyCase) -> str:
    household = case.household
    if not household.postcode or not household.city:
        return "Le code postal ou la commune manque : complétez l'adresse."
    if household.leaseholder is None:
        return "Le ménage n'a aucun occupant : personne à qui écrire."
    if workshop.variant_for(case) not in workshop.layouts:
        largest = max((rows for rows, _ in workshop.layouts), default=0)
        return f"Le ménage est trop grand pour le formulaire (au plus {largest} lignes d'occupants)."
    return ""


def _compose(workshop: Workshop, ids: Sequence[int], now: dt.datetime, sending_wave: Wave | None = None) -> PrintBatch:
    """One batch: codes, pages, files, messages and moves, in one transaction; files removed when it fails."""
    batch = PrintBatch(campaign=workshop.campaign, purpose=Purpose.FORM, composed_at=now)
    with unless_broken(batch), transaction.atomic():
        Campaign.objects.select_for_update().get(pk=workshop.campaign.pk)
        batch.number = next_number(workshop.campaign)
        found = {case.pk: case for case in _prepared(workshop).for_letters().filter(pk__in=ids)}
        cases = [found[pk] for pk in ids if pk in found]
        if len(cases) != len(ids):
            raise UnableToCompose("Des dossiers ont changé d'état pendant la composition : relancez-la.")
        document, envelopes, warnings = _printed(workshop, cases, now)
        write(
            batch,
            document=document,
            envelopes=envelopes,
            now=now,
            revision=workshop.revision.number,
            definition=workshop.revision.fingerprint,
            warnings=warnings,
        )
        _record(workshop, batch, cases, envelopes, now)
        _verify(batch, len(ids))
        Message.objects.filter(batch=batch).update(sending_wave=sending_wave)
    return batch


def _printed(
    workshop: Workshop, cases: Sequence[SurveyCase], now: dt.datetime
) -> tuple[bytes, list[Envelope], dict[str, list[str]]]:
    """The PDF, each case's envelope, and by reference what does not print as the landlord's file says it."""
    codes = access_codes.issue_typed_many(cases=cases, wave=WAVE, now=now)
    tokens = access_codes.issue_links_many(cases=cases, wave=WAVE, now=now)
    if len(set(codes.values())) != len(cases) or len(set(tokens.values())) != len(cases):
        raise UnableToCompose("Un code d'accès aurait servi deux fois : rien n'est composé.")
    stream = io.BytesIO()
    press = BatchPress(stream, workshop.branding, title=workshop.questionnaire.title)
    envelopes, warnings = [], {}
    for case in cases:
        layout = workshop.layouts[workshop.variant_for(case)]
        fill = fill_of(
            case=case,
            questionnaire=workshop.questionnaire,
            fields=workshop.fields,
            code=codes[case.pk],
            address=access_codes.link_url(tokens[case.pk]),
            now=now,
        )
        first = press.print(layout, fill)
        envelopes.append(Envelope(case.reference, first, layout.pages, case.household.postcode, layout.fingerprint))
        if problems := preflight(layout, fill):
            warnings[case.reference] = problems
    press.close()
    return stream.getvalue(), envelopes, warnings


def _record(
    workshop: Workshop,
    batch: PrintBatch,
    cases: Sequence[SurveyCase],
    envelopes: Sequence[Envelope],
    now: dt.datetime,
) -> None:
    """What was told to whom, and that the cases are sent."""
    Message.objects.bulk_create(
        [
            Message(
                case=case,
                channel=Message.Channel.LETTER,
                purpose=Purpose.FORM,
                wave=WAVE,
                state=Message.State.SENDING,
                recipient="\n".join(case.household.address_lines)[:400],
                subject=workshop.questionnaire.title,
                batch=batch,
                first_page=envelope.first_page,
                pages=envelope.pages,
                created_at=now,
                claimed_at=now,
                proof={"batch": batch.number, "document_sha256": batch.sha256, "layout": envelope.layout},
            )
            for case, envelope in zip(cases, envelopes, strict=True)
        ],
        batch_size=500,
    )
    for rows, large in workshop.layouts:
        alike = [case.pk for case in cases if workshop.variant_for(case) == (rows, large)]
        SurveyCase.objects.filter(pk__in=alike).update(layout_rows=rows, layout_large=large)
    told = {
        case.pk: {"batch": batch.number, "layout": envelope.layout}
        for case, envelope in zip(cases, envelopes, strict=True)
    }
    SurveyCase.objects.move_together(cases, Move.SEND, now=now, data=told)
    if settings.EMAIL_WITH_FORM:
        for case in cases:
            _tell_by_email(case, now)


def _tell_by_email(case: SurveyCase, now: dt.datetime) -> None:
    if not case.household.email:
        return
    text = render(case=case, channel=Message.Channel.EMAIL, purpose=Purpose.FORM, on=timezone.localdate(now))
    try:
        queue(
            case=case,
            channel=Message.Channel.EMAIL,
            purpose=Purpose.FORM,
            wave=WAVE,
            recipient=case.household.email,
            subject=text.subject,
            body=text.body,
            now=now,
        )
    except UnableToQueue:
        case.tell("email_refused", now=now, data={"purpose": Purpose.FORM.value})


def _verify(batch: PrintBatch, expected: int) -> None:
    """Rows composed = rows expected, or the whole batch is undone."""
    told = Message.objects.filter(batch=batch).count()
    if not told == batch.envelopes == expected:
        raise UnableToCompose(f"{expected} plis attendus, {batch.envelopes} composés, {told} enregistrés : lot annulé.")
