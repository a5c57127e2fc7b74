"""Who sees what; that a rival sees nothing; that looking writes nothing; how much looking costs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.urls.resolvers import URLPattern

from campaigns.models import Campaign, FormProof, User
from returns.models import AcceptanceLot
from tenants.models import SurveyCase
from tests.factories.campaigns import UserFactory
from tests.factories.returns import NOW, DocumentFactory, PageFactory
from tracking import api_urls, urls
from tracking.access import READING, WritingRefused, read_only, reading_only

pytestmark = pytest.mark.django_db

ADDRESSES: list[tuple[str, str]] = [
    (f"{module.app_name}:{pattern.name}", str(pattern.pattern))
    for module in (urls, api_urls)
    for pattern in module.urlpatterns
    if isinstance(pattern, URLPattern)
]
EVERY_ADDRESS = pytest.mark.parametrize(("name", "pattern"), ADDRESSES, ids=[name for name, _ in ADDRESSES])


@pytest.fixture
def arguments(answered_case: SurveyCase) -> Callable[[str, str], dict[str, object]]:
    """What an address asks for, all of it the landlord's."""
    page = PageFactory(survey_return=answered_case.returns.get(), image=ContentFile(b"x", name="p.jpg"))
    piece = DocumentFactory(case=answered_case)
    plan = {"letter": "A", "limit": "0.10", "sample_size": 2, "accept_up_to": 0, "dossiers": 1, "size": 2, "seed": "0"}
    lot = AcceptanceLot(campaign=answered_case.campaign, number=1, drawn_at=NOW, **plan)
    lot.save()
    named = {
        "tracking:page_image": page.pk,
        "tracking:document": piece.pk,
        "tracking:lot": lot.pk,
        "tracking:lot_document": lot.pk,
    }

    def told(name: str, pattern: str) -> dict[str, object]:
        values = {"pk": named.get(name, answered_case.campaign_id), "reference": answered_case.reference}
        return {key: value for key, value in values.items() if f":{key}>" in pattern}

    return told


@EVERY_ADDRESS
def test_a_rival_finds_nothing(as_rival: Client, answered_case, arguments, name: str, pattern: str) -> None:
    """404 where the address names something of ours; elsewhere a page that does not speak of it."""
    told = arguments(name, pattern)

    response = as_rival.get(reverse(name, kwargs=told))

    assert response.status_code == (404 if told else 200)
    content = response.content.decode()
    assert answered_case.reference not in content
    assert answered_case.campaign.landlord.name not in content


@EVERY_ADDRESS
def test_the_landlord_sees_its_own(as_landlord: Client, arguments, name: str, pattern: str) -> None:
    """The pictures cannot be read here: they are found, and missing. Real ones are in test_case_page."""
    expected = 404 if name in {"tracking:page_image", "tracking:document_image"} else 200

    assert as_landlord.get(reverse(name, kwargs=arguments(name, pattern))).status_code == expected


@EVERY_ADDRESS
def test_a_keying_operator_has_no_business_here(arguments, name: str, pattern: str) -> None:
    client = Client()
    client.force_login(UserFactory(keying=True))

    assert client.get(reverse(name, kwargs=arguments(name, pattern))).status_code == 403


@EVERY_ADDRESS
def test_a_stranger_is_asked_who_they_are(client: Client, arguments, name: str, pattern: str) -> None:
    response = client.get(reverse(name, kwargs=arguments(name, pattern)))

    assert response.status_code == (403 if name.startswith("api:") else 302)


@EVERY_ADDRESS
def test_nothing_can_be_sent(as_landlord: Client, arguments, name: str, pattern: str) -> None:
    assert as_landlord.post(reverse(name, kwargs=arguments(name, pattern))).status_code == 405


@pytest.mark.parametrize("name", ["tracking:page_image", "tracking:document"])
def test_an_agent_answers_without_scans_and_pieces(as_agent: Client, arguments, name: str) -> None:
    pattern = dict(ADDRESSES)[name]

    assert as_agent.get(reverse(name, kwargs=arguments(name, pattern))).status_code == 404


def test_a_page_of_another_case_is_not_shown_under_this_one(as_landlord: Client, make_case, answered_case) -> None:
    piece = DocumentFactory(case=make_case("received"))

    response = as_landlord.get(reverse("tracking:document", args=[answered_case.reference, piece.pk]))

    assert response.status_code == 404


# --- Nothing is written ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1", " (SELECT 1) UNION (SELECT 2)", "SAVEPOINT s1", "RELEASE SAVEPOINT s1", "ROLLBACK TO SAVEPOINT s1"],
)
def test_readings_pass_the_guard(sql: str) -> None:
    assert READING.match(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1)",
        "UPDATE t SET a = 1",
        "DELETE FROM t",
        "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
        'SELECT * FROM "t" WHERE a = 1 FOR UPDATE',
        "TRUNCATE t",
        "SELECTED",
    ],
)
def test_anything_else_is_refused(sql: str) -> None:
    assert not READING.match(sql)


def test_the_guard_stops_a_change_and_says_which(answered_case: SurveyCase) -> None:
    with pytest.raises(WritingRefused, match="UPDATE"), reading_only(), transaction.atomic():
        SurveyCase.objects.filter(pk=answered_case.pk).update(late=True)

    answered_case.refresh_from_db()
    assert not answered_case.late


def test_a_change_made_while_the_page_is_drawn_is_refused_too(answered_case, landlord_user: User) -> None:
    class Sly:
        def __str__(self) -> str:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM tenants_surveycase")
            return ""

    @read_only
    def view(request: object) -> HttpResponse:
        return TemplateResponse(request, "components/badge.html", {"label": Sly()})  # type: ignore[arg-type]

    request = RequestFactory().get("/")
    request.user = landlord_user
    request.session = {}  # type: ignore[assignment]

    with pytest.raises(WritingRefused):
        view(request)

    assert SurveyCase.objects.filter(pk=answered_case.pk).exists()


def test_the_guard_is_for_those_who_follow(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = UserFactory(keying=True)

    with pytest.raises(PermissionDenied):
        read_only(lambda _: HttpResponse())(request)


# --- How much it costs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "most"),
    [("tracking:home", 10), ("tracking:campaign", 24), ("tracking:cases", 12), ("tracking:export", 10)],
)
def test_a_page_asks_no_more_for_many_cases(
    as_landlord: Client, field: Campaign, make_case, django_assert_max_num_queries, name: str, most: int
) -> None:
    for place in range(12):
        make_case("complete" if place % 2 else "sent", agency=f"AG{place % 3}")
    url = reverse(name, args=[] if name == "tracking:home" else [field.pk])

    with django_assert_max_num_queries(most, connection=connection):
        response = as_landlord.get(url)
        b"".join(response) if response.streaming else response.content

    assert response.status_code == 200


def test_the_dashboard_leads_to_the_proof(as_landlord: Client, field: Campaign) -> None:
    proof = FormProof(revision=field.current_revision, digest="ab" * 32)
    proof.document.save("bat.pdf", ContentFile(b"%PDF"), save=True)

    page = as_landlord.get(reverse("tracking:campaign", args=[field.pk])).content.decode()

    assert reverse("proof", args=[proof.pk]) in page
    assert "attend votre décision" in page
