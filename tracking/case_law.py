"""What the law says: the dates of a case with their reasons, the SLS that answers lead to. Estimates, never bills."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.law.alerts import Alert
from campaigns.law.settings import Law
from campaigns.law.sls import Line, Outcome
from campaigns.law.wording import euros
from campaigns.legal import law_of
from campaigns.models import Campaign
from returns.answers import NoQuestionnaire, context_of
from returns.models import SlsSimulation
from returns.simulated import Shown, newest_simulation, shown_of
from returns.sls_cases import SLS_SCOPES, Estimate, estimate, warnings_of
from tenants.legal_dates import CAUSES, Cause, LegalDates, legal_dates
from tenants.models import SurveyCase


@dataclass(frozen=True, slots=True)
class LegalPage:
    """The legal part of a case's page. `sentence` is what an agent may say of the SLS; `lines` are its reckoning."""

    dates: LegalDates
    suspended: str
    estimate: Estimate | None
    sentence: str
    lines: Sequence[Line]
    alerts: Sequence[Alert]
    other_years: Sequence[int]


def legal_page_of(case: SurveyCase, today: dt.date, *, figures: str, sensitive: bool) -> LegalPage:
    """The legal part of a case's page.

    `figures` is the year whose official figures are asked for, '' for the campaign's own; without `sensitive`, what
    tells the household's income is left out.
    """
    law = law_of(case.campaign.landlord)
    dates = legal_dates(case, law=law, today=today)
    years = law.figures.years()
    year = int(figures) if figures.isdigit() and int(figures) in years else case.campaign.year
    found, alerts = _found(case, law, year)
    return LegalPage(
        dates=dates,
        suspended=CAUSES[Cause(dates.suspended)] if dates.suspended else "",
        estimate=found,
        sentence=_sentence(found) if found else "",
        lines=[line for line in found.lines if sensitive or not line.personal] if found else [],
        alerts=alerts,
        other_years=[each for each in years if each != case.campaign.year][:1] if found and found.official else [],
    )


@dataclass(frozen=True, slots=True)
class SimulationPage:
    """The newest SLS simulation of a campaign, as the dashboard shows it."""

    made: SlsSimulation
    shown: Shown
    indicative: bool


def simulation_of(campaign: Campaign) -> SimulationPage | None:
    """The newest simulation that came to something, None before."""
    made = newest_simulation(campaign)
    return SimulationPage(made, shown_of(made), made.year != campaign.year) if made else None


def _found(case: SurveyCase, law: Law, year: int) -> tuple[Estimate | None, Sequence[Alert]]:
    """The estimate, None when the survey is not about the SLS or no form exists yet; and the two-year alerts."""
    if case.scope not in SLS_SCOPES:
        return None, ()
    try:
        context = context_of(case)
    except NoQuestionnaire:
        return None, ()
    return estimate(case, context, law=law, year=year), warnings_of(case, context)


def _sentence(found: Estimate) -> str:
    """One sentence that an agent may say to the tenant."""
    told = found.assessment
    if told is None:
        return "" if found.waiting else "Nous ne pouvons pas encore estimer le supplément de loyer."
    if told.outcome is Outcome.EXEMPT:
        return "D’après les informations du dossier, le supplément de loyer ne vous concerne pas."
    if told.outcome is Outcome.UNDER:
        return "D’après vos réponses, aucun supplément de loyer ne serait dû."
    if told.outcome is Outcome.PROVISIONAL:
        return (
            f"Sans réponse de votre part, le supplément de loyer provisoire serait de {euros(told.amount)} par mois, "
            f"avec {euros(told.file_fee)} de frais de dossier. Il est recalculé dès que vous répondez."
        )
    return f"D’après vos réponses, le supplément de loyer serait d’environ {euros(told.amount)} par mois."
