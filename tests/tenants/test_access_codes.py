"""What opens the portal, and what keeps it shut."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connection, connections
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from campaigns.models import Campaign
from campaigns.scope import all_landlords
from tenants import access_codes
from tenants.access_codes import AccessRefused, Refusal
from tenants.models import AccessAttempt, AccessCode, SurveyCase
from tests.factories.tenants import CaseFactory

QUARTER = dt.timedelta(minutes=15)
HOME = "192.0.2.10"


def attempt(case: SurveyCase, code: str, now: dt.datetime, *, address: str = HOME) -> Refusal | None:
    """What the door answers: None when it opens."""
    try:
        access_codes.check_typed(reference=case.reference, code=code, address=address, now=now)
    except AccessRefused as error:
        return error.kind
    return None


@pytest.fixture
def case(db: None) -> SurveyCase:
    return CaseFactory(sent=True)


def wrong(code: str) -> str:
    """A well-formed code that differs from `code` by its first symbol."""
    return ("2" if code[0] != "2" else "3") + code[1:]


def test_a_code_has_twelve_unambiguous_symbols_in_three_groups(case: SurveyCase, now: dt.datetime) -> None:
    code = access_codes.issue_typed(case=case, wave="form", now=now)

    assert [len(group) for group in code.split("-")] == [4, 4, 4]
    assert set(code) - {"-"} <= set(access_codes.ALPHABET)
    assert len(access_codes.ALPHABET) == 30
    assert not set("01OILU") & set(access_codes.ALPHABET)


def test_the_code_stands_nowhere_in_the_database(case: SurveyCase, now: dt.datetime) -> None:
    code = access_codes.issue_typed(case=case, wave="form", now=now)
    token = access_codes.issue_link(case=case, wave="form", now=now)

    stored = str(list(AccessCode.objects.values()))
    assert code not in stored
    assert code.replace("-", "") not in stored
    assert token not in stored


def test_a_stolen_digest_is_worth_nothing_without_the_pepper(case: SurveyCase, now: dt.datetime) -> None:
    code = access_codes.issue_typed(case=case, wave="form", now=now)

    with override_settings(ACCESS_CODE_PEPPER="another"):
        assert attempt(case, code, now) is Refusal.WRONG
    assert attempt(case, code, now) is None


@given(st.data())
def test_a_code_is_read_in_any_case_with_any_spaces_and_dashes(data: st.DataObject) -> None:
    code = access_codes.drawn_code()
    typed = "".join(
        data.draw(st.sampled_from([symbol, symbol.lower()])) + data.draw(st.sampled_from(["", "-", " ", "\u00a0", "–"]))
        for symbol in code
    )

    assert access_codes.normalised(typed) == code


def test_a_u_is_taken_for_a_v() -> None:
    assert access_codes.normalised("abcu-2345-efgh") == "ABCV2345EFGH"


def test_the_right_pair_opens_and_tells_which_mailing_brought_the_answer(case: SurveyCase, now: dt.datetime) -> None:
    first = access_codes.issue_typed(case=case, wave="form", now=now)
    second = access_codes.issue_typed(case=case, wave="reminder_letter", now=now)

    opened = access_codes.check_typed(
        reference=f" {case.reference.lower()} ", code=second.lower(), address=HOME, now=now
    )

    assert opened == case
    assert AccessCode.objects.get(wave="reminder_letter").used_at == now
    assert AccessCode.objects.get(wave="form").used_at is None
    assert attempt(case, first, now) is None


def test_the_code_of_another_case_does_not_open(case: SurveyCase, now: dt.datetime) -> None:
    code = access_codes.issue_typed(case=CaseFactory(sent=True), wave="form", now=now)

    assert attempt(case, code, now) is Refusal.WRONG


@pytest.mark.parametrize(("reference", "code"), [("", "ABCD-2345-EFGH"), ("34679ACD", "  "), ("", "")])
def test_an_empty_field_is_asked_for_and_not_counted(db: None, now: dt.datetime, reference: str, code: str) -> None:
    with pytest.raises(AccessRefused, match="Écrivez votre identifiant") as refused:
        access_codes.check_typed(reference=reference, code=code, address=HOME, now=now)

    assert refused.value.kind is Refusal.EMPTY
    assert not AccessAttempt.objects.exists()


@pytest.mark.parametrize("code", ["ABCD-2345", "ABCD-2345-EFG0", "ABCD-2345-EFGO", "ABCD-2345-EFGHJ", "abcd 2345 efg1"])
def test_a_code_that_cannot_be_one_is_explained_and_not_counted(case: SurveyCase, now: dt.datetime, code: str) -> None:
    with pytest.raises(AccessRefused, match="12 caractères") as refused:
        access_codes.check_typed(reference=case.reference, code=code, address=HOME, now=now)

    assert refused.value.kind is Refusal.WRONG
    assert not AccessAttempt.objects.exists()


def test_an_unknown_reference_and_a_wrong_code_get_the_same_answer_for_the_same_work(
    case: SurveyCase, now: dt.datetime
) -> None:
    code = wrong(access_codes.issue_typed(case=case, wave="form", now=now))
    told = []
    for reference, address in ((case.reference, "192.0.2.1"), ("34679ACX", "192.0.2.2")):
        with CaptureQueriesContext(connection) as queries, pytest.raises(AccessRefused) as refused:
            access_codes.check_typed(reference=reference, code=code, address=address, now=now)
        told.append((refused.value.kind, str(refused.value), [query["sql"].split()[0] for query in queries]))

    assert told[0] == told[1]


def test_five_failures_shut_the_door_for_a_quarter_of_an_hour_then_twice_as_long(
    case: SurveyCase, now: dt.datetime
) -> None:
    code = access_codes.issue_typed(case=case, wave="form", now=now)
    answers = [attempt(case, wrong(code), now, address=f"198.51.100.{n}") for n in range(5)]

    assert answers == [Refusal.WRONG] * 4 + [Refusal.LOCKED]
    assert attempt(case, code, now + QUARTER - dt.timedelta(seconds=1)) is Refusal.LOCKED
    again = now + QUARTER
    assert attempt(case, wrong(code), again, address="198.51.100.9") is Refusal.LOCKED
    assert attempt(case, code, again + 2 * QUARTER - dt.timedelta(seconds=1)) is Refusal.LOCKED
    assert attempt(case, code, again + 2 * QUARTER) is None


def test_the_pause_never_exceeds_a_day_and_is_forgotten_after_another() -> None:
    limit = access_codes.BY_REFERENCE

    pauses = [limit.pause_after(failures) for failures in range(1, 60)]

    assert pauses[:4] == [None] * 4
    assert pauses[4:7] == [QUARTER, 2 * QUARTER, 4 * QUARTER]
    assert max(pause for pause in pauses if pause) == dt.timedelta(hours=24)


def test_an_old_counter_is_forgotten(case: SurveyCase, now: dt.datetime) -> None:
    code = access_codes.issue_typed(case=case, wave="form", now=now)
    for _ in range(4):
        attempt(case, wrong(code), now)

    later = now + dt.timedelta(hours=25)

    assert attempt(case, wrong(code), later) is Refusal.WRONG
    assert AccessAttempt.objects.get(subject=f"dossier:{case.reference}").failures == 1


def test_a_success_clears_the_failures_of_the_case(case: SurveyCase, now: dt.datetime) -> None:
    code = access_codes.issue_typed(case=case, wave="form", now=now)
    for _ in range(4):
        attempt(case, wrong(code), now)

    assert attempt(case, code, now) is None
    assert attempt(case, wrong(code), now) is Refusal.WRONG


def test_thirty_failures_from_one_address_shut_it_whatever_the_cases(db: None, now: dt.datetime) -> None:
    cases = [CaseFactory(sent=True, household__occupants=0) for _ in range(31)]
    code = access_codes.issue_typed(case=cases[-1], wave="form", now=now)

    answers = [attempt(each, wrong(code), now) for each in cases[:30]]

    assert answers == [Refusal.WRONG] * 29 + [Refusal.LOCKED]
    assert attempt(cases[-1], code, now) is Refusal.LOCKED
    assert attempt(cases[-1], code, now, address="192.0.2.99") is None
    assert attempt(cases[-1], code, now + QUARTER) is None


def test_a_locked_door_says_how_long_and_what_else_to_do(case: SurveyCase, now: dt.datetime) -> None:
    for _ in range(5):
        attempt(case, "2222-2222-2222", now)

    with pytest.raises(AccessRefused, match=r"attendez 15 minutes .* lien .* appeler") as refused:
        access_codes.check_typed(reference=case.reference, code="2222-2222-2222", address=HOME, now=now)

    assert refused.value.until == now + QUARTER


def test_the_link_opens_even_while_typed_codes_are_locked(case: SurveyCase, now: dt.datetime) -> None:
    token = access_codes.issue_link(case=case, wave="reminder_digital", now=now)
    for _ in range(6):
        attempt(case, "2222-2222-2222", now)

    assert access_codes.check_link(token=token, now=now) == case
    assert len(token) == access_codes.TOKEN_LENGTH


@pytest.mark.parametrize(("token", "kind"), [("", Refusal.EMPTY), ("inconnu", Refusal.WRONG)])
def test_a_bad_link_is_explained(db: None, now: dt.datetime, token: str, kind: Refusal) -> None:
    with pytest.raises(AccessRefused, match="numéro indiqué sur votre courrier") as refused:
        access_codes.check_link(token=token, now=now)

    assert refused.value.kind is kind


def test_a_typed_code_is_no_link(case: SurveyCase, now: dt.datetime) -> None:
    code = access_codes.issue_typed(case=case, wave="form", now=now)

    with pytest.raises(AccessRefused):
        access_codes.check_link(token=code, now=now)


def test_at_receipt_every_code_dies_and_says_so_with_the_hotline(case: SurveyCase, now: dt.datetime) -> None:
    code = access_codes.issue_typed(case=case, wave="form", now=now)
    token = access_codes.issue_link(case=case, wave="form", now=now)

    assert access_codes.revoke_all(case=case, now=now) == 2
    assert access_codes.revoke_all(case=case, now=now) == 0

    hotline = case.campaign.landlord.hotline
    for check in (
        lambda: access_codes.check_typed(reference=case.reference, code=code, address=HOME, now=now),
        lambda: access_codes.check_link(token=token, now=now),
    ):
        with pytest.raises(AccessRefused, match=f"déjà servi.*{hotline}") as refused:
            check()
        assert refused.value.kind is Refusal.USED


def test_a_code_issued_after_the_receipt_opens(case: SurveyCase, now: dt.datetime) -> None:
    access_codes.revoke_all(case=case, now=now)

    token = access_codes.issue_link(case=case, wave="complement-1", now=now)

    assert access_codes.check_link(token=token, now=now) == case


def test_a_closed_campaign_says_so_and_whom_to_call(case: SurveyCase, now: dt.datetime) -> None:
    code = access_codes.issue_typed(case=case, wave="form", now=now)
    Campaign.objects.filter(pk=case.campaign_id).update(stage=Campaign.Stage.CLOSED)

    assert attempt(case, code, now) is Refusal.CLOSED


def test_a_case_out_of_scope_has_nothing_to_answer(case: SurveyCase, now: dt.datetime) -> None:
    code = access_codes.issue_typed(case=case, wave="form", now=now)
    SurveyCase.objects.filter(pk=case.pk).update(state="out_of_scope")

    assert attempt(case, code, now) is Refusal.CLOSED


def test_many_codes_are_issued_in_a_few_queries_and_none_twice(
    db: None, now: dt.datetime, django_assert_max_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    campaign = CaseFactory().campaign
    cases = [CaseFactory(campaign=campaign, household__occupants=0) for _ in range(60)]

    with django_assert_max_num_queries(3):
        codes = access_codes.issue_typed_many(cases=cases, wave="form", now=now)

    assert len(set(codes.values())) == len(cases)
    assert attempt(cases[7], codes[cases[7].pk], now) is None


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_failures_counted_at_the_same_time_all_count(now: dt.datetime) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("the in-memory test database of SQLite has one writer")
    with all_landlords():
        case = CaseFactory(sent=True)
        attempt(case, "2222-2222-2222", now, address="192.0.2.50")
    start = threading.Barrier(3)

    def guess(address: str) -> None:
        try:
            with all_landlords():
                start.wait(timeout=30)
                attempt(case, "3333-3333-3333", now, address=address)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=guess, args=(f"192.0.2.{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with all_landlords():
        assert AccessAttempt.objects.get(subject=f"dossier:{case.reference}").failures == 4


def test_the_visitors_address_is_not_kept_in_clear(case: SurveyCase, now: dt.datetime) -> None:
    attempt(case, "2222-2222-2222", now, address="203.0.113.77")

    assert not AccessAttempt.objects.filter(subject__contains="203.0.113").exists()
