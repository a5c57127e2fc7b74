"""A question added to the TOML alone appears on paper, on line, in keying and in the restitution: no other edit."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tomllib
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.layout import lay_out
from campaigns.paper_form.painter import FormFill, paint
from campaigns.questionnaire import library
from campaigns.questionnaire.consistency import check
from campaigns.questionnaire.parsing import parse
from campaigns.questionnaire.schema import FieldType, Questionnaire
from portal.drafts import draft_of
from returns.answers import declaration_of
from returns.keying import answer
from returns.keying_queue import next_task
from returns.restitution.delivery import restitute
from tenants import access_codes
from tenants.models import SurveyCase
from tests.factories.campaigns import CampaignFactory, RevisionFactory, UserFactory
from tests.factories.keying import doubtful_return
from tests.factories.tenants import CaseFactory

pytestmark = pytest.mark.django_db

KEY, LABEL, EXPORT = "household.cellar", "Numéro de votre cave", "CAVE"
PLAIN = 'key = "{key}"\ntype = "{kind}"\nlabel = "{label}"\nexport = "{export}"\n'
CHOICES = """table = "CAVES"
choices = [
    { value = "low", label = "Basse", code = "B" },
    { value = "high", label = "Haute", code = "H" },
]
"""
SIZED = {FieldType.DIGITS: 6, FieldType.INTEGER: 2, FieldType.MONEY: 6, FieldType.TEXT: 40}

# By type: what an operator types, the answer, what the landlord's file says.
EXAMPLES: dict[FieldType, tuple[str, Any, str]] = {
    FieldType.TEXT: ("B 12", "B 12", "B 12"),
    FieldType.NAME: ("Durand", "Durand", "Durand"),
    FieldType.EMAIL: ("cave@exemple.example", "cave@exemple.example", "cave@exemple.example"),
    FieldType.PHONE: ("06 39 98 00 00", "0639980000", "0639980000"),
    FieldType.DIGITS: ("012345", "012345", "012345"),
    FieldType.INTEGER: ("12", 12, "12"),
    FieldType.MONEY: ("1 200", 1200, "1200"),
    FieldType.DATE: ("03021984", "1984-02-03", "03/02/1984"),
    FieldType.TICK: ("oui", True, "O"),
    FieldType.YES_NO: ("non", False, "N"),
    FieldType.CHOICE: ("Haute", "high", "H"),
}


def with_one_more(kind: FieldType) -> Questionnaire:
    """The library's SLS form whose TOML got one more question, at the end of its first section."""
    text = (Path(library.__path__[0]) / "sls.toml").read_text(encoding="utf-8")
    more = "[[sections.fields]]\n" + PLAIN.format(key=KEY, kind=kind.value, label=LABEL, export=EXPORT)
    more += CHOICES if kind is FieldType.CHOICE else f"size = {SIZED[kind]}\n" if kind in SIZED else ""
    first, rest = text.split("[[sections]]", 2)[1:]
    head = text[: text.index("[[sections]]")]
    return parse(tomllib.loads(f"{head}[[sections]]{first}\n{more}\n[[sections]]{rest}"))


@pytest.fixture(params=list(EXAMPLES))
def kind(request: pytest.FixtureRequest) -> FieldType:
    """Each type of question. A signature is asked once per form, and is there already."""
    return request.param


@pytest.fixture
def campaign() -> Campaign:
    """A campaign in the field, that closes in two months."""
    today = timezone.localdate()
    return CampaignFactory(
        stage=Campaign.Stage.FIELD,
        opens_on=today - dt.timedelta(days=10),
        reply_by=today + dt.timedelta(days=20),
        closes_on=today + dt.timedelta(days=60),
    )


@pytest.fixture
def form(campaign: Campaign, kind: FieldType) -> Questionnaire:
    """The campaign's form, with one more question."""
    form = with_one_more(kind).with_words(**campaign.words)
    RevisionFactory(campaign=campaign, form=form)
    return form


def test_every_type_but_the_signature_has_its_example() -> None:
    assert set(EXAMPLES) == set(FieldType) - {FieldType.SIGNATURE}


def test_the_form_stays_sound_and_the_paper_has_a_place_for_it(form: Questionnaire) -> None:
    assert check(form) == []
    layout = lay_out(form, 3)
    [page] = {zone.page for zone in layout.zones if (zone.field, zone.row) == (KEY, 0)}
    document = pypdfium2.PdfDocument(paint(layout, Branding(name="Habitat d'essai"), [FormFill("ACDEF346")]))
    assert LABEL in document[page - 1].get_textpage().get_text_bounded()
    document.close()


def test_it_is_asked_and_kept_on_line(client: Client, campaign: Campaign, form: Questionnaire, kind: FieldType) -> None:
    case = CaseFactory(campaign=campaign, sent=True)
    code = access_codes.issue_typed(case=case, wave="dispatch", now=timezone.now())
    client.post("/", {"reference": case.reference, "code": code})
    typed, value, _ = EXAMPLES[kind]
    name = KEY.replace(".", "-")
    posted = {"household-size": "3", "household-apl": "non", name: "high" if kind is FieldType.CHOICE else typed}
    if kind is FieldType.DATE:
        posted |= {f"{name}_day": "3", f"{name}_month": "2", f"{name}_year": "1984"}

    assert LABEL in client.get("/questions/household/0/").content.decode()
    assert client.post("/questions/household/0/", posted).status_code == 302

    assert draft_of(case).context.answers[KEY, 0] == value


def test_it_is_keyed_then_handed_over(
    client: Client, campaign: Campaign, form: Questionnaire, kind: FieldType, now: dt.datetime
) -> None:
    typed, value, written = EXAMPLES[kind]
    case = doubtful_return(campaign, [(KEY, 0, None)]).case
    operator = UserFactory(keying=True)
    client.force_login(operator)
    assert LABEL in client.get(reverse("keying:work", args=[campaign.pk])).content.decode()
    task = next_task(operator=operator, now=timezone.now())
    assert task is not None
    answer(task=task, operator=operator, text=typed, now=timezone.now())
    assert declaration_of(case).values()[KEY, 0] == value

    SurveyCase.objects.filter(pk=case.pk).update(state="complete")
    restitution = restitute(campaign=campaign, formats=["csv"], now=now)
    with restitution.files.get().content.open("rb") as file:
        [line, *_] = csv.DictReader(io.StringIO(file.read().decode(), newline=""), delimiter=";")
    assert line[EXPORT] == written
