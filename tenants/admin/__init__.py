"""What case managers see of deposits, cases, print batches and messages, and their steps on the campaign page."""

from tenants.admin import (
    addresses,
    arrivals,
    cases,
    code_tables,
    constats,
    deposits,
    outcomes,
    production,
    profiles,
    records,
    scopes,
    steps,
    waves,
)

__all__ = [
    "addresses",
    "arrivals",
    "cases",
    "code_tables",
    "constats",
    "deposits",
    "outcomes",
    "production",
    "profiles",
    "records",
    "scopes",
    "steps",
    "waves",
]
