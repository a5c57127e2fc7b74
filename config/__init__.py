"""How the project is run: settings, addresses, queue. No business here."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
