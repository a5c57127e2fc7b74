"""The sample landlords' own documents, encoded whole in the language of rules: what fires on planted cases."""

from __future__ import annotations

import datetime as dt

import pytest

from campaigns.operations import effective_form
from campaigns.rule_encoding import line_decisions
from returns.completeness import is_waiting, settle
from returns.confirming import UnableToConfirm, confirm, refuse, to_confirm
from returns.missing import documents_expected, missing_items
from returns.models import ComplementRequest, Finding
from returns.rules.dossier import dossier_of
from returns.rules.engine import assess
from tenants.case_states import State
from tests.factories.campaigns import RevisionFactory, UserFactory
from tests.factories.returns import DocumentFactory, ReadingFactory
from tests.returns.conftest import signed_notice
from tests.returns.encoding import encode_all, form_of, rules_of

pytestmark = pytest.mark.django_db


def fired(case, now) -> set[tuple[str, int]]:
    """The rules that stand, with their row; those that wait for one of us left out."""
    standing = assess(case=case, now=now).standing
    return {(each.rule, each.row) for each in standing if each.confirmation != Finding.Confirmation.AWAITED}


@pytest.fixture
def answered(family, declare):
    """The family answers on the form that holds the landlord's own rules."""

    def answer(changes=None, *, landlord="landlord_a", channel="online"):
        declaration = declare(changes, channel=channel)
        form = form_of(family.campaign, landlord)
        declaration.revision = RevisionFactory(campaign=family.campaign, form=form)
        declaration.save()
        return declaration

    return answer


@pytest.mark.parametrize(("whose", "lines"), [("landlord_a", 18), ("landlord_b", 17)])
def test_every_line_of_the_document_is_encoded(campaign, manager, now, whose, lines):
    assert encode_all(campaign, whose, actor=manager, now=now) == lines

    campaign.refresh_from_db()
    decided = line_decisions(campaign)
    assert len(decided) == lines
    own = {code for line in decided.values() for code in line.codes}
    assert own == {rule.code for _, rule in rules_of(whose)}
    form = effective_form(campaign)
    assert set(map(str, form.rules)) == set(map(str, form_of(campaign, whose).rules))
    assert {rule.code for rule in form.rules} == own
    assert all(rule.expression for rule in form.rules)


def test_a_complete_case_fires_nothing(family, answered, later):
    answered()
    for row, name, income in ((1, "ELODEE INES", 21_500), (2, "ELODEE LOIC", 18_200)):
        DocumentFactory(case=family, **signed_notice(row, name, income))

    assert {each for each in fired(family, later) if each[0] != "RG04"} == set()
    assert missing_items(family) == []


PAPER = {("signature.signed", 0): True, ("signature.signed_on", 0): "2026-10-30"}
BABY = {("occupant.first_name", 4): "Lou", ("occupant.birth_date", 4): "2026-03-02"}
ADULT = {("occupant.first_name", 4): "Ana", ("occupant.birth_date", 4): "1990-03-02", ("occupant.link", 4): "other"}
WIFE = {**ADULT, ("occupant.link", 4): "spouse"}
LODGER = {**ADULT, ("occupant.link", 4): "lodger"}
DEATH = {("occupant.left", 3): True, ("occupant.left_on", 3): "2026-02-01", ("occupant.left_reason", 3): "death"}
# Landlord, what the household answers, what must fire, what must not.
PLANTED = [
    ("a", {}, {("RG02", 1), ("RG02", 2)}, {("RG02", 3)}),
    ("a", {("occupant.dependant", 3): False}, {("RG02", 3)}, set()),
    ("a", {("occupant.dependant", 3): False, ("occupant.shared_custody", 3): True}, {("RG11", 3)}, {("RG02", 3)}),
    ("a", LODGER, {("RG13", 4)}, {("RG02", 4)}),
    ("b", LODGER, {("RG13", 4), ("RG02", 4)}, set()),
    ("b", {("occupant.dependant", 3): False}, set(), {("RG02", 3)}),
    ("a", {("occupant.status", 1): "pacs"}, {("RG06", 0)}, {("RG07", 0)}),
    ("a", WIFE, {("RG06-CONJOINT", 4), ("RG13", 4), ("RG02", 4)}, {("RG06", 0)}),
    ("a", {("occupant.status", 1): "divorced"}, {("RG07", 0)}, {("RG06", 0)}),
    ("b", {("occupant.status", 2): "widowed"}, {("RG08", 0)}, set()),
    ("a", DEATH, {("RG08", 0)}, set()),
    ("a", BABY, {("RG09", 4)}, {("RG13", 4), ("RG02", 4)}),
    ("a", {("occupant.cmi", 1): True}, {("RG12", 1)}, {("RG12", 2)}),
    ("a", {("household.resource_fall", 0): True}, {("RG14", 0)}, set()),
    ("b", {("household.resource_fall", 0): True}, {("RG14", 0)}, set()),
]


@pytest.mark.parametrize(("landlord", "changes", "fires", "quiet"), PLANTED)
def test_a_planted_case_fires_its_rules(family, answered, later, landlord, changes, fires, quiet):
    answered(changes, landlord=f"landlord_{landlord}")

    standing = fired(family, later)

    assert fires <= standing
    assert not quiet & standing


def test_a_paper_form_without_signature_fires(family, answered, later):
    answered(channel="paper")
    assert ("RG01", 0) in fired(family, later)


def test_a_signed_paper_form_does_not(family, answered, later):
    answered(PAPER, channel="paper")
    assert ("RG01", 0) not in fired(family, later)


def test_a_notice_of_another_year_or_nature_is_refused(family, answered, later):
    answered()
    DocumentFactory(case=family, row=1, read={"income_year": 2024})
    DocumentFactory(case=family, row=2, read={"income_year": 2025, "nature": "declaration"})

    standing = fired(family, later)

    assert {("RG03", 1), ("RG02-NATURE", 2)} <= standing
    assert not {("RG03", 2), ("RG02-NATURE", 1)} & standing


def test_a_declared_income_far_from_the_signed_one_fires(family, answered, later):
    answered()
    DocumentFactory(case=family, **signed_notice(1, "ELODEE INES", 21_502))
    DocumentFactory(case=family, **signed_notice(2, "ELODEE LOIC", 18_201))

    assert {("RG04", 1), ("RG04", 2), ("RG05", 1)} == {each for each in fired(family, later) if each[0] < "RG06"}


def test_two_boxes_apl_and_late_are_told(family, answered, later):
    answered()
    family.household.apl = True
    family.household.save()
    type(family).objects.filter(pk=family.pk).update(late=True)
    family.refresh_from_db()
    two = {"field": "occupant.activity", "row": 1, "value": None, "accepted": False}
    ReadingFactory(survey_return=family.returns.get(), reason="plusieurs cases cochées", **two)

    assert {("RG15", 0), ("RG16", 0), ("RG17", 0)} <= fired(family, later)


def test_what_may_not_be_kept_is_erased_whatever_the_landlord_s_rules_say(family, answered, later):
    declaration = answered({("household.comment", 0): "Mon numéro de sécu est le 1 84 12 76 451 089"})

    assess(case=family, now=later)

    declaration.refresh_from_db()
    assert ("household.comment", 0) not in declaration.values()
    assert Finding.objects.get(case=family, rule="RG18").settled_at == later
    assert "RG18" not in {item.rule for item in missing_items(family)}


class TestWhatWaitsForAPerson:
    """A rule that requires a confirmation asks nothing of the household until one of us refuses."""

    @pytest.fixture
    def grown(self, family, answered):
        """The family's child is 19 and on the leaseholder's notice, they say."""
        child = family.household.occupants.get(row=3)
        child.birth_date = dt.date(2007, 6, 1)
        child.save()
        answered({("occupant.tax_reference_income", 3): 0, ("occupant.dependant", 3): True})
        for row, name, income in ((1, "ELODEE INES", 21_500), (2, "ELODEE LOIC", 18_200)):
            DocumentFactory(case=family, **signed_notice(row, name, income))
        return family

    def test_the_case_waits_and_nothing_is_asked(self, grown, later):
        settle(case=grown, now=later)

        grown.refresh_from_db()
        assert [each.rule for each in to_confirm(grown.campaign)] == ["RG10-AVIS"]
        assert is_waiting(grown)
        assert State(grown.state) is State.RECEIVED
        assert not ComplementRequest.objects.exists()

    def test_confirmed_it_no_longer_fires_and_the_case_goes_on(self, grown, manager, later):
        settle(case=grown, now=later)
        confirm(finding=to_confirm(grown.campaign).get(), actor=manager, now=later)
        settle(case=grown, now=later)

        grown.refresh_from_db()
        assert State(grown.state) is State.COMPLETE
        assert not to_confirm(grown.campaign).exists()
        assert grown.events.filter(kind="rule_decided", actor=manager).count() == 1

    def test_refused_the_household_is_asked(self, grown, manager, later):
        settle(case=grown, now=later)
        refuse(finding=to_confirm(grown.campaign).get(), actor=manager, now=later, comment="Absent de l'avis.")

        grown.refresh_from_db()
        assert State(grown.state) is State.INCOMPLETE
        [asked] = ComplementRequest.objects.get(case=grown).items
        assert (asked["rule"], asked["row"], asked["document"]) == ("RG10-AVIS", 3, "tax_notice")

    def test_another_answer_asks_for_another_look(self, grown, manager, later):
        settle(case=grown, now=later)
        confirm(finding=to_confirm(grown.campaign).get(), actor=manager, now=later)
        child = grown.household.occupants.get(row=3)
        child.birth_date = dt.date(2006, 6, 1)
        child.save()

        assess(case=grown, now=later)

        assert to_confirm(grown.campaign).count() == 1

    def test_a_refusal_needs_words_a_manager_and_something_that_waits(self, grown, manager, later):
        settle(case=grown, now=later)
        finding = to_confirm(grown.campaign).get()
        with pytest.raises(UnableToConfirm, match="quelques mots"):
            refuse(finding=finding, actor=manager, now=later, comment=" ")
        with pytest.raises(UnableToConfirm, match="chargé d'affaires"):
            confirm(finding=finding, actor=UserFactory(keying=True), now=later)
        confirm(finding=finding, actor=manager, now=later)
        with pytest.raises(UnableToConfirm, match="plus de décision"):
            confirm(finding=finding, actor=manager, now=later)


def test_a_piece_that_two_rules_require_is_asked_once(family, answered, later):
    answered(WIFE)

    asked = [(item.document, item.row) for item in missing_items(family)]

    assert asked.count(("identity", 4)) == 1


def test_the_checklist_follows_the_landlord_s_own_rules(family, answered):
    answered(LODGER)

    expected = {(document.key, row) for document, row in documents_expected(dossier_of(family))}

    assert ("tax_notice", 1) in expected
    assert ("tax_notice", 4) not in expected
    assert ("identity", 4) in expected
