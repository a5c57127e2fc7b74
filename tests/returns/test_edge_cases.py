"""The twenty situations that any such system must survive, each by its number.

Here: 2 to 6, 10 to 14, 16 to 18, 20. Elsewhere, beside what they test: 1 in tests/tenants/test_posting.py, 7 in
tests/tenants/test_deaths.py, 8 and 15 in tests/returns/test_late_answers.py, 9 in test_import_corrections.py and
test_deposits.py of tests/tenants, 19 in tests/tenants/test_collection.py and tests/campaigns/test_exchange_clients.py.
"""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.law.clocks import ClockRules, Event, Kind, deadline
from campaigns.law.settings import shipped_law
from campaigns.models import Campaign
from returns import keying
from returns.answers import declaration_of
from returns.completeness import settle
from returns.keying_queue import next_task
from returns.models import Finding, KeyingTask, Page
from returns.pieces import PieceRefused, UploadedPiece, clean
from returns.reconciling import code_typed, keep_as_piece, lost_pages
from returns.submissions import receive_online
from tenants import access_codes
from tenants.access_codes import AccessRefused, Refusal
from tenants.case_states import State
from tenants.constat.sealing import seal
from tenants.constat.verification import verify
from tenants.messaging.contact_rights import Rights
from tenants.messaging.sms_reports import take_reply
from tenants.models import Message, Purpose, SurveyCase
from tenants.undelivered import record_undelivered
from tests.factories.campaigns import RevisionFactory, UserFactory
from tests.factories.keying import doubtful_return
from tests.factories.returns import DocumentFactory
from tests.factories.tenants import CaseFactory, MessageFactory, OccupantFactory
from tests.returns.conftest import COMPLETE, signed_notice
from tests.returns.sheets import paper, printed, sign, states

pytestmark = pytest.mark.django_db

INCOME = "occupant.tax_reference_income"
DAY = dt.timedelta(days=1)


def web(case, now, submission="web"):
    receive_online(case=case, answers=COMPLETE, documents=[], submission=submission, now=now)
    for row in (1, 2):
        DocumentFactory(case=case, row=row, received_at=now)
    settle(case=case, now=now)
    case.refresh_from_db()


class TestEdgeCase2:
    """A blank form on paper and a complete declaration on line, in either order."""

    def test_blank_then_complete(self, case, variant, received, later):
        received(printed(variant.layout, case))
        case.refresh_from_db()
        assert case.state == State.INCOMPLETE
        web(case, later + DAY)
        assert case.state == State.COMPLETE

    def test_complete_then_blank(self, case, variant, received, later):
        web(case, later)
        assert case.state == State.COMPLETE
        received(printed(variant.layout, case), now=later + DAY)
        case.refresh_from_db()
        assert case.state == State.COMPLETE
        assert declaration_of(case).values()[INCOME, 1] == COMPLETE[INCOME, 1]


def test_edge_case_3_original_and_reprint_each_without_a_page_make_one_declaration(case, variant, received, later):
    pages = variant.layout.pages
    received(printed(variant.layout, case)[: pages - 1])
    reprint = printed(variant.layout, case)
    sign(reprint, variant.layout)
    batch = received(reprint[1:], name="autre.tif", now=later + DAY)
    assert Page.State.UNMATCHED not in states(batch)
    assert declaration_of(case).values()["signature.signed", 0] is True
    numbers = Page.objects.filter(survey_return__case=case, state=Page.State.MATCHED).values_list("number", flat=True)
    assert set(numbers) == set(range(1, pages + 1))


def test_edge_case_4_a_form_of_another_landlord_is_set_apart_and_touches_nobody(case, variant, received, later):
    stranger = CaseFactory(campaign__landlord__name="Un autre bailleur", sent=True)
    batch = received([*printed(variant.layout, stranger), *printed(variant.layout, case)])
    assert states(batch) == [Page.State.FOREIGN] * variant.layout.pages + [Page.State.MATCHED] * variant.layout.pages
    stranger.refresh_from_db()
    assert (stranger.state, stranger.returns.count()) == (State.SENT, 0)


def test_edge_case_5_each_notice_is_judged_for_its_own_person(family, declare, later):
    declare({(INCOME, 2): None})
    DocumentFactory(
        case=family, row=1, read={"income_year": 2024, "declarants": ["ELODEE INES"]}
    )  # wrong year, no code
    DocumentFactory(case=family, **signed_notice(2, "ELODEE LOIC", 18_200))
    settle(case=family, now=later)
    standing = set(Finding.objects.filter(case=family, settled_at=None, severity="blocking").values_list("rule", "row"))
    assert standing == {("RG03", 1)}


@pytest.mark.parametrize(("motive", "stands"), [("refused", True), ("unclaimed", True), ("unknown", False)])
def test_edge_case_6_the_motive_decides_whether_the_formal_notice_stands(campaign, later, motive, stands):
    case = CaseFactory(campaign=campaign, state="sent", sent_at=later, formal_notice_at=later)
    Message.objects.create(
        case=case, channel="letter", purpose=Purpose.FORMAL_NOTICE, wave="formal_notice", state="sent", recipient="x",
        created_at=later, sent_at=later,
    )  # fmt: skip
    record_undelivered(case=case, reason=motive, now=later + 9 * DAY)
    assert (case.formal_notice_at is not None) is stands


def test_edge_case_10_a_number_reported_wrong_by_another_household_is_used_no_more(campaign, later):
    case = CaseFactory(campaign=campaign, sent=True)
    message = MessageFactory(
        case=case, channel="sms", recipient="+33639980000", state=Message.State.SENT, sent_at=later
    )
    told = later + dt.timedelta(hours=73)  # no receipt in the meantime: still « envoyé », neither lost nor delivered
    message.refresh_from_db()
    assert message.state == Message.State.SENT
    take_reply(posted={"From": "+33639980000", "Body": "Mauvais numéro"}, now=told)
    rights = Rights.of_address(campaign.landlord, "sms", "06 39 98 00 00")
    assert rights.refusal(channel="sms", address="0639980000", purpose=Purpose.REMINDER_DIGITAL)


def test_edge_case_11_the_arbitrator_may_choose_a_third_value(campaign, later):
    survey_return = doubtful_return(campaign, [(INCOME, 1, None)])
    for person, text in ((UserFactory(keying=True), "21500"), (UserFactory(keying=True), "27500")):
        keying.answer(
            task=next_task(operator=person, now=later, campaign=campaign), operator=person, text=text, now=later
        )
    arbitrator = UserFactory()
    task = next_task(operator=arbitrator, now=later, campaign=campaign)
    keying.answer(task=task, operator=arbitrator, text="21 800", now=later)
    assert KeyingTask.objects.get(pk=task.pk).state == KeyingTask.State.DONE
    assert declaration_of(survey_return.case).values()[INCOME, 1] == 21_800


class TestEdgeCase12:
    """Access codes: mistyped, guessed, closed, used."""

    def refusal(self, **told):
        with pytest.raises(AccessRefused) as refused:
            access_codes.check_typed(address=told.pop("address", "192.0.2.1"), **told)
        return refused.value

    def test_zero_and_one_are_explained_since_no_code_has_them(self, case, later):
        told = self.refusal(reference=case.reference, code="ABCO-2345-EFG1", now=later)
        assert "jamais de 0, de 1, de I, de L ni de O" in str(told)

    def test_thirty_wrong_tries_from_one_address_shut_it(self, campaign, later):
        cases = [CaseFactory(campaign=campaign, sent=True) for _ in range(31)]
        for case in cases[:30]:
            self.refusal(reference=case.reference, code="ABCD-2345-EFGH", now=later)
        assert self.refusal(reference=cases[30].reference, code="ABCD-2345-EFGH", now=later).kind == Refusal.LOCKED

    def test_a_closed_campaign_and_a_used_code_say_so(self, case, later):
        code = access_codes.issue_typed(case=case, wave="form", now=later)
        access_codes.revoke_all(case=case, now=later)
        assert self.refusal(reference=case.reference, code=code, now=later).kind == Refusal.USED
        Campaign.objects.filter(pk=case.campaign_id).update(stage=Campaign.Stage.CLOSED)
        assert self.refusal(reference=case.reference, code=code, now=later).kind == Refusal.CLOSED


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vide.pdf", b""),
        ("photo.heic", b"\x00\x00\x00\x18ftypheic" + b"\x00" * (21 * 1024 * 1024)),
        ("eicar.pdf", b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"),
    ],
)
def test_edge_case_13_a_bad_file_is_refused_by_its_name(name, content):
    with pytest.raises(PieceRefused, match=name):
        clean(UploadedPiece(name=name, content=content, kind="tax_notice", row=1))


def test_edge_case_14_twelve_people_a_newcomer_without_birth_date_and_a_shared_child(campaign, later):
    RevisionFactory(campaign=campaign)
    case = CaseFactory(campaign=campaign, sent=True, household__occupants=11)
    OccupantFactory(
        household=case.household, row=12, last_name="ASSOCIATION DES TOITS", first_name="", birth_date=None, sex=""
    )
    answers = {("household.size", 0): 13, ("occupant.last_name", 13): "Nouveau", ("occupant.first_name", 13): "Ian"}
    answers |= {("occupant.shared_custody", 3): True}
    receive_online(case=case, answers=answers, documents=[], submission="grand", now=later)
    case.refresh_from_db()
    assert case.state == State.INCOMPLETE
    asked = {(item["rule"], item["row"]) for item in case.complements.get().items}
    assert ("RG11", 3) in asked
    assert any(row == 13 for _, row in asked)


class TestEdgeCase16:
    """Clocks: the end of a month, Christmas, Alsace-Moselle, Réunion."""

    def reply(self, day, postcode="37000"):
        rules: ClockRules = shipped_law().clocks(postcode)
        return deadline("reply", [Event(Kind.SENT, day, "")], rules)

    def test_a_month_from_the_31st_of_january_ends_with_february(self):
        assert self.reply(dt.date(2026, 1, 31)).date == dt.date(2026, 3, 2)  # 28 February is a Saturday

    def test_christmas_and_the_day_after_in_alsace(self):
        sent = dt.date(2025, 11, 25)  # ends on Thursday 25 December
        assert self.reply(sent).date == dt.date(2025, 12, 26)
        assert self.reply(sent, "67000").date == dt.date(2025, 12, 29)

    def test_the_day_is_that_of_reunion(self):
        place = shipped_law().clocks("97400").place
        assert place.local_day(dt.datetime(2026, 10, 31, 21, 30, tzinfo=dt.UTC)) == dt.date(2026, 11, 1)


def test_edge_case_17_one_person_in_three_dwellings_is_judged_in_each_by_her_own_notice(campaign, later):
    RevisionFactory(campaign=campaign)
    cases = [CaseFactory(campaign=campaign, sent=True, household__occupants=1) for _ in range(3)]
    for number, case in enumerate(cases):
        answers = {("household.size", 0): 1, (INCOME, 1): 20_000}
        receive_online(case=case, answers=answers, documents=[], submission=f"x{number}", now=later)
    DocumentFactory(case=cases[0], **signed_notice(1, "ELODEE INES", 20_000))
    for case in cases:
        settle(case=case, now=later)
        case.refresh_from_db()
    assert [case.state for case in cases] == [State.COMPLETE, State.INCOMPLETE, State.INCOMPLETE]


def test_edge_case_18_a_sheet_whose_code_is_hidden_is_found_by_its_text_or_by_its_reference(
    case, variant, received, later
):
    batch = received([paper("UNE ENVELOPPE\ncollee sur le code"), paper("autre chose")])
    first, second = lost_pages(batch.campaign)
    code = code_typed(f"F1 {case.reference} 01 {variant.fingerprint} {_check(case, variant)}")
    assert (code.case, code.page) == (case.reference, 1)
    keep_as_piece(page=first, reference=case.reference.lower(), now=later)
    keep_as_piece(page=second, reference=case.reference, now=later)
    assert not lost_pages(batch.campaign).exists()
    assert case.documents.count() == 2


def _check(case, variant) -> str:
    from campaigns.paper_form.page_code import check_character

    return check_character(f"{case.reference}-01-{variant.fingerprint}")


def test_edge_case_20_once_personal_data_is_gone_the_proofs_still_verify(campaign, later, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"
    CaseFactory(campaign=campaign, sent=True)
    package = seal(campaign=campaign, now=later)
    with package.content.open("rb") as stored:
        path = tmp_path / package.name
        path.write_bytes(stored.read())
    campaign.delete()
    assert not SurveyCase.objects.exists()
    assert verify(path).holds
