"""The folders of a print house: where its batches are laid, where its reports come back."""

from __future__ import annotations

from campaigns.exchange import LandlordExchange
from campaigns.exchange_accounts import account_of
from campaigns.models import Landlord
from tenants.models import PrintShop


def exchange_of(shop: PrintShop | None) -> LandlordExchange | None:
    """The SFTP folders of a print house; None for one without an account, whose batches are handed over by hand."""
    if shop is None or not shop.sftp_username:
        return None
    return LandlordExchange(account_of(Landlord(sftp_username=shop.sftp_username)))
