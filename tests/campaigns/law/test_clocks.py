"""The delays of the law: when they end, where they move, what suspends them, and how each date explains itself."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.law.clocks import (
    ClockRules,
    Event,
    Kind,
    NothingProved,
    answered,
    change_counts_from,
    deadline,
    first_day_after,
    happened,
    leave_notice_by,
    mainland_rules,
    refund_by,
    right_lost_on,
)
from campaigns.law.territories import territories, territory
from campaigns.law.texts import NotInForce, add_months, tables
from campaigns.law.wording import long_date, plain_date

D = dt.date
MAINLAND = mainland_rules()
DAYS = st.dates(min_value=D(2010, 1, 1), max_value=D(2080, 1, 1))
RULES = st.builds(
    ClockRules,
    place=st.sampled_from(territories()),
    postal_days=st.integers(0, 6),
    extra_days=st.tuples(st.tuples(st.just("reply"), st.integers(0, 10))),
)


def sent(day: D, proof: str = "") -> Event:
    return Event(Kind.SENT, day, proof)


class TestEndOfDelay:
    @pytest.mark.parametrize(
        ("key", "day", "last"),
        [
            ("reply", D(2026, 10, 12), D(2026, 11, 12)),
            ("reply", D(2028, 1, 31), D(2028, 2, 29)),
            ("reply", D(2027, 1, 31), D(2027, 3, 1)),  # 28 February 2027 is a Sunday
            ("reply", D(2026, 12, 15), D(2027, 1, 15)),
            ("reply", D(2026, 11, 25), D(2026, 12, 28)),  # Christmas, then a week-end
            ("formal_notice", D(2026, 12, 24), D(2027, 1, 8)),
            ("formal_notice", D(2026, 12, 17), D(2027, 1, 4)),  # 1 January is a Friday
            ("ops_reply", D(2027, 10, 4), D(2027, 11, 4)),
        ],
    )
    def test_on_the_mainland(self, key: str, day: D, last: D) -> None:
        assert deadline(key, [sent(day)], MAINLAND).date == last

    def test_in_alsace_the_day_after_christmas_is_a_holiday_too(self) -> None:
        events = [sent(D(2028, 11, 26))]  # 26 December 2028 is a Tuesday

        assert deadline("reply", events, MAINLAND).date == D(2028, 12, 26)
        assert deadline("reply", events, ClockRules(territory("alsace"))).date == D(2028, 12, 27)

    def test_what_the_law_does_not_move_stays(self) -> None:
        refund = refund_by(Event(Kind.ANSWERED, D(2027, 1, 20)), MAINLAND)

        assert refund.date == D(2027, 3, 20)
        assert refund.date.weekday() == 5
        assert any("la date reste celle-là" in step for step in refund.steps)

    def test_first_presentation_starts_the_delay_when_it_is_proved(self) -> None:
        events = [sent(D(2026, 12, 1), "lot 4"), Event(Kind.PRESENTED, D(2026, 12, 4), "avis 1A")]

        found = deadline("formal_notice", events, MAINLAND)

        assert (found.running_since, found.date) == (D(2026, 12, 4), D(2026, 12, 21))  # the 19th is a Saturday
        assert found.events == tuple(events)
        assert "avis 1A" in found.text

    def test_days_of_post_are_granted_only_when_nothing_proves_reception(self) -> None:
        rules = ClockRules(territory("metropole"), postal_days=3)

        assert deadline("reply", [sent(D(2026, 10, 12))], rules).running_since == D(2026, 10, 15)
        shown = Event(Kind.PRESENTED, D(2026, 10, 13))
        assert deadline("reply", [sent(D(2026, 10, 12)), shown], rules).running_since == D(2026, 10, 13)

    def test_a_landlord_may_grant_days_but_never_takes_any(self) -> None:
        events = [sent(D(2026, 10, 12))]

        def last(days: int) -> D:
            rules = ClockRules(territory("metropole"), extra_days=(("reply", days),))
            return deadline("reply", events, rules).date

        assert last(5) == D(2026, 11, 17)
        assert last(-5) == D(2026, 11, 12)

    def test_nothing_sent_starts_nothing(self) -> None:
        with pytest.raises(NothingProved, match="Aucun envoi prouvé"):
            deadline("reply", [Event(Kind.ANSWERED, D(2026, 10, 12))], MAINLAND)

    def test_a_delay_of_before_the_law_is_refused(self) -> None:
        with pytest.raises(NotInForce, match=r"deadlines\.toml"):
            deadline("reply", [sent(D(1990, 1, 1))], MAINLAND)


class TestSuspension:
    def test_the_days_suspended_are_added(self) -> None:
        events = [sent(D(2026, 10, 12)), Event(Kind.SUSPENDED, D(2026, 10, 20), "difficulté signalée")]
        resumed = Event(Kind.RESUMED, D(2026, 10, 30))

        found = deadline("reply", [*events, resumed], MAINLAND)

        assert found.date == D(2026, 11, 23)  # 12 November + 10 days is a Sunday
        assert set(found.events) == {*events, resumed}
        assert "difficulté signalée" in found.text

    def test_an_open_suspension_counts_up_to_the_day_asked(self) -> None:
        events = [sent(D(2026, 10, 12)), Event(Kind.SUSPENDED, D(2026, 11, 2))]

        later = deadline("reply", events, MAINLAND, until=D(2026, 11, 6))

        assert later.date == D(2026, 11, 16)
        assert any("recule chaque jour" in step for step in later.steps)

    def test_a_suspension_after_the_end_changes_nothing(self) -> None:
        plain = [sent(D(2026, 10, 12))]
        late = [*plain, Event(Kind.SUSPENDED, D(2026, 11, 20)), Event(Kind.RESUMED, D(2026, 12, 20))]

        assert deadline("reply", late, MAINLAND) == deadline("reply", plain, MAINLAND)

    def test_a_suspension_within_another_counts_once(self) -> None:
        days = [(Kind.SUSPENDED, 20), (Kind.SUSPENDED, 22), (Kind.RESUMED, 30)]
        events = [sent(D(2026, 10, 12)), *(Event(kind, D(2026, 10, day)) for kind, day in days)]

        assert deadline("reply", events, MAINLAND).date == D(2026, 11, 23)

    def test_a_new_sending_starts_the_delay_again(self) -> None:
        events = [sent(D(2026, 10, 12), "lot 1"), Event(Kind.RESTARTED, D(2026, 11, 2), "lot 9")]

        found = deadline("reply", events, MAINLAND)

        assert (found.running_since, found.date) == (D(2026, 11, 2), D(2026, 12, 2))
        assert "lot 9" in found.text
        assert "lot 1)" not in found.text


class TestFollowing:
    def test_the_first_day_is_the_one_after_the_last(self) -> None:
        reply = deadline("reply", [sent(D(2026, 10, 12))], MAINLAND)

        found = first_day_after(reply, key="notice_from", rule="Mise en demeure")

        assert found.date == D(2026, 11, 13)
        assert (reply.is_over(D(2026, 11, 12)), reply.is_over(D(2026, 11, 13))) == (False, True)
        assert found.steps[-1].startswith("Mise en demeure : possible à partir du vendredi 13 novembre 2026")

    def test_the_first_answer_stops_the_clock(self) -> None:
        events = [Event(Kind.ANSWERED, D(2026, 11, 9)), sent(D(2026, 10, 12)), Event(Kind.ANSWERED, D(2026, 11, 3))]

        assert answered(events) == Event(Kind.ANSWERED, D(2026, 11, 3))
        assert answered(events, on_or_after=D(2026, 11, 4)) == Event(Kind.ANSWERED, D(2026, 11, 9))
        assert answered([sent(D(2026, 10, 12))]) is None

    def test_an_answer_belongs_to_the_day_it_was_where_the_tenant_lives(self) -> None:
        moment = dt.datetime(2026, 11, 12, 22, 30, tzinfo=dt.UTC)

        assert happened(Kind.ANSWERED, moment, territory("reunion")).on == D(2026, 11, 13)
        assert happened(Kind.ANSWERED, moment, territory("martinique")).on == D(2026, 11, 12)

    @pytest.mark.parametrize(
        ("changed", "received", "first"),
        [
            (D(2027, 2, 10), D(2027, 4, 30), D(2027, 3, 1)),
            (D(2027, 2, 10), D(2027, 5, 10), D(2027, 3, 1)),
            (D(2027, 2, 10), D(2027, 5, 11), D(2027, 6, 1)),
            (D(2026, 11, 30), D(2026, 12, 31), D(2026, 12, 1)),
            (D(2026, 11, 30), D(2027, 3, 1), D(2026, 12, 1)),  # 28 February 2027 is a Sunday
        ],
    )
    def test_a_change_counts_from_the_month_after_it_or_after_its_proof(
        self, changed: D, received: D, first: D
    ) -> None:
        events = Event(Kind.CHANGED, changed), Event(Kind.ANSWERED, received)

        found = change_counts_from(*events, MAINLAND)

        assert found.date == first
        assert found.events == events


class TestRightToStay:
    def test_the_official_example(self) -> None:
        """W14, service-public F31601: found in 2017 and 2018, runs from 1/1/2019, right lost on 1/7/2020."""
        findings = [Event(Kind.FOUND, D(2017, 12, 31)), Event(Kind.FOUND, D(2018, 12, 31))]

        lost = right_lost_on(findings, key="right_to_stay_resources")

        assert (lost.running_since, lost.date) == (D(2019, 1, 1), D(2020, 7, 1))
        assert leave_notice_by(lost).date == D(2020, 1, 1)
        assert leave_notice_by(lost).events == tuple(findings)

    def test_two_years_that_do_not_follow_each_other_are_nothing(self) -> None:
        for days in ([D(2018, 1, 1)], [D(2018, 1, 1), D(2020, 1, 1)], [D(2018, 1, 1), D(2018, 12, 1)]):
            with pytest.raises(NothingProved, match="deux années qui se suivent"):
                right_lost_on([Event(Kind.FOUND, day) for day in days])


class TestProperties:
    @given(DAYS, RULES)
    def test_the_month_is_never_shortened_and_ends_on_a_working_day(self, day: D, rules: ClockRules) -> None:
        found = deadline("reply", [sent(day)], rules)

        assert found.date >= add_months(day, 1)
        assert rules.place.is_working_day(found.date)
        assert (found.date - add_months(day, 1)).days <= rules.postal_days + 10 + 6 + 3

    @given(DAYS, RULES)
    def test_fifteen_days_are_never_shortened(self, day: D, rules: ClockRules) -> None:
        assert deadline("formal_notice", [sent(day)], rules).date >= day + dt.timedelta(days=15)

    @given(DAYS, st.integers(0, 60), RULES, st.sampled_from(["reply", "formal_notice", "refund"]))
    def test_a_later_start_never_ends_sooner(self, day: D, later: int, rules: ClockRules, key: str) -> None:
        sooner = deadline(key, [sent(day)], rules)

        assert deadline(key, [sent(day + dt.timedelta(days=later))], rules).date >= sooner.date

    @given(DAYS, st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), RULES)
    def test_a_suspension_never_shortens_and_stays_monotonic(
        self, day: D, stop: int, length: int, more: int, rules: ClockRules
    ) -> None:
        begin = day + dt.timedelta(days=stop)

        def suspended(days: int) -> D:
            resumed = Event(Kind.RESUMED, begin + dt.timedelta(days=days))
            return deadline("reply", [sent(day), Event(Kind.SUSPENDED, begin), resumed], rules).date

        assert deadline("reply", [sent(day)], rules).date <= suspended(length) <= suspended(length + more)

    @given(DAYS, st.lists(st.tuples(st.sampled_from(list(Kind)), st.integers(0, 90)), max_size=8), RULES)
    def test_the_explanation_names_each_event_it_used_and_the_date(
        self, day: D, told: list[tuple[Kind, int]], rules: ClockRules
    ) -> None:
        events = [sent(day, "lot 1"), *(Event(kind, day + dt.timedelta(days=number)) for kind, number in told)]

        found = deadline("reply", events, rules, until=day + dt.timedelta(days=120))

        assert found.source in found.text
        assert long_date(found.date) in found.text
        assert found.events
        assert set(found.events) <= set(events)
        for event in found.events:
            days = {event.on, max(event.on, found.running_since)}
            assert any(plain_date(each) in found.text for each in days), event
        assert found.as_table()["date"] == found.date.isoformat()

    @given(DAYS, st.permutations([0, 3, 8, 20]))
    def test_the_order_in_which_events_are_told_does_not_matter(self, day: D, order: list[int]) -> None:
        kinds = {0: Kind.SENT, 3: Kind.PRESENTED, 8: Kind.SUSPENDED, 20: Kind.RESUMED}
        events = {number: Event(kind, day + dt.timedelta(days=number)) for number, kind in kinds.items()}

        found = deadline("reply", [events[number] for number in order], MAINLAND)

        assert found == deadline("reply", events.values(), MAINLAND)


def test_each_delay_says_whether_it_moves_and_why():
    for told in tables("deadlines.toml")["delays"]:
        assert told["source"], told["key"]
        assert told["moves_source"], told["key"]
        assert isinstance(told["moves"], bool)
