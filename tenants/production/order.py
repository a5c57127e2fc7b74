"""The dossier de traitement as a PDF: what the workshop, the purchaser and the landlord's signature need on paper."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.text import capfirst
from reportlab.platypus.flowables import Flowable

from campaigns.models import Campaign, FormProof
from campaigns.paper_form.desk import DeskPaper
from campaigns.paper_form.look import Look, heading, number, soft, table, text, tiles
from tenants.messaging.texts import french_day
from tenants.models import PrintShop, Purpose, Supply
from tenants.production.quantities import Need, Volumes, needs_of, volumes_of
from tenants.production.stationery import Stationery, stationery_on
from tenants.production.supplies import list_supplies
from tenants.production.weights import Scales


def compose_order(*, campaign: Campaign, now: dt.datetime) -> bytes:
    """The production order of a campaign as it stands (PDF)."""
    look = Look.of(campaign.landlord.accent)
    supplies = list_supplies(campaign)
    volumes = volumes_of(campaign)
    needs = needs_of(campaign, volumes, supplies)
    paper = DeskPaper(
        f"Dossier de traitement {campaign}",
        campaign.landlord.name,
        look,
        foot=f"Arrêté au {timezone.localtime(now):%d/%m/%Y à %H:%M}",
        rehearsal=campaign.rehearsal,
    )
    return paper.bound(
        [
            text("Dossier de traitement", "h1", bold=True, colour=look.accent, after=1),
            text(f"{campaign.landlord.name}, {campaign.get_survey_display()} {campaign.year}", "lead", after=4),
            *_volumes(volumes, supplies, look, stationery_on(campaign.opens_on)),
            *_supplies(needs),
            *_making_up(campaign),
            *_calendar(campaign),
            *_approvals(campaign),
            *_batches(campaign),
        ]
    )


def _volumes(volumes: Volumes, supplies: list[Supply], look: Look, usual: Stationery) -> list[Flowable]:
    shown: list[Flowable] = [
        tiles(
            look,
            [
                (number(volumes.envelopes), "plis", "un par ménage enquêté"),
                (number(volumes.sheets), "feuilles A4", "recto verso"),
                (number(volumes.pages), "faces imprimées", "noir et une couleur"),
            ],
        ),
        heading("Volumes par maquette"),
    ]
    if not volumes.variants:
        return [*shown, soft("Aucun formulaire n'est encore à imprimer : importez le fichier, préparez le formulaire.")]
    rows, scales = [], Scales.weighing(supplies, Purpose.FORM, usual)
    for each in volumes.variants:
        bracket = scales.bracket(each.sheets)
        rows.append(
            (
                each.label,
                str(each.pages),
                str(each.sheets),
                number(each.envelopes),
                f"{scales.grams(each.sheets):.1f}".replace(".", ",") + " g",
                f"jusqu'à {bracket} g" if bracket else "hors tranche",
            )
        )
    rows.append(("Total", "", "", number(volumes.envelopes), "", ""))
    head = ("Maquette", "Pages", "Feuilles", "Plis", "Poids du pli", "Tranche")
    shown.append(table(head, rows, widths=(5, 2, 2, 2.5, 3, 3), numbers=(1, 2, 3, 4), total=True))
    if volumes.unprintable:
        shown.append(
            soft(f"{number(volumes.unprintable)} ménages sont trop grands pour le formulaire : à traiter à part.")
        )
    return shown


def _supplies(needs: list[Need]) -> list[Flowable]:
    rows = [
        (
            each.supply.description or capfirst(each.supply.get_kind_display()),
            number(each.exact),
            f"{number(each.planned)} (+ {each.supply.spare_percent} %)",
            number(each.supply.ordered),
            number(each.supply.received),
            number(each.used),
            number(each.lacking) if each.lacking else "—",
        )
        for each in needs
    ]
    head = ("Fourniture", "Besoin", "Avec marge", "Commandé", "Reçu", "Utilisé", "À commander")
    return [
        heading("Fournitures"),
        table(head, rows, widths=(4, 2, 3.4, 2.3, 2, 2, 2.8), numbers=(1, 2, 3, 4, 5, 6)),
    ]


def _making_up(campaign: Campaign) -> list[Flowable]:
    """How an envelope is made up."""
    reply = (
        "glisser une enveloppe retour prépayée à l'adresse du centre de traitement"
        if campaign.landlord.prepaid_reply
        else "pas d'enveloppe retour : le locataire affranchit sa réponse"
    )
    return [
        heading("Mise sous pli"),
        text("Imprimer recto verso, retournement sur le bord long. Chaque pli commence sur un recto. Ne pas agrafer."),
        text("Plier selon l'enveloppe : dans la fenêtre, on ne voit que l'adresse de la première page."),
        text(f"Dans chaque pli : {reply}."),
        text("Suivre l'index du lot, un pli par ligne, dans l'ordre ; sa colonne « feuilles » dit combien en compter."),
        *_marks(campaign),
        soft("Adresse de retour : " + ", ".join(campaign.landlord.reply_address.splitlines())),
    ]


def _marks(campaign: Campaign) -> list[Flowable]:
    """What each print house that takes batches wants printed for its inserter."""
    shops = PrintShop.objects.filter(batches__campaign=campaign).distinct().order_by("name")
    return [
        text(
            f"{shop.name} : "
            + (
                "un repère DataMatrix au bord gauche de chaque recto, tel que l'index le donne."
                if shop.sheet_marks
                else "aucun repère imprimé, la mise sous pli suit les pages de l'index."
            )
        )
        for shop in shops
    ]


def _calendar(campaign: Campaign) -> list[Flowable]:
    rows = [
        (
            each.get_kind_display(),
            french_day(each.due_on),
            f"{timezone.localtime(each.done_at):%d/%m/%Y}" if each.done_at else "—",
        )
        for each in campaign.milestones.order_by("due_on", "pk")
    ]
    return [heading("Dates"), table(("Étape", "Prévue", "Faite"), rows, widths=(6, 6, 3))]


def _approvals(campaign: Campaign) -> list[Flowable]:
    proofs = FormProof.objects.filter(revision__campaign=campaign).select_related("revision", "decided_by")
    rows = [
        (
            f"Révision {each.revision.number}",
            capfirst(each.get_state_display()),
            f"{timezone.localtime(each.decided_at):%d/%m/%Y à %H:%M}" if each.decided_at else "—",
            (each.decided_by.get_full_name() or each.decided_by.username) if each.decided_by else "—",
            each.digest[:16],
        )
        for each in proofs.order_by("-pk")
    ]
    if not rows:
        return [heading("Bons à tirer"), soft("Aucune épreuve n'a encore été présentée.")]
    head = ("Formulaire", "État", "Décidé le", "Par", "Empreinte")
    return [heading("Bons à tirer"), table(head, rows, widths=(3, 2.5, 4, 4, 4))]


def _batches(campaign: Campaign) -> list[Flowable]:
    rows = [
        (
            f"Lot {each.number}",
            capfirst(each.get_purpose_display()),
            number(each.envelopes),
            number(each.pages),
            each.shop.name if each.shop else "—",
            capfirst(each.get_state_display()),
            each.sha256[:16],
        )
        for each in campaign.batches.select_related("shop").order_by("number")
    ]
    if not rows:
        return [heading("Lots"), soft("Aucun lot n'est encore composé.")]
    head = ("Lot", "Objet", "Plis", "Pages", "Imprimeur", "État", "SHA-256")
    return [heading("Lots"), table(head, rows, widths=(12, 38, 11, 13, 26, 36.5, 33.5), numbers=(2, 3))]
