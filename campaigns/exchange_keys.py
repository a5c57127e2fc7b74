"""The secrets of SFTP accounts: public keys as people paste them, passwords as OpenSSH can check them. No database."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass

import paramiko
from django.contrib.auth.hashers import BCryptPasswordHasher

# ANSSI, « Recommandations pour un usage sécurisé d'(Open)SSH » (DAT-NT-007): no DSA, RSA of 2048 bits at least.
KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
LEAST_RSA_BITS = 2048
NO_PASSWORD = "*"  # noqa: S105 - what shadow(5) writes for an account that no password opens
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for something else when read aloud
_CRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")


class UnreadableKey(ValueError):
    """What was pasted is not a public key that we accept; the message is a French sentence."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: `text` is `kind body` as OpenSSH writes it, `fingerprint` is `SHA256:…` as its clients show it."""

    text: str
    fingerprint: str
    comment: str = ""


class _Hasher(BCryptPasswordHasher):
    """bcrypt without anything of Django's around it: crypt(3) of Debian reads the same text."""

    rounds = 10  # the passwords are drawn, of 124 bits: the cost protects nothing that chance does not


def read_public_key(pasted: str) -> PublicKey:
    """The key in an OpenSSH line or in an RFC 4716 block (PuTTY, WinSCP). Raises UnreadableKey."""
    text = pasted.strip()
    if "PRIVATE KEY" in text or text.startswith("PuTTY-User-Key-File"):
        raise UnreadableKey(
            "C'est une clé privée : elle ne doit être donnée à personne, et il faut en créer une autre. "
            "Collez la clé publique (le fichier qui finit par .pub)."
        )
    words = _rfc4716(text) if text.startswith("---- BEGIN SSH2") else text.split(maxsplit=2)
    if len(words) < 2 or ("\n" in text and not text.startswith("----")):
        raise UnreadableKey("Collez une clé publique entière, sur une ligne : « ssh-ed25519 AAAA… commentaire ».")
    kind, body, *comment = words
    if kind not in KINDS:
        raise UnreadableKey(f"Ce genre de clé n'est pas accepté. Genres acceptés : {', '.join(KINDS)}.")
    try:
        blob = base64.b64decode(body, validate=True)
        key = paramiko.PKey.from_type_string(kind, blob)
    except (ValueError, binascii.Error, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        raise UnreadableKey("Cette clé est abîmée ou incomplète : copiez-la de nouveau en entier.") from error
    if isinstance(key, paramiko.RSAKey) and _bits(key) < LEAST_RSA_BITS:
        raise UnreadableKey(f"Cette clé RSA est trop courte : {LEAST_RSA_BITS} bits au moins.")
    return PublicKey(f"{kind} {body}", fingerprint_of(blob), comment[0].strip() if comment else "")


def fingerprint_of(blob: bytes) -> str:
    """`SHA256:…`, as `ssh-keygen -l` shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def draw_secret() -> str:
    """A new password: five groups of five, easy to read and to copy."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(5))


def hash_secret(password: str) -> str:
    """The password as shadow(5) keeps it (`$2b$…`)."""
    hasher = _Hasher()
    return hasher.encode(password, hasher.salt()).removeprefix("bcrypt$")


def is_secret(password: str, hashed: str) -> bool:
    """Whether that is the password."""
    return (
        _CRYPT.fullmatch(hashed) is not None and len(password) <= 72 and _Hasher().verify(password, f"bcrypt${hashed}")
    )


def _rfc4716(text: str) -> list[str]:
    """Kind, body and comment of a `---- BEGIN SSH2 PUBLIC KEY ----` block."""
    comment, body = "", []
    for line in text.splitlines():
        if line.startswith("Comment:"):
            comment = line.partition(":")[2].strip().strip('"')
        elif line and not line.startswith("----") and ":" not in line:
            body.append(line.strip())
    encoded = "".join(body)
    try:
        blob = base64.b64decode(encoded, validate=True)
        kind = blob[4 : 4 + int.from_bytes(blob[:4], "big")].decode("ascii")
    except ValueError:
        return []
    return [kind, encoded, comment]


def _bits(key: paramiko.RSAKey) -> int:
    return int(key.get_bits())
