"""Everything told to a household, by letter, e-mail or SMS: one contract, stored before it leaves, with its proof."""

from tenants.messaging.contract import Failure, NotDelivered, Receipt
from tenants.messaging.delivery import DeliveryReport, deliver_waiting
from tenants.messaging.eligibility import reason_to_cancel
from tenants.messaging.outcomes import settle_uncertain
from tenants.messaging.phones import mobile_number
from tenants.messaging.queueing import UnableToQueue, draft, queue, queue_together
from tenants.messaging.texts import Text, UnableToWrite, render

__all__ = [
    "DeliveryReport",
    "Failure",
    "NotDelivered",
    "Receipt",
    "Text",
    "UnableToQueue",
    "UnableToWrite",
    "deliver_waiting",
    "draft",
    "mobile_number",
    "queue",
    "queue_together",
    "reason_to_cancel",
    "render",
    "settle_uncertain",
]
