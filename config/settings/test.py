"""For the tests: fast hashing, a folder of its own; SQLite, or PostgreSQL when TEST_DATABASE=postgresql."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from config import environment
from config.settings.base import *

DEBUG = False
SECRET_KEY = "for-the-tests-only-0123456789-abcdefghijklmnopqrstuvwxyz"  # noqa: S105
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
SHOW_COMPONENTS = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# One folder per test process, which its own children find by the environment; who makes it removes it.
_told = f"TEST_FOLDER_{os.environ.get('PYTEST_XDIST_WORKER', 'main').upper()}"
if _told not in os.environ:
    os.environ[_told] = tempfile.mkdtemp(prefix="enquetes-tests-")
    atexit.register(shutil.rmtree, os.environ[_told], ignore_errors=True)
_scratch = Path(os.environ[_told])
VAR_DIR = _scratch
MEDIA_ROOT = _scratch / "media"
OUTBOX_DIR = _scratch / "outbox"

DATABASES: dict[str, dict[str, Any]]
if environment.text("TEST_DATABASE", "sqlite") == "postgresql":
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": environment.text("PGDATABASE", "postgres"),
            "USER": environment.text("PGUSER", "postgres"),
            "HOST": environment.text("PGHOST", ""),
            "PORT": environment.text("PGPORT", ""),
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": _scratch / "tests.sqlite3",
            # In memory, a reader would lock a whole table against the server that a browser is asking at that moment.
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA read_uncommitted = 1",
            },
            "TEST": {"NAME": os.environ.get("TEST_SQLITE", None)},
        }
    }
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_BROKER_URL = "memory://"
