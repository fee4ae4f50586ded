"""Settings of every process. Names that an operator may set begin with SMM_ and stand in .env.example.

Without DATABASE_URL this is a local installation: the embedded servers are used, and keys are made
once and kept in the var folder. With it, everything secret must be given.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from smmapp import embedded, logs, media_storage
from smmapp.embedded import secret_store
from smmapp.environment import BASE_DIR, is_outside_address, secret, var_dir

env = environ.Env()

VAR_DIR = var_dir()
DATABASE_URL = secret("DATABASE_URL")
REDIS_URL = secret("REDIS_URL")
DEBUG = env.bool("SMM_DEBUG", default=False)
# An installation on one person's machine: keys are made for it and mails are files. `make run` sets it,
# because its parts are given a DATABASE_URL too.
LOCAL = env.bool("SMM_LOCAL", default=not DATABASE_URL)

if not (DATABASE_URL and REDIS_URL):
    _running = embedded.known_urls(VAR_DIR)
    # Port 9 answers nobody: commands that need no server work, others say that they cannot connect.
    DATABASE_URL = DATABASE_URL or _running.get("DATABASE_URL", "postgres://smmapp@127.0.0.1:9/smmapp")
    REDIS_URL = REDIS_URL or _running.get("REDIS_URL", "redis://127.0.0.1:9/0")

SECRET_KEY = secret("SMM_SECRET_KEY")
# Fernet keys of credentials at rest: the first encrypts, all of them decrypt (core.crypto).
FIELD_KEYS = [key.strip() for key in secret("SMM_FIELD_KEYS").split(",") if key.strip()]
if LOCAL and not (SECRET_KEY and FIELD_KEYS):
    embedded.prepare_folder(VAR_DIR)
    _kept = secret_store.load(VAR_DIR)
    SECRET_KEY = SECRET_KEY or _kept["secret_key"]
    FIELD_KEYS = FIELD_KEYS or [_kept["field_keys"]]
if not SECRET_KEY or not FIELD_KEYS:
    raise ImproperlyConfigured(
        "Set SMM_SECRET_KEY and SMM_FIELD_KEYS, or SMM_SECRET_KEY_FILE and SMM_FIELD_KEYS_FILE; "
        "`python -m smmapp.make_secrets FOLDER` makes both files."
    )

# Where people reach this installation: links in mails, redirects of networks, trusted origins.
BASE_URL = env.str("SMM_BASE_URL", default=f"http://127.0.0.1:{env.int('PORT', default=8000)}").rstrip("/")
_base = urlsplit(BASE_URL)
IS_HTTPS = _base.scheme == "https"
ALLOWED_HOSTS = [_base.hostname or "", *env.list("SMM_ALLOWED_HOSTS", default=[])]
if LOCAL:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]
# What the short addresses of tracked links begin with: a shorter host of one's own, where there is one.
LINK_BASE_URL = (env.str("SMM_LINK_BASE_URL", default="") or BASE_URL).rstrip("/")
if LINK_BASE_URL != BASE_URL:
    ALLOWED_HOSTS.append(urlsplit(LINK_BASE_URL).hostname or "")
# Where networks fetch the files of posts, "" where they cannot: an address of their own, or the one that
# people use if it can be reached from outside.
PUBLIC_MEDIA_URL = env.str("SMM_PUBLIC_MEDIA_URL", default="").rstrip("/")
if PUBLIC_MEDIA_URL:
    ALLOWED_HOSTS.append(urlsplit(PUBLIC_MEDIA_URL).hostname or "")
elif is_outside_address(BASE_URL):
    PUBLIC_MEDIA_URL = BASE_URL
CSRF_TRUSTED_ORIGINS = [f"{_base.scheme}://{_base.netloc}"]
# How many proxies in front of us add to X-Forwarded-For; rate limits read the visitor's address with it.
# Nothing of ours speaks TLS, so an https address means a proxy.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("SMM_PROXY_COUNT", default=int(IS_HTTPS))
if ALLAUTH_TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = True

INSTALLED_APPS = [
    "smmapp",
    "analytics",
    "content_calendar",
    "engagement",
    "campaigns",
    "audience",
    "outbox",
    "accounts",
    "core",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",  # its templates, which ours extend
    "django_htmx",
    "template_partials",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.security.content_security_policy",
    "campaigns.views.redirect.short_addresses",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "smmapp.shell.language.language_of_person",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

FORM_RENDERER = "core.form_renderer.FormRenderer"
ROOT_URLCONF = "smmapp.urls"
WSGI_APPLICATION = "smmapp.wsgi.application"

TEMPLATES = [
    {
        # template_partials wraps the cached loader by itself.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "smmapp.shell.context.shell",
            ],
        },
    }
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **env.db_url_config(DATABASE_URL),
        # psycopg2 cannot use Django's own pool, so each thread keeps its connection, checked before use.
        "CONN_MAX_AGE": env.int("SMM_DATABASE_CONN_MAX_AGE", default=300),
        "CONN_HEALTH_CHECKS": True,
    }
}
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 10)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "smmapp:cache",
    }
}

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Unacknowledged messages come back after this many seconds; what must happen on time does not depend on
# it, because PostgreSQL holds the schedule.
# A worker takes from the queues in the order in which it is given them: publishing comes first.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "queue_order_strategy": "priority"}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "outbox.tasks.dispatch": {"queue": "dispatch"},
    "outbox.tasks.publish": {"queue": "publish"},
    "outbox.tasks.read_back_account": {"queue": "default"},
    "analytics.tasks.*": {"queue": "metrics"},
    "engagement.tasks.*": {"queue": "inbox"},
    "campaigns.tasks.run_attribution*": {"queue": "metrics"},
}
CELERY_TASK_CREATE_MISSING_QUEUES = True
# A worker takes what it works on and no more, so that a killed one strands as little as possible.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "UTC"
# Ticks carry `expires`: one that waited longer than its interval is followed by a fresher one.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    **{
        f"smmapp.heartbeat.{queue}": {
            "task": "smmapp.tasks.heartbeat",
            "schedule": 5.0,
            "kwargs": {"queue": queue},
            "options": {"queue": queue, "expires": 25},
        }
        for queue in ("dispatch", "default")
    },
    "outbox.dispatch": {"task": "outbox.tasks.dispatch", "schedule": 1.0, "options": {"expires": 1}},
    "outbox.look_for_sent": {
        "task": "outbox.tasks.look_for_sent",
        "schedule": 1.0,
        "options": {"expires": 1},
    },
    "accounts.refresh_credentials": {
        "task": "accounts.tasks.refresh_credentials",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "accounts.watch_connections": {
        "task": "accounts.tasks.watch_connections",
        "schedule": 6 * 3600.0,
        "options": {"expires": 3600},
    },
    "analytics.collect": {"task": "analytics.tasks.collect", "schedule": 15.0, "options": {"expires": 15}},
    "analytics.sweep": {"task": "analytics.tasks.sweep", "schedule": 3600.0, "options": {"expires": 600}},
    "analytics.create_partitions": {
        "task": "analytics.tasks.create_partitions",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "analytics.sum_up": {"task": "analytics.tasks.sum_up", "schedule": 300.0, "options": {"expires": 240}},
    "campaigns.follow_clicks": {
        "task": "campaigns.tasks.follow_clicks",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "campaigns.run_attributions": {
        "task": "campaigns.tasks.run_attributions",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "campaigns.import_ad_spend": {
        "task": "campaigns.tasks.import_ad_spend",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "campaigns.clean_ad_sign_ins": {
        "task": "campaigns.tasks.clean_ad_sign_ins",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "campaigns.watch_ad_sign_ins": {
        "task": "campaigns.tasks.watch_ad_sign_ins",
        "schedule": 6 * 3600.0,
        "options": {"expires": 3600},
    },
    "campaigns.clean_imports": {
        "task": "campaigns.tasks.clean_imports",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "content_calendar.clean_changes": {
        "task": "content_calendar.tasks.clean_changes",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "content_calendar.preflight_evenings": {
        "task": "content_calendar.tasks.preflight_evenings",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "content_calendar.remind_of_approvals": {
        "task": "content_calendar.tasks.remind_of_approvals",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "content_calendar.send_review_mails": {
        "task": "content_calendar.tasks.send_review_mails",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "content_calendar.work_on_imports": {
        "task": "content_calendar.tasks.work_on_imports",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "content_calendar.clean_imports": {
        "task": "content_calendar.tasks.clean_imports",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "content_calendar.work_on_exports": {
        "task": "content_calendar.tasks.work_on_exports",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "content_calendar.clean_exports": {
        "task": "content_calendar.tasks.clean_exports",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "content_calendar.fill_ahead": {
        "task": "content_calendar.tasks.fill_ahead",
        "schedule": 900.0,
        "options": {"expires": 900},
    },
    "content_calendar.prepare_media": {
        "task": "content_calendar.tasks.prepare_media",
        "schedule": 2.0,
        "options": {"expires": 2},
    },
    "content_calendar.clean_uploads": {
        "task": "content_calendar.tasks.clean_uploads",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "engagement.collect": {"task": "engagement.tasks.collect", "schedule": 15.0, "options": {"expires": 15}},
    "engagement.work_through_due": {
        "task": "engagement.tasks.work_through_due",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "engagement.clean_hooks": {
        "task": "engagement.tasks.clean_hooks",
        "schedule": 3600.0,
        "options": {"expires": 3000},
    },
    "engagement.settle": {"task": "engagement.tasks.settle", "schedule": 3.0, "options": {"expires": 3}},
    "accounts.send_webhooks": {
        "task": "accounts.tasks.send_webhooks",
        "schedule": 3.0,
        "options": {"expires": 3},
    },
    "accounts.clean_connecting": {
        "task": "accounts.tasks.clean_connecting",
        "schedule": 3600.0,
        "options": {"expires": 3000},
    },
    "accounts.clean_webhooks": {
        "task": "accounts.tasks.clean_webhooks",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "accounts.send_mails": {
        "task": "accounts.tasks.send_mails",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
}

# Videos that are read or converted at once, over all workers. Each takes about two cores.
VIDEO_JOBS = env.int("SMM_VIDEO_JOBS", default=2)

# Deliveries that may wait in the publish queue over all workers: enough to keep them busy, and few enough
# that a lease never runs out in the queue.
OUTBOX_MAX_CLAIMED = env.int("SMM_MAX_CLAIMED", default=200)

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
# Off: newcomers need an invitation. Everybody who signs up gets an organization of their own.
OPEN_SIGNUP = env.bool("SMM_OPEN_SIGNUP", default=True)
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD: str | None = None
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _base.scheme
# allauth's own limits on sign-in, sign-up and password reset per address and per visitor stay as they are.
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "smmapp"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ja", _("Japanese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = env.str("SMM_STATIC_ROOT", default="") or VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
# Media in a bucket of a store that speaks S3, instead of a folder that every machine must see.
MEDIA_S3_BUCKET = env.str("SMM_MEDIA_S3_BUCKET", default="")
# Browsers get files from the store itself, by addresses that are good for minutes; they must reach it.
MEDIA_S3_REDIRECT = env.bool("SMM_MEDIA_S3_REDIRECT", default=False)
STORAGES: dict[str, dict[str, Any]] = {
    "default": media_storage.s3(
        bucket=MEDIA_S3_BUCKET,
        endpoint=env.str("SMM_MEDIA_S3_ENDPOINT", default=""),
        region=env.str("SMM_MEDIA_S3_REGION", default=""),
        access_key=secret("SMM_MEDIA_S3_ACCESS_KEY"),
        secret_key=secret("SMM_MEDIA_S3_SECRET_KEY"),
        prefix=env.str("SMM_MEDIA_S3_PREFIX", default=""),
    )
    if MEDIA_S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

if env.str("EMAIL_URL", default="") or env.str("EMAIL_URL_FILE", default=""):
    vars().update(env.email_url_config(secret("EMAIL_URL")))
elif LOCAL:
    # One file per mail, to be read where no mail server is.
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(VAR_DIR / "mail")
else:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("SMM_MAIL_FROM", default="") or f"smmapp <smmapp@{_base.hostname}>"
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Read from Redis, kept in the database: losing Redis signs nobody out.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_HTTPONLY = False  # htmx sends the token in a header, which a script reads from the cookie's page
LANGUAGE_COOKIE_SECURE = IS_HTTPS
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = IS_HTTPS and env.bool("SMM_SSL_REDIRECT", default=True)
# The container's health check asks over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"

# Uploads larger than this go to a temporary file instead of memory.
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# Of one API key; above it requests are answered with 429.
API_REQUESTS_PER_MINUTE = env.int("SMM_API_REQUESTS_PER_MINUTE", default=600)

# Networks. An entry is a host or host:port; everything else that is private or loopback is refused.
SANDBOX_URL = env.str("SANDBOX_URL", default="").rstrip("/")
ALLOWED_PRIVATE_HOSTS = env.list("SMM_ALLOWED_PRIVATE_HOSTS", default=[])
# Other addresses of a network's servers, as name=url pairs (bluesky.plc=http://127.0.0.1:2582).
CONNECTOR_BASE_URLS: dict[str, str] = dict(
    pair.split("=", 1) for pair in env.list("SMM_CONNECTOR_BASE_URLS", default=[])
)
if SANDBOX_URL:
    CONNECTOR_BASE_URLS.setdefault("sandbox", SANDBOX_URL)
    ALLOWED_PRIVATE_HOSTS.append(urlsplit(SANDBOX_URL).netloc)

LOG_LEVEL = env.str("SMM_LOG_LEVEL", default="INFO")
LOGGING = logs.configuration(level=LOG_LEVEL, as_json=not LOCAL)
