"""What each kind of anomaly is called in a list, in a few French words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LABELS: Mapping[str, str] = MappingProxyType(
    {
        # the file
        "empty_file": "fichier vide",
        "not_xml": "fichier qui n’est pas du XML",
        "doctype": "déclaration DOCTYPE",
        "unsupported_encoding": "encodage refusé",
        "wrong_encoding": "encodage annoncé faux",
        "truncated": "fichier interrompu",
        "broken_xml": "XML mal formé",
        "too_deep_or_large": "fichier hors limites",
        "unmapped_volume": "contenu hors du profil",
        "no_household": "aucun ménage",
        "missing_table": "table de correspondance absente",
        "unreadable": "fichier illisible",
        # one household
        "missing_reference": "référence du locataire absente",
        "duplicate_reference": "référence en double",
        "no_occupant": "ménage sans occupant",
        "missing_value": "valeur obligatoire absente",
        "impossible_date": "date impossible",
        "unreadable_date": "date illisible",
        "not_a_number": "nombre illisible",
        "unknown_code": "code inconnu",
        "unclear_code": "code au sens non défini",
        "not_yes_or_no": "oui ou non illisible",
        "unexpected_layout": "valeur d’une autre forme",
        "forbidden_character": "caractère interdit",
        "too_long": "valeur trop longue",
        "too_large": "valeur hors de toute vraisemblance",
        "repeated_element": "information donnée deux fois",
        "unexpected_element": "élément inattendu",
        "broken_link": "renvoi sans cible",
        "ambiguous_link": "renvoi ambigu",
        "scattered_rows": "ménage dispersé dans le fichier",
        "too_many_occupants": "occupants trop nombreux",
        "household_too_large": "ménage trop volumineux",
        "too_many_names": "noms d’éléments trop nombreux",
        # worth telling
        "address_line_too_long": "ligne d’adresse trop longue",
        "addressee_too_long": "nom du destinataire trop long",
        "bad_email": "adresse électronique fausse",
        "bad_mobile": "téléphone mobile faux",
        "bad_postcode": "code postal faux",
        "doubtful_date": "date peu vraisemblable",
        "invisible_character": "caractère invisible",
        "suspect_encoding": "accents abîmés",
        "no_holder": "ménage sans titulaire",
        "missing_address": "adresse incomplète",
        "rank_clash": "rang en double",
        "inconsistent_rows": "lignes contradictoires",
        "orphan_row": "ligne sans ménage",
        "forbidden_information": "information interdite",
        "form_already_sent": "formulaire déjà envoyé",
        "suspect_label": "libellé douteux",
        "unmapped_code": "code sans correspondance",
        "kept_code": "code gardé",
    }
)


def label_of(kind: str) -> str:
    """The words for that kind; corrections of addresses go by one name."""
    return LABELS.get(kind, "adresse à corriger" if kind.startswith("address_") else kind.replace("_", " "))
