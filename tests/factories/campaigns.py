"""Made-up landlords, users, campaigns and revisions."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from typing import Any, TypeVar

import factory
from django.db.models import Model
from factory.django import DjangoModelFactory

from campaigns.code_tables import Line, keep_code_table
from campaigns.models import Campaign, CodeTable, Landlord, MappingProfile, QuestionnaireRevision, ScopeOption, User
from campaigns.questionnaire.parsing import load_library
from tenants.landlord_file.profile_files import PROFILES

ModelT = TypeVar("ModelT", bound=Model)

PASSWORD = "un mot de passe d'essai"


class ScopelessFactory(DjangoModelFactory[ModelT]):
    """Saves through the model itself, so that a factory works inside a scope, outside one and across them."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class: type[ModelT], *args: Any, **kwargs: Any) -> ModelT:
        row = model_class(*args, **kwargs)
        row.save()
        return row


class LandlordFactory(ScopelessFactory[Landlord]):
    """A landlord of Touraine that does not exist."""

    class Meta:
        model = Landlord

    code = factory.Sequence(lambda n: f"bailleur-{n}")
    name = factory.Sequence(lambda n: f"Habitat d'essai {n}")
    sender_lines = "1 place des Tilleuls\n37000 TOURS"
    reply_address = "Centre de traitement de l'enquête\nTSA 12345\n37049 TOURS CEDEX 9"
    hotline = "02 47 00 00 00"
    contact_email = factory.LazyAttribute(lambda landlord: f"contact@{landlord.code}.example")
    privacy_contact = factory.LazyAttribute(lambda landlord: f"dpo@{landlord.code}.example")
    sftp_username = factory.LazyAttribute(lambda landlord: landlord.code)


class UserFactory(ScopelessFactory[User]):
    """A signed-in person; without anything said, a case manager who is staff."""

    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"personne{n}")
    first_name = "Alice"
    last_name = factory.Sequence(lambda n: f"Personne{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@exemple.example")
    role = User.Role.CASE_MANAGER
    is_staff = factory.LazyAttribute(lambda user: user.role == User.Role.CASE_MANAGER)
    is_superuser = factory.LazyAttribute(lambda user: user.role == User.Role.CASE_MANAGER)

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        password = kwargs.pop("password", PASSWORD)
        user = model_class(*args, **kwargs)
        user.set_password(password)
        user.save()
        return user

    class Params:
        keying = factory.Trait(role=User.Role.KEYING_OPERATOR)
        calling = factory.Trait(role=User.Role.CALL_AGENT)
        of_landlord = factory.Trait(role=User.Role.LANDLORD, landlord=factory.SubFactory(LandlordFactory))


class MappingProfileFactory(ScopelessFactory[MappingProfile]):
    """A shipped profile kept as the landlord's own."""

    class Meta:
        model = MappingProfile

    landlord = factory.SubFactory(LandlordFactory)
    name = "nested"
    version = 1
    definition = factory.LazyAttribute(
        lambda profile: tomllib.loads((PROFILES / f"{profile.name}.toml").read_text(encoding="utf-8"))
    )


class CampaignFactory(ScopelessFactory[Campaign]):
    """An SLS 2027 campaign in preparation, without milestones: `operations.open_campaign` makes a whole one."""

    class Meta:
        model = Campaign

    landlord = factory.SubFactory(LandlordFactory)
    survey = Campaign.Survey.SLS
    year = 2027
    stage = Campaign.Stage.PREPARATION
    opens_on = dt.date(2026, 10, 12)
    reply_by = dt.date(2026, 11, 20)
    closes_on = dt.date(2026, 12, 31)


class RevisionFactory(ScopelessFactory[QuestionnaireRevision]):
    """The library's form with the campaign's words, without layouts: `operations.draw_up_revision` lays it out."""

    class Meta:
        model = QuestionnaireRevision
        exclude = ("form",)

    campaign = factory.SubFactory(CampaignFactory)
    number = factory.Sequence(lambda n: n + 1)
    form = factory.LazyAttribute(
        lambda revision: load_library(revision.campaign.survey).with_words(**revision.campaign.words)
    )
    definition = factory.LazyAttribute(lambda revision: revision.form.as_tables())
    fingerprint = factory.LazyAttribute(lambda revision: revision.form.fingerprint)


class ScopeOptionFactory(ScopelessFactory[ScopeOption]):
    """A landlord that surveys the households of an exemption all the same, since 2020."""

    class Meta:
        model = ScopeOption

    landlord = factory.SubFactory(LandlordFactory)
    exemption = "apl"
    choice = ScopeOption.Choice.WAIVE
    valid_from = dt.date(2020, 1, 1)
    reason = "Demande du bailleur au lancement."


def rival_landlords() -> tuple[Landlord, Landlord]:
    """Two landlords who must never see each other's rows."""
    return (
        LandlordFactory(code="val-habitat", name="Val Habitat", sftp_username="val-habitat"),
        LandlordFactory(code="plaine-logis", name="Plaine Logis", sftp_username="plaine-logis"),
    )


def code_table(campaign: Campaign, name: str, lines: Mapping[str, tuple[str, str]]) -> CodeTable:
    """The next version of a table: code → (label, our value)."""
    told = [Line(code, label, value) for code, (label, value) in lines.items()]
    now = dt.datetime(2026, 9, 1, 9, 0, tzinfo=dt.UTC)
    return keep_code_table(campaign=campaign, name=name, lines=told, source="essai", now=now)[0]
