"""Handing over: the first restitution holds every case, the next ones only what is new since (regularisations)."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import itertools
import json
import tempfile
from collections.abc import Collection, Iterator, Sequence
from typing import IO, Any

from django.core.files.base import ContentFile, File
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from campaigns.exchange import OUTGOING, LandlordExchange
from campaigns.models import Campaign, Milestone, User
from campaigns.operations import complete_milestone
from returns.acceptance_lots import field_names
from returns.models import Restitution, RestitutionFile, RestitutionLine
from returns.restitution.columns import Columns, Record, UnableToRestitute, columns_of
from returns.restitution.lines import Drawn, corrected_lines, drawn_lines
from returns.restitution.writers import EXTENSIONS, WRITERS
from returns.unread import unread_in_campaign
from tenants.case_states import Move, State
from tenants.models import SurveyCase

CHUNK = 500
CHANGES = ("DOSSIER", "REFERENCE", "RESTITUTION_PRECEDENTE", "RANG", "COLONNE", "AVANT", "APRES", "TROP_PERCU", "MOTIF")
UNREAD = ("DOSSIER", "REFERENCE", "RANG", "CHAMP")
SPOOL = 8 * 1024 * 1024


class NothingNew(UnableToRestitute):
    """Every case stands as it was handed over."""


def restitute(
    *,
    campaign: Campaign,
    formats: Sequence[str],
    now: dt.datetime,
    exchange: LandlordExchange | None = None,
    actor: User | None = None,
) -> Restitution:
    """Make the files of what is new, keep them for ever with their checksums, deliver them when `exchange` is given.

    Complete cases move to restituted and the milestone is done. A restitution that could not be delivered earlier is
    delivered with this one.
    Raises UnableToRestitute when nothing is new or a value has no code (then nothing is kept), ExchangeError when the
    landlord's exchange fails (then the files are kept, to be delivered next time).
    """
    unknown = set(formats) - set(WRITERS)
    if unknown or not formats:
        raise UnableToRestitute(f"Formats possibles : {', '.join(WRITERS)}.")
    columns = columns_of(campaign)
    waiting = campaign.restitutions.filter(delivered_at=None).order_by("number")
    try:
        restitution = _make_or_nothing(campaign, columns, formats, now=now, actor=actor)
    except NothingNew:
        with transaction.atomic():
            _move_complete(campaign, now=now, actor=actor)
        last = waiting.last()
        if exchange is None or last is None:
            raise
        restitution = last
    if exchange is not None:
        for each in waiting:
            deliver(restitution=each, exchange=exchange, now=now)
        restitution.refresh_from_db()
    complete_milestone(campaign=campaign, kind=Milestone.Kind.RESTITUTION, now=now)
    return restitution


def correct(
    *,
    restitution: Restitution,
    references: Collection[str],
    now: dt.datetime,
    exchange: LandlordExchange | None = None,
    actor: User | None = None,
) -> Restitution:
    """Another delivery in place of one that the landlord could not take: the cases named are read again, the others are
    handed over as they were, value for value.

    Raises UnableToRestitute when a reference is not in that delivery, or a value still has no code.
    """
    held = set(restitution.lines.values_list("case__reference", flat=True))
    unknown = sorted(set(references) - held)
    if unknown or not references:
        raise UnableToRestitute(
            f"Ces dossiers ne sont pas dans la restitution : {', '.join(unknown) or 'aucun nommé'}."
        )
    campaign = restitution.campaign
    formats = [each.format for each in restitution.files.order_by("pk") if each.format in WRITERS]
    columns = columns_of(campaign)
    made = _make_or_nothing(
        campaign, columns, formats, now=now, actor=actor, replaces=restitution, references=frozenset(references)
    )
    if exchange is not None:
        deliver(restitution=made, exchange=exchange, now=now)
    return made


def _make_or_nothing(
    campaign: Campaign,
    columns: Columns,
    formats: Sequence[str],
    *,
    now: dt.datetime,
    actor: User | None,
    replaces: Restitution | None = None,
    references: Collection[str] = (),
) -> Restitution:
    kept: list[RestitutionFile] = []
    told: dict[str, Any] = {"replaces": replaces, "references": references}
    try:
        return _make(campaign, columns, formats, kept, now=now, actor=actor, **told)
    except BaseException:
        for file in kept:  # the rows are rolled back, the files of the storage are not
            file.content.storage.delete(file.content.name)
        raise


def _make(
    campaign: Campaign,
    columns: Columns,
    formats: Sequence[str],
    kept: list[RestitutionFile],
    *,
    now: dt.datetime,
    actor: User | None,
    replaces: Restitution | None,
    references: Collection[str],
) -> Restitution:
    with transaction.atomic(), tempfile.SpooledTemporaryFile(max_size=SPOOL) as spool:
        Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)  # one restitution at a time
        last = campaign.restitutions.aggregate(last=Max("number"))["last"] or 0
        former = campaign.restitutions.filter(number=last).first()
        restitution = Restitution.objects.create(
            campaign=campaign, number=last + 1, created_at=now, follows=former, replaces=replaces
        )
        if replaces is None:
            drawn = drawn_lines(restitution, columns, today=timezone.localdate(now))
        else:
            drawn = corrected_lines(restitution, columns, references=references)
        if not _spool(drawn, spool):
            raise NothingNew("Rien de nouveau depuis la dernière restitution.")
        for name in dict.fromkeys(formats):
            _write_file(restitution, columns, name, spool, kept)
        _write_changes(restitution, kept)
        _write_unread(restitution, kept)
        _move_complete(campaign, now=now, actor=actor)
    return restitution


def deliver(*, restitution: Restitution, exchange: LandlordExchange, now: dt.datetime) -> None:
    """Drop the files and their checksums in the landlord's folder; safe to repeat."""
    for file in restitution.files.all():
        with file.content.open("rb") as content:
            exchange.deliver(OUTGOING, file.name, content)
        told = f"{file.sha256}  {file.name}\n".encode()
        exchange.deliver(OUTGOING, f"{file.name}.sha256", io.BytesIO(told))
    restitution.delivered_at = now
    restitution.save(update_fields=["delivered_at"])


def _spool(told: Iterator[Drawn], spool: IO[bytes]) -> int:
    """Read every case once, so that all the formats say the same whatever happens meanwhile; store the lines."""
    count = 0
    for chunk in iter(lambda: list(itertools.islice(told, CHUNK)), []):
        RestitutionLine.objects.bulk_create([each.line for each in chunk])
        for each in chunk:
            spool.write(json.dumps([each.record.household, each.record.occupants]).encode() + b"\n")
        count += len(chunk)
    return count


def _spooled(spool: IO[bytes]) -> Iterator[Record]:
    spool.seek(0)
    for line in spool:
        household, occupants = json.loads(line)
        yield Record(household=household, occupants=tuple(occupants))


def _write_file(
    restitution: Restitution, columns: Columns, format_name: str, source: IO[bytes], kept: list[RestitutionFile]
) -> None:
    name = f"{_stem(restitution)}.{EXTENSIONS[format_name]}"
    with tempfile.SpooledTemporaryFile(max_size=SPOOL) as spool:
        count = WRITERS[format_name](columns, _spooled(source), spool)
        file = RestitutionFile(
            restitution=restitution,
            format=format_name,
            name=name,
            content=File(spool, name=name),
            sha256=_sha256(spool),
            lines=count,
        )
        kept.append(file)
        file.save()


def _write_changes(restitution: Restitution, kept: list[RestitutionFile]) -> None:
    """For people: what changed since the former delivery, field by field, and what is to be given back."""
    changed = restitution.lines.filter(previous__isnull=False).select_related(
        "case__household", "previous__restitution"
    )
    rows: list[tuple[object, ...]] = []
    for line in changed.order_by("case__household__tenant_reference").iterator(chunk_size=CHUNK):
        who = (line.case.reference, line.case.household.tenant_reference, line.previous.restitution.number)
        refund = (line.get_refund_display(), line.refund_reason)
        rows += [(*who, *change, *refund) for change in line.changes]
    _write_list(restitution, kept, RestitutionFile.Format.CHANGES, "ECARTS", CHANGES, rows)


def _write_unread(restitution: Restitution, kept: list[RestitutionFile]) -> None:
    """For people: the answers that nobody could read, so that what the file holds there is the landlord's own value."""
    cases = dict(restitution.lines.values_list("case", "case__reference"))
    owners = dict(restitution.lines.values_list("case", "case__household__tenant_reference"))
    unread, names = unread_in_campaign(restitution.campaign), field_names(restitution.campaign)
    rows: list[tuple[object, ...]] = [
        (cases[case], owners[case], row or "", names.get(field, field))
        for case, places in sorted(unread.items(), key=lambda told: owners.get(told[0], ""))
        if case in cases
        for field, row in places
    ]
    _write_list(restitution, kept, RestitutionFile.Format.UNREAD, "ILLISIBLES", UNREAD, rows)


def _write_list(
    restitution: Restitution,
    kept: list[RestitutionFile],
    kind: RestitutionFile.Format,
    ending: str,
    head: tuple[str, ...],
    rows: list[tuple[object, ...]],
) -> None:
    """A sheet that goes with the files, unless it would be empty."""
    if not rows:
        return
    text = io.StringIO(newline="")
    sheet = csv.writer(text, delimiter=";", lineterminator="\r\n")
    sheet.writerow(head)
    sheet.writerows([_as_text(cell) for cell in row] for row in rows)
    data = text.getvalue().encode("utf-8-sig")
    name = f"{_stem(restitution)}_{ending}.csv"
    told = {"format": kind, "name": name, "content": ContentFile(data, name=name), "lines": len(rows)}
    file = RestitutionFile(restitution=restitution, sha256=hashlib.sha256(data).hexdigest(), **told)
    kept.append(file)
    file.save()


def _as_text(cell: object) -> str:
    text = str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text


def _stem(restitution: Restitution) -> str:
    """The name of its files. A rehearsal, which a landlord may play again, never takes the name of the real ones."""
    campaign = restitution.campaign
    landlord = campaign.landlord.code.upper()
    kind = f"REPETITION-{campaign.pk}" if campaign.rehearsal else "RESTITUTION"
    return f"{kind}_{campaign.survey.upper()}_{campaign.year}_{landlord}_{restitution.number:03d}"


def _sha256(spool: IO[bytes]) -> str:
    spool.seek(0)
    digest = hashlib.sha256()
    for chunk in iter(lambda: spool.read(1 << 20), b""):
        digest.update(chunk)
    spool.seek(0)
    return digest.hexdigest()


def _move_complete(campaign: Campaign, *, now: dt.datetime, actor: User | None) -> None:
    """What was handed over is restituted; a case opened again and found the same too, though nothing new is told."""
    complete = SurveyCase.objects.for_campaign(campaign).filter(state=State.COMPLETE, restituted__isnull=False)
    numbers = dict(complete.annotate(last=Max("restituted__restitution__number")).values_list("pk", "last"))
    ids = list(numbers)
    for start in range(0, len(ids), CHUNK):
        for case in SurveyCase.objects.filter(pk__in=ids[start : start + CHUNK], state=State.COMPLETE):
            case.move(Move.RESTITUTE, now=now, actor=actor, data={"restitution": numbers[case.pk]})
