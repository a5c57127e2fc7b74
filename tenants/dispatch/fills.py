"""A case as the painter wants it: the landlord's branding, the household's texts, the values already known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.conf import settings
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.paper_form.branding import Branding
from campaigns.paper_form.painter import FormFill
from campaigns.questionnaire import values
from campaigns.questionnaire.schema import Field, Questionnaire
from tenants.messaging.texts import french_day
from tenants.models import Household, SurveyCase
from tenants.prefill import prefill_of


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


def fill_of(
    *,
    case: SurveyCase,
    questionnaire: Questionnaire,
    fields: Mapping[str, Field],
    code: str,
    address: str,
    now: dt.datetime,
) -> FormFill:
    """One household's own texts: `code` as printed, `address` what the QR code opens."""
    people = {person.row: person.full_name for person in case.household.occupants.all()}
    return FormFill(
        case_reference=case.reference,
        texts=front_texts(case.campaign, reference=case.reference, code=code, now=now)
        | {
            "@address": postal_lines(case.household),
            "@occupant_title": [people.get(row, "") for row in range(1, max(people, default=0) + 1)],
        },
        prefills=shown_prefills(prefill_of(case, questionnaire), fields),
        portal_url=address,
    )


def front_texts(campaign: Campaign, *, reference: str, code: str, now: dt.datetime) -> dict[str, str | list[str]]:
    """The texts of the first page that do not come from the household."""
    return {
        "@place_date": f"Le {french_day(timezone.localdate(now))}",
        "@deadline": french_day(campaign.reply_by),
        "@reference": reference,
        "@access_login": reference,
        "@access_code": code,
    }
