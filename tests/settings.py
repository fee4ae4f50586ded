"""Settings of a test run: real servers first (ours, if none are given), then the application's settings.

The servers are started while the settings load, because Django opens its connections by them. The
processes of a parallel run inherit the environment and so find the servers of the first.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from cryptography.fernet import Fernet

from smmapp import embedded

PREFIX = "smmapp-test-"

os.environ.setdefault("SMM_SECRET_KEY", "a key for tests only")
os.environ.setdefault("SMM_FIELD_KEYS", Fernet.generate_key().decode())
if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
    embedded.sweep_abandoned(PREFIX)
    _folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    # PostgreSQL may run as another user, who must be able to pass through.
    _folder.chmod(0o711)
    _services = embedded.acquire(
        _folder,
        with_postgres=not os.environ.get("DATABASE_URL"),
        with_redis=not os.environ.get("REDIS_URL"),
        durable=False,
    )
    atexit.register(embedded.discard, _folder)
    os.environ.update(_services.environment())
elif not os.environ.get("SMM_VAR_DIR"):
    os.environ["SMM_VAR_DIR"] = tempfile.mkdtemp(prefix=f"{PREFIX}var-")

# Each process of a parallel run empties a Redis database of its own, away from the one that an application
# on the same server would use.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
os.environ["REDIS_URL"] = urlunsplit(urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{8 + _worker % 8}"))

from smmapp.settings import *  # noqa: E402, F403 - reads the environment that was just completed

# Hashing a password as slowly as it should be would be most of a test run.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Names of files as they are, so that no build of the static files is needed.
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
ALLOWED_HOSTS = ["*"]
# Static files are looked up when asked for; none have been collected.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
