"""Accessible copies of what a household gets on paper, to be downloaded or attached: tagged PDF, never a code in it."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from campaigns.models import Campaign, LayoutVariant
from campaigns.paper_form.branding import LEAST_CONTRAST, Branding, BrandingError, darkened_to
from campaigns.paper_form.letters import Letter, tagged_letter
from campaigns.paper_form.tagged import TaggedForm
from tenants.dispatch.fills import Filler, branding_of
from tenants.dispatch.letters import letter_of
from tenants.messaging import Text, render
from tenants.models import Message, Purpose, SurveyCase

TOLD_SHORT = (Purpose.REMINDER_DIGITAL, Purpose.REMINDER_LETTER, Purpose.COMPLEMENT)
WARM = 8  # layouts kept ready: as many as a campaign has sizes of household in one print


def accessible_letter(*, case: SurveyCase, text: Text, purpose: str, now: dt.datetime) -> bytes:
    """A letter that is about to leave by e-mail, as an accessible PDF."""
    message = Message(case=case, purpose=purpose, subject=text.subject, body=text.body)
    return accessible(letter_of(message, None, now), case.campaign)


def accessible(letter: Letter, campaign: Campaign) -> bytes:
    """A letter as an accessible PDF in the landlord's look.

    A colour too pale for print is darkened, a logo that does not print left out: a receipt never waits for them.
    """
    return tagged_letter(letter, _forgiving(campaign))


def _forgiving(campaign: Campaign) -> Branding:
    try:
        return branding_of(campaign)
    except BrandingError:
        landlord = campaign.landlord
        return Branding(
            name=landlord.name,
            accent=darkened_to(landlord.accent, LEAST_CONTRAST),
            sender=tuple(landlord.sender_lines.splitlines()),
            hotline=landlord.hotline,
            return_address=tuple(landlord.reply_address.splitlines()),
            rehearsal=campaign.rehearsal,
        )


def letters_sent(case: SurveyCase) -> list[Message]:
    """The letters that the household was sent, the newest first; the form is no letter.

    Reminders and requests told by e-mail or SMS are among them: they have no PDF but the one read behind the portal.
    """
    by_post = Q(channel=Message.Channel.LETTER) & ~Q(purpose=Purpose.FORM)
    told = Message.objects.told().filter(by_post | Q(purpose__in=TOLD_SHORT), case=case)
    return list(told.order_by("-sent_at", "-pk"))


def copy_of_letter(message: Message, text: Text | None = None) -> bytes:
    """A letter that was sent, as an accessible PDF of its day, without its access code.

    What was told by e-mail or SMS is written as the letter it stands for: `text`, else its letter of that day.
    """
    written = message.sent_at or message.created_at
    if message.channel != Message.Channel.LETTER:
        on = timezone.localdate(written)
        told = text or render(case=message.case, channel=Message.Channel.LETTER, purpose=message.purpose, on=on)
        own = {"case": message.case, "purpose": message.purpose, "proof": message.proof}
        message = Message(subject=told.subject, body=told.body, **own)
    return accessible(letter_of(message, None, written), message.case.campaign)


def copy_of_form(case: SurveyCase, *, now: dt.datetime) -> bytes | None:
    """The form of the household as it was printed for it, accessible; printed at home it is read like the other.

    None when the household was sent no form. The code that opens the answer on line is left out.
    """
    variant = _variant_of(case)
    if variant is None:
        return None
    form = _form(variant.pk, variant.fingerprint, _forgiving(case.campaign))
    questionnaire = variant.revision.questionnaire
    address = settings.PORTAL_URL.rstrip("/")
    return form.copy(Filler(case.campaign, questionnaire, now=now).fill(case, code="", address=address))


def _variant_of(case: SurveyCase) -> LayoutVariant | None:
    """The layout whose form was sent last."""
    forms = Message.objects.filter(case=case, channel=Message.Channel.LETTER, purpose=Purpose.FORM)
    sent = forms.order_by("-pk").first()
    if sent is None:
        return None
    variants = LayoutVariant.objects.filter(
        revision__campaign=case.campaign_id, fingerprint=sent.proof.get("layout", "")
    )
    return variants.select_related("revision").order_by("-revision__number").first()


@lru_cache(maxsize=WARM)
def _form(variant: int, fingerprint: str, branding: Branding) -> TaggedForm:
    stored = LayoutVariant.objects.select_related("revision").get(pk=variant)
    return TaggedForm(stored.layout, branding, stored.revision.questionnaire.title)
