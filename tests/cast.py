"""The fixed cast: one organization with its people in every role, and a stranger who belongs elsewhere."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest
from django.utils import timezone

from accounts.models import Brand, Membership, Organization, Role, SocialAccount, User
from core.crypto import encrypt_json

PASSWORD = "correct horse battery"


def make_user(name: str) -> User:
    return User.objects.create_user(f"{name}@example.com", PASSWORD, name=name.title())


def make_member(organization: Organization, name: str, role: str) -> User:
    user = make_user(name)
    Membership.objects.create(organization=organization, user=user, role=role)
    return user


@pytest.fixture
def organization(db: None) -> Organization:
    return Organization.objects.create(name="Harbour Foods")


@pytest.fixture
def brand(organization: Organization) -> Brand:
    """A brand in a zone with summer time."""
    return Brand.objects.create(organization=organization, name="Harbour Coffee", timezone="Europe/Berlin")


@pytest.fixture
def other_brand(organization: Organization) -> Brand:
    """A second brand of the same organization."""
    return Brand.objects.create(
        organization=organization, name="Harbour Tea", timezone="Asia/Tokyo", currency="JPY"
    )


@pytest.fixture
def owner(organization: Organization) -> User:
    return make_member(organization, "owner", Role.OWNER)


@pytest.fixture
def admin(organization: Organization) -> User:
    return make_member(organization, "admin", Role.ADMIN)


@pytest.fixture
def manager(organization: Organization) -> User:
    return make_member(organization, "manager", Role.MANAGER)


@pytest.fixture
def creator(organization: Organization) -> User:
    return make_member(organization, "creator", Role.CREATOR)


@pytest.fixture
def responder(organization: Organization) -> User:
    return make_member(organization, "responder", Role.RESPONDER)


@pytest.fixture
def marketer(organization: Organization) -> User:
    return make_member(organization, "marketer", Role.MARKETER)


@pytest.fixture
def viewer(organization: Organization) -> User:
    return make_member(organization, "viewer", Role.VIEWER)


@pytest.fixture
def other_organization(db: None) -> Organization:
    return Organization.objects.create(name="Somebody Else")


@pytest.fixture
def stranger(other_organization: Organization) -> User:
    """The owner of another organization: every right there, none here."""
    return make_member(other_organization, "stranger", Role.OWNER)


def make_account(
    brand: Brand, *, platform: str = "sandbox", handle: str = "harbour", **fields: object
) -> SocialAccount:
    """A connected account; ``credential`` in ``fields`` is the secret to keep for it."""
    from accounts.models import Credential

    secret = fields.pop("credential", {"access_token": "token"})
    now = timezone.now()
    account = SocialAccount.objects.create(
        brand=brand, platform=platform, remote_id=f"id-{handle}", handle=handle, connected_at=now, **fields
    )
    Credential.objects.create(account=account, secret=encrypt_json(secret), refreshed_at=now)  # type: ignore[arg-type]
    return account


@pytest.fixture
def sandbox_account(brand: Brand) -> SocialAccount:
    return make_account(brand)


@dataclass(frozen=True, slots=True)
class World:
    """What ``tests/<app>/url_samples.py`` makes its rows for: see tests/walk.py."""

    organization: Organization
    brand: Brand
    user: User  # who walks: rows that belong to a person belong to this one
    now: dt.datetime
