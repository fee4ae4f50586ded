"""``python -m smmapp.run.check web|worker|beat``: a container's health check; exit code 0 is healthy."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request

import django
from django.conf import settings
from django.utils import timezone

from smmapp import heartbeats


def is_web_healthy() -> bool:
    """The web answers and reaches its servers; a silent worker is not the web's illness."""
    request = urllib.request.Request(f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz")
    # Django answers only to names that it knows.
    request.add_header("Host", settings.ALLOWED_HOSTS[0])
    try:
        with urllib.request.urlopen(request, timeout=8) as answer:
            told = json.load(answer)
    except urllib.error.HTTPError as error:
        told = json.load(error)
    return told["database"] == "ok" and told["redis"] == "ok"


def main(part: str) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smmapp.settings")
    django.setup()
    if part == "web":
        return 0 if is_web_healthy() else 1
    beats = heartbeats.read(now=timezone.now())
    return 0 if (beats.is_beat_alive if part == "beat" else beats.is_worker_alive) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
