"""The profiles that read the landlords' files: every version, and what each changes."""

from __future__ import annotations

from django.contrib import admin

from campaigns.admin_site import RecordAdmin
from campaigns.models import MappingProfile


@admin.register(MappingProfile)
class MappingProfileAdmin(RecordAdmin):
    """How a landlord's file is read."""

    list_display = ("name", "version", "landlord", "note", "created_at", "created_by")
    list_filter = ("landlord",)
    list_select_related = ("landlord", "created_by")
    ordering = ("landlord", "name", "-version")
