"""Keeping the pages of a batch: each in exactly one state, in its own transaction, so that a reading can resume."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from campaigns.models import LayoutVariant, QuestionnaireRevision
from campaigns.paper_form.page_code import PageCode
from campaigns.questionnaire.schema import Field
from campaigns.questionnaire.values import Since
from returns import rescans
from returns.acceptance import judge
from returns.answers import Address, declaration_of, questionnaire_of
from returns.arrivals import arrive
from returns.evidence import TAX_NOTICE
from returns.models import FieldReading, Page, ScanBatch, SupportingDocument, SurveyReturn
from returns.reading.decoding import weighed_again
from returns.seeing import pack
from returns.seen import SeenField, SeenPage, SeenPiece, Sight
from returns.suggestions import row_of_piece
from tenants.earliest_days import BOUNDED, earliest_days
from tenants.models import SurveyCase

State = Page.State
READ_FROM = {
    Sight.BLANK: State.BLANK,
    Sight.FOREIGN: State.FOREIGN,
    Sight.UNREADABLE: State.UNMATCHED,
    Sight.SEPARATOR: State.SEPARATOR,
    Sight.CODELESS: State.UNMATCHED,
}
FOREIGN = "Le dossier de cette page n'est pas de cette campagne : remettez la feuille à qui de droit."
STILL_UNREAD = "Numérisée de nouveau : seuls les champs que personne n'avait pu lire y sont lus."
ALONE = "Aucun code de page, et aucun formulaire avant elle dans le lot : à rapprocher à la main."


class BatchTaken(Exception):
    """Somebody else is reading this batch."""


@dataclass(slots=True)
class Behind:
    """The form that the loose pages follow: its case and return, and the notice they may continue."""

    case: SurveyCase
    survey_return: SurveyReturn | None
    notice: str | None = None

    def continues(self, kind: str, read: Mapping[str, Any]) -> bool:
        """Whether a page of a notice goes on with the notice before it: the same reference, or nothing of its own."""
        if kind != TAX_NOTICE or self.notice is None:
            return False
        reference = str(read.get("notice_reference") or "")
        bare = not reference and not read.get("declarants") and read.get("tax_reference_income") is None
        return bare or (bool(reference) and reference == self.notice)

    def follow(self, kind: str, read: Mapping[str, Any]) -> None:
        """Take note of a piece just kept."""
        self.notice = str(read.get("notice_reference") or "") if kind == TAX_NOTICE else None


class PageKeeper:
    """Keeps the pages of one batch, in order. `claim` is when the batch was claimed: losing it stops the keeper."""

    def __init__(self, batch: ScanBatch, *, claim: dt.datetime, now: dt.datetime) -> None:
        self.batch = batch
        self.claim = claim
        self.now = now
        self.behind: Behind | None = None
        self._fields: dict[int, dict[str, Field]] = {}
        self._returns: dict[int, SurveyReturn] = {}
        variants = LayoutVariant.objects.filter(revision__campaign=batch.campaign).select_related("revision")
        variants = variants.defer("tables", "revision__definition")
        self.variants = {variant.fingerprint: variant for variant in variants}

    def resume(self, page: Page) -> None:
        """Take up after a page that was kept by an earlier reading of the same batch."""
        if page.state in {State.FOREIGN, State.UNMATCHED, State.SEPARATOR}:
            self.behind = None
        elif page.survey_return is not None:
            notice = self.behind.notice if self.behind and page.state == State.DOCUMENT else None
            self.behind = Behind(page.survey_return.case, page.survey_return, notice)
            document = SupportingDocument.objects.filter(page=page).first()
            if document is not None and not document.read.get("continuation"):
                self.behind.follow(document.kind, document.read)

    def keep(self, seen: SeenPage) -> Page:
        """Store one page with what was read on it. Raises BatchTaken when the claim is lost."""
        with transaction.atomic():
            ours = ScanBatch.objects.select_for_update().filter(
                pk=self.batch.pk, state=ScanBatch.State.READING, claimed_at=self.claim
            )
            if not ours.exists():
                raise BatchTaken("Ce lot a été repris par un autre lecteur.")
            page = Page(
                batch=self.batch,
                index=seen.index,
                layout=seen.code.layout if seen.code else "",
                number=seen.code.page if seen.code else 0,
                rotation=seen.rotation,
                explanation=seen.explanation,
                digest=seen.digest,
            )
            page.image.name = self._stored(seen)
            if seen.code is not None and seen.sight in {Sight.FORM, Sight.UNREGISTERED}:
                self._keep_form(page, seen, seen.code)
            elif seen.code is not None and seen.sight is Sight.RETURN_SHEET:
                self._keep_return_sheet(page, seen.code)
            elif seen.sight is Sight.LOOSE:
                self._keep_loose(page, seen)
            else:
                page.state, page.clues = READ_FROM[seen.sight], dict(seen.clues)
                if page.state != State.BLANK:
                    self.behind = None
                page.save()
        return page

    def _stored(self, seen: SeenPage) -> str:
        """The page's image in the storage, once: an interrupted reading's file is replaced."""
        if not seen.image:
            return ""
        name = f"pages/{self.batch.pk}/{seen.index:05d}.jpg"
        default_storage.delete(name)
        return default_storage.save(name, ContentFile(seen.image))

    def _keep_return_sheet(self, page: Page, code: PageCode) -> None:
        """The sheet of a demand for pieces says whose the pages behind it are; nothing is read on it."""
        case = SurveyCase.objects.filter(campaign=self.batch.campaign, reference=code.case).first()
        page.number = 0  # of no form
        if case is None:
            page.state, page.explanation = State.FOREIGN, FOREIGN
            self.behind = None
        else:
            page.state, page.survey_return = State.MATCHED, self._arrived(case, request=code.request)
            if page.survey_return.complement is not None:
                page.explanation = f"Feuille de retour de la demande n° {page.survey_return.complement.number}."
            self.behind = Behind(case, page.survey_return)
        page.save()

    def _keep_form(self, page: Page, seen: SeenPage, code: PageCode) -> None:
        case = SurveyCase.objects.filter(campaign=self.batch.campaign, reference=code.case).first()
        variant = self.variants.get(code.layout)
        if case is None or variant is None:
            page.state, page.explanation = State.FOREIGN, FOREIGN
            page.clues = {"code": str(code)}
            self.behind = None
            page.save()
            return
        bounded = any(each.ink and each.field in BOUNDED for each in seen.fields)
        fields, since = self._fields_of(variant), earliest_days(case) if bounded else {}
        seen = replace(seen, fields=tuple(self._weighed(each, fields, since) for each in seen.fields))
        twin = rescans.twin_of(case=case, page=page, seen=seen)
        if twin is not None:
            page.same_as = twin
            again = rescans.still_unread(twin=twin, seen=seen)
            if again is None:
                self._keep_twin(page, twin, case, seen)
                return
            seen, page.explanation = again, STILL_UNREAD
        survey_return = self._arrived(case, variant.revision)
        page.survey_return = survey_return
        page.state = State.MATCHED if seen.sight is Sight.FORM else State.UNREGISTERED
        page.matrix, page.residual = [list(line) for line in seen.matrix], seen.residual
        page.unexpected_ink = seen.unexpected_ink
        page.save()
        if page.state == State.MATCHED:
            rescans.release_unregistered(page=page, case=case)
        self._keep_readings(page, seen, survey_return, fields, since)
        self.behind = Behind(case, survey_return)

    def _weighed(self, seen: SeenField, fields: Mapping[str, Field], earliest: Mapping[Address, Since]) -> SeenField:
        """The date as it reads now that the household is known; any other field as it was seen."""
        since = earliest.get((seen.field, seen.row))
        if seen.ink is None or since is None:
            return seen
        day = timezone.localdate(self.batch.received_at)
        read = weighed_again(seen.ink, fields[seen.field], today=day, since=since)
        return replace(seen, value=read.value, confidence=read.confidence, doubt=read.doubt.label)

    def _keep_twin(self, page: Page, twin: Page, case: SurveyCase, seen: SeenPage) -> None:
        """The same sheet once more: said to be so, beside the first; nothing is read or keyed again."""
        page.state, page.survey_return = State.DUPLICATE, twin.survey_return
        page.explanation = f"Déjà reçue : page {twin.index + 1} du lot {twin.batch_id}."
        page.matrix = [list(line) for line in seen.matrix]
        self.behind = Behind(case, twin.survey_return)
        page.save()

    def _arrived(
        self, case: SurveyCase, revision: QuestionnaireRevision | None = None, *, request: int = 0
    ) -> SurveyReturn:
        """The return that this batch makes for that case: one, at its first sheet."""
        if case.pk not in self._returns:
            submission = f"scan-{self.batch.pk}-{case.pk}"
            channel = SurveyCase.Channel.PAPER
            self._returns[case.pk] = arrive(
                case=case, channel=channel, submission=submission, now=self.now, request=request
            )
            declaration_of(case, revision=revision)
        return self._returns[case.pk]

    def _fields_of(self, variant: LayoutVariant) -> dict[str, Field]:
        if variant.revision_id not in self._fields:
            questionnaire = questionnaire_of(variant.revision)
            self._fields[variant.revision_id] = {field.key: field for _, field in questionnaire.fields()}
        return self._fields[variant.revision_id]

    def _keep_readings(
        self,
        page: Page,
        seen: SeenPage,
        survey_return: SurveyReturn,
        fields: Mapping[str, Field],
        earliest: Mapping[Address, Since],
    ) -> None:
        today = timezone.localdate(self.now)
        readings = []
        for each in seen.fields:
            accepted, reason = judge(
                fields[each.field],
                value=each.value,
                inked=each.inked,
                confidence=each.confidence,
                several=each.several,
                doubt=each.doubt,
                today=today,
                since=earliest.get((each.field, each.row)),
            )
            readings.append(
                FieldReading(
                    page=page,
                    survey_return=survey_return,
                    field=each.field,
                    row=each.row,
                    value=each.value,
                    inked=each.inked,
                    confidence=round(each.confidence, 4),
                    accepted=accepted,
                    box=[round(side, 2) for side in each.box],
                    reason=reason,
                )
            )
        FieldReading.objects.bulk_create(readings, batch_size=500)

    def _keep_loose(self, page: Page, seen: SeenPage) -> None:
        if self.behind is None:
            page.state, page.explanation = State.UNMATCHED, seen.explanation or ALONE
            piece = seen.piece or SeenPiece()
            page.clues = {**seen.clues, "kind": piece.kind, "read": dict(piece.read), "certified": piece.certified}
            page.save()
            return
        known = SupportingDocument.objects.filter(case=self.behind.case, sha256=seen.digest)
        page.survey_return = self.behind.survey_return
        if known.exists():
            page.state, page.explanation = State.DUPLICATE, "Pièce déjà reçue pour ce dossier."
            page.save()
            return
        page.state = State.DOCUMENT
        page.save()
        self._keep_piece(page, self.behind, seen, seen.piece or SeenPiece())

    def _keep_piece(self, page: Page, behind: Behind, seen: SeenPage, piece: SeenPiece) -> None:
        read = dict(piece.read)
        if behind.continues(piece.kind, read):
            read["continuation"] = True
        else:
            behind.follow(piece.kind, read)
        SupportingDocument.objects.create(
            case=behind.case,
            survey_return=behind.survey_return,
            page=page,
            kind=piece.kind,
            row=row_of_piece(behind.case, piece.kind, seen.clues.get("words", ())),
            content=page.image.name,
            sha256=seen.digest,
            media_type="image/jpeg",
            read=read,
            certified=piece.certified,
            received_at=self.now,
        )


def packed_layouts(variants: Iterable[LayoutVariant]) -> dict[str, bytes]:
    """The layouts as `see_pages` wants them, by fingerprint."""
    return {variant.fingerprint: _packed(variant.pk, variant.fingerprint) for variant in variants}


@lru_cache(maxsize=64)
def _packed(pk: int, fingerprint: str) -> bytes:
    variants = LayoutVariant.objects.values_list("tables", "revision__definition")
    return pack(*variants.get(pk=pk))
