"""`manage.py check_definition FILE`: is this definition of a form acceptable, on screen and on paper?"""

from __future__ import annotations

import json
import sys
import tomllib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from campaigns.paper_form.layout import capacity_for, lay_out
from campaigns.questionnaire import consistency
from campaigns.questionnaire.parsing import library_keys, load_library, parse
from campaigns.questionnaire.schema import DefinitionError, Questionnaire

SIZES = (1, 4, 9)  # households tried on paper, in people


class Command(BaseCommand):
    """Exit status 0 only when nothing is wrong."""

    help = "Vérifie une définition de questionnaire (TOML ou JSON), ou une définition livrée : sls, ops, sls_ops."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The definition and the form of the answer."""
        parser.add_argument("file", help="Fichier TOML ou JSON, ou clé d'une définition livrée.")
        parser.add_argument("--json", action="store_true", dest="as_json", help="Réponse pour une machine.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what is wrong, or what the form holds."""
        told = self._judged(options["file"])
        if options["as_json"]:
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
        else:
            for problem in told["problems"]:
                self.stderr.write(problem)
            if not told["problems"]:
                self.stdout.write(
                    f"{told['title']} : {told['fields']} questions, {told['documents']} pièces, {told['rules']} "
                    f"règles. Rien à corriger."
                )
        if told["problems"]:
            sys.exit(1)

    def _judged(self, name: str) -> dict[str, Any]:
        try:
            form = load_library(name) if name in library_keys() else parse(_tables(Path(name)))
        except DefinitionError as error:
            return {"file": name, "problems": error.problems}
        return {
            "file": name,
            "title": form.title,
            "fingerprint": form.fingerprint,
            "fields": sum(1 for _ in form.fields()),
            "documents": len(form.documents),
            "rules": len(form.rules),
            "problems": consistency.check(form) or _on_paper(form),
        }


def _tables(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        tables = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError as error:
        raise CommandError(f"Le fichier « {path} » n'existe pas.") from error
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"« {path} » ne se lit pas : {error}") from error
    if not isinstance(tables, dict):
        raise CommandError(f"« {path} » ne contient pas une définition.")
    return tables


def _on_paper(form: Questionnaire) -> list[str]:
    """What makes the form impossible to print, for small and large households."""
    for people in SIZES:
        try:
            lay_out(form, capacity_for(people))
            lay_out(form, capacity_for(people), large=True)
        except ValueError as error:
            return [f"Sur papier, pour {people} occupants : {error}"]
    return []
