"""Where a value stands in a landlord's XML: `A/B`, `A/@c`, `ns:A`, `col[@name='REF']/@v`, or `.` for the row itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = r"[^\W\d][\w.\-]*"
_STEP = re.compile(rf"(?P<name>(?:{_NAME}:)?{_NAME})(?:\[@(?P<attribute>{_NAME})='(?P<value>[^']*)'\])?")
_ATTRIBUTE = re.compile(rf"@(?P<name>(?:{_NAME}:)?{_NAME})$")


class PathError(ValueError):
    """The text is not a path we understand; the message is a French sentence."""


@dataclass(frozen=True, slots=True)
class Step:
    """One element on the way: `tag` in Clark notation, `shown` as written, kept if `attribute` equals `value`."""

    tag: str
    shown: str
    attribute: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class SourcePath:
    """A parsed path; `attribute` (Clark notation) is '' when the value is the element's text."""

    text: str
    steps: tuple[Step, ...]
    attribute: str = ""

    @property
    def shown(self) -> str:
        """The path as the profile's author wrote it, for messages and XPaths; '' for the row itself."""
        return "" if self.text == "." else self.text


def _clark(name: str, namespaces: Mapping[str, str]) -> str:
    """`ns:Tag` → `{uri}Tag`."""
    prefix, colon, local = name.rpartition(":")
    if not colon:
        return local
    if prefix not in namespaces:
        raise PathError(f"le préfixe « {prefix} » n'est pas déclaré dans [namespaces]")
    return f"{{{namespaces[prefix]}}}{local}"


def parse_path(text: str, namespaces: Mapping[str, str]) -> SourcePath:
    """The path written in a profile. Raises PathError with a French sentence."""
    if text == ".":
        return SourcePath(text, ())
    steps: list[Step] = []
    position = 0
    while position < len(text):
        attribute = _ATTRIBUTE.match(text, position)
        if attribute is not None:
            return SourcePath(text, tuple(steps), _clark(attribute["name"], namespaces))
        step = _STEP.match(text, position)
        if step is None:
            break
        tag = _clark(step["name"], namespaces)
        steps.append(Step(tag, step.group(), step["attribute"] or "", step["value"] or ""))
        position = step.end()
        if position == len(text):
            return SourcePath(text, tuple(steps))
        if text[position] != "/":
            break
        position += 1
    raise PathError(f"le chemin « {text} » n'est pas compris (exemples : « Bail/Numero », « @ID »)")
