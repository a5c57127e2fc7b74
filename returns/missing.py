"""What is missing from a case and why: one model for the portal, the operators, the complement request and the phone.

Derived from the definition (what is asked), the rules (what must be so) and the pieces (what came), never stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from campaigns.questionnaire.conditions import holds
from campaigns.questionnaire.schema import Document, Field, FieldType, Reader, Requires, Section, Severity
from campaigns.questionnaire.values import ERASED
from returns.answers import display_name, is_asked, rows_of
from returns.rules.checks import erases
from returns.rules.dossier import Dossier, dossier_of
from returns.rules.engine import Firing, firings
from returns.rules.facts import CaseFacts
from returns.rules.requirements import concerned
from tenants.models import SurveyCase

REQUIRED = "required"  # the rule of an item that no rule of the questionnaire names: a question left blank
ANSWER = "Répondez en ligne, ou écrivez votre réponse et renvoyez-la par courrier."
JOIN = "Déposez une photo ou un fichier en ligne, ou envoyez une copie par courrier."
SIGN = "Signez le formulaire et renvoyez-le par courrier, ou validez votre déclaration en ligne."


@dataclass(frozen=True, slots=True)
class MissingItem:
    """One thing that keeps a case incomplete, in the words that the household reads.

    `rule` is the code of the rule that asks for it, or 'required'; `row` 0 is the household, then `who` is ''.
    """

    rule: str
    field: str
    document: str
    row: int
    who: str
    message: str
    how: str
    label: str = ""  # what it is in a few words, for an SMS

    @property
    def key(self) -> str:
        """What makes it the same thing from one look to the next: the same rule, at the same place."""
        return f"{self.rule}:{self.field}:{self.document}:{self.row}"

    @property
    def sentence(self) -> str:
        """The message, with the person concerned."""
        return f"{self.who} : {self.message}" if self.who else self.message

    def as_table(self) -> dict[str, Any]:
        """The item as a complement request stores it."""
        told = ("rule", "field", "document", "row", "who", "message", "how", "label", "key", "sentence")
        return {name: getattr(self, name) for name in told}


def missing_items(case: SurveyCase) -> list[MissingItem]:
    """What keeps the case incomplete as it stands: blocking rules, then required questions left blank, by person."""
    return items_of(dossier_of(case))


def items_of(dossier: Dossier, fired: Iterable[Firing] | None = None) -> list[MissingItem]:
    """The same for a case already loaded, or for answers not sent yet; `fired` when its rules have run already."""
    fired = firings(dossier) if fired is None else fired
    holding = (each for each in fired if not erases(each.rule) and not each.place.pending)
    blocking = _once(each for each in holding if each.rule.severity is Severity.BLOCKING)
    items = [_from_rule(each, dossier) for each in blocking]
    asked = {(each.place.field, each.place.row) for each in blocking}
    items += [_from_field(field, row, dossier) for field, row in _blanks(dossier) if (field.key, row) not in asked]
    return sorted(items, key=lambda item: item.row)


def documents_expected(dossier: Dossier) -> list[tuple[Document, int]]:
    """The pieces that the answers call for, with the occupant concerned (0 for the household), come or not."""
    context = dossier.context
    rules = [rule for rule in dossier.questionnaire.rules if rule.expression and rule.requires is Requires.DOCUMENT]
    theirs = {rule.document_key for rule in rules}
    ours = {rule.document_key for rule in dossier.questionnaire.rules if rule.check == "document_missing"}
    facts = CaseFacts(dossier) if rules else None
    expected = []
    for document in dossier.questionnaire.documents:
        rows = context.rows() if document.repeated else (0,)
        called = {row for row in rows if _is_called_for(document, context.at_row(row))}
        if document.key in theirs - ours:  # the landlord's own rule tells when, in place of the library's
            called = set()
        for rule in rules:
            if rule.document_key == document.key and facts is not None:
                called.update(concerned(rule, facts))
        expected += [(document, row) for row in sorted(called)]
    return expected


def _once(firings: Iterable[Firing]) -> list[Firing]:
    """A piece that several rules of the landlord require of one person is asked once, in the words of the first."""
    kept: list[Firing] = []
    asked: set[tuple[str, int]] = set()
    for each in firings:
        place = each.place.document, each.place.row
        if each.rule.requires is Requires.DOCUMENT and place in asked:
            continue
        asked.add(place)
        kept.append(each)
    return kept


def _is_called_for(document: Document, context: Any) -> bool:
    return document.required_if is not None and holds(document.required_if, context)


def _blanks(dossier: Dossier) -> Iterator[tuple[Field, int]]:
    """The required questions without an answer, where they are asked."""
    for section in dossier.questionnaire.sections:
        for field in section.fields:
            if not _is_put(section, field, dossier):
                continue
            for row in rows_of(section, dossier.context):
                seen = dossier.context.at_row(row)
                required = field.required or (field.required_if is not None and holds(field.required_if, seen))
                if required and is_asked(section, field, seen) and seen.value(field.key) in (None, ERASED):
                    yield field, row


def _is_put(section: Section, field: Field, dossier: Dossier) -> bool:
    """Whether the household saw the question: the paper form alone asks for a date and a signature.

    The signature, and the date beside it, are one demand: that of the rule on signatures.
    """
    if field.hidden_in >= {Reader.PAPER, Reader.ONLINE}:
        return False
    if not dossier.on_paper and not field.shown_in(Reader.ONLINE):
        return False
    signed = [each.key for each in section.fields if each.type is FieldType.SIGNATURE]
    unsigned = any(dossier.context.value(key) is not True for key in signed)
    return field.type is not FieldType.SIGNATURE and not unsigned


def _from_rule(firing: Firing, dossier: Dossier) -> MissingItem:
    place = firing.place
    signature = bool(place.field) and dossier.questionnaire.find(place.field).type is FieldType.SIGNATURE
    return MissingItem(
        rule=firing.rule.code,
        field=place.field,
        document=place.document,
        row=place.row,
        who=display_name(dossier.context, place.row),
        message=firing.message,
        how=SIGN if signature else JOIN if place.document else ANSWER,
        label=_label(place.document, place.field, dossier),
    )


def _label(document: str, field: str, dossier: Dossier) -> str:
    if document:
        return dossier.questionnaire.document(document).label
    return dossier.questionnaire.find(field).name if field else ""


def _from_field(field: Field, row: int, dossier: Dossier) -> MissingItem:
    doubled = (field.key, row) in dossier.doubled
    ask = "Plusieurs cases sont cochées ; merci de répondre une seule fois" if doubled else "Merci de répondre"
    return MissingItem(
        rule=REQUIRED,
        field=field.key,
        document="",
        row=row,
        who=display_name(dossier.context, row),
        message=f"{ask} à la question « {field.label.rstrip(' ?')} ».",
        how=ANSWER,
        label=field.name,
    )
