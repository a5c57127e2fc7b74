"""The app's configuration."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Nothing happens at start."""

    name = "portal"
    verbose_name = "Portail"
