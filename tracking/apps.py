"""The app's configuration."""

from django.apps import AppConfig


class TrackingConfig(AppConfig):
    """Nothing happens at start."""

    name = "tracking"
    verbose_name = "Suivi"
