"""The words of messages."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from tenants import access_codes
from tenants.messaging import (
    gsm7,
    render,
)
from tenants.messaging.texts import LINK, UnableToWrite, french_day
from tenants.models import Message, Purpose, SurveyCase

State = Message.State


class TestTexts:
    @pytest.mark.parametrize("purpose", [Purpose.FORM, Purpose.REMINDER_DIGITAL])
    def test_an_email_says_who_asks_why_by_when_and_how(self, case: SurveyCase, purpose: Purpose) -> None:
        text = render(case=case, channel="email", purpose=purpose, on=dt.date(2026, 11, 2))

        landlord = case.campaign.landlord
        for needed in (landlord.name, landlord.hotline, "20 novembre 2026", "ressources de votre foyer", LINK, "loi"):
            assert needed in text.subject + text.body or (needed == "loi" and "légale" in text.body)
        assert "Objet" not in text.subject
        assert "\n\n\n" not in text.body

    @pytest.mark.parametrize("channel", ["email", "letter"])
    def test_a_complement_lists_every_missing_item_and_how_to_send_it(self, case: SurveyCase, channel: str) -> None:
        items = [
            {"sentence": "Loïc : il manque l'avis d'impôt.", "how": "Envoyez une copie."},
            {"sentence": "La signature manque.", "how": "Signez & renvoyez."},
        ]

        told = {"items": items, "due_on": dt.date(2026, 12, 1)}
        text = render(case=case, channel=channel, purpose=Purpose.COMPLEMENT, on=dt.date(2026, 11, 16), **told)

        assert (
            "– Loïc : il manque l'avis d'impôt. Envoyez une copie.\n– La signature manque. Signez & renvoyez.\n\n"
            in (text.body)
        )
        assert "avant le 1er décembre 2026" in text.body

    @pytest.mark.parametrize("name", ["Val Habitat", "Société anonyme d'habitations à loyer modéré de la Vallée " * 2])
    def test_an_sms_fits_in_160_places_of_its_alphabet_with_link_help_and_stop(
        self, case: SurveyCase, name: str
    ) -> None:
        case.campaign.landlord.name = name[:120]
        with override_settings(PORTAL_URL="https://enquete.exemple.example"):
            text = render(case=case, channel="sms", purpose=Purpose.REMINDER_DIGITAL, on=dt.date(2026, 11, 2)).body
            whole = text.replace(LINK, access_codes.link_url("x" * 22))

        assert gsm7.length(whole) <= 160
        assert set(whole) <= gsm7.BASIC | gsm7.DOUBLE
        assert case.campaign.landlord.hotline in whole
        assert "STOP" in whole
        assert not re.search(r"€|pénal|suppl|mise en demeure", whole)

    def test_an_sms_that_cannot_fit_is_refused_loudly(self, case: SurveyCase) -> None:
        with override_settings(PORTAL_URL=f"https://{'tres-' * 20}long.example"), pytest.raises(UnableToWrite):
            render(case=case, channel="sms", purpose=Purpose.REMINDER_DIGITAL, on=dt.date(2026, 11, 2))

    @given(st.text())
    def test_whatever_is_written_ends_in_the_sms_alphabet(self, text: str) -> None:
        assert set(gsm7.in_gsm7(text)) <= gsm7.BASIC | gsm7.DOUBLE

    def test_french_keeps_the_accents_that_sms_know(self) -> None:
        assert gsm7.in_gsm7("L’enquête reçue à Noël, où ? « Œuvre »") == 'L\'enquete recue à Noel, où ? "OEuvre"'

    def test_the_first_of_the_month_is_written_1er(self) -> None:
        assert french_day(dt.date(2026, 12, 1)) == "1er décembre 2026"
