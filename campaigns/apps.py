"""The app's configuration."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """Registers the system checks at start."""

    name = "campaigns"
    verbose_name = "Campagnes"

    def ready(self) -> None:
        """Make the checks known to Django, and the audit's ears."""
        from campaigns import audit_signs, checks  # noqa: F401, PLC0415 - the models must be ready first
