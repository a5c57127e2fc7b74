"""A made-up landlord's deposit: XML in the nested dialect of `profiles/nested.toml`, code tables, management rules."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable
from decimal import Decimal

from lxml import etree

from returns.rehearsal.people import names
from tenants.landlord_file.records import HouseholdRecord, OccupantRecord

CODES: dict[str, dict[str, tuple[str, str]]] = {
    "LIEN": {
        "holder": ("01", "Titulaire"),
        "co_holder": ("02", "Cotitulaire"),
        "spouse": ("03", "Conjoint"),
        "partner": ("04", "Concubin"),
        "pacs": ("05", "Partenaire PACS"),
        "child": ("10", "Enfant"),
        "ascendant": ("20", "Ascendant"),
        "other": ("30", "Autre"),
        "lodger": ("99", "Hébergé"),
    },
    "SITUATION_FAMILIALE": {
        "single": ("C", "Célibataire"),
        "married": ("M", "Marié(e)"),
        "pacs": ("P", "Pacsé(e)"),
        "cohabiting": ("U", "Union libre"),
        "divorced": ("D", "Divorcé(e)"),
        "separated": ("S", "Séparé(e)"),
        "widowed": ("V", "Veuf(ve)"),
    },
    "ACTIVITE": {
        "stable": ("11", "Emploi stable (CDI, fonctionnaire)"),
        "precarious": ("12", "CDD, intérim, stage, apprentissage"),
        "self_employed": ("20", "Indépendant"),
        "unemployed": ("30", "Demandeur d'emploi"),
        "retired": ("40", "Retraité"),
        "student": ("50", "Étudiant"),
        "disabled": ("60", "Invalidité"),
        "none": ("90", "Sans activité"),
    },
    "FINANCEMENT": {
        "PLAI": ("PLA-I", "PLAI"),
        "PLUS": ("PLUS", "PLUS"),
        "PLS": ("PLS", "PLS"),
        "PLI": ("PLI", "PLI"),
    },
}

RULES = """code;objet;situation;consigne;gravité
RG01;Signature;toujours;Le formulaire papier doit être daté et signé par un titulaire du bail.;bloquante
RG02;Avis d'imposition;chaque occupant majeur;Avis complet sur les revenus de l'année N-2.;bloquante
RG06;Mariage ou PACS déclaré;situation devenue marié ou pacsé;Justificatif d'état civil.;bloquante
RG07;Séparation ou divorce;situation devenue divorcé ou séparé;Extrait de jugement ou convention.;bloquante
RG09;Naissance;mineur absent du fichier;Acte de naissance ou livret de famille complet.;bloquante
RG16;Dossier APL ou QPV;bénéficiaire de l'APL ou logement en QPV;Aucune pièce de ressources au titre du SLS.;info
"""


def households_xml(households: Iterable[HouseholdRecord], *, year: int) -> bytes:
    """The whole file, UTF-8, dates as 31/12/2026 and decimal commas."""
    root = etree.Element("EnqueteSLS", annee=str(year), bailleur="REPET")
    root.text = "\n"
    for household in households:
        root.append(_household(household))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def code_tables_csv() -> bytes:
    """The landlord's code tables: table;code;libelle."""
    told = io.StringIO()
    lines = csv.writer(told, delimiter=";", lineterminator="\n")
    lines.writerow(["table", "code", "libelle"])
    for table, values in CODES.items():
        lines.writerows([table, code, label] for code, label in values.values())
    lines.writerows(["AGENCE", code, label] for code, label in names()["agencies"])
    lines.writerows(["RESIDENCE", code, label] for code, label in names()["estates"])
    return told.getvalue().encode()


def rules_csv() -> bytes:
    """The landlord's management rules, written for people."""
    return RULES.encode()


def _household(told: HouseholdRecord) -> etree._Element:
    node = etree.Element("Locataire")
    node.tail = "\n"
    _text(node, "Reference", told.tenant_ref)
    lease = etree.SubElement(node, "Bail")
    _texts(lease, Numero=told.lease_ref, DateEntree=_date(told.move_in), LoyerHC=_decimal(told.rent))
    dwelling = etree.SubElement(node, "Logement")
    _texts(dwelling, Code=told.dwelling_ref, RPLS=told.rpls)
    _text(dwelling, "Residence", told.estate_name).set("code", told.estate)
    _texts(
        dwelling,
        Agence=told.agency,
        SurfaceHabitable=_decimal(told.surface),
        Financement=CODES["FINANCEMENT"][told.financing][0],
        ZonePlafond=told.ceiling_zone,
        ZoneSLS=told.slr_zone,
        QPV=_flag(told.qpv),
    )
    address = etree.SubElement(node, "Adresse")
    _texts(address, Ligne2=told.address_2, Ligne3=told.address_3, Ligne4=told.address_4)
    _texts(address, CodePostal=told.postcode, Ville=told.city)
    _texts(etree.SubElement(node, "Contact"), Courriel=told.email, Mobile=told.mobile)
    _texts(node, APL=_flag(told.apl), NonReponses=str(told.non_response_years))
    people = etree.SubElement(node, "Occupants")
    for person in told.occupants:
        people.append(_occupant(person))
    return node


def _occupant(told: OccupantRecord) -> etree._Element:
    node = etree.Element("Occupant", rang=str(told.rank))
    _texts(
        node,
        Lien=CODES["LIEN"][told.link][0],
        Sexe=told.sex,
        Nom=told.last_name,
        Prenom=told.first_name,
        DateNaissance=_date(told.birth_date),
        SituationFamiliale=CODES["SITUATION_FAMILIALE"][told.status][0],
        Activite=CODES["ACTIVITE"][told.activity][0],
        CMI=_flag(told.cmi),
        ACharge=_flag(told.dependant),
    )
    return node


def _text(parent: etree._Element, tag: str, text: str) -> etree._Element:
    node = etree.SubElement(parent, tag)
    node.text = text
    return node


def _texts(parent: etree._Element, **texts: str) -> None:
    for tag, text in texts.items():
        _text(parent, tag, text)


def _date(day: dt.date | None) -> str:
    return day.strftime("%d/%m/%Y") if day else ""


def _decimal(number: Decimal | None) -> str:
    return "" if number is None else f"{number:.2f}".replace(".", ",")


def _flag(value: bool | None) -> str:
    return "O" if value else "N"
