"""What Django itself tells the audit: who signs in and out, who failed to, and every change made by a form of the
administration."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from campaigns import audit
from campaigns.models import User


@receiver(user_logged_in, dispatch_uid="audit")
def signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    """Someone came in."""
    audit.record(action="signin.in", at=timezone.now(), actor=user, kind="user", pk=user.pk)


@receiver(user_logged_out, dispatch_uid="audit")
def signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    """Someone went out."""
    if user is not None:
        audit.record(action="signin.out", at=timezone.now(), actor=user, kind="user", pk=user.pk)


@receiver(user_login_failed, dispatch_uid="audit")
def failed_to_sign_in(credentials: dict[str, Any], **_: Any) -> None:
    """A wrong password. The account is told when it exists; what was typed never is."""
    known = User.objects.filter(username=credentials.get("username") or "").values_list("pk", flat=True).first()
    audit.record(action="signin.failed", at=timezone.now(), kind="user", pk=known or "")


@receiver(post_save, sender=LogEntry, dispatch_uid="audit")
def changed_by_form(instance: LogEntry, created: bool, **_: Any) -> None:
    """A row was added, changed or deleted by a form: which one, and which of its fields; no value."""
    if not created:
        return
    verb = {ADDITION: "added", DELETION: "deleted"}.get(instance.action_flag, "changed")
    model = str(getattr(instance.content_type, "model", ""))
    audit.record(
        action=f"admin.{verb}",
        at=instance.action_time,
        actor=instance.user,
        kind=model,
        pk=instance.object_id or "",
        data={"fields": sorted(_fields(instance.change_message))},
    )


def _fields(message: str) -> set[str]:
    """The names of the fields in Django's own message, inlines included."""
    try:
        parts = json.loads(message)
    except ValueError:
        return set()
    told: set[str] = set()
    for part in parts if isinstance(parts, list) else ():
        for change in part.values():
            told.update(str(field)[:60] for field in change.get("fields", ()))
            if "name" in change:
                told.add(str(change["name"])[:60])
    return told
