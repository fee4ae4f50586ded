"""What every route for other programs has: a key, a limit, JSON, and errors of one form.

The routes themselves are in the apps (campaigns/api.py); smmapp/api.py puts them together. docs/api.md tells
people how to use them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import redis
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja import Schema
from ninja.security import HttpBearer

from accounts.models import ApiKey, ApiScope
from accounts.services.api_keys import KeyUnknown, ScopeMissing, recognise
from core.redis import client

_MINUTE = 60


class ErrorBody(Schema):
    code: str  # stable, for programs
    message: str  # for people; may be worded differently tomorrow
    field: str = ""  # the one at fault, "" for the whole request


class ErrorOut(Schema):
    error: ErrorBody


class ApiProblem(Exception):
    """A request is answered with an error, and nothing was changed."""

    def __init__(
        self, status: int, code: str, message: str, field: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.status = status
        self.body = ErrorOut(error=ErrorBody(code=code, message=message, field=field))
        self.headers = headers or {}


# Steps on the way to a field that are ours: place in the request, name of the argument, shape of the body.
_NOT_FIELDS = frozenset({"body", "payload", "path", "header", "one", "many"})

# What pydantic finds -> our code, which is part of the interface; everything else is "invalid".
_CODES = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "timezone_aware": "zone_missing",
    "too_long": "too_many",
    "too_short": "too_few",
}


def invalid(found: Mapping[str, Any]) -> ApiProblem:
    """The problem behind one error of pydantic."""
    # The way to it begins with where ninja found it and what we call it; people know neither.
    where = [str(step) for step in found["loc"] if step not in _NOT_FIELDS]
    return ApiProblem(422, _CODES.get(found["type"], "invalid"), f"{found['msg']}.", ".".join(where))


class KeyAuth(HttpBearer):
    """``Authorization: Bearer smm_...``. The route finds the key as ``request.auth``. Raises ApiProblem."""

    def __init__(self, scope: ApiScope) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> ApiKey:
        scheme, _blank, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise _not_known("Send an API key: Authorization: Bearer smm_...")
        key = self.authenticate(request, secret.strip())
        # The address of a request that changes nothing holds all of it.
        if request.method != "GET" and request.content_type != "application/json":
            raise ApiProblem(415, "not_json", "Send JSON, with Content-Type: application/json.")
        return key

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey:  # noqa: ARG002 - as ninja has it
        now = timezone.now()
        try:
            key = recognise(secret=token, scope=self.scope, now=now)
        except KeyUnknown:
            raise _not_known("This API key is not known. It may have been revoked.") from None
        except ScopeMissing:
            raise ApiProblem(403, "scope_missing", f"This API key is not for {self.scope}.") from None
        _count(key.pk, now)
        return key


def _not_known(message: str) -> ApiProblem:
    return ApiProblem(401, "key_unknown", message, headers={"WWW-Authenticate": "Bearer"})


def _count(key_id: uuid.UUID, now: dt.datetime) -> None:
    """One more request of this minute. Without Redis nobody is counted, and nobody is kept out. Raises
    ApiProblem above the limit."""
    minute, second = divmod(int(now.timestamp()), _MINUTE)
    name = f"smmapp:api:{key_id}:{minute}"
    try:
        pipeline = client().pipeline()
        pipeline.incr(name)
        pipeline.expire(name, 2 * _MINUTE)
        count = pipeline.execute()[0]
    except redis.exceptions.RedisError:
        return
    if count > settings.API_REQUESTS_PER_MINUTE:
        wait = _MINUTE - second
        raise ApiProblem(
            429,
            "too_many_requests",
            f"More than {settings.API_REQUESTS_PER_MINUTE} requests a minute. Wait {wait} seconds, or send "
            "more in one request.",
            headers={"Retry-After": str(wait)},
        )
