"""The SLS of a case from what it declared: who counts, whose income, what cannot be said."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from campaigns.law.household import Role
from campaigns.law.settings import parse_settings, shipped_law
from campaigns.law.sls import MissingFact, Outcome
from campaigns.models import Campaign
from campaigns.questionnaire.conditions import Context
from returns.models import Declaration, SlsSimulation
from returns.simulated import newest_simulation, shown_of
from returns.simulating import declared_cases, simulate
from returns.simulation_panel import describe_simulation, start_simulation, years_of
from returns.sls_cases import estimate, people_of, residents_of, resources_of, warnings_of
from tenants.models import SurveyCase
from tests.factories.campaigns import CampaignFactory, RevisionFactory, UserFactory
from tests.factories.tenants import CaseFactory

LAW = shipped_law()
NOW = dt.datetime(2026, 12, 20, 9, tzinfo=dt.UTC)
REFERENCE = dt.date(2027, 1, 1)
INCOME = "tax_reference_income"


def context(*people: dict[str, Any], **household: Any) -> Context:
    answers = {
        (f"occupant.{key}", row): value
        for row, person in enumerate(people, start=1)
        for key, value in person.items()
        if value is not None
    }
    answers |= {(f"household.{key}", 0): value for key, value in household.items()}
    return Context(answers=answers, reference_on=REFERENCE, known_rows=frozenset(range(1, len(people) + 1)))


def holder(**told: Any) -> dict[str, Any]:
    return {"link": "holder", "birth_date": "1980-05-01", "status": "single", INCOME: 30000, **told}


class TestWhoCounts:
    @pytest.mark.parametrize(
        ("person", "role"),
        [
            ({"link": "spouse"}, Role.SPOUSE),
            ({"link": "partner"}, Role.SPOUSE),
            ({"link": "child", "birth_date": "2015-01-01"}, Role.DEPENDANT),
            ({"link": "child", "birth_date": "2000-01-01"}, Role.LODGER),
            ({"link": "child", "birth_date": "2000-01-01", "dependant": True}, Role.DEPENDANT),
            ({"link": "child"}, Role.DEPENDANT),
            ({"link": "ascendant", "birth_date": "1945-01-01"}, Role.LODGER),
            ({"link": "ascendant", "birth_date": "1945-01-01", "dependant": True}, Role.DEPENDANT),
            ({"link": "lodger", "birth_date": "1990-01-01"}, Role.LODGER),
            ({"link": "co_holder", "birth_date": "1990-01-01", "status": "single"}, Role.TENANT),
        ],
    )
    def test_by_link_age_and_tax_notice(self, person: dict[str, Any], role: Role) -> None:
        assert [each.role for each in people_of(residents_of(context(holder(status=None), person)))] == [
            Role.TENANT,
            role,
        ]

    def test_two_leaseholders_in_one_union_are_a_couple(self) -> None:
        told = context(holder(status="married"), holder(link="co_holder", status="married"))

        assert [each.role for each in people_of(residents_of(told))] == [Role.TENANT, Role.SPOUSE]

    def test_who_has_left_counts_no_more(self) -> None:
        assert len(people_of(residents_of(context(holder(), {"link": "spouse", "left": True})))) == 1

    def test_ages_are_those_of_the_first_of_january(self) -> None:
        [person] = people_of(residents_of(context(holder(birth_date="1999-01-02", cmi=True))))

        assert (person.age, person.disabled) == (27, True)


class TestResources:
    def test_each_notice_counts_once(self) -> None:
        couple = holder(status="married"), {"link": "spouse", "status": "married", INCOME: 30000}
        apart = (
            holder(status="married", notice_reference="A"),
            {"link": "spouse", INCOME: 30000, "notice_reference": "B"},
        )
        together = holder(notice_reference="A"), {"link": "partner", INCOME: 30000, "notice_reference": "A"}
        partners = holder(), {"link": "partner", INCOME: 30000}

        told = [resources_of(residents_of(context(*people))) for people in (couple, apart, together, partners)]
        assert told == [30000, 60000, 30000, 60000]

    def test_a_spouse_without_figures_shares_the_other_ones_notice(self) -> None:
        assert resources_of(residents_of(context(holder(status="married"), {"link": "spouse"}))) == 30000

    def test_dependants_and_lodgers_are_not_waited_for(self) -> None:
        child, lodger = {"link": "child", "birth_date": "2015-01-01"}, {"link": "lodger", INCOME: 90000}

        assert resources_of(residents_of(context(holder(), child, lodger))) == 30000

    @pytest.mark.parametrize(
        ("people", "named"),
        [
            ([holder(**{INCOME: None})], "la personne n° 1"),
            ([holder(), {"link": "partner"}], "la personne n° 2"),
            ([holder(**{INCOME: None}), {"link": "partner"}], "les personnes n° 1, 2"),
        ],
    )
    def test_a_missing_income_is_named_by_its_row(self, people: list[dict[str, Any]], named: str) -> None:
        with pytest.raises(MissingFact, match=named):
            resources_of(residents_of(context(*people)))


@pytest.fixture
def campaign(db: None) -> Campaign:
    return CampaignFactory(stage=Campaign.Stage.FIELD, year=2026)


def answered(campaign: Campaign, income: int = 60000, state: str = "complete", **told: Any) -> SurveyCase:
    told.setdefault("household__dwelling__surface", Decimal(60))
    told.setdefault("household__rent", Decimal(400))
    case = CaseFactory(campaign=campaign, state=state, received_at=NOW, completed_at=NOW, **told)
    revision = campaign.revisions.first() or RevisionFactory(campaign=campaign)
    declaration = Declaration(case=case, revision=revision)
    for person in case.household.occupants.all():
        if person.link != "child":
            declaration.record(f"occupant.{INCOME}", person.row, income, source="online")
            declaration.record("occupant.notice_reference", person.row, "A1", source="online")
    declaration.save()
    return case


class TestEstimate:
    def of(self, case: SurveyCase, year: int | None = None, law: Any = LAW) -> Any:
        found = {each.pk: told for each, told in declared_cases(case.campaign)}
        fresh = SurveyCase.objects.select_related("campaign", "household__dwelling").get(pk=case.pk)
        return estimate(fresh, found[case.pk], law=law, year=year)

    def test_a_complete_answer_gives_an_amount_with_its_steps(self, campaign: Campaign) -> None:
        found = self.of(answered(campaign))

        assert found.assessment is not None
        assert found.assessment.outcome is Outcome.DUE
        assert found.lines[-1].title == "SLS estimé"
        assert found.notes == ()

    def test_a_year_not_published_is_named_and_another_may_be_asked_for(self, campaign: Campaign) -> None:
        Campaign.objects.filter(pk=campaign.pk).update(year=2027)
        case = answered(campaign)

        missing, indicative = self.of(case), self.of(case, 2026)

        assert missing.assessment is None
        assert missing.official
        assert "2027" in missing.problem
        assert indicative.assessment is not None
        assert "chiffres de 2026" in indicative.notes[0]

    def test_a_landlord_may_enter_the_figures_of_a_new_year(self, campaign: Campaign) -> None:
        Campaign.objects.filter(pk=campaign.pk).update(year=2027)
        law = parse_settings(
            'source = "Accord"\n[[slr]]\nyear = 2027\nzones = { 3 = "0.32" }\nsource = "Barème"\n'
            '[[ceilings]]\nyear = 2027\nzone = "other"\ncategories = [1, 2, 3, 4, 5, 6]\nextra = 1\nsource = "Arrêté"'
        )

        assert self.of(answered(campaign), law=law).assessment is not None

    def test_silence_is_waited_for_then_settled_provisionally(self, campaign: Campaign) -> None:
        waiting = self.of(CaseFactory(campaign=campaign, state="sent"))
        silent = self.of(
            CaseFactory(campaign=campaign, state="non_respondent", household__dwelling__surface=Decimal(65))
        )

        assert (waiting.waiting, waiting.assessment) == (True, None)
        assert silent.assessment.outcome is Outcome.PROVISIONAL
        assert silent.assessment.raw == Decimal("300.235")

    def test_out_of_scope_is_exempt_for_its_reason(self, campaign: Campaign) -> None:
        found = self.of(answered(campaign, scope="ops", scope_reason="Bénéficiaire de l'APL."))

        assert found.assessment.outcome is Outcome.EXEMPT
        assert found.assessment.text == "Bénéficiaire de l'APL."

    def test_what_the_dwelling_lacks_is_said(self, campaign: Campaign) -> None:
        found = self.of(answered(campaign, household__dwelling__slr_zone="7"))

        assert found.assessment is None
        assert "« 7 » ne se lit pas" in found.problem

    def test_an_incomplete_answer_is_said_to_be_provisional(self, campaign: Campaign) -> None:
        found = self.of(answered(campaign, state="incomplete"))

        assert found.assessment is not None
        assert "pas complet" in found.notes[0]


class TestWarnings:
    def test_a_second_year_of_silence_warns_of_the_right_to_stay(self, campaign: Campaign) -> None:
        case = CaseFactory(campaign=campaign, state="non_respondent", household__non_response_years=1)

        [found] = warnings_of(case, context(holder()))

        assert found.lost_on.date == dt.date(2028, 7, 1)
        assert warnings_of(case, context(holder(birth_date="1950-01-01"))) == ()
        assert warnings_of(case, context(holder(cmi=True))) == ()

    def test_a_first_year_or_an_answer_warns_of_nothing(self, campaign: Campaign) -> None:
        first = CaseFactory(campaign=campaign, state="non_respondent")
        told = CaseFactory(campaign=campaign, state="complete", household__non_response_years=1)

        assert [warnings_of(case, context(holder())) for case in (first, told)] == [(), ()]


class TestSimulation:
    def test_households_are_counted_by_bracket_with_their_amounts(self, campaign: Campaign) -> None:
        answered(campaign, 60000)
        answered(campaign, 20000)
        answered(campaign, 200000)
        answered(campaign, scope="ops")
        answered(campaign, household__rent=None)
        CaseFactory(campaign=campaign, state="sent")
        CaseFactory(campaign=campaign, state="non_respondent", household__dwelling__surface=Decimal(65))

        made = simulate(campaign=campaign, now=NOW, actor=UserFactory())

        shown = shown_of(made)
        assert made.explanation == ""
        assert dict(shown.outcomes) == {
            "sous le seuil de 20 %": 1,
            "SLS estimé": 2,
            "sans réponse : forfait": 1,
            "exemptés ou hors périmètre": 1,
            "pas encore de réponse": 1,
            "impossibles à estimer": 1,
        }
        assert shown.households == 3
        assert sum(Decimal(each) for each in made.figures["amounts"].values()) > 0
        assert [count for _, count in shown.problems] == [1]
        assert "loyer" in shown.problems[0][0]

    def test_it_stops_on_a_missing_official_figure(self, campaign: Campaign) -> None:
        Campaign.objects.filter(pk=campaign.pk).update(year=2027)
        campaign.refresh_from_db()
        answered(campaign)

        made = simulate(campaign=campaign, now=NOW)

        assert made.figures == {}
        assert newest_simulation(campaign) is None
        assert "2027" in made.explanation
        assert describe_simulation(campaign).note == made.explanation
        assert [year for year, _ in years_of(campaign)][:2] == ["2027", "2026"]

    def test_the_queries_do_not_grow_with_the_cases(
        self, campaign: Campaign, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(6):
            answered(campaign)

        with django_assert_max_num_queries(10):
            assert len(list(declared_cases(campaign))) == 6

    def test_the_step_of_the_campaign_page_starts_it(
        self, campaign: Campaign, django_capture_on_commit_callbacks: Any
    ) -> None:
        assert describe_simulation(campaign).actions == []
        answered(campaign)
        assert describe_simulation(campaign).actions == ["simulate"]

        with django_capture_on_commit_callbacks(execute=True):
            start_simulation(campaign, UserFactory(), NOW, {"choice": "2025"})

        made = SlsSimulation.objects.get(campaign=campaign)
        assert made.year == 2025
        assert describe_simulation(campaign).figures[0].value == 1

    def test_a_campaign_of_ops_alone_has_none(self, db: None) -> None:
        panel = describe_simulation(CampaignFactory(survey="ops"))

        assert "OPS" in panel.note
        assert panel.actions == ()
