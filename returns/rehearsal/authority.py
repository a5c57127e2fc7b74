"""The rehearsal's own signing authority: mints certificates and 2D-Docs that only rehearsals trust.

The key is drawn once and kept beside the media of the installation; it signs nothing but specimens.
"""

from __future__ import annotations

import datetime as dt
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

AUTHORITY, SIGNER = "RP00", "RPT1"  # four characters each, as the standard wants; neither exists in the national list
EPOCH = dt.date(2000, 1, 1)
VALID_FROM = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
VALID_TO = dt.datetime(2060, 1, 1, tzinfo=dt.UTC)
SIGNED_ON = "2500"  # days since 2000-01-01 in hexadecimal: 2025-12-12
GROUP_END = "\x1d"


@dataclass(frozen=True, slots=True)
class Authority:
    """A signing key and the certificates (PEM) that prove it. Plain bytes, so that it crosses to other processes."""

    key: bytes
    certificates: bytes

    @classmethod
    def minted(cls) -> Authority:
        """A fresh authority: its root, and one signer."""
        root, signer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root_certificate = _certificate(AUTHORITY, root.public_key(), AUTHORITY, root)
        signer_certificate = _certificate(SIGNER, signer.public_key(), AUTHORITY, root)
        pem = serialization.Encoding.PEM
        key = signer.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return cls(key, root_certificate.public_bytes(pem) + signer_certificate.public_bytes(pem))

    @classmethod
    def kept_in(cls, folder: Path) -> Authority:
        """The authority of this installation, minted at the first call."""
        key, certificates = folder / "authority.key", folder / "authority.pem"
        if not (key.exists() and certificates.exists()):
            folder.mkdir(parents=True, exist_ok=True)
            fresh = cls.minted()
            key.touch(mode=0o600)
            key.write_bytes(fresh.key)
            certificates.write_bytes(fresh.certificates)
        return cls(key.read_bytes(), certificates.read_bytes())

    def tax_notice_code(
        self,
        *,
        income_year: int,
        income: int,
        notice_reference: str,
        declarants: Sequence[str],
        tax_numbers: Sequence[str],
    ) -> str:
        """The text of the 2D-Doc of a tax notice (document type 28, version 4)."""
        header = f"DC04{AUTHORITY}{SIGNER}FFFF{SIGNED_ON}2801FR"
        body = f"43{'1,0'}{GROUP_END}44{notice_reference}45{income_year}4A15082026"
        body += f"41{income}{GROUP_END}"
        for place, (name, number) in enumerate(zip(declarants, tax_numbers, strict=False)):
            body += f"{('46', '48')[place]}{name}{GROUP_END}{('47', '49')[place]}{number}"
        signed = header + body
        return f"{signed}\x1f{self._signature(signed.encode('ascii'))}"

    def _signature(self, data: bytes) -> str:
        key = serialization.load_pem_private_key(self.key, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("La clé de répétition n'est pas une clé à courbe elliptique.")
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return b32encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode().rstrip("=")


def _certificate(
    name: str, public: ec.EllipticCurvePublicKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_TO)
        .sign(issuer_key, hashes.SHA256())
    )
