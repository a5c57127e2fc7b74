"""Is a sealed package whole, and does its time-stamp hold? Needs the file alone: no database, no network.

What `manage.py verify_package FILE` says; docs/constat.md tells how to do the same with sha256sum and openssl.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tenants.constat.timestamps import WrongStamp, verified

MANIFEST, SUMS, STAMP, CHAIN = "MANIFESTE.json", "SHA256SUMS", "HORODATAGE.tsr", "AUTORITE.pem"
ENVELOPE = frozenset({MANIFEST, SUMS, STAMP, CHAIN})  # what the manifest cannot list
FORMAT = 1
LARGEST_MANIFEST = 256 * 1024 * 1024
BLOCK = 1 << 20


@dataclass
class Verdict:
    """What the verification found; the package holds when `problems` is empty. `facts` are sentences to read."""

    problems: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def as_table(self) -> dict[str, Any]:
        """For machines."""
        return {"holds": self.holds, "problems": self.problems, "facts": self.facts, "warnings": self.warnings}


def verify(path: Path, *, certificates: bytes | None = None) -> Verdict:
    """Check a package: every item, nothing besides, the sums, the time-stamp.

    `certificates` (PEM) are those in which the reader trusts the authority; without them, the package's own are used,
    and the verdict says so. Never raises for what the file holds.
    """
    verdict = Verdict()
    try:
        with zipfile.ZipFile(path) as package:
            _verify(package, verdict, certificates)
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        verdict.problems.append(f"Ce fichier n'est pas un paquet lisible : {type(error).__name__}.")
    return verdict


def _verify(package: zipfile.ZipFile, verdict: Verdict, certificates: bytes | None) -> None:
    names = package.namelist()
    verdict.problems += [f"« {name} » figure deux fois." for name in sorted({n for n in names if names.count(n) > 1})]
    told = _manifest(package, verdict)
    if told is None:
        return
    manifest, raw = told
    found = _items(package, manifest, verdict)
    _sums(package, found | {MANIFEST: hashlib.sha256(raw).hexdigest()}, verdict)
    verdict.facts.append(f"Manifeste : SHA-256 {hashlib.sha256(raw).hexdigest()}.")
    verdict.facts.append(f"Scellé le {manifest.get('scelle_le', '?')} ; {len(found)} fichiers conformes au manifeste.")
    _stamp(package, manifest, raw, verdict, certificates)


def _manifest(package: zipfile.ZipFile, verdict: Verdict) -> tuple[dict[str, Any], bytes] | None:
    if MANIFEST not in package.namelist():
        verdict.problems.append(f"Le paquet n'a pas de {MANIFEST}.")
        return None
    if package.getinfo(MANIFEST).file_size > LARGEST_MANIFEST:
        verdict.problems.append("Le manifeste est démesuré.")
        return None
    raw = package.read(MANIFEST)
    try:
        manifest = json.loads(raw)
        known = manifest["format"] == FORMAT and isinstance(manifest["fichiers"], list)
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        verdict.problems.append("Le manifeste ne se lit pas, ou son format n'est pas connu de cette version.")
        return None
    return manifest, raw


def _items(package: zipfile.ZipFile, manifest: dict[str, Any], verdict: Verdict) -> dict[str, str]:
    """Each item against the manifest; returns the digests of those that agree, by name."""
    listed = {str(item.get("nom")): item for item in manifest["fichiers"] if isinstance(item, dict)}
    present = set(package.namelist()) - ENVELOPE
    verdict.problems += [f"« {name} » manque au paquet." for name in sorted(listed.keys() - present)]
    verdict.problems += [f"« {name} » n'est pas au manifeste." for name in sorted(present - listed.keys())]
    found = {}
    for name in sorted(present & listed.keys()):
        size, digest = _digest(package, name, limit=int(listed[name].get("taille", 0)))
        if (size, digest) == (listed[name].get("taille"), listed[name].get("sha256")):
            found[name] = digest
        else:
            verdict.problems.append(f"« {name} » a été modifié : son empreinte n'est pas celle du manifeste.")
    return found


def _digest(package: zipfile.ZipFile, name: str, *, limit: int) -> tuple[int, str]:
    """Size and SHA-256; reading stops beyond the size that the manifest tells."""
    digest, size = hashlib.sha256(), 0
    with package.open(name) as content:
        while (block := content.read(BLOCK)) and size <= limit:
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


def _sums(package: zipfile.ZipFile, found: dict[str, str], verdict: Verdict) -> None:
    if SUMS not in package.namelist():
        verdict.problems.append(f"Le paquet n'a pas de {SUMS}.")
        return
    told = {}
    for line in package.read(SUMS).decode("utf-8", "replace").splitlines():
        digest, _, name = line.partition("  ")
        told[name] = digest
    wrong = sorted(name for name, digest in found.items() if told.get(name) != digest)
    if wrong or told.keys() - found.keys():
        verdict.problems.append(f"{SUMS} ne dit pas la même chose que le manifeste.")


def _stamp(
    package: zipfile.ZipFile, manifest: dict[str, Any], raw: bytes, verdict: Verdict, certificates: bytes | None
) -> None:
    stamping = manifest.get("horodatage", {})
    if STAMP not in package.namelist():
        if stamping.get("demande"):
            verdict.problems.append("Le manifeste annonce un horodatage, et le paquet n'en a pas.")
        else:
            verdict.warnings.append("Aucun horodatage : la date du paquet n'est attestée que par son auteur.")
        return
    trusted = certificates or (package.read(CHAIN) if CHAIN in package.namelist() else b"")
    try:
        stamp = verified(raw, package.read(STAMP), trusted)
    except WrongStamp as error:
        verdict.problems.append(f"L'horodatage ne vaut pas : {error}")
        return
    verdict.facts.append(f"Horodaté le {stamp.at.isoformat()} par « {stamp.authority} » (RFC 3161).")
    if certificates is None:
        verdict.warnings.append(
            "Le certificat de l'autorité vient du paquet lui-même : comparez-le à celui qu'elle publie (option --ca)."
        )
