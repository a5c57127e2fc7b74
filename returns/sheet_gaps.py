"""Sheets of a form that a batch does not hold: taken two at a time by the feeder, scanned on one side, or never sent.

A form is printed on both sides: pages 1 and 2 are one sheet. Whatever the order of the batch, a sheet missing between
two others of its form was most likely under one of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from campaigns.models import LayoutVariant
from returns.models import Page, ScanBatch, SurveyReturn
from tenants.models import SurveyCase

SEEN = (Page.State.MATCHED, Page.State.UNREGISTERED, Page.State.DUPLICATE)


class Why(StrEnum):
    """The likeliest reason."""

    TWO_AT_ONCE = "two_at_once"
    ONE_SIDE = "one_side"
    NOT_THERE = "not_there"

    @property
    def label(self) -> str:
        """What people read."""
        return _LABELS[self]


_LABELS = {
    Why.TWO_AT_ONCE: "deux feuilles prises ensemble par le scanner, sans doute : numérisez-les à nouveau",
    Why.ONE_SIDE: "un seul côté de la feuille est numérisé : numérisez l'autre",
    Why.NOT_THERE: "feuille absente du lot : le foyer ne l'a peut-être pas renvoyée",
}


@dataclass(frozen=True, slots=True)
class MissingPages:
    """Pages of a case's form that never came, for one reason."""

    case: SurveyCase
    pages: tuple[int, ...]
    why: Why


def missing_pages(batch: ScanBatch) -> list[MissingPages]:
    """What is missing from the forms that the batch holds, once all that came for their cases is counted."""
    layouts = LayoutVariant.objects.filter(revision__campaign=batch.campaign)
    lengths = dict(layouts.values_list("fingerprint", "tables__pages"))
    told = []
    returns = SurveyReturn.objects.filter(pages__batch=batch, pages__number__gt=0).distinct()
    for survey_return in returns.select_related("case").order_by("pk"):
        case = survey_return.case
        pages = Page.objects.filter(survey_return__case=case, state__in=SEEN, number__gt=0)
        seen: dict[str, set[int]] = {}
        for layout, number in pages.values_list("layout", "number"):
            seen.setdefault(layout, set()).add(number)
        for layout, numbers in sorted(seen.items()):
            told += [MissingPages(case, *each) for each in gaps(numbers, lengths.get(layout, 0))]
    return told


def gaps(seen: Iterable[int], length: int) -> list[tuple[tuple[int, ...], Why]]:
    """The pages from 1 to `length` that were not seen, by reason, the likeliest fault first."""
    seen = frozenset(seen)
    found: dict[Why, list[int]] = {}
    for front in range(1, length + 1, 2):
        lacking = [page for page in (front, front + 1) if page <= length and page not in seen]
        if not lacking:
            continue
        one_side = len(lacking) == 1 and front + 1 <= length
        between = min(seen, default=length) < front and max(seen, default=0) > front + 1
        why = Why.ONE_SIDE if one_side else Why.TWO_AT_ONCE if between else Why.NOT_THERE
        found.setdefault(why, []).extend(lacking)
    return [(tuple(found[why]), why) for why in Why if why in found]


def tell_missing_sheets(batch: ScanBatch, *, now: dt.datetime) -> None:
    """Say in each case's history which pages of its form the scanner most likely missed."""
    for missing in missing_pages(batch):
        if missing.why is not Why.NOT_THERE:
            told = {"batch": batch.pk, "pages": list(missing.pages), "why": missing.why.value}
            missing.case.tell("sheets_missing", now=now, data=told)
