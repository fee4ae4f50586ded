"""Every address of the project, and an organization in which each leads somewhere.

An app whose URLs take arguments adds a module ``tests/<app>/url_samples.py`` with
``samples(world) -> {URL name: kwargs}``; rows that it makes belong to the world's organization and brand.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_django
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import Brand, Membership, Organization, Role, User
from accounts.permissions import Action
from tests.cast import World, make_member

TESTS = Path(__file__).resolve().parent

# Views that are not ours. allauth guards its own pages: they concern the person who is signed in and
# nobody's organization.
NOT_OURS = ("account_", "mfa_", "set_language")


@dataclass(frozen=True, slots=True)
class Address:
    name: str
    view: Callable[..., Any]
    arguments: tuple[str, ...]

    @property
    def is_ours(self) -> bool:
        return not self.name.startswith(NOT_OURS)

    @property
    def action(self) -> Action | None:
        return getattr(self.view, "required_action", None)

    @property
    def needs_key(self) -> bool:
        return bool(getattr(self.view, "needs_key", False))


def walk(patterns: list[Any], namespace: str = "", outer: tuple[str, ...] = ()) -> Iterator[Address]:
    for pattern in patterns:
        arguments = (*outer, *pattern.pattern.converters)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from walk(pattern.url_patterns, inner, arguments)
        elif isinstance(pattern, URLPattern):
            yield Address(f"{namespace}{pattern.name}", pattern.callback, arguments)


ADDRESSES = list(walk(get_resolver().url_patterns))
OURS = [address for address in ADDRESSES if address.is_ours]


def _samples_modules() -> Iterator[Any]:
    for path in sorted(TESTS.glob("*/url_samples.py")):
        spec = importlib.util.spec_from_file_location(f"url_samples_of_{path.parent.name}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


@dataclass(frozen=True, slots=True)
class Walked:
    """An organization in which every address leads somewhere, and who opens them."""

    walker: User  # of the organization; each test sets the role
    stranger: User  # owner of another organization
    brand: Brand
    known: dict[str, dict[str, Any]]  # URL name -> arguments

    def path_of(self, address: Address) -> str:
        """With arguments that exist in the organization."""
        if address.arguments and address.name not in self.known:
            pytest.fail(f"{address.name} takes {address.arguments}: add it to a tests/<app>/url_samples.py")
        return reverse(address.name, kwargs=self.known.get(address.name))

    def walk_as(self, role: Role) -> None:
        Membership.objects.filter(user=self.walker).update(role=role)


@pytest.fixture(scope="module")
def _made(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[Walked]:
    """Made once: to make it takes longer than all visits of an address. What a test changes is taken back
    with the transaction of the test, which is one within this one."""
    with django_db_blocker.unblock(), transaction.atomic():
        organization = Organization.objects.create(name="Harbour Foods")
        brand = Brand.objects.create(
            organization=organization, name="Harbour Coffee", timezone="Europe/Berlin"
        )
        walker = make_member(organization, "walker", Role.OWNER)
        elsewhere = Organization.objects.create(name="Somebody Else")
        stranger = make_member(elsewhere, "stranger", Role.OWNER)
        Brand.objects.create(organization=elsewhere, name="Their own brand")
        world = World(organization, brand, walker, timezone.now())
        known: dict[str, dict[str, Any]] = {}
        for module in _samples_modules():
            known |= module.samples(world)
        yield Walked(walker, stranger, brand, known)
        transaction.set_rollback(True)


@pytest.fixture
def walked(_made: Walked, db: None) -> Walked:
    return _made


def signed_in_client(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client
