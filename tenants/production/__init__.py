"""The dossier de traitement: what is to be printed, on what, what is in stock, and the order the workshop receives."""

from tenants.production.order import compose_order
from tenants.production.quantities import Need, Variant, Volumes, needs_of, volumes_of
from tenants.production.supplies import UnableToSupply, list_supplies, record_supply

__all__ = [
    "Need",
    "UnableToSupply",
    "Variant",
    "Volumes",
    "compose_order",
    "list_supplies",
    "needs_of",
    "record_supply",
    "volumes_of",
]
