"""The three ways an exchange with a landlord fails; each message is a French sentence for people."""

from __future__ import annotations


class ExchangeError(Exception):
    """The exchange with a landlord failed."""


class ExchangeUnavailable(ExchangeError):
    """It may work later: the server is away, the line was cut, a disk is full. Try again."""


class LineCut(ExchangeUnavailable):
    """The connection failed: the next call opens another."""


class StillChanging(ExchangeUnavailable):
    """This one file is being written, replaced or taken by someone else; the others may be read."""


class ExchangeRefused(ExchangeError):
    """It will not work without someone's help: wrong key, wrong password, missing file, refused folder."""
