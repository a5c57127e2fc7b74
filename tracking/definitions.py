"""What each figure counts, in the words that people read: one text for the screen and the bilan."""

DEFINITIONS: tuple[tuple[str, str], ...] = (
    (
        "Dossier interrogé",
        "Un ménage du fichier importé, sauf ceux qui sont hors enquête. Tous les taux se rapportent à ces dossiers.",
    ),
    (
        "Hors enquête",
        "Un ménage que la loi ou vos règles de gestion dispensent de répondre. Il n’entre dans aucun taux.",
    ),
    ("Traitées", "Dossiers complets, restitués ou prêts à l’être."),
    (
        "En cours",
        "Dossiers dont une réponse est arrivée et qui sont en lecture, en vérification ou incomplets.",
    ),
    (
        "Non réceptionnées",
        "Dossiers sans aucune réponse : formulaire à envoyer, sans réponse, pli non distribué, ou non-répondant après "
        "mise en demeure. Les trois compteurs s’additionnent toujours au nombre de dossiers interrogés.",
    ),
    (
        "Taux de retour",
        "Dossiers avec au moins une réponse, complète ou non, rapportés aux dossiers interrogés.",
    ),
    (
        "Réponses par canal, courbe",
        "Seule la première réponse d’un dossier compte, au jour de son arrivée (heure de Paris) et par le canal "
        "qu’elle a pris.",
    ),
    (
        "Réponses jusqu’à l’envoi suivant",
        "Premières réponses arrivées depuis le jour de l’envoi jusqu’à la veille de l’envoi suivant. Deux envois du "
        "même jour partagent le même nombre.",
    ),
    (
        "Ce qui manque le plus",
        "Pièces et réponses qui empêchent aujourd’hui un dossier d’être complet ; un dossier peut en compter "
        "plusieurs. Le bilan compte tout ce qui a été demandé en complément, reçu depuis ou non.",
    ),
    (
        "Champs lus par la machine",
        "Champs remplis des formulaires numérisés que personne n’a eu à relire.",
    ),
    (
        "Relances parties après une réponse",
        "Relances et mises en demeure parties après une réponse du ménage. Notre règle : aucune.",
    ),
)
