"""Is the case complete? The rules run, what is missing is told, and the case moves: the only place that decides so."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from campaigns.models import User
from returns.complements import close_requests, request_complement
from returns.missing import MissingItem, documents_expected, items_of, missing_items
from returns.models import Finding, KeyingTask, Page, SupportingDocument, SurveyReturn
from returns.rules.engine import assess
from tenants.case_states import Move, State
from tenants.models import SurveyCase

__all__ = ["MissingItem", "documents_expected", "is_waiting", "items_of", "missing_items", "settle"]

IN_TREATMENT = frozenset({State.RECEIVED, State.INCOMPLETE})


def is_waiting(case: SurveyCase) -> bool:
    """Whether somebody still has to look: a return being read, a field, a sheet or a piece."""
    return (
        SurveyReturn.objects.filter(case=case, state=SurveyReturn.State.OPEN).exists()
        or KeyingTask.objects.filter(survey_return__case=case).holding().exists()
        or SupportingDocument.objects.filter(case=case).to_read().exists()
        or SupportingDocument.objects.filter(case=case).to_name().exists()
        or Finding.objects.filter(case=case).awaited().exists()
        or _sheets_unread(case)
    )


def _sheets_unread(case: SurveyCase) -> bool:
    """Whether a sheet of the form could not be laid over its layout, and was not scanned again since."""
    states = Page.State.UNREGISTERED, Page.State.MATCHED
    pages = Page.objects.filter(survey_return__case=case, state__in=states).values_list("number", "state")
    read = {number for number, state in pages if state == Page.State.MATCHED}
    return any(number not in read for number, _ in pages)


def settle(*, case: SurveyCase, now: dt.datetime, actor: User | None = None) -> SurveyCase:
    """Run the rules and move the case: complete, or incomplete and a complement request says what is missing.

    Nothing moves while somebody still has to look, nor for a case that nobody answered or that is finished. Running it
    again changes nothing.
    """
    with transaction.atomic():
        case = SurveyCase.objects.select_for_update(of=("self",)).for_letters().get(pk=case.pk)
        assessed = assess(case=case, now=now)
        if State(case.state) not in IN_TREATMENT or is_waiting(case):
            return case
        items = items_of(assessed.dossier, assessed.fired)
        if items:
            case.move(Move.ASK_COMPLEMENT, now=now, actor=actor, data={"missing": len(items)})
            request_complement(case=case, now=now, items=items)
        else:
            case.move(Move.COMPLETE, now=now, actor=actor, data={"findings": len(assessed.standing)})
            close_requests(case=case, now=now)
    return case
