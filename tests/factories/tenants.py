"""Made-up households, their cases and what landlords dropped."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from typing import Any

import factory
from django.core.files.base import ContentFile

from tenants.models import Dwelling, Household, ImportAnomaly, ImportFile, Message, Occupant, Purpose, SurveyCase
from tests.factories.campaigns import CampaignFactory, ScopelessFactory

NOW = dt.datetime(2026, 10, 1, 9, 0, tzinfo=dt.UTC)


class DwellingFactory(ScopelessFactory[Dwelling]):
    """A conventioned flat in Tours, outside any QPV."""

    class Meta:
        model = Dwelling

    campaign = factory.SubFactory(CampaignFactory)
    reference = factory.Sequence(lambda n: f"LG{n:07d}")
    rpls = factory.Sequence(lambda n: f"{4600000000 + n}")
    agency = "AG01"
    agency_name = "Nord"
    estate = "R001"
    estate_name = "Résidence des Tilleuls"
    surface = Decimal("62.40")
    financing = "PLUS"
    ceiling_zone = "3"
    slr_zone = "3"


class OccupantFactory(ScopelessFactory[Occupant]):
    """The next person of a household; `row` must be given, 1 signs the lease."""

    class Meta:
        model = Occupant

    household = factory.SubFactory("tests.factories.tenants.HouseholdFactory", occupants=0)
    row = 1
    link = factory.LazyAttribute(lambda person: {1: "holder", 2: "spouse"}.get(person.row, "child"))
    sex = factory.LazyAttribute(lambda person: "F" if person.row % 2 else "M")
    last_name = "Élodée"
    first_name = factory.LazyAttribute(lambda person: ["Inès", "Loïc", "Zoé", "Noé", "Maïa"][(person.row - 1) % 5])
    birth_date = factory.LazyAttribute(
        lambda person: dt.date(1980 + person.row, 3, 14) if person.row <= 2 else dt.date(2008 + person.row, 6, 1)
    )
    status = factory.LazyAttribute(lambda person: "married" if person.row <= 2 else "single")
    activity = factory.LazyAttribute(lambda person: "stable" if person.row <= 2 else "student")
    dependant = factory.LazyAttribute(lambda person: person.row > 2)


class HouseholdFactory(ScopelessFactory[Household]):
    """A lease with two adults and a child; `occupants=n` for another number of people."""

    class Meta:
        model = Household
        skip_postgeneration_save = True

    campaign = factory.SubFactory(CampaignFactory)
    dwelling = factory.SubFactory(DwellingFactory, campaign=factory.SelfAttribute("..campaign"))
    tenant_reference = factory.Sequence(lambda n: f"{100000 + n:08d}")
    lease_reference = factory.Sequence(lambda n: f"L{21000000 + n}")
    move_in_on = dt.date(2015, 4, 1)
    rent = Decimal("412.50")
    address_2 = "APPT 12"
    address_4 = "8 RUE DES ÉRABLES"
    postcode = "37000"
    city = "TOURS"
    email = factory.LazyAttribute(lambda household: f"foyer{household.tenant_reference}@exemple.example")
    mobile = "0639980000"
    search_name = "elodee ines"

    @factory.post_generation
    def occupants(self, create: bool, extracted: int | None, **kwargs: Any) -> None:
        """The people of the household, rows 1 to n."""
        if create:
            for row in range(1, (3 if extracted is None else extracted) + 1):
                OccupantFactory(household=self, row=row, **kwargs)


class CaseFactory(ScopelessFactory[SurveyCase]):
    """A prepared case and its household; `household__occupants=n` sets the number of people."""

    class Meta:
        model = SurveyCase

    campaign = factory.SubFactory(CampaignFactory)
    household = factory.SubFactory(HouseholdFactory, campaign=factory.SelfAttribute("..campaign"))

    class Params:
        sent = factory.Trait(state="sent", sent_at=NOW)


class ImportFileFactory(ScopelessFactory[ImportFile]):
    """A deposit whose content is `data` (bytes)."""

    class Meta:
        model = ImportFile
        exclude = ("data",)

    data = factory.Sequence(lambda n: f"<vide n='{n}'/>".encode())
    campaign = factory.SubFactory(CampaignFactory)
    kind = ImportFile.Kind.HOUSEHOLDS
    name = "locataires.xml"
    sha256 = factory.LazyAttribute(lambda deposit: hashlib.sha256(deposit.data).hexdigest())
    size = factory.LazyAttribute(lambda deposit: len(deposit.data))
    content = factory.LazyAttribute(lambda deposit: ContentFile(deposit.data, name="depot.xml"))
    received_at = NOW


class ImportAnomalyFactory(ScopelessFactory[ImportAnomaly]):
    """An impossible date on line 12."""

    class Meta:
        model = ImportAnomaly

    deposit = factory.SubFactory(ImportFileFactory)
    kind = "bad_date"
    severity = ImportAnomaly.Severity.WARNING
    line = 12
    path = "/EnqueteSLS/Locataire[1]/Bail/DateEntree"
    value = "31/02/2023"
    expected = "une date JJ/MM/AAAA"
    message = "Ligne 12 : la date d'entrée « 31/02/2023 » n'existe pas."
    tenant_reference = "00100004"


class MessageFactory(ScopelessFactory[Message]):
    """An e-mail that waits."""

    class Meta:
        model = Message

    case = factory.SubFactory(CaseFactory)
    channel = Message.Channel.EMAIL
    purpose = Purpose.REMINDER_DIGITAL
    wave = "reminder_digital"
    recipient = factory.LazyAttribute(lambda message: message.case.household.email)
    subject = "Votre enquête ressources"
    body = "Bonjour,\n\nNous n'avons pas reçu votre réponse.\n"
    created_at = NOW
