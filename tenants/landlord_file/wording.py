"""Every kind of anomaly: how serious it is and the French sentence that a landlord reads about it."""

from __future__ import annotations

from .records import FIELD_LABELS, Anomaly, Severity

_FILE, _HOUSEHOLD, _WARNING = Severity.FILE, Severity.HOUSEHOLD, Severity.WARNING
_LEFT_OUT = "Ce ménage n'est pas importé."

KINDS: dict[str, tuple[Severity, str]] = {
    # the file
    "empty_file": (_FILE, "Le fichier est vide."),
    "not_xml": (_FILE, "Le fichier n'est pas du XML ({value}). Déposez le fichier XML lui-même, non compressé."),
    "doctype": (_FILE, "Le fichier contient une déclaration DOCTYPE, refusée par sécurité. Retirez-la."),
    "unsupported_encoding": (_FILE, "L'encodage « {value} » n'est pas accepté."),
    "wrong_encoding": (
        _FILE,
        "Le fichier contient des octets qui ne correspondent pas à l'encodage annoncé ({value}).",
    ),
    "truncated": (
        _FILE,
        "Le fichier s'arrête avant sa fin : le dépôt a sans doute été interrompu. Déposez-le à nouveau.",
    ),
    "broken_xml": (_FILE, "Le XML est mal formé à cet endroit ({value})."),
    "too_deep_or_large": (_FILE, "Le fichier dépasse les limites de sécurité ({value})."),
    "unmapped_volume": (_FILE, "Plus de {value} Mo se suivent sans aucun élément prévu par le profil."),
    "too_many_names": (
        _FILE,
        "Le fichier contient plus de {value} noms d'éléments différents que le profil ne connaît pas.",
    ),
    "scattered_rows": (
        _FILE,
        "Le ménage « {value} » a déjà été lu ligne {expected} : les lignes d'un même ménage ne se suivent pas. "
        "Triez le fichier, ou ajoutez « scattered = true » au profil.",
    ),
    "no_household": (_FILE, "Aucun ménage n'a été trouvé à l'endroit prévu par le profil."),
    "missing_table": (_FILE, "La table de correspondance « {value} », demandée par le profil, manque."),
    # one household
    "missing_reference": (_HOUSEHOLD, f"La référence du locataire manque. {_LEFT_OUT}"),
    "duplicate_reference": (
        _HOUSEHOLD,
        "La référence « {value} » figure déjà ligne {expected}. "
        "Le premier ménage est gardé, celui-ci n'est pas importé.",
    ),
    "household_too_large": (_HOUSEHOLD, f"Ce ménage contient beaucoup trop d'éléments. {_LEFT_OUT}"),
    "too_many_occupants": (_HOUSEHOLD, f"Ce ménage compterait {{value}} occupants. {_LEFT_OUT}"),
    "no_occupant": (_HOUSEHOLD, f"Ce ménage n'a aucun occupant. {_LEFT_OUT}"),
    "missing_value": (_HOUSEHOLD, f"Une valeur obligatoire manque : {{field}}. {_LEFT_OUT}"),
    "impossible_date": (_HOUSEHOLD, f"« {{value}} » n'existe pas dans le calendrier ({{field}}). {_LEFT_OUT}"),
    "unreadable_date": (_HOUSEHOLD, f"« {{value}} » n'est pas une date au format prévu ({{field}}). {_LEFT_OUT}"),
    "not_a_number": (_HOUSEHOLD, f"« {{value}} » n'est pas un nombre ({{field}}). {_LEFT_OUT}"),
    "unknown_code": (
        _HOUSEHOLD,
        f"Le code « {{value}} » est absent de la table de correspondance ({{field}}). {_LEFT_OUT}",
    ),
    "unclear_code": (
        _HOUSEHOLD,
        f"Le code « {{value}} » est dans la table, mais son sens n'est pas défini ({{field}}). {_LEFT_OUT}",
    ),
    "not_yes_or_no": (_HOUSEHOLD, f"« {{value}} » ne se lit pas comme un oui ou un non ({{field}}). {_LEFT_OUT}"),
    "unexpected_layout": (_HOUSEHOLD, f"« {{value}} » ne suit pas le modèle prévu ({{field}}). {_LEFT_OUT}"),
    "forbidden_character": (
        _HOUSEHOLD,
        f"Un caractère de contrôle ou d'inversion du texte est caché dans : {{field}}. {_LEFT_OUT}",
    ),
    "too_long": (_HOUSEHOLD, f"La valeur est trop longue ({{field}}). {_LEFT_OUT}"),
    "repeated_element": (_HOUSEHOLD, f"L'information figure deux fois dans le même ménage ({{field}}). {_LEFT_OUT}"),
    "unexpected_element": (_HOUSEHOLD, f"Un élément inattendu coupe la valeur ({{field}}). {_LEFT_OUT}"),
    "broken_link": (_HOUSEHOLD, f"« {{value}} » est cité mais absent de la liste {{expected}}. {_LEFT_OUT}"),
    "ambiguous_link": (_HOUSEHOLD, f"« {{value}} » figure plusieurs fois dans la liste {{expected}}. {_LEFT_OUT}"),
    # worth telling
    "address_line_too_long": (
        _WARNING,
        "La ligne compte {length} caractères ; une adresse postale en admet 38 ({field}).",
    ),
    "addressee_too_long": (
        _WARNING,
        "Le nom du destinataire compte {length} caractères ; la première ligne d'une adresse postale en admet 38.",
    ),
    "bad_email": (_WARNING, "« {value} » n'est pas une adresse électronique : elle ne sera pas utilisée."),
    "bad_mobile": (_WARNING, "« {value} » n'est pas un numéro de mobile : il ne sera pas utilisé."),
    "bad_postcode": (_WARNING, "« {value} » n'est pas un code postal à cinq chiffres."),
    "doubtful_date": (_WARNING, "« {value} » est une date peu vraisemblable ({field})."),
    "invisible_character": (_WARNING, "Un caractère invisible ou inhabituel est gardé dans : {field}."),
    "suspect_encoding": (_WARNING, "« {value} » semble abîmé par une erreur d'encodage ({field})."),
    "no_holder": (_WARNING, "Aucun occupant de ce ménage n'est titulaire du bail."),
    "missing_address": (_WARNING, "L'adresse est incomplète : aucun courrier ne pourra partir."),
    "rank_clash": (_WARNING, "Deux occupants portent le même rang ; ils sont numérotés dans l'ordre du fichier."),
    "inconsistent_rows": (_WARNING, "Les lignes de ce ménage ne disent pas la même chose ; la première est gardée."),
    "orphan_row": (_WARNING, "Cette ligne cite « {value} », absent du fichier : elle n'est rattachée à aucun ménage."),
    "forbidden_information": (
        _WARNING,
        "Le fichier contient « {value} », une information que l'enquête ne doit pas "
        "recevoir. Elle n'est pas lue ; ne la transmettez plus.",
    ),
}


def visible(value: str, limit: int = 80) -> str:
    """The value as it may be shown: shortened, its control and invisible characters spelled out."""
    shown = "".join(
        sign if sign.isprintable() or sign == "\u00a0" else f"[U+{ord(sign):04X}]" for sign in value[:limit]
    )
    return f"{shown}…" if len(value) > limit else shown


def anomaly(
    kind: str,
    *,
    line: int = 0,
    path: str = "",
    value: str = "",
    expected: str = "",
    field: str = "",
    tenant_ref: str = "",
) -> Anomaly:
    """An anomaly of that kind with its sentence; `field` is one of our field names."""
    severity, sentence = KINDS[kind]
    message = sentence.format(
        value=visible(value), expected=expected, field=FIELD_LABELS.get(field, field), length=len(value)
    )
    return Anomaly(kind, severity, line, path, visible(value, 200), expected, message, tenant_ref)
