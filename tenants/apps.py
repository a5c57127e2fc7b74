"""The app's configuration."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Nothing happens at start."""

    name = "tenants"
    verbose_name = "Locataires"
