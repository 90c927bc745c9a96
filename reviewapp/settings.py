"""Django's settings. Everything an operator may change is in `environment.py`."""

import os
from typing import Any

import structlog
from csp.constants import NONE, SELF
from psycopg.conninfo import conninfo_to_dict

from reviewapp import environment

# Before NumPy is loaded: threads of its own would spin, waiting for each other, where cores are busy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

ENV = environment.read()
BASE_DIR = environment.BASE_DIR
DATA_DIR = ENV.data_dir

SECRET_KEY = ENV.django_secret
DEBUG = ENV.countersign_debug
ALLOWED_HOSTS = ENV.allowed_hosts

INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "ninja",
    "audit",
    "people",
    "notices",
    "agents",
    "feedback",
    "proposals",
    "reviewapp",
]

MIDDLEWARE = [
    "reviewapp.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Forms carry a token that is masked anew in every answer, and Django pads what it compresses by a random length, so
    # that no secret can be guessed from lengths (BREACH).
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "reviewapp.middleware.UnstoredMiddleware",
    # Whatever it refuses carries the headers of those above, and nobody below it meets what is no text.
    "reviewapp.middleware.PlainTextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "reviewapp.middleware.SignedInMiddleware",
    "people.sessions.SeenMiddleware",
    "people.factors.SecondFactorMiddleware",
    "reviewapp.gate.TeamsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "reviewapp.proofs.ProofMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "reviewapp.urls"
WSGI_APPLICATION = "reviewapp.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "reviewapp.context.board",
            ],
        },
    }
]
FORM_RENDERER = "reviewapp.widgets.Written"


def database_settings(url: str | None) -> dict[str, Any]:
    """The one database; `up` and the tests set DATABASE_URL when they start their own PostgreSQL."""
    parts = conninfo_to_dict(url or "postgresql:///countersign")
    named = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        **{django: str(parts.pop(libpq, None) or "") for django, libpq in named.items()},
        "OPTIONS": {"connect_timeout": 3, **parts},
    }


DATABASES = {"default": database_settings(ENV.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "people.backends.ByRole",
    "sesame.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "reviewapp.passwords.NotFromWordsAtHand"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "queue"
LOGOUT_REDIRECT_URL = "account_login"
SESAME_ONE_TIME = True
SESAME_MAX_AGE = 24 * 60 * 60
ACCOUNT_ADAPTER = "reviewapp.accounts.Accounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
# Acts of consequence ask again by `people.fresh`, allauth's own pages included.
MFA_REAUTHENTICATION_REQUIRED = False
MFA_ADAPTER = "people.factors.Factors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # people have no address but the one they leave for notices
MFA_FORMS = {
    "authenticate": "people.codes.SecondStepForm",
    "authenticate_webauthn": "people.codes.PasskeyAtSecondStepForm",
    "login_webauthn": "people.codes.PasskeySignInForm",
    "add_webauthn": "people.codes.AddPasskeyForm",
}
ACCOUNT_FORMS = {"change_password": "people.codes.NewPasswordForm"}
MFA_TOTP_ISSUER = "Countersign"
MFA_TOTP_TOLERANCE = 1  # clocks of telephones are half a minute out at times

SOCIALACCOUNT_ADAPTER = "notices.oidc.ThroughTheDoor"
COUNTERSIGN_OIDC_NAME = ENV.countersign_oidc_name if ENV.countersign_oidc_server else ""
COUNTERSIGN_OIDC_GROUPS = ENV.countersign_oidc_groups
COUNTERSIGN_OIDC_GROUPS_CLAIM = ENV.countersign_oidc_groups_claim
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": ENV.oidc_apps}}

# Over https a cookie of this beginning can be set by this host alone, whole and encrypted.
COUNTERSIGN_COOKIES = "__Host-" if ENV.countersign_https else ""
SESSION_COOKIE_NAME = f"{COUNTERSIGN_COOKIES}sessionid"
CSRF_COOKIE_NAME = f"{COUNTERSIGN_COOKIES}csrftoken"
MESSAGE_STORAGE = "reviewapp.flashes.Flashes"
SESSION_COOKIE_AGE = 24 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.countersign_https
SECURE_SSL_REDIRECT = ENV.countersign_https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.countersign_https else None
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # asked from nearby, behind whatever ends TLS
SECURE_HSTS_SECONDS = 31_536_000 if ENV.countersign_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = ENV.countersign_https
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "report-uri": ["/csp/"],
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "reviewapp.collected.ShortenedStorage"},
}

USE_TZ = True
USE_I18N = False  # the pages are in one language
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

CELERY_BROKER_URL = str(ENV.redis_url) if ENV.redis_url else "redis://127.0.0.1:6379/0"
# How often somebody tried to sign in, and codes that were used. Serving and recording never touch it.
CACHES = {
    "default": {
        "BACKEND": "reviewapp.cache.WithASpare",
        "LOCATION": CELERY_BROKER_URL,
        "KEY_PREFIX": "countersign",
        "OPTIONS": {"serializer": "reviewapp.cache.Json", "socket_connect_timeout": 1, "socket_timeout": 1},
    }
}

COUNTERSIGN_DATABASE_ROLE = ENV.countersign_database_role
COUNTERSIGN_ADDRESS = ENV.countersign_address
COUNTERSIGN_SINGLE_OPERATOR = ENV.countersign_single_operator
COUNTERSIGN_PASSWORD_WORDS = ENV.countersign_password_words
COUNTERSIGN_SESSIONS_AT_ONCE = ENV.countersign_sessions_at_once
COUNTERSIGN_SECOND_FACTOR = ENV.countersign_second_factor
COUNTERSIGN_MIN_SOURCES = ENV.countersign_min_sources
COUNTERSIGN_MAX_SHARE = ENV.countersign_max_share
COUNTERSIGN_MIN_DAYS = ENV.countersign_min_days
COUNTERSIGN_COUNT_USERS = ENV.countersign_count_users
COUNTERSIGN_DRIFT_SHARE = ENV.countersign_drift_share
COUNTERSIGN_MIN_MISSES = ENV.countersign_min_misses
COUNTERSIGN_CHANCE_ALIKE = ENV.countersign_chance_alike
COUNTERSIGN_SIGNAL_WEIGHTS = ENV.countersign_signal_weights
COUNTERSIGN_MASK = ENV.countersign_mask
COUNTERSIGN_RESOLVED_AFTER_DAYS = ENV.countersign_resolved_after_days
COUNTERSIGN_REMOVE_AFTER_DAYS = ENV.countersign_remove_after_days
COUNTERSIGN_MINE_EVERY_S = ENV.countersign_mine_every_s
COUNTERSIGN_MINE_BATCH = ENV.countersign_mine_batch
COUNTERSIGN_MEANING = ENV.countersign_meaning
COUNTERSIGN_EXPIRE_AFTER_DAYS = ENV.countersign_expire_after_days
COUNTERSIGN_ERROR_CLASSES = tuple(ENV.countersign_error_classes.items())
COUNTERSIGN_SIGNING_KEY = ENV.countersign_signing_key
COUNTERSIGN_CHECKPOINT_EVERY_S = ENV.countersign_checkpoint_every_s
COUNTERSIGN_CHECKPOINT_DIR = ENV.countersign_checkpoint_dir
COUNTERSIGN_BODY_LIMIT = ENV.countersign_body_limit
COUNTERSIGN_STATEMENT_TIMEOUT_S = ENV.countersign_statement_timeout_s
COUNTERSIGN_LOCK_TIMEOUT_S = ENV.countersign_lock_timeout_s
COUNTERSIGN_IDLE_TRANSACTION_TIMEOUT_S = ENV.countersign_idle_transaction_timeout_s
COUNTERSIGN_KEY_CALLS_A_MINUTE = ENV.countersign_key_calls_a_minute
COUNTERSIGN_KEY_OTHER_CALLS_A_MINUTE = ENV.countersign_key_other_calls_a_minute
COUNTERSIGN_KEY_CALLS_A_DAY = ENV.countersign_key_calls_a_day
COUNTERSIGN_RELEASES_A_DAY = ENV.countersign_releases_a_day
COUNTERSIGN_OPEN_PATTERNS = ENV.countersign_open_patterns
COUNTERSIGN_PROBATION_DAYS = ENV.countersign_probation_days
COUNTERSIGN_PROBATION_REPORTS = ENV.countersign_probation_reports
COUNTERSIGN_TRUSTED_PROXIES = ENV.countersign_trusted_proxies
COUNTERSIGN_WEBHOOK_URL = ENV.countersign_webhook_url
COUNTERSIGN_WEBHOOK_SECRET = ENV.countersign_webhook_secret
COUNTERSIGN_PRIVATE_TARGETS = ENV.countersign_private_targets
COUNTERSIGN_NOTIFIERS = ENV.countersign_notifiers
COUNTERSIGN_DIGEST_EVERY_S = ENV.countersign_digest_every_s
COUNTERSIGN_MAIL = ENV.email_url is not None
if ENV.mail:
    EMAIL_BACKEND = ENV.mail.backend
    EMAIL_HOST, EMAIL_PORT = ENV.mail.host, ENV.mail.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = ENV.mail.user, ENV.mail.password
    EMAIL_USE_TLS, EMAIL_USE_SSL = ENV.mail.starttls, ENV.mail.tls
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = ENV.email_from
# Of forms; the longest text allowed, in the widest script, fits several times. The API has its own limit.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
FILE_UPLOAD_HANDLERS: list[str] = []  # no form takes a file: what is sent as one is kept nowhere

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(),
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "reviewapp.logs.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
