"""Dated law: the article of the formal notice and the legal delays."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.law import texts

DAY = date(2026, 10, 12)


def test_the_article_is_whole():
    article = texts.formal_notice_article(DAY)
    assert len(article.paragraphs) == 4
    assert article.paragraphs[0].startswith("L'organisme d'habitations à loyer modéré demande annuellement")
    assert article.paragraphs[-1] == "La mise en demeure comporte la reproduction du présent article."
    assert article.source
    assert article.in_force_since <= DAY
    assert texts.formal_notice_text(DAY) == "\n\n".join(article.paragraphs)


def test_a_day_before_any_version_is_refused():
    with pytest.raises(texts.NotInForce, match="L441-9"):
        texts.formal_notice_text(date(1990, 1, 1))
    with pytest.raises(texts.NotInForce, match=r"deadlines\.toml"):
        texts.delay("reply", date(1990, 1, 1))


@pytest.mark.parametrize(
    ("day", "months", "found"),
    [
        (date(2026, 10, 12), 1, date(2026, 11, 12)),
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2019, 1, 1), 18, date(2020, 7, 1)),
        (date(2026, 8, 31), -6, date(2026, 2, 28)),
    ],
)
def test_months_are_counted_from_date_to_date(day, months, found):
    assert texts.add_months(day, months) == found


def test_fifteen_days_after_the_formal_notice():
    assert texts.delay("formal_notice", DAY).last_day(DAY) == DAY + timedelta(days=15)


@given(st.dates(min_value=date(2007, 1, 1), max_value=date(2090, 1, 1)), st.integers(0, 40))
def test_the_end_of_a_month_is_never_left_behind(day, months):
    found = texts.add_months(day, months)

    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day == day.day or (found + timedelta(days=1)).day == 1


def test_a_penalty_is_dated_and_in_euros():
    rate = texts.penalty_rate("ops", DAY)

    assert (str(rate.amount), str(rate.per_month)) == ("7.62", "7.62")
    assert "L442-5" in rate.source
    with pytest.raises(texts.NotInForce, match="ops"):
        texts.penalty_rate("ops", date(1990, 1, 1))


def test_every_text_and_delay_names_its_source():
    for file, table in (("notices.toml", "articles"), ("deadlines.toml", "delays"), ("scope.toml", "exemptions")):
        for told in texts.tables(file)[table]:
            assert told["source"], told["key"]
            assert isinstance(told["in_force_since"], date)
