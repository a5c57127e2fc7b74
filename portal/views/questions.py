"""The list of tasks and the question pages: each page saved as it is left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.questionnaire.schema import Field, Section
from portal.access import Standing, Visit, household_only, shown
from portal.drafts import Draft, changing, draft_of
from portal.forms import QuestionForm, is_wanted
from portal.progress import is_done, is_roster, open_rows, pages_of, pieces_of, step, tasks_of
from returns.answers import display_name
from returns.evidence import INCOME, NOTICE_REFERENCE

BACK, CHECK = "retour", "verifier"  # ?retour=verifier: the page was opened from the check page
MORE = "Votre réponse appelle une précision : répondez aussi aux questions restées vides ci-dessous."
SHARED = (INCOME, NOTICE_REFERENCE)  # what is the same for those who share a tax notice


@household_only(Standing.ANSWER)
@require_safe
def tasks(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Where everything stands, and what to do next."""
    draft = draft_of(visit.case)
    lines = tasks_of(draft, pieces_of(draft))
    todo = next((each for each in lines if not each.done), None)
    return shown(request, visit, "tasks", tasks=lines, todo=todo, done=sum(each.done for each in lines))


@household_only(Standing.ANSWER)
@require_safe
def section(request: HttpRequest, visit: Visit, key: str) -> HttpResponse:
    """Go to the first page of a section that is not done yet."""
    draft = draft_of(visit.case)
    asked = section_of(draft, key)
    if is_roster(asked):
        return redirect("portal:people", key=key)
    rows = open_rows(draft, asked)
    row = next((row for row in rows if not is_done(draft, asked, row)), rows[0])
    return redirect("portal:questions", key=key, row=row)


@household_only(Standing.ANSWER)
@require_http_methods(["GET", "HEAD", "POST"])
def questions(request: HttpRequest, visit: Visit, key: str, row: int) -> HttpResponse:
    """The questions of one section at one row."""
    draft = draft_of(visit.case)
    asked = section_of(draft, key)
    if row not in open_rows(draft, asked):
        raise Http404("Cette page n'existe pas dans ce questionnaire.")
    if request.method == "POST":
        if "copy" in request.POST:
            return copy_shared(request, visit, asked, row)
        form, more = save_page(visit, asked, row, draft.questions(asked, row), request.POST)
        if form is None and not more:
            return redirect(after(request, visit))
        draft = draft_of(visit.case)
        form = form or form_for(draft, asked, row, visit.today)
    else:
        form, more = form_for(draft, asked, row, visit.today), False
    return shown(request, visit, "questions", **page_of(draft, asked, row), form=form, more=MORE if more else "")


def copy_shared(request: HttpRequest, visit: Visit, asked: Section, row: int) -> HttpResponse:
    """Take the figures of the notice from the person who shares it."""
    with changing(visit.case, now=visit.now) as draft:
        for other, _ in _sharers(draft, asked, row):
            if request.POST["copy"] == str(other):
                source = draft.context.at_row(other)
                shared = {each: source.value(each) for each in SHARED}
                draft.put(row, {each: value for each, value in shared.items() if value is not None})
    return redirect(request.get_full_path())


def save_page(
    visit: Visit, asked: Section, row: int, fields: Sequence[Field], data: Any
) -> tuple[QuestionForm | None, bool]:
    """Save a page that was sent: the form back when something is wrong; True when the answers call for more."""
    with changing(visit.case, now=visit.now) as draft:
        form = QuestionForm(fields, seen=draft.context.at_row(row), today=visit.today, data=data)
        if not form.is_valid():
            return form, False
        draft.put(row, form.answers)
        seen = draft.context.at_row(row)
        fresh = [each for each in draft.questions(asked, row) if not form.shows(each)]
        if any(is_wanted(each, seen) and seen.value(each.key) in (None, "") for each in fresh):
            return None, True
        draft.seen.add(step(asked, row))
    return None, False


def form_for(draft: Draft, asked: Section, row: int, today: dt.date) -> QuestionForm:
    """The page as it stands."""
    return QuestionForm(draft.questions(asked, row), seen=draft.context.at_row(row), today=today)


def page_of(draft: Draft, asked: Section, row: int) -> dict[str, Any]:
    """What a question page says around its form."""
    pages = pages_of(draft)
    number = next(place for place, each in enumerate(pages, start=1) if each.key == asked.key)
    return {
        "section": asked,
        "row": row,
        "who": display_name(draft.context, row),
        "number": number,
        "total": len(pages) + 2,
        "sharers": _sharers(draft, asked, row),
    }


def _sharers(draft: Draft, asked: Section, row: int) -> list[tuple[int, str]]:
    """The people whose tax notice this person may share: those before, whose income is already given."""
    if not any(field.key == INCOME for field in asked.fields) or draft.context.at_row(row).value(INCOME) is not None:
        return []
    others = [other for other in open_rows(draft, asked) if other < row]
    told = [other for other in others if draft.context.at_row(other).value(INCOME) is not None]
    return [(other, display_name(draft.context, other)) for other in told]


def after(request: HttpRequest, visit: Visit) -> str:
    """Where to go once a page is saved: back to the check page, or to the next thing to do."""
    if request.GET.get(BACK) == CHECK:
        return reverse("portal:review")
    return next_page(draft_of(visit.case))


def next_page(draft: Draft) -> str:
    """The first page not done yet, then the pieces, then the check page."""
    for each in pages_of(draft):
        for row in open_rows(draft, each):
            if not is_done(draft, each, row):
                if is_roster(each):
                    return reverse("portal:people", args=[each.key])
                return reverse("portal:questions", args=[each.key, row])
    unsettled = any(not piece.settled for piece in pieces_of(draft))
    return reverse("portal:pieces" if unsettled else "portal:review")


def section_of(draft: Draft, key: str) -> Section:
    """The section of that key, among those asked on line. Raises Http404."""
    for each in pages_of(draft):
        if each.key == key:
            return each
    raise Http404("Cette page n'existe pas dans ce questionnaire.")
