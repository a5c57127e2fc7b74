"""Every form of a campaign looked at before its BAT: what of a household's texts would not print, case by case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from django.conf import settings

from campaigns.models import QuestionnaireRevision
from campaigns.paper_form.proofing import preflight_branding, problems
from campaigns.paper_form.zones import FormLayout
from tenants import access_codes
from tenants.dispatch.fills import branding_of
from tenants.dispatch.workshop import Variant, Workshop, layouts_of
from tenants.models import SurveyCase

CODE = access_codes.shown("ABCDEFGH2345")
ADDRESS = f"/a/{'A' * access_codes.TOKEN_LENGTH}"


def layout_problems(revision: QuestionnaireRevision, layouts: Mapping[Variant, FormLayout] | None = None) -> list[str]:
    """What is wrong with the layouts themselves, or with the landlord's own texts on them; each sentence once.

    `layouts` are those of the revision, where they were read already.
    """
    questionnaire, branding = revision.questionnaire, branding_of(revision.campaign)
    found: list[str] = []
    for (rows, large), layout in sorted((layouts or layouts_of(revision)).items()):
        name = f"Maquette de {rows} lignes" + (", gros caractères" if large else "")
        told = [*problems(layout, questionnaire), *preflight_branding(layout, branding)]
        found += [f"{name} : {sentence}" for sentence in told]
    return list(dict.fromkeys(found))


def unprintable(revision: QuestionnaireRevision, *, now: dt.datetime) -> Iterator[tuple[str, list[str]]]:
    """Each surveyed case whose form would not print as it is: its reference, and what, with the field and the value.

    The address and the texts of the head are those of its letters too. In order of creation, one case in memory at a
    time. A household that no layout holds is told by `left_out`.
    """
    workshop = Workshop.of(revision, now=now)
    cases = SurveyCase.objects.for_campaign(workshop.campaign).surveyed().for_letters().order_by("pk")
    for case in cases.iterator(chunk_size=500):
        variant = workshop.variant_for(case)
        if variant not in workshop.layouts:
            continue
        fill = workshop.filler.fill(case, code=CODE, address=settings.PORTAL_URL.rstrip("/") + ADDRESS)
        if found := workshop.preflights[variant](fill):
            yield case.reference, found
