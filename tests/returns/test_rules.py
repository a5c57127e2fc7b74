"""The règles de gestion: each fires and stays quiet where it should; findings open, settle and never double."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.models import QuestionnaireRevision
from campaigns.questionnaire.consistency import check
from campaigns.questionnaire.parsing import load_library
from returns.models import Finding
from returns.rules.checks import CHECKS, is_forbidden
from returns.rules.engine import assess
from tests.factories.returns import DocumentFactory, ReadingFactory, ReturnFactory
from tests.returns.conftest import signed_notice

pytestmark = pytest.mark.django_db

UNION = {("occupant.status", 1): "single"}


def fired(case, now) -> set[tuple[str, int]]:
    """The rules that stand, with their row."""
    return {(finding.rule, finding.row) for finding in assess(case=case, now=now).standing}


@pytest.mark.parametrize("survey", ["sls", "ops", "sls_ops"])
def test_the_library_names_only_known_checks(survey):
    assert check(load_library(survey), rule_checks=CHECKS) == []


def test_a_complete_case_fires_nothing(family, declare, notices, later):
    declare()
    assert fired(family, later) == set()


def test_an_unsigned_paper_form_fires(family, declare, notices, later):
    declare(channel="paper")
    assert fired(family, later) == {("RG01", 0)}


def test_a_signed_paper_form_does_not_fire(family, declare, notices, later):
    declare({("signature.signed", 0): True, ("signature.signed_on", 0): "2026-10-30"}, channel="paper")
    assert fired(family, later) == set()


def test_validating_on_line_stands_for_a_signature(family, declare, notices, later):
    declare(channel="paper")
    ReturnFactory(case=family, channel="online")
    assert fired(family, later) == set()


def test_a_missing_notice_fires_for_the_adult_concerned(family, declare, later):
    declare()
    DocumentFactory(case=family, row=1)
    assert fired(family, later) == {("RG02", 2)}


def test_notices_that_name_nobody_count_one_adult_each(family, declare, later):
    declare()
    DocumentFactory(case=family, row=0)
    assert fired(family, later) == {("RG02", 2)}
    DocumentFactory(case=family, row=0)
    assert fired(family, later) == set()


def test_the_pages_that_follow_a_notice_count_for_nobody(family, declare, later):
    declare()
    DocumentFactory(case=family, row=0)
    DocumentFactory(case=family, row=0, read={"continuation": True})
    assert fired(family, later) == {("RG02", 2)}


def test_a_refused_notice_does_not_count(family, declare, notices, later):
    declare()
    notices[0].state = "refused"
    notices[0].save()
    assert fired(family, later) == {("RG02", 1)}


def test_a_joint_notice_counts_for_both_spouses(family, declare, later):
    declare({("occupant.tax_reference_income", 2): 21_500})
    DocumentFactory(case=family, row=1)
    assert fired(family, later) == set()


def test_an_adult_on_the_leaseholders_notice_needs_none_of_its_own(family, declare, notices, later):
    child = family.household.occupants.get(row=3)
    child.birth_date = dt.date(2007, 6, 1)
    child.save()
    declare({("occupant.tax_reference_income", 3): 0, ("occupant.dependant", 3): True})
    assert fired(family, later) == set()
    declaration = family.declaration
    declaration.answers["occupant.dependant"]["3"]["value"] = False
    declaration.save()
    assert fired(family, later) == {("RG02", 3)}


def test_a_household_out_of_the_sls_needs_no_notice(family, declare, later):
    declare()
    type(family).objects.filter(pk=family.pk).update(scope="ops")
    family.refresh_from_db()
    assert fired(family, later) == set()


def test_a_notice_of_another_year_fires_instead_of_a_missing_one(family, declare, later):
    declare()
    DocumentFactory(case=family, row=1, read={"income_year": 2024})
    DocumentFactory(case=family, row=2)
    assert fired(family, later) == {("RG03", 1)}
    DocumentFactory(case=family, row=1, read={"income_year": 2025})
    assert fired(family, later) == set()


def test_a_signed_income_close_to_the_declared_one_is_only_told(family, declare, later):
    declare()
    DocumentFactory(case=family, **signed_notice(1, "ELODEE INES", 21_501))
    DocumentFactory(case=family, row=2)
    assert fired(family, later) == {("RG04", 1)}


def test_a_declared_income_far_from_the_signed_one_fires(family, declare, later):
    declare()
    DocumentFactory(case=family, **signed_notice(1, "ELODEE INES", 21_502))
    DocumentFactory(case=family, row=2)
    assert fired(family, later) == {("RG04", 1), ("RG05", 1)}


def test_a_signed_notice_of_somebody_else_certifies_nothing(family, declare, later):
    declare()
    DocumentFactory(case=family, **signed_notice(1, "MARTIN PAUL", 900))
    DocumentFactory(case=family, row=2)
    assert fired(family, later) == set()


# Documents asked by situation: the answers that call for each, and the row of its rule.
SITUATIONS = {
    "RG06": ("union_proof", 0, {("occupant.status", 1): "pacs"}),
    "RG07": ("separation_proof", 0, {("occupant.status", 1): "divorced"}),
    "RG08": (
        "death_certificate",
        0,
        {
            ("occupant.left", 3): True,
            ("occupant.left_on", 3): "2026-02-01",
            ("occupant.left_reason", 3): "death",
        },
    ),
    "RG09": ("birth_certificate", 4, {("occupant.first_name", 4): "Lou", ("occupant.birth_date", 4): "2026-03-02"}),
    "RG11": ("custody_judgment", 3, {("occupant.shared_custody", 3): True}),
    "RG12": ("cmi_card", 1, {("occupant.cmi", 1): True}),
    "RG13": ("identity", 4, {("occupant.first_name", 4): "Ana", ("occupant.birth_date", 4): "1990-03-02"}),
    "RG14": ("resource_fall_proofs", 0, {("household.resource_fall", 0): True}),
}


@pytest.mark.parametrize("rule", SITUATIONS)
def test_a_situation_calls_for_its_piece_until_it_comes(rule, family, declare, notices, later):
    kind, row, changes = SITUATIONS[rule]
    declare(changes)
    assert (rule, row) in fired(family, later)
    DocumentFactory(case=family, kind=kind, row=row)
    assert (rule, row) not in fired(family, later)


def test_a_grown_child_at_school_needs_a_certificate(family, declare, notices, later):
    child = family.household.occupants.get(row=3)
    child.birth_date = dt.date(2004, 6, 1)
    child.save()
    declare({("occupant.tax_reference_income", 3): 0})
    assert ("RG10", 3) in fired(family, later)
    DocumentFactory(case=family, kind="school_certificate", row=3)
    assert ("RG10", 3) not in fired(family, later)


def test_two_ticked_boxes_fire_until_the_question_is_answered(family, declare, notices, later):
    declaration = declare()
    ReadingFactory(
        survey_return=family.returns.get(),
        field="occupant.activity",
        row=1,
        value=None,
        accepted=False,
        reason="plusieurs cases cochées",
    )
    [finding] = assess(case=family, now=later).standing
    assert (finding.rule, finding.field, finding.row) == ("RG15", "occupant.activity", 1)
    assert finding.message.endswith("Question concernée : « Activité ».")
    declaration.record("occupant.activity", 1, "retired", source="keying")
    declaration.save()
    assert fired(family, later) == set()


def test_a_late_answer_is_told(family, declare, notices, later):
    declare()
    type(family).objects.filter(pk=family.pk).update(late=True)
    family.refresh_from_db()
    assert fired(family, later) == {("RG17", 0)}


def test_a_household_with_apl_is_told_that_no_income_paper_is_asked(family, declare, notices, later):
    declare()
    family.household.apl = True
    family.household.save()
    assert fired(family, later) == {("RG16", 0)}


def test_what_may_not_be_kept_is_erased_and_its_finding_settled(family, declare, notices, later):
    declaration = declare({("household.comment", 0): "Mon numéro de sécu est le 1 84 12 76 451 089"})
    assert fired(family, later) == set()
    declaration.refresh_from_db()
    assert ("household.comment", 0) not in declaration.values()
    assert Finding.objects.get(case=family, rule="RG18").settled_at == later
    assert family.events.filter(kind="forbidden_data_erased").count() == 1
    assert fired(family, later) == set()
    assert family.events.filter(kind="forbidden_data_erased").count() == 1


@pytest.mark.parametrize(
    ("text", "forbidden"),
    [
        ("1 84 12 76 451 089 46", True),
        ("184127645108946", True),
        ("2 84 12 2A 451 089 47", False),
        ("NIR 1841276451089", True),
        ("mon avis est le 2637012345678", False),
        ("de nationalité française", True),
        ("Mon fils est parti le 12 mars", False),
        ("Appelez-moi au 06 39 98 00 00", False),
    ],
)
def test_social_numbers_and_nationality_are_recognised(text, forbidden):
    assert is_forbidden(text) is forbidden


def test_findings_open_settle_and_open_again_without_doubles(family, declare, later):
    declare()
    DocumentFactory(case=family, row=2)
    assess(case=family, now=later)
    assess(case=family, now=later + dt.timedelta(hours=1))
    finding = Finding.objects.get(case=family)
    assert (finding.found_at, finding.settled_at) == (later, None)
    notice = DocumentFactory(case=family, row=1)
    assess(case=family, now=later + dt.timedelta(days=1))
    finding.refresh_from_db()
    assert finding.settled_at == later + dt.timedelta(days=1)
    notice.delete()
    assess(case=family, now=later + dt.timedelta(days=2))
    finding.refresh_from_db()
    assert (finding.found_at, finding.settled_at) == (later + dt.timedelta(days=2), None)


def test_a_rule_by_condition_fires_at_each_row_concerned(family, declare, notices, later):
    declare({("occupant.activity", 2): "unemployed"})
    revision = QuestionnaireRevision.objects.get(pk=family.declaration.revision_id)
    revision.definition["rules"] = [
        {
            "code": "X1",
            "severity": "info",
            "message": "Demandeur d'emploi.",
            "repeat": "occupants",
            "field_key": "occupant.activity",
            "when": {"field": "occupant.activity", "op": "is", "value": "unemployed"},
        }
    ]
    revision.fingerprint = "x1"
    revision.save()
    assert fired(family, later) == {("X1", 2)}
