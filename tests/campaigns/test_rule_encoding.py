"""Encoding a landlord's rules: judged at save, every version kept, frozen with the BAT, each line accounted for."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from campaigns import operations
from campaigns.models import LandlordRule, RuleLine, RuleVersion
from campaigns.questionnaire.schema import Requires, Rule, Severity
from campaigns.rule_document import DocumentLine
from campaigns.rule_encoding import (
    UnableToEncode,
    copy_rules,
    decide_line,
    drafted_form,
    encode_rule,
    line_decisions,
    own_rules,
    rule_from,
    rule_from_line,
    switch_library_rule,
    withdraw_rule,
)
from campaigns.scope import within
from tests.factories.campaigns import CampaignFactory

pytestmark = pytest.mark.django_db

RULE = Rule(
    code="RG30",
    severity=Severity.BLOCKING,
    message="Merci d'envoyer le certificat de scolarité.",
    label="Enfant de 18 à 20 ans",
    repeat="occupants",
    document_key="school_certificate",
    expression='occupant.link = "child" et occupant.age >= 18 et occupant.age < 21',
    requires=Requires.DOCUMENT,
)
LINE = DocumentLine(4, ("RG30", "Enfant majeur", "18 à 20 ans"))


@pytest.fixture
def encode(campaign, manager, now):
    def encoded(rule=RULE, *, at=now, **changes):
        return encode_rule(campaign=campaign, rule=dataclasses.replace(rule, **changes), actor=manager, now=at)

    return encoded


def test_a_rule_joins_the_form(campaign, encode):
    encode()

    assert drafted_form(campaign).rules[-1] == RULE


def test_a_rule_of_the_same_code_takes_the_place_of_the_model_s(campaign, encode):
    encode(code="RG02")

    rules = drafted_form(campaign).rules
    assert [rule.code for rule in rules].count("RG02") == 1
    assert rules[1].expression == RULE.expression


def test_each_save_keeps_what_the_rule_said_before(campaign, encode, manager, now):
    encode()
    later = now + dt.timedelta(hours=1)
    encode(message="Autre message.", at=later)
    encode(message="Autre message.", at=later + dt.timedelta(hours=1))

    told = [
        (each.number, each.message, each.saved_at, each.saved_by) for each in RuleVersion.objects.order_by("number")
    ]
    assert told == [(1, RULE.message, now, manager), (2, "Autre message.", later, manager)]


def test_a_version_is_never_rewritten(encode):
    version = encode()
    version.message = "Autre chose."

    with pytest.raises(ValueError, match="ne se réécrit pas"):
        version.save()


def test_a_withdrawn_rule_leaves_the_form_and_keeps_its_history(campaign, encode, manager, now):
    encode()
    withdraw_rule(campaign=campaign, code="RG30", actor=manager, now=now)

    assert own_rules(campaign) == []
    assert [each.withdrawn for each in RuleVersion.objects.order_by("number")] == [False, True]
    encode()
    assert own_rules(campaign)[0].number == 3


def test_a_rule_that_is_not_there_can_t_be_withdrawn(campaign, manager, now):
    with pytest.raises(UnableToEncode, match="n'est pas encodée"):
        withdraw_rule(campaign=campaign, code="RG99", actor=manager, now=now)


@pytest.mark.parametrize(
    ("changes", "entry", "told"),
    [
        ({"code": "règle 1"}, "code", "capitales"),
        ({"label": " "}, "label", "Écrivez quelques mots"),
        ({"message": "x" * 451}, "message", "451 signes"),
        ({"message": "Revenus {an}"}, "message", "« {an} »"),
        ({"expression": "occupant.agee > 3"}, "expression", "occupant.age"),
        ({"document_key": "passport"}, "document_key", "choisissez dans la liste"),
        ({"document_key": ""}, "document_key", "Choisissez la pièce"),
        ({"document_key": "union_proof"}, "document_key", "pour le foyer"),
        ({"field_key": "household.phone"}, "field_key", "pour le foyer"),
        ({"requires": Requires.FIELD}, "field_key", "Choisissez la question"),
        ({"repeat": "", "document_key": ""}, "expression", "un_occupant"),
    ],
)
def test_a_wrong_rule_is_refused_entry_by_entry(campaign, encode, changes, entry, told):
    with pytest.raises(UnableToEncode) as refused:
        encode(**changes)

    assert any(each.entry == entry and told in each.message for each in refused.value.problems)
    assert not LandlordRule.objects.exists()


def test_only_a_case_manager_encodes(campaign, landlord_user, now):
    with pytest.raises(UnableToEncode, match="chargé d'affaires"):
        encode_rule(campaign=campaign, rule=RULE, actor=landlord_user, now=now)


def test_a_rule_of_the_model_is_left_out_and_taken_back(campaign, manager, now):
    switch_library_rule(campaign=campaign, code="RG10", on=False, actor=manager, now=now)
    assert "RG10" not in {rule.code for rule in drafted_form(campaign).rules}

    switch_library_rule(campaign=campaign, code="RG10", on=True, actor=manager, now=now)
    assert "RG10" in {rule.code for rule in drafted_form(campaign).rules}
    assert campaign.overlay == {}
    with pytest.raises(UnableToEncode, match="pas de règle"):
        switch_library_rule(campaign=campaign, code="RG99", on=False, actor=manager, now=now)


class TestTheBAT:
    """The rules are part of what is approved."""

    def test_a_change_after_the_freeze_is_another_revision(self, campaign, encode, landlord_user, now):
        encode()
        first = operations.draw_up_revision(campaign=campaign, now=now)
        proof = operations.present_proof(revision=first, document=b"%PDF", now=now)
        operations.approve_proof(proof=proof, actor=landlord_user, now=now)

        encode(expression='occupant.link = "child" et occupant.age >= 19')

        assert operations.approved_revision(campaign) == first
        assert first.questionnaire.rules[-1].expression == RULE.expression
        second = operations.draw_up_revision(campaign=campaign, now=now)
        assert second.number == first.number + 1
        assert operations.digest_of(second) != operations.digest_of(first)

    def test_the_landlord_reads_what_changed_in_french(self, campaign, encode, now):
        encode()
        first = operations.draw_up_revision(campaign=campaign, now=now)
        encode(expression="occupant.age >= 19 et pas occupant.left", severity=Severity.WARNING)
        encode(code="RG31", label="Autre")
        second = operations.draw_up_revision(campaign=campaign, now=now)

        told = operations.differences(before=first, after=second)

        assert told == [
            "Règle « Enfant de 18 à 20 ans » (RG30), gravité : « bloquante » → « avertissement »",
            "Règle « Enfant de 18 à 20 ans » (RG30), condition du bailleur : « Lien » est « Enfant » et « Âge au 1er "
            "janvier de l'enquête » est au moins 18 et « Âge au 1er janvier de l'enquête » est inférieur à 21 → « Âge "
            "au 1er janvier de l'enquête » est au moins 19 et pas « Ne vit plus ici »",
            "Règle « Autre » (RG31) : ajout",
        ]

    def test_nothing_changed_is_no_new_revision(self, campaign, encode, now):
        encode()
        first = operations.draw_up_revision(campaign=campaign, now=now)
        encode()

        assert operations.draw_up_revision(campaign=campaign, now=now) == first


class TestTheLinesOfTheDocument:
    """Nothing of the landlord's document is forgotten."""

    def decide(self, campaign, manager, now, codes=(), reason=""):
        return decide_line(campaign=campaign, line=LINE, codes=codes, reason=reason, actor=manager, now=now)

    def test_a_line_is_encoded_by_rules(self, campaign, encode, manager, now):
        encode()
        self.decide(campaign, manager, now, codes=["RG30", "RG02", "RG30"])

        kept = line_decisions(campaign)[LINE.digest]
        assert (kept.decision, kept.codes) == (RuleLine.Decision.ENCODED, ["RG30", "RG02"])

    def test_a_line_may_be_not_applicable_with_a_reason(self, campaign, manager, now):
        self.decide(campaign, manager, now, reason="Campagne OPS seulement.")

        assert line_decisions(campaign)[LINE.digest].reason == "Campagne OPS seulement."

    def test_a_line_needs_a_rule_or_a_reason(self, campaign, manager, now):
        with pytest.raises(UnableToEncode, match="pourquoi"):
            self.decide(campaign, manager, now)
        with pytest.raises(UnableToEncode, match="RG99"):
            self.decide(campaign, manager, now, codes=["RG99"])

    def test_a_line_whose_rule_is_withdrawn_is_to_be_decided_again(self, campaign, encode, manager, now):
        encode()
        self.decide(campaign, manager, now, codes=["RG30"])
        withdraw_rule(campaign=campaign, code="RG30", actor=manager, now=now)

        assert line_decisions(campaign) == {}

    def test_a_line_that_moved_in_the_document_keeps_its_decision(self, campaign, manager, now):
        self.decide(campaign, manager, now, reason="Sans objet.")

        assert DocumentLine(9, LINE.cells).digest in line_decisions(campaign)


def test_rules_follow_to_another_campaign(campaign, encode, landlord, now):
    encode()
    encode(message="Deuxième version.")
    target = CampaignFactory(landlord=landlord, year=2028)

    copy_rules(source=campaign, target=target, now=now)
    copy_rules(source=campaign, target=target, now=now)

    [copied] = own_rules(target)
    assert (copied.number, copied.message) == (1, "Deuxième version.")


@pytest.mark.scoped
def test_a_rival_sees_no_rule(rivals, manager, now):
    ours, rival = rivals
    with within(landlord=ours):
        encode_rule(campaign=CampaignFactory(landlord=ours), rule=RULE, actor=manager, now=now)
    with within(landlord=rival):
        assert not LandlordRule.objects.exists()
        assert not RuleVersion.objects.exists()
        assert not RuleLine.objects.exists()


def test_what_is_typed_becomes_a_rule():
    told = {
        "code": " rg7 ",
        "expression": " vrai\n et  vrai",
        "per_occupant": "yes",
        "severity": "?",
        "requires": "note",
    }

    rule = rule_from(told)

    assert (rule.code, rule.expression, rule.repeat, rule.severity) == ("RG7", "vrai et vrai", "occupants", "blocking")


def test_a_rule_is_begun_from_a_line_of_the_document():
    headings = ("code", "objet", "situation", "consigne", "gravité")
    line = DocumentLine(3, ("rg09", "Naissance", "mineur", "Acte", "avertissement"))

    rule = rule_from_line(line, headings)

    assert (rule.code, rule.label, rule.severity) == ("RG09", "Naissance", Severity.WARNING)
    assert rule_from_line(DocumentLine(3, ("Une phrase libre.",)), ("Règles",)).code == ""
