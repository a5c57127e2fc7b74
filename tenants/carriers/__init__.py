"""What carriers send back: the life of registered letters, envelopes that return, their files; taken once each."""

from tenants.carriers.collection import carrier_exchange, collect_files, report_exchanges, report_of
from tenants.carriers.files import Taken, UnableToTake, take_file
from tenants.carriers.letters import UnknownLetter, letter_of
from tenants.carriers.registered import UnableToFollow, record_event

__all__ = [
    "Taken",
    "UnableToFollow",
    "UnableToTake",
    "UnknownLetter",
    "carrier_exchange",
    "collect_files",
    "letter_of",
    "record_event",
    "report_exchanges",
    "report_of",
    "take_file",
]
