"""The acceptance report of a lot as a PDF, for the landlord: the plan, what was found, the decision, the error rates.

No value of a household is told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Count, Q
from django.utils import timezone
from reportlab.lib.colors import Color, HexColor
from reportlab.platypus.flowables import Flowable

from campaigns.paper_form.desk import DeskPaper
from campaigns.paper_form.look import Look, heading, number, soft, table, text, tiles
from returns import keying_figures
from returns.acceptance_lots import ACCEPTED, REFUSED, Standing, field_names, standing_of
from returns.keying_figures import Rate, percent
from returns.models import AcceptanceLot, KeyingTask
from returns.sampling import parameters

GREEN, RED = HexColor("#1f6f43"), HexColor("#a3262a")
LISTED = 200  # fields found wrong that are told one by one
DECISIONS = {
    ACCEPTED: "Le lot est accepté",
    REFUSED: "Le lot est refusé",
}
CHECKING = "Le lot est en cours de contrôle"


def compose_acceptance(*, lot: AcceptanceLot, now: dt.datetime) -> bytes:
    """The report of a lot as it stands (PDF). Raises FontsMissingError when the faces are not installed."""
    standing, look = standing_of(lot), Look.of(lot.campaign.landlord.accent)
    paper = DeskPaper(
        f"Réception du lot {lot.number}, {lot.campaign}",
        lot.campaign.landlord.name,
        look,
        foot=f"Lot n° {lot.number}, arrêté au {timezone.localtime(now):%d/%m/%Y à %H:%M}",
        rehearsal=lot.campaign.rehearsal,
    )
    return paper.bound([*_decision(standing, look), *_plan(standing), *_found(lot), *_rates(lot)])


def _decision(standing: Standing, look: Look) -> list[Flowable]:
    lot, campaign = standing.lot, standing.lot.campaign
    colour: Color = {ACCEPTED: GREEN, REFUSED: RED}.get(standing.verdict, look.accent)
    survey = f"{campaign.landlord.name}, {campaign.get_survey_display()} {campaign.year}"
    return [
        text(f"Rapport de réception du lot n° {lot.number}", "h1", bold=True, colour=look.accent, after=1),
        text(survey, "lead", after=5),
        text(f"{DECISIONS.get(standing.verdict, CHECKING)}.", "h2", bold=True, colour=colour, after=1),
        text(_because(standing), after=5),
        tiles(
            look,
            [
                (number(standing.wrong), _plural(standing.wrong, "champ faux", "champs faux"), _allowed(lot)),
                (number(standing.looked_at), "champs contrôlés", f"sur {number(lot.sample_size)} tirés au sort"),
                (number(lot.size), "champs remplis", f"dans {number(lot.dossiers)} dossiers papier"),
            ],
        ),
    ]


def _because(standing: Standing) -> str:
    lot = standing.lot
    if standing.verdict == REFUSED:
        found = f"{number(standing.wrong)} {_plural(standing.wrong, 'champ faux trouvé', 'champs faux trouvés')}"
        return f"{found}, pour {lot.accept_up_to} admis au plus : tous les autres champs du lot sont à ressaisir."
    if standing.verdict == ACCEPTED:
        return "Tout l'échantillon a été ressaisi à l'aveugle, sans plus d'erreurs que le plan n'en admet."
    left = lot.sample_size - standing.looked_at
    return f"{number(left)} {_plural(left, 'champ reste', 'champs restent')} à contrôler avant de décider."


def _allowed(lot: AcceptanceLot) -> str:
    return f"{lot.accept_up_to} au plus pour accepter"


def _plan(standing: Standing) -> list[Flowable]:
    lot, plan = standing.lot, standing.plan
    limit = f"{lot.limit_told} %"
    chosen = plan.acceptance(float(lot.limit) / 100)
    drawn = f"le {timezone.localtime(lot.drawn_at):%d/%m/%Y}, graine {lot.seed}"
    rows = [
        ("Norme", str(parameters()["acceptance"]["source"])),
        ("Niveau de qualité acceptable", limit),
        ("Lettre-code", lot.letter),
        ("Échantillon", f"{number(lot.sample_size)} champs tirés au sort parmi {number(lot.size)}"),
        ("Critère", f"accepté jusqu'à {lot.accept_up_to} faux, refusé à partir de {lot.accept_up_to + 1}"),
        ("Ce que vaut le plan", f"un lot dont {limit} des champs sont faux est accepté dans {percent(chosen)} des cas"),
        ("", f"un lot dont {percent(plan.refused_mostly)} des champs sont faux est refusé neuf fois sur dix"),
        ("Tirage", drawn),
    ]
    return [heading("Le plan d'échantillonnage"), table(("Plan", "Valeur"), rows, widths=(3.8, 8))]


def _found(lot: AcceptanceLot) -> list[Flowable]:
    done = lot.tasks.filter(state=KeyingTask.State.DONE)
    counted = done.values_list("field").annotate(
        exact=Count("pk", filter=Q(conforming=True)),
        wrong=Count("pk", filter=Q(conforming=False)),
        unread=Count("pk", filter=Q(conforming=None)),
    )
    names = field_names(lot.campaign)
    rows = [
        (names.get(key, key), *(number(each) for each in (exact, wrong, unread)))
        for key, exact, wrong, unread in counted.order_by("field")
    ]
    shown: list[Flowable] = [heading("Ce qui a été trouvé")]
    if not rows:
        return [*shown, soft("Aucun champ de l'échantillon n'a encore été ressaisi.")]
    head = ("Champ", "Exacts", "Faux", "Illisibles")
    shown.append(table(head, rows, widths=(6, 2, 2, 2), numbers=(1, 2, 3)))
    return [*shown, *_wrong(lot, names)]


def _wrong(lot: AcceptanceLot, names: dict[str, str]) -> list[Flowable]:
    wrong = lot.tasks.filter(state=KeyingTask.State.DONE, conforming=False).select_related("survey_return__case")
    rows = [
        (
            task.survey_return.case.reference,
            names.get(task.field, task.field),
            str(task.row) if task.row else "foyer",
            f"corrigé le {timezone.localtime(task.done_at):%d/%m/%Y}" if task.done_at else "corrigé",
        )
        for task in wrong.order_by("pk")[:LISTED]
    ]
    if not rows:
        return [soft("Aucun champ faux. Les champs illisibles ne comptent ni comme exacts ni comme faux.")]
    listed = table(("Dossier", "Champ faux", "Personne", "Suite"), rows, widths=(2.4, 5, 2, 3))
    note = soft("Les valeurs ne sont pas reproduites ici : elles se lisent dans chaque dossier.")
    return [text("Champs trouvés faux", "lead", bold=True, before=2, after=2), listed, note]


def _rates(lot: AcceptanceLot) -> list[Flowable]:
    campaign = lot.campaign
    machine, keyed = keying_figures.machine_rates(campaign), keying_figures.keying_rates(campaign)
    shown: list[Flowable] = [
        heading("Taux d'erreur de toute la campagne"),
        text(
            "« Au plus » est la borne supérieure à 95 % (Clopper et Pearson) : sans erreur sur n champs vérifiés, "
            "le taux est sous 3/n."
        ),
    ]
    parts = (
        ("Gardé par la machine seule", machine, "toutes les lectures"),
        ("Saisi par un opérateur", keyed, "toutes les saisies"),
    )
    for title, rates, everything in parts:
        if rates:
            shown += [_rate_table(title, [*rates, keying_figures.total(everything, rates)])]
    missed = keying_figures.missed_answers(campaign)
    if missed.checked:
        shown.append(soft(f"Zones jugées vides : {missed.basis}, au plus {missed.told_high} de réponses manquées."))
    if not machine and not keyed:
        shown.append(soft("Rien n'a encore été vérifié."))
    return shown


def _rate_table(title: str, rates: Iterable[Rate]) -> Flowable:
    rows = [
        (
            each.label[:1].upper() + each.label[1:],
            number(each.checked),
            number(each.wrong),
            each.told,
            each.told_high if each.checked else "—",
        )
        for each in rates
    ]
    head = (title, "Vérifiés", "Faux", "Taux vu", "Au plus")
    return table(head, rows, widths=(5, 2, 2, 2, 2.4), numbers=(1, 2, 3, 4), total=True)


def _plural(count: int, one: str, many: str) -> str:
    return many if count > 1 else one
