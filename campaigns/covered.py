"""What the landlord's signature covers: the digest that printing holds to, and what differs between two proofs.

The definition and the layouts are frozen with their revision; the rest (names, addresses, logo, rules document, date,
codes) may change on the landlord's page, so each proof keeps what it said when it was presented.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

from django.template.loader import get_template
from django.utils.formats import date_format

from campaigns.code_tables import pinned_tables
from campaigns.models import FormProof, QuestionnaireRevision
from campaigns.questionnaire.difference import difference

TEXTS: Mapping[str, str] = {
    "name": "Nom",
    "sender_lines": "Expéditeur",
    "reply_address": "Adresse de retour",
    "hotline": "Numéro d'aide",
    "hotline_hours": "Horaires du numéro d'aide",
    "contact_email": "Adresse électronique",
    "privacy_contact": "Contact pour les données personnelles",
    "accent": "Couleur",
    "prepaid_reply": "Enveloppe retour prépayée",
}
# Letters by the name of their template, as people call them; only the law's own text, dated, is not signed with them.
LETTERS: Mapping[str, str] = {
    "reminder_digital": "Relance à qui a une adresse électronique ou un mobile",
    "reminder_letter": "Relance",
    "complement": "Demande de compléments",
    "formal_notice": "Mise en demeure",
    "late_answer": "Réponse hors délai",
    "receipt": "Accusé de réception",
    "receipt_next_step": "Accusé de réception, la suite",
}
LETTER_FOLDER = "messages/letter"
KINDS = ("texts", "zones", "prefills", "shapes")  # of what a layout draws, page by page
FORM, LAYOUT, WORDS = "Questions, pièces et règles", "Mise en page", "Textes, adresses et logo"
LETTERS_TOLD = "Courriers"
DATES, CODES = "Dates et documents", "Tables de correspondance"


@dataclass(frozen=True, slots=True)
class Changes:
    """What changes under one heading, in French sentences."""

    title: str
    lines: tuple[str, ...]


# ── The digest ───────────────────────────────────────────────────────────────────────────────────────────────────────


def covered_by(revision: QuestionnaireRevision) -> dict[str, Any]:
    """What an approval covers beside the definition and the layouts, as it stands now."""
    campaign, landlord = revision.campaign, revision.campaign.landlord
    told: dict[str, Any] = {
        "landlord": {name: getattr(landlord, name) for name in TEXTS},
        "logo": _sha256_of(landlord.logo),
        "rules": _sha256_of(campaign.rules_document),
        "reply_by": campaign.reply_by.isoformat(),
    }
    told["letters"] = {name: letter_source(name) for name in LETTERS}
    tables = pinned_tables(revision)
    if tables:
        told["codes"] = {table.name: table.digest for table in tables}
    return told


def letter_source(name: str) -> str:
    """The text of a letter before a household's own words are put in."""
    template: Any = get_template(f"{LETTER_FOLDER}/{name}.txt")
    return str(template.template.source)


def digest_of(revision: QuestionnaireRevision, *, without: Collection[str] = ()) -> str:
    """SHA-256 (hex) over all that an approval covers: definition, layouts, letters, own texts, rules document.

    `without` leaves out what was not shown yet when a proof was presented.
    """
    layouts = [each.tables for each in revision.layouts.order_by("rows", "large")]
    told = covered_by(revision) | {"definition": revision.definition, "layouts": layouts}
    return hashlib.sha256(
        canonical({name: each for name, each in told.items() if name not in without}).encode()
    ).hexdigest()


def still_holds(proof: FormProof) -> bool:
    """Whether what would be printed is what that proof showed; letters count when it showed them."""
    return digest_of(proof.revision, without=() if "letters" in proof.covered else ("letters",)) == proof.digest


def changed_letters(proof: FormProof) -> list[str]:
    """The letters, as people call them, whose text is no longer that of the proof."""
    signed = proof.covered.get("letters", {})
    return [
        LETTERS.get(name, name) for name, source in signed.items() if name in LETTERS and letter_source(name) != source
    ]


def canonical(told: Any) -> str:
    """The one way of writing these tables as text."""
    return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _sha256_of(file: Any) -> str:
    if not file:
        return ""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


# ── What changed ─────────────────────────────────────────────────────────────────────────────────────────────────────


def proof_before(proof: FormProof) -> FormProof | None:
    """The proof that the landlord saw before this one."""
    earlier = FormProof.objects.filter(revision__campaign=proof.revision.campaign_id, pk__lt=proof.pk)
    return earlier.select_related("revision__campaign").order_by("-pk").first()


def changes_between(before: FormProof, after: FormProof) -> list[Changes]:
    """What the later proof changes, under headings, for the person who signs; empty when nothing does."""
    old, new = before.covered, after.covered
    forms = (before.revision.questionnaire, after.revision.questionnaire)
    told = {
        FORM: [each.line for each in difference(*forms)],
        LAYOUT: list(_layouts(before.revision, after.revision)),
        WORDS: list(_texts(old, new)) if old and new else [],
        LETTERS_TOLD: list(_letters(old.get("letters", {}), new.get("letters", {}))),
        DATES: list(_documents(old, new)) if old and new else [],
        CODES: list(_codes(old.get("codes", {}), new.get("codes", {}))),
    }
    return [Changes(title, tuple(lines)) for title, lines in told.items() if lines]


def _texts(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name, label in TEXTS.items():
        before, after = (_told(each["landlord"].get(name)) for each in (old, new))
        if before != after:
            yield f"{label} : {before} devient {after}."
    yield from _file("Le logo", old["logo"], new["logo"], "remplacé", "ajouté", "retiré")


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    return f"«\u00a0{', '.join(str(value).splitlines())}\u00a0»" if value else "rien"


def _documents(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    days = [date_format(date.fromisoformat(each["reply_by"]), "j F Y") for each in (old, new)]
    if days[0] != days[1]:
        yield f"Réponse demandée avant le {days[1]}, et non plus le {days[0]}."
    yield from _file("Le document des règles de gestion", old["rules"], new["rules"], "remplacé", "ajouté", "retiré")


def _file(what: str, before: str, after: str, replaced: str, added: str, dropped: str) -> Iterator[str]:
    if before != after:
        yield f"{what} est {replaced if before and after else added if after else dropped}."


def _codes(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        yield from _file(f"La table « {name} »", old.get(name, ""), new.get(name, ""), "modifiée", "ajoutée", "retirée")


def _letters(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """The letters that are new to the proof, or whose words change, with the words."""
    if not old:
        yield from (["Les courriers sont montrés pour la première fois."] if new else [])
        return
    for name, label in LETTERS.items():
        before, after = ((each.get(name) or "").split() for each in (old, new))
        for tag, start, end, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            if tag != "equal":
                was, now = " ".join(before[start:end]), " ".join(after[first:last])
                yield f"{label} : {_told(was)} devient {_told(now)}."


def _layouts(before: QuestionnaireRevision, after: QuestionnaireRevision) -> Iterator[str]:
    """What moves on paper; layouts of which the same is to be said are told together."""
    old, new = (
        {(each.large, each.rows): each.tables for each in revision.layouts.all()} for revision in (before, after)
    )
    said: dict[tuple[bool, str], list[int]] = defaultdict(list)
    for large, rows in sorted(old.keys() | new.keys()):
        sentence = _moved(old.get((large, rows)), new.get((large, rows)))
        if sentence:
            said[large, sentence].append(rows)
    for (large, sentence), sizes in said.items():
        alike = [rows for each, rows in old.keys() | new.keys() if each == large]
        which = "Toutes les maquettes" if len(sizes) == len(alike) else _sizes(sizes)
        yield f"{which}{' en gros caractères' if large else ''} : {sentence}."


def _sizes(sizes: Sequence[int]) -> str:
    if len(sizes) == 1:
        return f"Maquette de {sizes[0]} lignes d'occupants"
    return f"Maquettes de {', '.join(map(str, sizes[:-1]))} et {sizes[-1]} lignes d'occupants"


def _moved(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    if old is None or new is None:
        return "ajoutées" if old is None else "retirées"
    if old["pages"] != new["pages"]:
        return f"{new['pages']} pages au lieu de {old['pages']}"
    pages = [page for page in range(1, new["pages"] + 1) if _drawn(old, page) != _drawn(new, page)]
    if not pages:
        return ""
    return f"la page {pages[0]} est redessinée" if len(pages) == 1 else f"les pages {_spans(pages)} sont redessinées"


def _drawn(layout: Mapping[str, Any], page: int) -> list[str]:
    return sorted(canonical(each) for kind in KINDS for each in layout[kind] if each["page"] == page)


def _spans(pages: Sequence[int]) -> str:
    """1, 2, 3, 6 → « 1 à 3 et 6 »."""
    breaks = [
        0,
        *(place for place, (one, next_one) in enumerate(pairwise(pages), 1) if next_one != one + 1),
        len(pages),
    ]
    runs = [pages[start:end] for start, end in pairwise(breaks)]
    told = [f"{run[0]} à {run[-1]}" if len(run) > 2 else " et ".join(map(str, run)) for run in runs]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} et {told[-1]}"
