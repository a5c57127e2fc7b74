"""Made-up returns: what a case declared, pages, readings and pieces."""

from __future__ import annotations

import datetime as dt
import hashlib

import factory
from django.core.files.base import ContentFile

from returns.models import Declaration, FieldReading, Page, ScanBatch, SupportingDocument, SurveyReturn
from tests.factories.campaigns import CampaignFactory, RevisionFactory, ScopelessFactory
from tests.factories.tenants import CaseFactory

NOW = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.UTC)


class DeclarationFactory(ScopelessFactory[Declaration]):
    """A declaration on the library's form; `told={(key, row): value}` sets answers."""

    class Meta:
        model = Declaration
        exclude = ("told",)

    told = factory.LazyFunction(dict)
    case = factory.SubFactory(CaseFactory, sent=True)
    revision = factory.LazyAttribute(lambda made: RevisionFactory(campaign=made.case.campaign))

    @factory.lazy_attribute
    def answers(self):
        tables: dict[str, dict[str, object]] = {}
        for (key, row), value in self.told.items():
            tables.setdefault(key, {})[str(row)] = {"value": value, "source": "online", "confidence": 1.0}
        return tables


class ReturnFactory(ScopelessFactory[SurveyReturn]):
    """A paper return, still open."""

    class Meta:
        model = SurveyReturn

    case = factory.SubFactory(CaseFactory, state="received", received_at=NOW)
    channel = "paper"
    received_at = NOW
    receipt = factory.Sequence(lambda n: f"27-ESSAI-{n}")
    submission = factory.Sequence(lambda n: f"envoi-{n}")


class ScanBatchFactory(ScopelessFactory[ScanBatch]):
    """A batch whose content is `data` (bytes)."""

    class Meta:
        model = ScanBatch
        exclude = ("data",)

    data = factory.Sequence(lambda n: f"lot {n}".encode())
    campaign = factory.SubFactory(CampaignFactory)
    name = "lot.tif"
    sha256 = factory.LazyAttribute(lambda batch: hashlib.sha256(batch.data).hexdigest())
    content = factory.LazyAttribute(lambda batch: ContentFile(batch.data, name="lot.tif"))
    received_at = NOW


class PageFactory(ScopelessFactory[Page]):
    """A page attached to a return."""

    class Meta:
        model = Page

    survey_return = factory.SubFactory(ReturnFactory)
    batch = factory.LazyAttribute(lambda page: ScanBatchFactory(campaign=page.survey_return.case.campaign))
    index = factory.Sequence(lambda n: n)
    state = Page.State.MATCHED
    number = 1


class ReadingFactory(ScopelessFactory[FieldReading]):
    """A field read on a page; without anything said, a sure reading of the number of people."""

    class Meta:
        model = FieldReading

    survey_return = factory.SubFactory(ReturnFactory)
    page = factory.LazyAttribute(lambda reading: PageFactory(survey_return=reading.survey_return))
    field = "household.size"
    row = 0
    value = 3
    inked = True
    confidence = 0.99
    accepted = True


class DocumentFactory(ScopelessFactory[SupportingDocument]):
    """A piece of a case; a tax notice that tells nothing, unless said otherwise."""

    class Meta:
        model = SupportingDocument

    case = factory.SubFactory(CaseFactory, state="received", received_at=NOW)
    kind = "tax_notice"
    row = 0
    content = factory.LazyAttribute(lambda document: ContentFile(b"piece", name="piece.jpg"))
    sha256 = factory.Sequence(lambda n: hashlib.sha256(str(n).encode()).hexdigest())
    media_type = "image/jpeg"
    reading_state = SupportingDocument.Reading.READ
    received_at = NOW
