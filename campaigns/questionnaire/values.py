"""What a value is, by type of field: `parse_text()` from what people write, `show()` for people, `problem()` to judge.

Canonical values: TEXT, NAME, EMAIL, PHONE, DIGITS text · INTEGER, MONEY int (whole euros) · DATE "YYYY-MM-DD" ·
TICK, YES_NO, SIGNATURE bool · CHOICE the choice's value. Nothing written is None. `parse_text(show(v)) == v`.
ERASED says that a text known before was emptied on purpose: it prevails over what was known, and shows as nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from stdnum.fr import nif

from campaigns.questionnaire.schema import Field, FieldType

Value = str | int | bool

ERASED = ""
ERASABLE = frozenset({FieldType.TEXT, FieldType.NAME, FieldType.EMAIL, FieldType.PHONE, FieldType.DIGITS})
NARROW = "\u202f"  # narrow no-break space: between thousands and before the euro sign
OLDEST = 120  # years; nobody surveyed is older
RECENT = 366  # days; a form is signed in the campaign that sent it
LONGEST_EMAIL = 254  # RFC 5321
LONGEST_NAME = 60


class FieldValueError(ValueError):
    """What was written cannot be the answer; the message is a French sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Handler:
    """One type of field: `parse` never gets a blank text, `show` and `check` only get values of type `kind`."""

    kind: type
    parse: Callable[[Field, str, date], Value]
    show: Callable[[Field, Any], str]
    check: Callable[[Field, Any, date], str | None]


def parse_text(field: Field, text: str, today: date) -> Value | None:
    """The canonical value of what somebody wrote or keyed; None when blank. Raises FieldValueError."""
    written = _tidy(text)
    return HANDLERS[field.type].parse(field, written, today) if written else None


def show(field: Field, value: Value | None) -> str:
    """The value as people read it in French; '' for None. Raises FieldValueError on a value of another type."""
    if value is None or is_erased(field, value):
        return ""
    handler = HANDLERS[field.type]
    if type(value) is not handler.kind:
        raise FieldValueError(_unreadable(field))
    return handler.show(field, value)


@dataclass(frozen=True, slots=True)
class Since:
    """A day before which that answer is not expected of this household, and what happened that day, in French."""

    day: date
    event: str


def problem(field: Field, value: Value | None, today: date, since: Since | None = None) -> str | None:
    """What is wrong with a canonical value, as a French sentence for the person who answers; None when it is fine.

    Judges the type, the size, the bounds, the field's named check, and `since`, what is known of the household: that
    may be wrong, so a person who is sure is believed. A missing value is no problem of its own.
    """
    if value is None or is_erased(field, value):
        return None
    handler = HANDLERS[field.type]
    if type(value) is not handler.kind:
        return _unreadable(field)
    found = handler.check(field, value, today)
    if found is None and field.check:
        found = CHECKS[field.check](value, today)
    return found or too_early(value, since)


def too_early(value: object, since: Since | None) -> str | None:
    """What is odd about a date that is before what is known of the household, as a French sentence; None when fine."""
    day = _day(value)
    if day is None or since is None or day >= since.day:
        return None
    return f"Cette date est antérieure à {since.event} ({since.day:%d/%m/%Y}) : vérifiez-la."


def is_erased(field: Field, value: Value | None) -> bool:
    """Whether that value says that what was known of this text is emptied."""
    return value == ERASED and field.type in ERASABLE


def _unreadable(field: Field) -> str:
    return f"La réponse à « {field.name} » n'est pas lisible. Saisissez-la à nouveau."


def _tidy(text: str) -> str:
    """Composed accents, plain apostrophes, single spaces: two ways of writing the same thing give the same value."""
    composed = unicodedata.normalize("NFC", text).replace("’", "'")
    return " ".join(composed.split())


def _no_problem(field: Field, value: Any, today: date) -> str | None:
    return None


# ── Texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _as_written(field: Field, text: str, today: date) -> str:
    return text


def _shown_as_is(field: Field, value: Any) -> str:
    return str(value)


def _text_problem(field: Field, value: str, today: date) -> str | None:
    if field.size and len(value) > field.size:
        return f"Raccourcissez votre réponse : {field.size} caractères au plus."
    return None


def _name_problem(field: Field, value: str, today: date) -> str | None:
    if not any(character.isalpha() for character in value) or any(character.isdigit() for character in value):
        return "Écrivez le nom avec des lettres, sans chiffre."
    longest = field.size or LONGEST_NAME
    return f"Raccourcissez le nom : {longest} caractères au plus." if len(value) > longest else None


_EMAIL = re.compile(r"[^@\s,;<>()]+@[^@\s,;<>().]+(\.[^@\s,;<>().]+)+")


def _email(field: Field, text: str, today: date) -> str:
    return text.replace(" ", "").lower()


def _email_problem(field: Field, value: str, today: date) -> str | None:
    if not _EMAIL.fullmatch(value) or len(value) > LONGEST_EMAIL:
        return "Écrivez une adresse électronique complète, par exemple prenom.nom@exemple.fr."
    if field.size and len(value) > field.size:
        return f"Indiquez une adresse électronique de {field.size} caractères au plus."
    return None


_FRENCH = re.compile(r"(?:(?:\+|00)33(?:\(0\)|0)?|0)([1-9][0-9]{8})")
_FOREIGN = re.compile(r"(?:\+|00)([1-9][0-9]{6,14})")
_PHONE_HELP = "Écrivez un numéro à dix chiffres, par exemple 06 12 34 56 78, ou un numéro étranger qui commence par +."


def _phone(field: Field, text: str, today: date) -> str:
    """French numbers become 0XXXXXXXXX, others +XX… (E.164, 15 digits at most)."""
    packed = re.sub(r"[\s./·_-]", "", text)
    french, foreign = _FRENCH.fullmatch(packed), _FOREIGN.fullmatch(packed)
    if french:
        return f"0{french[1]}"
    if foreign and not foreign[1].startswith("33"):
        return f"+{foreign[1]}"
    raise FieldValueError(_PHONE_HELP)


def _shown_phone(field: Field, value: str) -> str:
    return " ".join(re.findall("..", value)) if value.startswith("0") else value


def _phone_problem(field: Field, value: str, today: date) -> str | None:
    return None if re.fullmatch(r"0[1-9][0-9]{8}|\+[1-9][0-9]{6,14}", value) else _PHONE_HELP


# ── Numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _digits(field: Field, text: str, today: date) -> str:
    packed = re.sub(r"[\s.\-/]", "", text)
    if not re.fullmatch("[0-9]+", packed):
        raise FieldValueError("N'écrivez que des chiffres.")
    return packed


def _digits_problem(field: Field, value: str, today: date) -> str | None:
    if not re.fullmatch("[0-9]+", value):
        return "N'écrivez que des chiffres."
    if field.size and len(value) != field.size:
        return f"Ce numéro compte {field.size} chiffres ; vous en avez écrit {len(value)}. Recopiez-le en entier."
    return None


def _integer(field: Field, text: str, today: date) -> int:
    packed = text.replace(" ", "")
    if not re.fullmatch("-?[0-9]{1,15}", packed):
        raise FieldValueError("Écrivez un nombre entier, en chiffres.")
    return int(packed)


def _shown_integer(field: Field, value: int) -> str:
    return str(value)


_EUROS = re.compile(
    r"(-?)((?:[0-9]{1,3}(?:[ .'][0-9]{3})+)|[0-9]{1,15})(?:[.,]([0-9]{1,2}))?(?: ?(?:€|euros?|eur))?", re.I
)


def _money(field: Field, text: str, today: date) -> int:
    """Whole euros: a RFR has no cents, so `,00` is read and real cents are refused rather than dropped in silence."""
    found = _EUROS.fullmatch(text)
    if found is None:
        raise FieldValueError("Écrivez un montant en euros, en chiffres, par exemple 12 345.")
    sign, whole, cents = found.groups()
    if cents and int(cents):
        raise FieldValueError("Écrivez le montant en euros entiers, sans les centimes, comme sur l'avis d'impôt.")
    return int(sign + re.sub(r"\D", "", whole))


def _shown_money(field: Field, value: int) -> str:
    return f"{value:,}".replace(",", NARROW) + f"{NARROW}€"


def _number_problem(field: Field, value: int, today: date) -> str | None:
    shown = _shown_money if field.type is FieldType.MONEY else _shown_integer
    if field.minimum is not None and value < field.minimum:
        return f"Vérifiez ce nombre : il ne peut pas être inférieur à {shown(field, field.minimum)}."
    if field.maximum is not None and value > field.maximum:
        return f"Vérifiez ce nombre : il ne peut pas dépasser {shown(field, field.maximum)}."
    if field.size and len(str(abs(value))) > field.size:
        return f"Vérifiez ce nombre : il ne peut pas compter plus de {field.size} chiffres."
    return None


# ── Dates ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_DATES = (
    re.compile(r"(?P<day>[0-9]{1,2})[ ./-]+(?P<month>[0-9]{1,2})[ ./-]+(?P<year>[0-9]{4})"),
    re.compile(r"(?P<day>[0-9]{2})(?P<month>[0-9]{2})(?P<year>[0-9]{4})"),
    re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"),
)
_SHORT_YEAR = re.compile(r"[0-9]{1,2}[ ./-]+[0-9]{1,2}[ ./-]+[0-9]{2}|[0-9]{6}")


def _date(field: Field, text: str, today: date) -> str:
    if _SHORT_YEAR.fullmatch(text):
        raise FieldValueError("Écrivez l'année en quatre chiffres, par exemple 03/02/1984.")
    found = next((match for match in (form.fullmatch(text) for form in _DATES) if match), None)
    if found is None:
        raise FieldValueError("Écrivez la date ainsi : jour, mois, année, par exemple 03/02/1984.")
    try:
        return date(int(found["year"]), int(found["month"]), int(found["day"])).isoformat()
    except ValueError:
        raise FieldValueError("Cette date n'existe pas : vérifiez le jour et le mois.") from None


def _shown_date(field: Field, value: str) -> str:
    day = _day(value)
    if day is None:
        raise FieldValueError(_unreadable(field))
    return f"{day.day:02}/{day.month:02}/{day.year:04}"


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value) else None
    except (TypeError, ValueError):
        return None


def _date_problem(field: Field, value: str, today: date) -> str | None:
    return "Cette date n'existe pas : vérifiez le jour et le mois." if _day(value) is None else None


# ── Boxes ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_WORDS: Mapping[str, bool] = {
    **dict.fromkeys(("oui", "o", "yes", "y", "true", "vrai", "1", "x", "on", "présente", "presente"), True),
    **dict.fromkeys(("non", "n", "no", "false", "faux", "0", "off", "absente"), False),
}


def _boolean(field: Field, text: str, today: date) -> bool:
    word = _WORDS.get(text.casefold())
    if word is None:
        raise FieldValueError("Répondez par oui ou par non.")
    return word


def _shown_boolean(field: Field, value: bool) -> str:
    return "Oui" if value else "Non"


def _shown_signature(field: Field, value: bool) -> str:
    return "Présente" if value else "Absente"


def _choice(field: Field, text: str, today: date) -> str:
    """Its value, its label or our code, whatever the capitals."""
    wanted = text.casefold()
    for reading in ("value", "label", "code"):
        for choice in field.choices:
            if _tidy(getattr(choice, reading)).casefold() == wanted:
                return choice.value
    raise FieldValueError(f"Choisissez l'une des réponses proposées : {_proposed(field)}.")


def _shown_choice(field: Field, value: str) -> str:
    choice = field.choice(value)
    if choice is None:
        raise FieldValueError(_unreadable(field))
    return choice.label


def _choice_problem(field: Field, value: str, today: date) -> str | None:
    return None if field.choice(value) else f"Choisissez l'une des réponses proposées : {_proposed(field)}."


def _proposed(field: Field) -> str:
    return ", ".join(choice.label for choice in field.choices)


HANDLERS: Mapping[FieldType, Handler] = MappingProxyType(
    {
        FieldType.TEXT: Handler(str, _as_written, _shown_as_is, _text_problem),
        FieldType.NAME: Handler(str, _as_written, _shown_as_is, _name_problem),
        FieldType.EMAIL: Handler(str, _email, _shown_as_is, _email_problem),
        FieldType.PHONE: Handler(str, _phone, _shown_phone, _phone_problem),
        FieldType.DIGITS: Handler(str, _digits, _shown_as_is, _digits_problem),
        FieldType.INTEGER: Handler(int, _integer, _shown_integer, _number_problem),
        FieldType.MONEY: Handler(int, _money, _shown_money, _number_problem),
        FieldType.DATE: Handler(str, _date, _shown_date, _date_problem),
        FieldType.TICK: Handler(bool, _boolean, _shown_boolean, _no_problem),
        FieldType.YES_NO: Handler(bool, _boolean, _shown_boolean, _no_problem),
        FieldType.CHOICE: Handler(str, _choice, _shown_choice, _choice_problem),
        FieldType.SIGNATURE: Handler(bool, _boolean, _shown_signature, _no_problem),
    }
)


# ── Named checks: what `check` may say in a definition ───────────────────────────────────────────────────────────────


def _check_nif(value: Any, today: date) -> str | None:
    """Numéro fiscal: 13 digits, the first from 0 to 3, the last three = the first ten modulo 511."""
    if nif.is_valid(str(value)):
        return None
    return "Ce numéro fiscal n'est pas exact : recopiez les 13 chiffres en haut de la première page de l'avis d'impôt."


def _check_past_date(value: Any, today: date) -> str | None:
    day = _day(value)
    return "Cette date est dans le futur : vérifiez-la." if day is None or day > today else None


def _check_recent_date(value: Any, today: date) -> str | None:
    """What was done on receiving the form: signing it. A year at most, so that a misread or mistaken year shows."""
    day = _day(value)
    if day is None or day > today:
        return "Cette date est dans le futur : vérifiez-la."
    return "Cette date a plus d'un an : vérifiez l'année." if (today - day).days > RECENT else None


def _check_plausible_birth(value: Any, today: date) -> str | None:
    day = _day(value)
    if day is None or day > today:
        return "Cette date de naissance est dans le futur : vérifiez-la."
    return "Vérifiez l'année de naissance : cette personne aurait plus de 120 ans." if _too_old(day, today) else None


def _too_old(born: date, today: date) -> bool:
    return (today.year - born.year) - ((today.month, today.day) < (born.month, born.day)) > OLDEST


CHECKS: Mapping[str, Callable[[Any, date], str | None]] = MappingProxyType(
    {
        "nif": _check_nif,
        "past_date": _check_past_date,
        "recent_date": _check_recent_date,
        "plausible_birth": _check_plausible_birth,
    }
)
