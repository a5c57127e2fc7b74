"""What a landlord says otherwise than the model: texts, questions left out or made compulsory, pieces not asked for.

The differences are kept in `Campaign.overlay`; what this does not edit (additions, codes, rules) stays as it stands.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from django.db import transaction

from campaigns import operations
from campaigns.models import Campaign, User
from campaigns.questionnaire import overlay
from campaigns.questionnaire.parsing import load_library
from campaigns.questionnaire.schema import Questionnaire

Value = str | bool

# The entries edited here, group by group; "form" holds those at the top of the definition.
TEXTS: Mapping[str, tuple[str, ...]] = {
    "form": ("title", "intro"),
    "sections": ("title", "intro"),
    "fields": ("label", "hint", "short_label"),
    "documents": ("label", "help"),
}
SWITCHES: Mapping[str, tuple[str, ...]] = {"fields": ("hidden", "required"), "documents": ("off",)}
CALLED: Mapping[str, str] = {
    "title": "Titre",
    "intro": "Introduction",
    "label": "Libellé",
    "hint": "Aide",
    "short_label": "Libellé court",
    "help": "Aide",
    "hidden": "Ne pas poser cette question",
    "required": "Réponse obligatoire",
    "off": "Ne pas demander cette pièce",
}
NEEDED = frozenset({"title", "label"})  # never left empty
LONGEST = {"title": 120, "label": 200, "short_label": 40, "hint": 300, "help": 300, "intro": 600}


@dataclass(frozen=True, slots=True)
class Entry:
    """One text or switch: what the model says, what this landlord says, and whether it may be changed."""

    group: str
    key: str
    name: str
    model: Value
    value: Value
    fixed: bool = False

    @property
    def input(self) -> str:
        """Its name in a form: group|key|name."""
        return f"{self.group}|{self.key}|{self.name}"

    @property
    def called(self) -> str:
        """What the page calls it."""
        return CALLED[self.name]

    @property
    def switch(self) -> bool:
        """Whether it is said by yes or no."""
        return isinstance(self.model, bool)

    @property
    def changed(self) -> bool:
        """Whether this landlord says otherwise than the model."""
        return self.value != self.model

    @property
    def longest(self) -> int:
        """The most characters it may hold."""
        return LONGEST.get(self.name, 0)

    @property
    def long(self) -> bool:
        """Whether it takes several lines to write."""
        return self.longest >= LONGEST["label"]


@dataclass(slots=True)
class Item:
    """A question, a piece, a section or the form itself, with its entries by name."""

    called: str
    entries: dict[str, Entry]
    items: list[Item] = field(default_factory=list)

    @property
    def changes(self) -> int:
        """How many entries differ from the model, here and below."""
        return sum(each.changed for each in self.entries.values()) + sum(each.changes for each in self.items)

    def hear(self, told: Mapping[str, Value]) -> None:
        """Show what is `told` in place of what is kept, here and below."""
        for name, each in self.entries.items():
            self.entries[name] = dataclasses.replace(each, value=told.get(each.input, each.value))
        for item in self.items:
            item.hear(told)

    def walk(self) -> Iterator[Entry]:
        """Every entry, here and below."""
        yield from self.entries.values()
        for each in self.items:
            yield from each.walk()


def worded_items(campaign: Campaign, told: Mapping[str, Value] = MappingProxyType({})) -> list[Item]:
    """The form, its sections with their questions, then its pieces, as they are kept; `told` shows what was typed.

    Raises DefinitionError when the landlord's differences can't be read.
    """
    items = _items(_model_of(campaign), campaign.overlay)
    for item in items:
        item.hear(told)
    return items


def save_wording(*, campaign: Campaign, told: Mapping[str, Value], actor: User) -> int:
    """Keep what differs from the model among `told` (by `Entry.input`), and return how many entries differ.

    An entry that is not told stays as it was; a text told empty goes back to the model's.
    Raises UnableToDrawUp, with every problem that the change brings, when the form could not be drawn up any more;
    nothing is kept then.
    """
    if not actor.may_manage:
        raise operations.OperationRefused("Seul un chargé d'affaires peut changer le formulaire d'un bailleur.")
    if campaign.stage == Campaign.Stage.CLOSED:
        raise operations.OperationRefused("La campagne est close : son formulaire ne change plus.")
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
        entries = [entry for item in worded_items(locked) for entry in item.walk()]
        differing = {entry: _settled(entry, told) for entry in entries}
        too_long = [
            f"« {value[:40]}… » dépasse {entry.longest} caractères ({len(value)})."
            for entry, value in differing.items()
            if isinstance(value, str) and value != entry.model and len(value) > entry.longest
        ]
        if too_long:
            raise operations.UnableToDrawUp(too_long)
        hidden = {entry.key for entry, value in differing.items() if entry.name == "hidden" and value is True}
        kept = {
            entry: value
            for entry, value in differing.items()
            if value != entry.model and not (entry.name == "required" and entry.key in hidden)
        }
        before = _problems(locked)
        locked.overlay = _written(locked.overlay, entries, kept)
        brought = [each for each in _problems(locked) if each not in before]
        if brought:
            raise operations.UnableToDrawUp(brought)
        locked.save(update_fields=["overlay"])
    campaign.overlay = locked.overlay
    return len(kept)


def _problems(campaign: Campaign) -> list[str]:
    """What keeps the form from being drawn up today."""
    try:
        operations.effective_form(campaign)
    except operations.UnableToDrawUp as error:
        return error.problems
    return []


def _model_of(campaign: Campaign) -> Questionnaire:
    """The library's form with what the landlord takes from other ones, and nothing of its wording."""
    return overlay.apply(load_library(campaign.survey), {"add": campaign.overlay.get("add", [])})


def _items(model: Questionnaire, differences: Mapping[str, Any]) -> list[Item]:
    form = Item("Le formulaire", _texts("form", "", model, differences))
    sections = []
    for section in model.sections:
        questions = []
        for each in section.fields:
            entries = _texts("fields", each.key, each, differences.get("fields", {}).get(each.key, {}))
            bound = each.required or each.required_if is not None
            told = differences.get("fields", {}).get(each.key, {})
            entries["hidden"] = Entry("fields", each.key, "hidden", False, bool(told.get("hidden")), fixed=bound)
            demanded = each.required or bool(told.get("required"))
            entries["required"] = Entry("fields", each.key, "required", each.required, demanded, fixed=each.required)
            questions.append(Item(each.name, entries))
        told = differences.get("sections", {}).get(section.key, {})
        sections.append(Item(section.title, _texts("sections", section.key, section, told), questions))
    pieces = []
    for piece in model.documents:
        told = differences.get("documents", {}).get(piece.key, {})
        entries = _texts("documents", piece.key, piece, told)
        entries["off"] = Entry("documents", piece.key, "off", False, bool(told.get("off")))
        pieces.append(Item(piece.label, entries))
    return [form, *sections, Item("Pièces à joindre", {}, pieces)]


def _texts(group: str, key: str, thing: object, told: Mapping[str, Any]) -> dict[str, Entry]:
    entries = {}
    for name in TEXTS[group]:
        model = str(getattr(thing, name))
        entries[name] = Entry(group, key, name, model, str(told.get(name, model)))
    return entries


def _settled(entry: Entry, told: Mapping[str, Value]) -> Value:
    """What an entry says once `told` is heard."""
    value = told.get(entry.input, entry.value)
    if entry.fixed:
        return entry.model
    if isinstance(entry.model, bool):
        return bool(value)
    text = " ".join(str(value).split())
    return entry.model if not text and entry.name in NEEDED else text


def _written(before: Mapping[str, Any], entries: list[Entry], kept: Mapping[Entry, Value]) -> dict[str, Any]:
    """The differences with every edited entry as `kept` says, and all the rest untouched; no empty table is left."""
    after: dict[str, Any] = {
        name: {key: dict(changes) for key, changes in told.items()} if name in overlay.CHANGES else told
        for name, told in before.items()
    }
    for entry in entries:
        table = after if entry.group == "form" else after.setdefault(entry.group, {}).setdefault(entry.key, {})
        table.pop(entry.name, None)
        if entry in kept:
            table[entry.name] = kept[entry]
    for group in overlay.CHANGES:
        filled = {key: changes for key, changes in after.pop(group, {}).items() if changes}
        if filled:
            after[group] = filled
    return after
