"""What leaves on paper: the proof for the BAT, the forms, the letters; composed in batches, then handed over."""

from tenants.dispatch.batches import UnableToCompose
from tenants.dispatch.checking import layout_problems, unprintable
from tenants.dispatch.copies import accessible, accessible_letter, copy_of_form, copy_of_letter, letters_sent
from tenants.dispatch.forms import compose_forms, left_out
from tenants.dispatch.handover import UnableToHandOver, hand_over
from tenants.dispatch.letters import compose_letters
from tenants.dispatch.posting import UnableToPost, record_posting, to_pull
from tenants.dispatch.proof import compose_proof
from tenants.dispatch.receipt_letter import Acknowledged, next_step, receipt_letter
from tenants.dispatch.reconciling import Reconciliation, UnableToReconcile, reconcile, record_outcome
from tenants.dispatch.reprints import UnableToReprint, ask_reprint, compose_reprints
from tenants.dispatch.shops import exchange_of

__all__ = [
    "Acknowledged",
    "Reconciliation",
    "UnableToCompose",
    "UnableToHandOver",
    "UnableToPost",
    "UnableToReconcile",
    "UnableToReprint",
    "accessible",
    "accessible_letter",
    "ask_reprint",
    "compose_forms",
    "compose_letters",
    "compose_proof",
    "compose_reprints",
    "copy_of_form",
    "copy_of_letter",
    "exchange_of",
    "hand_over",
    "layout_problems",
    "left_out",
    "letters_sent",
    "next_step",
    "receipt_letter",
    "reconcile",
    "record_outcome",
    "record_posting",
    "to_pull",
    "unprintable",
]
