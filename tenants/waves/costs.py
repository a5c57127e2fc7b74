"""What waves cost: estimated when they are armed, then actual, from the messages that left and the prices of their day.

Prices are data of each campaign (`ChannelPrice`). Without a price nothing is guessed: the line says that it is missing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate

from campaigns.models import Campaign
from tenants.models import ChannelPrice, Message, PostalService, Purpose, Wave

CENT = Decimal("0.01")
Item = ChannelPrice.Item
LEFT = (Message.State.SENT, Message.State.DELIVERED, Message.State.BOUNCED)


@dataclass(frozen=True, slots=True)
class CostLine:
    """One item: how many units, at what price (None when none is set), for how much."""

    item: str
    messages: int
    units: int
    amount: Decimal | None

    @property
    def label(self) -> str:
        """The item in French."""
        return str(Item(self.item).label)

    def as_table(self) -> dict[str, Any]:
        """For storing: the amount as text, '' when it is not known."""
        amount = "" if self.amount is None else str(self.amount)
        return {"item": self.item, "messages": self.messages, "units": self.units, "amount": amount}

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> CostLine:
        """The line stored as a table."""
        amount = Decimal(table["amount"]) if table["amount"] else None
        return cls(table["item"], table["messages"], table["units"], amount)


class Tariff:
    """The prices of a campaign, read once."""

    def __init__(self, campaign: Campaign) -> None:
        self._prices: dict[str, list[tuple[dt.date, Decimal]]] = {}
        for price in campaign.prices.order_by("since"):
            self._prices.setdefault(price.item, []).append((price.since, price.amount))

    def price(self, item: str, on: dt.date) -> Decimal | None:
        """The price in force on that day; None when none is set."""
        begun = [amount for since, amount in self._prices.get(item, []) if since <= on]
        return begun[-1] if begun else None

    def amount(self, item: str, units: int, on: dt.date) -> Decimal | None:
        """What so many units cost on that day, not rounded; None when no price is set."""
        price = self.price(item, on)
        return None if price is None else price * units


def item_of(*, channel: str, purpose: str, service: str) -> str:
    """What a message is charged as."""
    if channel != Message.Channel.LETTER:
        return channel
    if service != PostalService.SIMPLE:
        return service
    return Item.FORM if purpose == Purpose.FORM else Item.LETTER


def estimated(*, wave: Wave, told: Mapping[str, int], on: dt.date) -> list[CostLine]:
    """What a wave would cost: channel → households. An SMS of ours is one segment (`texts` holds it to 160 places)."""
    tariff = Tariff(wave.campaign)
    items: Counter[str] = Counter()
    for channel, count in told.items():
        items[item_of(channel=channel, purpose=wave.purpose, service=wave.postal_service)] += count
    return [
        CostLine(item, count, count, _rounded(tariff.amount(item, count, on)))
        for item, count in sorted(items.items())
        if count
    ]


def actual(*, campaign: Campaign, wave: Wave | None = None) -> list[CostLine]:
    """What has been spent: of one wave, or of the whole campaign. A doubtful message is not charged until settled."""
    messages = Message.objects.filter(case__campaign=campaign, state__in=LEFT)
    if wave is not None:
        messages = messages.filter(sending_wave=wave)
    rows = (
        messages.annotate(day=TruncDate("sent_at"))
        .values_list("channel", "purpose", "service", "day")
        .annotate(count=Count("pk"), charged=Sum("units"))
    )
    tariff = Tariff(campaign)
    counts: Counter[str] = Counter()
    units: Counter[str] = Counter()
    amounts: dict[str, Decimal | None] = {}
    for channel, purpose, service, day, count, charged in rows:
        item = item_of(channel=channel, purpose=purpose, service=service)
        counts[item] += count
        units[item] += charged
        amount = tariff.amount(item, charged, day)
        so_far = amounts.get(item, Decimal(0))
        amounts[item] = None if amount is None or so_far is None else so_far + amount
    return [CostLine(item, counts[item], units[item], _rounded(amounts[item])) for item in sorted(counts)]


def total(lines: list[CostLine]) -> Decimal | None:
    """The sum; None when a price is missing."""
    amounts = [line.amount for line in lines]
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)).quantize(CENT) if len(known) == len(amounts) else None


def _rounded(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(CENT)
