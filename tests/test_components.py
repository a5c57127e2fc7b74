"""The small templates every screen is made of: what they say, and what links to what."""

from typing import Any

import pytest
from django import forms
from django.template.loader import render_to_string
from lxml import html


class Survey(forms.Form):
    """One of each kind of control."""

    name = forms.CharField(label="Nom", help_text="Tel qu'il figure sur la pièce d'identité.")
    housing = forms.ChoiceField(
        label="Aide au logement", choices=[("y", "Oui"), ("n", "Non")], widget=forms.RadioSelect
    )
    certified = forms.BooleanField(label="Je certifie")
    secret = forms.CharField(widget=forms.HiddenInput, required=False)


def rendered(name: str, **context: Any) -> html.HtmlElement:
    """A component, parsed."""
    return html.fragment_fromstring(render_to_string(f"components/{name}.html", context), create_parent="main")


def text(element: html.HtmlElement) -> str:
    """What is read, in one line."""
    return " ".join(element.text_content().split())


def test_a_field_links_label_hint_and_error_to_its_control() -> None:
    form = Survey({"name": ""})

    page = rendered("field", field=form["name"])

    control = page.xpath("//input")[0]
    described = control.get("aria-describedby").split()
    assert page.xpath("//label/@for") == [control.get("id")]
    assert control.get("aria-invalid") == "true"
    assert len(described) == 2
    assert [bool(page.xpath(f"//*[@id='{name}']")) for name in described] == [True, True]


def test_a_choice_is_a_group_with_its_question_as_legend() -> None:
    page = rendered("field", field=Survey()["housing"], optional=True)

    assert text(page.xpath("//fieldset/legend")[0]) == "Aide au logement (facultatif)"
    assert len(page.xpath("//fieldset//label/input[@type='radio']")) == 2


def test_a_tick_is_within_its_label() -> None:
    page = rendered("field", field=Survey()["certified"])

    assert text(page.xpath("//label[input[@type='checkbox']]")[0]) == "Je certifie"


def test_a_hidden_field_is_only_its_control() -> None:
    page = rendered("field", field=Survey()["secret"])

    assert [child.tag for child in page] == ["input"]


def test_the_error_summary_leads_to_each_field() -> None:
    form = Survey({})

    page = rendered("error_summary", form=form)

    assert page.xpath("//a/@href") == ["#id_name", "#id_housing", "#id_certified"]
    assert page.xpath("//*[@role='alert']/@tabindex") == ["-1"]


def test_the_error_summary_puts_no_colon_behind_a_full_stop() -> None:
    form = Survey({})
    form.fields["certified"].label = "Je certifie."

    told = [" ".join(line.split()) for line in rendered("error_summary", form=form).xpath("//a/text()")]

    assert told[0].startswith(f"{form.fields['name'].label or 'Name'} : ")
    assert "Je certifie" not in told[2]


def test_the_error_summary_says_nothing_of_a_good_form() -> None:
    assert len(rendered("error_summary", form=Survey({"name": "Dupont", "housing": "y", "certified": "on"}))) == 0


def test_an_error_is_announced_and_a_piece_of_news_is_not() -> None:
    assert rendered("notice", kind="error", title="Fichier vide").xpath("//*[@role='alert']")
    assert not rendered("notice", kind="success", title="Reçu").xpath("//*[@role='alert']")


@pytest.mark.parametrize(
    ("number", "links"),
    [(1, ["?q=dupont&page=2"]), (2, ["?q=dupont&page=1", "?q=dupont&page=3"]), (3, ["?q=dupont&page=2"])],
)
def test_pagination_keeps_the_search(number: int, links: list[str]) -> None:
    page = rendered("pagination", number=number, pages=3, total=2070, noun="dossiers", query="q=dupont")

    assert page.xpath("//a/@href") == links
    assert f"page {number} sur 3" in text(page)


def test_a_bar_has_a_name_and_numbers_a_browser_understands() -> None:
    page = rendered("progress_bar", id="reading", label="Lecture", value=1234.5, max=4000, text="1 234 sur 4 000")

    bar = page.xpath("//progress[@id='reading']")[0]
    assert (bar.get("value"), bar.get("max")) == ("1234.5", "4000")
    assert page.xpath("//label/@for") == ["reading"]


def test_a_history_without_events_says_so() -> None:
    assert text(rendered("timeline", events=[])) == "Rien pour l’instant."
    assert text(rendered("timeline", events=[], empty="Aucun envoi.")) == "Aucun envoi."


def test_a_history_dates_its_events_in_french() -> None:
    from datetime import UTC, datetime

    event = {"at": datetime(2026, 3, 3, 8, 30, tzinfo=UTC), "title": "Reçu", "actor": "scanner"}

    page = rendered("timeline", events=[event])

    assert "mardi 3 mars 2026" in text(page)


def test_a_button_is_a_link_when_it_goes_somewhere() -> None:
    assert rendered("button", label="Voir", href="/suivi/").xpath("//a[@class='button']/@href") == ["/suivi/"]
    assert rendered("button", label="Envoyer").xpath("//button/@type") == ["submit"]


def test_what_people_wrote_is_escaped() -> None:
    page = rendered("notice", title="<script>alert(1)</script>", text="<b>gras</b>")

    assert not page.xpath("//script | //b")
