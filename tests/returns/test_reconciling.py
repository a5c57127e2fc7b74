"""The reconciliation desk and the pieces to name: each page one end, each decision told, nothing lost."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from campaigns.paper_form.page_code import PageCode
from campaigns.questionnaire.schema import Reader
from returns.answers import declaration_of
from returns.keying import answer, close_keyed
from returns.keying_queue import next_task
from returns.models import KeyingTask, Page, SupportingDocument, SurveyReturn
from returns.reconciling import (
    BY_EYE,
    UnableToReconcile,
    attach,
    code_of,
    code_typed,
    keep_as_piece,
    lost_pages,
    set_aside,
)
from tests.factories.campaigns import CampaignFactory, RevisionFactory, UserFactory
from tests.factories.returns import DocumentFactory, PageFactory, ReturnFactory, ScanBatchFactory
from tests.factories.tenants import CaseFactory
from tests.portal.walking import photo
from tests.returns.sheets import variant_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def variant(campaign):
    """The form of the campaign, for three people."""
    return variant_of(RevisionFactory(campaign=campaign), rows=3)


@pytest.fixture
def case(campaign, variant):
    """A household that has its form."""
    return CaseFactory(campaign=campaign, sent=True, reference="ACDEF346")


@pytest.fixture
def lost(campaign):
    """A page that nobody could place; `lost(state=…)`."""
    batch = ScanBatchFactory(campaign=campaign)

    def page(**told) -> Page:
        given = {"state": "unmatched", "survey_return": None, "digest": "d1", **told}
        return PageFactory(batch=batch, image=ContentFile(photo(), name="p.jpg"), **given)

    return page


def code(case, variant, number=1) -> PageCode:
    return PageCode(case=case.reference, page=number, layout=variant.fingerprint)


def events(case) -> list[str]:
    return list(case.events.order_by("pk").values_list("kind", flat=True))


class TestCode:
    def test_it_is_read_with_or_without_its_dashes(self, case, variant):
        told = code(case, variant)
        for text in (str(told), str(told).lower(), str(told).replace("-", " "), str(told).replace("-", "")):
            assert code_typed(text) == told

    def test_a_slip_is_noticed(self, case, variant):
        text = str(code(case, variant)).replace("ACDEF", "ACDFE")
        with pytest.raises(UnableToReconcile, match="caractère de contrôle"):
            code_typed(text)

    @pytest.mark.parametrize("text", ["", "ACDEF346", "F1-ACDEF346"])
    def test_anything_else_is_no_code(self, text):
        with pytest.raises(UnableToReconcile, match="n'est pas un code de page"):
            code_typed(text)


class TestSheet:
    def test_its_case_receives_it_and_each_of_its_fields_is_keyed(self, case, variant, lost, manager, later):
        page = attach(page=lost(), code=code(case, variant), now=later, actor=manager)
        assert (page.state, page.decided_at, page.decided_by) == ("matched", later, manager)
        case.refresh_from_db()
        assert (case.state, case.channel) == ("received", "paper")
        assert "page_attached" in events(case)
        fields = {key.key: key for _, key in variant.revision.questionnaire.fields()}
        expected = {(zone.field, zone.row) for zone in variant.layout.on_page(1)}
        expected = {each for each in expected if fields[each[0]].shown_in(Reader.KEYING)}
        assert set(KeyingTask.objects.values_list("field", "row")) == expected
        assert set(KeyingTask.objects.values_list("reason", flat=True)) == {BY_EYE}

    def test_once_keyed_the_case_is_settled(self, case, variant, lost, manager, later):
        attach(page=lost(), code=code(case, variant), now=later, actor=manager)
        KeyingTask.objects.update(entries_needed=1)
        while (task := next_task(operator=manager, now=later)) is not None:
            answer(task=task, operator=manager, text="3" if task.field == "household.size" else "", now=later)
        close_keyed(now=later, rest=dt.timedelta())
        case.refresh_from_db()
        assert case.state == "incomplete"
        assert declaration_of(case).values()["household.size", 0] == 3

    def test_a_sheet_whose_marks_are_lost_already_tells_its_code(self, case, variant, lost, later):
        survey_return = ReturnFactory(case=case, state="transcribed")
        page = lost(state="unregistered", survey_return=survey_return, number=2, layout=variant.fingerprint)
        assert code_of(page) == code(case, variant, 2)
        attach(page=page, code=code_of(page), now=later)
        survey_return.refresh_from_db()
        assert survey_return.state == SurveyReturn.State.OPEN
        assert KeyingTask.objects.filter(survey_return=survey_return).exists()

    def test_a_finished_case_is_opened_again(self, case, variant, lost, later):
        survey_return = ReturnFactory(case=case, state="transcribed")
        type(case).objects.filter(pk=case.pk).update(state="complete", received_at=later)
        page = lost(state="unregistered", survey_return=survey_return, number=2, layout=variant.fingerprint)
        attach(page=page, code=code_of(page), now=later)
        case.refresh_from_db()
        assert case.state == "received"

    def test_a_sheet_that_has_been_read_is_not_keyed_again(self, case, variant, lost, later):
        attach(page=lost(), code=code(case, variant), now=later)
        with pytest.raises(UnableToReconcile, match="déjà été lue"):
            attach(page=lost(digest="d2"), code=code(case, variant), now=later)
        assert lost_pages().count() == 1

    def test_a_case_of_another_campaign_is_not_found(self, variant, lost, later):
        stranger = CaseFactory(campaign=CampaignFactory(), sent=True)
        with pytest.raises(UnableToReconcile, match="Aucun dossier"):
            attach(page=lost(), code=code(stranger, variant), now=later)

    def test_a_form_of_another_campaign_is_refused(self, case, lost, later):
        with pytest.raises(UnableToReconcile, match="d'aucun formulaire"):
            attach(page=lost(), code=PageCode(case=case.reference, page=1, layout="ABCDEF01"), now=later)
        assert not case.returns.exists()

    def test_a_sheet_is_never_moved_to_another_case_than_the_one_it_tells(self, campaign, case, variant, lost, later):
        other = CaseFactory(campaign=campaign, sent=True)
        page = lost(state="unregistered", survey_return=ReturnFactory(case=case), number=1, layout=variant.fingerprint)
        with pytest.raises(UnableToReconcile, match="un autre dossier"):
            attach(page=page, code=code(other, variant), now=later)

    def test_one_decision_and_no_other(self, case, variant, lost, later):
        page = lost()
        set_aside(page=page, state="foreign", now=later)
        with pytest.raises(UnableToReconcile, match="quelqu'un d'autre"):
            attach(page=page, code=code(case, variant), now=later)


class TestPiece:
    def test_it_joins_its_case_to_be_named_next(self, case, lost, manager, later):
        document = keep_as_piece(page=lost(), reference=" acdef346 ", now=later, actor=manager)
        assert (document.case, document.kind, document.page.state) == (case, "", "document")
        assert events(case) == ["document_attached"]
        assert not lost_pages().exists()

    def test_the_same_piece_twice_is_refused(self, case, lost, later):
        DocumentFactory(case=case, sha256="d1")
        with pytest.raises(UnableToReconcile, match="déjà cette pièce"):
            keep_as_piece(page=lost(), reference=case.reference, now=later)

    def test_an_unknown_case_is_refused(self, lost, later):
        with pytest.raises(UnableToReconcile, match="Aucun dossier « PPPPPPPP »"):
            keep_as_piece(page=lost(), reference="PPPPPPPP", now=later)


class TestAside:
    @pytest.mark.parametrize("state", ["foreign", "duplicate", "blank"])
    def test_it_says_why_and_by_whom(self, lost, manager, later, state):
        page = set_aside(page=lost(), state=state, now=later, actor=manager)
        assert (page.state, page.decided_by) == (state, manager)
        assert page.explanation
        assert not lost_pages().exists()

    def test_the_case_that_waited_for_the_sheet_is_settled(self, case, variant, lost, later):
        type(case).objects.filter(pk=case.pk).update(state="received", received_at=later)
        survey_return = ReturnFactory(case=case, state="transcribed")
        declaration_of(case, revision=variant.revision)
        page = lost(state="unregistered", survey_return=survey_return, number=2, layout=variant.fingerprint)
        set_aside(page=page, state="duplicate", now=later)
        case.refresh_from_db()
        assert case.state == "incomplete"
        assert "page_set_aside" in events(case)

    def test_a_why_is_needed(self, lost, later):
        with pytest.raises(UnableToReconcile, match="Dites pourquoi"):
            set_aside(page=lost(), state="matched", now=later)


class TestScreens:
    @pytest.fixture
    def desk(self, client):
        """An operator's browser."""
        client.force_login(UserFactory(keying=True))
        return client

    def decide(self, desk, page, **told):
        response = desk.post(reverse("keying:decide", args=[page.pk]), told, follow=True)
        assert response.status_code == 200
        return response.content.decode()

    def test_only_operators_enter(self, client, lost, landlord_user):
        page = lost()
        client.force_login(landlord_user)
        for name, args in (("lost_pages", []), ("lost_page", [page.pk]), ("lost_page_picture", [page.pk])):
            assert client.get(reverse(f"keying:{name}", args=args)).status_code == 403

    def test_the_list_leads_to_each_page(self, desk, lost):
        assert "Aucune page à rapprocher" in desk.get(reverse("keying:lost_pages")).content.decode()
        page = lost(explanation="Aucun code de page.")
        text = desk.get(reverse("keying:lost_pages")).content.decode()
        assert "Aucun code de page." in text
        assert reverse("keying:lost_page", args=[page.pk]) in text
        assert desk.get(reverse("keying:lost_page_picture", args=[page.pk]))["Content-Type"] == "image/png"

    def test_a_mistyped_code_is_explained_and_kept(self, desk, lost):
        text = self.decide(desk, lost(), act="attach", typed="F1-PASBON")
        assert "pas un code de page" in text
        assert 'value="F1-PASBON"' in text

    def test_a_sheet_is_attached_and_the_next_one_follows(self, desk, case, variant, lost):
        page, following = lost(), lost(digest="d2")
        text = self.decide(desk, page, act="attach", typed=str(code(case, variant)))
        assert "La feuille est dans le dossier ACDEF346" in text
        assert reverse("keying:decide", args=[following.pk]) in text

    def test_a_page_decided_meanwhile_is_said(self, desk, lost, later):
        page = lost()
        set_aside(page=page, state="blank", now=later)
        assert "quelqu&#x27;un d&#x27;autre" in self.decide(desk, page, act="foreign")

    def test_a_piece_is_placed_then_named(self, desk, case, lost):
        text = self.decide(desk, lost(), act="piece", typed=case.reference)
        document = SupportingDocument.objects.get()
        assert "Quelle est cette pièce" in text
        assert "Loïc Élodée" in text
        response = desk.post(reverse("keying:qualify", args=[document.pk]), {"nature": "tax_notice-2"}, follow=True)
        document.refresh_from_db()
        assert (document.kind, document.row, document.state) == ("tax_notice", 2, "accepted")
        assert "Aucune pièce à nommer" in response.content.decode()

    def test_a_piece_is_refused_with_its_why(self, desk, case):
        document = DocumentFactory(case=case, kind="")
        url = reverse("keying:qualify", args=[document.pk])
        assert "Dites en quelques mots" in desk.post(url, {"act": "refuse", "why": " "}).content.decode()
        desk.post(url, {"act": "refuse", "why": "photo floue"})
        document.refresh_from_db()
        assert (document.state, document.explanation) == ("refused", "photo floue")
        assert "vient de nommer" in desk.post(url, {"act": "refuse", "why": "x"}, follow=True).content.decode()

    def test_a_piece_of_no_nature_or_already_there_is_explained(self, desk, case):
        document = DocumentFactory(case=case, kind="")
        DocumentFactory(case=case, kind="tax_notice", row=1, sha256=document.sha256)
        url = reverse("keying:qualify", args=[document.pk])
        assert "Choisissez ce qu&#x27;est la pièce" in desk.post(url, {"nature": ""}).content.decode()
        assert "déjà exactement cette pièce" in desk.post(url, {"nature": "tax_notice-1"}).content.decode()

    def test_an_uploaded_file_is_shown_as_it_came_and_nothing_else_is(self, desk, case):
        pdf = DocumentFactory(case=case, kind="", media_type="application/pdf")
        response = desk.get(reverse("keying:piece_picture", args=[pdf.pk]))
        assert (response["Content-Type"], response.content) == ("application/pdf", b"piece")
        odd = DocumentFactory(case=case, kind="", media_type="text/html")
        assert desk.get(reverse("keying:piece_picture", args=[odd.pk])).status_code == 404
