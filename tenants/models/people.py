"""Dwellings, households and occupants, as the landlord's file told them: a snapshot that belongs to one campaign."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F

from campaigns.models import Campaign
from campaigns.scope import LandlordManager
from tenants.landlord_file.records import addressed_as


class HouseholdQuerySet(models.QuerySet["Household"]):
    """Questions about many households."""

    def astray(self) -> HouseholdQuerySet:
        """Those of another campaign than their dwelling: always none. The database is told of the dwelling only."""
        return self.exclude(campaign=F("dwelling__campaign"))


HouseholdManager = LandlordManager.from_queryset(HouseholdQuerySet)


class Dwelling(models.Model):
    """A logement."""

    # No index of its own, here and below: the unique constraint starts with the same column, and an import pays each.
    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="dwellings", verbose_name="campagne", db_index=False
    )
    reference = models.CharField("référence", max_length=40)
    rpls = models.CharField("identifiant RPLS", max_length=20, blank=True)
    agency = models.CharField("agence", max_length=20, blank=True)
    agency_name = models.CharField("nom de l'agence", max_length=80, blank=True)
    estate = models.CharField("résidence", max_length=20, blank=True)
    estate_name = models.CharField("nom de la résidence", max_length=80, blank=True)
    surface = models.DecimalField("surface habitable (m²)", max_digits=7, decimal_places=2, null=True, blank=True)
    financing = models.CharField("financement", max_length=10, blank=True)
    ceiling_zone = models.CharField("zone de plafond", max_length=10, blank=True)
    slr_zone = models.CharField("zone SLS", max_length=10, blank=True)
    qpv = models.BooleanField("en QPV", default=False)
    frr = models.BooleanField("en zone France ruralités revitalisation (FRR)", default=False)
    zrr = models.BooleanField("en ancienne ZRR", default=False)
    zus = models.BooleanField("en ancienne ZUS", default=False)
    plh_exempt = models.BooleanField("exempté par le PLH", default=False)
    conventioned = models.BooleanField("conventionné", null=True, blank=True)
    convention_on = models.DateField("date de la convention", null=True, blank=True)

    landlord_path = "campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "logement"
        verbose_name_plural = "logements"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "reference"], name="dwelling_once")]

    def __str__(self) -> str:
        return f"logement {self.reference}"


class Household(models.Model):
    """Those who answer together: one lease in one campaign."""

    # Its dwelling's, which the database holds to a campaign: not held a second time for each row (`astray`).
    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.CASCADE,
        related_name="households",
        verbose_name="campagne",
        db_index=False,
        db_constraint=False,
    )
    dwelling = models.ForeignKey(Dwelling, on_delete=models.CASCADE, related_name="households", verbose_name="logement")
    tenant_reference = models.CharField("référence locataire", max_length=40)
    lease_reference = models.CharField("numéro de bail", max_length=40, blank=True)
    move_in_on = models.DateField("entrée dans les lieux", null=True, blank=True)
    rent = models.DecimalField("loyer hors charges", max_digits=8, decimal_places=2, null=True, blank=True)
    apl = models.BooleanField("bénéficiaire de l'APL", default=False)
    exempt_zone_at_move_in = models.BooleanField("en zone exemptée à l'entrée", null=True, blank=True)
    address_2 = models.CharField("étage, appartement", max_length=80, blank=True)
    address_3 = models.CharField("bâtiment", max_length=80, blank=True)
    address_4 = models.CharField("voie", max_length=80, blank=True)
    address_5 = models.CharField("lieu-dit, boîte postale", max_length=80, blank=True)
    postcode = models.CharField("code postal", max_length=10, blank=True)
    city = models.CharField("commune", max_length=60, blank=True)
    email = models.EmailField("adresse électronique", blank=True)
    mobile = models.CharField("téléphone mobile", max_length=20, blank=True)
    non_response_years = models.PositiveSmallIntegerField("années sans réponse", default=0)
    large_print = models.BooleanField("courriers en gros caractères", default=False)
    left_on = models.DateField("absent du fichier depuis le", null=True, blank=True)
    search_name = models.CharField("nom, pour la recherche", max_length=120, blank=True)

    landlord_path = "campaign__landlord"
    objects = HouseholdManager()

    class Meta:
        verbose_name = "ménage"
        verbose_name_plural = "ménages"
        # The case list is sorted by it; `db_index` would add a second index on PostgreSQL, for prefixes nobody asks.
        indexes: ClassVar = [models.Index(fields=["search_name"], name="household_search_name")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "tenant_reference"], name="household_once")
        ]

    def __str__(self) -> str:
        return f"ménage {self.pk}"

    @property
    def leaseholder(self) -> Occupant | None:
        """The first occupant who signs the lease, else the first of all."""
        people = sorted(self.occupants.all(), key=lambda person: person.row)
        return next((person for person in people if person.link == "holder"), people[0] if people else None)

    @property
    def facts(self) -> dict[str, Any]:
        """What a landlord's rules may ask about the dwelling and the lease; what the file does not say is None."""
        dwelling = self.dwelling
        told = {
            "dwelling.financing": dwelling.financing,
            "dwelling.agency": dwelling.agency,
            "dwelling.estate": dwelling.estate,
            "dwelling.city": self.city,
            "dwelling.postcode": self.postcode,
            "dwelling.ceiling_zone": dwelling.ceiling_zone,
            "dwelling.slr_zone": dwelling.slr_zone,
            "dwelling.surface": dwelling.surface,
            "lease.rent": self.rent,
            "lease.move_in_on": self.move_in_on,
            "lease.non_response_years": self.non_response_years,
        }
        return {name: value if value != "" else None for name, value in told.items()}

    @property
    def address_lines(self) -> list[str]:
        """The postal address, from the addressee to the locality, empty lines left out (NF Z10-011 order)."""
        holder = self.leaseholder
        identity = holder.addressed_as if holder else ""
        own = (self.address_2, self.address_3, self.address_4, self.address_5)
        return [line for line in (identity, *own, f"{self.postcode} {self.city}".strip()) if line]


class Occupant(models.Model):
    """A person living in the dwelling, as the landlord knows her. `row` counts from 1 and never changes."""

    household = models.ForeignKey(
        Household, on_delete=models.CASCADE, related_name="occupants", verbose_name="ménage", db_index=False
    )
    row = models.PositiveSmallIntegerField("rang")
    link = models.CharField("lien", max_length=20, blank=True)
    sex = models.CharField("sexe", max_length=1, blank=True)
    last_name = models.CharField("nom", max_length=80)
    first_name = models.CharField("prénom", max_length=80, blank=True)
    birth_date = models.DateField("date de naissance", null=True, blank=True)
    status = models.CharField("situation familiale", max_length=20, blank=True)
    activity = models.CharField("activité", max_length=20, blank=True)
    cmi = models.BooleanField("CMI invalidité", default=False)
    dependant = models.BooleanField("à charge", default=False)

    landlord_path = "household__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "occupant"
        verbose_name_plural = "occupants"
        constraints: ClassVar = [models.UniqueConstraint(fields=["household", "row"], name="occupant_row_once")]

    def __str__(self) -> str:
        return f"occupant {self.row} du ménage {self.household_id}"

    @property
    def full_name(self) -> str:
        """First name and name, as people say them."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def addressed_as(self) -> str:
        """The name on an envelope."""
        return addressed_as(self.sex, self.first_name, self.last_name)
