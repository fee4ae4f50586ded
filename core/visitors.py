"""People whom nobody knows: where they come from, and how often."""

from __future__ import annotations

import datetime as dt
import hashlib

import redis
from allauth.account.adapter import get_adapter
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest

from core.redis import client

_MINUTE = 60


def address_of(request: HttpRequest) -> str:
    """The visitor's address, by the rule that rate limits read it with; "" if the proxy does not tell."""
    try:
        return str(get_adapter(request).get_client_ip(request))
    except (ImproperlyConfigured, PermissionDenied):
        return ""


def is_too_often(what: str, who: str, *, most: int, now: dt.datetime) -> bool:
    """One more ``what`` of ``who`` in this minute: whether that makes more than ``most``. Without Redis
    nobody is counted, and nobody is kept out."""
    person = hashlib.sha256(who.encode()).hexdigest()[:32]
    name = f"smmapp:often:{what}:{person}:{int(now.timestamp()) // _MINUTE}"
    try:
        pipeline = client().pipeline()
        pipeline.incr(name)
        pipeline.expire(name, 2 * _MINUTE)
        return int(pipeline.execute()[0]) > most
    except redis.exceptions.RedisError:
        return False
