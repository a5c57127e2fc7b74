"""The forms: every prepared household once, whole batches or nothing."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import resource
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.test import override_settings

from campaigns import operations
from campaigns.models import Campaign, Landlord
from campaigns.paper_form import page_code
from tenants import access_codes
from tenants.case_states import State
from tenants.dispatch import (
    UnableToCompose,
    compose_forms,
    forms,
    left_out,
)
from tenants.dispatch.batches import envelopes_of
from tenants.dispatch.fills import postal_lines
from tenants.importing.addresses import accept_proposal, propose_addresses
from tenants.models import AccessCode, CaseEvent, Message, PrintBatch, SurveyCase
from tests.factories.campaigns import CampaignFactory, UserFactory
from tests.factories.tenants import CaseFactory
from tests.tenants.printing import (
    LATER,
    NOW,
    approve,
    codes_on,
    content,
    households,
    stored_files,
    text_of,
)

pytestmark = pytest.mark.usefixtures("printing_room")


def assert_nothing_left(cases: list[SurveyCase]) -> None:
    for case in cases:
        case.refresh_from_db()
        assert case.state == State.PREPARED
    for model in (PrintBatch, Message, AccessCode, CaseEvent):
        assert not model.objects.exists()


class TestForms:
    def test_every_prepared_case_gets_its_form_and_is_sent(self, approved: Campaign) -> None:
        cases = households(approved, 1, 3, 3, 6)
        CaseFactory(campaign=approved, state="out_of_scope")

        batches = compose_forms(campaign=approved, now=NOW)

        assert sum(batch.envelopes for batch in batches) == 4
        for case in cases:
            case.refresh_from_db()
            message = Message.objects.get(case=case)
            assert (case.state, case.sent_at) == (State.SENT, NOW)
            assert case.layout_rows > case.household.occupants.count()
            assert (message.channel, message.purpose, message.state) == ("letter", "form", Message.State.SENDING)
            assert message.batch in batches
            assert message.proof["document_sha256"] == message.batch.sha256
        approved.refresh_from_db()
        assert approved.stage == Campaign.Stage.FIELD

    def test_manifest_and_index_tell_the_pdf_to_the_byte_and_to_the_page(self, approved: Campaign) -> None:
        cases = households(approved, 2, 2, 2)

        [batch] = compose_forms(campaign=approved, now=NOW)

        document = content(batch.document)
        manifest = json.loads(content(batch.manifest))
        lines = list(csv.DictReader(io.StringIO(content(batch.index).decode("utf-8-sig")), delimiter=";"))
        with pikepdf.open(io.BytesIO(document)) as pdf:
            assert len(pdf.pages) == manifest["pages"] == batch.pages
        assert hashlib.sha256(document).hexdigest() == manifest["sha256"] == batch.sha256
        assert manifest["envelopes"] == batch.envelopes == 3
        told = manifest["pages_per_envelope"]
        assert sum(each["pages"] for each in told) == batch.pages
        assert [each["reference"] for each in told] == [line["référence"] for line in lines]
        assert {each["reference"] for each in told} == {case.reference for case in cases}
        assert (manifest["first_reference"], manifest["last_reference"]) == (
            told[0]["reference"],
            told[-1]["reference"],
        )
        assert manifest["document"] == Path(batch.document.name).name
        assert manifest["rehearsal"] is False

    def test_every_page_carries_the_code_of_its_own_case_and_the_qr_code_opens_it(self, approved: Campaign) -> None:
        households(approved, 1, 4)

        compose_forms(campaign=approved, now=NOW)

        for message in Message.objects.select_related("case", "batch"):
            document = content(message.batch.document)
            for number in range(message.pages):
                found = codes_on(document, message.first_page - 1 + number)
                [code] = [page_code.parse(text) for text in found if text.startswith("F1-")]
                assert (code.case, code.page) == (message.case.reference, number + 1)
                assert code.layout == message.proof["layout"]
            [url] = [text for text in codes_on(document, message.first_page - 1) if "://" in text]
            token = url.removeprefix("https://enquete.exemple.example/a/")
            assert access_codes.check_link(token=token, now=NOW) == message.case

    def test_the_printed_code_opens_the_case_and_the_known_values_are_printed(self, approved: Campaign) -> None:
        [case] = households(approved, 2)

        [batch] = compose_forms(campaign=approved, now=NOW)

        text = text_of(content(batch.document), 0, batch.pages)
        code = next(word for word in text.split() if len(word) == 14 and word.count("-") == 2)
        opened = access_codes.check_typed(reference=case.reference, code=code, address="192.0.2.1", now=NOW)
        assert opened == case
        assert "20 novembre 2026" in text
        assert "14/03/1981" in text
        assert "06 39 98 00 00" in text
        assert "8 RUE DES ÉRABLES" in text

    def test_batches_hold_one_weight_and_one_number_of_sheets_light_ones_first_by_postcode(
        self, approved: Campaign
    ) -> None:
        for people, postcode in ((1, "75020"), (5, "37000"), (1, "13001"), (5, "06000"), (1, "69003")):
            CaseFactory(campaign=approved, household__occupants=people, household__postcode=postcode)
        seen: list[tuple[int, int]] = []

        batches = compose_forms(
            campaign=approved, now=NOW, size=2, progress=lambda done, total: seen.append((done, total))
        )

        told = [envelopes_of(batch) for batch in batches]
        assert [batch.number for batch in batches] == [1, 2, 3]
        assert [[each.postcode for each in batch] for batch in told] == [
            ["13001", "69003"],
            ["75020"],
            ["06000", "37000"],
        ]
        assert seen == [(2, 5), (3, 5), (5, 5)]
        assert all(len({(each.bracket, each.sheets, each.grams) for each in batch}) == 1 for batch in told)
        assert told[0][0].grams < told[2][0].grams
        assert all(each.first_page % 2 for batch in told for each in batch)

    def test_nothing_is_printed_without_an_approved_proof(self, db: None) -> None:
        campaign = CampaignFactory()
        households(campaign, 1)
        operations.draw_up_revision(campaign=campaign, now=NOW)

        with pytest.raises(operations.UnableToPrint, match="Aucun BAT"):
            compose_forms(campaign=campaign, now=NOW)

    def test_nothing_is_printed_once_what_was_approved_has_changed(self, approved: Campaign) -> None:
        households(approved, 1)
        Landlord.objects.filter(pk=approved.landlord_id).update(hotline="09 99 99 99 99")

        with pytest.raises(operations.UnableToPrint, match="n'est plus ce que le bailleur a approuvé"):
            compose_forms(campaign=approved, now=NOW)

        assert not PrintBatch.objects.exists()

    def test_a_second_run_prints_nothing_again(self, approved: Campaign) -> None:
        households(approved, 1, 1)
        compose_forms(campaign=approved, now=NOW)

        assert compose_forms(campaign=approved, now=NOW) == []
        assert PrintBatch.objects.count() == 1

    def test_a_household_that_comes_later_gets_the_next_batch(self, approved: Campaign) -> None:
        households(approved, 1)
        compose_forms(campaign=approved, now=NOW)
        [late] = households(approved, 2)

        [batch] = compose_forms(campaign=approved, now=LATER)

        late.refresh_from_db()
        assert batch.number == 2
        assert late.state == State.SENT

    def test_cases_that_cannot_be_printed_stay_prepared_and_say_why(self, approved: Campaign) -> None:
        [good, nobody, crowd] = households(approved, 1, 0, operations.LARGEST_HOUSEHOLD + 5)
        nowhere = CaseFactory(campaign=approved, household__city="")

        [batch] = compose_forms(campaign=approved, now=NOW)

        assert [message.case for message in batch.messages.all()] == [good]
        told = left_out(campaign=approved)
        assert "aucun occupant" in told[nobody.reference]
        assert "trop grand" in told[crowd.reference]
        assert "code postal" in told[nowhere.reference]
        assert set(told) == {nobody.reference, crowd.reference, nowhere.reference}

    def test_a_household_that_the_form_has_no_room_for_gets_further_sheets(
        self, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(operations, "_capacities", lambda: [2, 20])
        campaign = CampaignFactory()
        approve(campaign)
        [crowd] = households(campaign, 18)

        [batch] = compose_forms(campaign=campaign, now=NOW)

        document, told = content(batch.document), json.loads(content(batch.manifest))
        seen = [text for page in range(batch.pages) for text in codes_on(document, page)]
        codes = [page_code.parse(text) for text in seen if text.startswith("F1-")]
        last = crowd.household.occupants.get(row=18)
        crowd.refresh_from_db()
        assert crowd.layout_rows == 20
        assert [(code.case, code.page) for code in codes] == [
            (crowd.reference, page) for page in range(1, batch.pages + 1)
        ]
        assert last.full_name in text_of(document, 12, 1)
        assert told["warnings"] == {}

    def test_a_full_disk_leaves_nothing(self, approved: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
        cases = households(approved, 1, 1)
        save = FileSystemStorage._save

        def full(self: FileSystemStorage, name: str, written: Any) -> str:
            if name.endswith(".json"):
                raise OSError(errno.ENOSPC, "No space left on device")
            return save(self, name, written)

        monkeypatch.setattr(FileSystemStorage, "_save", full)
        with pytest.raises(UnableToCompose, match="No space left"):
            compose_forms(campaign=approved, now=NOW)
        monkeypatch.undo()

        assert stored_files() == []
        assert_nothing_left(cases)
        [batch] = compose_forms(campaign=approved, now=NOW)
        assert batch.number == 1

    def test_what_a_killed_composition_left_on_the_disk_is_removed(self, approved: Campaign) -> None:
        households(approved, 1)
        for name in (f"c{approved.pk}-lot-0001-form.pdf", f"c{approved.pk}-lot-0009-form.pdf"):
            default_storage.save(f"batches/{name}", ContentFile(b"old"))

        batch, *_ = compose_forms(campaign=approved, now=NOW)

        assert batch.document.name == f"batches/c{approved.pk}-lot-0001-form.pdf"
        assert [file.name[-8:] for file in stored_files()] == ["form.csv", "orm.json", "form.pdf", "form.pdf"]

    def test_a_file_cut_short_by_the_disk_is_removed_and_the_batch_starts_again(self, approved: Campaign) -> None:
        cases = households(approved, 1, 2)
        usual = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, usual[1]))  # the PDF alone is larger
        try:
            with pytest.raises(UnableToCompose, match="relancez la composition"):
                compose_forms(campaign=approved, now=NOW)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)

        assert stored_files() == []
        assert_nothing_left(cases)
        batch, *_ = compose_forms(campaign=approved, now=NOW)
        assert batch.number == 1
        assert len(content(batch.document)) > 40_000

    def test_a_batch_that_does_not_add_up_leaves_nothing(
        self, approved: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cases = households(approved, 1, 1)
        monkeypatch.setattr(forms.access_codes, "drawn_code", lambda: "ABCD2345EFGH")
        monkeypatch.setattr(
            forms.access_codes,
            "issue_typed_many",
            lambda *, cases, wave, now: {case.pk: "ABCD-2345-EFGH" for case in cases},
        )

        with pytest.raises(UnableToCompose, match="deux fois"):
            compose_forms(campaign=approved, now=NOW)

        assert stored_files() == []
        assert_nothing_left(cases)

    def test_a_failing_batch_keeps_the_batches_before_it(
        self, approved: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        households(approved, 1, 1, 1)
        write = forms.write

        def broken(batch: PrintBatch, **told: Any) -> PrintBatch:
            if batch.number == 2:
                raise UnableToCompose("panne")
            return write(batch, **told)

        monkeypatch.setattr(forms, "write", broken)
        with pytest.raises(UnableToCompose):
            compose_forms(campaign=approved, now=NOW, size=2)
        monkeypatch.undo()

        assert SurveyCase.objects.filter(state="sent").count() == 2
        [rest] = compose_forms(campaign=approved, now=NOW, size=2)
        assert (rest.number, rest.envelopes) == (2, 1)
        assert len(stored_files()) == 6

    def test_one_households_values_are_on_no_other_households_pages(self, approved: Campaign) -> None:
        first = CaseFactory(campaign=approved, household__occupants=1)
        second = CaseFactory(campaign=approved, household__occupants=1)
        for case, name in ((first, "Aubépine"), (second, "Bruyère")):
            case.household.occupants.update(last_name=name)

        [batch] = compose_forms(campaign=approved, now=NOW)

        document = content(batch.document)
        for case, own, others in ((first, "Aubépine", "Bruyère"), (second, "Bruyère", "Aubépine")):
            message = Message.objects.get(case=case)
            text = text_of(document, message.first_page - 1, message.pages).lower()
            assert own.lower() in text
            assert others.lower() not in text

    def test_the_form_also_goes_by_email_only_where_the_landlord_wants_it(self, approved: Campaign) -> None:
        households(approved, 1)
        CaseFactory(campaign=approved, household__email="")
        CaseFactory(campaign=approved, household__email="pas une adresse")

        with override_settings(EMAIL_WITH_FORM=True):
            compose_forms(campaign=approved, now=NOW)

        assert Message.objects.filter(channel="email", purpose="form").count() == 1
        assert CaseEvent.objects.filter(kind="email_refused").count() == 1

    def test_what_does_not_print_as_told_is_listed_in_the_manifest(self, approved: Campaign) -> None:
        [case] = households(approved, 1)
        case.household.occupants.update(last_name="Élodée" + "\U0001f600")

        [batch] = compose_forms(campaign=approved, now=NOW)

        assert case.reference in json.loads(content(batch.manifest))["warnings"]

    def test_ordinary_households_raise_no_warning(self, approved: Campaign) -> None:
        households(approved, 1, 3, 7)

        batches = compose_forms(campaign=approved, now=NOW)

        assert [json.loads(content(batch.manifest))["warnings"] for batch in batches] == [{}] * len(batches)


def test_the_address_is_printed_as_it_was_given_until_a_correction_is_accepted(db: None) -> None:
    household = CaseFactory(
        household__address_2="Étage 2",
        household__address_4="8 bis, rue de l'Écluse",
        household__city="Saint-Pierre-des-Corps",
    ).household
    above = ["Mme Inès ÉLODÉE", "Étage 2"]
    assert postal_lines(household) == [*above, "8 bis, rue de l'Écluse", "37000 Saint-Pierre-des-Corps"]

    propose_addresses(campaign=household.campaign, now=NOW)
    for proposal in household.address_proposals.all():
        accept_proposal(proposal=proposal, now=NOW, actor=UserFactory())
    household.refresh_from_db()
    assert postal_lines(household) == [*above, "8 BIS RUE DE L ECLUSE", "37000 SAINT PIERRE DES CORPS"]
