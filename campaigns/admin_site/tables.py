"""The two manners of table in the administration: edited by case managers, or written by the steps only."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst

from campaigns.models import User


class CaseManagerAdmin(ModelAdmin):  # type: ignore[type-arg]
    """A table that case managers may see and edit; nothing is ever deleted from here."""

    list_per_page = 50
    show_full_result_count = False
    save_on_top = False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, under the name of what it lists."""
        shown = {"title": capfirst(self.opts.verbose_name_plural), "subtitle": None}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """One row, under its own name."""
        if context.get("original") is not None:
            context |= {"title": capfirst(str(context["original"])), "subtitle": None}
        return super().render_change_form(request, context, *args, **kwargs)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Case managers."""
        return _may_manage(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Case managers."""
        return _may_manage(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Case managers."""
        return _may_manage(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Case managers."""
        return _may_manage(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False


class RecordAdmin(CaseManagerAdmin):
    """A table that only the steps write: seen, searched, never edited by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False


def actor_of(request: HttpRequest) -> User:
    """Who presses the button."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def attached(stored: FieldFile, name: str, content_type: str) -> FileResponse:
    """A stored file as a download. Raises Http404 when there is none."""
    if not stored:
        raise Http404("Ce fichier n'existe pas.")
    return FileResponse(stored.open("rb"), as_attachment=True, filename=name, content_type=content_type)


def linked(url: str, label: object) -> str:
    """A link in a cell."""
    return format_html('<a href="{}">{}</a>', url, label)


def _may_manage(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_active and request.user.may_manage
