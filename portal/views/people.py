"""The people of the dwelling: unchanged in one tap, corrected, gone, added."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns.questionnaire import values
from campaigns.questionnaire.schema import Field, Reader, Section
from portal.access import Standing, Visit, household_only, shown
from portal.drafts import Draft, changing, draft_of
from portal.forms import QuestionForm
from portal.progress import LEFT, Person, blanks, is_roster, people_of, step
from portal.views.questions import BACK, CHECK, MORE, after, page_of, save_page, section_of
from returns.answers import is_asked, with_answers
from returns.submissions import LAST_ROW
from tenants.earliest_days import earliest_days_of_row

NAMES = frozenset({"occupant.first_name", "occupant.last_name"})
UNKNOWN = "Cette personne n'est pas dans votre foyer."


@household_only(Standing.ANSWER)
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest, visit: Visit, key: str) -> HttpResponse:
    """Everyone who lives here, as known or corrected; one button says that it is right."""
    draft = draft_of(visit.case)
    asked = roster_of(draft, key)
    if request.method == "POST":
        with changing(visit.case, now=visit.now) as changed:
            rows = [person.row for person in people_of(changed, asked) if not person.blank]
            changed.seen.update(step(asked, row) for row in rows)
        draft = draft_of(visit.case)
        incomplete = [person for person in people_of(draft, asked) if person.blank]
        if not incomplete:
            return redirect(after(request, visit))
        return redirect(_url("person", asked, incomplete[0].row, request))
    persons = people_of(draft, asked)
    return shown(
        request,
        visit,
        "people",
        **page_of(draft, asked, 0),
        people=[(person, _told(draft, asked, person)) for person in persons],
        blank=[person for person in persons if person.blank],
        untouched=not any(person.changed or person.added for person in persons),
        may_leave=_may_leave(asked),
    )


def _told(draft: Draft, asked: Section, person: Person) -> list[tuple[str, str]]:
    """What is known of a person, in words, without the name and what is not answered."""
    seen = draft.context.at_row(person.row)
    shown_fields = [each for each in draft.questions(asked, person.row) if each.key not in NAMES]
    return [
        (each.name, values.show(each, seen.value(each.key)))
        for each in shown_fields
        if seen.value(each.key) not in (None, False, "")
    ]


@household_only(Standing.ANSWER)
@require_safe
def add(request: HttpRequest, visit: Visit, key: str) -> HttpResponse:
    """Somebody who moved in, or was born: the page of the next row, so that a second press adds nobody else."""
    draft = draft_of(visit.case)
    return redirect(_url("person", roster_of(draft, key), draft.next_row, request))


@household_only(Standing.ANSWER)
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, visit: Visit, key: str, row: int) -> HttpResponse:
    """Correct or complete what is said of one person, or tell who is new."""
    draft = draft_of(visit.case)
    asked = roster_of(draft, key)
    rows = draft.context.rows()
    adding = row == draft.next_row and row <= LAST_ROW
    if row not in rows and not adding:
        raise Http404(UNKNOWN)
    if request.method == "POST":
        form, more = save_page(visit, asked, row, _details(draft, asked, row), request.POST)
        if form is None:
            return redirect(_next(request, asked, row, more=more))
    else:
        form = QuestionForm(_details(draft, asked, row), seen=draft.context.at_row(row), today=visit.today)
    told = page_of(draft, asked, row)
    more = request.GET.get("suite") == "1" and bool(blanks(draft, asked, row))
    return shown(request, visit, "person", **told, form=form, adding=adding, more=MORE if more else "")


def _next(request: HttpRequest, asked: Section, row: int, *, more: bool) -> str:
    """The same person when the answers call for more, the check page if one came from there, else everyone."""
    if more:
        return _url("person", asked, row, request, more=True)
    if request.GET.get(BACK) == CHECK:
        return reverse("portal:review")
    return _url("people", asked, None, request)


def _details(draft: Draft, asked: Section, row: int) -> list[Field]:
    """The questions about somebody who lives here: the departure has its own page."""
    leaving = {LEFT, *(each.key for each in _leaving(draft, asked, row))}
    return [each for each in draft.questions(asked, row) if each.key not in leaving]


def _leaving(draft: Draft, asked: Section, row: int) -> list[Field]:
    """The questions that only a departure raises."""
    seen = draft.context.at_row(row)
    gone, stays = (with_answers(seen, {**seen.answers, (LEFT, row): left}) for left in (True, False))
    raised = [each for each in asked.fields if is_asked(asked, each, gone) and not is_asked(asked, each, stays)]
    return [each for each in raised if each.shown_in(Reader.ONLINE)]


@household_only(Standing.ANSWER)
@require_http_methods(["GET", "HEAD", "POST"])
def departure(request: HttpRequest, visit: Visit, key: str, row: int) -> HttpResponse:
    """Somebody known no longer lives here: since when, and why."""
    draft = draft_of(visit.case)
    asked = roster_of(draft, key)
    if row not in draft.context.rows() or not _may_leave(asked):
        raise Http404(UNKNOWN)
    form = _departure_form(draft, asked, row, visit, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with changing(visit.case, now=visit.now) as changed:
            changed.put(row, {LEFT: True, **form.answers})
            changed.seen.add(step(asked, row))
        return redirect(_url("people", asked, None, request))
    return shown(request, visit, "departure", **page_of(draft, asked, row), form=form)


def _departure_form(draft: Draft, asked: Section, row: int, visit: Visit, data: QueryDict | None) -> QuestionForm:
    seen = draft.context.at_row(row)
    gone = with_answers(seen, {**seen.answers, (LEFT, row): True})
    since = earliest_days_of_row(visit.case, row)
    return QuestionForm(_leaving(draft, asked, row), seen=gone, today=visit.today, data=data, since=since)


@household_only(Standing.ANSWER)
@require_POST
def still_here(request: HttpRequest, visit: Visit, key: str, row: int) -> HttpResponse:
    """Take back a departure told by mistake."""
    with changing(visit.case, now=visit.now) as draft:
        asked = roster_of(draft, key)
        for field in _leaving(draft, asked, row):
            draft.answers.pop((field.key, row), None)
        draft.answers.pop((LEFT, row), None)
    return redirect(_url("people", asked, None, request))


@household_only(Standing.ANSWER)
@require_POST
def remove(request: HttpRequest, visit: Visit, key: str, row: int) -> HttpResponse:
    """Take back somebody added in this draft. Others leave by the departure page."""
    with changing(visit.case, now=visit.now) as draft:
        asked = roster_of(draft, key)
        if not draft.is_added(row) or row not in draft.context.rows():
            raise Http404(UNKNOWN)
        draft.forget_row(row)
    return redirect(_url("people", asked, None, request))


def roster_of(draft: Draft, key: str) -> Section:
    """The section of that key, when it tells who lives here. Raises Http404."""
    asked = section_of(draft, key)
    if not is_roster(asked):
        raise Http404("Cette page n'existe pas dans ce questionnaire.")
    return asked


def _may_leave(asked: Section) -> bool:
    return any(field.key == LEFT and field.shown_in(Reader.ONLINE) for field in asked.fields)


def _url(name: str, asked: Section, row: int | None, request: HttpRequest, *, more: bool = False) -> str:
    """A page of the people, that remembers whether one came from the check page."""
    address = reverse(f"portal:{name}", args=[asked.key] if row is None else [asked.key, row])
    told = [f"{BACK}={CHECK}"] if request.GET.get(BACK) == CHECK else []
    told += ["suite=1"] if more else []
    return f"{address}?{'&'.join(told)}" if told else address
