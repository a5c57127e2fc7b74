"""A late answer is treated like any other, then told in a delta: what changed, after which delivery, what to refund."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from django.core.management import CommandError, call_command

from returns.completeness import settle
from returns.models import Restitution, RestitutionLine
from returns.models.restitutions import HandedOver
from returns.restitution.columns import UnableToRestitute
from returns.restitution.delivery import correct, restitute
from returns.submissions import receive_online
from tenants.models import Message, Purpose, SurveyCase
from tests.factories.campaigns import RevisionFactory, code_table
from tests.factories.returns import DeclarationFactory, DocumentFactory
from tests.factories.tenants import CaseFactory
from tests.returns.conftest import COMPLETE

pytestmark = pytest.mark.django_db

SENT = dt.datetime(2026, 10, 12, 8, 0, tzinfo=dt.UTC)
NOTICE = dt.datetime(2026, 11, 30, 8, 0, tzinfo=dt.UTC)
FIRST = dt.datetime(2027, 1, 7, 9, 0, tzinfo=dt.UTC)
ANSWERED = dt.datetime(2027, 1, 20, 15, 40, tzinfo=dt.UTC)
SECOND = dt.datetime(2027, 2, 1, 9, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _media(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def silent(campaign):
    """Given up after a formal notice."""
    RevisionFactory(campaign=campaign)
    case = CaseFactory(
        campaign=campaign, state="non_respondent", sent_at=SENT, formal_notice_at=NOTICE,
        household__tenant_reference="00100001",
    )  # fmt: skip
    for purpose, at in ((Purpose.FORM, SENT), (Purpose.FORMAL_NOTICE, NOTICE)):
        Message.objects.create(
            case=case, channel="letter", purpose=purpose, wave=purpose, state="sent", recipient="x",
            created_at=at, sent_at=at,
        )  # fmt: skip
    return case


@pytest.fixture
def complete(campaign):
    """A case complete since long."""

    def made(reference="00100002", told=None):
        if not campaign.revisions.exists():
            RevisionFactory(campaign=campaign)
        case = CaseFactory(
            campaign=campaign, state="complete", channel="online", received_at=SENT, completed_at=SENT,
            household__tenant_reference=reference,
        )  # fmt: skip
        DeclarationFactory(case=case, version=1, told={**COMPLETE, **(told or {})}, revision=campaign.current_revision)
        return case

    return made


def hand(campaign, now):
    return restitute(campaign=campaign, formats=["csv"], now=now)


def answer(case, answers, now, submission="tard"):
    receive_online(case=case, answers=answers, documents=[], submission=submission, now=now)
    for row in (1, 2):
        if not case.documents.filter(row=row).exists():
            DocumentFactory(case=case, row=row, received_at=now)
    settle(case=case, now=now)
    case.refresh_from_db()


def table(restitution, kind="csv"):
    with restitution.files.get(format=kind).content.open("rb") as stored:
        text = stored.read().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


class TestAfterANonResponse:
    @pytest.fixture
    def delta(self, campaign, silent, complete):
        complete()
        hand(campaign, FIRST)
        answer(silent, COMPLETE, ANSWERED)
        return hand(campaign, SECOND)

    def test_the_answer_is_treated_like_any_other(self, silent, delta):
        silent.refresh_from_db()
        assert (silent.state, silent.late) == ("restituted", True)
        assert silent.findings.filter(rule="RG17", settled_at=None).count() == 1

    def test_the_delta_holds_that_case_only_and_links_the_delivery_before(self, silent, delta):
        assert {line["REFERENCE"] for line in table(delta)} == {"00100001"}
        assert delta.follows.number == 1
        line = delta.lines.get()
        assert (line.regularisation, line.previous.restitution.number) == (True, 1)
        assert table(delta)[0]["RESTITUTION_PRECEDENTE"] == "1"

    def test_the_overpaid_sls_is_flagged_with_its_reason_and_its_date(self, delta):
        line = table(delta)[0]
        assert (line["TROP_PERCU"], line["REVERSER_AVANT"]) == ("O", "20/03/2027")
        assert "non-répondant" in line["MOTIF_TROP_PERCU"]
        assert "L441-9" in line["MOTIF_TROP_PERCU"]

    def test_people_read_what_changed_field_by_field(self, delta):
        changes = {(line["RANG"], line["COLONNE"]): (line["AVANT"], line["APRES"]) for line in table(delta, "changes")}
        assert changes["", "ETAT"] == ("non-répondant", "restitué")
        assert changes["1", "RFR"] == ("", "21500")

    def test_nothing_more_is_flagged_the_next_time(self, campaign, silent, delta):
        answer(silent, {("household.size", 0): 4}, SECOND, "encore")
        third = hand(campaign, SECOND + dt.timedelta(days=5))
        assert [line["TROP_PERCU"] for line in table(third)][:1] == ["N"]

    def test_an_incomplete_answer_in_between_does_not_hide_the_refund(self, campaign, silent, complete):
        hand(campaign, FIRST)
        receive_online(case=silent, answers=COMPLETE, documents=[], submission="partie", now=ANSWERED)
        assert table(hand(campaign, ANSWERED + dt.timedelta(days=1)))[0]["TROP_PERCU"] == "N"
        answer(silent, {}, ANSWERED + dt.timedelta(days=3), "reste")
        assert table(hand(campaign, SECOND))[0]["TROP_PERCU"] == "O"

    def test_an_ops_household_has_no_sls_to_get_back(self, campaign, silent, complete):
        SurveyCase.objects.filter(pk=silent.pk).update(scope="ops")
        hand(campaign, FIRST)
        answer(silent, COMPLETE, ANSWERED)
        assert table(hand(campaign, SECOND))[0]["TROP_PERCU"] == "N"


class TestAfterAnAnswer:
    def test_another_income_is_to_be_checked(self, campaign, complete):
        case = complete()
        hand(campaign, FIRST)
        answer(case, {("occupant.tax_reference_income", 1): 15_000}, ANSWERED)
        delta = hand(campaign, SECOND)
        assert table(delta)[0]["TROP_PERCU"] == "V"
        assert "recalculez" in table(delta)[0]["MOTIF_TROP_PERCU"]

    def test_another_telephone_number_changes_no_amount(self, campaign, complete):
        case = complete()
        hand(campaign, FIRST)
        answer(case, {("household.phone", 0): "0639980055"}, ANSWERED)
        delta = hand(campaign, SECOND)
        assert table(delta)[0]["TROP_PERCU"] == "N"
        assert [(line["COLONNE"], line["APRES"]) for line in table(delta, "changes")] == [("TELEPHONE", "0639980055")]

    def test_the_same_answer_sent_again_makes_no_line_and_the_case_is_restituted_again(self, campaign, complete):
        case = complete()
        hand(campaign, FIRST)
        answer(case, dict(COMPLETE), ANSWERED)
        assert case.state == "complete"
        with pytest.raises(UnableToRestitute, match="Rien de nouveau"):
            hand(campaign, SECOND)
        case.refresh_from_db()
        assert case.state == "restituted"
        assert Restitution.objects.count() == 1


class TestForEver:
    def test_files_and_lines_never_change(self, campaign, complete):
        complete()
        restitution = hand(campaign, FIRST)
        for row in (restitution.files.get(), restitution.lines.get()):
            with pytest.raises(HandedOver):
                row.save()
        with pytest.raises(HandedOver):
            RestitutionLine.objects.update(state="sent")


class TestACorrection:
    """Edge case 15: the landlord's software refuses one line; all the others come back to the letter."""

    @pytest.fixture
    def refused(self, campaign, complete):
        code_table(campaign, "SITUATION_FAMILIALE", {"M": ("Marié", "married"), "C": ("Célibataire", "single")})
        cases = [complete(f"001{number:05d}") for number in range(12)]
        return hand(campaign, FIRST), cases

    def lines(self, restitution):
        with restitution.files.get(format="csv").content.open("rb") as stored:
            return stored.read().decode().split("\r\n")

    def test_edge_case_15_only_the_case_named_changes(self, campaign, refused):
        first, cases = refused
        for case in (cases[3], cases[7]):  # both changed since, one only is corrected
            case.declaration.record("occupant.tax_reference_income", 1, 30_000, source="case_manager")
            case.declaration.save()
        again = correct(restitution=first, references=[cases[7].reference], now=SECOND)
        before, after = self.lines(first), self.lines(again)
        different = [old.split(";")[1] for old, new in zip(before, after, strict=True) if old != new]
        assert different == ["00100007"]
        assert (again.number, again.replaces, again.follows) == (2, first, first)

    def test_a_case_that_was_not_in_it_is_refused(self, refused):
        first, _ = refused
        with pytest.raises(UnableToRestitute, match="ABCDEFGH"):
            correct(restitution=first, references=["ABCDEFGH"], now=SECOND)
        with pytest.raises(UnableToRestitute, match="aucun"):
            correct(restitution=first, references=[], now=SECOND)

    def test_the_command_does_it(self, campaign, refused, tmp_path, capsys):
        _, cases = refused
        line = ("restitute", "--campaign", str(campaign.pk), "--out", str(tmp_path / "out"), "--correct")
        call_command(*line, "1", "--cases", cases[0].reference)
        assert "Restitution 2 : 12 dossiers" in capsys.readouterr().out
        with pytest.raises(CommandError, match="pas de restitution 9"):
            call_command(*line, "9", "--cases", cases[0].reference)
