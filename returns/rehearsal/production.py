"""From a deposit to a reconciliation: the steps of a campaign in their order, as the provider's people take them."""

from __future__ import annotations

import datetime as dt
import os
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from django.db import connections
from django.utils import timezone

from campaigns import operations
from campaigns.exchange import LandlordExchange
from campaigns.exchange_accounts import account_of, embedded_server
from campaigns.models import Campaign
from campaigns.rule_encoding import copy_rules
from returns.models import Rehearsal, Restitution
from returns.rehearsal import stage
from returns.rehearsal.outcome import Outcome
from returns.rehearsal.papers import one_core
from returns.rehearsal.people import Village
from returns.rehearsal.play import Cast, Figures, Tell, cast_tenants, play
from returns.rehearsal.reconciliation import delivered_cells, reconcile
from returns.restitution.delivery import restitute
from returns.throughput import throughput
from tenants.dispatch import compose_forms, compose_proof, hand_over
from tenants.importing import adopt_profile, fetch_deposits
from tenants.models import Household, ImportFile

FORMATS = ("csv", "xml", "xlsx", "fixed")
SETTLED = 0.05  # seconds between two looks at the deposit: the rehearsal knows that it is whole


def rehearse_village(*, households: int, seed: int, now: dt.datetime, tell: Tell) -> Outcome:
    """Invent a landlord and its households, and play the campaign from the SFTP deposit to the restitution."""
    landlord, logins = stage.build(password=secrets.token_urlsafe(9))
    opens, reply_by, closes = stage.calendar(timezone.localdate(now))
    village = Village(households=households, year=closes.year + 1, seed=seed)
    campaign = operations.open_campaign(
        landlord=landlord,
        survey=Campaign.Survey.SLS,
        year=village.year,
        opens_on=opens,
        reply_by=reply_by,
        closes_on=closes,
        now=now,
        rehearsal=True,
    )
    adopt_profile(campaign=campaign, name="nested")
    with embedded_server() as server:
        exchange = LandlordExchange(account_of(landlord, port=server.port, host_key=server.host_key))
        tell("Le bailleur dépose ses fichiers par SFTP", 0, 1)
        stage.drop_deposit(exchange=exchange, village=village)
        return _followed(campaign, None, exchange, logins, seed, now, tell)


def rehearse_campaign(*, campaign: Campaign, seed: int, now: dt.datetime, tell: Tell) -> Outcome:
    """Rehearse a landlord's own campaign on the files it has dropped, in a campaign apart; nothing of it is changed."""
    opens, reply_by, closes = stage.calendar(timezone.localdate(now))
    apart = operations.open_campaign(
        landlord=campaign.landlord,
        survey=campaign.survey,
        year=campaign.year,
        opens_on=opens,
        reply_by=reply_by,
        closes_on=closes,
        now=now,
        rehearsal=True,
    )
    apart.overlay, apart.mapping_profile = campaign.overlay, campaign.mapping_profile
    apart.save(update_fields=["overlay", "mapping_profile"])
    copy_rules(source=campaign, target=apart, now=now)
    with embedded_server() as server:
        exchange = LandlordExchange(account_of(campaign.landlord, port=server.port, host_key=server.host_key))
        for deposit in ImportFile.objects.filter(campaign=campaign).order_by("pk"):
            with deposit.content.open("rb") as content:
                exchange.deliver("depot", deposit.name, content)
        return _followed(apart, campaign, exchange, [], seed, now, tell)


def _followed(
    campaign: Campaign,
    original: Campaign | None,
    exchange: LandlordExchange,
    logins: list[stage.Login],
    seed: int,
    now: dt.datetime,
    tell: Tell,
) -> Outcome:
    """Produce, keeping in the database how far it is and how it ended, for the campaign's page."""
    kept = Rehearsal.objects.create(campaign=campaign, original=original, started_at=now)
    began = time.perf_counter()
    try:
        outcome = _produce(campaign, exchange, logins, seed, _noted(kept, tell))
        kept.figures = outcome.as_tables()
    except Exception as error:
        kept.explanation = f"La répétition s'est arrêtée : {error}"[:300]
        raise
    finally:
        kept.ended_at = now + dt.timedelta(seconds=time.perf_counter() - began)
        kept.save(update_fields=["figures", "explanation", "ended_at"])
    return outcome


def _noted(kept: Rehearsal, tell: Tell) -> Tell:
    """`tell`, which also keeps the last word in the database, once a second at most."""
    last = 0.0

    def noted(what: str, done: int, total: int) -> None:
        nonlocal last
        tell(what, done, total)
        if time.monotonic() - last >= 1.0:
            last = time.monotonic()
            Rehearsal.objects.filter(pk=kept.pk).update(step=what[:80], done=done, total=total)

    return noted


def _produce(
    campaign: Campaign, exchange: LandlordExchange, logins: list[stage.Login], seed: int, tell: Tell
) -> Outcome:
    seconds: dict[str, float] = {}
    *operators, supervisor = stage.troupe()
    dispatched = dt.datetime.combine(campaign.opens_on, dt.time(9), timezone.get_current_timezone())
    with _timed(seconds, "import"):
        tell("Import du fichier des locataires", 0, 1)
        fetch_deposits(campaign=campaign, exchange=exchange, now=dispatched, pause=SETTLED)
        campaign.refresh_from_db()  # the landlord's rules are part of what it approves
    with _timed(seconds, "proof"):
        tell("Composition et approbation du BAT", 0, 1)
        revision = operations.draw_up_revision(campaign=campaign, now=dispatched)
        proof = compose_proof(revision=revision, now=dispatched)
        operations.approve_proof(proof=proof, actor=supervisor, now=dispatched, comment="Répétition")
    campaign.refresh_from_db()
    with _timed(seconds, "forms"):
        for batch in compose_forms(campaign=campaign, now=dispatched, progress=_step(tell, "Composition")):
            hand_over(batch=batch, now=dispatched)
    households = cast_tenants(campaign, seed=seed)
    figures = Figures()
    with _timed(seconds, "play"), _pool() as pool:
        play(campaign=campaign, cast=Cast(operators, supervisor, pool), figures=figures, tell=tell)
    with _timed(seconds, "restitution"):
        tell("Restitution au bailleur par SFTP", 0, 1)
        closing = dt.datetime.combine(campaign.closes_on, dt.time(18), timezone.get_current_timezone())
        restitution = restitute(campaign=campaign, formats=FORMATS, now=closing, exchange=exchange)
        operations.close_campaign(campaign=campaign, now=closing)
    with _timed(seconds, "reconciliation"):
        told = reconcile(campaign=campaign, delivered=_delivered(exchange, restitution))
    return Outcome(
        campaign=campaign,
        imported=Household.objects.filter(case__campaign=campaign).count(),
        households=households,
        logins=logins,
        figures=figures,
        reconciliation=told,
        processes=_processes(),
        throughput=throughput(campaign),
        seconds=seconds,
    )


def _delivered(exchange: LandlordExchange, restitution: Restitution) -> dict[tuple[str, str, str], str]:
    """The CSV as it lies in the landlord's folder, not as we kept it."""
    name = restitution.files.get(format="csv").name
    with exchange.open(f"restitution/{name}") as file:
        return delivered_cells(iter(file.read().decode("utf-8").splitlines()))


@contextmanager
def _pool() -> Iterator[ProcessPoolExecutor]:
    """One process a core; started afresh, so that no database connection is shared."""
    connections.close_all()
    with ProcessPoolExecutor(_processes(), mp_context=get_context("spawn"), initializer=one_core) as pool:
        yield pool


def _processes() -> int:
    return os.cpu_count() or 1


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - started


def _step(tell: Tell, what: str) -> Any:
    return lambda done, total: tell(what, done, total)
