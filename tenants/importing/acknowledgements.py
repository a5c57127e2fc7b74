"""What is left in `accuses/` for the landlord, in French: received, incomplete, refused; then the result.

Every text is drawn from stored rows alone: written again after an interruption, it is the same file.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import PurePosixPath

from django.utils import timezone

from campaigns.exchange import RECEIPTS, LandlordExchange
from campaigns.models import Campaign
from tenants.importing.report import ImportReport, anomalies_csv, receipt_of
from tenants.models import Arrival, ImportAnomaly


def acknowledge(*, exchange: LandlordExchange, arrival: Arrival) -> None:
    """Drop what there is to say of an arrival now; what waits or is refused is told once. Raises ExchangeError."""
    suffix, text = {
        Arrival.State.READ: ("accuse.txt", _received),
        Arrival.State.WAITING: ("en-attente.txt", _waiting),
        Arrival.State.REFUSED: ("accuse.txt", _refused),
    }[Arrival.State(arrival.state)]
    if arrival.state == Arrival.State.READ:
        exchange.drop_receipt(f"{arrival.name}.{suffix}", text(arrival))
    elif not arrival.told:
        arrival.told = exchange.drop_receipt(f"{arrival.name}.{suffix}", text(arrival))[:64]
        arrival.save(update_fields=["told"])


def tell_result(*, exchange: LandlordExchange, arrival: Arrival) -> bool:
    """Drop what became of the deposit, and its anomalies, unless exactly that was told; whether something was dropped.

    Raises ExchangeError.
    """
    deposit = arrival.deposit
    if deposit is None:
        return False
    text = receipt_of(deposit, deposit.imported_at or deposit.received_at).replace(
        "ACCUSÉ DE RÉCEPTION", "RÉSULTAT DU TRAITEMENT", 1
    )
    report = ""
    if deposit.anomalies.exists():
        report = anomalies_csv(deposit.anomalies.order_by("line", "pk").iterator())
    digest = hashlib.sha256(f"{text}\0{report}".encode()).hexdigest()
    if digest == arrival.told:
        return False
    if report:
        exchange.leave(RECEIPTS, f"{arrival.name}.anomalies.csv", report.encode("utf-8"))
    exchange.drop_receipt(f"{arrival.name}.resultat.txt", text)
    arrival.told = digest
    arrival.save(update_fields=["told"])
    return True


def tell_trial(
    *, exchange: LandlordExchange, campaign: Campaign, report: ImportReport, anomalies: Sequence[ImportAnomaly]
) -> None:
    """Drop what a dry run found in a file, under a name that says that nothing was imported. Raises ExchangeError."""
    name = PurePosixPath(report.name).name
    lines = [
        "ESSAI DE LECTURE : RIEN N'EST IMPORTÉ",
        "",
        f"Fichier      {name}",
        f"Campagne     {campaign}",
        "",
        report.sentence,
    ]
    if anomalies:
        lines += ["", f"{len(anomalies)} anomalie(s) : voir « {name}.essai.anomalies.csv »."]
        exchange.leave(RECEIPTS, f"{name}.essai.anomalies.csv", anomalies_csv(anomalies).encode("utf-8"))
    exchange.drop_receipt(f"{name}.essai.txt", "\n".join(lines) + "\n")


def _received(arrival: Arrival) -> str:
    deposit = arrival.deposit
    kind = deposit.get_kind_display() if deposit else ""
    if arrival.repeated and deposit is not None:
        then = (
            f"Ce contenu nous est déjà parvenu le {_moment(deposit.received_at)} sous le nom « {deposit.name} » : rien "
            "n'est importé une seconde fois. Vous n'avez rien à faire."
        )
    else:
        then = (
            "Le fichier va être lu et contrôlé. Vous trouverez ici, dans « accuses », le résultat sous le nom "
            f"« {arrival.name}.resultat.txt » et, s'il y en a, la liste des anomalies sous le nom "
            f"« {arrival.name}.anomalies.csv ». L'original est rangé dans « archive »."
        )
    return _text("ACCUSÉ DE RÉCEPTION", arrival, kind, then)


def _waiting(arrival: Arrival) -> str:
    then = (
        f"{arrival.explanation} Il n'a pas été lu et reste dans « depot ». Reprenez l'envoi où il s'est arrêté, ou "
        "déposez le fichier entier sous le même nom : il sera lu dès qu'il sera complet."
    )
    return _text("FICHIER INCOMPLET", arrival, "", then)


def _refused(arrival: Arrival) -> str:
    return _text("FICHIER NON RECONNU", arrival, "", arrival.explanation)


def _text(title: str, arrival: Arrival, kind: str, then: str) -> str:
    lines = [
        ("Fichier", arrival.name),
        ("Nature", kind),
        ("Taille", f"{arrival.size} octets" if arrival.sha256 else ""),
        ("SHA-256", arrival.sha256),
        ("Déposé le", _moment(arrival.modified_at) if arrival.sha256 else ""),
        ("Reçu le", _moment(arrival.seen_at)),
        ("Campagne", str(arrival.campaign)),
    ]
    told = "\n".join(f"{label:<12} {value}" for label, value in lines if value)
    return f"{title}\n\n{told}\n\n{then}\n"


def _moment(moment: dt.datetime) -> str:
    return f"{timezone.localtime(moment):%d/%m/%Y à %H:%M:%S}"
