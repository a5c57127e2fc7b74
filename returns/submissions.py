"""An answer sent on line, or taken on the phone: judged, kept once, and settled at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from campaigns.models import QuestionnaireRevision, User
from campaigns.questionnaire.schema import Questionnaire, Reader
from campaigns.questionnaire.values import problem
from returns.answers import (
    Address,
    declaration_of,
    declared_in,
    is_asked,
    put,
    questionnaire_of,
    revision_of,
    with_answers,
)
from returns.arrivals import already_received, arrive
from returns.completeness import settle
from returns.models import SupportingDocument, SurveyReturn
from returns.pieces import CleanPiece, PieceRefused, UploadedPiece, clean
from returns.receipts import queue_receipt
from tenants.models import SurveyCase

LAST_ROW = 30  # occupants of one household
MOST_PIECES = 60


class AnswersRefused(ValueError):
    """Some answers can't be kept; `problems` gives a French sentence by address."""

    def __init__(self, problems: Mapping[Address, str]) -> None:
        super().__init__(" ".join(dict.fromkeys(problems.values())))
        self.problems = dict(problems)


def receive_online(
    *,
    case: SurveyCase,
    answers: Mapping[Address, Any],
    documents: Sequence[UploadedPiece],
    submission: str,
    now: dt.datetime,
    channel: str = SurveyCase.Channel.ONLINE,
    actor: User | None = None,
) -> SurveyReturn:
    """Keep what a household sends, and settle its case. The same `submission` again gives the same return.

    `answers` are canonical values by address; None takes an answer back, an address left out leaves it as it was, and
    what the form does not ask any more is not kept. Pieces are read afterwards (`returns.uploaded_pieces`): the case
    waits for that. Raises AnswersRefused, PieceRefused, SubmissionRefused.
    """
    earlier = already_received(case=case, submission=submission)
    if earlier is not None:
        return earlier
    revision = revision_of(case)
    questionnaire = questionnaire_of(revision)
    _check(answers, questionnaire, timezone.localdate(now))
    pieces = _cleaned(documents, questionnaire)
    with transaction.atomic():
        made = arrive(case=case, channel=channel, submission=submission, now=now, actor=actor)
        if made.state == SurveyReturn.State.TRANSCRIBED:
            return made
        _record(case, answers, revision=revision, source=str(channel), now=now)
        for piece in pieces:
            _keep_piece(made, piece, now=now)
        made.state = SurveyReturn.State.TRANSCRIBED
        made.save(update_fields=["state"])
        settled = settle(case=case, now=now, actor=actor)
        queue_receipt(made=made, case=settled, now=now)
    return made


def _check(answers: Mapping[Address, Any], questionnaire: Questionnaire, today: dt.date) -> None:
    """Refuse what no form could have sent, then what each question refuses."""
    fields = {field.key: (section, field) for section, field in questionnaire.fields()}
    wrong: dict[Address, str] = {}
    for (key, row), value in answers.items():
        if key not in fields:
            wrong[key, row] = "Cette question n'est pas dans le formulaire : rechargez la page."
            continue
        section, field = fields[key]
        if not (1 <= row <= LAST_ROW if section.repeated else row == 0):
            wrong[key, row] = "Cette personne n'est pas dans le formulaire : rechargez la page."
            continue
        told = problem(field, value, today)
        if told is not None:
            wrong[key, row] = told
    if wrong:
        raise AnswersRefused(wrong)


def _cleaned(documents: Sequence[UploadedPiece], questionnaire: Questionnaire) -> list[CleanPiece]:
    if len(documents) > MOST_PIECES:
        raise PieceRefused(f"Vous envoyez plus de {MOST_PIECES} fichiers à la fois. Envoyez-les en plusieurs fois.")
    known = {document.key for document in questionnaire.documents}
    for piece in documents:
        if piece.kind and piece.kind not in known:
            raise PieceRefused(f"La pièce « {piece.name[:80]} » n'est pas demandée par ce formulaire.")
        if not 0 <= piece.row <= LAST_ROW:
            raise PieceRefused(f"La pièce « {piece.name[:80]} » concerne une personne inconnue : rechargez la page.")
    return [clean(piece) for piece in documents]


def _record(
    case: SurveyCase, answers: Mapping[Address, Any], *, revision: QuestionnaireRevision, source: str, now: dt.datetime
) -> None:
    declaration = declaration_of(case, lock=True, revision=revision)
    questionnaire, context = declared_in(declaration, case)
    merged = {**context.answers, **answers}
    kept: dict[Address, Any] = {}
    for section, field in questionnaire.fields():
        for row in sorted({row for key, row in answers if key == field.key}):
            seen = with_answers(context, merged).at_row(row)
            asked = field.shown_in(Reader.ONLINE) and is_asked(section, field, seen)
            kept[field.key, row] = answers[field.key, row] if asked else None
            merged[field.key, row] = kept[field.key, row]
    for address, value in kept.items():
        put(declaration, address, value, known=context.prefill.get(address), source=source)
    declaration.draft = {}
    declaration.version += 1
    declaration.updated_at = now
    declaration.save(update_fields=["answers", "replaced", "draft", "version", "updated_at"])


def _keep_piece(made: SurveyReturn, piece: CleanPiece, *, now: dt.datetime) -> None:
    """Store a piece once per case, nature and occupant."""
    same = SupportingDocument.objects.filter(case=made.case, sha256=piece.sha256, kind=piece.kind, row=piece.row)
    if same.exists():
        return
    document = SupportingDocument(
        case=made.case,
        survey_return=made,
        kind=piece.kind,
        row=piece.row,
        sha256=piece.sha256,
        media_type=piece.media_type,
        received_at=now,
    )
    document.content.save(piece.file_name, ContentFile(piece.content), save=False)
    document.save()
