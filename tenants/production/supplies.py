"""Supplies of a campaign: one line a kind, with the usual weights until somebody says better."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from django.db import transaction

from campaigns.models import Campaign
from tenants.models import Supply
from tenants.production.stationery import stationery_on

HEAVIEST = Decimal(500)  # grams of one unit: beyond, it is a slip of the pen
MOST_SPARE = 50  # per cent


class UnableToSupply(Exception):
    """The figures of a supply can't be kept; the message says why."""


def list_supplies(campaign: Campaign) -> list[Supply]:
    """The campaign's supplies in the order of their kinds; the missing ones are made with the usual figures.

    Reply envelopes only where the landlord provides them; inserts only once somebody has asked for them.
    """
    usual = stationery_on(campaign.opens_on)
    kinds = [Supply.Kind.PAPER, Supply.Kind.CARRIER]
    if campaign.landlord.prepaid_reply:
        kinds.append(Supply.Kind.REPLY)
    for kind in kinds:
        Supply.objects.get_or_create(
            campaign=campaign,
            kind=kind,
            defaults={"grams": usual.grams[kind], "spare_percent": usual.spare_percent[kind]},
        )
    found = {each.kind: each for each in Supply.objects.filter(campaign=campaign)}
    return [found[kind] for kind in Supply.Kind.values if kind in found]


def record_supply(*, campaign: Campaign, kind: str, told: Mapping[str, str], today: dt.date) -> Supply:
    """Keep what people type of one supply: description, grams, spare_percent, ordered, received, as texts.

    The day of an order or of a delivery is that on which its quantity is written. Raises UnableToSupply.
    """
    if kind not in Supply.Kind.values:
        raise UnableToSupply("Cette fourniture n'existe pas.")
    usual = stationery_on(campaign.opens_on)
    with transaction.atomic():
        supply, _ = Supply.objects.select_for_update().get_or_create(
            campaign=campaign,
            kind=kind,
            defaults={"grams": usual.grams[kind], "spare_percent": usual.spare_percent[kind]},
        )
        supply.description = told.get("description", supply.description).strip()[:200]
        supply.grams = _grams(told.get("grams", str(supply.grams)))
        supply.spare_percent = _count(told.get("spare_percent", str(supply.spare_percent)), "marge", MOST_SPARE)
        for name in ("ordered", "received"):
            count = _count(told.get(name, str(getattr(supply, name))), supply.get_kind_display())
            if count != getattr(supply, name):
                setattr(supply, name, count)
                setattr(supply, f"{name}_on", today if count else None)
        supply.save()
    return supply


def _count(text: str, name: str, most: int = 99_999_999) -> int:
    plain = text.replace(" ", "").replace("\u202f", "").replace("\u00a0", "")
    if not plain.isdecimal() or int(plain) > most:
        raise UnableToSupply(f"« {text} » : écrivez un nombre entier, {most} au plus ({name}).")
    return int(plain)


def _grams(text: str) -> Decimal:
    plain = text.strip().replace(",", ".")
    try:
        grams = Decimal(plain)
    except ArithmeticError:
        grams = Decimal(0)
    if not (grams.is_finite() and 0 < grams <= HEAVIEST):
        raise UnableToSupply(f"« {text} » : écrivez un poids en grammes, par exemple 4,99.")
    return grams.quantize(Decimal("0.01"))
