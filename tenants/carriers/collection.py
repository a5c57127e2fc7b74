"""The carriers' SFTP folder emptied: each file taken once, answered by a report, put away."""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from campaigns.exchange import LandlordExchange, settled
from campaigns.exchange_accounts import account_of
from campaigns.models import Landlord
from tenants.carriers.files import Taken, UnableToTake, take_file
from tenants.dispatch.shops import exchange_of
from tenants.models import CarrierFile, PrintShop

PAUSE = 2.0  # seconds between two looks: a file that still grows waits for the next visit


def carrier_exchange() -> LandlordExchange | None:
    """The folders of the account that CARRIER_SFTP_USERNAME names; None when there is none."""
    if not settings.CARRIER_SFTP_USERNAME:
        return None
    return LandlordExchange(account_of(Landlord(sftp_username=settings.CARRIER_SFTP_USERNAME)))


def report_exchanges() -> Iterator[LandlordExchange]:
    """Every account where reports come back: the carriers', and those of the print houses."""
    carrier = carrier_exchange()
    if carrier is not None:
        yield carrier
    for shop in PrintShop.objects.exclude(sftp_username="").order_by("pk"):
        exchange = exchange_of(shop)
        if exchange is not None and shop.sftp_username != settings.CARRIER_SFTP_USERNAME:
            yield exchange


def collect_files(*, exchange: LandlordExchange, now: dt.datetime, pause: float = PAUSE) -> list[CarrierFile]:
    """Take every finished file of `depot`, leave its report in `accuses`, archive it. Raises ExchangeError.

    A file that cannot be taken at all is archived too, and its report says why: the carrier sends another one.
    """
    first = exchange.incoming()
    if not first:
        return []
    time.sleep(pause)
    taken = []
    for seen in settled(first, exchange.incoming()):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            exchange.fetch(seen.name, path)
            content = path.read_bytes()
        try:
            found = take_file(name=seen.name, content=content, now=now)
        except UnableToTake as error:
            exchange.drop_receipt(f"{seen.name}.rapport.txt", f"Fichier refusé. {error}\n")
        else:
            taken.append(found.file)
            exchange.drop_receipt(f"{seen.name}.rapport.txt", report_of(found))
        exchange.archive(seen.name)
    return taken


def report_of(taken: Taken) -> str:
    """What was done with a file, in French, one line a problem."""
    file = taken.file
    if taken.already:
        return f"Fichier déjà pris le {file.received_at:%d/%m/%Y} : rien n'a été fait une deuxième fois.\n"
    lines = [f"Lignes prises : {file.taken}. Déjà connues : {file.known}. Refusées : {len(file.problems)}."]
    return "\n".join([*lines, *(problem["message"] for problem in file.problems)]) + "\n"
