"""A profile is read whole or refused with every problem it has, in French."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tenants.landlord_file.profile import ProfileError
from tenants.landlord_file.profile_files import load_profile, parse_profile, shipped_profiles

GOOD: dict[str, Any] = {
    "name": "essai",
    "version": 2,
    "household": {"path": "R/H", "fields": {"tenant_ref": "@id"}},
    "occupant": {"path": "P", "fields": {"last_name": "@n"}},
}


def problems(**changes: Any) -> list[str]:
    """The problems of the good profile once changed: `household__fields` leads to the inner table."""
    tables = copy.deepcopy(GOOD)
    for place, value in changes.items():
        *path, last = place.split("__")
        table = tables
        for step in path:
            table = table[step]
        table[last] = value
    with pytest.raises(ProfileError) as caught:
        parse_profile(tables)
    return caught.value.problems


def test_the_shipped_profiles_are_valid() -> None:
    assert shipped_profiles() == ["native", "nested", "relational"]
    assert [load_profile(name).name for name in shipped_profiles()] == shipped_profiles()


def test_an_unknown_shipped_profile_is_told() -> None:
    with pytest.raises(ProfileError, match="profils livrés"):
        load_profile("../nested")


def test_a_good_profile_is_read() -> None:
    profile = parse_profile(GOOD)

    assert (profile.name, profile.version, profile.path.text, profile.relational) == ("essai", 2, "R/H", False)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"household": 3}, "household"),
        ({"nouveau": 1}, "rubrique"),
        ({"version": 0}, "version"),
        ({"household__path": "R/H/@a"}, "sans attribut"),
        ({"household__path": "R//H"}, "n'est pas compris"),
        ({"household__path": "x:R"}, "préfixe"),
        ({"household__fields": {"city": "@c"}}, "tenant_ref"),
        ({"household__fields": {"tenant_ref": "@id", "nationality": "@n"}}, "pas un de nos champs"),
        ({"household__fields": {"tenant_ref": 3}}, "attend un chemin"),
        ({"household__fields": {"tenant_ref": {"source": "@a", "constant": "b"}}}, "un seul des deux"),
        ({"household__fields": {"tenant_ref": {"source": "@a", "code": "b"}}}, "n'existe pas"),
        ({"household__fields": {"tenant_ref": {"source": "@a", "type": "regex"}}}, "type « regex »"),
        ({"household__fields": {"tenant_ref": {"source": "@a", "keep": "oui"}}}, "bonne forme"),
        ({"household__fields__rent": "@r"}, "attend le type « decimal »"),
        ({"household__fields__move_in": {"source": "@d", "type": "date", "format": "DD/MM"}}, "l'année"),
        ({"household__fields__move_in": {"source": "@d", "type": "date", "format": "DD/MM/YY"}}, "« pivot »"),
        ({"household__fields__move_in": {"source": "@d", "type": "date", "format": "DD/DD/YYYY"}}, "deux fois"),
        ({"household__fields__move_in": {"source": "@d", "type": "date", "format": "DDxMMxYYYY"}}, "autre chose"),
        ({"household__fields": {"tenant_ref": {"source": ["@a", 1]}}}, "liste de chemins"),
        ({"household__fields": {"tenant_ref": {"source": []}}}, "« source » ou « constant »"),
        ({"household__fields": {"tenant_ref": {"source": "@a", "split": "|"}}}, "« piece »"),
        ({"household__fields": {"tenant_ref": {"source": "@a", "split": "|", "piece": True}}}, "bonne forme"),
        ({"household__scattered": True}, "« group_by »"),
        ({"household__scattered": "oui"}, "true ou false"),
        ({"household__fields__qpv": {"source": "@q", "type": "boolean", "true": ["1"]}}, "vont ensemble"),
        ({"household__fields__rent": {"source": "@r", "type": "decimal", "separator": ";"}}, "séparateur"),
        ({"household__fields__city": {"source": "@v", "pattern": "{a}{city}"}}, "se suivent"),
        ({"household__fields__city": {"source": "@v", "pattern": "{a} {b}"}}, "ne contient pas"),
        ({"household__fields__agency": {"source": "@a", "type": "label"}}, "demande « table »"),
        ({"occupant__fields": {"first_name": "@p"}}, "last_name"),
        ({"occupant__fields__link": "@l"}, "attend le type « code »"),
        ({"occupant__fields__link": {"source": "@l", "type": "code"}}, "« table » ou « values »"),
        ({"occupant__fields__link": {"source": "@l", "type": "code", "values": {"1": "patron"}}}, "patron"),
        ({"occupant__key": "@c"}, "vont ensemble"),
        ({"household__group_by": "@id"}, "retirez « path »"),
        ({"joins": {"l": {"path": "R/L", "key": "@i", "fields": {"city": "@v"}}}}, "« match » manque"),
        (
            {"joins": {"l": {"path": "R/L", "key": "@i", "match": "@l", "via": "z", "fields": {"city": "@v"}}}},
            "déclarée avant",
        ),
        (
            {"joins": {"l": {"path": "R/L", "key": "@i", "match": "@l", "fields": {"tenant_ref": "@v"}}}},
            "déjà alimenté",
        ),
        ({"joins": {"*": {"path": "R/L", "key": "@i", "match": "@l", "fields": {"city": "@v"}}}}, "nom de liste"),
        ({"joins": {"l": {"path": "R/H", "key": "@i", "match": "@l", "fields": {"city": "@v"}}}}, "même élément"),
    ],
)
def test_each_mistake_has_its_sentence(changes: dict[str, Any], words: str) -> None:
    found = problems(**changes)

    assert any(words in sentence for sentence in found), found
    assert all(sentence.endswith(".") for sentence in found)


def test_all_the_mistakes_are_told_at_once() -> None:
    assert len(problems(version="1", household__fields={"nationality": "@n"}, occupant__key="@c")) >= 4
