"""Every address of the project, opened by everybody: what imports and types cannot show.

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
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import Brand, Membership, Organization, Role, User
from accounts.permissions import ALLOWED, Action
from tests.cast import World, make_member

TESTS = Path(__file__).resolve().parent.parent

# Views that are not ours. allauth guards its own pages: they concern the person who is signed in and
# nobody's organization.
NOT_OURS = ("account_", "mfa_", "set_language")
# Public: they answer everybody. A name here and not marked, or marked and not here, is an error.
PUBLIC = {
    "healthz",
    "link",
    "accounts:invitation",
    "accounts:unsubscribe",
    "shell:language",
    "api:openapi",
    "content_calendar:feed",
}
# Behind a client's link, whose secret is all that they ask for.
PUBLIC |= {"content_calendar:review", "content_calendar:review_answer", "content_calendar:review_image"}
PERSONAL = {"accounts:organization_create"}
# For programs: no session opens them, an API key does.
KEYED = {"api:conversions", "api:conversion", "api:refunds"}
# Their rows belong to the organization, to a person, or to nobody.
OF_NO_BRAND = (
    "accounts:member_",
    "accounts:invitation",
    "accounts:connect_network",
    "shell:notification_open",
    "content_calendar:filter_",
    "content_calendar:feed_",
)
# Rows that come and go with any visit.
PASSING = {"django_session"}


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
GUARDED = [address for address in OURS if address.action is not None]


def names(addresses: list[Address]) -> list[str]:
    return [address.name for address in addresses]


def by_name(address: Address) -> str:
    return address.name


def _samples_modules() -> Iterator[Any]:
    for path in sorted(TESTS.glob("*/url_samples.py")):
        spec = importlib.util.spec_from_file_location(f"url_samples_of_{path.parent.name}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture
def walker(organization: Organization) -> User:
    """Somebody of the cast's organization, whose role each test sets."""
    return make_member(organization, "walker", Role.OWNER)


@pytest.fixture
def path_of(organization: Organization, brand: Brand, walker: User) -> Callable[[Address], str]:
    """The path of an address, with arguments that exist in the cast's organization."""
    world = World(organization, brand, walker, timezone.now())
    known: dict[str, dict[str, Any]] = {}
    for module in _samples_modules():
        known |= module.samples(world)

    def of(address: Address) -> str:
        if address.arguments and address.name not in known:
            pytest.fail(f"{address.name} takes {address.arguments}: add it to a tests/<app>/url_samples.py")
        return reverse(address.name, kwargs=known.get(address.name))

    return of


def signed_in_client(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def contents() -> dict[str, str]:
    """A fingerprint of every table of the project."""
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} - PASSING
    each = (
        f"SELECT '{table}', (SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{table}\" t)"  # noqa: S608
        for table in sorted(tables)
    )
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each))
        return dict(cursor.fetchall())


# --- marks ------------------------------------------------------------------------------------


def test_the_walk_finds_the_project() -> None:
    assert {"accounts:account_list", "accounts:brand_archive", "shell:today", "account_login"} <= set(
        names(ADDRESSES)
    )


@pytest.mark.parametrize("address", OURS, ids=by_name)
def test_every_view_says_who_may_call_it(address: Address) -> None:
    marks = [
        address.action is not None,
        bool(getattr(address.view, "is_personal", False)),
        bool(getattr(address.view, "is_public", False)),
        address.needs_key,
    ]
    assert sum(marks) == 1, f"{address.name} needs one of @requires(Action.X), @signed_in and @public"


def test_public_views_are_the_listed_ones() -> None:
    assert {a.name for a in OURS if getattr(a.view, "is_public", False)} == PUBLIC
    assert {a.name for a in OURS if getattr(a.view, "is_personal", False)} == PERSONAL
    assert {a.name for a in OURS if a.needs_key} == KEYED


def test_every_address_has_a_name() -> None:
    assert [address for address in ADDRESSES if address.name.endswith("None")] == []


# --- who gets in ------------------------------------------------------------------------------


def refused(client: Client, path: str, status: int) -> None:
    """GET and POST are both refused, and nothing has changed."""
    before = contents()
    for method in (client.get, client.post):
        response = method(path)
        # A view of one method only may say so before it asks who is there.
        assert response.status_code in (status, 405), f"{path}: {response.status_code}"
    assert contents() == before, f"{path} changed something"


def sent_away(client: Client, path: str, to: str) -> None:
    """GET and POST both lead elsewhere, and nothing has changed."""
    before = contents()
    for method in (client.get, client.post):
        response = method(path)
        if response.status_code != 405:
            assert response.status_code == 302, f"{path}: {response.status_code}"
            assert response["Location"].startswith(to)
    assert contents() == before, f"{path} changed something"


@pytest.mark.django_db
@pytest.mark.parametrize("address", [a for a in OURS if a.name not in PUBLIC | KEYED], ids=by_name)
def test_somebody_signed_out_is_sent_to_sign_in(address: Address, path_of: Callable[[Address], str]) -> None:
    sent_away(Client(), path_of(address), reverse("account_login"))


@pytest.mark.django_db
@pytest.mark.parametrize("address", [a for a in OURS if a.needs_key], ids=by_name)
def test_no_session_opens_what_is_for_programs(
    address: Address, walker: User, path_of: Callable[[Address], str]
) -> None:
    """Whoever is signed in, and whoever guesses a key, gets the same answer as nobody."""
    path = path_of(address)
    guessing = Client(headers={"Authorization": "Bearer smm_guessed"})
    for client in (Client(), signed_in_client(walker), guessing):
        refused(client, path, 401)


@pytest.mark.django_db
@pytest.mark.parametrize("address", GUARDED, ids=by_name)
def test_each_role_gets_in_exactly_where_the_table_allows(
    address: Address, walker: User, path_of: Callable[[Address], str]
) -> None:
    path = path_of(address)
    client = signed_in_client(walker)
    assert address.action is not None
    for role in Role:
        Membership.objects.filter(user=walker).update(role=role)
        if address.action not in ALLOWED[role]:
            refused(client, path, 403)
        else:
            response = client.get(path)
            list(response)  # a file that is streamed stays open until its end
            status = response.status_code
            assert status not in (401, 403, 404, 500), f"{path} as {role}: {status}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", [a for a in GUARDED if a.arguments and a.name != "accounts:connect_network"], ids=by_name
)
def test_a_stranger_finds_nothing_of_another_organization(
    address: Address, stranger: User, path_of: Callable[[Address], str]
) -> None:
    refused(signed_in_client(stranger), path_of(address), 404)


@pytest.mark.django_db
@pytest.mark.parametrize("address", [a for a in GUARDED if not a.arguments], ids=by_name)
def test_no_list_shows_a_stranger_another_organization(
    address: Address, stranger: User, other_organization: Organization, path_of: Callable[[Address], str]
) -> None:
    Brand.objects.create(organization=other_organization, name="Their own brand")
    answer = signed_in_client(stranger).get(path_of(address))
    text = b"".join(answer).decode()  # a file may be streamed
    for name in ("Harbour", "walked", "invited@example.com"):
        assert name not in text, f"{address.name} shows {name}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", [a for a in GUARDED if a.arguments and not a.name.startswith(OF_NO_BRAND)], ids=by_name
)
def test_a_member_of_another_brand_finds_nothing_of_this_one(
    address: Address, walker: User, other_brand: Brand, path_of: Callable[[Address], str]
) -> None:
    path = path_of(address)
    Membership.objects.filter(user=walker).update(has_all_brands=False, role=Role.ADMIN)
    walker.memberships.get().brands.add(other_brand)
    refused(signed_in_client(walker), path, 404)


@pytest.mark.django_db
@pytest.mark.parametrize("address", GUARDED, ids=by_name)
def test_a_deactivated_member_is_out(
    address: Address, walker: User, path_of: Callable[[Address], str]
) -> None:
    path = path_of(address)
    Membership.objects.filter(user=walker).update(is_active=False)
    sent_away(signed_in_client(walker), path, reverse("accounts:organization_create"))


@pytest.mark.django_db
def test_a_forged_id_is_not_found(owner: User) -> None:
    client = signed_in_client(owner)
    for name in ("account_detail", "brand_edit", "member_edit"):
        path = reverse(f"accounts:{name}", args=["00000000-0000-7000-8000-000000000000"])
        assert client.get(path).status_code == 404


@pytest.mark.django_db
def test_posts_without_the_forms_token_are_refused(owner: User, brand: Brand) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    response = client.post(reverse("accounts:brand_archive", args=[brand.pk]))
    assert response.status_code == 403
    brand.refresh_from_db()
    assert not brand.is_archived
