"""The XML of a file's first households, as the landlord wrote it, to be shown beside what a profile reads in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, BinaryIO

from lxml import etree

from .paths import SourcePath
from .profile import MappingProfile
from .sampling import elements_at

LONGEST = 20_000
"""Characters shown of one piece."""


@dataclass(slots=True)
class Excerpt:
    """One household: its reference when its own element gives it, and the pieces of XML that speak of it."""

    reference: str
    line: int
    pieces: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Wanted:
    """The rows of another list that concern the households shown: key → the excerpts that cite it."""

    key: SourcePath
    cited: dict[str, list[Excerpt]]


def first_households(source: BinaryIO, profile: MappingProfile, number: int) -> list[Excerpt]:
    """The first households of an open file; for joined lists, the file is read again for the rows they cite.

    Raises UnableToSample for a file that can't be read.
    """
    reference = next((each.source for each in profile.fields if each.target == "tenant_ref"), None)
    excerpts: list[Excerpt] = []
    matches: dict[str, _Wanted] = {}
    group = ""
    for _, element in elements_at(source, [_tags(profile.path)]):
        shared = value_at(element, profile.group_by) if profile.group_by else ""
        if excerpts and shared and shared == group:
            excerpts[-1].pieces.append(shown(element))
            continue
        if len(excerpts) == number:
            break
        group = shared
        excerpt = Excerpt(value_at(element, reference) if reference else "", element.sourceline or 0, [shown(element)])
        excerpts.append(excerpt)
        _cite(element, "", excerpt, profile, matches)
    if matches:
        _complete(source, profile, matches)
    return excerpts


def _tags(path: SourcePath) -> tuple[str, ...]:
    return tuple(step.tag for step in path.steps)


def _cite(element: Any, via: str, excerpt: Excerpt, profile: MappingProfile, wanted: dict[str, _Wanted]) -> None:
    """Note which rows of the other lists this row cites."""
    for joined in profile.joins:
        if joined.via == via:
            _want(wanted, joined.name, joined.key, value_at(element, joined.match), excerpt)
    if not via and profile.occupant.key is not None and profile.occupant.match is not None:
        _want(wanted, "occupant", profile.occupant.key, value_at(element, profile.occupant.match), excerpt)


def _want(wanted: dict[str, _Wanted], name: str, key: SourcePath, value: str, excerpt: Excerpt) -> None:
    if value:
        wanted.setdefault(name, _Wanted(key, {})).cited.setdefault(value, []).append(excerpt)


def _complete(source: BinaryIO, profile: MappingProfile, wanted: dict[str, _Wanted]) -> None:
    """Add the rows cited, then those that these cite in their turn."""
    paths = {joined.name: _tags(joined.path) for joined in profile.joins}
    if profile.occupant.path is not None:
        paths["occupant"] = _tags(profile.occupant.path)
    while wanted:
        names = [name for name in wanted if name in paths]
        further: dict[str, _Wanted] = {}
        for place, element in elements_at(source, [paths[name] for name in names]):
            each = wanted[names[place]]
            for excerpt in each.cited.get(value_at(element, each.key), []):
                excerpt.pieces.append(shown(element))
                if names[place] != "occupant":
                    _cite(element, names[place], excerpt, profile, further)
        wanted = further


def value_at(element: Any, path: SourcePath | None) -> str:
    """What a path says from an element, '' when nothing stands there."""
    if path is None:
        return ""
    for step in path.steps:
        inside = (child for child in element if child.tag == step.tag)
        element = next((each for each in inside if not step.attribute or each.get(step.attribute) == step.value), None)
        if element is None:
            return ""
    text = element.get(path.attribute) if path.attribute else element.text
    return (text or "").strip()


def shown(element: Any) -> str:
    """An element as indented XML, without the declarations of namespaces that its own names do not use."""
    copy = etree.fromstring(etree.tostring(element, with_tail=False))
    etree.cleanup_namespaces(copy)
    etree.indent(copy)
    text = str(etree.tostring(copy, encoding="unicode"))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
