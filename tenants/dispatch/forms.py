"""The first sending: personalised forms in print batches, each composed in one transaction or not at all."""

from __future__ import annotations

import datetime as dt
import io
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from campaigns.bulk import insert_all
from campaigns.models import Campaign
from campaigns.operations import approved_revision, enter_field
from campaigns.paper_form.batch_press import BatchPress
from campaigns.paper_form.layout import capacity_for
from campaigns.paper_form.painter import FormFill
from tenants import access_codes
from tenants.case_states import Move, State
from tenants.dispatch.batches import Envelope, UnableToCompose, number_batch, unless_broken, write
from tenants.dispatch.workshop import Place, Variant, Workshop
from tenants.messaging import UnableToQueue, queue, render
from tenants.models import Message, PrintBatch, Purpose, SurveyCase, Wave
from tenants.models.cases import SurveyCaseQuerySet

WAVE = "form"
BEYOND = 1_000_000  # grams: what is above every bracket comes last
Progress = Callable[[int, int], None]


def compose_forms(
    *,
    campaign: Campaign,
    now: dt.datetime,
    size: int = 500,
    progress: Progress | None = None,
    only: Collection[int] | None = None,
    sending_wave: Wave | None = None,
) -> list[PrintBatch]:
    """Compose the forms of every prepared case, at most `size` envelopes a batch, and move the cases to *sent*.

    A batch holds envelopes of one weight class and one number of sheets, by postcode. `only` keeps to the case ids that
    a wave chose. Cases that cannot be printed stay prepared: `left_out()` tells them. Run again, it takes only what is
    left.
    Raises UnableToPrint without an approved BAT, UnableToCompose when a batch does not add up.
    """
    workshop = Workshop.of(approved_revision(campaign), now=now)
    ready, _ = _sorted_out(workshop)
    chosen = frozenset(only or ())
    ready = ready if only is None else [place for place in ready if place.pk in chosen]
    batches, done = [], 0
    for _, group in groupby(ready, key=attrgetter("group")):
        for chunk in _chunks(group, size):
            batches.append(_compose(workshop, [place.pk for place in chunk], now, sending_wave))
            done += len(chunk)
            if progress is not None:
                progress(done, len(ready))
    if batches:
        enter_field(campaign=campaign, now=now)
        campaign.refresh_from_db(fields=["stage"])
    return batches


def left_out(*, campaign: Campaign) -> dict[str, str]:
    """The prepared cases that cannot be printed: case reference → why, and what to do."""
    workshop = Workshop.of(approved_revision(campaign), now=timezone.now())
    _, reasons = _sorted_out(workshop)
    return dict(sorted(reasons.items()))


def _chunks(places: Iterable[Place], size: int) -> Iterator[list[Place]]:
    """As many as `size` at a time."""
    rest = iter(places)
    while chunk := list(islice(rest, size)):
        yield chunk


def _prepared(workshop: Workshop) -> SurveyCaseQuerySet:
    return SurveyCase.objects.for_campaign(workshop.campaign).filter(state=State.PREPARED)


def _sorted_out(workshop: Workshop) -> tuple[list[Place], dict[str, str]]:
    """The forms to print in the order of the batches; and why the others cannot be printed."""
    told = _prepared(workshop).annotate(people=Max("household__occupants__row"))
    places, reasons = [], {}
    columns = ("pk", "reference", "household__postcode", "household__city", "household__large_print", "people")
    for pk, reference, postcode, city, large, people in told.values_list(*columns).iterator(chunk_size=5000):
        problem = _problem(workshop, postcode, city, people, large=large)
        if problem:
            reasons[reference] = problem
            continue
        variant = (capacity_for(people), large)
        sheets = workshop.sheets(variant)
        bracket = workshop.scales.bracket(sheets) or BEYOND
        places.append(Place(bracket, sheets, large, postcode, reference, pk))
    return sorted(places), reasons


def _problem(workshop: Workshop, postcode: str, city: str, people: int | None, *, large: bool) -> str:
    """Why a household cannot be printed; `people` is the last of its rows, None when it has nobody."""
    if not postcode or not city:
        return "Le code postal ou la commune manque : complétez l'adresse."
    if people is None:
        return "Le ménage n'a aucun occupant : personne à qui écrire."
    if (capacity_for(people), large) not in workshop.layouts:
        largest = max((rows for rows, _ in workshop.layouts), default=0)
        return f"Le ménage est trop grand : {largest} lignes d'occupants au plus, feuilles supplémentaires comprises."
    return ""


def _compose(workshop: Workshop, ids: Sequence[int], now: dt.datetime, sending_wave: Wave | None = None) -> PrintBatch:
    """One batch: codes, pages, files, messages and moves, in one transaction; files removed when it fails."""
    batch = PrintBatch(campaign=workshop.campaign, purpose=Purpose.FORM, composed_at=now)
    with unless_broken(batch), transaction.atomic():
        Campaign.objects.select_for_update().get(pk=workshop.campaign.pk)
        number_batch(batch)
        cases = _taken(workshop, ids)
        if len(cases) != len(ids):
            raise UnableToCompose("Des dossiers ont changé d'état pendant la composition : relancez-la.")
        document, envelopes, told = print_forms(workshop, cases, now)
        write(batch, document=document, envelopes=envelopes, now=now, **told)
        _record(workshop, batch, cases, envelopes, now)
        _verify(batch, len(ids))
        Message.objects.filter(batch=batch).update(sending_wave=sending_wave)
    return batch


def _taken(workshop: Workshop, ids: Sequence[int]) -> list[SurveyCase]:
    """Those cases, still prepared, with all that their form prints."""
    found = _prepared(workshop).for_letters() if settings.EMAIL_WITH_FORM else _prepared(workshop).for_forms()
    cases = {case.pk: case for case in found.filter(pk__in=ids)}
    for case in cases.values():
        case.campaign = workshop.campaign
    return [cases[pk] for pk in ids if pk in cases]


def print_forms(
    workshop: Workshop, cases: Sequence[SurveyCase], now: dt.datetime, *, wave: str = WAVE
) -> tuple[bytes, list[Envelope], dict[str, Any]]:
    """The PDF, each case's envelope, and what the manifest tells beside: the form, and what does not print as it is.

    Every form gets fresh codes, kept under the name of the `wave`.
    """
    codes = access_codes.issue_typed_many(cases=cases, wave=wave, now=now)
    tokens = access_codes.issue_links_many(cases=cases, wave=wave, now=now)
    if len(set(codes.values())) != len(cases) or len(set(tokens.values())) != len(cases):
        raise UnableToCompose("Un code d'accès aurait servi deux fois : rien n'est composé.")
    stream = io.BytesIO()
    press = BatchPress(stream, workshop.branding, title=workshop.questionnaire.title, painted=workshop.painted)
    ready = [_ready(workshop, case, codes[case.pk], tokens[case.pk]) for case in cases]
    envelopes = [workshop.envelope(press, variant, case, fill) for variant, case, fill in ready]
    press.close()
    looked_at = ((case.reference, workshop.preflights[variant](fill)) for variant, case, fill in ready)
    warnings = {reference: problems for reference, problems in looked_at if problems}
    revision = {"revision": workshop.revision.number, "definition": workshop.revision.fingerprint}
    return stream.getvalue(), envelopes, revision | {"warnings": warnings}


def _ready(workshop: Workshop, case: SurveyCase, code: str, token: str) -> tuple[Variant, SurveyCase, FormFill]:
    """A case with its layout and its texts. Those of a batch are made one after another, then printed: faster so."""
    variant = workshop.variant_for(case)
    if variant not in workshop.layouts:
        raise UnableToCompose(f"Le ménage du dossier {case.reference} a grandi : relancez la composition.")
    return variant, case, workshop.filler.fill(case, code=code, address=access_codes.link_url(token))


def _record(
    workshop: Workshop,
    batch: PrintBatch,
    cases: Sequence[SurveyCase],
    envelopes: Sequence[Envelope],
    now: dt.datetime,
) -> None:
    """What was told to whom, and that the cases are sent."""
    insert_all(
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
                proof=proof_of(batch, envelope),
            )
            for case, envelope in zip(cases, envelopes, strict=True)
        ]
    )
    record_layouts(workshop, cases)
    told = {
        case.pk: {"batch": batch.number, "layout": envelope.layout}
        for case, envelope in zip(cases, envelopes, strict=True)
    }
    SurveyCase.objects.move_together(cases, Move.SEND, now=now, data=told)
    if settings.EMAIL_WITH_FORM:
        for case in cases:
            _tell_by_email(case, now)


def record_layouts(workshop: Workshop, cases: Sequence[SurveyCase]) -> None:
    """Keep with each case which layout its form was printed with."""
    alike: dict[Variant, list[int]] = defaultdict(list)
    for case in cases:
        alike[workshop.variant_for(case)].append(case.pk)
    for (rows, large), ids in alike.items():
        SurveyCase.objects.filter(pk__in=ids).update(layout_rows=rows, layout_large=large)


def proof_of(batch: PrintBatch, envelope: Envelope) -> dict[str, Any]:
    """What proves one envelope: its batch, the file, its own pages."""
    told = {"batch": batch.number, "document_sha256": batch.sha256, "layout": envelope.layout}
    return told | {"envelope_sha256": envelope.sha256}


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
