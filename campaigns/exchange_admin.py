"""The SFTP accounts in the administration: their keys with dates, their password drawn or withdrawn, at once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns.admin_site import CaseManagerAdmin
from campaigns.exchange_accounts import exchange_account, publish_after_commit, renew_password, withdraw_password
from campaigns.models import ExchangeAccount, ExchangeKey, Landlord


class ExchangeKeyInline(admin.StackedInline):  # type: ignore[type-arg]
    """The keys of an account. A key is never removed: it gets a last day."""

    model = ExchangeKey
    extra = 0
    can_delete = False
    fields = ("public_key", "comment", ("valid_from", "valid_until"), ("fingerprint", "added_at"))
    readonly_fields = ("fingerprint", "added_at")
    formfield_overrides = {models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 3})}}

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those of the account's page."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those of the account's page."""
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those of the account's page."""
        return True


@admin.register(ExchangeAccount)
class ExchangeAccountAdmin(CaseManagerAdmin):
    """Who may enter a landlord's folders. Every landlord has both accounts from the first look at the list."""

    list_display = ("username", "landlord", "purpose", "valid_keys", "has_password", "active")
    list_filter = ("purpose", "active", "landlord")
    list_select_related = ("landlord",)
    search_fields = ("landlord__name", "landlord__sftp_username")
    ordering = ("landlord__name", "purpose")
    readonly_fields = ("landlord", "purpose")
    fields = (("landlord", "purpose"), "active", "password_until")
    inlines = (ExchangeKeyInline,)
    change_form_template = "admin/exchange_account.html"

    @admin.display(description="compte")
    def username(self, account: ExchangeAccount) -> str:
        """What the client types."""
        return account.username

    @admin.display(description="clés valables")
    def valid_keys(self, account: ExchangeAccount) -> int:
        """How many keys open it today."""
        return len(account.keys_on(timezone.localdate()))

    @admin.display(description="mot de passe", boolean=True)
    def has_password(self, account: ExchangeAccount) -> bool:
        """Whether a password opens it today."""
        return bool(account.password_on(timezone.localdate()))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: an account comes with its landlord."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, complete."""
        for landlord in Landlord.objects.exclude(exchange_accounts__purpose=ExchangeAccount.Purpose.SCANNING):
            for purpose in ExchangeAccount.Purpose:
                exchange_account(landlord, purpose)
        return super().changelist_view(request, extra_context)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """The account, with its password's state."""
        account = self.get_object(request, object_id)
        shown = {"account": account, "opens": account.password_on(timezone.localdate())} if account else {}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        """The two buttons of the password."""
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/mot-de-passe/", view(require_POST(self.renew)), name="exchange_password_renew"),
            path("<int:pk>/cles-seules/", view(require_POST(self.withdraw)), name="exchange_password_withdraw"),
        ]
        return own + super().get_urls()

    def renew(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A new password, shown this once."""
        account = get_object_or_404(ExchangeAccount, pk=pk)
        secret = renew_password(account=account, now=timezone.now())
        self.log_change(request, account, "Mot de passe renouvelé.")
        return self._page(request, pk, {"secret": secret})

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Keys alone from now on."""
        account = get_object_or_404(ExchangeAccount, pk=pk)
        withdraw_password(account=account)
        self.log_change(request, account, "Mot de passe retiré.")
        messages.success(request, "Ce compte ne s'ouvre plus qu'avec une clé.")
        return redirect("admin:campaigns_exchangeaccount_change", pk)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Once the keys are saved, OpenSSH is told."""
        super().save_related(request, form, formsets, change)
        publish_after_commit()

    def _page(self, request: HttpRequest, pk: int, extra: dict[str, Any]) -> HttpResponse:
        """The account's page as it is looked at, with more in it: the secret stands in no session and no message."""
        asked, request.method = request.method, "GET"
        try:
            response: HttpResponse = self.change_view(request, str(pk), extra_context=extra)
        finally:
            request.method = asked
        return response
