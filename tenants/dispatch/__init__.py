"""What leaves on paper: the proof for the BAT, the forms, the letters; composed in batches, then handed over."""

from tenants.dispatch.batches import UnableToCompose
from tenants.dispatch.checking import layout_problems, unprintable
from tenants.dispatch.copies import accessible, accessible_letter, copy_of_form, copy_of_letter, letters_sent
from tenants.dispatch.forms import compose_forms, left_out
from tenants.dispatch.handover import UnableToHandOver, hand_over
from tenants.dispatch.letters import compose_letters
from tenants.dispatch.posting import UnableToPost, record_posting, to_pull
from tenants.dispatch.proof import compose_proof

__all__ = [
    "UnableToCompose",
    "UnableToHandOver",
    "UnableToPost",
    "accessible",
    "accessible_letter",
    "compose_forms",
    "compose_letters",
    "compose_proof",
    "copy_of_form",
    "copy_of_letter",
    "hand_over",
    "layout_problems",
    "left_out",
    "letters_sent",
    "record_posting",
    "to_pull",
    "unprintable",
]
