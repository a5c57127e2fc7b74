"""The dossier de traitement: volumes by layout, stationery needed, ordered and used, the order on paper."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pdfua
import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from campaigns.models import Campaign
from tenants import dispatch
from tenants.models import PrintBatch, PrintShop, Purpose, Supply
from tenants.production import UnableToSupply, compose_order, list_supplies, needs_of, record_supply, volumes_of
from tenants.production.quantities import Variant, Volumes
from tenants.production.stationery import stationery_on
from tenants.production.weights import Scales
from tests.factories.campaigns import UserFactory
from tests.factories.tenants import CaseFactory
from tests.tenants.printing import NOW, households, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("printing_room")]
TODAY = dt.date(2026, 10, 12)


def supply(kind: str, **told: int) -> Supply:
    return Supply(kind=kind, grams=Decimal("4.99"), **{"spare_percent": 5, **told})


class TestVolumes:
    def test_households_are_counted_by_the_layout_they_need_and_exempt_ones_left_out(self, approved: Campaign) -> None:
        households(approved, 1, 1, 3, 6)
        CaseFactory(campaign=approved, state="out_of_scope")
        pages = {
            variant.rows: variant.layout.pages for variant in approved.current_revision.layouts.filter(large=False)
        }

        volumes = volumes_of(approved)

        assert [(each.rows, each.pages, each.envelopes) for each in volumes.variants] == [
            (2, pages[2], 2),
            (4, pages[4], 1),
            (8, pages[8], 1),
        ]
        assert volumes.envelopes == 4
        assert volumes.pages == 2 * pages[2] + pages[4] + pages[8]

    def test_what_is_announced_is_what_is_composed(self, approved: Campaign) -> None:
        households(approved, 1, 3, 3, 6)
        announced = volumes_of(approved)
        batches = dispatch.compose_forms(campaign=approved, now=NOW)

        assert announced.envelopes == sum(batch.envelopes for batch in batches)
        assert announced.pages == sum(batch.pages for batch in batches)

    def test_before_any_form_there_is_nothing_to_print(self, campaign: Campaign) -> None:
        households(campaign, 2)

        assert volumes_of(campaign) == Volumes((), unprintable=1)


class TestWeights:
    @given(st.integers(1, 24))
    def test_an_envelope_weighs_its_sheets_and_its_stationery(self, pages: int) -> None:
        supplies = [supply("paper"), Supply(kind="carrier", grams=Decimal("6.50")), supply("reply")]

        forms = Scales.weighing(supplies, Purpose.FORM, stationery_on(TODAY))
        letters = Scales.weighing(supplies, Purpose.REMINDER_LETTER, stationery_on(TODAY))
        sheets = Variant(2, pages, 1).sheets
        assert forms.grams(sheets) == Decimal("4.99") * -(-pages // 2) + Decimal("11.49")
        assert letters.grams(sheets) == forms.grams(sheets) - Decimal("4.99")
        assert forms.bracket(sheets) == stationery_on(TODAY).bracket_of(forms.grams(sheets))

    @pytest.mark.parametrize(("grams", "bracket"), [("20.00", 20), ("20.01", 35), ("100", 100), ("250.01", None)])
    def test_the_bracket_is_the_first_that_holds_the_envelope(self, grams: str, bracket: int | None) -> None:
        assert stationery_on(TODAY).bracket_of(Decimal(grams)) == bracket

    def test_there_are_no_figures_before_the_first_ones(self) -> None:
        with pytest.raises(LookupError, match="31/12/2021"):
            stationery_on(dt.date(2021, 12, 31))


class TestSupplies:
    def test_reply_envelopes_are_planned_only_where_the_landlord_provides_them(self, approved: Campaign) -> None:
        assert [each.kind for each in list_supplies(approved)] == ["paper", "carrier", "reply"]
        Supply.objects.all().delete()
        approved.landlord.prepaid_reply = False

        assert [each.kind for each in list_supplies(approved)] == ["paper", "carrier"]

    def test_needs_hold_their_margin_and_say_what_is_to_be_ordered(self, approved: Campaign) -> None:
        households(approved, 1, 1, 1)
        record_supply(campaign=approved, kind="carrier", told={"ordered": "2", "spare_percent": "10"}, today=TODAY)
        volumes, supplies = volumes_of(approved), list_supplies(approved)

        needs = {each.supply.kind: each for each in needs_of(approved, volumes, supplies)}

        assert (needs["carrier"].exact, needs["carrier"].planned, needs["carrier"].lacking) == (3, 4, 2)
        assert needs["paper"].exact == volumes.sheets

    def test_what_left_is_taken_from_the_stock(self, approved: Campaign) -> None:
        households(approved, 1, 3)
        record_supply(campaign=approved, kind="carrier", told={"received": "1 000"}, today=TODAY)
        batches = dispatch.compose_forms(campaign=approved, now=NOW)
        approved.batches.update(state="handed_over")

        needs = {each.supply.kind: each for each in needs_of(approved, volumes_of(approved), list_supplies(approved))}

        assert (needs["carrier"].used, needs["carrier"].left) == (2, 998)
        assert needs["paper"].used == sum(batch.pages for batch in batches) // 2

    @pytest.mark.parametrize(
        ("told", "words"),
        [
            ({"ordered": "douze"}, "nombre entier"),
            ({"received": "-3"}, "nombre entier"),
            ({"spare_percent": "80"}, "50 au plus"),
            ({"grams": "lourd"}, "poids en grammes"),
            ({"grams": "0"}, "poids en grammes"),
            ({"grams": "NaN"}, "poids en grammes"),
        ],
    )
    def test_a_figure_that_is_none_is_refused_and_nothing_changes(self, told, words, approved: Campaign) -> None:
        with pytest.raises(UnableToSupply, match=words):
            record_supply(campaign=approved, kind="paper", told=told, today=TODAY)
        assert not Supply.objects.exists()

    def test_a_supply_that_does_not_exist_is_refused(self, approved: Campaign) -> None:
        with pytest.raises(UnableToSupply, match="n'existe pas"):
            record_supply(campaign=approved, kind="staples", told={}, today=TODAY)

    def test_the_day_of_an_order_is_kept_until_its_quantity_changes(self, approved: Campaign) -> None:
        record_supply(campaign=approved, kind="paper", told={"ordered": "5000"}, today=TODAY)
        again = record_supply(campaign=approved, kind="paper", told={"ordered": "5000"}, today=dt.date(2026, 11, 1))

        assert again.ordered_on == TODAY
        assert record_supply(campaign=approved, kind="paper", told={"ordered": "0"}, today=TODAY).ordered_on is None


class TestOrder:
    def test_the_order_tells_volumes_supplies_dates_approvals_and_batches(self, approved: Campaign) -> None:
        households(approved, 1, 1, 3)
        batches = dispatch.compose_forms(campaign=approved, now=NOW)
        shop = PrintShop.objects.create(name="Imprimerie de Loire", sheet_marks=True)
        PrintBatch.objects.filter(pk=batches[0].pk).update(shop=shop)

        document = compose_order(campaign=approved, now=NOW)

        told = text_of(document, 0, 2)
        for words in (
            "Dossier de traitement",
            "Volumes par maquette",
            "Fournitures",
            "Mise sous pli",
            "Imprimerie de Loire",
            "repère DataMatrix",
            *(batch.sha256[:16] for batch in batches),
        ):
            assert words in told
        assert "Approuvé" in told
        assert compose_order(campaign=approved, now=NOW) == document

    def test_it_is_accepted_by_the_validator_of_accessible_files(self, approved: Campaign, tmp_path: Path) -> None:
        path = tmp_path / "order.pdf"
        path.write_bytes(compose_order(campaign=approved, now=NOW))

        assert pdfua.validate(str(path)).findings == ()

    def test_an_empty_campaign_has_an_order_that_says_what_is_missing(self, campaign: Campaign) -> None:
        assert "importez le fichier" in text_of(compose_order(campaign=campaign, now=NOW)).replace("’", "'")


class TestPage:
    def test_a_case_manager_writes_what_came_and_sees_what_is_left_to_order(self, client, approved: Campaign) -> None:
        households(approved, 1, 1)
        client.force_login(UserFactory(is_staff=True, is_superuser=True))
        page = reverse("admin:production", args=[approved.pk])

        assert "À commander" in client.get(page).content.decode()
        url = reverse("admin:production_supply", args=[approved.pk, "carrier"])
        answer = client.post(url, {"received": "500", "grams": "6,20"}, follow=True)

        assert answer.redirect_chain[-1][0] == page
        assert Supply.objects.get(kind="carrier").grams == Decimal("6.20")
        refused = client.post(url, {"received": "beaucoup"}, follow=True)
        assert "nombre entier" in refused.content.decode()
        assert client.get(reverse("admin:production_order", args=[approved.pk])).content.startswith(b"%PDF")

    @pytest.mark.parametrize("role", [{"keying": True}, {"calling": True}])
    def test_others_do_not_enter(self, client, approved: Campaign, role) -> None:
        client.force_login(UserFactory(**role))

        assert client.get(reverse("admin:production", args=[approved.pk])).status_code in (302, 403, 404)
