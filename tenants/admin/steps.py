"""What `tenants` puts on the campaign page: import, proof, printing, reminders; and the counters of the cards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from campaigns import operations
from campaigns.admin_site import (
    CURRENT,
    DONE,
    TROUBLE,
    WAITING,
    Action,
    Figure,
    Link,
    Panel,
    Step,
    register_counters,
    register_step,
)
from campaigns.exchange import ExchangeError
from campaigns.models import Campaign, FormProof, Milestone, User
from tenants import case_states, dispatch, importing, reminders, tasks, waves
from tenants.admin.shops import give, shop_told, shops
from tenants.case_states import State
from tenants.dispatch.letters import waiting_letters
from tenants.landlord_file.profile_files import shipped_profiles
from tenants.models import AddressProposal, ImportFile, Message, PrintBatch, SurveyCase, Wave

Data = Mapping[str, Any]
FIELD_KINDS = (
    Milestone.Kind.REMINDER_DIGITAL,
    Milestone.Kind.REMINDER_LETTER,
    Milestone.Kind.CONSTAT,
    Milestone.Kind.FORMAL_NOTICE,
    Milestone.Kind.NON_RESPONSE,
)
COUNTERS = (
    ("traitées", case_states.PROCESSED),
    ("en cours", case_states.IN_PROGRESS),
    ("non réceptionnées", case_states.NOT_RECEIVED),
)
MOST_TOLD = 5  # households whose text does not fit, told at once


def listing(model: str, campaign: Campaign, **filters: str) -> str:
    """The address of a list of the administration, for that campaign."""
    path = {"message": "case__campaign__id__exact"}.get(model, "campaign__id__exact")
    query = "&".join(f"{name}={value}" for name, value in {path: str(campaign.pk), **filters}.items())
    return f"{reverse(f'admin:tenants_{model}_changelist')}?{query}"


def case_counters(campaigns: Sequence[Campaign]) -> dict[int, list[Figure]]:
    """The landlord's three counters of each campaign, in one query."""
    rows = SurveyCase.objects.filter(campaign__in=campaigns).values_list("campaign", "state").annotate(Count("pk"))
    counts: dict[int, dict[str, int]] = {}
    for campaign, state, count in rows:
        counts.setdefault(campaign, {})[state] = count

    def total(campaign: Campaign, states: frozenset[State]) -> int:
        return sum(counts.get(campaign.pk, {}).get(state, 0) for state in states)

    return {
        campaign.pk: [
            Figure(label, total(campaign, states), listing("surveycase", campaign, state__in=",".join(sorted(states))))
            for label, states in COUNTERS
        ]
        for campaign in campaigns
    }


# ── Import ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def describe_import(campaign: Campaign) -> Panel:
    """The deposits, the households, what was wrong."""
    deposits = campaign.deposits.all()
    households = campaign.households.count()
    links = [Link("Dépôts", listing("importfile", campaign))] if deposits else []
    pages = {"profile_start": "Écrire un profil", "code_tables": "Tables de codes", "addresses": "Adresses"}
    links += [Link(label, reverse(f"admin:{name}", args=[campaign.pk])) for name, label in pages.items()]
    actions = ["fetch"] if campaign.stage != Campaign.Stage.CLOSED else []
    if campaign.mapping_profile is None:
        return Panel(TROUBLE, "Choisissez comment lire le fichier du bailleur.", (), links, ("profile", *actions))
    refused = deposits.filter(state=ImportFile.State.REFUSED).count()
    figures = [
        Figure("ménages", households),
        Figure("à enquêter", campaign.cases.surveyed().count(), listing("surveycase", campaign)),
        Figure("dépôts refusés", refused, listing("importfile", campaign, state__exact="refused")),
    ]
    state = DONE if households else TROUBLE if refused else CURRENT
    last = deposits.exclude(explanation="").order_by("-received_at", "-pk").first()
    told = last.explanation if last else "Le bailleur n'a encore rien déposé."
    waiting = deposits.filter(state=ImportFile.State.EXAMINED).order_by("-received_at", "-pk").first()
    if waiting is not None:
        state, told = TROUBLE, "Un fichier corrigé attend votre accord : rien n'est encore changé."
        links.insert(0, Link("Voir ce qu'il change", reverse("admin:tenants_importfile_change", args=[waiting.pk])))
    return Panel(state, told, figures, links, actions)


def fetch(campaign: Campaign, actor: User, now: dt.datetime, data: Data) -> str:
    """Visit the landlord's exchange."""
    (visit,) = importing.visit_exchanges(now=now, campaign_id=campaign.pk)
    if visit.problem:
        raise importing.UnableToImport(visit.problem)
    number = len(visit.deposits)
    return f"{number} fichiers relevés." if number > 1 else "Un fichier relevé." if number else "Aucun nouveau fichier."


def choose_profile(campaign: Campaign, actor: User, now: dt.datetime, data: Data) -> str:
    """Read this landlord's files with the profile chosen."""
    profile = importing.adopt_profile(campaign=campaign, name=str(data.get("choice", "")))
    return f"Les fichiers seront lus avec le profil « {profile} »."


def profiles(campaign: Campaign) -> list[tuple[str, str]]:
    """The landlord's own profiles, then the shipped ones."""
    own = list(campaign.landlord.profiles.order_by("name").values_list("name", flat=True).distinct())
    names = [*own, *(name for name in shipped_profiles() if name not in own)]
    return [(name, name) for name in names]


# ── Proof ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def describe_proof(campaign: Campaign) -> Panel:
    """The newest BAT and what it waits for."""
    revision = campaign.revisions.order_by("-number").first()
    if revision is None:
        return Panel(WAITING)
    proof = FormProof.objects.filter(revision__campaign=campaign).order_by("-created_at", "-pk").first()
    if proof is None:
        return Panel(CURRENT, "Composez l'épreuve, puis faites-la approuver.", actions=("compose",))
    url = reverse("admin:campaigns_formproof_change", args=[proof.pk])
    figures = [Figure("révision", proof.revision.number), Figure("BAT", proof.get_state_display(), url)]
    links = [Link("Voir le BAT", url)]
    again = ("compose",) if campaign.stage != Campaign.Stage.CLOSED else ()
    if proof.state == FormProof.State.OPEN:
        return Panel(CURRENT, "Le bailleur doit se prononcer.", figures, links, again, calm=True)
    if proof.state == FormProof.State.REFUSED:
        return Panel(TROUBLE, f"Refusé : {proof.comment}", figures, links, again)
    try:
        operations.approved_revision(campaign)
    except operations.UnableToPrint as error:
        return Panel(TROUBLE, str(error), figures, links, again)
    return Panel(DONE, f"Approuvé le {_day(proof.decided_at)}.", figures, links, again)


def compose_proof(campaign: Campaign, actor: User, now: dt.datetime, data: Data) -> str:
    """Compose the proof of the newest revision."""
    revision = campaign.revisions.order_by("-number").first()
    if revision is None:
        raise operations.UnableToPrint("Préparez d'abord le formulaire.")
    dispatch.compose_proof(revision=revision, now=now)
    tight = list(islice(dispatch.unprintable(revision, now=now), MOST_TOLD + 1))
    return " ".join(["L'épreuve est composée : le bailleur peut l'approuver.", *_tight(tight)])


def _tight(found: list[tuple[str, list[str]]]) -> list[str]:
    """What would not print as it is, for the first few households."""
    told = [f"Dossier {reference} : {' '.join(problems)}" for reference, problems in found[:MOST_TOLD]]
    if len(found) > MOST_TOLD:
        told.append("D'autres dossiers sont dans ce cas : la commande « check_forms » les donne tous.")
    return told


# ── Printing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def describe_printing(campaign: Campaign) -> Panel:
    """The batches of forms, composed and handed over."""
    if campaign.stage in {Campaign.Stage.PREPARATION, Campaign.Stage.PROOF}:
        return Panel(WAITING)
    prepared = campaign.cases.filter(state=State.PREPARED).count()
    batches = campaign.batches.all()
    waiting = batches.filter(state=PrintBatch.State.COMPOSED).count()
    figures = [
        Figure("à composer", prepared, listing("surveycase", campaign, state__exact="prepared")),
        Figure("lots", batches.count(), listing("printbatch", campaign)),
        Figure("lots à remettre", waiting, listing("printbatch", campaign, state__exact="composed")),
    ]
    open_ones = AddressProposal.objects.waiting().filter(household__campaign=campaign).count()
    if open_ones:
        figures.append(Figure("adresses à décider", open_ones, reverse("admin:addresses", args=[campaign.pk])))
    may = campaign.stage != Campaign.Stage.CLOSED
    actions = [*(["hand_over"] if waiting else []), *(["compose"] if prepared and may else [])]
    state = CURRENT if actions else DONE if batches else WAITING
    links = [Link("Lots d'impression", listing("printbatch", campaign))] if batches else []
    return Panel(state, "", figures, links, actions)


def compose_forms(campaign: Campaign, actor: User, now: dt.datetime, data: Data) -> str:
    """Have the forms of the prepared cases composed, on the queue."""
    problems = dispatch.left_out(campaign=campaign)
    tasks.compose_forms.delay(campaign.pk)
    told = "La composition est lancée : les lots apparaissent ici à mesure."
    return f"{told} {len(problems)} dossiers ne peuvent pas être imprimés : voyez leur adresse." if problems else told


def hand_over(campaign: Campaign, actor: User, now: dt.datetime, data: Data) -> str:
    """Hand the composed batches over: a rehearsal's to the outbox, others to the print house chosen."""
    batches = list(campaign.batches.filter(state=PrintBatch.State.COMPOSED).order_by("number"))
    shop = shop_told(str(data.get("choice", "")))
    for batch in batches:
        give(batch, shop, now=now, actor=actor)
    return f"{len(batches)} lots remis." if len(batches) > 1 else "Un lot remis."


# ── Reminders ────────────────────────────────────────────────────────────────────────────────────────────────────────


def describe_reminders(campaign: Campaign) -> Panel:
    """Who is silent, what waits in the outbox, what is due."""
    if campaign.stage not in {Campaign.Stage.FIELD, Campaign.Stage.CLOSED}:
        return Panel(WAITING)
    silent = campaign.cases.silent().count()
    sendings = Message.objects.filter(case__campaign=campaign)
    figures = [
        Figure("sans réponse", silent, listing("surveycase", campaign)),
        Figure("envois en attente", sendings.waiting().count(), listing("message", campaign, state__exact="queued")),
        Figure("non-répondants", campaign.cases.filter(state=State.NON_RESPONDENT).count()),
    ]
    links = [
        Link("Vagues", reverse("admin:waves", args=[campaign.pk])),
        Link("Boîte d'envoi", listing("message", campaign)),
        Link("Liste pour le constat (CSV)", reverse("admin:constat", args=[campaign.pk])),
    ]
    waiting = campaign.milestones.filter(kind__in=FIELD_KINDS, done_at=None).order_by("due_on")
    upcoming = waiting.first()
    letters = ["letters"] if sendings.waiting().filter(channel=Message.Channel.LETTER).exists() else []
    if upcoming is None:
        return Panel(CURRENT if letters else DONE, "", figures, links, letters)
    due = upcoming.due_on <= timezone.localdate() and campaign.stage == Campaign.Stage.FIELD
    note = f"Prochaine étape : {upcoming.get_kind_display()}, le {upcoming.due_on:%d/%m/%Y}."
    note += _to_arm(campaign, upcoming)
    return Panel(CURRENT, note, figures, links, [*(["send_due"] if due else []), *letters])


def _to_arm(campaign: Campaign, milestone: Milestone) -> str:
    """What is still to be done before the wave of a milestone may leave; '' when nothing is."""
    if campaign.rehearsal or milestone.kind not in waves.MILESTONES:
        return ""
    wave = campaign.waves.filter(milestone=milestone.kind).first()
    if wave is None:
        return " Sa vague est à préparer."
    return " Sa vague attend d'être armée par une deuxième personne." if wave.state == Wave.State.PREPARED else ""


def send_due(campaign: Campaign, actor: User, now: dt.datetime, data: Data) -> str:
    """Queue what is due today."""
    report = reminders.send_due(
        campaign=campaign, today=timezone.localdate(now), now=now, actor=actor, armed_only=not campaign.rehearsal
    )
    waiting = " ".join(f"{step.label} : {step.note}" for step in report.steps if step.note)
    return report.note or f"{report.queued} envois mis en attente. {waiting}".strip()


def compose_letters(campaign: Campaign, actor: User, now: dt.datetime, data: Data) -> str:
    """Compose the letters that wait, a batch per purpose."""
    batches = [
        dispatch.compose_letters(campaign=campaign, purpose=purpose, service=service, now=now)
        for purpose, service in waiting_letters(campaign)
    ]
    envelopes = sum(batch.envelopes for batch in batches if batch is not None)
    return f"{envelopes} courriers composés : remettez les lots à l'imprimeur."


def _day(moment: dt.datetime | None) -> str:
    return f"{timezone.localtime(moment):%d/%m/%Y}" if moment else ""


IMPORT = (importing.UnableToImport, ExchangeError)
PRINT = (dispatch.UnableToCompose, dispatch.UnableToHandOver, ExchangeError)

register_counters(case_counters)
register_step(
    Step(
        key="import",
        order=10,
        title="Fichier du bailleur",
        describe=describe_import,
        actions=(
            Action("profile", "Choisir ce profil", choose_profile, IMPORT, profiles),
            Action("fetch", "Relever le dépôt SFTP", fetch, IMPORT),
        ),
        milestone=Milestone.Kind.IMPORT,
    )
)
register_step(
    Step(
        key="bat",
        order=30,
        title="Bon à tirer",
        describe=describe_proof,
        actions=(Action("compose", "Composer l'épreuve", compose_proof, PRINT),),
        milestone=Milestone.Kind.PROOF,
    )
)
register_step(
    Step(
        key="impression",
        order=40,
        title="Impression et envoi",
        describe=describe_printing,
        actions=(
            Action("compose", "Composer les formulaires", compose_forms, PRINT),
            Action("hand_over", "Remettre les lots à l'imprimeur", hand_over, PRINT, shops),
        ),
        milestone=Milestone.Kind.DISPATCH,
    )
)
register_step(
    Step(
        key="relances",
        order=80,
        title="Relances et mise en demeure",
        describe=describe_reminders,
        actions=(
            Action("send_due", "Préparer les envois du jour", send_due),
            Action("letters", "Composer les courriers", compose_letters, PRINT),
        ),
    )
)
