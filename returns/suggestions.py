"""The cases that a page without a place may belong to, best first, each with its reasons: a person decides.

What weighs: a code or a number printed on the sheet, the same tenant in another campaign, names, the address, and the
neighbours in the batch, above all those that miss a sheet.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from campaigns.models import Campaign, LayoutVariant
from campaigns.paper_form.page_code import PageCode, UnreadablePageCode, parse
from returns.answers import questionnaire_of, revision_of
from returns.evidence import TAX_NOTICE
from returns.models import Page
from returns.reading.names import plain
from tenants.models import Household, Occupant, SurveyCase

MOST = 5
SEARCHED_WORDS = 80  # of a page, in the order they stand: names come first on any paper
FOUND = 200  # cases looked at, at most, for one way of finding them
WEIGHTS = {"code": 100, "reference": 90, "tenant": 80, "twin": 85, "between": 45, "name": 30, "first_name": 15}
NEAR_WEIGHTS = {"before": 12, "after": 6}
ADDRESS_WEIGHTS = {"postcode": 8, "city": 4, "street": 12}
PLACED = (Page.State.MATCHED, Page.State.DOCUMENT, Page.State.DUPLICATE, Page.State.UNREGISTERED)
Weighed = tuple[int, int, str]  # case, weight, reason


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A case, why, and the code of the sheet when the page is one of its form whose code is known."""

    case: SurveyCase
    weight: int
    reasons: tuple[str, ...]
    code: PageCode | None = None

    @property
    def holder(self) -> str:
        """Who answers, as the landlord names them."""
        holder = self.case.household.leaseholder
        return holder.addressed_as if holder else ""


def suggestions_for(page: Page) -> list[Suggestion]:
    """The likeliest cases of the page's campaign, best first; nothing for a page that tells its own case."""
    if page.state == Page.State.UNREGISTERED:
        return []
    campaign = page.batch.campaign
    weights: Counter[int] = Counter()
    reasons: dict[int, dict[str, None]] = {}
    code = _code_of(page)
    gap = _sheet_between(page)
    for case, weight, reason in _weighed(page, campaign, code, gap):
        weights[case] += weight
        reasons.setdefault(case, {})[reason] = None
    best = [case for case, _ in sorted(weights.items(), key=lambda each: (-each[1], each[0]))[:MOST]]
    found = {each.pk: each for each in SurveyCase.objects.for_letters().filter(pk__in=best)}
    known = {found[pk].pk: told for pk in best for told in (code, gap) if told and told.case == found[pk].reference}
    return [Suggestion(found[pk], weights[pk], tuple(reasons[pk]), known.get(pk)) for pk in best]


def _weighed(page: Page, campaign: Campaign, code: PageCode | None, gap: PageCode | None) -> Iterator[Weighed]:
    """Each reason to think of a case, with its weight."""
    words, numbers = (list(page.clues.get(name, [])) for name in ("words", "numbers"))
    cases = SurveyCase.objects.for_campaign(campaign)
    if code is not None:
        yield from _all(cases.filter(reference=code.case), WEIGHTS["code"], "le code imprimé sur la feuille")
        yield from _twins(campaign, code)
    if gap is not None:
        told = f"il y manque la page {gap.page}, et la feuille est entre ses voisines"
        yield from _all(cases.filter(reference=gap.case), WEIGHTS["between"], told)
    upper = [number.upper() for number in numbers]
    yield from _all(cases.filter(reference__in=upper), WEIGHTS["reference"], "son numéro de dossier")
    tenants = cases.filter(Q(household__tenant_reference__in=upper) | Q(household__lease_reference__in=upper))
    yield from _all(tenants, WEIGHTS["tenant"], "sa référence de locataire ou de bail")
    yield from _named(campaign, words[:SEARCHED_WORDS], frozenset(words), frozenset(numbers))
    yield from _neighbours(page)


def _all(cases: QuerySet[SurveyCase], weight: int, reason: str) -> Iterator[Weighed]:
    return ((pk, weight, reason) for pk in cases.values_list("pk", flat=True)[:FOUND])


def _code_of(page: Page) -> PageCode | None:
    """The page code that was read on the sheet, its 2D code or its printed text."""
    try:
        code = parse(page.clues.get("code", ""))
    except UnreadablePageCode:
        return None
    ours = LayoutVariant.objects.filter(revision__campaign=page.batch.campaign, fingerprint=code.layout)
    return code if code.is_return_sheet or page.state == Page.State.FOREIGN or ours.exists() else None


def _twins(campaign: Campaign, code: PageCode) -> Iterator[Weighed]:
    """The same tenant, when the code is that of another campaign of the landlord."""
    others = SurveyCase.objects.filter(reference=code.case, campaign__landlord=campaign.landlord)
    for other in others.exclude(campaign=campaign).select_related("household", "campaign")[:1]:
        told = f"ce locataire a ce code dans « {other.campaign} »"
        same = SurveyCase.objects.for_campaign(campaign)
        same = same.filter(household__tenant_reference=other.household.tenant_reference)
        yield from _all(same, WEIGHTS["twin"], told)


def _named(
    campaign: Campaign, searched: list[str], words: frozenset[str], numbers: frozenset[str]
) -> Iterator[Weighed]:
    """Those whose name is on the page; a name that many bear says less. Then whether their address is on it too."""
    if not searched:
        return
    bearing = reduce(or_, (Q(search_name__startswith=f"{word} ") for word in searched))
    holders = Household.objects.filter(bearing, campaign=campaign)
    spelt = [variant for word in searched for variant in (word.upper(), word.title())]
    people = Occupant.objects.filter(household__campaign=campaign, last_name__in=spelt)
    pks = {*holders.values_list("pk", flat=True)[:FOUND], *people.values_list("household", flat=True)[:FOUND]}
    households = Household.objects.filter(pk__in=pks, case__isnull=False).prefetch_related("occupants")
    found = [(household, _names_on(household, words)) for household in households.select_related("case")]
    namesakes = Counter(last for _, names in found for last in {last for last, _ in names})
    for household, names in found:
        for last, first in names:
            rarity = WEIGHTS["name"] if namesakes[last] == 1 else WEIGHTS["name"] // 2
            yield household.case.pk, rarity, "un nom de famille"
            if first:
                yield household.case.pk, WEIGHTS["first_name"], "un prénom"
        if names:
            yield from _addressed(household, words, numbers)


def _names_on(household: Household, words: frozenset[str]) -> set[tuple[str, str]]:
    """The last names of the household that are on the page, each with a first name beside it, or ''."""
    names = set()
    for person in household.occupants.all():
        last = plain_words(person.last_name)
        if last and last <= words:
            first = plain_words(person.first_name) & words
            names.add((" ".join(sorted(last)), " ".join(sorted(first))))
    return names


def _addressed(household: Household, words: frozenset[str], numbers: frozenset[str]) -> Iterator[Weighed]:
    case = household.case.pk
    if household.postcode and household.postcode in numbers:
        yield case, ADDRESS_WEIGHTS["postcode"], "le code postal"
    if (city := plain_words(household.city)) and city <= words:
        yield case, ADDRESS_WEIGHTS["city"], "la commune"
    if (street := plain_words(household.address_4)) and street <= words:
        yield case, ADDRESS_WEIGHTS["street"], "la rue"


def occupant_named(household: Household, words: Iterable[str]) -> int:
    """The row of the one occupant whose first and last names are among `words`; 0 when none or several are."""
    on_page = frozenset(words)
    rows = [
        person.row
        for person in household.occupants.all()
        if (last := plain_words(person.last_name))
        and last <= on_page
        and (first := plain_words(person.first_name))
        and first <= on_page
    ]
    return rows[0] if len(rows) == 1 else 0


def row_of_piece(case: SurveyCase, kind: str, words: Iterable[str]) -> int:
    """The occupant whom a piece is about, by the names printed on it; 0 when that is not sure or not asked."""
    documents = {each.key: each for each in questionnaire_of(revision_of(case)).documents}
    if kind == TAX_NOTICE or kind not in documents or not documents[kind].repeated:
        return 0  # a notice tells its taxpayers itself
    return occupant_named(case.household, words)


def plain_words(text: str) -> frozenset[str]:
    """The words of a name or an address as they are compared: no accents, no capitals, three letters at least."""
    return frozenset(each for each in re.findall("[a-z]+", plain(text)) if len(each) > 2)


def _neighbours(page: Page) -> Iterator[Weighed]:
    """The case of the last page placed before it in the batch, and of the first after it."""
    for near, way in ((_before(page), "before"), (_after(page), "after")):
        if near is not None and near.survey_return is not None:
            told = "la feuille d'avant dans le lot" if way == "before" else "la feuille d'après dans le lot"
            yield near.survey_return.case_id, NEAR_WEIGHTS[way], told


def _before(page: Page) -> Page | None:
    return _placed(page).filter(index__lt=page.index).order_by("-index").first()


def _after(page: Page) -> Page | None:
    return _placed(page).filter(index__gt=page.index).order_by("index").first()


def _placed(page: Page) -> QuerySet[Page]:
    placed = Page.objects.filter(batch=page.batch, state__in=PLACED, survey_return__isnull=False)
    return placed.select_related("survey_return__case")


def _sheet_between(page: Page) -> PageCode | None:
    """The code that the sheet would bear if it were the one missing between its two neighbours of one case."""
    before, after = _before(page), _after(page)
    if before is None or after is None or before.survey_return_id != after.survey_return_id:
        return None
    if not before.number or not after.number or before.layout != after.layout or before.survey_return is None:
        return None
    forward = 1 if after.number > before.number else -1
    missing = before.number + forward * (page.index - before.index)
    if not min(before.number, after.number) < missing < max(before.number, after.number):
        return None
    return PageCode(before.survey_return.case.reference, missing, before.layout)
