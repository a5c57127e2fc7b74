"""Pages without a place: what is printed on them, their neighbours and old codes offer the likeliest cases first."""

from __future__ import annotations

import pytest
from django.urls import reverse

from campaigns.paper_form.page_code import PageCode
from returns.models import KeyingTask, Page, SupportingDocument
from returns.reading.clues import clues_in, page_code_in
from returns.reconciling import keep_as_piece
from returns.seeing import CODELESS
from returns.suggestions import suggestions_for
from tests.factories.campaigns import CampaignFactory, UserFactory
from tests.factories.returns import PageFactory, ReturnFactory, ScanBatchFactory
from tests.factories.tenants import CaseFactory
from tests.returns.sheets import PER_MM, paper, printed, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def household(campaign):
    """Make a household of that name in the campaign."""

    def made(last: str, first: str, reference: str, **told):
        case = CaseFactory(campaign=campaign, sent=True, reference=reference, household__occupants=1, **told)
        case.household.occupants.update(last_name=last, first_name=first)
        case.household.search_name = f"{last} {first}".lower()
        case.household.save()
        return case

    return made


@pytest.fixture
def lost(campaign):
    """A page without a place whose clues are those of that text."""
    batch = ScanBatchFactory(campaign=campaign)

    def page(text: str = "", **told) -> Page:
        given = {"state": "unmatched", "survey_return": None, "clues": clues_in(text), "batch": batch, **told}
        return PageFactory(**given)

    return page


def offered(page: Page) -> list[str]:
    return [each.case.reference for each in suggestions_for(page)]


class TestClues:
    def test_a_tax_or_social_security_number_is_no_clue(self):
        told = clues_in(
            "numero fiscal 30 12 345 678 901 et 2840576451089 puis 284057645108912 ; dossier 37000 acdef346"
        )
        assert told["numbers"] == ["37000", "acdef346"]

    def test_a_printed_code_is_read_through_what_recognition_spoils(self):
        code = PageCode("ACDEF346", 2, "10A4F001")
        spoilt = str(code).lower().replace("-02-10a4f001", " o2 l0a4foo1").replace("f1-", "fi-")
        assert page_code_in(f"mot {spoilt} fin") == code

    def test_a_wrong_check_is_no_code(self):
        assert page_code_in(str(PageCode("ACDEF346", 2, "10A4F001")).lower().replace("acdef", "acdfe")) is None


class TestRanking:
    def test_a_name_and_an_address_come_before_a_name(self, household, lost):
        far = household("DURAND", "ANNE", "ACDEF346", household__postcode="69001", household__city="LYON")
        near = household("DURAND", "ANNE", "QRTWXY97", household__postcode="37000", household__city="TOURS")
        page = lost("certificat de scolarite anne durand 8 rue des erables 37000 tours")
        [first, second] = suggestions_for(page)
        assert (first.case, second.case) == (near, far)
        assert first.reasons == ("un nom de famille", "un prénom", "le code postal", "la commune", "la rue")

    def test_a_first_name_tells_two_families_of_one_name_apart(self, household, lost):
        household("MARTIN", "PAUL", "ACDEF346", household__postcode="1")
        household("MARTIN", "INES", "QRTWXY97", household__postcode="1")
        assert offered(lost("ines martin")) == ["QRTWXY97", "ACDEF346"]

    def test_a_number_printed_on_the_sheet_comes_before_any_name(self, household, lost):
        household("DURAND", "ANNE", "ACDEF346")
        household("MOREL", "LUC", "QRTWXY97", household__tenant_reference="L0123456")
        assert offered(lost("anne durand votre reference l0123456")) == ["QRTWXY97", "ACDEF346"]

    def test_nothing_known_offers_nothing(self, household, lost):
        household("DURAND", "ANNE", "ACDEF346")
        assert offered(lost("bonjour madame")) == []

    def test_a_sheet_of_the_form_is_never_offered_as_a_piece(self, household, lost, admin_client):
        household("DURAND", "ANA", "ACDEF346")
        button = "C’est une pièce de ce dossier"
        for explanation, expected in (("", True), (CODELESS, False)):
            page = lost("durand ana", explanation=explanation)
            text = admin_client.get(reverse("keying:lost_page", args=[page.pk])).content.decode()
            assert "ACDEF346" in text
            assert (button in text) is expected

    def test_a_household_of_another_campaign_is_never_offered(self, lost):
        stranger = CaseFactory(campaign=CampaignFactory(), sent=True, reference="GHJKMNP3", household__occupants=1)
        stranger.household.occupants.update(last_name="DURAND")
        assert offered(lost("durand ghjkmnp3")) == []

    def test_an_old_code_leads_to_the_same_tenant(self, campaign, household, lost):
        before = CampaignFactory(landlord=campaign.landlord, year=campaign.year - 1)
        CaseFactory(campaign=before, household__tenant_reference="T1", reference="GHJKMNP3")
        household("DURAND", "ANNE", "ACDEF346", household__tenant_reference="T1")
        page = lost(state="foreign", clues={"code": str(PageCode("GHJKMNP3", 2, "ABCDEF01"))})
        [only] = suggestions_for(page)
        assert only.case.reference == "ACDEF346"
        assert "ce locataire a ce code" in only.reasons[0]

    def test_the_sheet_missing_between_two_others_tells_its_page(self, household, lost):
        case = household("DURAND", "ANNE", "ACDEF346")
        made = ReturnFactory(case=case)
        page = lost(index=5)
        for index, number in ((4, 1), (6, 3)):
            PageFactory(batch=page.batch, survey_return=made, index=index, number=number, layout="ABCDEF01")
        [only] = suggestions_for(page)
        assert only.code == PageCode("ACDEF346", 2, "ABCDEF01")

    def test_neighbours_are_offered_when_nothing_else_is_known(self, household, lost):
        before, after = household("DURAND", "ANNE", "ACDEF346"), household("MOREL", "LUC", "QRTWXY97")
        page = lost(index=5)
        PageFactory(batch=page.batch, survey_return=ReturnFactory(case=after), index=6)
        PageFactory(batch=page.batch, survey_return=ReturnFactory(case=before), index=4)
        assert offered(page) == ["ACDEF346", "QRTWXY97"]


def test_a_sheet_whose_code_is_torn_off_is_no_piece_of_the_form_before_and_is_offered_its_case(
    case, other, variant, received, client
):
    """One press, and its fields are keyed."""
    sheet = printed(variant.layout, case)[1]
    square = variant.layout.page_code
    left, top, right, bottom = (round(side * PER_MM) for side in (square.x, square.y, square.right, square.bottom))
    sheet[top:bottom, left:right] = 255
    batch = received([printed(variant.layout, other)[0], sheet])
    assert states(batch) == [Page.State.MATCHED, Page.State.UNMATCHED]
    page = batch.pages.get(index=1)
    assert "code carré est illisible" in page.explanation
    [first, *_] = suggestions_for(page)
    assert (first.case, first.code.page) == (case, 2)
    client.force_login(UserFactory(keying=True))
    told = {"act": "attach", "typed": str(first.code)}
    client.post(reverse("keying:decide", args=[page.pk]), told)
    assert KeyingTask.objects.filter(survey_return__case=case, reason="feuille lue par une personne").exists()


def test_what_the_machine_named_need_not_be_named_again(case, variant, received, client, later):
    batch = received([paper("Certificat de scolarite\nAnnee 2026-2027"), printed(variant.layout, case)[1]])
    page = batch.pages.get(index=0)
    assert page.clues["kind"] == "school_certificate"
    assert [each.case for each in suggestions_for(page)] == [case]
    client.force_login(UserFactory(keying=True))
    text = client.get(reverse("keying:lost_page", args=[page.pk])).content.decode()
    assert "Dossiers proposés" in text
    assert "la feuille d&#x27;après dans le lot" in text
    told = {"act": "piece", "typed": case.reference}
    answer = client.post(reverse("keying:decide", args=[page.pk]), told, follow=True)
    assert "La pièce est dans le dossier ACDEF346" in answer.content.decode()
    document = SupportingDocument.objects.get()
    assert (document.case, document.kind) == (case, "school_certificate")
    page.refresh_from_db()
    assert page.clues == {}
    assert not KeyingTask.objects.filter(reason="feuille lue par une personne").exists()


def test_a_piece_read_before_it_had_a_place_keeps_what_was_read(case, variant, lost, later):
    page = lost(digest="d", clues={"kind": "tax_notice", "read": {"income_year": 2025}, "certified": True})
    document = keep_as_piece(page=page, reference=case.reference, now=later)
    assert (document.kind, document.read, document.certified) == ("tax_notice", {"income_year": 2025}, True)
