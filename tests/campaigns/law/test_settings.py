"""A landlord's legal settings: what they change, and how a wrong one is refused."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest

from campaigns.law.clocks import Event, Kind, deadline
from campaigns.law.figures import MissingFigure, ceiling_zone, second_cap_zone, slr_zone
from campaigns.law.settings import SettingsRefused, model_text, parse_settings, shipped_law

WHOLE = """
source = "Délibération du 12 novembre 2026"

[clocks]
calendar = "alsace"
postal_days = 3
extra_days = { reply = 5 }

[sls]
rounding = "half_up"
minimum = "5"
file_fee = "15.24"

[ops]
amount = "7.62"
per_month = "0"

[zones]
ceiling = { "Z 03" = "other" }
slr = { "B" = "2" }

[[ceilings]]
year = 2027
zone = "other"
categories = [23600, 31500, 37900, 45800, 53800, 60700]
extra = 6770
source = "Arrêté de décembre 2026"

[[slr]]
year = 2027
zones = { "2" = "1.26", "3" = "0.31" }
source = "Barème du bailleur"

[[cdpr]]
zone = "2"
first = "0.20"
bands = [{ from = 21, step = "0.05" }, { from = 60, step = "0.07" }, { from = 150, step = "0.095" }]
in_force_since = 2026-01-01
source = "Convention d'utilité sociale"
"""


def test_nothing_written_is_the_law_alone():
    assert parse_settings("  \n") is shipped_law()


def test_settings_lie_over_the_shipped_figures():
    law = parse_settings(WHOLE)

    assert law.figures.ceiling(2027, "other").of(1) == 23600
    assert law.figures.ceiling(2026, "other").of(1) == 23403
    assert law.figures.reference_rate(2027, "2") == (Decimal("1.26"), "Barème du bailleur")
    assert law.figures.coefficients(2027, "2").at(22, 20) == Decimal("0.30")
    assert law.figures.coefficients(2025, "2").at(22, 20) == Decimal("0.39")
    assert law.figures.coefficients(2027, "3").at(22, 20) == Decimal("0.39")
    assert 2027 in law.figures.years()
    assert (law.rounding, law.minimum, law.file_fee) == ("half_up", 5, Decimal("15.24"))
    assert law.penalty is not None
    assert law.penalty.per_month == 0


def test_settings_lengthen_the_clocks():
    rules = parse_settings(WHOLE).clocks("37000")

    found = deadline("reply", [Event(Kind.SENT, dt.date(2026, 10, 12))], rules)

    assert rules.place.key == "alsace"
    assert found.date == dt.date(2026, 11, 20)
    assert parse_settings("").clocks("97400").place.key == "reunion"


def test_zone_names_are_the_landlords_own():
    law = parse_settings(WHOLE)

    assert ceiling_zone("Z03", "37000", law.ceiling_names) == "other"
    assert slr_zone("b", "37000", law.slr_names) == "2"
    assert ceiling_zone("1 bis", "75011", {}) == "paris"


def test_overseas_and_corsica_have_figures_of_their_own():
    assert (ceiling_zone("3", "97400", {}), slr_zone("3", "97400", {})) == ("dom", "dom")
    assert slr_zone("3", "20000", {}) == "corse"
    assert second_cap_zone("1bis", "92100") == "core"
    assert second_cap_zone("1bis", "93100") == "1bis"


@pytest.mark.parametrize(("code", "told"), [("", "n'est pas renseignée"), ("9Z", "« 9Z » ne se lit pas")])
def test_a_zone_that_is_not_known_is_said(code, told):
    with pytest.raises(MissingFigure, match=told):
        slr_zone(code, "37000", {})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[clocks", "TOML lisible"),
        ("[clocks]\npostal_days = 3", "Dites d'où viennent"),
        ('source = "x"\n[horloges]\na = 1', "« horloges » n'est pas un réglage connu"),
        ('source = "x"\n[clocks]\ncalendar = "lune"', r"Table \[clocks\] : « calendar » doit être l'un de"),
        ('source = "x"\n[clocks]\ncalendar = ["alsace"]', "« calendar » doit être l'un de"),
        ('source = "x"\n[clocks]\npostal_days = -1', "nombre de jours"),
        ('source = "x"\n[clocks]\npostal_days = true', "nombre de jours"),
        ('source = "x"\n[clocks]\nextra_days = { reply = 500 }', "jours accordés"),
        ('source = "x"\n[clocks]\nextra_days = { midi = 1 }', "jours accordés"),
        ('source = "x"\n[sls]\nrounding = "up"', "down, half_up"),
        ('source = "x"\n[sls]\nminimum = 5', "montant entre guillemets"),
        ('source = "x"\n[sls]\nminimum = "NaN"', "montant entre guillemets"),
        ('source = "x"\n[sls]\nfile_fee = "30"', 'au plus "25.00"'),
        ('source = "x"\n[ops]\namount = "7.62"', r"Table \[ops\] : « per_month » manque"),
        ('source = "x"\n[ops]\namount = "9"\nper_month = "0"', 'au plus "7.62"'),
        ('source = "x"\nslr = [1, 2]', r"Table \[\[slr\]\], entrée 1 : écrivez une table"),
        ('source = "x"\n[[slr]]\nyear = 2027\nsource = "y"', "« zones » manque"),
        ('source = "x"\n[[slr]]\nyear = 2027\nsource = "y"\nzones = { 7 = "1" }', "montant entre guillemets par zone"),
        ('source = "x"\n[[slr]]\nyear = 27\nsource = "y"\nzones = { 2 = "1" }', "une année"),
        ('source = "x"\n[[slr]]\nyear = 2027\nsource = ""\nzones = { 2 = "1" }', "« source » doit être un texte"),
        ('source = "x"\n[zones]\nslr = { A = "9" }', "une zone pour chaque code"),
        (
            'source = "x"\n[[ceilings]]\nyear = 2027\nzone = "other"\ncategories = [1, 2]\nextra = 1\nsource = "y"',
            "six plafonds",
        ),
        (
            'source = "x"\n[[cdpr]]\nzone = "2"\nfirst = "0.50"\nbands = []\nin_force_since = 2026-01-01\nsource = "y"',
            "entre 0.13 et 0.34",
        ),
        (
            'source = "x"\n[[cdpr]]\nzone = "2"\nfirst = "0.20"\nbands = [{ from = 21, step = "0.20" }]\n'
            'in_force_since = 2026-01-01\nsource = "y"',
            "suite de tranches",
        ),
    ],
)
def test_a_wrong_setting_is_named(text, problem):
    with pytest.raises(SettingsRefused, match=problem):
        parse_settings(text)


def test_the_model_to_start_from_is_good_once_uncommented():
    lines = model_text().splitlines()
    kept = [line[2:] if re.match(r"# (\w+ = |\[)", line) else "" for line in lines]
    text = "\n".join(kept).replace("[0, 0, 0, 0, 0, 0]", "[1, 2, 3, 4, 5, 6]").replace("extra = 0\n", "extra = 1\n")

    law = parse_settings(text)

    assert (law.postal_days, law.figures.ceiling(2027, "other").of(6)) == (3, 6)
    with pytest.raises(SettingsRefused, match="Dites d'où viennent"):
        parse_settings(model_text())


def test_every_problem_is_told_at_once():
    with pytest.raises(SettingsRefused) as refused:
        parse_settings('[clocks]\npostal_days = -1\n[sls]\nrounding = "up"')

    assert len(refused.value.problems) == 3
