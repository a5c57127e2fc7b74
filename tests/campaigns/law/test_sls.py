"""The SLS engine against each published and derived example, its caps, its exemptions, what it refuses to guess."""

from __future__ import annotations

from decimal import Decimal as Dec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.law.figures import MissingFigure, pls_ceiling, shipped_figures
from campaigns.law.household import Person, Role
from campaigns.law.settings import Law, parse_settings, shipped_law
from campaigns.law.sls import Assessment, Home, MissingFact, Outcome, assess, due_from, overrun, provisional

LAW = shipped_law()
ALONE = (Person(Role.TENANT, 40),)
COUPLE = (Person(Role.TENANT, 40), Person(Role.SPOUSE, 40))
YOUNG = (Person(Role.TENANT, 27), Person(Role.SPOUSE, 28))
FOUR = tuple(Person(Role.TENANT, 40) for _ in range(4))


def single_with(children: int) -> tuple[Person, ...]:
    return (Person(Role.TENANT, 40), *(Person(Role.DEPENDANT, 8) for _ in range(children)))


def home(
    ceiling: str = "other", slr: str = "2", surface: str = "60", rent: str = "400", financing: str = "PLUS"
) -> Home:
    return Home(Dec(surface), Dec(rent), financing, ceiling, slr)


def reckon(
    where: Home, people: tuple[Person, ...], resources: int | str, year: int = 2026, law: Law = LAW
) -> Assessment:
    return assess(year=year, home=where, people=people, resources=Dec(resources), law=law)


# ── Coefficient (W1–W4 and derived) ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("percent", "coefficient"),
    [
        (19, "0"),
        (20, "0.27"),
        (21, "0.33"),
        (22, "0.39"),  # W1
        (50, "2.07"),  # W3
        (59, "2.61"),
        (60, "2.69"),
        (100, "5.89"),
        (149, "9.81"),
        (150, "9.91"),
        (200, "14.91"),
    ],
)
def test_the_coefficient_of_each_percentage(percent, coefficient):
    assert shipped_figures().coefficients(2026, "2").at(percent, 20) == Dec(coefficient)


def test_decimals_of_the_overrun_are_dropped():
    """W2: 20.5 % is 20 %."""
    assert overrun(Dec("12050"), Dec(10000)) == 20
    assert overrun(Dec("9000"), Dec(10000)) == 0


def test_without_an_answer_the_coefficient_is_the_highest():
    """W4: 14.90, never the 14.91 of the formula."""
    assert shipped_figures().without_answer(2026).coefficient == Dec("14.90")


def test_a_published_amount_without_an_answer():
    """W5: 65 m² in zone 3, 261.49 € a month, with the rate that its landlord published for 2023."""
    law = parse_settings('source = "Barème 2023"\n[[slr]]\nyear = 2023\nzones = { 3 = "0.27" }\nsource = "th90.fr"')

    found = provisional(year=2023, home=home(surface="65", slr="3"), law=law)

    assert (found.outcome, found.raw, found.amount) == (Outcome.PROVISIONAL, Dec("261.4950"), Dec("261.49"))
    assert found.file_fee == Dec("25.00")


@pytest.mark.parametrize(
    ("zone", "raw"), [("1bis", "3012.035"), ("1", "2411.565"), ("2", "1210.625"), ("3", "300.235")]
)
def test_the_provisional_amounts_of_2026(zone, raw):
    """D9: 65 m², 2026."""
    assert provisional(year=2026, home=home(surface="65", slr=zone), law=LAW).raw == Dec(raw)


# ── Published thresholds (W6–W13) ────────────────────────────────────────────────────────────────────────────────────

PUBLISHED = [
    *zip([2020] * 5, ["paris"] * 5, [1, 2, 3, 4, 5], [28807, 43052, 56437, 67382, 80171], strict=True),  # W6
    *zip([2020] * 5, ["other"] * 5, [1, 2, 3, 4, 5], [25044, 33444, 40219, 48554, 57119], strict=True),  # W7
    *zip([2024] * 3, ["paris"] * 3, [1, 2, 3], [31252, 46710, 61230], strict=True),  # W9
    (2025, "idf", 4, 68914),  # W10
    (2025, "idf", 5, 81580),
    (2026, "paris", 1, 32304),  # W11
    (2026, "paris", 2, 48280),
    (2026, "other", 1, 28084),  # W12
]
PUBLISHED_PLS = [
    *zip([2020] * 5, ["paris"] * 5, [1, 2, 3, 4, 5], [37449, 55968, 73368, 87597, 104222], strict=True),
    *zip([2020] * 5, ["other"] * 5, [1, 2, 3, 4, 5], [32557, 43477, 52285, 63121, 74254], strict=True),
    *zip([2024] * 3, ["paris"] * 3, [1, 2, 3], [40628, 60723, 79599], strict=True),
    (2025, "idf", 4, 89589),
    (2026, "paris", 1, 41995),
    (2026, "paris", 2, 62763),
    (2026, "other", 1, 36509),
]


@pytest.mark.parametrize(("year", "zone", "category", "published"), PUBLISHED)
def test_published_thresholds_of_plus_dwellings(year, zone, category, published):
    """Fiches round 1.2 × the ceiling, down or up; the real threshold is the next whole euro."""
    ceiling = shipped_figures().ceiling(year, zone).of(category)

    assert abs(ceiling * Dec("1.2") - published) < 1
    assert due_from(ceiling, 20) in {published, published + 1}


@pytest.mark.parametrize(("year", "zone", "category", "published"), PUBLISHED_PLS)
def test_published_thresholds_of_pls_dwellings(year, zone, category, published):
    ceiling = pls_ceiling(shipped_figures().ceiling(year, zone).of(category))

    assert abs(ceiling * Dec("1.2") - published) < 1


def test_the_official_single_parents_and_young_couples_fall_where_the_fiche_says():
    """W6, W7, W10: young couple = category 3, one adult with 2 dependants = 4, with 3 = 5; W8: alone with a CMI = 2."""
    disabled = (Person(Role.TENANT, 40, disabled=True),)
    where = home("paris", "1bis", rent="0")
    for people, published in [(YOUNG, 56437), (single_with(2), 67382), (single_with(3), 80171), (disabled, 43052)]:
        assert reckon(where, people, published - 1, 2020).outcome is Outcome.UNDER
        assert reckon(where, people, published + 1, 2020).outcome is Outcome.DUE


@pytest.mark.parametrize(
    ("zone", "category", "published"),
    [("paris", 1, 46812), ("other", 1, 40697), ("paris", 2, 69960), ("other", 2, 54347)],
)
def test_published_hundred_and_fifty_percent_of_the_pls_ceiling(zone, category, published):
    """W13, 2020."""
    ceiling = pls_ceiling(shipped_figures().ceiling(2020, zone).of(category))

    assert abs(ceiling * Dec("1.5") - published) < 1


def test_the_sum_of_rent_and_sls_on_a_published_letter():
    """W15."""
    assert Dec("693.45") + Dec("47.93") == Dec("741.38")


# ── Derived amounts (D1–D8) ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("where", "people", "resources", "percent", "coefficient", "raw"),
    [
        (home("paris", "1bis", "45.50"), ALONE, 33000, 22, "0.39", "55.18695"),  # D1
        (home("paris", "1bis", "72"), FOUR, 81000, 28, "0.75", "167.94"),  # D2
        (home("paris", "1bis", "60"), COUPLE, 48280, 20, "0.27", "50.382"),  # D3
        (home("idf", "1", "68.30"), YOUNG, 78000, 61, "2.77", "471.08559"),  # D4
        (home("other", "2", "80"), FOUR, 75000, 65, "3.09", "309"),  # D5
        (home("other", "2", "65"), COUPLE, 80000, 155, "10.41", "845.8125"),  # D6
        (home("paris", "1bis", "90", "900"), ALONE, 70000, 160, "10.91", "3053.709"),  # D7
        (home("other", "2", "40", "300", "PLS"), ALONE, 36509, 20, "0.27", "13.5"),  # D8
    ],
)
def test_derived_amounts_of_2026(where, people, resources, percent, coefficient, raw):
    found = reckon(where, people, resources)

    assert (found.outcome, found.percent) == (Outcome.DUE, percent)
    assert (found.coefficient, found.raw) == (Dec(coefficient), Dec(raw))


def test_one_euro_less_and_nothing_is_due():
    """D3 and D8, just below."""
    assert reckon(home("paris", "1bis"), COUPLE, 48279).outcome is Outcome.UNDER
    assert reckon(home("other", "2", "40", "300", "PLS"), ALONE, 36508).outcome is Outcome.UNDER


def test_rent_and_sls_stay_within_thirty_percent_of_resources():
    """D7: 850.00, not 3 053.71."""
    found = reckon(home("paris", "1bis", "90", "900"), ALONE, 70000)

    assert (found.amount, found.capped) == (Dec("850.00"), True)
    assert reckon(home("paris", "1bis", "90", "1800"), ALONE, 70000).amount == 0


def test_plai_dwellings_follow_the_plus_ceilings():
    for financing in ("PLAI", "LLS", "LLTS"):
        assert reckon(home(financing=financing), ALONE, 40000).ceiling == reckon(home(), ALONE, 40000).ceiling


def test_beyond_six_each_person_adds_to_the_ceiling():
    eight = tuple(Person(Role.TENANT, 30) for _ in range(8))

    assert reckon(home(), eight, 40000).ceiling == 60156 + 2 * 6710


# ── The second cap, resources, rounding ──────────────────────────────────────────────────────────────────────────────


def test_the_second_cap_holds_rent_and_sls_per_square_metre():
    where = Home(Dec(60), Dec(600), "PLUS", "paris", "1bis", cap_zone="core", above_at_signing=True)

    found = reckon(where, COUPLE, 100000)

    assert found.amount == Dec("27.59") * 60 - 600
    assert any(line.title == "Second plafond" for line in found.lines)


def test_a_missing_second_cap_stops_the_reckoning():
    where = Home(Dec(60), Dec(600), "PLUS", "paris", "1bis", cap_zone="core", above_at_signing=True)

    with pytest.raises(MissingFigure, match=r"Second plafond.*2025"):
        reckon(where, COUPLE, 100000, 2025)


@pytest.mark.parametrize(("recent", "used"), [(27000, 27000), (27001, 30000), (40000, 30000), (None, 30000)])
def test_recent_resources_count_when_ten_percent_lower(recent, used):
    given_recent = None if recent is None else Dec(recent)
    found = assess(year=2026, home=home(), people=ALONE, resources=Dec(30000), recent=given_recent, law=LAW)

    assert found.resources == used


def test_rounding_and_a_minimum_are_the_landlords_choice():
    where = home("paris", "1bis", "45.50")
    nearest = parse_settings('source = "Délibération"\n[sls]\nrounding = "half_up"')
    least = parse_settings('source = "Délibération"\n[sls]\nminimum = "60"')

    assert reckon(where, ALONE, 33000).amount == Dec("55.18")
    assert reckon(where, ALONE, 33000, law=nearest).amount == Dec("55.19")
    assert reckon(where, ALONE, 33000, law=least).amount == 0


# ── What exempts, what stops ─────────────────────────────────────────────────────────────────────────────────────────


def test_an_exemption_gives_nothing_and_says_why():
    reason = "Logement en quartier prioritaire de la ville : le SLS ne s'applique pas."

    found = assess(year=2026, home=home(), people=ALONE, resources=Dec(90000), law=LAW, exemptions=(reason,))

    assert (found.outcome, found.amount, found.text) == (Outcome.EXEMPT, 0, reason)
    assert provisional(year=2026, home=home(), law=LAW, exemptions=(reason,)).amount == 0
    assert reckon(home(financing="PLI"), ALONE, 90000).outcome is Outcome.EXEMPT


@pytest.mark.parametrize(
    ("where", "year", "named"),
    [
        (home(), 2027, "Plafond de ressources PLUS, autres régions.*2027"),
        (home(ceiling="dom", slr="dom"), 2026, "Plafond de ressources PLUS, outre-mer.*2026"),
        (home(), 2023, "Supplément de loyer de référence.*zone 2.*2023"),
        (home(slr="corse"), 2025, "Supplément de loyer de référence.*Corse.*2025"),
    ],
)
def test_a_missing_official_figure_is_named_with_its_year(where, year, named):
    with pytest.raises(MissingFigure, match=named):
        reckon(where, ALONE, 90000, year)


@pytest.mark.parametrize(
    ("where", "named"),
    [
        (Home(None, Dec(400), "PLUS", "other", "2"), "surface"),
        (Home(Dec(60), None, "PLUS", "other", "2"), "loyer"),
        (Home(Dec(60), Dec(400), "", "other", "2"), "financement"),
        (Home(Dec(60), Dec(400), "ILM", "other", "2"), "ILM"),
    ],
)
def test_a_missing_fact_is_named(where, named):
    with pytest.raises(MissingFact, match=named):
        reckon(where, ALONE, 90000)


def test_a_household_of_lodgers_only_is_refused():
    with pytest.raises(MissingFact, match="Aucune personne"):
        reckon(home(), (Person(Role.LODGER, 30),), 90000)


def test_the_reckoning_tells_each_step_with_its_source():
    found = reckon(home("paris", "1bis", "90", "900"), ALONE, 70000)

    titles = [line.title for line in found.lines]
    assert titles == [
        "Catégorie de ménage",
        "Plafond de ressources",
        "Ressources retenues",
        "Dépassement",
        "Coefficient (CDPR)",
        "SLR",
        "SLS avant plafonnement",
        "Plafond de 30 %",
        "SLS estimé",
    ]
    assert all(line.source for line in found.lines[:-1])
    assert "850" in found.text


# ── Properties ───────────────────────────────────────────────────────────────────────────────────────────────────────

PEOPLE = st.lists(
    st.builds(Person, st.sampled_from([Role.TENANT, Role.SPOUSE, Role.DEPENDANT]), st.integers(0, 90), st.booleans()),
    min_size=1,
    max_size=9,
).map(tuple)
HOMES = st.builds(
    Home,
    surface=st.decimals(9, 300, places=2),
    rent=st.decimals(0, 2000, places=2),
    financing=st.sampled_from(["PLUS", "PLAI", "PLS"]),
    ceiling_zone=st.sampled_from(["paris", "idf", "other"]),
    slr_zone=st.sampled_from(["1bis", "1", "2", "3"]),
    above_at_signing=st.booleans(),
)
INCOMES = st.integers(0, 400_000)


@given(HOMES, PEOPLE, INCOMES, st.integers(0, 50_000))
def test_more_income_never_costs_less(where, people, income, more):
    assert reckon(where, people, income).amount <= reckon(where, people, income + more).amount


@given(HOMES, PEOPLE, INCOMES)
def test_rent_and_sls_never_exceed_the_cap(where, people, income):
    found = reckon(where, people, income)

    assert found.amount >= 0
    if found.amount:
        assert found.amount + where.rent <= Dec("0.30") * income / 12
        assert found.amount <= found.raw


@given(HOMES, PEOPLE, INCOMES, st.text(min_size=1, max_size=20))
def test_an_exemption_is_always_nothing(where, people, income, reason):
    found = assess(year=2026, home=where, people=people, resources=Dec(income), law=LAW, exemptions=(reason,))

    assert (found.amount, found.outcome) == (0, Outcome.EXEMPT)


@given(HOMES, PEOPLE, INCOMES)
def test_one_person_more_never_costs_more(where, people, income):
    larger = (*people, Person(Role.TENANT, 70))

    assert reckon(where, larger, income).amount <= reckon(where, people, income).amount


@given(HOMES, PEOPLE, INCOMES)
def test_no_answer_never_costs_less_than_an_uncapped_answer_below_two_hundred_percent(where, people, income):
    found = reckon(where, people, income)

    if found.percent is not None and found.percent < 200:
        assert found.raw <= provisional(year=2026, home=where, law=LAW).raw
