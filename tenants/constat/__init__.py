"""The constat: who has not answered, every mailing that reached out to them, and the sealed package that proves it."""

from tenants.constat.listing import HEADING, constat_csv, mailings

__all__ = ["HEADING", "constat_csv", "mailings"]
