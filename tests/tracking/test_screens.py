"""What the landlord reads: the campaigns, the dashboard, the list and its file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html

from campaigns.models import Campaign, Milestone
from tests.factories.campaigns import CampaignFactory
from tests.factories.tenants import MessageFactory
from tracking.case_list import PAGE, harmless

pytestmark = pytest.mark.django_db


def page(client: Client, name: str, *args: object, **query: object) -> html.HtmlElement:
    """A screen, parsed."""
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return html.document_fromstring(response.content.decode())


def text(element: html.HtmlElement) -> str:
    """What is read, in one line."""
    return " ".join(element.text_content().split())


def main(element: html.HtmlElement) -> str:
    """What is read in the main part."""
    return text(element.xpath("//main")[0])


def names(element: html.HtmlElement) -> list[str]:
    """The households listed."""
    return [text(cell) for cell in element.xpath("//tbody/tr/th")]


# --- Campaigns -------------------------------------------------------------------------------------------------------


def test_nothing_yet_is_said_kindly(as_landlord: Client) -> None:
    assert "Aucune campagne pour l’instant" in main(page(as_landlord, "tracking:home"))


def test_each_campaign_is_a_card_and_rehearsals_are_marked(as_landlord: Client, field: Campaign, make_case) -> None:
    make_case("complete")
    make_case("sent")
    CampaignFactory(landlord=field.landlord, rehearsal=True, year=2026)

    cards = page(as_landlord, "tracking:home").xpath("//article")

    assert len(cards) == 2
    assert "50,0 % de retour sur 2 dossiers" in text(cards[0])
    assert "Répétition" not in text(cards[0])
    assert "Répétition" in text(cards[1])
    assert "n’est pas encore importé" in text(cards[1])


def test_an_agent_finds_a_case_among_all_campaigns(as_agent: Client, make_case) -> None:
    case = make_case("sent", first="Łukasz", last="Guibert")
    make_case("sent", last="Autre")

    found = page(as_agent, "tracking:home", q="guibert lukasz").xpath("//a[@class='result']/@href")

    # Ł has no accent to take away: it is searched as it is written.
    assert found in ([], [reverse("tracking:case", args=[case.reference])])
    assert page(as_agent, "tracking:home", q=case.reference.lower()).xpath("//a[@class='result']/@href") == [
        reverse("tracking:case", args=[case.reference])
    ]
    assert "Aucun dossier trouvé" in main(page(as_agent, "tracking:home", q="personne"))


# --- Dashboard -------------------------------------------------------------------------------------------------------


def test_each_counter_leads_to_the_cases_it_counts(as_landlord: Client, field: Campaign, make_case) -> None:
    for state in ("complete", "restituted", "incomplete", "sent", "sent", "undelivered", "out_of_scope"):
        make_case(state)

    stats = page(as_landlord, "tracking:campaign", field.pk).xpath("//a[@class='stat']")

    told = [int(text(stat.xpath(".//*[@class='stat__value']")[0])) for stat in stats]
    behind = [
        len(names(html.document_fromstring(as_landlord.get(stat.get("href")).content.decode()))) for stat in stats
    ]
    assert told == behind == [2, 1, 3]


def test_the_curve_is_in_a_block_and_in_a_table(as_landlord: Client, field: Campaign, make_case) -> None:
    make_case("complete")
    sent = make_case("sent")
    MessageFactory(case=sent, channel="letter", purpose="form", state="sent", sent_at=sent.sent_at)

    shown = page(as_landlord, "tracking:campaign", field.pk)

    data = json.loads(shown.xpath("//script[@id='curve-data']/text()")[0])
    assert data["points"] == [[8, 1]]
    assert data["waves"] == [[0, "formulaire d'enquête"]]
    weeks = shown.xpath("//table[caption='Réponses par semaine']//tbody/tr")
    assert [text(row) for row in weeks] == ["lundi 19 octobre 2026 1 0 0 1 50,0 %"]


def test_before_the_import_the_dashboard_says_so(as_landlord: Client, field: Campaign) -> None:
    shown = page(as_landlord, "tracking:campaign", field.pk)

    assert "Aucun dossier pour l’instant" in main(shown)
    assert not shown.xpath("//script[@id='curve-data']")


def test_the_calendar_says_what_is_done_next_and_late(as_landlord: Client, field: Campaign, make_case, now) -> None:
    Milestone.objects.create(campaign=field, kind="import", due_on=dt.date(2020, 1, 1), done_at=now)
    Milestone.objects.create(campaign=field, kind="dispatch", due_on=dt.date(2020, 3, 1))
    Milestone.objects.create(campaign=field, kind="closing", due_on=dt.date(2999, 3, 5))

    steps = [
        text(step) for step in page(as_landlord, "tracking:campaign", field.pk).xpath("//ol[@class='steps-list']/li")
    ]

    assert steps == [
        "Réception et import du fichier fait le jeudi 1er octobre 2026",
        "Envoi des formulaires en retard prévu le dimanche 1er mars 2020",
        "Clôture prévu le mardi 5 mars 2999",
    ]


def test_a_rehearsal_says_so_on_each_of_its_pages(as_landlord: Client, field: Campaign, make_case) -> None:
    case = make_case("sent")
    Campaign.objects.filter(pk=field.pk).update(rehearsal=True)

    for name, argument in (("campaign", field.pk), ("cases", field.pk), ("case", case.reference)):
        assert page(as_landlord, f"tracking:{name}", argument).xpath("//*[@class='rehearsal']"), name


def test_the_definitions_name_every_counter(as_landlord: Client) -> None:
    told = [text(term) for term in page(as_landlord, "tracking:definitions").xpath("//dt")]

    assert {"Traitées", "En cours", "Non réceptionnées", "Taux de retour"} <= set(told)


# --- List ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", ["élodée", "ELODEE", "elod", "Inès Élodée", "elodee ines", "œuvre", "Saint-Étienne élodée"]
)
def test_a_name_is_found_with_or_without_its_accents(as_landlord: Client, field: Campaign, make_case, words) -> None:
    make_case("sent", city="SAINT-ETIENNE", last="Élodée Œuvré")
    make_case("sent", first="Jean", last="Martin", city="SAINT-ETIENNE")

    assert names(page(as_landlord, "tracking:cases", field.pk, q=words)) == ["Mme Inès ÉLODÉE ŒUVRÉ"]


def test_a_case_is_found_by_its_references_and_its_town(as_landlord: Client, field: Campaign, make_case) -> None:
    case = make_case("sent", last="Seul", city="JOUÉ-LÈS-TOURS")
    make_case("sent", last="Autre", city="LA RICHE")

    for words in (case.reference, case.reference.lower(), case.household.tenant_reference, "joue les tours"):
        assert names(page(as_landlord, "tracking:cases", field.pk, q=words)) == ["Mme Inès SEUL"], words


def test_filters_narrow_together_and_are_told(as_landlord: Client, field: Campaign, make_case) -> None:
    make_case("complete", last="Un", agency="AG01", channel="online")
    make_case("complete", last="Deux", agency="", channel="online")
    make_case("received", last="Trois", agency="AG01", channel="paper")

    def found(**query: str) -> list[str]:
        return sorted(name.split()[-1] for name in names(page(as_landlord, "tracking:cases", field.pk, **query)))

    assert found(groupe="traitees") == ["DEUX", "UN"]
    assert found(groupe="traitees", agence="AG01") == ["UN"]
    assert found(agence="-") == ["DEUX"]
    assert found(canal="paper") == ["TROIS"]
    assert found(etat="received") == ["TROIS"]
    assert found(groupe="inconnu", etat="x", canal="y") == ["DEUX", "TROIS", "UN"]
    shown = page(as_landlord, "tracking:cases", field.pk, groupe="traitees", agence="AG01")
    assert "1 dossier : traitées, Nord" in main(shown)


def test_nothing_found_says_what_to_do(as_landlord: Client, field: Campaign, make_case) -> None:
    make_case("sent")

    assert "Aucun dossier ne correspond" in main(page(as_landlord, "tracking:cases", field.pk, q="zzz"))


def test_fifty_cases_a_page_and_the_search_follows(as_landlord: Client, field: Campaign, make_case) -> None:
    for place in range(PAGE + 2):
        make_case("sent", last=f"Nom {place:03d}")

    first = page(as_landlord, "tracking:cases", field.pk, q="nom")
    second = page(as_landlord, "tracking:cases", field.pk, q="nom", page="2")

    assert len(names(first)) == PAGE
    assert names(second) == ["Mme Inès NOM 050", "Mme Inès NOM 051"]
    assert "52 dossiers · page 2 sur 2" in main(second)
    assert first.xpath("//a[@rel='next']/@href") == ["?q=nom&page=2"]
    assert len(names(page(as_landlord, "tracking:cases", field.pk, page="99"))) == 2
    assert len(names(page(as_landlord, "tracking:cases", field.pk, page="-1"))) == PAGE


# --- File ------------------------------------------------------------------------------------------------------------


def test_the_file_holds_what_the_list_shows(as_landlord: Client, field: Campaign, make_case) -> None:
    case = make_case("complete", last="Guibert")
    make_case("sent", last="Autre")

    response = as_landlord.get(reverse("tracking:export", args=[field.pk]), {"groupe": "traitees"})
    content = b"".join(response).decode("utf-8-sig")

    head, line = csv.reader(io.StringIO(content), delimiter=";")
    told = dict(zip(head, line, strict=True))
    assert "attachment" in response["Content-Disposition"]
    assert (told["Dossier"], told["Nom"], told["État"]) == (case.reference, "Mme Inès GUIBERT", "complet")
    assert (told["Canal de réponse"], told["Répondu le"]) == ("courrier", "20/10/2026")


@pytest.mark.parametrize("cell", ["=1+1", "+33", "-2", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_can_be_a_formula(as_landlord: Client, field: Campaign, make_case, cell: str) -> None:
    make_case("sent", city=cell)

    content = b"".join(as_landlord.get(reverse("tracking:export", args=[field.pk]))).decode("utf-8-sig")

    (_, line) = csv.reader(io.StringIO(content, newline=""), delimiter=";")
    assert line[6] == f"'{cell}"


def test_an_ordinary_cell_is_left_alone() -> None:
    assert harmless("8 rue des Érables") == "8 rue des Érables"
    assert harmless("") == ""
