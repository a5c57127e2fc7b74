"""Pieces that the reader could not name: a person says what they are, or refuses them, and the case settles."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from campaigns.models import Campaign, User
from returns.answers import questionnaire_of, revision_of
from returns.completeness import settle
from returns.models import SupportingDocument

State = SupportingDocument.State


class UnableToQualify(Exception):
    """The piece can't be that; the message says why."""


def to_qualify(campaign: Campaign | None = None) -> QuerySet[SupportingDocument]:
    """The pieces whose nature nobody told yet, or that could not be opened, oldest first; of one campaign or of all."""
    waiting = SupportingDocument.objects.to_name()
    if campaign is not None:
        waiting = waiting.filter(case__campaign=campaign)
    return waiting.select_related("case__campaign__landlord", "page").order_by("received_at", "pk")


def qualify(
    *, document: SupportingDocument, kind: str, row: int, now: dt.datetime, actor: User | None = None
) -> SupportingDocument:
    """Say that a piece is of that nature (a document key of the questionnaire), for that occupant (0: the household).

    Raises UnableToQualify.
    """
    if not document.may_be_shown:
        raise UnableToQualify("Personne n'a pu voir cette pièce : refusez-la, elle sera demandée à nouveau.")
    known = {each.key: each for each in questionnaire_of(revision_of(document.case)).documents}
    if kind not in known:
        raise UnableToQualify(f"« {kind} » n'est pas une pièce de ce questionnaire : {', '.join(known)}.")
    if row and not known[kind].repeated:
        raise UnableToQualify(f"« {known[kind].label} » concerne tout le foyer : ne choisissez pas d'occupant.")
    same = SupportingDocument.objects.filter(case=document.case, sha256=document.sha256, kind=kind, row=row)
    if same.exclude(pk=document.pk).exists():
        raise UnableToQualify("Le dossier a déjà exactement cette pièce à cette place : refusez celle-ci.")
    return _told(document, now=now, actor=actor, kind=kind, row=row, state=State.ACCEPTED, explanation="")


def refuse(
    *, document: SupportingDocument, explanation: str, now: dt.datetime, actor: User | None = None
) -> SupportingDocument:
    """Say that a piece proves nothing, and why (in French, for our staff). Raises UnableToQualify."""
    if not explanation.strip():
        raise UnableToQualify("Dites en quelques mots pourquoi la pièce est refusée.")
    return _told(document, now=now, actor=actor, state=State.REFUSED, explanation=explanation.strip()[:300])


def _told(
    document: SupportingDocument, *, now: dt.datetime, actor: User | None, **values: object
) -> SupportingDocument:
    with transaction.atomic():
        for name, value in values.items():
            setattr(document, name, value)
        document.save(update_fields=list(values))
        told = {"document": document.pk, "kind": document.kind, "state": document.state}
        document.case.tell("document_qualified", now=now, actor=actor, data=told)
        settle(case=document.case, now=now, actor=actor)
    return document
