"""How far a household is: the pages of its questionnaire, what is left on each, the pieces expected."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from campaigns.questionnaire.conditions import holds
from campaigns.questionnaire.schema import Document, Field, Reader, Section
from portal.drafts import Draft
from portal.forms import is_wanted
from returns.answers import display_name, rows_of
from returns.missing import documents_expected
from returns.models import SupportingDocument

LEFT = "occupant.left"  # the question by which somebody no longer lives here
PIECES = "pieces"


class Progress(StrEnum):
    """Where a page stands; its words are in LABELS."""

    TODO = "todo"
    STARTED = "started"
    DONE = "done"


LABELS = {Progress.TODO: "À faire", Progress.STARTED: "En cours", Progress.DONE: "Fait"}
KINDS = {Progress.TODO: "", Progress.STARTED: "warning", Progress.DONE: "success"}


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the list: a section of the questionnaire, or the pieces (`key` is then 'pieces')."""

    key: str
    title: str
    state: Progress
    detail: str = ""

    @property
    def label(self) -> str:
        """The state in words."""
        return LABELS[self.state]

    @property
    def kind(self) -> str:
        """The tone of its badge."""
        return KINDS[self.state]

    @property
    def done(self) -> bool:
        """Whether nothing is left to do there."""
        return self.state is Progress.DONE


@dataclass(frozen=True, slots=True)
class Person:
    """An occupant as the roster shows her."""

    row: int
    name: str
    added: bool
    left: bool
    changed: bool
    blank: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class ExpectedPiece:
    """A pièce justificative to join, for whom, what came, and whether it is put off."""

    document: Document
    row: int
    who: str
    files: tuple[SupportingDocument, ...]
    covered: bool
    later: bool

    @property
    def key(self) -> str:
        """What names it in pages and in the draft."""
        return f"{self.document.key}:{self.row}"

    @property
    def settled(self) -> bool:
        """Whether the household has nothing left to say about it."""
        return self.covered or self.later


def pages_of(draft: Draft) -> list[Section]:
    """The sections that have something to ask on line, in order."""
    return [each for each in draft.questionnaire.sections if _shown(each, draft)]


def _shown(section: Section, draft: Draft) -> bool:
    if not any(field.shown_in(Reader.ONLINE) for field in section.fields):
        return False
    return is_roster(section) or not section.repeated or bool(open_rows(draft, section))


def is_roster(section: Section) -> bool:
    """Whether the section tells who lives here: there people are added and leave."""
    return section.repeated and section.row_if is None


def open_rows(draft: Draft, section: Section) -> list[int]:
    """The rows where the section is asked."""
    context = draft.context
    return [row for row in rows_of(section, context) if holds(section.row_if, context.at_row(row))]


def blanks(draft: Draft, section: Section, row: int) -> list[Field]:
    """The questions of that page that still want an answer."""
    seen = draft.context.at_row(row)
    wanted = [each for each in draft.questions(section, row) if is_wanted(each, seen)]
    return [each for each in wanted if seen.value(each.key) in (None, "")]


def step(section: Section, row: int) -> str:
    """The name under which a confirmed page is remembered."""
    return f"{section.key}:{row}"


def is_done(draft: Draft, section: Section, row: int) -> bool:
    """Whether that page was confirmed and nothing is missing from it."""
    return step(section, row) in draft.seen and not blanks(draft, section, row)


def tasks_of(draft: Draft, pieces: list[ExpectedPiece]) -> list[Task]:
    """The list that the household sees, the last line (check and send) apart."""
    tasks = [_task(draft, section) for section in pages_of(draft)]
    return [*tasks, _pieces_task(pieces, ready=all(task.done for task in tasks))]


def _task(draft: Draft, section: Section) -> Task:
    rows = open_rows(draft, section)
    done = [row for row in rows if is_done(draft, section, row)]
    state = Progress.DONE if len(done) == len(rows) and rows else Progress.STARTED if done else Progress.TODO
    detail = f"{len(done)} sur {len(rows)}" if section.repeated and len(rows) > 1 and not is_roster(section) else ""
    return Task(section.key, section.title, state, detail)


def _pieces_task(pieces: list[ExpectedPiece], *, ready: bool) -> Task:
    settled = [piece for piece in pieces if piece.settled]
    if len(settled) == len(pieces):
        state = Progress.DONE if ready else Progress.TODO
    else:
        state = Progress.STARTED if settled else Progress.TODO
    detail = "" if ready or pieces else "Selon vos réponses"
    if pieces:
        detail = f"{len([piece for piece in pieces if piece.covered])} sur {len(pieces)}"
    return Task(PIECES, "Les pièces à joindre", state, detail)


def people_of(draft: Draft, section: Section) -> list[Person]:
    """Everyone known or added, in order."""
    context = draft.context
    people = []
    for row in context.rows():
        people.append(
            Person(
                row=row,
                name=display_name(context, row),
                added=draft.is_added(row),
                left=context.at_row(row).value(LEFT) is True,
                changed=any(address[1] == row and address[0] in _keys(section) for address in draft.answers),
                blank=tuple(blanks(draft, section, row)),
            )
        )
    return people


def _keys(section: Section) -> frozenset[str]:
    return frozenset(field.key for field in section.fields)


def pieces_of(draft: Draft) -> list[ExpectedPiece]:
    """The pieces that the answers call for, in the definition's order, and what came."""
    dossier = draft.dossier
    expected = documents_expected(dossier)
    came: dict[tuple[str, int], list[SupportingDocument]] = {}
    for piece in dossier.evidence.documents:
        came.setdefault((piece.kind, piece.row), []).append(piece)
    covered: dict[str, frozenset[int]] = {}
    for document, _ in expected:
        rows = [row for each, row in expected if each.key == document.key]
        covered[document.key] = dossier.evidence.covered(document.key, rows, dossier.context)
    return [
        ExpectedPiece(
            document=document,
            row=row,
            who=display_name(dossier.context, row),
            files=tuple(came.get((document.key, row), ())),
            covered=row in covered[document.key] if document.repeated else dossier.evidence.has(document.key),
            later=f"{document.key}:{row}" in draft.later,
        )
        for document, row in expected
    ]
