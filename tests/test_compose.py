"""The production shape: every service watched, unprivileged, hardened, and no secret written in it."""

import gc
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import environment

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("image", "").startswith("enquetes-hlm:")}
ONE_SHOT = {"migrate"}
NEEDS_ROOT = {"sftp"}  # chroot per landlord, then a drop to its account
SECRET_WORD = re.compile(r"PASSWORD|SECRET|TOKEN|PRIVATE|REDIS_URL")


def test_the_services_of_the_production_shape_are_there() -> None:
    expected = {"web", "worker-default", "worker-mail", "worker-read", "beat", "database", "redis", "sftp"}

    assert expected <= set(SERVICES)
    assert SERVICES["mail-catcher"]["profiles"] == ["dev"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT))
def test_a_service_is_watched(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(ONE_SHOT))
def test_a_one_shot_service_ends_before_the_others_begin(name: str) -> None:
    waiting = [other for other in set(OURS) - ONE_SHOT if name in SERVICES[other]["depends_on"]]

    assert SERVICES[name]["restart"] == "no"
    assert sorted(waiting) == sorted(set(OURS) - ONE_SHOT)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_unprivileged(name: str) -> None:
    service = SERVICES[name]

    assert "no-new-privileges:true" in service["security_opt"]
    assert service["cap_drop"] == ["ALL"]
    assert not service.get("privileged")
    if name in NEEDS_ROOT:
        assert "SYS_CHROOT" in service["cap_add"]
    else:
        assert str(service["user"]).split(":")[0] not in {"root", "0"}
        assert service["read_only"] is True
        assert "cap_add" not in service


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_secret_is_written_in_a_service(name: str) -> None:
    written = SERVICES[name].get("environment", {})

    named = {key for key in written if SECRET_WORD.search(key)}

    assert all(key.endswith("_FILE") for key in named)
    assert all(written[key].startswith("/run/secrets/") for key in named)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_secret_file_is_given_to_the_service_that_reads_it(name: str) -> None:
    service = SERVICES[name]
    given = set(service.get("secrets", []))
    text = " ".join([*map(str, service.get("environment", {}).values()), *service.get("command", [])])

    read = set(re.findall(r"/run/secrets/(\w+)", text))

    assert read <= given
    assert given <= set(COMPOSE["secrets"])


def test_secrets_are_files_that_git_ignores() -> None:
    folder = ROOT / "deploy/secrets"

    assert all(secret["file"].startswith("./deploy/secrets/") for secret in COMPOSE["secrets"].values())
    assert [path.name for path in folder.iterdir() if path.name not in COMPOSE["secrets"]] == [".gitignore"]
    assert "*" in (folder / ".gitignore").read_text().splitlines()


def test_the_data_services_are_not_reachable_from_outside() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("database", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]
        assert "ports" not in SERVICES[name]


def test_every_queue_has_its_worker(settings: Any) -> None:
    from config.celery import app

    wanted = {route["queue"] for route in app.conf.task_routes.values()} | {settings.CELERY_TASK_DEFAULT_QUEUE}
    lines = [service["command"] for name, service in SERVICES.items() if name.startswith("worker-")]

    assert {line[line.index("-Q") + 1] for line in lines} == wanted


def test_a_worker_that_has_grown_is_replaced() -> None:
    from config.celery import app

    assert app.conf.worker_max_memory_per_child == 800_000  # KiB; a deposit may grow its reader by 400 MB (ADR 0017)


def test_a_worker_s_garbage_collector_leaves_alone_what_is_loaded() -> None:
    from celery.signals import worker_process_init

    from config.celery import leave_alone_what_is_loaded

    gc.unfreeze()
    usual = gc.get_threshold()
    try:
        leave_alone_what_is_loaded()
        frozen, rarely = gc.get_freeze_count(), gc.get_threshold()[0]
    finally:
        gc.unfreeze()
        gc.set_threshold(*usual)

    assert frozen > 100_000
    assert rarely > usual[0]
    assert any(receiver() is leave_alone_what_is_loaded for _, receiver in worker_process_init.receivers)


def test_a_web_process_does_the_same_once_its_pages_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    left_alone: list[bool] = []
    monkeypatch.setattr(
        "config.celery.leave_alone_what_is_loaded", lambda: left_alone.append("config.urls" in sys.modules)
    )
    monkeypatch.delitem(sys.modules, "config.wsgi", raising=False)

    import_module("config.wsgi")

    assert left_alone == [True]


def test_the_variables_asked_by_the_production_settings_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = re.findall(
        r'environment\.(?:text|secret|words)\("(\w+)"\)',
        (ROOT / "config/settings/production.py").read_text(encoding="utf-8"),
    )
    given = SERVICES["web"]["environment"]

    missing = [name for name in asked if name not in given and f"{name}_FILE" not in given]

    assert asked
    assert missing == []


def test_a_secret_comes_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret_key"
    path.write_text("from the file\n", encoding="utf-8")
    monkeypatch.setenv("SECRET_KEY", "from the variable")
    monkeypatch.setenv("SECRET_KEY_FILE", str(path))

    assert environment.secret("SECRET_KEY") == "from the file"


def test_the_placeholders_cover_what_the_production_settings_ask() -> None:
    production = (ROOT / "config/settings/production.py").read_text(encoding="utf-8")
    asked = set(re.findall(r'environment\.(?:text|secret|words)\("(\w+)"\)', production))
    placeholders = (ROOT / "deploy/placeholder.env").read_text(encoding="utf-8")

    assert asked <= set(re.findall(r"^(\w+)=", placeholders, flags=re.MULTILINE))
