"""Sealing: the list as it stands becomes a package that nobody can change, kept with its digests."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from typing import IO

from django.core.files.base import File
from django.db import transaction
from django.db.models import Max

from campaigns.models import Campaign, User
from tenants.constat.package import Sealed, write_package
from tenants.constat.timestamps import Authority
from tenants.models import CaseEvent, ConstatPackage, SurveyCase

TRIES = 3  # when answers arrive while the list is being written
SPOOL = 16 * 1024 * 1024
CHUNK = 500


class UnableToSeal(Exception):
    """No package can be made now; the message says why and what to do."""


def seal(
    *, campaign: Campaign, now: dt.datetime, actor: User | None = None, authority: Authority | None = None
) -> ConstatPackage:
    """Seal who has not answered at this moment, with every mailing; stamped when `authority` is given.

    A household that answers while the package is being written is not in it. Each case of the list keeps the number
    of the package in its history. Raises UnableToSeal, UnableToStamp; then nothing is kept.
    """
    if actor is not None and not actor.may_manage:
        raise UnableToSeal("Seul un chargé d'affaires scelle un constat.")
    for _ in range(TRIES):
        with tempfile.SpooledTemporaryFile(max_size=SPOOL) as spool:
            number = (ConstatPackage.objects.filter(campaign=campaign).aggregate(last=Max("number"))["last"] or 0) + 1
            sealed = write_package(campaign, number, spool, now=now, authority=authority)
            if not sealed.cases:
                raise UnableToSeal("Tous les ménages interrogés ont répondu : il n'y a rien à constater.")
            kept = _kept(campaign, number, sealed, spool, now=now, actor=actor)
            if kept is not None:
                return kept
    raise UnableToSeal("Des réponses arrivent en ce moment même : réessayez dans une minute.")


def _kept(
    campaign: Campaign, number: int, sealed: Sealed, spool: IO[bytes], *, now: dt.datetime, actor: User | None
) -> ConstatPackage | None:
    """Store the package, unless the list or the number has changed since: then None."""
    name = f"CONSTAT_{campaign.survey.upper()}_{campaign.year}_{campaign.landlord.code.upper()}_{number:03d}.zip"
    size = spool.seek(0, 2)
    package = ConstatPackage(
        campaign=campaign,
        number=number,
        sealed_at=now,
        sealed_by=actor,
        name=name,
        size=size,
        sha256=_sha256(spool),
        manifest_sha256=sealed.manifest_sha256,
        cases=len(sealed.cases),
        mailings=sealed.mailings,
        stamped_at=sealed.stamp.at if sealed.stamp else None,
        authority=sealed.stamp.authority if sealed.stamp else "",
    )
    with transaction.atomic():
        Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)
        still = set(SurveyCase.objects.for_campaign(campaign).unanswered().values_list("pk", flat=True))
        if still != set(sealed.cases) or ConstatPackage.objects.filter(campaign=campaign, number=number).exists():
            return None
        package.content = File(spool, name=name)
        package.save()
        told = {"package": number}
        CaseEvent.objects.bulk_create(
            [
                CaseEvent(case_id=pk, kind="constat_sealed", occurred_at=now, actor=actor, data=told)
                for pk in sealed.cases
            ],
            batch_size=CHUNK,
        )
    return package


def _sha256(spool: IO[bytes]) -> str:
    spool.seek(0)
    digest = hashlib.sha256()
    for block in iter(lambda: spool.read(1 << 20), b""):
        digest.update(block)
    spool.seek(0)
    return digest.hexdigest()
