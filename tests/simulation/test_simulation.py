"""A few households through whatever order of events hypothesis finds: the invariants hold after each of them."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck
from hypothesis import settings as drawn
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from campaigns.models import Campaign, Milestone
from tenants.undelivered import Motive
from tests.simulation.blank_paper import blank_paper
from tests.simulation.campaign import live
from tests.simulation.carriers import LEDGER
from tests.simulation.invariants import broken
from tests.simulation.world import World, made_campaign

pytestmark = pytest.mark.django_db

DOSSIERS = 4
SOMEBODY = st.integers(0, DOSSIERS - 1)
EXAMPLES = drawn(max_examples=5, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
MOVABLE = st.sampled_from([Milestone.Kind.REMINDER_LETTER, Milestone.Kind.FORMAL_NOTICE, Milestone.Kind.NON_RESPONSE])


class Life(RuleBasedStateMachine):
    """Households, the post, the carriers and our house, in any order."""

    campaign: ClassVar[Campaign]

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        LEDGER.taken.clear()

    @initialize(seed=st.integers(0, 10_000))
    def begins(self, seed: int) -> None:
        self.world = World(seed=seed, campaign=Campaign.objects.get(pk=self.campaign.pk), moody=0.1)
        self.world.settle_down(DOSSIERS)
        self.world.sends_forms()
        self.world.hands_over()
        self.world.wait(hours=6)
        self.world.posts()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @rule(days=st.integers(1, 20))
    def time_passes(self, days: int) -> None:
        self.world.wait(hours=24 * days)

    @rule(hours=st.integers(1, 8))
    def hours_pass(self, hours: int) -> None:
        self.world.wait(hours=hours)

    @rule()
    def the_morning_work_is_done(self) -> None:
        self.world.prepares()

    @rule()
    def batches_are_handed_over(self) -> None:
        self.world.hands_over()

    @rule()
    def batches_are_posted(self) -> None:
        self.world.posts()

    @rule()
    def messages_leave(self) -> None:
        self.world.delivers()

    @rule()
    def a_whole_ordinary_day_passes(self) -> None:
        world = self.world
        for work in (world.prepares, world.delivers, world.hands_over, world.posts, world.operators_work):
            work()
            world.wait(hours=2)
        world.wait(hours=14)

    @rule(who=SOMEBODY, whole=st.booleans(), channel=st.sampled_from(["online", "phone"]), again=st.booleans())
    def somebody_answers(self, who: int, whole: bool, channel: str, again: bool) -> None:
        self.world.answers(self.world.case(who), channel=channel, whole=whole, again=again)

    @rule(who=SOMEBODY, signed=st.booleans(), pieces=st.booleans(), certified=st.booleans())
    def somebody_answers_on_paper(self, who: int, signed: bool, pieces: bool, certified: bool) -> None:
        self.world.posts_form(self.world.case(who), signed=signed, pieces=pieces, certified=certified)

    @rule(who=SOMEBODY, wholly=st.booleans())
    def somebody_completes(self, who: int, wholly: bool) -> None:
        self.world.completes(self.world.case(who), wholly=wholly)

    @rule(who=SOMEBODY)
    def a_return_sheet_comes(self, who: int) -> None:
        self.world.posts_blank_sheet(self.world.case(who))

    @rule(who=SOMEBODY, motive=st.sampled_from(list(Motive)))
    def an_envelope_comes_back(self, who: int, motive: Motive) -> None:
        self.world.comes_back(self.world.case(who), motive)

    @rule(who=SOMEBODY)
    def an_address_is_mended(self, who: int) -> None:
        case = self.world.case(who)
        if case.state == "undelivered":
            self.world.mended(case)

    @rule(who=SOMEBODY)
    def somebody_dies(self, who: int) -> None:
        self.world.dies(self.world.case(who))

    @rule(who=SOMEBODY)
    def a_corrected_deposit_drops_or_names_somebody(self, who: int) -> None:
        self.world.leaves(self.world.case(who))

    @rule(who=SOMEBODY, arrived=st.booleans())
    def a_carrier_reports_twice(self, who: int, arrived: bool) -> None:
        self.world.webhook(self.world.case(who), arrived=arrived)

    @rule(who=SOMEBODY)
    def delays_are_suspended_or_resumed(self, who: int) -> None:
        self.world.suspends(self.world.case(who))

    @rule(kind=MOVABLE, days=st.integers(-20, 20))
    def a_date_is_moved(self, kind: str, days: int) -> None:
        self.world.moves_clock(kind, days)

    @rule()
    def doubts_are_settled(self) -> None:
        self.world.person_settles_doubts()

    @rule()
    def operators_work(self) -> None:
        self.world.operators_work()

    @precondition(lambda self: self.world.today > dt.date(2026, 12, 1))
    @rule()
    def the_landlord_is_served(self) -> None:
        self.world.restitutes()

    @invariant()
    def everything_holds(self) -> None:
        if hasattr(self, "world"):
            assert broken(self.world.campaign, today=self.world.today) == []


def test_whatever_happens_the_promises_hold(tmp_path, settings) -> None:
    carried(settings, tmp_path)
    Life.campaign = made_campaign()
    with blank_paper():
        run_state_machine_as_test(Life, settings=EXAMPLES)


def test_a_whole_campaign_ends_with_every_dossier_told(tmp_path, settings) -> None:
    carried(settings, tmp_path)
    world = World(seed=11, moody=0.1)
    world.settle_down(16)
    with blank_paper():
        problems = live(world)
    assert problems == []
    assert world.count["restitution"] >= 2
    assert world.count["worker killed"] > 0


def carried(settings, folder) -> None:
    """The carriers of the simulation in the place of the real ones."""
    settings.MEDIA_ROOT, settings.OUTBOX_DIR = folder / "media", folder / "outbox"
    settings.EMAIL_BACKEND = "tests.simulation.carriers.EmailCarrier"
    settings.SMS_BACKEND = "tests.simulation.carriers.SmsCarrier"
    LEDGER.taken.clear()
