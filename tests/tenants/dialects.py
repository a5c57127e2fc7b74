"""The same households written as other landlords would: for the proposal of profiles, which knows none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

Case = Mapping[str, Any]
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
LINKS = {
    "holder": "Titulaire",
    "co_holder": "Cotitulaire",
    "spouse": "Conjoint",
    "partner": "Concubin",
    "pacs": "Pacsé",
    "child": "Enfant",
    "ascendant": "Ascendant",
    "other": "Autre",
    "lodger": "Hébergé",
}
NATIVE = {
    "link": {
        "holder": "titulaire",
        "co_holder": "cotitulaire",
        "spouse": "conjoint",
        "partner": "concubin",
        "pacs": "pacs",
        "child": "enfant",
        "ascendant": "ascendant",
        "other": "autre",
        "lodger": "heberge",
    },
    "status": {
        "single": "celibataire",
        "married": "marie",
        "pacs": "pacse",
        "cohabiting": "union-libre",
        "divorced": "divorce",
        "separated": "separe",
        "widowed": "veuf",
    },
}


def clean(truth: Mapping[str, Any], number: int = 80) -> list[Case]:
    """The first households of a landlord's truth in which nothing wrong was planted."""
    planted = {each["tenant_ref"] for each in truth["anomalies"]}
    return [case for case in truth["cases"] if case["occupants"] and case["tenant_ref"] not in planted][:number]


def native(cases: list[Case]) -> str:
    """Our own format."""
    told = []
    for case in cases:
        people = "".join(
            f'<occupant lien="{NATIVE["link"][each["link"]]}" sexe="{each["sex"]}" naissance="{each["birth_date"]}"'
            f' situation="{NATIVE["status"][each["status"]]}"><nom>{escape(each["last_name"])}</nom>'
            f"<prenom>{escape(each['first_name'])}</prenom></occupant>"
            for each in case["occupants"]
        )
        told.append(
            f'<menage reference="{case["tenant_ref"]}" bail="{case["lease_ref"]}" entree="{case["move_in"]}"'
            f' loyer="{case["rent"]}" apl="{"oui" if case["apl"] else "non"}">'
            f'<logement reference="{case["dwelling_ref"]}" rpls="{case["rpls"]}" agence="{case["agency"]}"'
            f' surface="{case["surface"]}" financement="{case["financing"]}"'
            f' qpv="{"oui" if case["qpv"] else "non"}"/><adresse><ligne4>{escape(case["address_4"])}</ligne4>'
            f"<code-postal>{case['postcode']}</code-postal><ville>{escape(case['city'])}</ville></adresse>"
            f"<courriel>{case['email']}</courriel><mobile>{case['mobile']}</mobile><occupants>{people}</occupants></menage>"
        )
    return f"{HEAD}<menages>{''.join(told)}</menages>"


def namespaced(cases: list[Case]) -> str:
    """English names, two namespaces, dates as 20260131, the rent in cents, Y and N."""
    told = []
    for case in cases:
        people = "".join(
            f"<p:person><p:lastName>{escape(each['last_name'])}</p:lastName><p:firstName>{escape(each['first_name'])}"
            f"</p:firstName><p:dateOfBirth>{each['birth_date'].replace('-', '')}</p:dateOfBirth>"
            f"<p:relationship>{LINKS[each['link']]}</p:relationship><p:gender>{each['sex']}</p:gender></p:person>"
            for each in case["occupants"]
        )
        told.append(
            f'<t:tenancy xmlns:p="urn:people"><t:tenantReference>{case["tenant_ref"]}</t:tenantReference>'
            f"<t:leaseNumber>{case['lease_ref']}</t:leaseNumber>"
            f"<t:moveInDate>{case['move_in'].replace('-', '')}</t:moveInDate>"
            f"<t:rentCents>{str(case['rent']).replace('.', '')}</t:rentCents>"
            f"<t:dwelling t:id={quoteattr(case['dwelling_ref'])}>"
            f"<t:livingArea>{case['surface']}</t:livingArea><t:streetAddress>{escape(case['address_4'])}</t:streetAddress>"
            f"<t:postcode>{case['postcode']}</t:postcode><t:town>{escape(case['city'])}</t:town></t:dwelling>"
            f"<t:housingBenefit>{'Y' if case['apl'] else 'N'}</t:housingBenefit><t:email>{case['email']}</t:email>"
            f"<t:household>{people}</t:household></t:tenancy>"
        )
    return f'{HEAD}<t:export xmlns:t="urn:tenancies">{"".join(told)}</t:export>'


def _rows(cases: list[Case], write: Callable[[Case, Case, int], str]) -> str:
    return "".join(write(case, each, rank) for case in cases for rank, each in enumerate(case["occupants"], start=1))


def columns(cases: list[Case]) -> str:
    """A generic table: one row per occupant, columns named by an attribute, NULL, postcode and town together."""

    def write(case: Case, each: Case, rank: int) -> str:
        values = {
            "NUM_LOCATAIRE": case["tenant_ref"],
            "NO_CONTRAT": case["lease_ref"],
            "CODE_LOGEMENT": case["dwelling_ref"],
            "DT_ENTREE": "/".join(reversed(case["move_in"].split("-"))),
            "MT_LOYER": str(case["rent"]).replace(".", ","),
            "SURF_HAB": str(case["surface"]).replace(".", ","),
            "VOIE": case["address_4"],
            "CPVILLE": f"{case['postcode']} {case['city']}",
            "MAIL": case["email"] or "NULL",
            "TEL_MOBILE": case["mobile"] or "NULL",
            "BENEF_APL": "OUI" if case["apl"] else "NON",
            "NUM_ORDRE": rank,
            "NOM": each["last_name"],
            "PRENOM": each["first_name"],
            "DT_NAISS": "/".join(reversed(each["birth_date"].split("-"))),
            "CIVILITE": {"M": "M.", "F": "Mme"}[each["sex"]],
            "LIEN_PARENTE": LINKS[each["link"]],
        }
        told = "".join(f"<col name='{name}'>{escape(str(value))}</col>" for name, value in values.items())
        return f"<row>{told}</row>"

    return f"{HEAD}<table>{_rows(cases, write)}</table>"


def flat(cases: list[Case]) -> str:
    """One row per occupant, attributes only, the whole name and the whole address packed."""

    def write(case: Case, each: Case, rank: int) -> str:
        street = "|".join((case["address_2"], case["address_3"], case["address_4"]))
        values = {
            "CodeTiers": case["tenant_ref"],
            "RefBail": case["lease_ref"],
            "Loyer": case["rent"],
            "DateEffetBail": case["move_in"] + " 00:00:00",
            "Adresse": street,
            "CodePostal": case["postcode"],
            "Commune": case["city"],
            "QPV": int(case["qpv"]),
            "NomPrenom": f"{each['last_name']}, {each['first_name']}",
            "DDN": each["birth_date"] + " 00:00:00",
            "Sexe": {"M": "1", "F": "2"}[each["sex"]],
            "Lien": LINKS[each["link"]],
        }
        return "<Ligne " + " ".join(f"{name}={quoteattr(str(value))}" for name, value in values.items()) + "/>"

    return f"{HEAD}<Extraction>{_rows(cases, write)}</Extraction>"


def relational(cases: list[Case]) -> str:
    """Four lists joined by ids, the people first: people, residences, dwellings cited by the leases, leases."""
    people = _rows(
        cases,
        lambda case, each, rank: (
            f"<personne><contrat>{case['lease_ref']}</contrat><rang>{rank}</rang><nom_usage>{escape(each['last_name'])}"
            f"</nom_usage><prenom>{escape(each['first_name'])}</prenom><date_naiss>{each['birth_date']}</date_naiss>"
            f"<lien>{LINKS[each['link']]}</lien></personne>"
        ),
    )
    estates = {case["estate"]: case["estate_name"] for case in cases}
    residences = "".join(
        f"<residence><code>{c}</code><libelle>{escape(n)}</libelle></residence>" for c, n in estates.items()
    )
    dwellings = "".join(
        f"<logement><id>{case['dwelling_ref']}</id><code_residence>{case['estate']}</code_residence>"
        f"<surface>{case['surface']}</surface><adresse_voie>{escape(case['address_4'])}</adresse_voie>"
        f"<cp>{case['postcode']}</cp><commune>{escape(case['city'])}</commune></logement>"
        for case in cases
    )
    leases = "".join(
        f"<contrat><numero>{case['lease_ref']}</numero><locataire>{case['tenant_ref']}</locataire>"
        f"<logement>{case['dwelling_ref']}</logement><date_entree>{case['move_in']}</date_entree>"
        f"<loyer_hc>{case['rent']}</loyer_hc><courriel>{case['email']}</courriel></contrat>"
        for case in cases
    )
    return (
        f"{HEAD}<base><personnes>{people}</personnes><residences>{residences}</residences>"
        f"<logements>{dwellings}</logements><contrats>{leases}</contrats></base>"
    )


DIALECTS: dict[str, Callable[[list[Case]], str]] = {
    each.__name__: each for each in (native, namespaced, columns, flat, relational)
}
