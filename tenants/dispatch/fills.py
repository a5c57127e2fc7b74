"""A case as the painter wants it: the landlord's branding, the household's texts, the values already known."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.painter import FormFill
from campaigns.questionnaire import values
from campaigns.questionnaire.schema import Field, Questionnaire
from tenants.messaging.texts import french_day
from tenants.models import Household, Occupant, SurveyCase
from tenants.prefill import canonical, known_attributes


def branding_of(campaign: Campaign) -> Branding:
    """What makes the paper the landlord's own. Raises BrandingError when it cannot be printed."""
    landlord = campaign.landlord
    logo = None
    if landlord.logo:
        with landlord.logo.open("rb") as stored:
            logo = stored.read()
    return Branding(
        name=landlord.name,
        accent=landlord.accent,
        logo=logo,
        sender=tuple(landlord.sender_lines.splitlines()),
        hotline=landlord.hotline,
        portal_url=settings.PORTAL_URL,
        return_address=tuple(landlord.reply_address.splitlines()),
        rehearsal=campaign.rehearsal,
    )


def postal_lines(household: Household) -> list[str]:
    """The address as it is printed in the window: at most six lines, none empty.

    Word for word what the landlord gave or what somebody accepted: corrections to the postal norm are proposed and
    decided before (`tenants.importing.addresses`), never made here.
    """
    return [line.strip() for line in household.address_lines][:6]


def shown_prefills(known: Mapping[tuple[str, int], object], fields: Mapping[str, Field]) -> dict[tuple[str, int], str]:
    """The known values as people read them; one that its field cannot show is left out, for the tenant to write."""
    told: dict[tuple[str, int], str] = {}
    for (key, row), value in known.items():
        try:
            told[key, row] = values.show(fields[key], value)  # type: ignore[arg-type]
        except values.FieldValueError:
            continue
    return told


def fields_by_key(questionnaire: Questionnaire) -> dict[str, Field]:
    """The fields of the form by key."""
    return {field.key: field for _, field in questionnaire.fields()}


class Filler:
    """Fills the forms of one run: what all households share is worked out once."""

    def __init__(self, campaign: Campaign, questionnaire: Questionnaire, *, now: dt.datetime) -> None:
        self._fields = fields_by_key(questionnaire)
        self._front = front_texts(campaign, reference="", code="", now=now)
        self._of_household, self._of_occupants = (_Columns.of(told) for told in known_attributes(questionnaire))
        self._shown = functools.lru_cache(maxsize=4096)(self._show)

    def fill(self, case: SurveyCase, *, code: str, address: str) -> FormFill:
        """One household's own texts: `code` as printed, `address` what the QR code opens."""
        household = case.household
        people = list(household.occupants.all())
        names = {person.row: person.full_name for person in people}
        texts = self._front | {
            "@reference": case.reference,
            "@access_login": case.reference,
            "@access_code": code,
            "@address": postal_lines(household),
            "@occupant_title": [names.get(row, "") for row in range(1, max(names, default=0) + 1)],
        }
        return FormFill(
            case_reference=case.reference, texts=texts, prefills=self._known(household, people), portal_url=address
        )

    def _known(self, household: Household, people: Sequence[Occupant]) -> dict[tuple[str, int], str]:
        rows: list[tuple[int, _Columns, object]] = [(0, self._of_household, household)]
        rows += [(person.row, self._of_occupants, person) for person in people]
        told = {}
        for row, columns, owner in rows:
            for key, value in zip(columns.keys, columns.values(owner), strict=True):
                if value is not None and value != "" and (text := self._shown(key, value)):
                    told[key, row] = text
        return told

    def _show(self, key: str, value: object) -> str:
        return shown_prefills({(key, 0): canonical(value)}, self._fields).get((key, 0), "")


@dataclass(frozen=True, slots=True)
class _Columns:
    """Fields by key and, in the same order, how to read what is known of them."""

    keys: tuple[str, ...]
    values: Callable[[object], tuple[Any, ...]]

    @classmethod
    def of(cls, told: Sequence[tuple[str, str]]) -> _Columns:
        keys, attributes = tuple(key for key, _ in told), [attribute for _, attribute in told]
        # A column more, so that a lone one is also read as a tuple.
        both = attrgetter(*attributes, "pk", "pk")
        return cls(keys, lambda owner: both(owner)[:-2])


def front_texts(campaign: Campaign, *, reference: str, code: str, now: dt.datetime) -> dict[str, str | list[str]]:
    """The texts of the first page that do not come from the household."""
    return {
        "@place_date": f"Le {french_day(timezone.localdate(now))}",
        "@deadline": french_day(campaign.reply_by),
        "@reference": reference,
        "@access_login": reference,
        "@access_code": code,
    }
