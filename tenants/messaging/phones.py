"""French mobile numbers, the only ones an SMS goes to, in E.164."""

from __future__ import annotations

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

# Overseas mobiles are written like the others (0690 …) but have country codes of their own (Arcep numbering plan).
OVERSEAS = {"690": 590, "691": 590, "694": 594, "696": 596, "697": 596, "692": 262, "693": 262}
FRENCH = frozenset({33, *OVERSEAS.values()})


def mobile_number(text: str) -> str:
    """The number in E.164 ('+33612345678') when `text` is a French mobile, else ''."""
    try:
        number = phonenumbers.parse(text, "FR")
    except NumberParseException:
        return ""
    national = str(number.national_number)
    if number.country_code == 33 and national[:3] in OVERSEAS:
        number.country_code = OVERSEAS[national[:3]]
    if number.country_code not in FRENCH or not phonenumbers.is_possible_number(number):
        return ""
    if number.country_code == 33 and (len(national) != 9 or national[0] not in "67"):
        return ""
    if number.country_code != 33 and phonenumbers.number_type(number) is not PhoneNumberType.MOBILE:
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
