"""The embedded default: SQLite and a folder queue, no server to install. Used by `make demo`."""

import os

from config.settings.base import *
from config.settings.base import VAR_DIR

DEBUG = os.environ.get("DEBUG", "") == "1"
SECRET_KEY = "embedded-default-not-for-production-0123456789-abcdefghij"  # noqa: S105
ALLOWED_HOSTS = ["*"] if DEBUG else ["localhost", "127.0.0.1", "[::1]"]
SHOW_COMPONENTS = True

STATIC_ROOT = VAR_DIR / "static"
for folder in ("static", "media", "outbox", "sftp", "queue/in", "queue/processed", "queue/control"):
    (VAR_DIR / folder).mkdir(parents=True, exist_ok=True)

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR_DIR / "enquetes.sqlite3",
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
        },
    }
}
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = VAR_DIR / "outbox"
WHITENOISE_USE_FINDERS = True

CELERY_BROKER_URL = "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "data_folder_in": str(VAR_DIR / "queue/in"),
    "data_folder_out": str(VAR_DIR / "queue/in"),
    "processed_folder": str(VAR_DIR / "queue/processed"),
    "control_folder": str(VAR_DIR / "queue/control"),
    "store_processed": False,
}
