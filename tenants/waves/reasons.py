"""Why a household is left out of a wave, in the words that every page and file shows."""

from __future__ import annotations

NO_POST = "Le courrier n'arrive plus à cette adresse"
NO_ADDRESS = "Aucun moyen d'écrire : ni e-mail, ni mobile, ni adresse"
NO_CHANNEL = "Aucun des canaux de cette vague ne joint ce foyer"
TOLD = "Déjà prévenu pour cette étape"
ANSWERED = "A répondu entre-temps"
NOT_SLS = "Enquête OPS seule : l'article L441-9 ne s'y applique pas"
TOO_SOON = "Le délai légal d'un mois n'est pas écoulé"
NO_NOTICE = "Aucune mise en demeure n'est partie"
RUNNING = "Les quinze jours de la mise en demeure ne sont pas écoulés"
SUSPENDED = "Les délais de ce dossier sont suspendus"
OTHER_AGENCY = "Hors des agences de cette vague"
OTHER_STATE = "Hors des états de dossier de cette vague"
TOO_OFTEN = "Déjà écrit le nombre de fois permis cette semaine"
FULL_DAY = "Capacité du jour atteinte : reporté au jour suivant"
UNPRINTABLE = "Le formulaire ne peut pas être imprimé"
# These may become due another day: their milestone stays open.
PASSING = frozenset({TOO_SOON, SUSPENDED, NO_NOTICE, RUNNING, TOO_OFTEN, FULL_DAY})
