"""Where a case stands, in a sentence: one for the landlord, one for an agent to say to the tenant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from returns.completeness import MissingItem
from tenants.case_states import State
from tenants.models import SurveyCase
from tracking.wording import in_full, plural


def standing(case: SurveyCase, missing: Sequence[MissingItem]) -> str:
    """For the landlord and the provider."""
    state = State(case.state)
    if state is State.INCOMPLETE and missing:
        lacking = plural(len(missing), "élément manque", "éléments manquent")
        return f"La réponse est arrivée{_on(case.received_at)}, mais {lacking} encore."
    sentences = {
        State.PREPARED: "Le formulaire n’est pas encore parti.",
        State.SENT: f"Le formulaire est parti{_on(case.sent_at)} ; aucune réponse n’est arrivée.",
        State.RECEIVED: f"La réponse est arrivée{_on(case.received_at)} ; elle est en cours de traitement.",
        State.INCOMPLETE: f"La réponse est arrivée{_on(case.received_at)} ; le dossier est en cours de vérification.",
        State.COMPLETE: f"La réponse est arrivée{_on(case.received_at)} et le dossier est complet.",
        State.RESTITUTED: f"La réponse est arrivée{_on(case.received_at)} ; le dossier complet a été restitué.",
        State.UNDELIVERED: "Le courrier est revenu sans atteindre le ménage : l’adresse est à vérifier.",
        State.OUT_OF_SCOPE: "Ce ménage n’est pas à interroger.",
        State.NON_RESPONDENT: f"Le ménage n’a pas répondu malgré la mise en demeure{_from(case.formal_notice_at)}.",
    }
    return sentences[state]


def to_say(case: SurveyCase, missing: Sequence[MissingItem]) -> list[str]:
    """What an agent says to the tenant on the phone, sentence by sentence."""
    state = State(case.state)
    reply_by = in_full(case.campaign.reply_by)
    online = f"Vous pouvez répondre en ligne avec le code de votre courrier et le numéro de dossier {case.reference}."
    if state is State.INCOMPLETE and missing:
        return [f"Nous avons bien reçu votre réponse{_on(case.received_at)}.", "Il nous manque encore :"]
    sentences = {
        State.PREPARED: ["Votre formulaire n’est pas encore parti.", f"La réponse est attendue avant le {reply_by}."],
        State.SENT: [
            f"Nous vous avons envoyé le formulaire{_on(case.sent_at)} et nous n’avons pas encore reçu votre réponse.",
            f"Elle est attendue avant le {reply_by}.",
            online,
        ],
        State.UNDELIVERED: [
            "Le courrier que nous vous avons envoyé nous est revenu.",
            "Vérifions ensemble votre adresse ; votre bailleur la corrigera.",
        ],
        State.OUT_OF_SCOPE: ["Vous n’avez pas à répondre à cette enquête."],
        State.NON_RESPONDENT: [
            f"Nous n’avons pas reçu votre réponse malgré la mise en demeure{_from(case.formal_notice_at)}.",
            "Vous pouvez encore répondre : votre réponse sera transmise à votre bailleur.",
            online,
        ],
    }
    done = ["Votre dossier est complet.", "Vous n’avez rien d’autre à faire."]
    handled = [f"Nous avons bien reçu votre réponse{_on(case.received_at)}.", "Elle est en cours de traitement."]
    if state in {State.COMPLETE, State.RESTITUTED}:
        return done
    return sentences.get(state, handled)


def _on(at: dt.datetime | None) -> str:
    return f" le {in_full(at)}" if at else ""


def _from(at: dt.datetime | None) -> str:
    return f" du {in_full(at)}" if at else ""
