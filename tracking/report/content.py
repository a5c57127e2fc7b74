"""What the bilan says, section by section; each figure comes from `figures` or `quality`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.utils.formats import date_format
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, KeepTogether, Spacer
from reportlab.platypus.flowables import Flowable

from campaigns.models import Campaign
from campaigns.paper_form.desk_tags import Pictured
from campaigns.paper_form.look import Look, heading, soft, table, text, tiles
from returns.models import Restitution
from tracking import charts as numbers
from tracking import figures, quality
from tracking.definitions import DEFINITIONS
from tracking.report import charts
from tracking.wording import capital, in_full, number, plural, rate

Section = Callable[[Campaign, Look], list[Flowable]]


def sections(campaign: Campaign, look: Look) -> list[Flowable]:
    """Everything after the cover."""
    story: list[Flowable] = []
    for section in SECTIONS:
        story += section(campaign, look)
    return story


def _key_figures(campaign: Campaign, look: Look) -> list[Flowable]:
    counters = figures.counters(campaign)
    story: list[Flowable] = [text("Les chiffres clés", "h1", bold=True, after=5)]
    if not counters.surveyed:
        return [*story, text("Aucun dossier n’a été importé pour cette campagne.", "lead")]
    shares = [
        ("Traitées", counters.processed, "dossiers complets"),
        ("En cours", counters.in_progress, "à vérifier ou à compléter"),
        ("Non réceptionnées", counters.not_received, "aucune réponse"),
    ]
    told = [(number(cases), label, f"{rate(cases / counters.surveyed)} · {note}") for label, cases, note in shares]
    late = figures.reminded_after_answer(campaign)
    households = plural(counters.answered, "ménage a répondu", "ménages ont répondu")
    sentence = (
        f"Sur {plural(counters.surveyed, 'dossier interrogé', 'dossiers interrogés')}, {households} : "
        f"le taux de retour est de {rate(counters.return_rate)}, "
        f"et {rate(counters.completion_rate)} des dossiers sont complets."
    )
    return [
        *story,
        text(sentence, "lead", after=5),
        tiles(look, told),
        Pictured(charts.parts(look, counters), charts.told_parts(counters)),
        Spacer(0, 3 * mm),
        soft(
            f"Hors enquête : {number(counters.out_of_scope)}, non comptés ci-dessus. "
            f"Relances parties après une réponse : {number(late)}."
        ),
    ]


def _response(campaign: Campaign, look: Look) -> list[Flowable]:
    counters, curve, waves = figures.counters(campaign), figures.curve(campaign), figures.waves(campaign)
    if not curve:
        return [heading("Les réponses dans le temps"), text("Aucune réponse n’est arrivée.")]
    data = numbers.curve_data(campaign, counters, curve, waves)
    start = dt.date.fromisoformat(data["start"])
    last = max(data["reply_by"], data["points"][-1][0], *(day for day, _ in data["waves"])) + 1
    step = 7 * max(1, round(last / 7 / 8))
    ticks = [(day, date_format(start + dt.timedelta(days=day), "j b")) for day in range(0, last + 1, step)]
    drawing = charts.curve(
        look, data["points"], surveyed=counters.surveyed, last=last, days=ticks, marks=[day for day, _ in data["waves"]]
    )
    told = " · ".join(
        f"{place} : {label}, {in_full(start + dt.timedelta(days=day))}"
        for place, (day, label) in enumerate(data["waves"], start=1)
    )
    sentence = (
        f"Courbe des réponses reçues jour après jour : {number(counters.answered)} "
        f"sur {plural(counters.surveyed, 'dossier interrogé', 'dossiers interrogés')}."
    )
    return [KeepTogether([heading("Les réponses dans le temps"), Pictured(drawing, sentence), soft(told)])]


def _channels(campaign: Campaign, look: Look) -> list[Flowable]:
    answered = figures.counters(campaign).answered
    rows: list[list[str | Flowable]] = [
        [
            capital(channel.label),
            number(channel.answers),
            rate(channel.answers / answered if answered else None),
            charts.bar(look, channel.answers / answered if answered else 0, width=60 * mm),
        ]
        for channel in figures.channels(campaign)
    ]
    shown = table(("Canal", "Premières réponses", "Part", ""), rows, widths=(3, 2.4, 1.4, 4.2), numbers=(1, 2))
    return [KeepTogether([heading("Par quel canal"), shown])]


def _mailings(campaign: Campaign, look: Look) -> list[Flowable]:
    curve, waves = figures.curve(campaign), figures.waves(campaign)
    effects = quality.effects([wave for wave in waves if wave.collective], curve)
    title = heading("Les envois et leur effet")
    if not effects:
        return [title, text("Rien n’est parti.")]
    rows = [
        [
            in_full(effect.wave.day),
            capital(effect.wave.label),
            ", ".join(f"{label} {number(sent)}" for label, sent in effect.wave.by_channel),
            number(effect.answers),
        ]
        for effect in effects
    ]
    others = sum(wave.sent for wave in waves if not wave.collective)
    added = "S’y ajoutent" if others > 1 else "S’y ajoute"
    note = soft(f"{added} {plural(others, 'envoi individuel', 'envois individuels')} (compléments, accusés).")
    head = ("Jour", "Objet", "Envois", "Réponses jusqu’au suivant")
    return [KeepTogether([title, table(head, rows, widths=(3, 3, 3, 2), numbers=(3,)), note])]


def _agencies(campaign: Campaign, look: Look) -> list[Flowable]:
    def line(name: str, counted: figures.Counters) -> list[str | Flowable]:
        cells = (counted.surveyed, counted.processed, counted.in_progress, counted.not_received)
        bar = charts.bar(look, counted.return_rate or 0, width=30 * mm)
        return [name, *(number(cell) for cell in cells), rate(counted.return_rate), bar]

    rows = [line(agency.name, agency.counters) for agency in figures.by_agency(campaign)]
    rows.append(line("Ensemble", figures.counters(campaign)))
    head = ("Agence", "Interrogés", "Traitées", "En cours", "Non récept.", "Retour", "")
    shown = table(head, rows, widths=(3.6, 1.5, 1.4, 1.4, 1.6, 1.4, 2.6), numbers=(1, 2, 3, 4, 5), total=True)
    return [heading("Par agence"), shown]


def _reading(campaign: Campaign, look: Look) -> list[Flowable]:
    read = quality.reading_quality(campaign)
    title = heading("La lecture des formulaires papier")
    if not read.fields:
        return [title, text("Aucun formulaire papier n’a été lu.")]
    kinds = (
        ("Lus par la machine et retenus", read.automatic),
        ("Relus et saisis par une personne", read.keyed),
        ("Encore à saisir", read.waiting),
    )
    rows: list[list[str | Flowable]] = [
        [label, number(count), rate(count / read.fields), charts.bar(look, count / read.fields, width=50 * mm)]
        for label, count in kinds
    ]
    shown = table(("Champs remplis", "Nombre", "Part", ""), rows, widths=(4, 1.6, 1.4, 3.6), numbers=(1, 2))
    return [KeepTogether([title, shown])]


def _complements(campaign: Campaign, look: Look) -> list[Flowable]:
    asked, answered = quality.complements(campaign)
    title = heading("Les compléments demandés")
    if not asked:
        return [title, text("Aucun complément n’a été demandé.")]
    reasons = quality.complement_reasons(campaign)
    rows: list[list[str | Flowable]] = [
        [reason.label, number(reason.cases), charts.bar(look, reason.cases / reasons[0].cases, width=50 * mm)]
        for reason in reasons
    ]
    told = f"{plural(asked, 'demande', 'demandes')}, dont {number(answered)} suivies d’une réponse."
    shown = table(("Ce qui manquait", "Dossiers", ""), rows, widths=(5, 1.4, 3.6), numbers=(1,))
    return [KeepTogether([title, text(told), shown])]


def _states(campaign: Campaign, look: Look) -> list[Flowable]:
    rows = [[capital(label), number(count)] for _, label, count in figures.states(campaign)]
    motives = [[capital(label), number(count)] for label, count in quality.undelivered_by_motive(campaign)]
    return [
        KeepTogether([heading("L’état des dossiers"), table(("État", "Dossiers"), rows, widths=(4, 1), numbers=(1,))]),
        KeepTogether([heading("Les plis revenus"), table(("Motif", "Dossiers"), motives, widths=(4, 1), numbers=(1,))]),
    ]


def _restitutions(campaign: Campaign, look: Look) -> list[Flowable]:
    title = heading("Les restitutions")
    rows: list[list[str | Flowable]] = []
    for restitution in Restitution.objects.filter(campaign=campaign).order_by("number").prefetch_related("files"):
        day = in_full(restitution.delivered_at or restitution.created_at)
        for file in restitution.files.all():
            name = [text(file.name, after=0), soft(f"SHA-256 {file.sha256[:32]} {file.sha256[32:]}")]
            rows.append([f"N° {restitution.number}, {day}", name, number(file.lines)])  # type: ignore[list-item]
    if not rows:
        return [title, text("Rien n’a encore été restitué.")]
    return [title, table(("Livraison", "Fichier", "Lignes"), rows, widths=(2.6, 6, 1), numbers=(2,))]


def _definitions(campaign: Campaign, look: Look) -> list[Flowable]:
    story: list[Flowable] = [CondPageBreak(130 * mm), heading("Comment ces chiffres sont comptés")]
    for name, meaning in DEFINITIONS:
        story.append(KeepTogether([text(name, bold=True, after=0, before=1.5), text(meaning)]))
    return story


SECTIONS: tuple[Section, ...] = (
    _key_figures,
    _response,
    _channels,
    _mailings,
    _agencies,
    _reading,
    _complements,
    _states,
    _restitutions,
    _definitions,
)
