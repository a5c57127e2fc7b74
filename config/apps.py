"""The admin site of the provider: Django's own, under our name and our home page."""

from django.contrib.admin.apps import AdminConfig


class ProviderAdminConfig(AdminConfig):
    """Replaces the default site of `django.contrib.admin`."""

    default_site = "campaigns.admin_site.ProviderAdminSite"
