"""The landlord's exchange emptied: each file brought in once, acknowledged, put to use in order, told back."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from django.db.models import Q, QuerySet

from campaigns import audit
from campaigns.exchange import (
    ExchangeError,
    ExchangeRefused,
    ExchangeUnavailable,
    LandlordExchange,
    RemoteFile,
    StillChanging,
    settled,
)
from campaigns.exchange_accounts import account_of, exchange_account
from campaigns.models import Campaign, ExchangeAccount, Landlord
from tenants.importing.acknowledgements import acknowledge, tell_result
from tenants.importing.arrivals import Taken, bring, stranger
from tenants.importing.code_tables import import_codes
from tenants.importing.deposits import Progress, UnableToImport, keep_rules
from tenants.importing.households import bring_households
from tenants.models import Arrival, ImportFile

log = logging.getLogger(__name__)

# Codes before rules before households, which need the codes.
ORDER = (ImportFile.Kind.CODES, ImportFile.Kind.RULES, ImportFile.Kind.HOUSEHOLDS)
# Two looks this far apart (seconds) tell a finished file from one that still grows. More than one second, the grain of
# the times that SFTP tells: a file written again since the first look shows.
PAUSE = 2.0
# How long a visit keeps others away from the same folders, unless renewed; a killed one lets them in after that.
CLAIM = dt.timedelta(minutes=15)
RENEWAL = dt.timedelta(minutes=1)


def process(*, deposit: ImportFile, now: dt.datetime, progress: Progress | None = None) -> ImportFile:
    """Put one deposit to use according to its kind, and give it back with its outcome.

    A deposit that can't be handled yet (no profile is chosen) stays received, and says what it waits for.
    """
    try:
        if deposit.kind == ImportFile.Kind.CODES:
            deposit = import_codes(deposit=deposit, now=now)
        elif deposit.kind == ImportFile.Kind.RULES:
            deposit = keep_rules(deposit=deposit, now=now)
        else:
            bring_households(deposit=deposit, now=now, progress=progress)
            deposit.refresh_from_db()
    except UnableToImport as error:
        deposit.explanation = str(error)
        deposit.save(update_fields=["explanation"])
    told = {"state": deposit.state, "sha256": deposit.sha256, "households": deposit.households}
    audit.record(action=f"import.{deposit.kind}", at=now, kind="importfile", pk=deposit.pk, data=told)
    return deposit


def fetch_deposits(
    *,
    campaign: Campaign,
    exchange: LandlordExchange,
    now: dt.datetime,
    pause: float = PAUSE,
    progress: Progress | None = None,
) -> list[ImportFile]:
    """Bring everything the landlord has dropped, acknowledge each file, put it to use, archive it, tell the result.

    Files that still grow, or lack their end, wait for a next time. Safe to run again at any point: what was stored is
    not stored twice, what was imported is not imported twice. Raises ExchangeError when the exchange can't be reached.
    """
    taken, problem = _bring_all(campaign, exchange, now, pause)
    deposits = _in_order(each.arrival.deposit for each in taken if each.arrival.deposit is not None)
    if deposits:
        exchange.close()  # a large import outlasts the patience of a server; the next call opens a new line
    for deposit in deposits:
        if deposit.state != ImportFile.State.IMPORTED:
            process(deposit=deposit, now=now, progress=progress)
    _try_again(campaign, deposits, now, progress)
    for each in taken:
        _put_away(exchange, each)
    _tell_results(campaign, exchange)
    if problem is not None:
        raise problem
    for deposit in deposits:
        deposit.refresh_from_db()
    return deposits


def _bring_all(
    campaign: Campaign, exchange: LandlordExchange, now: dt.datetime, pause: float
) -> tuple[list[Taken], ExchangeUnavailable | None]:
    """The files taken, and what stopped us before the last one: what was taken is put to use all the same."""
    first = exchange.depot()
    for label in first.strangers:
        _tell(exchange, stranger(campaign=campaign, label=label, now=now))
    taken: list[Taken] = []
    if not first.files:
        return taken, None
    time.sleep(pause)
    for file in settled(first.files, exchange.incoming()):
        try:
            found = _brought(campaign, exchange, file, now)
            if isinstance(found, Taken):
                taken.append(found)
            if found is not None:
                _tell(exchange, found.arrival if isinstance(found, Taken) else found)
        except ExchangeUnavailable as error:
            return taken, error
    return taken, None


def _brought(
    campaign: Campaign, exchange: LandlordExchange, file: RemoteFile, now: dt.datetime
) -> Taken | Arrival | None:
    """One file; None when it must be left for the next visit, which stops none of the others."""
    try:
        return bring(campaign=campaign, exchange=exchange, file=file, now=now)
    except StillChanging:
        log.info("campaign %s: a file still changes", campaign.pk)
    except ExchangeRefused as error:
        log.warning("campaign %s: a file can't be brought in (%s)", campaign.pk, error.__cause__.__class__.__name__)
    return None


def _in_order(deposits: Iterable[ImportFile]) -> list[ImportFile]:
    """Each deposit once, codes first."""
    once = {deposit.pk: deposit for deposit in deposits}
    return sorted(once.values(), key=lambda each: ORDER.index(ImportFile.Kind(each.kind)))


def _try_again(campaign: Campaign, deposits: list[ImportFile], now: dt.datetime, progress: Progress | None) -> None:
    """New code tables may be just what an earlier file of households was waiting for."""
    if not any(each.kind == ImportFile.Kind.CODES for each in deposits):
        return
    waiting = campaign.deposits.filter(kind=ImportFile.Kind.HOUSEHOLDS, anomalies__kind="missing_table")
    for deposit in waiting.exclude(state=ImportFile.State.IMPORTED).distinct():
        process(deposit=deposit, now=now, progress=progress)


def _tell(exchange: LandlordExchange, arrival: Arrival) -> None:
    """The acknowledgement; a folder that refuses it does not keep a deposit from being imported."""
    _unless_refused(arrival, partial(acknowledge, exchange=exchange, arrival=arrival))


def _put_away(exchange: LandlordExchange, taken: Taken) -> None:
    arrival = taken.arrival
    _tell(exchange, arrival)  # the line may have been cut before it was; told again, it is the same file
    try:
        arrival.archived_as = exchange.archive(taken.held.name, taken=taken.held)
    except StillChanging:
        log.warning("arrival %s: its sender went on writing; it is read again", arrival.pk)
        return
    arrival.save(update_fields=["archived_as"])


def _tell_results(campaign: Campaign, exchange: LandlordExchange) -> None:
    """What became of every deposit, also of those that were put to use since by a person or by a later code table."""
    for arrival in campaign.arrivals.exclude(deposit=None).select_related("deposit").order_by("pk"):
        _unless_refused(arrival, partial(tell_result, exchange=exchange, arrival=arrival))


def _unless_refused(arrival: Arrival, tell: Callable[[], object]) -> None:
    try:
        tell()
    except ExchangeRefused:
        log.exception("arrival %s: the landlord could not be told", arrival.pk)


# ── All the landlords ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Visit:
    """What one landlord's exchange gave to a campaign; `problem` is a French sentence when it could not be reached."""

    campaign: Campaign
    deposits: tuple[ImportFile, ...] = ()
    problem: str = ""


def visit_exchanges(*, now: dt.datetime, campaign_id: int | None = None, pause: float = PAUSE) -> list[Visit]:
    """Bring in the deposits of every landlord that has a campaign open, into its newest one.

    A landlord's exchange that can't be reached does not keep the others waiting. A rehearsal takes files only when the
    landlord has no real campaign open, or when it is asked for by `campaign_id`.
    """
    visits = []
    for campaign in _awaiting(campaign_id):
        try:
            with (
                _alone(campaign.landlord, now) as claim,
                LandlordExchange(account_of(campaign.landlord)) as exchange,
            ):
                deposits = fetch_deposits(
                    campaign=campaign, exchange=exchange, now=now, pause=pause, progress=claim.renew
                )
            visits.append(Visit(campaign, tuple(deposits)))
        except ExchangeError as error:
            log.warning("campaign %s: its exchange can't be visited (%s)", campaign.pk, type(error).__name__)
            visits.append(Visit(campaign, problem=str(error)))
    return visits


class Claim:
    """A landlord's folders kept for one visit; `renew` is called while it lasts, `now` being when it started."""

    def __init__(self, account: ExchangeAccount, now: dt.datetime, clock: Callable[[], float] = time.monotonic) -> None:
        self._mine, self._now, self._clock = ExchangeAccount.objects.filter(pk=account.pk), now, clock
        self._start, self._until = clock(), now + CLAIM
        free = Q(visited_until=None) | Q(visited_until__lte=now) | Q(visited_until__gt=now + 2 * CLAIM)
        if not self._mine.filter(free).update(visited_until=self._until):
            raise ExchangeUnavailable("Une relève de ces dossiers est déjà en cours. Réessayez dans quelques minutes.")

    def renew(self, _count: int = 0) -> None:
        """Keep the others away for a while from now on; a claim that someone else has taken since is left to them."""
        until = self._now + dt.timedelta(seconds=self._clock() - self._start) + CLAIM
        if until - self._until >= RENEWAL and self._held.update(visited_until=until):
            self._until = until

    def release(self) -> None:
        """Let the others in."""
        self._held.update(visited_until=None)

    @property
    def _held(self) -> QuerySet[ExchangeAccount]:
        return self._mine.filter(visited_until=self._until)


@contextmanager
def _alone(landlord: Landlord, now: dt.datetime) -> Iterator[Claim]:
    """Empty a landlord's folders by one process at a time. Raises ExchangeUnavailable when another is at it."""
    claim = Claim(exchange_account(landlord), now)
    try:
        yield claim
    finally:
        claim.release()


def _awaiting(campaign_id: int | None) -> list[Campaign]:
    """One campaign a landlord: open, real rather than rehearsed, of the latest year."""
    opened = Campaign.objects.exclude(stage=Campaign.Stage.CLOSED).select_related("landlord")
    if campaign_id is not None:
        return list(opened.filter(pk=campaign_id))
    chosen: dict[int, Campaign] = {}
    for campaign in opened.order_by("rehearsal", "-year", "-pk"):
        chosen.setdefault(campaign.landlord_id, campaign)
    return list(chosen.values())
