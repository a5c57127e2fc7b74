"""The tables de correspondance: every version, what each changes, and our value beside each code."""

from __future__ import annotations

from django.contrib import admin

from campaigns.admin_site import RecordAdmin
from campaigns.models import CodeTable


@admin.register(CodeTable)
class CodeTableAdmin(RecordAdmin):
    """A landlord's table de correspondance, version by version."""

    list_display = ("name", "version", "campaign", "source", "created_at", "created_by")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter), "name")
    list_select_related = ("campaign__landlord", "created_by")
    ordering = ("campaign", "name", "-version")
