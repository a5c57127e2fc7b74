"""The proof that a landlord judges, and the command that copies the forms out."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
from pathlib import Path

import pikepdf
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from campaigns import covered, operations
from campaigns.models import Campaign, FormProof
from campaigns.paper_form import page_code
from campaigns.questionnaire.parsing import load_library
from tenants.dispatch import UnableToCompose, compose_letters, compose_proof
from tenants.dispatch.proof import looks
from tenants.dispatch.proof_letters import proof_letters
from tenants.models import AccessCode
from tests.factories.campaigns import CampaignFactory, LandlordFactory, UserFactory
from tests.factories.tenants import CaseFactory
from tests.tenants.printing import NOW, content, households, text_of

pytestmark = pytest.mark.usefixtures("printing_room")


def codes_in(text: str) -> list[page_code.PageCode]:
    """The page codes written for people."""
    return [page_code.parse(found[0]) for found in page_code.PATTERN.finditer(text)]


class TestProof:
    def test_it_shows_the_hardest_households_and_matches_no_case(self, db: None) -> None:
        campaign = CampaignFactory()
        cases = households(campaign, 1, 2, 7)
        cases[1].household.occupants.update(last_name="De La Rochefoucauld-Montmorency-Saint-Germain")
        revision = operations.draw_up_revision(campaign=campaign, now=NOW)

        proof = compose_proof(revision=revision, now=NOW)

        document = content(proof.document)
        with pikepdf.open(io.BytesIO(document)) as pdf:
            pages = len(pdf.pages)
        text = text_of(document, 0, pages)
        codes = {code.case for code in codes_in(text)}
        assert proof.state == FormProof.State.OPEN
        assert codes == {"SPECIMEN"}
        assert "Rochefoucauld" in text
        assert not any(case.reference in text for case in cases)
        assert not AccessCode.objects.exists()

    def test_without_households_it_shows_invented_ones(self, db: None) -> None:
        revision = operations.draw_up_revision(campaign=CampaignFactory(), now=NOW)

        proof = compose_proof(revision=revision, now=NOW)

        assert "ROCHEFOUCAULD" in text_of(content(proof.document)).upper()

    def test_a_campaign_goes_to_the_approval_of_its_proof(self, db: None) -> None:
        campaign = CampaignFactory()
        revision = operations.draw_up_revision(campaign=campaign, now=NOW)

        proof = compose_proof(revision=revision, now=NOW)
        operations.approve_proof(proof=proof, actor=UserFactory(), now=NOW, comment="Accord par e-mail")

        campaign.refresh_from_db()
        assert campaign.stage == Campaign.Stage.APPROVED

    def test_every_page_of_every_layout_is_shown_then_every_letter_in_both_prints(self, db: None) -> None:
        revision = operations.draw_up_revision(campaign=CampaignFactory(), now=NOW)

        proof = compose_proof(revision=revision, now=NOW)

        document = content(proof.document)
        with pikepdf.open(io.BytesIO(document)) as pdf:
            pages, outline = len(pdf.pages), [str(each.title) for each in pdf.open_outline().root]
        said = text_of(document, 0, pages)
        shown = {(code.layout, code.page) for code in codes_in(said) if not code.is_return_sheet}
        pages_of = {each.fingerprint: looks(each.layout) for each in revision.layouts.all()}
        looked = {pages_of[fingerprint][page] for fingerprint, page in shown}
        assert looked == {look for each in pages_of.values() for look in each.values()}
        titles = [part["title"] for part in proof.contents]
        assert titles == outline
        assert [title for title in titles if "gros caractères" not in title][-9:] == [
            "Relance à qui a une adresse électronique ou un mobile",
            "Relance à qui a une adresse électronique ou un mobile, délai passé",
            "Relance",
            "Relance, délai passé",
            "Demande de compléments",
            "Demande de compléments, rappel",
            "Mise en demeure",
            "Réponse hors délai",
            "Accusé de réception",
        ]
        assert {f"{title}, gros caractères" for title in titles[-18:-9]} == set(titles[-9:])
        assert [part["first"] for part in proof.contents][1:] == [
            part["first"] + part["pages"] for part in proof.contents
        ][:-1]
        assert "L441-9" in said

    @pytest.mark.parametrize("days", [-400, 0, 400], ids=["long after", "on the day", "long before"])
    def test_letters_whose_words_change_with_time_are_shown_with_both(self, db: None, days: int) -> None:
        reply_by = timezone.localdate(NOW) + dt.timedelta(days=days)
        campaign = CampaignFactory.build(landlord=LandlordFactory.build(), reply_by=reply_by, pk=0)

        letters = dict(proof_letters(campaign, load_library("sls"), ["A"], reference="SPECIMEN", now=NOW))

        told = {title: " ".join((each.title, *each.paragraphs, *each.closing)) for title, each in letters.items()}
        for name, before, after in (
            ("Relance", "Merci de répondre avant le", "Il est encore temps de répondre."),
            ("Relance à qui a une adresse électronique ou un mobile", "Elle est attendue avant", "Elle était attendue"),
            ("Demande de compléments", "Merci de nous l'envoyer avant le", "Rappel : votre dossier n'est pas complet"),
        ):
            late = f"{name}, rappel" if name.startswith("Demande") else f"{name}, délai passé"
            assert before in told[name]
            assert after not in told[name]
            assert after in told[late]
            assert before not in told[late]

    def test_a_letter_whose_words_changed_since_the_approval_is_not_printed(
        self, approved: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = covered.letter_source
        monkeypatch.setattr(covered, "letter_source", lambda name: source(name) + ("!" if name == "complement" else ""))

        with pytest.raises(UnableToCompose, match=r"Demande de compléments\. Présentez un nouveau BAT"):
            compose_letters(campaign=approved, purpose="reminder_letter", now=NOW)
        with pytest.raises(operations.UnableToPrint, match="courriers"):
            operations.approved_revision(approved)

    def test_a_proof_signed_before_it_showed_letters_still_holds(self, approved: Campaign) -> None:
        proof = FormProof.objects.get(state=FormProof.State.APPROVED)
        del proof.covered["letters"]
        proof.digest = covered.digest_of(proof.revision, without=("letters",))
        proof.save()

        assert operations.approved_revision(approved) == proof.revision
        assert compose_letters(campaign=approved, purpose="reminder_letter", now=NOW) is None


class TestCommand:
    def test_it_copies_the_batches_and_their_manifests(self, approved: Campaign, tmp_path: Path) -> None:
        households(approved, 1, 2)
        out = io.StringIO()

        call_command("make_forms", campaign=approved.pk, out=tmp_path / "lots", size=1, as_json=True, stdout=out)

        told = json.loads(out.getvalue())
        assert told["forms"] == 2
        assert len(told["batches"]) == 2
        assert len(list((tmp_path / "lots").glob("*.pdf"))) == 2
        for batch in told["batches"]:
            document = (tmp_path / "lots" / batch["document"]).read_bytes()
            assert hashlib.sha256(document).hexdigest() == batch["sha256"]

    def test_it_fails_when_a_case_could_not_be_printed(self, approved: Campaign, tmp_path: Path) -> None:
        CaseFactory(campaign=approved, household__city="")
        errors = io.StringIO()

        with pytest.raises(SystemExit) as ended:
            call_command("make_forms", campaign=approved.pk, out=tmp_path, stdout=io.StringIO(), stderr=errors)

        assert ended.value.code == 1
        assert "code postal" in errors.getvalue()

    def test_without_an_approved_proof_it_says_so(self, db: None, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="Aucun BAT"):
            call_command("make_forms", campaign=CampaignFactory().pk, out=tmp_path)

    @pytest.mark.parametrize(("told", "size"), [("n'existe pas", 1), ("au moins un pli", 0)])
    def test_nonsense_is_refused(self, db: None, tmp_path: Path, told: str, size: int) -> None:
        campaign = 0 if size else CampaignFactory(landlord=LandlordFactory()).pk

        with pytest.raises(CommandError, match=told):
            call_command("make_forms", campaign=campaign, out=tmp_path, size=size)
