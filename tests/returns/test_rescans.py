"""A sheet that comes twice: the same one brings nothing more, another one is compared by a person."""

from __future__ import annotations

import pytest
from django.urls import reverse

from returns.acceptance import Doubt
from returns.answers import declaration_of
from returns.keying import answer
from returns.keying_queue import next_task
from returns.models import FieldReading, KeyingTask, Page, SurveyReturn
from tests.factories.campaigns import UserFactory
from tests.returns.sheets import printed, states, tick, upside_down, write_letters

pytestmark = pytest.mark.django_db

NAME = ("occupant.first_name", 4)
State = Page.State


@pytest.fixture
def operator():
    """Somebody who keys."""
    return UserFactory(keying=True)


@pytest.fixture
def sheet_with(variant, case):
    """The sheet of that name, as the tenant wrote it."""

    def written(text, *, activity=""):
        sheets = printed(variant.layout, case)
        write_letters(sheets, variant.layout, *NAME, text)
        if activity:
            tick(sheets, variant.layout, "occupant.activity", 4, activity)
        return next(sheets[zone.page - 1] for zone in variant.layout.zones if (zone.field, zone.row) == NAME)

    return written


@pytest.fixture
def key(operator, later):
    """Key the next field; '' for what can't be read."""

    def keyed(text):
        task = next_task(operator=operator, now=later)
        answer(task=task, operator=operator, text=text, now=later, illegible=not text)
        return task

    return keyed


def test_a_handwritten_sheet_scanned_again_brings_no_work_and_changes_nothing(
    case, sheet_with, received, key, admin_client
):
    sheet = sheet_with("Lou")
    first = received([sheet])
    key("Lou")
    again = received([upside_down(sheet)], name="encore.tif")
    assert states(again) == [State.DUPLICATE]
    page = again.pages.get()
    assert page.same_as == first.pages.get()
    assert (KeyingTask.objects.count(), SurveyReturn.objects.count()) == (1, 1)
    assert declaration_of(case).values()[NAME] == "Lou"
    text = admin_client.get(reverse("keying:rescan", args=[page.pk])).content.decode()
    for shown in (page, first.pages.get()):
        picture = reverse("keying:rescan_picture", args=[shown.pk])
        assert picture in text
        assert admin_client.get(picture)["Content-Type"] == "image/png"


def test_a_sheet_scanned_again_before_it_is_keyed_is_keyed_once(sheet_with, received):
    sheet = sheet_with("Lou")
    received([sheet])
    assert states(received([upside_down(sheet)], name="encore.tif")) == [State.DUPLICATE]
    assert KeyingTask.objects.count() == 1


def test_a_second_sheet_that_says_otherwise_is_compared_by_a_person(case, sheet_with, received, key, client, operator):
    received([sheet_with("Lou", activity="retired")])
    key("Lou")
    second = received([sheet_with("Louise", activity="disabled")], name="suite.tif")
    assert states(second) == [State.MATCHED]
    told = declaration_of(case).values()
    assert (told[NAME], told["occupant.activity", 4]) == ("Lou", "retired")
    waiting = {(task.field, task.row): task for task in KeyingTask.objects.filter(state=KeyingTask.State.OPEN)}
    assert set(waiting) == {NAME, ("occupant.activity", 4)}
    assert waiting["occupant.activity", 4].reason == Doubt.SECOND_SHEET
    client.force_login(operator)
    task = next_task(operator=operator, now=waiting[NAME].created_at, field="occupant.activity")
    text = client.get(reverse("keying:work", args=[case.campaign_id]) + "?champ=occupant.activity").content.decode()
    before = reverse("keying:crop_before", args=[task.pk])
    assert before in text
    assert client.get(before)["Content-Type"] == "image/png"


def test_a_second_sheet_that_says_the_same_is_not_keyed_for_it(case, sheet_with, received, key):
    received([sheet_with("Lou", activity="retired")])
    key("Lou")
    received([sheet_with("Louise", activity="retired")], name="suite.tif")
    assert {task.field for task in KeyingTask.objects.filter(state=KeyingTask.State.OPEN)} == {NAME[0]}


def test_of_a_sheet_scanned_again_only_what_nobody_could_read_is_read(case, sheet_with, received, key):
    sheet = sheet_with("Lou", activity="retired")
    received([sheet])
    key("")
    again = received([upside_down(sheet)], name="encore.tif")
    assert states(again) == [State.MATCHED]
    page = again.pages.get()
    assert "personne n'avait pu lire" in page.explanation
    assert list(FieldReading.objects.filter(page=page).values_list("field", "row")) == [NAME]
    key("Lou")
    assert declaration_of(case).values() == {NAME: "Lou", ("occupant.activity", 4): "retired"}


def test_a_sheet_scanned_once_has_no_second_picture(sheet_with, received, admin_client):
    page = received([sheet_with("Lou")]).pages.get()
    for name in ("keying:rescan", "keying:rescan_picture"):
        assert admin_client.get(reverse(name, args=[page.pk])).status_code == 404


def test_two_pictures_of_a_sheet_are_for_operators_alone(sheet_with, received, client, landlord_user):
    sheet = sheet_with("Lou")
    received([sheet])
    page = received([upside_down(sheet)], name="encore.tif").pages.get()
    client.force_login(landlord_user)
    for name in ("keying:rescan", "keying:rescan_picture"):
        assert client.get(reverse(name, args=[page.pk])).status_code in {302, 403, 404}
