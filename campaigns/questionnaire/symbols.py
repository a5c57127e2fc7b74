"""What a landlord's rule may speak of: each symbol with its type and its French label, drawn from the questionnaire.

Fields are called by their key; `file.<key>` is what the landlord's file said, `declared.<key>` what the household said
where signed pieces may correct it. The rest are facts of the household, of its dwelling, its pieces and its return.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from campaigns.questionnaire.schema import Choice, FieldType, Questionnaire

FILE = "file."
DECLARED = "declared."
DOCUMENT = "document."
# What signed pieces may correct, so that what was declared is worth asking for.
CERTIFIABLE = frozenset({"occupant.tax_reference_income", "occupant.notice_reference", "occupant.tax_number"})


class Kind(StrEnum):
    """The types of the language."""

    NUMBER = "number"
    DATE = "date"
    FLAG = "flag"
    TEXT = "text"
    CHOICE = "choice"


KIND_LABELS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.NUMBER: "nombre",
        Kind.DATE: "date",
        Kind.FLAG: "oui ou non",
        Kind.TEXT: "texte",
        Kind.CHOICE: "choix",
    }
)
KINDS: Mapping[FieldType, Kind] = MappingProxyType(
    {
        FieldType.TEXT: Kind.TEXT,
        FieldType.NAME: Kind.TEXT,
        FieldType.EMAIL: Kind.TEXT,
        FieldType.PHONE: Kind.TEXT,
        FieldType.DIGITS: Kind.TEXT,
        FieldType.INTEGER: Kind.NUMBER,
        FieldType.MONEY: Kind.NUMBER,
        FieldType.DATE: Kind.DATE,
        FieldType.TICK: Kind.FLAG,
        FieldType.YES_NO: Kind.FLAG,
        FieldType.CHOICE: Kind.CHOICE,
        FieldType.SIGNATURE: Kind.FLAG,
    }
)


@dataclass(frozen=True, slots=True)
class Symbol:
    """One word that a rule may use. `per_row`: it is asked of an occupant, not of the household.

    `money` shows a number in euros.
    """

    name: str
    kind: Kind
    label: str
    group: str
    per_row: bool = False
    choices: tuple[Choice, ...] = ()
    money: bool = False

    @property
    def type_label(self) -> str:
        """The type in French."""
        return "montant en euros" if self.money else KIND_LABELS[self.kind]

    def choice(self, value: str) -> Choice | None:
        """The choice of that value, or None."""
        return next((each for each in self.choices if each.value == value), None)


CHANNELS = (Choice("paper", "courrier"), Choice("online", "en ligne"), Choice("phone", "téléphone"))
NATURES = (
    Choice("notice", "avis d'impôt"),
    Choice("asdir", "avis de situation déclarative (ASDIR)"),
    Choice("declaration", "déclaration de revenus, même préremplie"),
    Choice("instalment", "échéancier ou acompte prévisionnel"),
)
FACTS = "Le foyer"
DWELLING = "Le logement et le bail"
PIECES = "Les pièces"
RETURN = "La réponse"
SURVEY = "L'enquête"

_N, _D, _F, _T = Kind.NUMBER, Kind.DATE, Kind.FLAG, Kind.TEXT
COMPUTED: tuple[Symbol, ...] = (
    Symbol("occupant.age", _N, "Âge au 1er janvier de l'enquête", "Les occupants", per_row=True),
    Symbol("occupant.newcomer", _F, "Occupant absent du fichier du bailleur", "Les occupants", per_row=True),
    Symbol("occupant.rank", _N, "Rang de l'occupant", "Les occupants", per_row=True),
    Symbol("household.people", _N, "Nombre d'occupants, partis non compris", FACTS),
    Symbol("household.adults", _N, "Nombre d'occupants majeurs", FACTS),
    Symbol("household.minors", _N, "Nombre d'occupants mineurs", FACTS),
    Symbol("household.newcomers", _N, "Nombre d'occupants absents du fichier", FACTS),
    Symbol("household.income", _N, "Somme des revenus fiscaux de référence connus", FACTS, money=True),
    Symbol("case.apl", _F, "APL connue du bailleur", FACTS),
    Symbol("case.sls", _F, "Foyer soumis au SLS", FACTS),
    Symbol("case.ops", _F, "Foyer soumis à l'OPS", FACTS),
    Symbol("dwelling.qpv", _F, "Logement en quartier prioritaire", DWELLING),
    Symbol("dwelling.financing", _T, "Financement du logement", DWELLING),
    Symbol("dwelling.agency", _T, "Code de l'agence", DWELLING),
    Symbol("dwelling.estate", _T, "Code de la résidence", DWELLING),
    Symbol("dwelling.city", _T, "Commune", DWELLING),
    Symbol("dwelling.postcode", _T, "Code postal", DWELLING),
    Symbol("dwelling.ceiling_zone", _T, "Zone de plafond", DWELLING),
    Symbol("dwelling.slr_zone", _T, "Zone SLS", DWELLING),
    Symbol("dwelling.surface", _N, "Surface habitable (m²)", DWELLING),
    Symbol("lease.rent", _N, "Loyer hors charges", DWELLING, money=True),
    Symbol("lease.move_in_on", _D, "Entrée dans les lieux", DWELLING),
    Symbol("lease.non_response_years", _N, "Années sans réponse", DWELLING),
    Symbol("notice.count", _N, "Nombre d'avis reçus au nom de l'occupant", PIECES, per_row=True),
    Symbol("notice.year", _N, "Année des revenus de l'avis reçu", PIECES, per_row=True),
    Symbol("notice.income", _N, "Revenu fiscal de référence certifié par l'avis", PIECES, per_row=True, money=True),
    Symbol("notice.certified", _F, "Revenu certifié par le code signé de l'avis", PIECES, per_row=True),
    Symbol("notice.nature", Kind.CHOICE, "Nature du justificatif fiscal reçu", PIECES, per_row=True, choices=NATURES),
    Symbol("return.channel", Kind.CHOICE, "Voie de la réponse", RETURN, choices=CHANNELS),
    Symbol("return.on_paper", _F, "Réponse par courrier seulement", RETURN),
    Symbol("return.late", _F, "Réponse après la clôture", RETURN),
    Symbol("return.two_boxes", _F, "Plusieurs cases cochées pour une seule réponse", RETURN),
    Symbol("return.forbidden_data", _F, "Nationalité ou numéro de sécurité sociale écrit par le locataire", RETURN),
    Symbol("survey.year", _N, "Année de l'enquête (N)", SURVEY),
    Symbol("survey.income_year", _N, "Année des revenus demandés (N-2)", SURVEY),
    Symbol("survey.reference_on", _D, "1er janvier de l'enquête", SURVEY),
)
RESERVED = frozenset(symbol.name for symbol in COMPUTED)
# A question may not be called so: these words have another meaning in rules.
RESERVED_ROOTS = frozenset({"file", "declared", "document", "notice", "return", "survey", "case", "dwelling", "lease"})


def symbols_of(questionnaire: Questionnaire) -> dict[str, Symbol]:
    """Every symbol that the rules of that form may use, by name, in the order of the form."""
    return {symbol.name: symbol for symbol in (*_fields(questionnaire), *_documents(questionnaire), *COMPUTED)}


def _fields(questionnaire: Questionnaire) -> Iterator[Symbol]:
    known: list[Symbol] = []
    for section, field in questionnaire.fields():
        told = Symbol(
            name=field.key,
            kind=KINDS[field.type],
            label=field.name,
            group=section.title,
            per_row=section.repeated,
            choices=field.choices,
            money=field.type is FieldType.MONEY,
        )
        yield told
        if field.prefill:
            known.append(_renamed(told, FILE, "dans le fichier du bailleur", "Le fichier du bailleur"))
        if field.key in CERTIFIABLE:
            known.append(_renamed(told, DECLARED, "d'après le locataire", told.group))
    yield from known


def _renamed(symbol: Symbol, prefix: str, told: str, group: str) -> Symbol:
    return Symbol(
        name=prefix + symbol.name,
        kind=symbol.kind,
        label=f"{symbol.label}, {told}",
        group=group,
        per_row=symbol.per_row,
        choices=symbol.choices,
        money=symbol.money,
    )


def _documents(questionnaire: Questionnaire) -> Iterator[Symbol]:
    for document in questionnaire.documents:
        yield Symbol(DOCUMENT + document.key, Kind.FLAG, f"Pièce reçue : {document.label}", PIECES, document.repeated)
