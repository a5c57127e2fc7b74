"""The landlord is the only partition: a query outside a scope raises instead of showing everybody's cases.

`scoped(ManagerClass, path)` makes the manager of a model that leads to a landlord by `path`. Doors enter a scope
(`LandlordScopeMiddleware`); commands, tasks and the provider's own staff work across landlords with `all_landlords()`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from django.db.models import Manager
from django_scopes import ScopedManager, scope, scopes_disabled

ManagerT = TypeVar("ManagerT", bound=Manager)  # type: ignore[type-arg]
P = ParamSpec("P")
R = TypeVar("R")

all_landlords = scopes_disabled
within = scope


def scoped(manager: type[ManagerT], path: str) -> ManagerT:
    """A manager of that class, whose rows are those of the landlord in scope (`path` leads to it)."""
    return cast(ManagerT, ScopedManager(_manager_class=manager, landlord=path))


def across_landlords(function: Callable[P, R]) -> Callable[P, R]:
    """For tasks and commands: run `function` over every landlord's rows."""

    @functools.wraps(function)
    def unscoped(*args: P.args, **kwargs: P.kwargs) -> R:
        with scopes_disabled():
            return function(*args, **kwargs)

    return unscoped
