"""Error rates and their bounds, the share that is keyed twice, the plans of lots: known values and properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.sampling import (
    NoPlan,
    blank_share,
    double_share,
    is_drawn,
    limits,
    lower_bound,
    parameters,
    plan_for,
    probability_up_to,
    upper_bound,
)

CHECKED = st.integers(1, 5000)
SEEN = CHECKED.flatmap(lambda checked: st.tuples(st.integers(0, checked), st.just(checked)))
RULES = parameters()["operators"]


class TestBounds:
    @pytest.mark.parametrize("checked", [100, 1000, 10_000])
    def test_without_any_error_it_is_the_rule_of_three(self, checked):
        assert upper_bound(0, checked) == pytest.approx(3 / checked, rel=0.02)

    def test_published_values(self):
        """One-sided 95 % bounds of Clopper and Pearson (tables of the binomial distribution)."""
        assert upper_bound(0, 10) == pytest.approx(0.2589, abs=1e-4)
        assert upper_bound(1, 10) == pytest.approx(0.3942, abs=1e-4)
        assert lower_bound(1, 10) == pytest.approx(0.0051, abs=1e-4)
        assert lower_bound(5, 10) == pytest.approx(0.2224, abs=1e-4)

    def test_of_nothing_nothing_is_known(self):
        assert (lower_bound(0, 0), upper_bound(0, 0)) == (0.0, 1.0)

    @given(SEEN)
    def test_the_rate_seen_is_between_its_bounds(self, seen):
        errors, checked = seen
        assert lower_bound(errors, checked) <= errors / checked <= upper_bound(errors, checked)

    @given(SEEN)
    def test_the_bound_is_where_so_few_errors_become_unlikely(self, seen):
        errors, checked = seen
        bound = upper_bound(errors, checked)
        if bound < 1:
            assert probability_up_to(errors, checked, bound) == pytest.approx(0.05, abs=1e-6)


class TestDoubleShare:
    def test_a_newcomer_is_looked_at_as_much_as_can_be(self):
        assert double_share(0, 0) == RULES["most"]

    def test_a_sure_hand_is_looked_at_a_little_all_the_same(self):
        assert double_share(0, 100_000) == RULES["least"]

    @given(SEEN)
    def test_what_is_left_undetected_stays_under_the_target_unless_the_share_is_capped(self, seen):
        share = double_share(*seen)
        assert RULES["least"] <= share <= RULES["most"]
        if share < RULES["most"]:
            left = upper_bound(*seen, confidence=RULES["confidence"]) * (1 - share)
            assert left <= RULES["target"] * (1 + 1e-9)

    @given(st.integers(0, 20), st.integers(0, 20), st.integers(100, 3000), st.integers(0, 3000))
    def test_more_errors_never_lessen_it_and_more_right_fields_never_raise_it(self, errors, more, checked, right):
        assert double_share(errors + more, checked) >= double_share(errors, checked)
        assert double_share(errors, checked + right) <= double_share(errors, checked)


class TestDraws:
    @given(st.text(), st.floats(0, 1))
    def test_the_same_thing_is_always_drawn_or_never(self, name, share):
        assert is_drawn(name, share) == is_drawn(name, share)
        assert not is_drawn(name, 0.0)
        assert is_drawn(name, 1.0)

    def test_the_share_is_kept(self):
        assert 900 <= sum(is_drawn(f"field {number}", 0.1) for number in range(10_000)) <= 1100


class TestPlans:
    @pytest.mark.parametrize(
        ("size", "limit", "letter", "sample", "accept_up_to"),
        [
            (600, "0.65", "J", 80, 1),
            (5_000, "1.0", "L", 200, 5),
            (5_000, "0.10", "K", 125, 0),
            (20_000, "0.10", "N", 500, 1),
            (100_000, "0.10", "N", 500, 1),
            (200_000, "0.10", "P", 800, 2),
            (200_000, "0.15", "P", 800, 3),
            (600_000, "0.65", "Q", 1250, 14),
        ],
    )
    def test_cells_of_the_published_table(self, size, limit, letter, sample, accept_up_to):
        plan = plan_for(size, limit)
        assert (plan.letter, plan.sample, plan.accept_up_to) == (letter, sample, accept_up_to)

    def test_a_small_lot_is_looked_at_whole(self):
        assert plan_for(40, "0.10").sample == 40

    @pytest.mark.parametrize(("size", "limit", "said"), [(1, "0.10", "trop petit"), (500, "0.30", "0.30 %")])
    def test_what_has_no_plan_says_so(self, size, limit, said):
        with pytest.raises(NoPlan, match=said):
            plan_for(size, limit)

    @given(st.integers(2, 2_000_000), st.sampled_from(limits()))
    def test_a_lot_at_the_limit_is_mostly_accepted_and_a_bad_one_mostly_refused(self, size, limit):
        plan = plan_for(size, limit)
        assert 1 <= plan.sample <= size
        assert plan.acceptance(float(limit) / 100) > 0.86  # the least of the table
        assert plan.acceptance(plan.refused_mostly) == pytest.approx(0.10, abs=1e-6)
        assert plan.acceptance(0.5) <= plan.acceptance(0.01) <= plan.acceptance(0.0001)

    @given(st.integers(2, 1_000_000), st.integers(2, 1_000_000))
    def test_a_larger_lot_is_never_judged_on_fewer_fields(self, one, other):
        small, large = sorted([one, other])
        assert plan_for(small, "0.10").sample <= plan_for(large, "0.10").sample


class TestEmptyZones:
    def test_it_begins_high_and_falls_as_nothing_is_missed(self):
        rules = parameters()["blanks"]
        assert blank_share(0, 0) == rules["most"]
        assert rules["least"] < blank_share(0, 1000) < rules["most"]
        assert blank_share(0, 10_000) == rules["least"]

    @given(SEEN)
    def test_a_missed_answer_never_has_fewer_looked_at(self, seen):
        missed, checked = seen
        assert blank_share(missed, checked) >= blank_share(max(missed - 1, 0), checked)
