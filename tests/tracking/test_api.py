"""The API: same figures, same scope, a schema, and nothing that a household would not want to leave."""

from __future__ import annotations

import pytest
import yaml
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign
from tenants.models import SurveyCase
from tests.factories.campaigns import CampaignFactory
from tests.factories.returns import DocumentFactory
from tracking import api_urls, figures

pytestmark = pytest.mark.django_db


def told(client: Client, name: str, *args: object, **query: object) -> object:
    """What an address answers."""
    response = client.get(reverse(f"api:{name}", args=args), query)
    assert response.status_code == 200, response.content
    return response.json()


def test_campaigns_are_those_of_the_landlord(as_landlord: Client, field: Campaign) -> None:
    CampaignFactory()

    answer = told(as_landlord, "campaigns")

    assert answer["count"] == 1
    assert answer["results"] == [told(as_landlord, "campaign", field.pk)]
    assert answer["results"][0] == {
        "id": field.pk,
        "landlord": field.landlord.code,
        "survey": "sls",
        "year": 2027,
        "stage": "field",
        "rehearsal": False,
        "opens_on": "2026-10-12",
        "reply_by": "2026-11-20",
        "closes_on": "2026-12-31",
    }


def test_the_figures_are_those_of_the_screen(as_landlord: Client, field: Campaign, make_case) -> None:
    for state in ("complete", "incomplete", "sent", "out_of_scope"):
        make_case(state)
    counted = figures.counters(field)

    counters = told(as_landlord, "counters", field.pk)

    assert counters == {
        "surveyed": 3,
        "processed": 1,
        "in_progress": 1,
        "not_received": 1,
        "out_of_scope": 1,
        "answered": 2,
        "return_rate": counted.return_rate,
        "completion_rate": counted.completion_rate,
    }
    assert told(as_landlord, "agencies", field.pk) == [{"code": "AG01", "name": "Nord", "counters": counters}]
    assert told(as_landlord, "curve", field.pk) == [
        {"day": "2026-10-20", "paper": 2, "online": 0, "phone": 0, "cumulated": 2}
    ]


def test_rates_of_nobody_are_null(as_landlord: Client, field: Campaign) -> None:
    assert told(as_landlord, "counters", field.pk)["return_rate"] is None


def test_cases_are_searched_and_paged_as_on_screen(as_landlord: Client, field: Campaign, make_case) -> None:
    wanted = make_case("complete", last="Guibert")
    for _ in range(3):
        make_case("sent")

    assert [case["reference"] for case in told(as_landlord, "cases", field.pk, q="guibert")["results"]] == [
        wanted.reference
    ]
    page = told(as_landlord, "cases", field.pk, groupe="non-receptionnees", limit=2)
    assert (page["count"], len(page["results"])) == (3, 2)


def test_the_list_asks_no_more_for_many_cases(
    as_landlord: Client, field: Campaign, make_case, django_assert_max_num_queries
) -> None:
    for _ in range(10):
        make_case("sent")

    with django_assert_max_num_queries(8):
        told(as_landlord, "cases", field.pk)


def test_a_case_tells_what_is_missing_and_never_an_income(as_landlord: Client, answered_case: SurveyCase) -> None:
    DocumentFactory(case=answered_case, read={"tax_reference_income": 23_456, "tax_numbers": ["0123456789012"]})

    response = as_landlord.get(reverse("api:case", args=[answered_case.reference]))

    answer = response.json()
    assert (answer["reference"], answer["state"]) == (answered_case.reference, "received")
    assert answer["documents"][0] == {
        "kind": "tax_notice",
        "row": 0,
        "state": "received",
        "received_at": "2026-11-02T10:00:00+01:00",
    }
    assert set(answer["missing"][0]) == {"rule", "field", "document", "row", "message"}
    assert b"23456" not in response.content
    assert b"0123456789012" not in response.content
    assert b"lod" not in response.content, "no name either"


def test_a_silent_case_misses_nothing_yet(as_landlord: Client, make_case) -> None:
    assert told(as_landlord, "case", make_case("sent").reference)["missing"] == []


def test_the_schema_describes_every_address(as_landlord: Client, recwarn: pytest.WarningsRecorder) -> None:
    response = as_landlord.get(reverse("api:schema"))
    schema = yaml.safe_load(response.content)

    described = len(schema["paths"])
    assert described == len(api_urls.urlpatterns) - 1  # the schema itself is left out
    assert all(set(operations) == {"get"} for operations in schema["paths"].values())
    counters = schema["components"]["schemas"]["Counters"]["properties"]
    assert {"surveyed", "processed", "in_progress", "not_received"} <= set(counters)
    searched = schema["paths"]["/api/v1/campaigns/{id}/cases/"]["get"]["parameters"]
    assert {"q", "groupe", "etat", "agence", "canal", "limit", "offset"} <= {each["name"] for each in searched}
