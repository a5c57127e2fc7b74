"""A landlord's file never seen before: its repeated elements as lists, and each list's columns with their values.

Two bounded passes over the start of the file: the first finds what repeats, the second keeps some of what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from lxml import etree

from .found_lists import ROWS, Column, FoundList, Path, Sample
from .prolog import HEAD, check_head
from .records import Anomaly
from .walking import line_of

MAX_BYTES = 12_000_000
"""Bytes of the file that are looked at."""

MOST_COLUMNS = 300
MOST_LISTS = 40

_LABEL = re.compile(r"[^\W\d_][^']{0,59}")


class UnableToSample(Exception):
    """The file can't be looked at; the message is a French sentence."""


@dataclass(slots=True)
class _Shape:
    """What was seen of the elements of one path: how many, at most how many under one parent, how they are made."""

    count: int = 0
    most: int = 0
    parent: Path = ()
    children: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    labels: dict[str, set[str]] = field(default_factory=dict)
    clashes: set[str] = field(default_factory=set)
    text: bool = False

    def label(self, shapes: dict[Path, _Shape]) -> str:
        """The attribute that names these elements (`<col name="REF">`), or ''."""
        above = shapes.get(self.parent)
        if self.children or self.most < 2 or above is None or len(self.attributes) > 2:
            return ""
        for name in sorted(self.attributes - self.clashes):
            values = self.labels.get(name, set())
            named = values and len(values) <= MOST_COLUMNS and all(_LABEL.fullmatch(each) for each in values)
            if named and (self.text or len(self.attributes) == 2) and self.most <= len(values):
                return name
        return ""


class _Bounded:
    """The file as the parser reads it: its first bytes, up to a bound."""

    def __init__(self, source: BinaryIO, bound: int) -> None:
        self._source, self._left, self.cut = source, bound, False

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; nothing past the bound."""
        if self._left <= 0:
            self.cut = bool(self._source.read(1)) or self.cut
            return b""
        data = self._source.read(min(size, self._left) if size > 0 else self._left)
        self._left -= len(data)
        return data


def sample(source: BinaryIO) -> Sample:
    """What the start of an open binary file is made of; read twice. Raises UnableToSample."""
    verdict = check_head(source.read(HEAD))
    if isinstance(verdict, Anomaly):
        raise UnableToSample(verdict.message)
    shapes: dict[Path, _Shape] = {}
    prefixes: dict[str, str] = {}
    cut = _look(source, shapes, prefixes)
    if not shapes:
        raise UnableToSample("Le fichier ne contient aucun élément.")
    labels = {path: name for path, shape in shapes.items() if (name := shape.label(shapes))}
    found = _lists(shapes, labels)
    if not found:
        raise UnableToSample("Le fichier ne contient aucun élément qui puisse être un ménage.")
    names = _Names(prefixes, labels, frozenset(found))
    lists = {tags: FoundList(names.path(tags), tags) for tags in found}
    for tags, each in lists.items():
        above = [other for other in lists if other == tags[: len(other)] and other != tags]
        each.parent = lists[max(above, key=len)] if above else None
    _fill(source, lists, names)
    for each in lists.values():
        _drop_containers(each, lists)
    used = {prefix: uri for uri, prefix in names.used.items()}
    return Sample(list(lists.values()), used, cut)


def _drop_containers(found: FoundList, lists: dict[Path, FoundList]) -> None:
    """Elements that only hold an inner list, and the row's own text when it has none, are no columns."""
    inside = [each.path[len(found.path) + 1 :] for each in lists.values() if each.parent is found]
    for path, column in list(found.columns.items()):
        if not column.count and (path == "." or any(inner.startswith(f"{path}/") for inner in inside)):
            del found.columns[path]


def _parser(source: _Bounded, events: tuple[str, ...]) -> Any:
    return etree.iterparse(
        source,
        events=events,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _events(source: BinaryIO, events: tuple[str, ...], bounded: _Bounded) -> Iterator[tuple[str, Any]]:
    """The parser's events. The end that the bound makes is no fault; another one is told."""
    source.seek(0)
    parser = _parser(bounded, events)
    try:
        for number, (event, element) in enumerate(parser):
            if not number and element.getroottree().docinfo.doctype:
                raise UnableToSample("Le fichier contient une déclaration DOCTYPE, refusée par sécurité.")
            yield event, element
    except etree.XMLSyntaxError as error:
        if not bounded.cut:
            raise UnableToSample(f"Le XML est mal formé, ligne {error.lineno or 1}.") from None
    except (LookupError, UnicodeError):
        raise UnableToSample("Le fichier ne suit pas l'encodage qu'il annonce.") from None


# ── First pass: what repeats ─────────────────────────────────────────────────────────────────────────────────────────


def _look(source: BinaryIO, shapes: dict[Path, _Shape], prefixes: dict[str, str]) -> bool:
    """Note the shape of every path; whether the file was cut."""
    bounded = _Bounded(source, MAX_BYTES)
    path: Path = ()
    frames: list[tuple[dict[str, int], dict[tuple[str, str], set[str]]]] = [({}, {})]
    for event, element in _events(source, ("start", "end"), bounded):
        if event == "start":
            if len(shapes) < 4_000 and len(path) < 60:
                _note(element, path, frames[-1], shapes)
                if element.tag[0] == "{" and element.tag[1:].partition("}")[0] not in prefixes:
                    prefixes.update({uri: prefix or "" for prefix, uri in element.nsmap.items()})
            path = (*path, element.tag)
            frames.append(({}, {}))
            continue
        if not len(element) and element.text and element.text.strip() and path in shapes:
            shapes[path].text = True
        path = path[:-1]
        frames.pop()
        element.clear(keep_tail=True)
        while element.getprevious() is not None:
            del element.getparent()[0]
    return bounded.cut


def _note(
    element: Any, above: Path, frame: tuple[dict[str, int], dict[tuple[str, str], set[str]]], shapes: dict[Path, _Shape]
) -> None:
    counts, labels = frame
    tag = element.tag
    shape = shapes.setdefault((*above, tag), _Shape(parent=above))
    shape.count += 1
    counts[tag] = counts.get(tag, 0) + 1
    shape.most = max(shape.most, counts[tag])
    if above in shapes:
        shapes[above].children.add(tag)
    for name, value in element.attrib.items():
        shape.attributes.add(name)
        known = shape.labels.setdefault(name, set())
        if len(known) <= MOST_COLUMNS:
            known.add(value)
        siblings = labels.setdefault((tag, name), set())
        if value in siblings:
            shape.clashes.add(name)
        elif len(siblings) <= MOST_COLUMNS:
            siblings.add(value)


def _lists(shapes: dict[Path, _Shape], labels: dict[Path, str]) -> list[Path]:
    """The paths of the elements that repeat and hold something; else the child of the root that says most."""
    found = [
        path
        for path, shape in shapes.items()
        if shape.most > 1
        and path not in labels
        and (shape.children or len(shape.attributes) > 1)
        and not _within_label(path, labels)
    ]
    if not any(_is_top(path, found) for path in found) or not found:
        under_root = [path for path in shapes if len(path) == 2]
        if under_root:
            found.append(max(under_root, key=lambda path: sum(other[: len(path)] == path for other in shapes)))
    found += [path for path, shape in shapes.items() if _alone(path, shape, shapes, found)]
    return sorted(dict.fromkeys(found), key=len)[:MOST_LISTS]


def _alone(path: Path, shape: _Shape, shapes: dict[Path, _Shape], found: list[Path]) -> bool:
    """Whether this is a household alone in its file: it says things of its own, and holds a list."""
    holds = any(other[: len(path)] == path for other in found if other != path)
    within = any(path[: len(other)] == other for other in found)
    leaves = sum(not shapes[(*path, tag)].children for tag in shape.children)
    return len(path) > 1 and holds and not within and leaves + len(shape.attributes) >= 2


def _within_label(path: Path, labels: dict[Path, str]) -> bool:
    return any(path[:depth] in labels for depth in range(1, len(path)))


def _is_top(path: Path, found: list[Path]) -> bool:
    return not any(other != path and path[: len(other)] == other for other in found)


# ── Second pass: what it says ────────────────────────────────────────────────────────────────────────────────────────


class _Names:
    """How elements are written in a profile: prefixes for their namespaces, conditions for those that bear a label."""

    def __init__(self, prefixes: dict[str, str], labels: dict[Path, str], lists: frozenset[Path]) -> None:
        self.labels, self.lists = labels, lists
        self.used: dict[str, str] = {}
        self._prefixes = prefixes

    def shown(self, tag: str) -> str:
        """`{uri}Tag` → `prefix:Tag`, the prefix being noted."""
        uri, _, local = tag.rpartition("}")
        if not uri:
            return local
        uri = uri[1:]
        if uri not in self.used:
            prefix = self._prefixes.get(uri) or f"n{len(self.used) + 1}"
            self.used[uri] = prefix if prefix not in self.used.values() else f"{prefix}{len(self.used)}"
        return f"{self.used[uri]}:{local}"

    def path(self, tags: Path) -> str:
        """The path from the root."""
        return "/".join(self.shown(tag) for tag in tags)

    def flat(self, element: Any, tags: Path, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Every value that a row holds, with its path from the row; the lists inside it are left out."""
        label = self.labels.get(tags, "")
        for name, value in element.attrib.items():
            if name != label:
                yield f"{prefix}@{self.shown(name)}", value
        if not len(element):
            yield prefix.rstrip("/") or ".", element.text or ""
            return
        for child in element:
            below = (*tags, child.tag)
            if below in self.lists:
                continue
            step = self.shown(child.tag)
            if below in self.labels:
                step = f"{step}[@{self.labels[below]}='{child.get(self.labels[below])}']"
            yield from self.flat(child, below, f"{prefix}{step}/")


def elements_at(source: BinaryIO, paths: list[Path], bound: int = 0) -> Iterator[tuple[int, Any]]:
    """Each element standing at one of these paths, with the path's number; valid until the next is asked for.

    Inner paths come before the outer ones that hold them. Raises UnableToSample.
    """
    wanted = {path: number for number, path in enumerate(paths)}
    outer = {path for path in paths if not any(path[: len(other)] == other for other in paths if other != path)}
    path: Path = ()
    for event, element in _events(source, ("start", "end"), _Bounded(source, bound or MAX_BYTES)):
        if event == "start":
            path = (*path, element.tag)
            continue
        if path in wanted:
            yield wanted[path], element
        if path in outer or not any(path[: len(tags)] == tags for tags in outer):
            element.clear(keep_tail=True)
            while element.getprevious() is not None:
                del element.getparent()[0]
        path = path[:-1]


def _fill(source: BinaryIO, lists: dict[Path, FoundList], names: _Names) -> None:
    """Keep the values of the lists' rows, in bounded memory."""
    paths = list(lists)
    for number, element in elements_at(source, paths):
        _keep(lists[paths[number]], element, names)


def _keep(found: FoundList, element: Any, names: _Names) -> None:
    found.count += 1
    found.line = found.line or line_of(element)
    row: dict[str, str] = {}
    for path, text in names.flat(element, found.tags):
        value = text.strip(" \t\r\n")
        if path in row:
            continue
        if path not in found.columns:
            if len(found.columns) >= MOST_COLUMNS:
                continue
            found.columns[path] = Column(path)
        row[path] = value
        if value:
            found.columns[path].add(value)
    if len(found.rows) < ROWS:
        if found.parent is not None:
            row[PARENT] = str(found.parent.count)
        found.rows.append(row)


PARENT = "\0parent"
"""Where a row of an inner list keeps the number (from 0) of the outer row that holds it."""
