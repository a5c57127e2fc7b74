"""Entering a landlord's legal settings: checked, versioned, signed, never seen by a rival."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from campaigns.legal import law_of
from campaigns.models import Landlord, LegalSettings, User
from tests.factories.campaigns import LandlordFactory, UserFactory

ADD = "admin:campaigns_legalsettings_add"
GOOD = 'source = "Délibération du 12 novembre"\n[clocks]\npostal_days = 2'


@pytest.fixture
def landlord(db: None) -> Landlord:
    return LandlordFactory()


@pytest.fixture
def desk(client: Client, db: None) -> Client:
    client.force_login(UserFactory(is_superuser=False))
    return client


def entered(desk: Client, landlord: Landlord, text: str) -> str:
    told = {"landlord": landlord.pk, "text": text, "agreed_by": "Mme Durand, le 12 novembre"}
    return desk.post(reverse(ADD), told, follow=True).content.decode()


def test_a_version_is_entered_with_who_typed_it(desk: Client, landlord: Landlord) -> None:
    entered(desk, landlord, GOOD)

    made = LegalSettings.objects.get(landlord=landlord)
    assert made.entered_by == User.objects.get()
    assert law_of(landlord).postal_days == 2


def test_the_page_starts_from_a_model_then_from_the_newest_version(desk: Client, landlord: Landlord) -> None:
    page = f"{reverse(ADD)}?landlord={landlord.pk}"
    assert "Ôtez le « # »" in desk.get(page).content.decode()

    entered(desk, landlord, GOOD)

    assert "Délibération du 12 novembre" in desk.get(page).content.decode()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[clocks]\npostal_days = 2", "Dites d’où viennent|Dites d&#x27;où viennent"),
        ('source = "x"\n[clocks]\npostal_days = 500', "un nombre de jours, de 0 à 60"),
        ('source = "x"\n[[slr', "TOML lisible"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(desk: Client, landlord: Landlord, text: str, told: str) -> None:
    shown = entered(desk, landlord, text)

    assert any(each in shown for each in told.split("|"))
    assert not LegalSettings.objects.exists()


def test_a_version_is_never_changed(desk: Client, landlord: Landlord) -> None:
    entered(desk, landlord, GOOD)
    made = LegalSettings.objects.get()

    desk.post(
        reverse("admin:campaigns_legalsettings_change", args=[made.pk]),
        {"landlord": landlord.pk, "text": 'source = "autre"', "agreed_by": "x"},
    )

    made.refresh_from_db()
    assert made.text == GOOD


def test_settings_are_one_landlords_alone(landlord: Landlord) -> None:
    LegalSettings(landlord=landlord, text=GOOD, agreed_by="x").save()

    assert law_of(LandlordFactory()).postal_days == 0


def test_the_model_itself_refuses_what_is_not_settings(landlord: Landlord) -> None:
    with pytest.raises(ValidationError, match="n'est pas un réglage connu"):
        LegalSettings(landlord=landlord, text='source = "x"\n[horloge]\na = 1', agreed_by="x").full_clean()
