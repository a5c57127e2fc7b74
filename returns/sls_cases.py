"""The SLS of a case from what it declared, for a simulation or the tenant's information: an estimate, never a bill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from campaigns.law.alerts import Alert, Protection, SurveyYear, alerts
from campaigns.law.figures import MissingFigure, ceiling_zone, second_cap_zone, slr_zone
from campaigns.law.household import Person, Role
from campaigns.law.settings import Law
from campaigns.law.sls import Assessment, Home, Line, MissingFact, assess, provisional
from campaigns.law.wording import many
from campaigns.questionnaire.conditions import Context, age_on
from returns.evidence import JOINTLY_TAXED
from tenants.case_states import State
from tenants.models import SurveyCase

ADULT = 18
ANSWERED = frozenset({State.RECEIVED, State.INCOMPLETE, State.COMPLETE, State.RESTITUTED})
SLS_SCOPES = frozenset({SurveyCase.Scope.SLS, SurveyCase.Scope.SLS_OPS})
HOLDERS = frozenset({"holder", "co_holder"})
COUPLE_LINKS = frozenset({"spouse", "partner", "pacs"})
UNIONS = frozenset({"married", "pacs", "cohabiting"})
OUT_OF_SLS = "Dossier hors du périmètre du SLS."


@dataclass(frozen=True, slots=True)
class Estimate:
    """What can be said of a case: an assessment, or why there is none (`waiting`: no answer yet), and notes on it."""

    year: int
    assessment: Assessment | None = None
    problem: str = ""
    official: bool = False
    waiting: bool = False
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """The steps of the reckoning, none when there is no assessment."""
        return self.assessment.lines if self.assessment else ()


def estimate(case: SurveyCase, context: Context, *, law: Law, year: int | None = None) -> Estimate:
    """The SLS of a case at 1 January of its campaign's year, or with the figures of another `year`, then said so.

    A missing official figure or fact gives no assessment but its French sentence. No query when the case has its
    campaign, household and dwelling.
    """
    figures_year = year or case.campaign.year
    residents = residents_of(context)
    notes = _notes(case, context, residents, figures_year)
    try:
        found = _assessed(case, residents, law, figures_year)
    except MissingFigure as error:
        return Estimate(figures_year, problem=str(error), official=True, notes=notes)
    except MissingFact as error:
        return Estimate(figures_year, problem=str(error), notes=notes)
    if found is None:
        return Estimate(figures_year, problem="Le ménage n'a pas encore répondu.", waiting=True)
    return Estimate(figures_year, found, notes=notes)


def warnings_of(case: SurveyCase, context: Context) -> tuple[Alert, ...]:
    """The two-year alerts of a case: no answer last year, and none now that its formal notice has run out."""
    if case.scope not in SLS_SCOPES or not case.household.non_response_years:
        return ()
    year = case.campaign.year
    silent = State(case.state) == State.NON_RESPONDENT
    history = (SurveyYear(year - 1, answered=False), SurveyYear(year, answered=not silent))
    residents = residents_of(context)
    oldest = min((each.born for each in residents if each.link in HOLDERS and each.born), default="")
    disabled = any(each.disabled for each in residents)
    born = int(oldest[:4]) if oldest[:4].isdigit() else None
    return alerts(history, Protection(None, born, disabled, case.household.dwelling.qpv))


def _assessed(case: SurveyCase, residents: Sequence[Resident], law: Law, year: int) -> Assessment | None:
    state = State(case.state)
    exempt = () if case.scope in SLS_SCOPES else (case.scope_reason or OUT_OF_SLS,)
    if not exempt and state not in ANSWERED | {State.NON_RESPONDENT}:
        return None
    home = Home(None, None, "", "", "") if exempt else home_of(case, law)
    if state == State.NON_RESPONDENT:
        return provisional(year=year, home=home, law=law, exemptions=exempt)
    people = () if exempt else people_of(residents)
    resources = Decimal(0) if exempt else resources_of(residents)
    return assess(year=year, home=home, people=people, resources=resources, law=law, exemptions=exempt)


def home_of(case: SurveyCase, law: Law) -> Home:
    """The dwelling of a case in our zones. Raises MissingFigure for a zone that is not known."""
    household, dwelling = case.household, case.household.dwelling
    zone = slr_zone(dwelling.slr_zone, household.postcode, law.slr_names)
    return Home(
        surface=dwelling.surface,
        rent=household.rent,
        financing=dwelling.financing.upper(),
        ceiling_zone=ceiling_zone(dwelling.ceiling_zone, household.postcode, law.ceiling_names),
        slr_zone=zone,
        cap_zone=second_cap_zone(zone, household.postcode),
    )


@dataclass(frozen=True, slots=True)
class Resident:
    """Someone who lives there on 1 January, as declared or known; `income` is the RFR in whole euros."""

    row: int
    link: str
    status: str
    born: str
    age: int | None
    disabled: bool
    attached: bool
    shared_custody: bool
    income: int | None
    reference: str

    @property
    def jointly_taxed(self) -> bool:
        """Whether the law gives this leaseholder or spouse one notice for two."""
        couple = self.link in HOLDERS | COUPLE_LINKS
        return couple and (self.status in JOINTLY_TAXED or self.link in {"spouse", "pacs"})


def residents_of(context: Context) -> tuple[Resident, ...]:
    """Those who live there: occupants who have not left, each read once."""
    found = []
    for row in context.rows():
        seen = context.at_row(row)
        if seen.value("occupant.left") is True:
            continue
        born = seen.value("occupant.birth_date") or ""
        found.append(
            Resident(
                row=row,
                link=seen.value("occupant.link") or "",
                status=seen.value("occupant.status") or "",
                born=born,
                age=age_on(born, context.reference_on),
                disabled=seen.value("occupant.cmi") is True,
                attached=seen.value("occupant.dependant") is True,
                shared_custody=seen.value("occupant.shared_custody") is True,
                income=seen.value("occupant.tax_reference_income"),
                reference=seen.value("occupant.notice_reference") or "",
            )
        )
    return tuple(found)


def people_of(residents: Sequence[Resident]) -> tuple[Person, ...]:
    """Each with the role that L442-12 gives."""
    return tuple(Person(role_of(each, residents), each.age, each.disabled) for each in residents)


def resources_of(residents: Sequence[Resident]) -> Decimal:
    """The sum of the RFR of those who count, each notice once. Raises MissingFact naming the rows without income."""
    notices: dict[str, Decimal] = {}
    missing: list[int] = []
    for each in residents:
        role = role_of(each, residents)
        if role is Role.LODGER or (role is Role.DEPENDANT and each.income is None):
            continue
        if each.income is not None:
            notices[_notice(each, residents)] = Decimal(each.income)
        elif not _shares_a_notice(each, residents):
            missing.append(each.row)
    if missing or not notices:
        rows = ", ".join(str(row) for row in missing) or "1"
        who = f"la personne n° {rows}" if len(missing) < 2 else f"les personnes n° {rows}"
        raise MissingFact(f"Le revenu fiscal de référence manque pour {who} : le SLS ne peut pas être estimé.")
    return sum(notices.values(), Decimal(0))


def role_of(one: Resident, residents: Sequence[Resident]) -> Role:
    """What a resident is to the lease, by link, age and tax notice."""
    if one.link in COUPLE_LINKS:
        return Role.SPOUSE
    if one.link in HOLDERS:
        return Role.SPOUSE if _is_second_of_a_couple(one, residents) else Role.TENANT
    minor = one.link == "child" and (one.age is None or one.age < ADULT)
    return Role.DEPENDANT if one.attached or minor or one.shared_custody else Role.LODGER


def _is_second_of_a_couple(one: Resident, residents: Sequence[Resident]) -> bool:
    """Whether two leaseholders live in the same kind of union: the second one is the first one's spouse."""
    holders = [each for each in residents if each.link in HOLDERS]
    status = {each.status for each in holders}
    return len(holders) == 2 and one is holders[1] and len(status) == 1 and status <= UNIONS


def _notice(one: Resident, residents: Sequence[Resident]) -> str:
    """What tells one tax notice from another: its reference, else the couple that shares it, else its person."""
    if one.reference:
        return f"reference {one.reference}"
    partner = _jointly_taxed_with(one, residents)
    if partner is not None and partner.income in {one.income, None}:
        return f"reference {partner.reference}" if partner.reference else f"couple {min(one.row, partner.row)}"
    return f"person {one.row}"


def _shares_a_notice(one: Resident, residents: Sequence[Resident]) -> bool:
    partner = _jointly_taxed_with(one, residents)
    return partner is not None and partner.income is not None


def _jointly_taxed_with(one: Resident, residents: Sequence[Resident]) -> Resident | None:
    """The other one of a married or PACS couple, among leaseholder and spouse."""
    couple = [each for each in residents if each.jointly_taxed]
    return next((each for each in couple if each is not one), None) if one in couple and len(couple) == 2 else None


def _notes(case: SurveyCase, context: Context, residents: Sequence[Resident], year: int) -> tuple[str, ...]:
    """What a reader must know before believing the figure."""
    notes = []
    if year != case.campaign.year:
        notes.append(f"Calculé avec les chiffres de {year} : ceux de {case.campaign.year} peuvent différer.")
    if State(case.state) in {State.RECEIVED, State.INCOMPLETE}:
        notes.append("Le dossier n'est pas complet : l'estimation peut changer.")
    seen = context.at_row(0)
    if seen.value("household.resource_fall") is True:
        notes.append("Le ménage demande la prise en compte d'une baisse de ressources : elle n'est pas comptée ici.")
    if seen.answered("household.apl") is True and not case.household.apl:
        notes.append("Le ménage déclare percevoir l'APL ou l'AL : vérifiez s'il doit rester dans l'enquête SLS.")
    without_age = sum(1 for each in residents if not each.born)
    if without_age:
        notes.append(f"{many(without_age, 'personne')} sans date de naissance : l'âge peut changer la catégorie.")
    return tuple(notes)
