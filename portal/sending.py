"""The draft leaves: one submission, one return, however often the button is pressed."""

from __future__ import annotations

import datetime as dt

from django.utils.crypto import constant_time_compare, salted_hmac

from portal.drafts import draft_of
from portal.pieces import drop, waiting
from portal.progress import pieces_of
from returns.arrivals import already_received
from returns.intake import receive_online
from returns.models import SupportingDocument, SurveyReturn
from returns.pieces import UploadedPiece
from returns.tasks import wake_reader_of_pieces
from tenants.models import SurveyCase

Kept = SupportingDocument.State


class UnableToSend(Exception):
    """The page is older than the case; the message says what to do."""


def submission_key(case: SurveyCase) -> str:
    """The key of the next submission of a case: the same until a return is made. 48 hexadecimal digits."""
    return _key(case, SurveyReturn.objects.filter(case=case).count())


def send(*, case: SurveyCase, submission: str, now: dt.datetime) -> SurveyReturn:
    """Hand the draft and the deposited pieces to the intake, which empties the draft.

    Pressed twice, the second press finds the return of the first. While the intake judges, the deposited files are set
    aside so that it sees each piece once; they come back if it refuses. A piece that the answers no longer call for is
    not sent, and not kept.
    Raises UnableToSend, AnswersRefused, PieceRefused.
    """
    made = SurveyReturn.objects.filter(case=case).count()
    if not any(constant_time_compare(submission, _key(case, count)) for count in range(made + 1)):
        raise UnableToSend("Cette page n'est plus à jour. Relisez vos réponses ci-dessous, puis envoyez-les.")
    earlier = already_received(case=case, submission=submission)
    if earlier is not None:
        return earlier
    draft = draft_of(case)
    answers = draft.asked()
    deposited = list(waiting(case))
    expected = {(each.document.key, each.row) for each in pieces_of(draft)}
    documents = [_as_uploaded(piece) for piece in deposited if (piece.kind, piece.row) in expected]
    aside = SupportingDocument.objects.filter(pk__in=[piece.pk for piece in deposited])
    aside.update(state=Kept.REFUSED)
    try:
        survey_return = receive_online(case=case, answers=answers, documents=documents, submission=submission, now=now)
    except Exception:
        aside.update(state=Kept.RECEIVED)
        raise
    for piece in deposited:
        drop(piece)
    if documents:
        wake_reader_of_pieces(survey_return.pk)
    return survey_return


def _key(case: SurveyCase, count: int) -> str:
    return salted_hmac("portal.submission", f"{case.pk}:{count}", algorithm="sha256").hexdigest()[:48]


def _as_uploaded(piece: SupportingDocument) -> UploadedPiece:
    with piece.content.open("rb") as file:
        return UploadedPiece(
            name=piece.content.name.rpartition("/")[2], content=file.read(), kind=piece.kind, row=piece.row
        )
