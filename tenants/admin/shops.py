"""Which print house gets a batch: chosen when the batch is handed over."""

from __future__ import annotations

import datetime as dt

from campaigns.models import Campaign, User
from tenants import dispatch
from tenants.models import PrintBatch, PrintShop

BY_HAND = ("", "en main propre, sans envoi")


def shops(campaign: Campaign) -> list[tuple[str, str]]:
    """The print houses to choose from; a rehearsal's batches go nowhere."""
    if campaign.rehearsal:
        return [("", "la boîte d'envoi de la répétition")]
    return [*((str(shop.pk), shop.name) for shop in PrintShop.objects.order_by("name")), BY_HAND]


def shop_told(choice: str) -> PrintShop | None:
    """The print house chosen; None for a hand-over by hand."""
    return PrintShop.objects.filter(pk=int(choice)).first() if choice.isdecimal() else None


def give(batch: PrintBatch, shop: PrintShop | None, *, now: dt.datetime, actor: User) -> PrintBatch:
    """Hand a batch over to a print house: by SFTP when it has an account."""
    exchange = dispatch.exchange_of(shop) if not batch.campaign.rehearsal else None
    if exchange is None:
        return dispatch.hand_over(batch=batch, now=now, actor=actor, shop=shop)
    with exchange:
        return dispatch.hand_over(batch=batch, now=now, actor=actor, shop=shop, exchange=exchange)
