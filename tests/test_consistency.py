"""Rules about the house itself, so that nobody has to remember them."""

import ast
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.template import TemplateDoesNotExist, TemplateSyntaxError, engines

ROOT = Path(__file__).resolve().parents[1]
APPS = ("campaigns", "tenants", "returns", "portal", "tracking")
CODE = (*APPS, "config", "scripts", "deploy")
NOT_OURS = {".git", ".venv", "node_modules", "var", "staticfiles", "__pycache__", "secrets"}
FILE_CAP = 400
FUNCTION_CAP = 50


def files(*folders: str, suffix: str = "") -> list[Path]:
    """Our own files below these top folders, sorted."""
    found = (path for folder in folders for path in (ROOT / folder).rglob(f"*{suffix}"))
    return sorted(path for path in found if path.is_file() and not NOT_OURS & set(path.parts))


def name_of(path: Path) -> str:
    """How a file is named in a test's title."""
    return path.relative_to(ROOT).as_posix()


MODULES = [path for path in files(*CODE, "tests", suffix=".py") if "migrations" not in path.parts]
TEMPLATES = files("templates", suffix="")
OURS = [path for path in MODULES if path.parts[len(ROOT.parts)] in APPS]


@cache
def told_by(path: Path) -> tuple[bool, list[tuple[str, int]]]:
    """Of a module: whether it says what it is for, and how long each of its functions is."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = [(each.name, (each.end_lineno or 0) - each.lineno + 1) for each in functions]
    return not tree.body or bool(ast.get_docstring(tree)), lengths


def offenders(paths: Iterable[Path], wrong: Callable[[Path], Any]) -> dict[str, Any]:
    """What is wrong with each file that breaks a rule, by its name."""
    found = {name_of(path): wrong(path) for path in paths}
    assert found, "no file was looked at"
    return {name: told for name, told in found.items() if told}


# --- Python ----------------------------------------------------------------------------------------------------------


def test_a_module_says_what_it_is_for() -> None:
    assert offenders(MODULES, lambda path: not told_by(path)[0]) == {}


def test_a_file_stays_readable() -> None:
    def too_long(path: Path) -> int:
        return max(0, len(path.read_text(encoding="utf-8").splitlines()) - FILE_CAP)

    assert offenders(MODULES, too_long) == {}


def test_a_function_fits_a_screen() -> None:
    def too_long(path: Path) -> list[tuple[str, int]]:
        return [(name, length) for name, length in told_by(path)[1] if length > FUNCTION_CAP]

    assert offenders(MODULES, too_long) == {}


def test_a_module_has_a_name_of_its_own() -> None:
    banned = {"utils", "util", "helpers", "helper", "services", "service", "common", "misc"}

    assert offenders(MODULES, lambda path: banned & {path.stem, *path.relative_to(ROOT).parts[:-1]}) == {}


def test_domain_code_does_not_read_the_clock() -> None:
    """Only doors (views, tasks, commands, admin…) read the time; steps and pure code receive it."""
    doors = {
        "views",
        "desk",
        "tasks",
        "commands",
        "admin",
        "admin_site",
        "api",
        "management",
        "middleware",
        "access",
        "forms",
        "audit_signs",
        "exchange_admin",
    }
    calls = re.compile(r"(timezone\.(now|localdate|localtime)|datetime\.(now|today|utcnow)|date\.today)\(\)")

    def clocks(path: Path) -> list[str]:
        if doors & {path.stem, *path.relative_to(ROOT).parts[:-1]}:
            return []
        return [line for line in path.read_text(encoding="utf-8").splitlines() if calls.search(line)]

    assert offenders(OURS, clocks) == {}


def test_the_doors_hold_no_models() -> None:
    assert [model.__name__ for door in ("portal", "tracking") for model in apps.get_app_config(door).get_models()] == []


def test_each_task_of_the_schedule_exists_and_expires() -> None:
    from config.celery import app

    app.loader.import_default_modules()

    for name, entry in app.conf.beat_schedule.items():
        assert entry["task"] in app.tasks, name
        assert entry["options"]["expires"] > 0, name


# --- Templates -------------------------------------------------------------------------------------------------------

# Django looks these up by itself.
KNOWN_TO_DJANGO = re.compile(r"^(400|403|403_csrf|404|500)\.html$|^admin/|^registration/|^django/|^rest_framework/")


def template_names() -> tuple[set[str], set[str]]:
    """What the code and the templates name: literals as they are, and f-strings as patterns, their holes anything."""
    literals: set[str] = set()
    patterns: set[str] = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 120:
                literals.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [re.escape(str(p.value)) if isinstance(p, ast.Constant) else "[^/]+" for p in node.values]
                if re.search(r"/.*\\\.(html|txt)", "".join(parts)):
                    patterns.add("".join(parts))
    for path in TEMPLATES:
        literals.update(re.findall(r"""["']([\w/.-]+\.\w+)["']""", path.read_text(encoding="utf-8")))
    return literals, patterns


def test_no_template_is_unused() -> None:
    literals, patterns = template_names()
    templates = [path.relative_to(ROOT / "templates").as_posix() for path in TEMPLATES]

    unused = [
        name
        for name in templates
        if not KNOWN_TO_DJANGO.match(name)
        and name not in literals
        and not any(re.fullmatch(pattern, name) for pattern in patterns)
    ]

    assert unused == []


def test_a_template_compiles() -> None:
    def refused(path: Path) -> str:
        try:
            engines["django"].get_template(path.relative_to(ROOT / "templates").as_posix())
        except (TemplateSyntaxError, TemplateDoesNotExist) as error:
            return str(error) or type(error).__name__
        return ""

    assert offenders(TEMPLATES, refused) == {}


def test_the_loads_of_a_template_are_sorted() -> None:
    def unsorted(path: Path) -> list[str]:
        loads = re.findall(r"{% load ([\w. ]+?) %}", path.read_text(encoding="utf-8"))
        names = [name for load in loads if " from " not in load for name in load.split()]
        return names if names != sorted(set(names)) else []

    assert offenders(TEMPLATES, unsorted) == {}


INLINE = (
    r"\sstyle\s*=",
    r"<style\b",
    r"<script\b(?![^>]*\b(src=|type=\"application/json\"))",
    r"\son[a-z]+\s*=\s*[\"']",
    "javascript:",
)


def test_a_template_has_nothing_inline() -> None:
    """The content security policy refuses it; the page would be bare and silent."""
    pages = [path for path in TEMPLATES if path.suffix == ".html" and "messages" not in path.parts]

    def inline(path: Path) -> list[str]:
        text = path.read_text(encoding="utf-8")
        return [pattern for pattern in INLINE if re.search(pattern, text)]

    assert offenders(pages, inline) == {}


# --- Front-end files -------------------------------------------------------------------------------------------------


def test_our_scripts_stay_small() -> None:
    by_page = {"keying.js": 30_000, "charts.js": 20_000}

    too_heavy = {
        name_of(path): path.stat().st_size
        for path in files("static", suffix=".js")
        if path.stat().st_size > by_page.get(path.name, 10_000)
    }

    assert too_heavy == {}


def test_a_colour_is_a_token() -> None:
    """Screens speak of --accent or --danger; only the tokens, the paper and two fixed marks know colours by number."""
    sheets = [path for path in files("static", suffix=".css") if path.name not in {"tokens.css", "print.css"}]

    def colours(path: Path) -> set[str]:
        return set(re.findall(r"#[0-9a-fA-F]{3,8}\b", path.read_text(encoding="utf-8"))) - {"#fff", "#000"}

    assert offenders(sheets, colours) == {}


# --- The repository --------------------------------------------------------------------------------------------------


def test_no_file_names_a_registry_or_somebody_s_machine() -> None:
    # Written in two halves, so that this file does not find itself.
    hosts = ("registry." + "npmjs", "pypi." + "org", "files." + "pythonhosted", "deb." + "debian.org")
    places = (r"(?<![\w.])/work" + "/", "/root" + "/", r"/home" + r"/\w")
    forbidden = re.compile("|".join([*map(re.escape, hosts), *places]))
    texts = [path for path in ROOT.iterdir() if path.is_file()]
    texts += files(*CODE, "tests", "templates", "static", "docs", ".ci")

    found = []
    for path in texts:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{name_of(path)}: {match.group()}" for match in forbidden.finditer(text)]

    assert found == []


def test_the_front_end_lock_names_no_address() -> None:
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text(encoding="utf-8")


def test_each_decision_is_in_the_index() -> None:
    folder = ROOT / "docs/adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    decisions = sorted(path.name for path in folder.glob("0*.md"))

    assert len({name[:4] for name in decisions}) == len(decisions)
    assert [name for name in decisions if f"({name})" not in index] == []


def test_each_model_is_in_the_glossary() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")

    models = [
        model.__name__ for app in ("campaigns", "tenants", "returns") for model in apps.get_app_config(app).get_models()
    ]

    assert [name for name in models if f"`{name}`" not in glossary] == []


def test_each_named_decision_or_page_of_the_documents_exists() -> None:
    """Links between our own documents lead somewhere."""
    broken = []
    for page in [ROOT / "README.md", *files("docs", "deploy", suffix=".md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                broken.append(f"{name_of(page)}: {target}")

    assert broken == []
