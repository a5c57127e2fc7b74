"""What leaves on paper: the proof for the BAT, the forms, the letters; composed in batches, then handed over."""

from tenants.dispatch.batches import UnableToCompose
from tenants.dispatch.forms import compose_forms, left_out
from tenants.dispatch.handover import UnableToHandOver, hand_over
from tenants.dispatch.letters import compose_letters
from tenants.dispatch.posting import UnableToPost, record_posting, to_pull
from tenants.dispatch.proof import compose_proof

__all__ = [
    "UnableToCompose",
    "UnableToHandOver",
    "UnableToPost",
    "compose_forms",
    "compose_letters",
    "compose_proof",
    "hand_over",
    "left_out",
    "record_posting",
    "to_pull",
]
