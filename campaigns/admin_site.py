"""The provider's admin site: Django's own, in our words."""

from __future__ import annotations

from django.contrib.admin import AdminSite


class ProviderAdminSite(AdminSite):
    """Named after what case managers do here."""

    site_header = "Conduite des campagnes"
    site_title = "Enquêtes HLM"
    index_title = "Campagnes"
