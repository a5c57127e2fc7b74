"""The provider's admin site: Django's own, opening on the campaigns, each with a page that follows its steps.

`register_step` is how an app puts its part of the work on that page: `campaigns` knows none of the apps above it, each
registers its steps from its own `admin.py`. `register_counters` does the same for the figures of the campaign cards.
"""

from campaigns.admin_site.registry import (
    CURRENT,
    DONE,
    TROUBLE,
    WAITING,
    Action,
    Figure,
    Link,
    Panel,
    Step,
    register_counters,
    register_step,
)
from campaigns.admin_site.site import ProviderAdminSite
from campaigns.admin_site.tables import CaseManagerAdmin, RecordAdmin, actor_of, attached, linked

__all__ = [
    "CURRENT",
    "DONE",
    "TROUBLE",
    "WAITING",
    "Action",
    "CaseManagerAdmin",
    "Figure",
    "Link",
    "Panel",
    "ProviderAdminSite",
    "RecordAdmin",
    "Step",
    "actor_of",
    "attached",
    "linked",
    "register_counters",
    "register_step",
]
