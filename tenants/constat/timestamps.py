"""RFC 3161 time-stamps: an authority signs that a digest existed at a moment. An adapter: any authority will do.

Without an authority in the settings nothing is stamped, and the package says so.
"""

from __future__ import annotations

import datetime as dt
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID
from django.conf import settings
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from tenants.constat.der import with_sorted_certificates

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
LONGEST_REPLY = 256 * 1024  # bytes; a real one takes a few thousand


class UnableToStamp(Exception):
    """No time-stamp could be had; the message says why, in French."""


class WrongStamp(Exception):
    """The time-stamp does not prove this; the message says why, in French."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A time-stamping authority: its address, and the certificates (PEM) in which we trust it."""

    url: str
    certificates: bytes
    timeout: float = 15.0


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the authority answered (DER), the moment that it signs, and its name."""

    response: bytes
    at: dt.datetime
    authority: str


def configured() -> Authority | None:
    """The authority of the settings (TSA_URL, TSA_CERTIFICATES); None when there is none. Raises UnableToStamp."""
    if not settings.TSA_URL:
        return None
    try:
        certificates = Path(settings.TSA_CERTIFICATES).read_bytes()
    except OSError as error:
        raise UnableToStamp(
            "Le fichier des certificats de l'autorité d'horodatage (TSA_CERTIFICATES) manque."
        ) from error
    return Authority(settings.TSA_URL, certificates)


def stamp(message: bytes, authority: Authority) -> Stamp:
    """Have `message` stamped, and check the answer before believing it. Raises UnableToStamp."""
    request = TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).build()
    answer = _asked(authority, request.as_bytes())
    try:
        return verified(message, answer, authority.certificates, nonce=request.nonce)
    except WrongStamp as error:
        raise UnableToStamp(f"L'autorité d'horodatage a répondu, mais sa réponse ne vaut rien : {error}") from error


def verified(message: bytes, answer: bytes, certificates: bytes, *, nonce: int | None = None) -> Stamp:
    """The stamp that `answer` (DER) gives to `message`, under these certificates (PEM). Raises WrongStamp."""
    trusted = _certificates(certificates)
    try:
        response = decode_timestamp_response(with_sorted_certificates(answer))
        builder = VerifierBuilder(
            roots=[each for each in trusted if each.issuer == each.subject],
            intermediates=[each for each in trusted if each.issuer != each.subject],
            nonce=nonce,
        )
        builder.build().verify_message(response, message)
    except (VerificationError, ValueError) as error:
        raise WrongStamp(_in_french(str(error))) from error
    return Stamp(answer, response.tst_info.gen_time, _signer(response))


def _asked(authority: Authority, query: bytes) -> bytes:
    if not authority.url.startswith(("https://", "http://")):
        raise UnableToStamp("L'adresse de l'autorité d'horodatage (TSA_URL) commence par https:// ou http://.")
    request = urllib.request.Request(authority.url, data=query, headers={"Content-Type": QUERY, "Accept": REPLY})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=authority.timeout) as reply:  # noqa: S310 - the scheme is checked
            content_type = reply.headers.get_content_type()
            answer: bytes = reply.read(LONGEST_REPLY + 1)
    except (OSError, urllib.error.URLError) as error:
        raise UnableToStamp("L'autorité d'horodatage ne répond pas. Réessayez dans quelques minutes.") from error
    if content_type != REPLY or len(answer) > LONGEST_REPLY:
        raise UnableToStamp("L'autorité d'horodatage n'a pas rendu de réponse RFC 3161 : vérifiez son adresse.")
    return answer


def _certificates(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise WrongStamp("les certificats de l'autorité ne se lisent pas (format PEM attendu).") from error


def _signer(response: TimeStampResponse) -> str:
    """The name under which the authority signs: that of the certificate which the signature names."""
    signer = next(iter(response.signed_data.signer_infos))
    for der in response.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(der)
        if certificate.serial_number == signer.serial_number and certificate.issuer == signer.issuer:
            names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            return str(names[0].value)[:200] if names else certificate.subject.rfc4514_string()[:200]
    return ""


def _in_french(told: str) -> str:
    if "Mismatch between messages" in told:
        return "l'horodatage porte sur un autre contenu."
    if "Nonce" in told:
        return "l'horodatage répond à une autre demande."
    if "GRANTED" in told:
        return "l'autorité a refusé la demande."
    return "la signature de l'horodatage n'est pas celle d'une autorité de confiance."
