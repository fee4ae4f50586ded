"""Developer apps that an organization made by hand at a network, and typed in here."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import AppRegistration, Credential, Organization, User
from accounts.services.audit import record
from core.crypto import CannotDecrypt, decrypt_json, encrypt_json

MOST = 20  # apps of one organization at one network


class TooMany(Exception):
    """There are MOST apps at this network already."""


class NameTaken(Exception):
    """Another app of the organization at this network is called the same."""


class InUse(Exception):
    """Accounts are connected with it, and would be lost."""

    def __init__(self, accounts: int) -> None:
        super().__init__(accounts)
        self.accounts = accounts


@dataclass(frozen=True, slots=True)
class AppFacts:
    """What a person types. An empty ``client_secret`` keeps the one that is stored; ``extra``: by
    AppSetup.fields, of which what is left out is kept."""

    name: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


def add_app(
    *,
    organization: Organization,
    platform: str,
    facts: AppFacts,
    redirect_uri: str,
    actor: User,
    now: dt.datetime,
) -> AppRegistration:
    """Raises TooMany, NameTaken."""
    if AppRegistration.objects.filter(organization=organization, platform=platform).count() >= MOST:
        raise TooMany
    clear = {
        "client_id": facts.client_id,
        "client_secret": facts.client_secret,
        "extra": dict(facts.extra),
        "verify_token": secrets.token_urlsafe(32),
    }
    try:
        with transaction.atomic():
            app = AppRegistration.objects.create(
                organization=organization,
                name=facts.name,
                platform=platform,
                redirect_uri=redirect_uri,
                secret=encrypt_json(clear),
                hook_key=secrets.token_urlsafe(32),
                created_by=actor,
            )
            record(
                organization=organization,
                actor=actor,
                action="app.added",
                subject=app,
                detail={"network": platform},
                now=now,
            )
    except IntegrityError as error:
        raise NameTaken from error
    return app


def change_app(
    *, app: AppRegistration, facts: AppFacts, redirect_uri: str, actor: User, now: dt.datetime
) -> None:
    """Raises NameTaken. Accounts that are connected with it go on with the new secret."""
    organization = app.organization
    if organization is None:
        raise ValueError("an app that was registered by API is nobody's to change")
    try:
        with transaction.atomic():
            row = AppRegistration.objects.select_for_update().get(pk=app.pk)
            clear = _opened(row)
            clear |= {"client_id": facts.client_id, "extra": {**clear.get("extra", {}), **facts.extra}}
            if facts.client_secret:
                clear["client_secret"] = facts.client_secret
            row.name, row.redirect_uri, row.secret = facts.name, redirect_uri, encrypt_json(clear)
            row.save(update_fields=["name", "redirect_uri", "secret"])
            record(
                organization=organization,
                actor=actor,
                action="app.changed",
                subject=row,
                detail={"network": app.platform} | ({"secret": "changed"} if facts.client_secret else {}),
                now=now,
            )
    except IntegrityError as error:
        raise NameTaken from error


@transaction.atomic
def delete_app(*, app: AppRegistration, actor: User, now: dt.datetime) -> None:
    """Raises InUse."""
    AppRegistration.objects.select_for_update().get(pk=app.pk)
    if used := Credential.objects.filter(app=app).count():
        raise InUse(used)
    if app.organization is not None:
        record(
            organization=app.organization,
            actor=actor,
            action="app.deleted",
            subject=app,
            detail={"network": app.platform},
            now=now,
        )
    app.delete()


@dataclass(frozen=True, slots=True)
class AppShown:
    """What may be shown again of an app: never its secret. Of ``extra`` a form shows what is no password."""

    client_id: str
    extra: Mapping[str, str] = field(repr=False)
    verify_token: str
    is_readable: bool = True


def shown(app: AppRegistration) -> AppShown:
    """``is_readable`` is False when no key opens what is stored: then it has to be typed in again."""
    try:
        clear = decrypt_json(app.secret)
    except CannotDecrypt:
        return AppShown("", {}, "", is_readable=False)
    return AppShown(clear["client_id"], clear.get("extra", {}), clear.get("verify_token", ""))


def _opened(app: AppRegistration) -> dict[str, Any]:
    """Of what no key opens, only the new values stay; the token is made anew."""
    try:
        return dict(decrypt_json(app.secret))
    except CannotDecrypt:
        return {"client_secret": "", "verify_token": secrets.token_urlsafe(32)}
