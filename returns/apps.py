"""The app's configuration."""

from django.apps import AppConfig


class ReturnsConfig(AppConfig):
    """Nothing happens at start."""

    name = "returns"
    verbose_name = "Retours"
