"""What every way of running shares."""

from pathlib import Path

from csp.constants import NONE, SELF

BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = BASE_DIR / "var"

INSTALLED_APPS = [
    "campaigns.apps.CampaignsConfig",
    "tenants.apps.TenantsConfig",
    "returns.apps.ReturnsConfig",
    "portal.apps.PortalConfig",
    "tracking.apps.TrackingConfig",
    "config.apps.ProviderAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "campaigns.middleware.LandlordScopeMiddleware",
    "campaigns.middleware.AuditMiddleware",
    "campaigns.middleware.PrivateResponsesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "campaigns.context.provider",
            ],
        },
    },
]

AUTH_USER_MODEL = "campaigns.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "français")]
TIME_ZONE = "Europe/Paris"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
NODE_MODULES = BASE_DIR / "node_modules"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("vendor/atkinson", NODE_MODULES / "@fontsource/atkinson-hyperlegible-next/files"),
    ("vendor/chartjs", NODE_MODULES / "chart.js/dist"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MEDIA_ROOT: str | Path = VAR_DIR / "media"

# One cookie, one origin, nothing inline, from the first page on.
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "config.views.csrf_failure"
# How many proxies of ours stand in front: each writes one address at the end of X-Forwarded-For.
TRUSTED_PROXIES = 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
# Uploads are bounded before they are read (QUALITY A.2: 20 MB a piece).
UPLOAD_MAX_BYTES = 20 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 20

# The queue is only a wake-up: truth is in the database (claim rows), so a lost message costs a delay, never a case.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 15 * 60
# A hostile file may leave its reader larger (docs/adr/0017): beyond this many KiB a worker is replaced after its task.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 800_000
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_DEFAULT_QUEUE = "default"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {"TITLE": "Enquêtes HLM : suivi", "VERSION": "1", "SERVE_INCLUDE_SCHEMA": False}

# Doors to the outside. Each backend honours one contract (tenants/messaging).
EMAIL_SUBJECT_PREFIX = ""
DEFAULT_FROM_EMAIL = "enquete@exemple.invalid"
SMS_BACKEND = "tenants.messaging.sms.OutboxBackend"
# Where bounces come (each e-mail gets its own variant, VERP) and where they are read: maildir:…, mbox:…, imaps://….
BOUNCE_ADDRESS = BOUNCE_MAILBOX = BOUNCE_PASSWORD = ""
# TWILIO_SENDER empty: the landlord's name. TWILIO_CALLBACKS: our public address, to which Twilio reports back.
TWILIO_ACCOUNT_SID = TWILIO_AUTH_TOKEN = TWILIO_SENDER = TWILIO_API_BASE = TWILIO_CALLBACKS = ""
CARRIER_SFTP_USERNAME = ""  # the account where carriers drop the life of registered mail and returned envelopes
OUTBOX_DIR = VAR_DIR / "outbox"
SFTP_HOST = "127.0.0.1"
SFTP_PORT = 8022
SFTP_HOST_KEY = ""
SFTP_CLIENT_KEY = ""
SFTP_ACCOUNTS_FILE = ""  # where OpenSSH is told of the accounts; empty: the built-in server asks the database
TSA_URL = TSA_CERTIFICATES = ""  # time-stamping authority (RFC 3161) and the file of its certificates (docs/constat.md)
PORTAL_URL = "http://127.0.0.1:8000"
ACCESS_CODE_PEPPER = ""  # empty: derived from SECRET_KEY (docs/adr/0014)
EMAIL_WITH_FORM = False  # whether a known e-mail address also gets the form's link
PROVIDER_NAME = "Enquêtes HLM"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    # A client that hangs up is no error of ours; refusals are raised and told where they matter.
    "loggers": {"paramiko.transport": {"level": "CRITICAL"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
