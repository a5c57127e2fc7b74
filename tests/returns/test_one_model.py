"""What is missing and why is said once: portal, landlord, operators, letter and phone repeat the same words.

And what is found never depends on the way an answer came.
"""

from __future__ import annotations

import datetime as dt
import html
import itertools

import pytest
from django.db import transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.paper_form.page_code import PageCode
from campaigns.questionnaire.values import show
from returns import keying
from returns.completeness import settle
from returns.keying_queue import next_task
from returns.missing import missing_items
from returns.models import ComplementRequest, Finding, ScanBatch, SurveyReturn
from returns.scan_pages import PageKeeper
from returns.seen import SeenField, SeenPage, Sight
from returns.submissions import receive_online
from returns.transcription import transcribe
from tenants import access_codes
from tenants.dispatch.letters import parts_of
from tenants.messaging import render
from tenants.models import SurveyCase
from tests.factories.campaigns import UserFactory
from tests.factories.returns import NOW, DocumentFactory
from tests.factories.tenants import CaseFactory
from tests.returns.conftest import signed_notice
from tests.returns.sheets import variant_of

pytestmark = pytest.mark.django_db

INCOME = "occupant.tax_reference_income"
COUNTER = itertools.count()


class TestTheSameWords:
    @pytest.fixture
    def said(self, family, declare, later):
        """What the one model says of an incomplete dossier with items of several kinds."""
        declare({("household.size", 0): None, ("occupant.cmi", 3): True, (INCOME, 1): None})
        settle(case=family, now=later)
        family.refresh_from_db()
        items = missing_items(family)
        assert len(items) >= 4
        return items

    def shown(self, client, address) -> str:
        return html.unescape(client.get(address).content.decode()).replace("\u00a0", " ").replace("\u202f", " ")

    def holds_all(self, text, said) -> bool:
        plain = text.replace("\u00a0", " ").replace("\u202f", " ")
        return all(item.message.replace("\u202f", " ").replace("\u00a0", " ") in plain for item in said)

    def test_the_portal_says_them(self, client, time_machine, family, said, later):
        time_machine.move_to(later, tick=False)
        token = access_codes.issue_link(case=family, wave="complement-1", now=later)
        client.post(f"/a/{token}")
        page = self.shown(client, reverse("portal:complement"))
        assert self.holds_all(page, said)
        assert all(item.who in page for item in said if item.who)

    def test_the_portal_says_only_what_is_left(self, client, time_machine, family, said, later):
        DocumentFactory(case=family, row=1)
        settle(case=family, now=later)
        time_machine.move_to(later, tick=False)
        client.post(f"/a/{access_codes.issue_link(case=family, wave='complement-1', now=later)}")
        page = self.shown(client, reverse("portal:complement"))
        left = missing_items(family)
        assert len(left) == len(said) - 1
        assert self.holds_all(page, left)
        assert page.count("Il manque l'avis d'impôt") == 1

    @pytest.mark.parametrize("who", ["of_landlord", "manager", "calling"])
    def test_the_page_of_the_case_says_them_to_landlord_manager_and_agent(self, client, family, said, who):
        more = {"of_landlord": True, "landlord": family.campaign.landlord} if who == "of_landlord" else {}
        more |= {"calling": True} if who == "calling" else {}
        client.force_login(UserFactory(**more))
        assert self.holds_all(self.shown(client, reverse("tracking:case", args=[family.reference])), said)

    def test_the_request_and_its_letter_say_them(self, family, said, later):
        request = ComplementRequest.objects.get(case=family)
        assert [item["message"] for item in request.items] == [item.message for item in said]
        told = {"items": request.items, "number": 1, "due_on": request.due_on}
        letter = render(case=family, channel="letter", purpose="complement", on=later.date(), **told)
        _, items, *_ = parts_of(letter.body)
        assert [item for item in items] == [f"{item.sentence} {item.how}" for item in said]

    def test_the_interface_for_machines_says_them(self, client, family, said):
        client.force_login(UserFactory(of_landlord=True, landlord=family.campaign.landlord))
        told = client.get(reverse("api:case", args=[family.reference])).json()
        assert [item["message"] for item in told["missing"]] == [item.message for item in said]


class TestCertifiedEvidence:
    def test_a_signed_code_needs_nobody(self, family, declare, later):
        declare({(INCOME, 1): None, (INCOME, 2): None})
        for row, name in ((1, "ELODEE INES"), (2, "ELODEE LOIC")):
            DocumentFactory(case=family, **signed_notice(row, name, 19_000 + row))
        settle(case=family, now=later)
        family.refresh_from_db()
        assert family.state == "complete"
        assert not family.returns.filter(keying__isnull=False).exists()


answers_drawn = st.fixed_dictionaries(
    {
        ("household.size", 0): st.sampled_from([None, 2, 3]),
        ("household.resource_fall", 0): st.sampled_from([None, True]),
        ("occupant.cmi", 3): st.sampled_from([None, True]),
        (INCOME, 1): st.sampled_from([None, 21_500]),
        (INCOME, 2): st.sampled_from([None, 18_200]),
    }
)


@settings(max_examples=12, suppress_health_check=list(HealthCheck), deadline=None)
@given(answers=answers_drawn, notices=st.sets(st.sampled_from([1, 2])), certified=st.booleans())
def test_what_is_found_does_not_depend_on_the_channel(campaign, answers, notices, certified):
    told = {address: value for address, value in answers.items() if value is not None}
    with transaction.atomic():
        found = {
            channel: findings(campaign, channel, told, notices, certified) for channel in SurveyCase.Channel.values
        }
        transaction.set_rollback(True)
    assert found["paper"] == found["online"] == found["phone"]


def findings(campaign, channel, told, notices, certified):
    """What stands against a household that declares this by that channel, signed where it is on paper."""
    from tests.factories.campaigns import RevisionFactory

    revision = campaign.current_revision or RevisionFactory(campaign=campaign)
    case = CaseFactory(campaign=campaign, sent=True)
    for row in notices:
        name = {1: "ELODEE INES", 2: "ELODEE LOIC"}[row]
        more = signed_notice(row, name, 20_000) if certified else {"row": row}
        DocumentFactory(case=case, **more)
    if channel == "paper":
        by_paper(case, revision, told)
    else:
        receive_online(case=case, answers=told, documents=[], submission=f"s{next(COUNTER)}", now=NOW, channel=channel)
    standing = Finding.objects.filter(case=case, settled_at=None).order_by("rule", "row", "field", "document")
    case.refresh_from_db()
    return case.state, list(standing.values_list("rule", "row", "field", "document", "severity", "message"))


def by_paper(case, revision, told) -> None:
    """The same answers on a form that the scanner has seen, keyed where a person must."""
    variant = revision.layouts.first() or variant_of(revision)
    wanted = {**told, ("signature.signed", 0): True, ("signature.signed_on", 0): "2026-10-30"}
    fields = tuple(
        SeenField(key, row, value, inked=True, confidence=0.99, several=False, box=(0, 0, 9, 5))
        for (key, row), value in wanted.items()
    )
    number = next(COUNTER)
    batch = ScanBatch.objects.create(
        campaign=case.campaign,
        name="lot.tif",
        sha256=f"{number:064d}",
        state="reading",
        received_at=NOW,
        claimed_at=NOW,
    )
    code = PageCode(case.reference, 1, variant.fingerprint)
    image = b"page %d" % number
    PageKeeper(batch, claim=NOW, now=NOW).keep(SeenPage(0, Sight.FORM, image=image, code=code, fields=fields))
    transcribe(survey_return=SurveyReturn.objects.get(case=case), now=NOW)
    ScanBatch.objects.filter(pk=batch.pk).update(state="read")
    for operator in (UserFactory(keying=True), UserFactory(keying=True)):
        while (task := next_task(operator=operator, now=NOW, campaign=case.campaign)) is not None:
            text = show(keying.field_of(task), wanted[task.field, task.row])
            keying.answer(task=task, operator=operator, text=text, now=NOW)
    keying.close_keyed(now=NOW, rest=dt.timedelta())
