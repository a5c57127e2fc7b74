"""The stage of a made-up rehearsal: a landlord, the people who sign in, and the deposit that it drops by SFTP."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from campaigns.exchange import LandlordExchange
from campaigns.models import Landlord, User
from returns.rehearsal.deposit import code_tables_csv, households_xml, rules_csv
from returns.rehearsal.people import Village

LANDLORDS = (
    ("val-de-brenne", "Val-de-Brenne Habitat", "#1F5F5B", "14 place de l'Écluse\n37000 Tours"),
    ("rives-du-cher", "Rives du Cher Logement", "#7A2E3A", "3 quai des Tilleuls\n37270 Montlouis-sur-Loire"),
)
REPLY = dt.timedelta(days=36)  # the month of the law, moved past a week-end or a holiday
# Who drops the deposits that lie on disk, in the order they are named.
DEPOSITORS = (
    ("coteaux-de-l-indre", "Coteaux de l'Indre Habitat", "#1E4E79", "2 rue du Moulin-Neuf\n37250 Montbazon"),
    ("plaine-de-varenne", "Plaine de Varenne Logement", "#5B3A6E", "9 allée des Peupliers\n37550 Saint-Avertin"),
)


@dataclass(frozen=True, slots=True)
class Login:
    """Someone who may sign in after the rehearsal, and where that leads."""

    role: str
    username: str
    password: str
    path: str


def build(*, password: str) -> tuple[Landlord, list[Login]]:
    """The landlords and one user a role, made once and kept when they are there. Returns the playing landlord."""
    landlords = [_landlord(*told) for told in LANDLORDS]
    people = (
        ("chargé d'affaires", "charge", User.Role.CASE_MANAGER, None, "/admin/"),
        ("opératrice de saisie", "saisie", User.Role.KEYING_OPERATOR, None, "/saisie/"),
        ("opérateur de saisie", "saisie2", User.Role.KEYING_OPERATOR, None, "/saisie/"),
        ("conseillère téléphonique", "conseil", User.Role.CALL_AGENT, None, "/suivi/"),
        ("bailleur", "bailleur", User.Role.LANDLORD, landlords[0], "/suivi/"),
        ("autre bailleur", "rival", User.Role.LANDLORD, landlords[1], "/suivi/"),
    )
    hashed = make_password(password)  # slow on purpose: once for all
    logins = []
    for label, username, role, landlord, path in people:
        _user(username, role=role, landlord=landlord, hashed=hashed)
        logins.append(Login(role=label, username=username, password=password, path=path))
    return landlords[0], logins


def depositor(number: int) -> Landlord:
    """The invented landlord of the deposit of that number, from 0: always the same one. There are but a few."""
    return _landlord(*DEPOSITORS[number])


def troupe() -> list[User]:
    """Two made-up keying operators and a made-up case manager, who key, arbitrate and approve in rehearsals only.

    Their accounts are inactive: nobody signs in with them, and no real person is said to have done what they did.
    """
    parts = (
        ("repetition-saisie-1", User.Role.KEYING_OPERATOR),
        ("repetition-saisie-2", User.Role.KEYING_OPERATOR),
        ("repetition-charge", User.Role.CASE_MANAGER),
    )
    return [
        User.objects.get_or_create(username=name, defaults={"role": role, "is_active": False})[0]
        for name, role in parts
    ]


def drop_deposit(*, exchange: LandlordExchange, village: Village) -> dict[str, int]:
    """The landlord drops its three files in `depot/`. Returns their sizes in bytes."""
    files = {
        "tables_correspondance.csv": code_tables_csv(),
        "regles_gestion.csv": rules_csv(),
        "locataires.xml": households_xml(village.people(), year=village.year),
    }
    for name, content in files.items():
        exchange.deliver("depot", name, io.BytesIO(content))
    return {name: len(content) for name, content in files.items()}


def calendar(today: dt.date) -> tuple[dt.date, dt.date, dt.date]:
    """Dispatch, reply-by and closing such that the whole campaign is over by `today`."""
    opens = today - dt.timedelta(days=100)
    return opens, opens + REPLY, today - dt.timedelta(days=4)


def _landlord(code: str, name: str, accent: str, sender: str) -> Landlord:
    landlord, _ = Landlord.objects.get_or_create(
        code=code,
        defaults={
            "name": name,
            "accent": accent,
            "sender_lines": sender,
            "reply_address": "Centre de traitement de l'enquête\nTSA 71004\n37099 TOURS CEDEX 9",
            "hotline": "02 47 00 00 00",
            "contact_email": "enquete@exemple.invalid",
            "privacy_contact": "donnees-personnelles@exemple.invalid",
            "sftp_username": code,
        },
    )
    return landlord


def _user(username: str, *, role: User.Role, landlord: Landlord | None, hashed: str) -> User:
    staff = role == User.Role.CASE_MANAGER
    user, _ = User.objects.get_or_create(
        username=username,
        defaults={"role": role, "landlord": landlord, "is_staff": staff, "is_superuser": staff},
    )
    user.password = hashed
    user.save()
    return user
