"""A rule tried on a campaign's own households: the figures, the cases shown with their facts, nothing written."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.operations import effective_form
from campaigns.questionnaire.parsing import load_library
from campaigns.questionnaire.schema import Requires, Rule, Severity
from returns.models import Finding, RuleTrial
from returns.rules import trial as trials
from returns.rules import whole_trials
from returns.rules.dossier import dossier_of
from returns.rules.trial import dossiers_of, try_rule
from tenants.models import SurveyCase
from tests.factories.campaigns import RevisionFactory
from tests.factories.returns import DeclarationFactory, DocumentFactory, ReturnFactory
from tests.factories.tenants import CaseFactory

pytestmark = pytest.mark.django_db

RULE = Rule(
    code="T1",
    severity=Severity.BLOCKING,
    message="Merci d'envoyer votre certificat de scolarité.",
    label="Essai",
    repeat="occupants",
    document_key="school_certificate",
    expression='occupant.link = "child" et occupant.age < 18 et dwelling.agency = "AG01"',
    requires=Requires.DOCUMENT,
)
FORM = load_library("sls")


@pytest.fixture
def households(campaign):
    """Three families with a child, and two couples."""
    return [CaseFactory(campaign=campaign, household__occupants=people) for people in (3, 3, 2, 2, 4)]


def test_the_rule_would_fire_on_so_many_households(campaign, households):
    trial = try_rule(campaign=campaign, rule=RULE, form=FORM)

    assert (trial.total, trial.examined, trial.answered) == (5, 5, 0)
    assert (trial.concerned, trial.fired, trial.places) == (3, 3, 4)
    assert not trial.is_sample
    first = trial.shown[0]
    assert first.case == households[0]
    assert first.who == "Zoé Élodée"
    assert [(fact.label, fact.value) for fact in first.facts] == [
        ("Lien", "« Enfant »"),
        ("Âge au 1er janvier de l'enquête", "15"),
        ("Code de l'agence", "« AG01 »"),
    ]


def test_what_is_required_and_came_does_not_fire(campaign, households):
    DocumentFactory(case=households[0], kind="school_certificate", row=3)

    trial = try_rule(campaign=campaign, rule=RULE, form=FORM)

    assert (trial.concerned, trial.fired) == (3, 2)


def test_a_declaration_counts_where_it_came(campaign, households):
    revision = RevisionFactory(campaign=campaign)
    DeclarationFactory(case=households[0], revision=revision, told={("occupant.link", 3): "ascendant"})

    trial = try_rule(campaign=campaign, rule=RULE, form=FORM)

    assert (trial.answered, trial.concerned) == (1, 2)


def test_the_facts_of_a_household_rule_are_told_for_each_occupant(campaign, households):
    rule = dataclasses.replace(
        RULE, repeat="", document_key="", requires=Requires.NOTE, expression="nombre(occupant.age >= 18) = 2"
    )

    trial = try_rule(campaign=campaign, rule=rule, form=FORM)

    assert (trial.fired, trial.places) == (5, 5)
    assert trial.shown[2].who == ""
    assert trial.shown[2].facts[0].value == "45 · 44"


def test_beyond_the_most_a_spread_sample_is_tried_and_says_so(campaign, households):
    trial = try_rule(campaign=campaign, rule=RULE, form=FORM, most=2)

    assert (trial.total, trial.examined) == (5, 2)
    assert trial.is_sample
    assert trial.fired == 1
    assert trial.estimate == 2


def test_an_empty_campaign_is_tried_too(campaign):
    trial = try_rule(campaign=campaign, rule=RULE, form=FORM)

    assert (trial.total, trial.fired, trial.estimate, trial.shown) == (0, 0, 0, ())


def test_a_trial_writes_nothing_and_asks_a_fixed_number_of_questions(campaign, households):
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            try_rule(campaign=campaign, rule=RULE, form=FORM)
        counts.append(len(queries))
        assert all(each["sql"].startswith("SELECT") for each in queries)
        CaseFactory.create_batch(4, campaign=campaign)

    assert counts[0] == counts[1]
    assert not Finding.objects.exists()


def test_many_dossiers_are_those_of_each_case(family, declare, notices):
    declare({("occupant.cmi", 1): True}, channel="paper")
    form = family.campaign.revisions.get().questionnaire
    ReturnFactory(case=CaseFactory(campaign=family.campaign))

    alone = dossier_of(family)
    [(_, among), _] = dossiers_of(SurveyCase.objects.filter(campaign=family.campaign), form)

    assert among.context == alone.context
    assert among.evidence == alone.evidence
    assert (among.on_paper, among.doubled, among.decisions) == (alone.on_paper, alone.doubled, alone.decisions)


class TestOnTheWholeCampaign:
    """The same trial by a worker, a few hundred households at a time."""

    def asked(self, campaign, manager, now, rule=RULE):
        return whole_trials.ask(campaign=campaign, rule=rule, actor=manager, now=now)

    def test_it_comes_to_what_the_trial_at_once_comes_to(self, campaign, households, manager, now, monkeypatch):
        monkeypatch.setattr(trials, "CHUNK", 2)
        trial = self.asked(campaign, manager, now)
        assert (trial.state, trial.total, trial.definition) == ("waiting", 5, RULE)

        whole_trials.carry_out(trial=trial, clock=lambda: now)

        trial.refresh_from_db()
        form = effective_form(campaign)
        assert trial.state == RuleTrial.State.DONE
        assert whole_trials.told(trial, form) == try_rule(campaign=campaign, rule=RULE, form=form)
        assert "Zoé" not in str(trial.shown)

    def test_it_tells_how_far_it_is(self, campaign, households, manager, now, monkeypatch):
        monkeypatch.setattr(trials, "CHUNK", 2)
        trial, seen = self.asked(campaign, manager, now), []

        def clock():
            seen.append(RuleTrial.objects.get(pk=trial.pk).examined)
            return now

        whole_trials.carry_out(trial=trial, clock=clock)

        assert seen == [0, 0, 2, 4, 5]

    def test_a_new_one_takes_the_place_of_the_former_which_ends(self, campaign, households, manager, now, monkeypatch):
        monkeypatch.setattr(trials, "CHUNK", 2)
        former, asked = self.asked(campaign, manager, now), []

        def clock():
            if RuleTrial.objects.filter(pk=former.pk, examined=2).exists():
                asked.append(self.asked(campaign, manager, now))
            return now

        whole_trials.carry_out(trial=former, clock=clock)

        assert list(RuleTrial.objects.all()) == asked
        assert (asked[0].state, asked[0].examined) == ("waiting", 0)

    def test_a_second_worker_leaves_it_alone(self, campaign, households, manager, now):
        trial = self.asked(campaign, manager, now)
        RuleTrial.objects.filter(pk=trial.pk).update(state="running")

        whole_trials.carry_out(trial=trial, clock=lambda: now)

        trial.refresh_from_db()
        assert (trial.state, trial.examined) == ("running", 0)
        assert not trial.is_over(now)
        assert trial.is_over(now + dt.timedelta(minutes=6))

    def test_a_form_that_cannot_be_drawn_up_stops_it_with_the_reason(self, campaign, households, manager, now):
        trial = self.asked(campaign, manager, now)
        campaign.overlay = {"hide": ["no.such.field"]}
        campaign.save(update_fields=["overlay"])

        whole_trials.carry_out(trial=RuleTrial.objects.get(), clock=lambda: now)

        trial.refresh_from_db()
        assert trial.state == RuleTrial.State.STOPPED
        assert trial.explanation
