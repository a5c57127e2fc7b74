"""What was read, laid over its sheets: each value with how it was decided, and what each person may see of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from django.urls import reverse

from campaigns.models import AuditEntry, LayoutVariant
from returns.keying import answer
from returns.keying_queue import next_task
from returns.models import FieldReading, KeyingTask, Page
from returns.sheet_readings import SAID, Kind, being_keyed, sheets_of
from tests.factories.campaigns import UserFactory
from tests.factories.keying import EMAIL, INCOME, SIZE, case_of, handwritten_return

pytestmark = pytest.mark.django_db

WRITTEN = [(SIZE, 0, "3"), (EMAIL, 0, "ines@exemple.fr"), (INCOME, 1, "21500")]
TAX_NUMBER = "1234567890" + f"{1234567890 % 511:03d}"


@pytest.fixture
def scanned(campaign, later):
    """A scanned form with an income, a number of people and an address written by hand."""
    return handwritten_return(
        campaign, [(SIZE, 0, "3"), (EMAIL, 0, "ines@exemple.fr"), (INCOME, 1, "21500")], now=later
    )


@pytest.fixture
def keyed(later):
    """Take the next task of somebody and answer it."""

    def key(operator, text, **more):
        task = next_task(operator=operator, now=later)
        return answer(task=task, operator=operator, text=text, now=later, **more)

    return key


def zones(case, **more):
    """What is laid over the sheets of a case, by the label of its field."""
    return {zone.label: zone for sheet in sheets_of(case, **more) for zone in sheet.zones}


def test_what_waits_is_not_told(scanned):
    told = zones(case_of(scanned))
    assert {zone.kind for zone in told.values()} == {Kind.WAITING}
    assert {zone.value for zone in told.values()} == {""}


def test_each_value_tells_how_it_was_decided(scanned, keyed, manager):
    anne, bilal = UserFactory(keying=True, username="anne"), UserFactory(keying=True, username="bilal")
    FieldReading.objects.filter(field=SIZE).update(value=3)
    for operator, texts in ((anne, ("3", "a@x.fr", "21500")), (bilal, ("27500",))):
        for text in texts:
            keyed(operator, text)
    keyed(manager, "21500")
    told = zones(case_of(scanned))
    size, mail, income = told["Nombre de personnes"], told["Courriel"], told["RFR 2025"]
    assert (size.value, size.how) == ("3", "une saisie, d'accord avec la machine")
    assert (mail.value, mail.how, mail.by) == ("a@x.fr", "saisi par un opérateur", "anne")
    assert (income.how, income.by) == ("tranché par un superviseur", manager.username)
    assert all(width > 0 for zone in told.values() for width in zone.box[2:])


def test_the_machine_alone_says_by_what_right(scanned):
    KeyingTask.objects.all().delete()
    FieldReading.objects.filter(field=INCOME).update(
        field="occupant.tax_number", value=TAX_NUMBER, accepted=True, confidence=0.8
    )
    FieldReading.objects.filter(field=EMAIL).update(
        field="household.consent_email", value=True, accepted=True, confidence=0.995
    )
    FieldReading.objects.filter(field=SIZE).update(value=3, accepted=True, confidence=0.9)
    how = {label: zone.how for label, zone in zones(case_of(scanned)).items()}
    assert how == {
        "Numéro fiscal": "lu par la machine, clé de contrôle exacte",
        "Accord courriel": "lu par la machine, au-dessus du seuil",
        "Nombre de personnes": "lu par la machine, confirmé par une pièce signée ou par le fichier du bailleur",
    }


def test_two_entries_that_agree_and_one_that_says_it_cannot_be_read(scanned, keyed):
    anne, bilal = UserFactory(keying=True), UserFactory(keying=True)
    keyed(anne, "3")
    keyed(anne, "", illegible=True)
    keyed(bilal, "3")
    told = zones(case_of(scanned))
    assert told["Nombre de personnes"].how == "deux saisies concordantes"
    assert told["Courriel"].how == "illisible pour l'opérateur"


def test_without_incomes_they_are_only_said_to_be_there(scanned):
    KeyingTask.objects.all().delete()
    FieldReading.objects.update(accepted=True)
    FieldReading.objects.filter(field=INCOME).update(value=21_500)
    assert zones(case_of(scanned), sensitive=False)["RFR 2025"].value == SAID
    assert zones(case_of(scanned))["RFR 2025"].value == "21\u202f500\u202f€"


class TestOperators:
    def test_who_keys_sees_what_is_settled_and_nothing_that_is_not(self, client, scanned, keyed, later):
        operator = UserFactory(keying=True)
        keyed(operator, "3")
        keyed(operator, "recopie@exemple.fr")
        task = next_task(operator=operator, now=later)
        assert being_keyed(case_of(scanned)) == {(SIZE, 0), (INCOME, 1)}
        client.force_login(operator)
        text = client.get(reverse("keying:readings", args=[task.pk])).content.decode()
        assert "recopie@exemple.fr" in text
        assert text.count("en attente</span>") == 2
        for page in Page.objects.all():
            assert client.get(reverse("keying:sheet", args=[task.pk, page.pk])).status_code == 200

    def test_nobody_else(self, client, scanned):
        task = KeyingTask.objects.first()
        client.force_login(UserFactory(keying=True))
        assert client.get(reverse("keying:readings", args=[task.pk])).status_code == 404

    def test_a_sheet_of_another_dossier_is_not_shown_under_this_one(self, client, campaign, scanned, later):
        operator = UserFactory(keying=True)
        task = next_task(operator=operator, now=later)
        other = handwritten_return(campaign, [(EMAIL, 0, "x")], now=later).pages.get()
        client.force_login(operator)
        assert client.get(reverse("keying:sheet", args=[task.pk, other.pk])).status_code == 404


class TestTracking:
    def open(self, client, user, scanned):
        client.force_login(user)
        return client.get(reverse("tracking:readings", args=[case_of(scanned).reference]))

    def picture(self, client, scanned, page):
        answer = client.get(reverse("tracking:page_image", args=[case_of(scanned).reference, page.pk]))
        assert answer.status_code == 200
        return cv2.imdecode(np.frombuffer(answer.content, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)

    def ink_of(self, drawn, reading):
        left, top, width, height = (round(side * 6) for side in reading.box)
        return int((drawn[top : top + height, left : left + width] < 100).sum())

    def test_the_landlord_sees_values_and_no_name_of_ours(self, client, landlord_user, scanned, keyed):
        keyed(UserFactory(keying=True, username="anne"), "3")
        keyed(UserFactory(keying=True, username="bilal"), "3")
        text = self.open(client, landlord_user, scanned).content.decode()
        assert "Deux saisies concordantes" in text
        assert "anne" not in text.split("<main")[1]

    def test_looking_is_audited_with_the_case(self, client, manager, scanned):
        self.open(client, manager, scanned)
        entry = AuditEntry._base_manager.get(action="access.tracking:readings")
        assert entry.case_reference == case_of(scanned).reference

    def test_an_agent_sees_the_sheet_with_incomes_covered(self, client, landlord_user, scanned):
        agent = UserFactory(calling=True)
        FieldReading.objects.filter(field=INCOME).update(value=21_500)
        income = FieldReading.objects.select_related("page").get(field=INCOME)
        mail = FieldReading.objects.select_related("page").get(field=EMAIL)
        client.force_login(landlord_user)
        assert self.ink_of(self.picture(client, scanned, income.page), income) > 50
        text = self.open(client, agent, scanned).content.decode()
        assert "Les ressources sont masquées" in text
        assert "21\u202f500" not in text
        assert self.ink_of(self.picture(client, scanned, income.page), income) == 0
        assert self.ink_of(self.picture(client, scanned, mail.page), mail) > 50

    @pytest.mark.parametrize("name", ["@portal_qr", "@access_code"])
    def test_nobody_finds_the_way_into_the_portal_on_a_sheet(self, client, landlord_user, scanned, name):
        page = scanned.pages.get(number=1)
        layout = LayoutVariant.objects.filter(fingerprint=page.layout).first().layout
        box = next(spot.box for spot in layout.prefills if spot.field == name)
        client.force_login(landlord_user)
        drawn = self.picture(client, scanned, page)
        left, top, right, bottom = (round(side * 6) for side in (box.x, box.y, box.right, box.bottom))
        assert (drawn[top:bottom, left:right] == 200).all()

    @pytest.mark.parametrize("lost", [{"matrix": []}, {"matrix": [], "state": "unregistered"}, {"layout": "00000000"}])
    @pytest.mark.parametrize("who", ["landlord", "agent", "manager"])
    def test_a_sheet_without_its_place_is_not_shown_where_its_code_can_t_be_covered(
        self, client, landlord_user, manager, scanned, lost, who
    ):
        user = {"landlord": landlord_user, "manager": manager}.get(who) or UserFactory(calling=True)
        Page.objects.update(**lost)
        case, page = case_of(scanned), Page.objects.first()
        assert "ne vous est pas montrée" in self.open(client, user, scanned).content.decode()
        url = reverse("tracking:page_image", args=[case.reference, page.pk])
        assert client.get(url).status_code == 404
        assert url not in client.get(reverse("tracking:case", args=[case.reference])).content.decode()

    def test_a_piece_bears_no_code_and_is_shown_as_scanned(self, client, landlord_user, scanned):
        Page.objects.update(matrix=[], state="document", number=0, layout="")
        client.force_login(landlord_user)
        for page in Page.objects.all():
            assert self.picture(client, scanned, page).size > 100_000

    @pytest.mark.parametrize("doubt", [{"unexpected_ink": True}, {"matrix": []}])
    def test_where_an_income_may_be_anywhere_an_agent_sees_no_sheet(self, client, scanned, doubt):
        Page.objects.update(**doubt)
        text = self.open(client, UserFactory(calling=True), scanned).content.decode()
        assert "ne vous est pas montrée" in text
        page = Page.objects.first()
        url = reverse("tracking:page_image", args=[case_of(scanned).reference, page.pk])
        assert client.get(url).status_code == 404
