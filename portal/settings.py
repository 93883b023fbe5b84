"""All settings: every difference between machines is an environment variable (docs/operations.md lists them)."""

from pathlib import Path

from django.utils.csp import CSP

from portal import embedded, env, logs

BASE_DIR = Path(__file__).resolve().parent.parent

# --- which kind of installation this is ---------------------------------------------------------
# Trying it out is the default. PRODUCTION=1 is a promise: every default meant for trying is then refused.
PRODUCTION = env.flag("PRODUCTION")
DEMO = env.flag("DEMO")  # one-click sign-in; `check` refuses it together with PRODUCTION
DEBUG = env.flag("DEBUG")
TESTING = env.flag("TESTING")  # set by the test runner: plain static files, no pool, a cache of its own

DATA_DIR = embedded.data_dir()
TRYING_KEY = "only-for-trying-never-for-production-0123456789-abcdefghij"
SECRET_KEY = env.text("SECRET_KEY", None if PRODUCTION else TRYING_KEY)
SECRET_KEY_FALLBACKS = env.names("SECRET_KEY_FALLBACKS")  # earlier ones, for sessions and for what they sealed
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", None if PRODUCTION else "localhost,127.0.0.1,[::1],testserver")
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS")
ORGANISATION_TIME_ZONE = env.zone("ORGANISATION_TIME_ZONE", "Europe/Berlin")
ORGANISATION_CURRENCY = env.text("ORGANISATION_CURRENCY", "EUR")  # of amounts that name none; ISO 4217

# --- services -----------------------------------------------------------------------------------
# Without addresses the embedded services stand in; manage.py starts them. Production names its own.
DATABASE_URL = env.text("DATABASE_URL", None if PRODUCTION else embedded.database_url(DATA_DIR))
BROKER_URL = env.text("BROKER_URL", None if PRODUCTION else embedded.broker_url(DATA_DIR))
# Who owns the tables and migrates; web and worker connect as a role that may change no fact (docs/operations.md).
DATABASE_OWNER_URL = env.text(
    "DATABASE_OWNER_URL",
    embedded.database_owner_url(DATA_DIR) if "DATABASE_URL" in embedded.in_use() else DATABASE_URL,
)

DATABASES = {
    "default": env.database("DATABASE_URL", DATABASE_URL)
    | {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True, "ATOMIC_REQUESTS": False}
}
# What is asked again and again is planned once a connection (docs/operations.md says what a pooler needs for that).
DATABASES["default"]["OPTIONS"] |= {"server_side_binding": True, "prepare_threshold": 3}
DATABASE_OWNER = env.database("DATABASE_OWNER_URL", DATABASE_OWNER_URL)
if env.flag("DATABASE_POOL"):  # for the web server and the worker, a connection per thread (docs/operations.md)
    DATABASES["default"]["OPTIONS"] |= {"pool": {"min_size": 1, "max_size": 8, "timeout": 10}}
# Shared by all processes, because the sign-in's rate limits and the worker's heartbeat live there.
CACHES = {"default": env.cache("CACHE_URL", BROKER_URL)}
if TESTING:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- the application ----------------------------------------------------------------------------
INSTALLED_APPS = [
    "portal.embedded",
    "portal.accounts",
    "portal.outbox",
    "portal.keys",
    "portal.shared",
    "sla",
    "leads",
    "leads.intake",
    "leads.intake.forms",
    "leads.audit",
    "leads.backtest",
    "leads.calibration",
    "leads.connectors",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "django_htmx",
    "lucide",
    "pgtrigger",
    "django_structlog",
]
MIDDLEWARE = [
    "portal.logs.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "portal.shared.middleware.SmallBodies",
    "django.middleware.csrf.CsrfViewMiddleware",
    "portal.shared.middleware.NoNulls",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.shared.middleware.HtmxAnswers",
    "portal.logs.RequestLogMiddleware",
    "portal.shared.middleware.NotPermittedPages",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
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
                "portal.accounts.context.shell",
                "portal.outbox.context.messages_of",
                "sla.context.in_force",
            ],
            "builtins": ["portal.shared.templatetags.handoff"],
        },
    }
]

# --- people -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["portal.accounts.backend.PortalBackend"]
SESSION_ENGINE = "portal.accounts.sessions"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
if TESTING:  # ten people a test, each hashed: Argon2 is slow on purpose
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_ADAPTER = "portal.accounts.adapter.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"

# --- words and times ----------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
USE_I18N = False
TIME_ZONE = ORGANISATION_TIME_ZONE
USE_TZ = True

# --- static files, security ---------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if TESTING:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY") else None
# whose tries to sign in are counted, and which address a signature notes: the proxy's client, not the proxy
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env.flag("BEHIND_PROXY") else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_SAMESITE = "Lax"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
API_REQUESTS_A_MINUTE = env.whole("API_REQUESTS_A_MINUTE", 600)  # of one key; a batch costs twenty
# from so many submissions a second on, evaluating them is left to the worker (docs/forms.md: how it was measured)
FORMS_EVALUATE_A_SECOND = env.whole("FORMS_EVALUATE_A_SECOND", 10)
COLLECT_A_MINUTE = env.whole("COLLECT_A_MINUTE", 3000)  # visits that one website may tell of
COLLECT_A_MINUTE_AND_ADDRESS = 60  # and one visitor, and one network address
IMPORT_MOST_BYTES = 500 * 1024 * 1024  # of one uploaded lead file; the command line takes any size

# --- mail ---------------------------------------------------------------------------------------
EMAIL_URL = env.text("EMAIL_URL", None if PRODUCTION else f"file://{DATA_DIR}/mail")
MAILERS = {"default": env.email("EMAIL_URL", EMAIL_URL)}
# chat rooms: 1 allows http and addresses inside the house, for a chat server of one's own
CHAT_PRIVATE_ADDRESSES = env.flag("CHAT_PRIVATE_ADDRESSES")
# outgoing webhooks: the same, for receivers inside the house
WEBHOOK_PRIVATE_ADDRESSES = env.flag("WEBHOOK_PRIVATE_ADDRESSES")
# where the links of e-mails lead
PORTAL_URL = env.text("PORTAL_URL", f"https://{ALLOWED_HOSTS[0]}" if PRODUCTION else "http://localhost:8000")
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "Handoff <handoff@localhost>")

# --- Celery -------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.broker("BROKER_URL", BROKER_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: a broker may be away for longer than a hundred tries
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Redis and Valkey hand a killed worker's task to another one after this many seconds; no task runs longer.
VISIBILITY_TIMEOUT = 3600
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": VISIBILITY_TIMEOUT} if CELERY_BROKER_URL.startswith("redis") else {}
)
CELERY_BEAT_SCHEDULE = {
    "heartbeat": {"task": "portal.heartbeat", "schedule": 10.0, "options": {"expires": 10}},
    "digests": {"task": "leads.digests", "schedule": 300.0, "options": {"expires": 300}},
    "sweep": {"task": "leads.sweep", "schedule": 30.0, "options": {"expires": 30}},
    "outbox": {"task": "portal.outbox.deliver_messages", "schedule": 10.0, "options": {"expires": 10}},
    "signatures": {"task": "sla.remind_signatories", "schedule": 3600.0, "options": {"expires": 3600}},
    "evaluate": {"task": "leads.evaluate", "schedule": 5.0, "options": {"expires": 5}},
    "places": {"task": "leads.places", "schedule": 15.0, "options": {"expires": 15}},
    "rollup": {"task": "leads.rollup", "schedule": 10.0, "options": {"expires": 10}},
    "answers": {"task": "portal.keys.forget_answers", "schedule": 3600.0, "options": {"expires": 3600}},
    "unclaimed": {"task": "leads.remind_unclaimed", "schedule": 60.0, "options": {"expires": 60}},
    "retention": {"task": "leads.retention", "schedule": 3600.0, "options": {"expires": 3600}},
    "webhooks": {"task": "leads.connectors.send", "schedule": 5.0, "options": {"expires": 5}},
    "inbound": {"task": "leads.connectors.take", "schedule": 5.0, "options": {"expires": 5}},
    "webhook log": {"task": "leads.connectors.tidy", "schedule": 86400.0, "options": {"expires": 3600}},
}

# --- logs ---------------------------------------------------------------------------------------
LOGGING_CONFIG = "portal.logs.configure"
LOGGING = {"json": PRODUCTION, "level": env.text("LOG_LEVEL", "WARNING" if TESTING else "INFO")}
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True  # RequestIdMiddleware has looked at it before
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = DJANGO_STRUCTLOG_CELERY_TASK_START_LOG_LEVEL = logs.DEBUG

# --- production has nothing to fall back on -----------------------------------------------------
if PRODUCTION:
    env.refuse(
        {
            "DEMO=1 gives everybody a sign-in. Unset DEMO.": DEMO,
            "DEBUG=1 shows the portal's inside. Unset DEBUG.": DEBUG,
            "TESTING=1 is for the test runner. Unset TESTING.": TESTING,
            "SECRET_KEY is too short or made for trying. Set SECRET_KEY to 50 or more random characters.": (
                SECRET_KEY == TRYING_KEY or len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10
            ),
            "ALLOWED_HOSTS=* trusts every name. Set ALLOWED_HOSTS to this portal's names.": "*" in ALLOWED_HOSTS,
            "EMAIL_URL sends no mail. Set EMAIL_URL=smtp://user:password@host:587?tls=1": not EMAIL_URL.startswith(
                "smtp"
            ),
        }
    )
