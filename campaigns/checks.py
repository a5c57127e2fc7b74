"""System checks: what must stand before anything is run, said with what to do about it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.utils.module_loading import import_string

from campaigns.questionnaire import consistency
from campaigns.questionnaire.parsing import library_keys, load_library
from campaigns.questionnaire.schema import DefinitionError

FONT = "@fontsource/atkinson-hyperlegible-next/files/atkinson-hyperlegible-next-latin-400-normal.woff2"


@register("questionnaire")
def library_is_consistent(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Every definition of the library can be asked."""
    found: list[CheckMessage] = []
    for key in library_keys():
        try:
            problems = consistency.check(load_library(key))
        except DefinitionError as error:
            problems = error.problems
        hint = "Corrigez campaigns/questionnaire/library/."
        found += [Error(f"Questionnaire « {key} » : {problem}", hint=hint, id="campaigns.E001") for problem in problems]
    return found


@register("messaging")
def sms_backend_exists(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The setting SMS_BACKEND names a class."""
    try:
        import_string(settings.SMS_BACKEND)
    except ImportError:
        hint = "Donnez à SMS_BACKEND le chemin d'une classe de tenants.messaging.sms."
        return [Error(f"SMS_BACKEND « {settings.SMS_BACKEND} » n'existe pas.", hint=hint, id="campaigns.E002")]
    return []


@register("reading")
def tesseract_reads_french(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The OCR of the joined pieces is installed, with French."""
    hint = "Installez tesseract-ocr et tesseract-ocr-fra (make setup le fait)."
    program = shutil.which("tesseract")
    if program is None:
        return [
            Warning("tesseract n'est pas installé : les pièces ne seront pas lues.", hint=hint, id="campaigns.W001")
        ]
    told = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=False)  # noqa: S603
    if "fra" not in (told.stdout + told.stderr).split():
        return [Warning("tesseract ne connaît pas le français (fra).", hint=hint, id="campaigns.W002")]
    return []


@register("staticfiles")
def fonts_are_installed(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The typeface of the screens came with the front-end packages."""
    if (Path(settings.NODE_MODULES) / FONT).exists():
        return []
    hint = "Lancez « npm ci » (make setup le fait)."
    return [Warning("La police des écrans manque dans node_modules.", hint=hint, id="campaigns.W003")]
