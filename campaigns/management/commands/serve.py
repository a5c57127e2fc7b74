"""`manage.py serve`: web, worker, beat and the landlords' SFTP together, for one machine."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from campaigns.exchange_accounts import embedded_server

PATIENCE = 10.0  # seconds a process gets to stop by itself


class Command(BaseCommand):
    """Starts the processes, waits for one to end or for Ctrl+C, then stops the others."""

    help = "Sert le site, la file d'attente, le calendrier et le dépôt SFTP sur cette machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--without-sftp", action="store_true", help="Ne pas ouvrir le dépôt SFTP intégré.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until stopped."""
        signal.signal(signal.SIGTERM, _interrupt)
        with ExitStack() as stack:
            if not options["without_sftp"]:
                server = stack.enter_context(embedded_server(port=settings.SFTP_PORT))
                self.stdout.write(f"Dépôt SFTP des bailleurs : 127.0.0.1, port {server.port}")
            processes = [stack.enter_context(Child(line)) for line in _commands(options["host"], options["port"])]
            self.stdout.write(f"Site : http://{options['host']}:{options['port']}/   (Ctrl+C pour arrêter)")
            try:
                ended = _first_to_end(processes)
            except KeyboardInterrupt:
                self.stdout.write("Arrêt.")
                return
            raise CommandError(f"Un des processus s'est arrêté (code {ended.returncode}) : {ended.args!r}")


def _commands(host: str, port: int) -> list[list[str]]:
    run = Path(settings.VAR_DIR) / "run"
    run.mkdir(parents=True, exist_ok=True)
    celery = [sys.executable, "-m", "celery", "-A", "config", "--quiet"]
    web = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port)]
    return [
        [*web, "--blocking-threads", "4", "--no-access-log", "--log-level", "warning", "config.wsgi:application"],
        [*celery, "worker", "--queues", "default,mail,read", "--concurrency", "1", "--loglevel", "WARNING"],
        [*celery, "beat", "--schedule", str(run / "beat"), "--pidfile", "", "--loglevel", "WARNING"],
    ]


class Child:
    """A child process that is stopped, then killed, on the way out."""

    def __init__(self, line: list[str]) -> None:
        self.child = subprocess.Popen(line)  # noqa: S603 - our own commands, see _commands

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self.child

    def __exit__(self, *exc: object) -> None:
        self.child.terminate()
        try:
            self.child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def _first_to_end(processes: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    while True:
        for process in processes:
            if process.poll() is not None:
                return process
        time.sleep(0.3)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
