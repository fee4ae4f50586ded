"""Secrets at rest: Fernet (AES-128-CBC with HMAC-SHA256) under keys from the settings.

The first of ``settings.FIELD_KEYS`` encrypts, all of them decrypt, so a key is rotated by putting a
new one in front, running ``manage.py rotate_credentials`` and dropping the old one.
"""

from __future__ import annotations

import functools
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotDecrypt(Exception):
    """No configured key opens this value: the key was lost or the value was changed."""


@functools.lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _current() -> MultiFernet:
    return _fernet(tuple(settings.FIELD_KEYS))


def encrypt_json(value: dict[str, Any]) -> str:
    """Token (URL-safe base64 text) of a JSON object."""
    return _current().encrypt(json.dumps(value, separators=(",", ":")).encode()).decode()


def decrypt_json(token: str) -> dict[str, Any]:
    """The JSON object behind a token. Raises CannotDecrypt."""
    try:
        clear = _current().decrypt(token.encode())
    except InvalidToken as error:
        raise CannotDecrypt from error
    value: dict[str, Any] = json.loads(clear)
    return value


def rotate(token: str) -> str:
    """The same secret under the first key. Raises CannotDecrypt."""
    try:
        return _current().rotate(token.encode()).decode()
    except InvalidToken as error:
        raise CannotDecrypt from error
