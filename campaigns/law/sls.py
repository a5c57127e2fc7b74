"""The SLS of a household, step by step: for a simulation or a tenant's information, never a bill (R441-20 sqq. CCH).

Pure, Decimal only: euros, m², euros per m² and month. A missing official figure or fact stops the reckoning, by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Decimal
from enum import StrEnum

from campaigns.law.figures import SLR_ZONES, ceiling_kind, percent_of, pls_ceiling, share_of
from campaigns.law.household import Person, category_of
from campaigns.law.settings import Law
from campaigns.law.wording import decimal, euros

CENT = Decimal("0.01")
HUNDRED = Decimal(100)
MONTHS = Decimal(12)
ROUNDINGS = {"down": ROUND_DOWN, "half_up": ROUND_HALF_UP}


class MissingFact(LookupError):
    """Something about the household is not known, so nothing can be reckoned; the message says what, in French."""


class Outcome(StrEnum):
    """What comes out."""

    EXEMPT = "exempt"
    UNDER = "under"
    DUE = "due"
    PROVISIONAL = "provisional"


OUTCOMES: dict[Outcome, str] = {
    Outcome.EXEMPT: "exempté",
    Outcome.UNDER: "pas de SLS",
    Outcome.DUE: "SLS estimé",
    Outcome.PROVISIONAL: "SLS forfaitaire",
}


@dataclass(frozen=True, slots=True)
class Home:
    """The dwelling: habitable surface (m²), monthly rent without charges (euros), financing, our zones.

    `above_at_signing`: the tenant was above the ceilings when signing a lease under a new convention (L353-7).
    """

    surface: Decimal | None
    rent: Decimal | None
    financing: str
    ceiling_zone: str
    slr_zone: str
    cap_zone: str = ""
    above_at_signing: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the reckoning: what it is, what it comes to, how it was found, and by which text.

    `personal` lines tell, or let one find, what the household earns.
    """

    title: str
    value: str
    text: str
    source: str = ""
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the reckoning gives. Euros a month; `percent` is the whole percentage of overrun, None when unknown."""

    outcome: Outcome
    year: int
    lines: tuple[Line, ...]
    amount: Decimal = Decimal(0)
    raw: Decimal = Decimal(0)
    ceiling: Decimal | None = None
    resources: Decimal | None = None
    percent: int | None = None
    coefficient: Decimal = Decimal(0)
    file_fee: Decimal = Decimal(0)

    @property
    def capped(self) -> bool:
        """Whether a cap lowered the amount by a cent or more."""
        return self.outcome is Outcome.DUE and self.raw - self.amount >= CENT

    @property
    def text(self) -> str:
        """The whole reckoning in sentences, fit for a letter."""
        return " ".join(line.text for line in self.lines)


def due_from(ceiling: Decimal, percent: int) -> Decimal:
    """The lowest whole income for which the SLS is due: RFR × 100 ≥ (100 + percent) × ceiling."""
    return (ceiling * (HUNDRED + percent) / HUNDRED).to_integral_value(ROUND_CEILING)


def overrun(resources: Decimal, ceiling: Decimal) -> int:
    """The whole percentage by which resources exceed the ceiling, decimals dropped; 0 when they do not."""
    return max(0, int((resources - ceiling) * HUNDRED // ceiling))


def assess(
    *,
    year: int,
    home: Home,
    people: tuple[Person, ...],
    resources: Decimal,
    law: Law,
    recent: Decimal | None = None,
    exemptions: tuple[str, ...] = (),
) -> Assessment:
    """The SLS at 1 January `year` of a household that answered.

    `resources` are the sum of the RFR of year N-2; `recent` those of the last calendar year or twelve months, used when
    at least 10 % lower; `exemptions` are the French reasons for which the SLS does not apply.
    Raises MissingFact, or `figures.MissingFigure`.
    """
    if exemptions or ceiling_kind(home.financing) == "exempt":
        return _exempt(year, exemptions)
    lines: list[Line] = []
    ceiling = _ceiling(year, home, people, law, lines)
    used = _resources(year, resources, recent, lines)
    percent = overrun(used, ceiling)
    threshold = percent_of("due", year)
    lines.append(
        Line(
            "Dépassement",
            f"{percent} %",
            f"Les ressources dépassent le plafond de {percent} % (décimales abandonnées) : le SLS est dû à partir de "
            f"{threshold} %.",
            "Code de la construction et de l'habitation, articles L441-3 et R441-21",
            personal=True,
        )
    )
    if percent < threshold:
        lines.append(Line("SLS", euros(0), f"Le dépassement est inférieur à {threshold} % : aucun SLS n'est dû."))
        return Assessment(Outcome.UNDER, year, tuple(lines), ceiling=ceiling, resources=used, percent=percent)
    table = law.figures.coefficients(year, home.slr_zone)
    coefficient = table.at(percent, threshold)
    lines.append(
        Line(
            "Coefficient (CDPR)",
            decimal(coefficient),
            f"À {percent} %, le coefficient est {decimal(coefficient)}.",
            table.source,
            personal=True,
        )
    )
    raw = _product(year, home, coefficient, law, lines, personal=True)
    amount = _rounded(_capped(year, home, used, raw, law, lines), law, lines)
    return Assessment(Outcome.DUE, year, tuple(lines), amount, raw, ceiling, used, percent, coefficient)


def provisional(*, year: int, home: Home, law: Law, exemptions: tuple[str, ...] = ()) -> Assessment:
    """The provisional SLS of a household that did not answer after its formal notice: highest coefficient and fee.

    The cap on resources can't be reckoned, since resources are unknown. Raises MissingFact or `figures.MissingFigure`.
    """
    if exemptions or ceiling_kind(home.financing) == "exempt":
        return _exempt(year, exemptions)
    told = law.figures.without_answer(year)
    fee = law.file_fee if law.file_fee is not None else told.file_fee
    text = f"Faute de réponse, le coefficient maximal s'applique : {decimal(told.coefficient)}."
    lines = [Line("Coefficient maximal", decimal(told.coefficient), text, told.source)]
    raw = _product(year, home, told.coefficient, law, lines, personal=False)
    amount = _rounded(raw, law, lines)
    lines.append(
        Line(
            "Frais de dossier",
            euros(fee),
            f"S'y ajoute une indemnité de {euros(fee)} pour frais de dossier.",
            told.source,
        )
    )
    return Assessment(Outcome.PROVISIONAL, year, tuple(lines), amount, raw, coefficient=told.coefficient, file_fee=fee)


def _exempt(year: int, reasons: tuple[str, ...]) -> Assessment:
    source = "Code de la construction et de l'habitation, article L441-3"
    said = reasons or ("Logement financé en PLI : le SLS ne s'applique pas.",)
    return Assessment(Outcome.EXEMPT, year, tuple(Line("Exemption", euros(0), reason, source) for reason in said))


def _ceiling(year: int, home: Home, people: tuple[Person, ...], law: Law, lines: list[Line]) -> Decimal:
    kind = ceiling_kind(home.financing)
    if not kind:
        told = f"« {home.financing} »" if home.financing else "inconnu"
        raise MissingFact(f"Le financement du logement est {told} : PLUS, PLAI, PLS ou PLI est attendu.")
    try:
        category = category_of(people, year)
    except ValueError as error:
        raise MissingFact(str(error)) from error
    lines.append(Line("Catégorie de ménage", str(category.number), " ".join(category.steps), category.source))
    table = law.figures.ceiling(year, home.ceiling_zone)
    plus = table.of(category.number)
    if kind == "plus":
        lines.append(
            Line(
                "Plafond de ressources",
                euros(plus),
                f"Plafond PLUS au 1er janvier {year} : {euros(plus)}.",
                table.source,
            )
        )
        return plus
    pls = pls_ceiling(plus)
    lines.append(
        Line(
            "Plafond de ressources",
            euros(pls),
            f"Plafond PLS au 1er janvier {year} : {euros(plus)} × 1,30, soit {euros(pls)}.",
            table.source,
        )
    )
    return pls


def _resources(year: int, resources: Decimal, recent: Decimal | None, lines: list[Line]) -> Decimal:
    source = "Code de la construction et de l'habitation, article R441-23"
    text = f"Revenus fiscaux de référence de {year - 2}, additionnés : {euros(resources)}."
    share, fall_source = share_of("income_fall", year)
    if recent is not None and recent <= resources * (1 - share):
        text += (
            f" Les ressources récentes, {euros(recent)}, sont plus basses d'au moins {share * HUNDRED:.0f} % : "
            "elles sont retenues."
        )
        lines.append(Line("Ressources retenues", euros(recent), text, fall_source, personal=True))
        return recent
    lines.append(Line("Ressources retenues", euros(resources), text, source, personal=True))
    return resources


def _product(year: int, home: Home, coefficient: Decimal, law: Law, lines: list[Line], *, personal: bool) -> Decimal:
    if home.surface is None or home.surface <= 0:
        raise MissingFact("La surface habitable du logement n'est pas connue : demandez-la au bailleur.")
    rate, source = law.figures.reference_rate(year, home.slr_zone)
    lines.append(
        Line(
            "SLR",
            f"{euros(rate)}/m²",
            f"SLR de la zone {SLR_ZONES[home.slr_zone]} en {year} : {euros(rate)} par m² et par mois.",
            source,
        )
    )
    raw = home.surface * coefficient * rate
    lines.append(
        Line(
            "SLS avant plafonnement",
            euros(raw),
            f"{decimal(home.surface)} m² × {decimal(coefficient)} × {decimal(rate)} = {decimal(raw)} € par mois.",
            "Code de la construction et de l'habitation, article R441-20",
            personal=personal,
        )
    )
    return raw


def _capped(year: int, home: Home, resources: Decimal, raw: Decimal, law: Law, lines: list[Line]) -> Decimal:
    if home.rent is None:
        raise MissingFact(
            "Le loyer hors charges n'est pas connu, et le plafonnement en dépend : demandez-le au bailleur."
        )
    share, source = share_of("rent_and_sls", year)
    room = max(Decimal(0), share * resources / MONTHS - home.rent)
    told = (
        f"Loyer et SLS ne dépassent pas {share * HUNDRED:.0f} % des ressources : il reste {euros(room)} par mois "
        f"après le loyer de {euros(home.rent)}."
    )
    lines.append(Line(f"Plafond de {share * HUNDRED:.0f} %", euros(room), told, source, personal=True))
    amount = min(raw, room)
    if home.above_at_signing and home.surface is not None:
        per_metre, cap_source = law.figures.second_cap(year, home.cap_zone or home.slr_zone)
        left = max(Decimal(0), per_metre * home.surface - home.rent)
        told = (
            f"Bail signé au-dessus des plafonds : loyer et SLS ne dépassent pas {euros(per_metre)} par m², il reste "
            f"{euros(left)} par mois."
        )
        lines.append(Line("Second plafond", euros(left), told, cap_source))
        amount = min(amount, left)
    return amount


def _rounded(amount: Decimal, law: Law, lines: list[Line]) -> Decimal:
    found = amount.quantize(CENT, ROUNDINGS[law.rounding])
    if found < law.minimum:
        lines.append(
            Line("SLS", euros(0), f"En dessous de {euros(law.minimum)} par mois, le bailleur ne demande rien.")
        )
        return Decimal(0)
    lines.append(Line("SLS estimé", f"{euros(found)} par mois", f"Le SLS estimé est de {euros(found)} par mois."))
    return found
