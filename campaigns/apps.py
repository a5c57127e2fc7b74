"""The app's configuration."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """Nothing happens at start."""

    name = "campaigns"
    verbose_name = "Campagnes"
