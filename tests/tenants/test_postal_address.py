"""NF Z10-011: what is proposed for an address, and that a proposal accepted leaves nothing to say."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict, astuple, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tenants.postal_address import FIELDS, HOPELESS, Kind, PostalAddress, applied, is_clean, propose, rules_at, unclean

ON = dt.date(2026, 10, 1)
CLEAN = PostalAddress("APPT 12", "BAT E", "8 RUE DES LILAS", "", "37000", "TOURS")
LINES = st.one_of(
    st.text(max_size=80),
    st.from_regex(r"[0-9]{0,4}[ ,-]{0,2}(rue|AVENUE|Bd|résidence|Chemin) [A-Za-zéèçœ' .,/-]{0,60}", fullmatch=True),
    st.sampled_from(["", " ", "-", "12/14 rue", "BÂTIMENT C", "37000 TOURS", "4bis RUE X", "Ωμέγα 12", "ﬁn ½ ǅ"]),
)
POSTCODES = st.one_of(st.sampled_from(["", "37000", "1000", "37 000", "2A004", "٣٧٠٠٠"]), st.text(max_size=10))
ADDRESSES = st.builds(PostalAddress, LINES, LINES, LINES, LINES, POSTCODES, LINES)


def only(**changes: str) -> list[tuple[Kind, dict[str, str]]]:
    """What is proposed for the clean address with these lines changed."""
    address = PostalAddress(**{**asdict(CLEAN), **changes})
    return [(each.kind, dict(each.after)) for each in propose(address, ON)]


def test_an_address_that_follows_the_norm_is_left_alone():
    assert is_clean(astuple(CLEAN))
    assert propose(CLEAN, ON) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"address_2": "X" * 39},
        {"address_2": "APPT  12"},
        {"address_2": "APPT\t12"},
        {"address_3": " BAT E"},
        {"address_3": "BAT\u00a0E"},
        {"address_4": ""},
        {"address_4": "8 RUE " + "X" * 33},
        {"address_4": "8  RUE DES LILAS"},
        {"address_5": "Lieu-dit"},
        {"postcode": "3700"},
        {"postcode": "٣٧٠٠٠"},
        {"city": "X" * 33},
        {"city": "TOURS\n"},
        {"city": ""},
    ],
)
def test_the_quick_answer_lets_nothing_wrong_through(changes):
    address = replace(CLEAN, **changes)
    assert not is_clean(astuple(address))
    assert propose(address, ON)


@given(st.lists(ADDRESSES | st.just(CLEAN), max_size=8))
def test_addresses_looked_at_together_are_those_looked_at_alone(addresses):
    lines = [astuple(address) for address in addresses]
    assert unclean(lines) == [place for place, each in enumerate(lines) if not is_clean(each)]


@pytest.mark.parametrize(
    "changes", [{"address_2": "", "address_3": ""}, {"address_3": "Bât. É"}, {"address_5": "LE BOURG"}]
)
def test_lines_that_may_be_empty_or_accented_are_clean(changes):
    assert is_clean(astuple(replace(CLEAN, **changes)))


@pytest.mark.parametrize(
    ("line", "kind", "after"),
    [
        ("8 rue des Lilas", Kind.CAPITALS, "8 RUE DES LILAS"),
        ("31 RUE ÉRIC TANGUY", Kind.ACCENTS, "31 RUE ERIC TANGUY"),
        ("8, RUE DE L'ÉCLUSE", Kind.PUNCTUATION, "8 RUE DE L ECLUSE"),
        ("8  RUE DES LILAS ", Kind.SPACES, "8 RUE DES LILAS"),
        ("8bis RUE DES ŒILLETS", Kind.ACCENTS, "8 BIS RUE DES OEILLETS"),
        ("12/14 RUE DES LILAS", Kind.NUMBERS, "12 RUE DES LILAS"),
        ("165 BOULEVARD DU GENERAL ALEXANDRE LEJEUNE", Kind.ABBREVIATED, "165 BD DU GENERAL ALEXANDRE LEJEUNE"),
        (
            "165 BOULEVARD DU GENERAL ALEXANDRE LEJEUNE DURAND",
            Kind.ABBREVIATED,
            "165 BD DU GAL ALEXANDRE LEJEUNE DURAND",
        ),
    ],
)
def test_the_street_is_written_as_sorting_machines_read_it(line, kind, after):
    assert only(address_4=line) == [(kind, {"address_4": after})]


@pytest.mark.parametrize(
    ("changes", "kind", "after"),
    [
        ({"city": "Joué-lès-Tours"}, Kind.PUNCTUATION, {"postcode": "37000", "city": "JOUE LES TOURS"}),
        ({"postcode": "37 000"}, Kind.POSTCODE, {"postcode": "37000", "city": "TOURS"}),
        ({"postcode": "1000", "city": "BOURG"}, Kind.POSTCODE, {"postcode": "01000", "city": "BOURG"}),
        ({"postcode": "", "city": "37000 Tours"}, Kind.POSTCODE, {"postcode": "37000", "city": "TOURS"}),
        (
            {"address_3": "8 rue des Lilas", "address_4": ""},
            Kind.MOVED,
            {"address_3": "", "address_4": "8 RUE DES LILAS"},
        ),
        (
            {"address_3": "", "address_4": "RESIDENCE DES GRANDS TILLEULS 12 RUE DES LILAS"},
            Kind.MOVED,
            {"address_3": "RESIDENCE DES GRANDS TILLEULS", "address_4": "12 RUE DES LILAS"},
        ),
        (
            {"address_3": "RESIDENCE DES GRANDS TILLEULS BATIMENT C"},
            Kind.ABBREVIATED,
            {"address_3": "RESIDENCE DES GRANDS TILLEULS BAT C"},
        ),
        ({"address_5": "Lieu-dit l'Étang"}, Kind.PUNCTUATION, {"address_5": "LIEU DIT L ETANG"}),
        ({"address_5": "BP 90412/13"}, Kind.PUNCTUATION, {"address_5": "BP 90412 13"}),
        ({"address_5": " - "}, Kind.PUNCTUATION, {"address_5": ""}),
    ],
)
def test_other_lines(changes, kind, after):
    assert only(**changes) == [(kind, after)]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"address_4": "", "address_3": ""}, Kind.MISSING),
        ({"city": ""}, Kind.MISSING),
        ({"postcode": "2A04"}, Kind.BAD_POSTCODE),
        ({"address_4": "12 ΟΔΟΣ ΑΘΗΝΑΣ"}, Kind.CHARACTERS),
        ({"address_4": "8 RUE " + "X" * 40}, Kind.TOO_LONG),
        ({"address_5": "LIEU DIT " + "X" * 30}, Kind.TOO_LONG),
        ({"address_5": "ΟΔΟΣ"}, Kind.CHARACTERS),
        ({"city": "LLANFAIRPWLLGWYNGYLLGOGERYCHWYRNDROBWLL"}, Kind.TOO_LONG),
    ],
)
def test_what_only_a_person_can_mend_is_told_without_a_correction(changes, kind):
    assert only(**changes) == [(kind, {})]


def test_the_figures_bear_their_source_and_their_date():
    rules = rules_at(ON)
    assert (rules.characters, "NF Z10-011" in rules.norm, "laposte.fr" in rules.source) == (38, True, True)
    assert rules_at(dt.date(1990, 1, 1)) == rules


@given(ADDRESSES)
@example(PostalAddress("", "", "12-14-16 rue de l'Église", "", "37000", "TOURS"))
@example(PostalAddress("", "", "4 BIS5 RUE", "", "37000", "1 37000 TOURS"))
def test_a_corrected_address_has_nothing_more_to_correct(address):
    proposals = propose(address, ON)
    again = propose(applied(address, proposals), ON)
    assert [each for each in again if each.after] == []
    assert {each.kind for each in again} <= HOPELESS


@given(ADDRESSES)
def test_a_correction_fits_the_window_and_the_sorting_machine(address):
    for each in propose(address, ON):
        assert set(each.before) <= set(FIELDS)
        if not each.after:
            assert each.kind in HOPELESS
            continue
        assert set(each.after) == set(each.before)
        assert dict(each.after) != dict(each.before)
        after = PostalAddress(**{**asdict(CLEAN), **each.after})
        assert all(len(line) <= 38 for line in (after.address_2, after.address_3, after.address_4))
        assert len(f"{after.postcode} {after.city}") <= 38
        assert re.fullmatch(r"[A-Z0-9 ]*", after.address_4 + after.city)


@given(ADDRESSES)
def test_proposals_never_speak_of_the_same_line_twice(address):
    touched = [name for each in propose(address, ON) for name in each.before]
    assert len(touched) == len(set(touched))
