"""Large print: asked for a household, drawn up, shown in the BAT, printed in the batches, told on its case."""

from __future__ import annotations

import io
import json

import pikepdf
import pytest
from django.core.management import call_command
from django.urls import reverse

from campaigns import operations
from campaigns.paper_form import page_code
from tenants.dispatch import compose_forms, compose_proof, unprintable
from tenants.dispatch.checking import layout_problems
from tenants.history import told
from tenants.importing import adopt_profile
from tenants.large_print import set_large_print
from tenants.models import SurveyCase
from tenants.production.quantities import volumes_of
from tests.factories.campaigns import CampaignFactory, UserFactory
from tests.factories.tenants import CaseFactory
from tests.tenants.depositing import imported
from tests.tenants.printing import NOW, approve, codes_on, content, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("printing_room")]


@pytest.fixture
def campaign(db):
    """Two households, one of which asked for large print."""
    campaign = CampaignFactory()
    CaseFactory(campaign=campaign, household__occupants=1)
    CaseFactory(campaign=campaign, household__occupants=1, household__large_print=True)
    return campaign


def test_asked_once_it_is_told_once(campaign):
    case = SurveyCase.objects.filter(household__large_print=False).get()

    assert set_large_print(case=case, large=True, now=NOW)
    assert not set_large_print(case=case, large=True, now=NOW)

    case.household.refresh_from_db()
    assert case.household.large_print
    assert [told(event).title for event in case.events.all()] == ["Courriers en gros caractères demandés"]


def test_each_household_gets_its_own_print_and_production_counts_both(campaign):
    approve(campaign)

    batches = compose_forms(campaign=campaign, now=NOW)

    pages = {case.layout_large: case.messages.get().pages for case in SurveyCase.objects.all()}
    volumes = {each.large: each for each in volumes_of(campaign).variants}
    assert pages[True] > pages[False] == 4
    assert {large: each.pages for large, each in volumes.items()} == pages
    assert volumes[True].label.endswith("gros caractères")
    assert sum(batch.pages for batch in batches) == sum(pages.values())


def test_a_page_in_large_print_names_its_own_layout(campaign):
    approve(campaign)
    compose_forms(campaign=campaign, now=NOW)
    message = SurveyCase.objects.get(layout_large=True).messages.get()

    (code,) = [text for text in codes_on(content(message.batch.document), message.first_page) if text[:3] == "F1-"]

    layout = campaign.current_revision.layouts.get(fingerprint=page_code.parse(code).layout)
    assert layout.large


def test_the_proof_shows_the_large_print(campaign):
    revision = operations.draw_up_revision(campaign=campaign, now=NOW)

    document = content(compose_proof(revision=revision, now=NOW).document)

    with pikepdf.open(io.BytesIO(document)) as pdf:
        text = text_of(document, 0, len(pdf.pages))
    assert "En gras : ce que nous savons" in text.replace("\u00a0", " ")


def test_every_form_is_looked_at_before_the_proof(campaign, capsys):
    household = SurveyCase.objects.filter(household__large_print=True).get().household
    household.occupants.update(last_name="W" * 80)
    household.address_4 = "128 BIS AVENUE DE LA TRES LONGUE RUE SANS FIN"
    household.save()
    revision = operations.draw_up_revision(campaign=campaign, now=NOW)

    found = dict(unprintable(revision, now=NOW))
    with pytest.raises(SystemExit):
        call_command("check_forms", "--campaign", str(campaign.pk), "--json")

    (reference,) = found
    assert any("occupant.last_name" in each and "W" * 40 in each for each in found[reference])
    assert any("38 au plus" in each for each in found[reference])
    assert json.loads(capsys.readouterr().out) == {"layouts": [], "cases": found}
    assert layout_problems(revision) == []


def test_a_case_manager_changes_it_on_the_case(client, campaign):
    case = SurveyCase.objects.filter(household__large_print=False).get()
    client.force_login(UserFactory(is_staff=True))

    answer = client.post(reverse("admin:case_decision", args=[case.pk]), {"decision": "large_print"}, follow=True)

    case.household.refresh_from_db()
    assert case.household.large_print
    assert "gros caractères" in answer.content.decode()


NATIVE = """<menages>
  <menage reference="1" entree="2015-04-01" apl="non" gros-caracteres="oui">
    <logement reference="L1" financement="PLUS"/>
    <occupants><occupant lien="titulaire" naissance="1940-01-01"><nom>Roux</nom></occupant></occupants>
  </menage>
  <menage reference="2" entree="2015-04-01" apl="non">
    <logement reference="L2" financement="PLUS"/>
    <occupants><occupant lien="titulaire" naissance="1941-01-01"><nom>Roux</nom></occupant></occupants>
  </menage>
</menages>"""


def test_a_landlords_file_asks_for_large_print_and_never_takes_it_back(db, now):
    campaign = CampaignFactory()
    adopt_profile(campaign=campaign, name="native")
    imported(campaign, NATIVE.encode(), now)
    first, second = campaign.households.order_by("tenant_reference")
    assert (first.large_print, second.large_print) == (True, False)

    set_large_print(case=second.case, large=True, now=now)
    _, report = imported(campaign, NATIVE.replace(' gros-caracteres="oui"', "").encode(), now)

    assert report.corrected == 0
    assert list(campaign.households.values_list("large_print", flat=True)) == [True, True]


def test_a_later_file_may_ask_for_it_even_once_the_form_has_left(db, now):
    campaign = CampaignFactory()
    adopt_profile(campaign=campaign, name="native")
    imported(campaign, NATIVE.replace(' gros-caracteres="oui"', "").encode(), now)
    SurveyCase.objects.update(state="sent", sent_at=now)

    imported(campaign, NATIVE.encode(), now)

    assert list(campaign.households.order_by("tenant_reference").values_list("large_print", flat=True)) == [True, False]


class TestOnTheTelephone:
    """The case page of the tracking, for those who listen to households."""

    @pytest.mark.parametrize("trait", [{"calling": True}, {}])
    def test_who_listens_writes_it_down(self, client, campaign, trait):
        client.force_login(UserFactory(**trait))
        case = SurveyCase.objects.filter(household__large_print=False).first()

        page = client.get(reverse("tracking:case", args=[case.reference])).content.decode()
        client.post(reverse("messages:print_size", args=[case.pk]), {"print": "large"})

        case.household.refresh_from_db()
        assert "Passer en gros caractères" in page
        assert case.household.large_print
        assert case.events.get(kind="large_print").actor is not None

    def test_a_landlord_reads_it_and_changes_nothing(self, client, campaign):
        client.force_login(UserFactory(of_landlord=True, landlord=campaign.landlord))
        case = SurveyCase.objects.filter(household__large_print=True).first()

        page = client.get(reverse("tracking:case", args=[case.reference])).content.decode()
        answer = client.post(reverse("messages:print_size", args=[case.pk]), {"print": "ordinary"})

        case.household.refresh_from_db()
        assert "en gros caractères" in page
        assert "Revenir aux caractères" not in page
        assert answer.status_code == 403
        assert case.household.large_print
