"""A paper that came upside down or sideways: a person turns it, and it stays so for whoever sees it next."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from PIL import Image

from returns.models import Page, SupportingDocument
from returns.reconciling import keep_as_piece
from returns.turning import UnableToTurn, turn, turned_on
from tests.factories.campaigns import RevisionFactory, UserFactory
from tests.factories.keying import SIZE, handwritten_return
from tests.factories.returns import DocumentFactory, PageFactory, ScanBatchFactory
from tests.factories.tenants import CaseFactory

pytestmark = pytest.mark.django_db
PLACES = {"places": {"height": 1.4, "zones": []}}


def marked() -> bytes:
    """A wide white picture, black in its top left corner."""
    picture = np.full((40, 80), 255, np.uint8)
    picture[:10, :10] = 0
    return cv2.imencode(".jpg", picture)[1].tobytes()


def black_corner(content: bytes) -> tuple[str, int]:
    """Which corner of the picture is black, and its width."""
    seen = np.array(Image.open(io.BytesIO(content)).convert("L"))
    corners = {
        "top left": seen[2, 2],
        "top right": seen[2, -3],
        "bottom right": seen[-3, -3],
        "bottom left": seen[-3, 2],
    }
    [black] = [name for name, level in corners.items() if level < 60]
    return black, seen.shape[1]


@pytest.fixture
def case(campaign):
    """A household that answered."""
    RevisionFactory(campaign=campaign)
    return CaseFactory(campaign=campaign, sent=True, reference="ACDEF346")


@pytest.fixture
def lost(campaign) -> Page:
    """A page that nobody could place, scanned on its side."""
    image = ContentFile(marked(), name="p.jpg")
    batch = ScanBatchFactory(campaign=campaign)
    return PageFactory(batch=batch, state="unmatched", survey_return=None, image=image, digest="d1")


@pytest.fixture
def desk(client):
    """An operator's browser."""
    client.force_login(UserFactory(keying=True))
    return client


class TestWhatMayBeTurned:
    def test_a_quarter_further_each_time_and_back_where_it_was(self, lost):
        asked = []
        for _ in range(4):
            asked.append(turned_on(lost))
            turn(paper=lost, rotation=str(asked[-1]))
        assert asked == [270, 180, 90, 0]
        assert Page.objects.get().rotation == 0

    def test_what_the_machine_has_laid_out_stays_as_it_is(self, lost):
        lost.matrix = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
        assert turned_on(lost) is None
        with pytest.raises(UnableToTurn, match="à l'endroit"):
            turn(paper=lost, rotation="90")

    def test_an_image_on_which_places_are_shown_stays_as_it_is(self, lost, case):
        lost.clues = {"read": PLACES}
        assert turned_on(lost) is None
        assert turned_on(DocumentFactory(case=case, kind="", read=PLACES)) is None

    @pytest.mark.parametrize("told", [{"media_type": "application/pdf"}, {"reading_state": "waiting"}])
    def test_what_is_not_shown_as_an_image_is_not_turned(self, case, told):
        assert turned_on(DocumentFactory(case=case, kind="", **told)) is None

    @pytest.mark.parametrize("rotation", ["", "45", "-90", "360", "droite", "²"])
    def test_nothing_but_a_quarter(self, lost, rotation):
        with pytest.raises(UnableToTurn, match="quarts de tour"):
            turn(paper=lost, rotation=rotation)


class TestDesks:
    def post(self, desk, name, paper, **headers):
        return desk.post(reverse(f"keying:{name}", args=[paper.pk]), {"rotation": "270"}, headers=headers)

    def test_a_page_to_reconcile_is_shown_turned_and_stays_so_once_it_is_a_piece(self, desk, lost, case, later):
        picture = reverse("keying:lost_page_picture", args=[lost.pk])
        assert black_corner(desk.get(picture).content) == ("top left", 80)
        assert self.post(desk, "turn_lost_page", lost).url == reverse("keying:lost_page", args=[lost.pk])
        assert black_corner(desk.get(picture).content) == ("top right", 40)
        lost.refresh_from_db()
        document = keep_as_piece(page=lost, reference=case.reference, now=later)
        shown = desk.get(reverse("keying:piece_picture", args=[document.pk]))
        assert black_corner(shown.content) == ("top right", 40)
        assert 'value="180"' in desk.get(reverse("keying:piece", args=[document.pk])).content.decode()

    def test_a_photo_sent_on_line_too(self, desk, case):
        document = DocumentFactory(case=case, kind="", content=ContentFile(marked(), name="p.jpg"))
        assert self.post(desk, "turn_piece", document, x_swap="1").status_code == 204
        shown = desk.get(reverse("keying:piece_picture", args=[document.pk]))
        assert black_corner(shown.content)[0] == "top right"
        assert SupportingDocument.objects.get().content.read() == marked()  # the file itself stays as it came

    def test_a_sheet_keyed_whole_is_turned_by_who_holds_its_field_alone(self, client, campaign):
        survey_return = handwritten_return(campaign, [(SIZE, 0, "3")])
        task, page = survey_return.keying.get(), survey_return.pages.first()
        Page.objects.filter(pk=page.pk).update(matrix=[])
        stranger, holder = UserFactory(keying=True), UserFactory(keying=True)
        client.force_login(holder)
        text = client.get(reverse("keying:work", args=[campaign.pk])).content.decode()
        assert reverse("keying:turn_sheet", args=[task.pk]) in text
        client.force_login(stranger)
        assert self.post(client, "turn_sheet", task).status_code == 404
        client.force_login(holder)
        assert self.post(client, "turn_sheet", task, x_swap="1").status_code == 204
        page.refresh_from_db()
        assert page.rotation == 270

    def test_what_is_no_turn_is_said(self, desk, lost):
        answer = desk.post(reverse("keying:turn_lost_page", args=[lost.pk]), {"rotation": "7"}, follow=True)
        assert "quarts de tour" in answer.content.decode()

    def test_a_field_of_a_registered_sheet_has_no_such_button(self, desk, campaign):
        handwritten_return(campaign, [(SIZE, 0, "3")])
        text = desk.get(reverse("keying:work", args=[campaign.pk])).content.decode()
        assert "Tourner" not in text
