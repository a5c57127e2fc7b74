"""Handing over: the first restitution holds every case, the next ones only what is new since (regularisations)."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

from django.core.files.base import File
from django.db import transaction
from django.db.models import Max

from campaigns.exchange import OUTGOING, LandlordExchange
from campaigns.models import Campaign, Milestone, User
from campaigns.operations import complete_milestone
from returns.models import Declaration, Restitution, RestitutionFile, RestitutionLine
from returns.restitution.columns import Columns, Record, UnableToRestitute, columns_of
from returns.restitution.writers import EXTENSIONS, WRITERS
from tenants.case_states import Move, State
from tenants.models import SurveyCase

CHUNK = 500
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


def _make_or_nothing(
    campaign: Campaign, columns: Columns, formats: Sequence[str], *, now: dt.datetime, actor: User | None
) -> Restitution:
    kept: list[RestitutionFile] = []
    try:
        return _make(campaign, columns, formats, kept, now=now, actor=actor)
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
) -> Restitution:
    with transaction.atomic(), tempfile.SpooledTemporaryFile(max_size=SPOOL) as spool:
        Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)  # one restitution at a time
        last = campaign.restitutions.aggregate(last=Max("number"))["last"] or 0
        restitution = Restitution.objects.create(campaign=campaign, number=last + 1, created_at=now)
        _draw_lines(restitution)
        if not restitution.lines.exists():
            raise NothingNew("Rien de nouveau depuis la dernière restitution.")
        _spool(records(restitution, columns), spool)
        for name in dict.fromkeys(formats):
            _write_file(restitution, columns, name, spool, kept)
        _move_complete(restitution, now=now, actor=actor)
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


def records(restitution: Restitution, columns: Columns) -> Iterator[Record]:
    """What the files say, case by case, in the order of the landlord's references."""
    lines = (
        restitution.lines.select_related("case__campaign", "case__household__dwelling", "case__declaration__revision")
        .prefetch_related("case__household__occupants")
        .order_by("case__household__tenant_reference")
    )
    for line in lines.iterator(chunk_size=CHUNK):
        yield columns.record(line.case, line)


def _draw_lines(restitution: Restitution) -> None:
    campaign = restitution.campaign
    told: dict[int, tuple[str, int]] = {}
    for case_id, state, version in (
        RestitutionLine.objects.filter(restitution__campaign=campaign)
        .order_by("restitution__number")
        .values_list("case_id", "state", "version")
    ):
        told[case_id] = (state, version)
    versions = dict(Declaration.objects.filter(case__campaign=campaign).values_list("case_id", "version"))
    lines = []
    for case_id, state in SurveyCase.objects.for_campaign(campaign).surveyed().values_list("pk", "state"):
        shown = State.RESTITUTED if state == State.COMPLETE else State(state)
        version = versions.get(case_id, 0)
        if told.get(case_id) == (shown.value, version):
            continue
        lines.append(
            RestitutionLine(
                restitution=restitution,
                case_id=case_id,
                version=version,
                state=shown.value,
                regularisation=case_id in told,
            )
        )
    RestitutionLine.objects.bulk_create(lines, batch_size=CHUNK)


def _spool(told: Iterator[Record], spool: IO[bytes]) -> None:
    """Read every case once, so that all the formats say the same whatever happens meanwhile."""
    for record in told:
        spool.write(json.dumps([record.household, record.occupants]).encode() + b"\n")


def _spooled(spool: IO[bytes]) -> Iterator[Record]:
    spool.seek(0)
    for line in spool:
        household, occupants = json.loads(line)
        yield Record(household=household, occupants=tuple(occupants))


def _write_file(
    restitution: Restitution, columns: Columns, format_name: str, source: IO[bytes], kept: list[RestitutionFile]
) -> None:
    campaign = restitution.campaign
    name = (
        f"RESTITUTION_{campaign.survey.upper()}_{campaign.year}_{campaign.landlord.code.upper()}"
        f"_{restitution.number:03d}.{EXTENSIONS[format_name]}"
    )
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


def _sha256(spool: IO[bytes]) -> str:
    spool.seek(0)
    digest = hashlib.sha256()
    for chunk in iter(lambda: spool.read(1 << 20), b""):
        digest.update(chunk)
    spool.seek(0)
    return digest.hexdigest()


def _move_complete(restitution: Restitution, *, now: dt.datetime, actor: User | None) -> None:
    complete = SurveyCase.objects.filter(restituted__restitution=restitution, state=State.COMPLETE)
    for case in complete.iterator(chunk_size=CHUNK):
        case.move(Move.RESTITUTE, now=now, actor=actor, data={"restitution": restitution.number})
