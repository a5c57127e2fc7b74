"""Opening, drawing up, approving, printing only what is approved, closing."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.files.base import ContentFile

from campaigns import operations
from campaigns.models import Campaign, FormProof, FrozenRevision, LayoutVariant, Milestone
from campaigns.paper_form.layout import capacity_for
from tests.factories.campaigns import CampaignFactory, UserFactory, code_table

pytestmark = pytest.mark.django_db

DATES = {
    "opens_on": dt.date(2026, 10, 12),
    "reply_by": dt.date(2026, 11, 20),
    "closes_on": dt.date(2027, 1, 8),
}


@pytest.fixture(autouse=True)
def _few_sizes(monkeypatch):
    """Few layouts to draw up."""
    monkeypatch.setattr(operations, "LARGEST_HOUSEHOLD", 3)


def test_layouts_are_drawn_up_for_whole_pages_then_for_whole_further_sheets(monkeypatch):
    monkeypatch.undo()
    assert operations._capacities() == [2, 4, 6, 8, 10, 12, 14, 16, 20, 24]


def opened(landlord, now, **changes):
    return operations.open_campaign(landlord=landlord, survey="sls", year=2027, now=now, **(DATES | changes))


def presented(campaign, now):
    revision = operations.draw_up_revision(campaign=campaign, now=now)
    return operations.present_proof(revision=revision, document=b"%PDF-1.7 epreuve", now=now)


class TestOpening:
    def test_a_campaign_opens_with_its_whole_calendar(self, landlord, now):
        campaign = opened(landlord, now)
        days = {each.kind: each.due_on for each in campaign.milestones.all()}
        assert set(days) == set(Milestone.Kind.values)
        assert days["dispatch"] == DATES["opens_on"]
        assert days["reminder_digital"] == dt.date(2026, 11, 1)
        assert days["reminder_letter"] == dt.date(2026, 11, 23)
        assert days["formal_notice"] == dt.date(2026, 12, 7)
        assert days["non_response"] >= dt.date(2026, 12, 22)
        assert days["closing"] == DATES["closes_on"]
        assert campaign.stage == Campaign.Stage.PREPARATION

    def test_another_date_may_be_chosen(self, landlord, now):
        campaign = opened(landlord, now, calendar={"reminder_letter": dt.date(2026, 11, 30)})
        assert campaign.milestones.get(kind="reminder_letter").due_on == dt.date(2026, 11, 30)

    def test_a_formal_notice_within_the_legal_month_is_refused(self, landlord, now):
        with pytest.raises(operations.UnableToOpen, match="un mois") as refusal:
            opened(
                landlord,
                now,
                reply_by=dt.date(2026, 10, 26),
                calendar={"formal_notice": dt.date(2026, 11, 12), "constat": dt.date(2026, 11, 2)},
            )
        assert "L441-9" in str(refusal.value)
        assert "12/11/2026 compris" in str(refusal.value)
        assert not Campaign.objects.exists()

    def test_the_day_after_the_legal_month_is_accepted(self, landlord, now):
        days = {"constat": (11, 2), "formal_notice": (11, 13), "non_response": (12, 1)}
        calendar = {kind: dt.date(2026, *day) for kind, day in days.items()}
        assert opened(landlord, now, reply_by=dt.date(2026, 10, 26), calendar=calendar).pk

    def test_less_than_fifteen_days_after_the_formal_notice_is_refused(self, landlord, now):
        with pytest.raises(operations.UnableToOpen, match="quinze jours"):
            opened(landlord, now, calendar={"non_response": dt.date(2026, 12, 22)})

    def test_fifteen_days_after_the_formal_notice_are_enough(self, landlord, now):
        assert opened(landlord, now, calendar={"non_response": dt.date(2026, 12, 23)}).pk

    def test_a_closing_before_the_end_of_the_formal_notice_is_refused(self, landlord, now):
        with pytest.raises(operations.UnableToOpen, match="s'achève avant la clôture"):
            opened(landlord, now, closes_on=dt.date(2026, 12, 15))

    def test_dates_out_of_order_are_refused(self, landlord, now):
        with pytest.raises(operations.UnableToOpen, match="corrigez les dates"):
            opened(landlord, now, reply_by=dt.date(2026, 10, 1))

    def test_an_unknown_survey_is_refused(self, landlord, now):
        with pytest.raises(operations.UnableToOpen, match="n'existe pas"):
            operations.open_campaign(landlord=landlord, survey="satisfaction", year=2027, now=now, **DATES)

    def test_one_campaign_a_year_but_as_many_rehearsals_as_wanted(self, landlord, now):
        opened(landlord, now)
        opened(landlord, now, rehearsal=True)
        opened(landlord, now, rehearsal=True)
        with pytest.raises(operations.UnableToOpen, match="déjà une campagne"):
            opened(landlord, now)
        assert Campaign.objects.count() == 3

    def test_only_a_case_manager_opens(self, landlord, landlord_user, now):
        with pytest.raises(operations.UnableToOpen, match="chargé d'affaires"):
            opened(landlord, now, actor=landlord_user)


class TestDrawingUp:
    def test_a_revision_holds_the_form_and_a_layout_for_every_size_of_household(self, campaign, now):
        revision = operations.draw_up_revision(campaign=campaign, now=now)
        assert revision.number == 1
        assert "{" not in revision.questionnaire.title
        assert "2027" in revision.questionnaire.title
        rows = set(revision.layouts.values_list("rows", flat=True))
        assert {capacity_for(people) for people in range(1, operations.LARGEST_HOUSEHOLD + 1)} == rows
        for variant in revision.layouts.all():
            assert variant.layout.fingerprint == variant.fingerprint

    def test_drawing_up_again_without_a_change_gives_the_same_revision(self, campaign, now):
        first = operations.draw_up_revision(campaign=campaign, now=now)
        assert operations.draw_up_revision(campaign=campaign, now=now) == first
        assert LayoutVariant.objects.values("revision").distinct().count() == 1

    def test_a_landlords_difference_makes_a_new_revision_that_says_what_changed(self, campaign, now):
        first = operations.draw_up_revision(campaign=campaign, now=now)
        campaign.overlay = {"fields": {"household.phone": {"label": "Votre téléphone"}}}
        campaign.save()
        second = operations.draw_up_revision(campaign=campaign, now=now)
        assert second.number == 2
        (line,) = operations.differences(before=first, after=second)
        assert "Votre téléphone" in line

    def test_an_impossible_difference_is_refused_with_its_place(self, campaign, now):
        campaign.overlay = {"fields": {"household.shoe_size": {"label": "Pointure"}}}
        with pytest.raises(operations.UnableToDrawUp, match=r"household\.shoe_size"):
            operations.draw_up_revision(campaign=campaign, now=now)
        assert not campaign.revisions.exists()

    def test_a_code_table_that_leaves_a_value_out_is_refused(self, campaign, now):
        code_table(campaign, "LIEN", {"TIT": ("Titulaire", "holder")})
        with pytest.raises(operations.UnableToDrawUp, match="LIEN"):
            operations.draw_up_revision(campaign=campaign, now=now)


class TestProof:
    def test_the_landlord_approves_and_everything_is_frozen(self, campaign, landlord_user, now):
        proof = presented(campaign, now)
        campaign.refresh_from_db()
        assert campaign.stage == Campaign.Stage.PROOF
        proof = operations.approve_proof(proof=proof, actor=landlord_user, now=now)
        campaign.refresh_from_db()
        assert campaign.stage == Campaign.Stage.APPROVED
        assert proof.decided_by == landlord_user
        assert proof.revision.frozen_at == now
        assert operations.approved_revision(campaign) == proof.revision

    def test_a_frozen_revision_refuses_every_change(self, campaign, landlord_user, now):
        revision = operations.approve_proof(proof=presented(campaign, now), actor=landlord_user, now=now).revision
        revision.definition = {**revision.definition, "title": "Autre"}
        with pytest.raises(FrozenRevision, match="figée"):
            revision.save()
        with pytest.raises(FrozenRevision):
            revision.delete()
        with pytest.raises(FrozenRevision):
            type(revision).objects.filter(pk=revision.pk).update(number=9)
        with pytest.raises(FrozenRevision):
            revision.layouts.first().save()

    def test_nothing_prints_without_approval(self, campaign, now):
        with pytest.raises(operations.UnableToPrint, match="Aucun BAT"):
            operations.approved_revision(campaign)
        presented(campaign, now)
        with pytest.raises(operations.UnableToPrint):
            operations.approved_revision(campaign)

    @pytest.mark.parametrize(("name", "value"), [("hotline", "09 00 00 00 00"), ("accent", "#123456")])
    def test_what_changed_after_approval_does_not_print(self, campaign, landlord_user, now, name, value):
        operations.approve_proof(proof=presented(campaign, now), actor=landlord_user, now=now)
        setattr(campaign.landlord, name, value)
        campaign.landlord.save()
        with pytest.raises(operations.UnableToPrint, match="nouveau BAT"):
            operations.approved_revision(campaign)

    def test_a_new_rules_document_asks_for_a_new_proof(self, campaign, landlord_user, now):
        proof = presented(campaign, now)
        campaign.rules_document.save("regles.csv", ContentFile(b"code;objet\nRG01;Signature\n"))
        with pytest.raises(operations.UnableToDecide, match="ont changé"):
            operations.approve_proof(proof=proof, actor=landlord_user, now=now)
        assert operations.approve_proof(proof=presented(campaign, now), actor=landlord_user, now=now)

    def test_a_rival_landlord_cannot_approve(self, campaign, now):
        rival = UserFactory(of_landlord=True)
        with pytest.raises(operations.UnableToDecide, match="autre bailleur"):
            operations.approve_proof(proof=presented(campaign, now), actor=rival, now=now)

    def test_an_operator_cannot_approve(self, campaign, now):
        with pytest.raises(operations.UnableToDecide):
            operations.approve_proof(
                proof=presented(campaign, now), actor=UserFactory(keying=True), now=now, comment="vu"
            )

    def test_a_case_manager_records_an_approval_with_a_comment(self, campaign, manager, now):
        proof = presented(campaign, now)
        with pytest.raises(operations.UnableToDecide, match="qui, chez le bailleur"):
            operations.approve_proof(proof=proof, actor=manager, now=now)
        proof = operations.approve_proof(proof=proof, actor=manager, now=now, comment="Accord par courriel du 1er")
        assert proof.comment == "Accord par courriel du 1er"

    def test_a_refusal_says_why_and_leaves_the_revision_open(self, campaign, landlord_user, now):
        proof = presented(campaign, now)
        with pytest.raises(operations.UnableToDecide, match="ce qui doit changer"):
            operations.refuse_proof(proof=proof, actor=landlord_user, now=now, comment=" ")
        proof = operations.refuse_proof(proof=proof, actor=landlord_user, now=now, comment="Logo trop petit")
        assert proof.state == FormProof.State.REFUSED
        assert proof.revision.frozen_at is None
        with pytest.raises(operations.UnableToDecide, match="déjà refusé"):
            operations.approve_proof(proof=proof, actor=landlord_user, now=now)

    def test_a_new_proof_replaces_the_open_one(self, campaign, now):
        first, second = presented(campaign, now), presented(campaign, now)
        first.refresh_from_db()
        assert first.state == FormProof.State.REPLACED
        assert second.state == FormProof.State.OPEN


class TestField:
    def test_the_field_opens_once_approved_and_closes_on_its_day(self, landlord, landlord_user, manager, now):
        campaign = opened(landlord, now)
        with pytest.raises(operations.UnableToPrint):
            operations.enter_field(campaign=campaign, now=now)
        operations.approve_proof(proof=presented(campaign, now), actor=landlord_user, now=now)
        operations.enter_field(campaign=campaign, now=now)
        operations.enter_field(campaign=campaign, now=now)
        campaign.refresh_from_db()
        assert campaign.stage == Campaign.Stage.FIELD
        assert campaign.milestones.get(kind="dispatch").done_at == now
        with pytest.raises(operations.UnableToClose, match="08/01/2027"):
            operations.close_campaign(campaign=campaign, now=now, actor=manager)
        with pytest.raises(operations.UnableToClose, match="chargé d'affaires"):
            operations.close_campaign(campaign=campaign, now=now, actor=landlord_user)
        late = dt.datetime(2027, 1, 8, 18, tzinfo=dt.UTC)
        assert operations.close_campaign(campaign=campaign, now=late, actor=manager).stage == Campaign.Stage.CLOSED

    def test_a_campaign_that_is_not_out_cannot_close(self, now):
        with pytest.raises(operations.UnableToClose, match="rien à clore"):
            operations.close_campaign(campaign=CampaignFactory(), now=now)
