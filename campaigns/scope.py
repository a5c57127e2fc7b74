"""The landlord is the only partition: a query outside a scope raises instead of showing everybody's cases.

A model whose rows belong to a landlord says by `landlord_path` which way leads to it, and has a `LandlordManager`.
Doors enter a scope (`LandlordScopeMiddleware`); commands, tasks and the provider's own staff work across landlords.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from django.db import models
from django_scopes import scope, scopes_disabled
from django_scopes.manager import DisabledQuerySet
from django_scopes.state import get_scope

ModelT = TypeVar("ModelT", bound=models.Model)
P = ParamSpec("P")
R = TypeVar("R")

all_landlords = scopes_disabled
within = scope


class LandlordManager(models.Manager[ModelT]):
    """Only the rows of the landlord in scope; outside a scope, a query set whose every question raises ScopeError."""

    def get_queryset(self) -> Any:
        """All rows when scopes are disabled, the landlord's rows in a scope, none that can be read otherwise."""
        active = get_scope()
        if not active.get("_enabled", True):
            return super().get_queryset()
        if "landlord" not in active:
            return DisabledQuerySet(self.model, using=self._db, missing_scopes=["landlord"])
        path = self.model.landlord_path  # type: ignore[attr-defined]
        landlord = active["landlord"]
        wanted = {f"{path}__in": landlord} if isinstance(landlord, list) else {path: landlord}
        return super().get_queryset().filter(**wanted)


def across_landlords(function: Callable[P, R]) -> Callable[P, R]:
    """For tasks and commands: run `function` over every landlord's rows."""

    @functools.wraps(function)
    def unscoped(*args: P.args, **kwargs: P.kwargs) -> R:
        with scopes_disabled():
            return function(*args, **kwargs)

    return unscoped
