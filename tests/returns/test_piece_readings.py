"""What was read of a piece is shown on its image, to whoever may see it, and never to who keys the same thing blind."""

from __future__ import annotations

import pytest

from returns.answers import Address
from returns.evidence import INCOME, TAX_NUMBER
from returns.models import Page, SupportingDocument, SurveyReturn
from returns.piece_readings import BY_CODE, BY_PRINT, pieces_of
from returns.reading.documents import NAMES_CONFIDENCE
from returns.reading.places import SIGNED_CODE
from returns.sheet_readings import SAID, ReadSheet
from tests.factories.campaigns import RevisionFactory
from tests.factories.returns import ScanBatchFactory
from tests.factories.tenants import CaseFactory

pytestmark = pytest.mark.django_db
READ = {
    "tax_reference_income": 23456,
    "income_year": 2025,
    "tax_numbers": ["1234567890123", "3012345678901"],
    "declarants": ["MARIE NGUYEN"],
}


@pytest.fixture
def case(later):
    made = CaseFactory.create()
    RevisionFactory(campaign=made.campaign)
    return made


def piece(case, later, *places: str, certified: bool = False) -> SupportingDocument:
    survey_return = SurveyReturn.objects.create(
        case=case, channel="paper", received_at=later, receipt="R1", submission="s1"
    )
    page = Page.objects.create(
        batch=ScanBatchFactory.create(campaign=case.campaign),
        index=0,
        state=Page.State.DOCUMENT,
        survey_return=survey_return,
        image="pages/1/00000.jpg",
    )
    zones = [{"what": what, "box": [0.1, 0.2, 0.3, 0.05]} for what in places]
    return SupportingDocument.objects.create(
        case=case,
        survey_return=survey_return,
        page=page,
        kind="tax_notice",
        sha256="0" * 64,
        media_type="image/jpeg",
        read={**READ, "places": {"height": 1.5, "zones": zones}},
        certified=certified,
        received_at=later,
    )


def told(sheet: ReadSheet) -> list[tuple[str, str]]:
    return [(zone.label, zone.value) for zone in sheet.zones]


def test_words_read_in_print_are_shown_where_they_stand(case, later):
    piece(case, later, "tax_reference_income", "tax_numbers", "tax_numbers")

    [sheet] = pieces_of(case)

    assert told(sheet) == [
        ("Revenu fiscal de référence", "23\u202f456 €"),
        ("Numéro fiscal", "1234567890123"),
        ("Numéro fiscal", "3012345678901"),
    ]
    assert sheet.height == 315
    assert sheet.zones[0].box == pytest.approx((21, 63, 63, 15.75))
    assert {zone.how for zone in sheet.zones} == {BY_PRINT}


def test_a_signed_code_tells_all_that_it_says_at_its_own_place(case, later):
    piece(case, later, SIGNED_CODE, certified=True)

    [sheet] = pieces_of(case)

    assert told(sheet) == [
        ("Déclarant", "MARIE NGUYEN"),
        ("Revenu fiscal de référence", "23\u202f456 €"),
        ("Année des revenus", "2025"),
        ("Numéro fiscal", "1234567890123, 3012345678901"),
    ]
    assert {zone.how for zone in sheet.zones} == {BY_CODE}


def test_a_name_read_in_print_is_given_to_whoever_bears_it(case, later):
    document = piece(case, later, "declarants", "declarants")
    holder = case.household.occupants.order_by("row").first()
    borne = f"{holder.first_name} {holder.last_name}".upper()
    SupportingDocument.objects.filter(pk=document.pk).update(
        read=document.read | {"declarants": [borne, "PAUL INCONNU"]}
    )

    [sheet] = pieces_of(case)

    assert [(zone.value, zone.who) for zone in sheet.zones] == [(borne, holder.full_name), ("PAUL INCONNU", "")]
    assert {zone.confidence for zone in sheet.zones} == {NAMES_CONFIDENCE}


def test_without_incomes_they_are_only_said_to_be_there(case, later):
    piece(case, later, "tax_reference_income")

    [sheet] = pieces_of(case, sensitive=False)

    assert told(sheet) == [("Revenu fiscal de référence", SAID)]


@pytest.mark.parametrize("field", [INCOME, TAX_NUMBER])
def test_nothing_is_shown_while_the_same_thing_is_keyed_from_the_form(case, later, field):
    piece(case, later, "tax_reference_income")
    hidden: frozenset[Address] = frozenset({(field, 1)})

    assert pieces_of(case, hidden=hidden) == []
    assert len(pieces_of(case, hidden=frozenset({("household.apl", 0)}))) == 1


def test_a_piece_of_which_nothing_was_read_has_no_sheet(case, later):
    document = piece(case, later)
    SupportingDocument.objects.filter(pk=document.pk).update(read={})

    assert pieces_of(case) == []
