"""The files of carriers, as CSV: a line is taken or refused with its number and reason; the same file twice is once.

Registered mail: `CODE;NUMERO;EVENEMENT;DATE`. Returned envelopes: `CODE;MOTIF;DATE`. Print house: `CODE;STATUT`.
CODE is the envelope's own code, a case reference, or (registered mail) the number of the recommandé once its deposit
was told. DATE is JJ/MM/AAAA, with or without HH:MM.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns.models import User
from tenants.carriers.letters import UnknownLetter, letter_of
from tenants.carriers.registered import UnableToFollow, record_event
from tenants.dispatch.reconciling import UnableToReconcile, record_outcome
from tenants.messaging import gsm7
from tenants.models import CarrierFile, Message, RegisteredLetter, ReturnedEnvelope
from tenants.undelivered import Motive, UnableToRecord, record_return

Kind, Event = CarrierFile.Kind, RegisteredLetter.State
LARGEST = 50 * 1024 * 1024
HEADS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        Kind.REGISTERED: ("CODE", "NUMERO", "EVENEMENT", "DATE"),
        Kind.RETURNED: ("CODE", "MOTIF", "DATE"),
        Kind.PRODUCED: ("CODE", "STATUT"),
    }
)
# The words of carriers, without accents and in capitals.
EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "DEPOT": Event.DEPOSITED,
        "DEPOSE": Event.DEPOSITED,
        "PRESENTE": Event.PRESENTED,
        "PRESENTATION": Event.PRESENTED,
        "AVISE": Event.PRESENTED,
        "AR SIGNE": Event.SIGNED,
        "DISTRIBUE": Event.SIGNED,
        "ACCEPTE": Event.SIGNED,
        "REFUSE": Event.REFUSED,
        "NON RECLAME": Event.UNCLAIMED,
        "NEGLIGENCE": Event.UNCLAIMED,
        "INCONNU": Event.UNKNOWN,
        "DEFAUT ACCES": Event.ACCESS,
    }
)
MOTIVES: Mapping[str, Motive] = MappingProxyType(
    {
        "DEFAUT ACCES": Motive.ACCESS,
        "DEFAUT D'ACCES OU D'ADRESSAGE": Motive.ACCESS,
        "INCONNU": Motive.UNKNOWN,
        "DESTINATAIRE INCONNU A L'ADRESSE": Motive.UNKNOWN,
        "REFUSE": Motive.REFUSED,
        "PLI REFUSE PAR LE DESTINATAIRE": Motive.REFUSED,
        "NON RECLAME": Motive.UNCLAIMED,
        "PLI AVISE ET NON RECLAME": Motive.UNCLAIMED,
    }
)
OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "PRODUIT": Message.Production.PRODUCED,
        "IMPRIME": Message.Production.PRODUCED,
        "MIS SOUS PLI": Message.Production.PRODUCED,
        "GACHE": Message.Production.SPOILED,
        "ABIME": Message.Production.SPOILED,
        "REBUT": Message.Production.SPOILED,
        "MANQUANT": Message.Production.MISSING,
        "ABSENT": Message.Production.MISSING,
    }
)
FORMATS = ("%d/%m/%Y %H:%M", "%d/%m/%Y", "%Y-%m-%d %H:%M", "%Y-%m-%d")


class UnableToTake(Exception):
    """The file as a whole cannot be taken; the message names it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file; `already` when it had been taken before."""

    file: CarrierFile
    already: bool = False


def take_file(*, name: str, content: bytes, now: dt.datetime, actor: User | None = None) -> Taken:
    """Take a carrier's file: every good line is applied, each bad one told. Raises UnableToTake.

    A worker killed in the middle leaves no file row: taken again, the lines already applied are known.
    """
    digest = hashlib.sha256(content).hexdigest()
    found = CarrierFile.objects.filter(sha256=digest).first()
    if found is not None:
        return Taken(found, already=True)
    kind, lines = _read(name, content)
    take = TAKES[kind]
    file = CarrierFile(kind=kind, name=name[-200:], sha256=digest, received_at=now)
    for number, line in lines:
        problem = _applied(take, line, now, actor, file)
        if problem:
            file.problems.append({"line": number, "message": f"{name}, ligne {number} : {problem}"})
    try:
        with transaction.atomic():
            file.content.save(f"{digest[:24]}.csv", ContentFile(content), save=False)
            file.save()
    except IntegrityError:
        return Taken(CarrierFile.objects.get(sha256=digest), already=True)
    return Taken(file)


Line = Mapping[str, str]
Take = Callable[[Line, dt.datetime, User | None], bool]


def _applied(take: Take, line: Line, now: dt.datetime, actor: User | None, file: CarrierFile) -> str:
    """Apply one line; what is wrong with it, '' when nothing is."""
    try:
        known = not take(line, now, actor)
    except (UnknownLetter, UnableToFollow, UnableToRecord, UnableToReconcile, UnableToTake) as error:
        return str(error)
    file.known += known
    file.taken += not known
    return ""


def _read(name: str, content: bytes) -> tuple[str, Iterator[tuple[int, Line]]]:
    """The kind of the file by its heading, and its lines with their numbers."""
    if len(content) > LARGEST:
        raise UnableToTake(f"« {name} » dépasse 50 Mo : découpez-le.")
    if not content.strip():
        raise UnableToTake(f"« {name} » est vide.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    heading = tuple(_plain(cell) for cell in next(rows, []))
    kind = next((kind for kind, heads in HEADS.items() if heading[: len(heads)] == heads), None)
    if kind is None:
        expected = " ou ".join(";".join(heads) for heads in HEADS.values())
        raise UnableToTake(f"« {name} », ligne 1 : l'en-tête doit être {expected}.")
    return kind, _lines(rows, HEADS[kind])


def _lines(rows: Iterator[list[str]], heads: tuple[str, ...]) -> Iterator[tuple[int, Line]]:
    for number, cells in enumerate(rows, start=2):
        if any(cell.strip() for cell in cells):
            yield number, dict(zip(heads, [*(cell.strip() for cell in cells), *[""] * len(heads)], strict=False))


def _plain(text: str) -> str:
    """Capitals without accents, typographic apostrophes made plain: how words of carriers are compared."""
    return " ".join(gsm7.without_accents(text.replace("’", "'")).upper().split())


def _moment(text: str) -> dt.datetime:
    for form in FORMATS:
        try:
            read = dt.datetime.strptime(text, form)  # noqa: DTZ007 - made aware below
        except ValueError:
            continue
        at = read if "%H" in form else read.replace(hour=12)
        return timezone.make_aware(at)
    raise UnableToTake(f"la date « {text[:20]} » n'est pas JJ/MM/AAAA.")


def _take_event(line: Line, now: dt.datetime, actor: User | None) -> bool:
    kind = EVENTS.get(_plain(line["EVENEMENT"]))
    if kind is None:
        raise UnableToTake(f"l'événement « {line['EVENEMENT'][:30]} » n'est pas connu : {', '.join(EVENTS)}.")
    letter = _registered(line)
    occurred_at = _moment(line["DATE"]) if line["DATE"] else now
    if occurred_at > now and timezone.localdate(occurred_at) == timezone.localdate(now):
        occurred_at = now  # a day told without its hour
    return record_event(letter=letter, kind=kind, occurred_at=occurred_at, now=now, number=line["NUMERO"], actor=actor)


def _registered(line: Line) -> RegisteredLetter:
    """By the number of the recommandé when it is known, else by the envelope's code."""
    letters = RegisteredLetter.objects.select_related("message__case__campaign__landlord")
    by_number = letters.filter(number=line["NUMERO"]).first() if line["NUMERO"] else None
    if by_number is not None and not line["CODE"]:
        return by_number
    message = letter_of(line["CODE"]).message if line["CODE"] else None
    found = by_number or letters.filter(message=message).first()
    if found is None:
        raise UnableToTake("ce pli n'est pas parti en recommandé.")
    if message is not None and found.message_id != message.pk:
        raise UnableToTake(f"le numéro {line['NUMERO']} est celui d'un autre pli.")
    return found


def _take_return(line: Line, now: dt.datetime, actor: User | None) -> bool:
    motive = MOTIVES.get(_plain(line["MOTIF"]))
    if motive is None:
        raise UnableToTake(f"le motif « {line['MOTIF'][:40]} » n'est pas l'un des quatre de La Poste.")
    if line["DATE"]:
        _moment(line["DATE"])
    found = letter_of(line["CODE"])
    standing = ReturnedEnvelope.objects.filter(message=found.message, undone_at=None).first()
    if standing is not None and standing.motive == motive:
        return False
    source = ReturnedEnvelope.Source.FILE
    record_return(case=found.message.case, reason=motive, now=now, actor=actor, message=found.message, source=source)
    return True


def _take_outcome(line: Line, now: dt.datetime, actor: User | None) -> bool:
    outcome = OUTCOMES.get(_plain(line["STATUT"]))
    if outcome is None:
        raise UnableToTake(f"le statut « {line['STATUT'][:30]} » n'est pas connu : {', '.join(OUTCOMES)}.")
    return record_outcome(message=letter_of(line["CODE"]).message, outcome=outcome, now=now, actor=actor)


TAKES: Mapping[str, Take] = MappingProxyType(
    {Kind.REGISTERED: _take_event, Kind.RETURNED: _take_return, Kind.PRODUCED: _take_outcome}
)
