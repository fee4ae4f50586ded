"""Every address of the project, opened by everybody: what imports and types cannot show."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Brand, Membership, Role, User
from accounts.permissions import ALLOWED
from tests.walk import ADDRESSES, OURS, Address, Walked, signed_in_client

# Public: they answer everybody. A name here and not marked, or marked and not here, is an error.
PUBLIC = {
    "healthz",
    "link",
    "accounts:invitation",
    "accounts:unsubscribe",
    "shell:language",
    "api:openapi",
    "content_calendar:feed",
    "outbox:public_media",
    # What was asked for, kept in the session, says who may come back.
    "accounts:oauth_callback",
    # A secret in the address, or a signature, is all that they ask for.
    "accounts:reconnect_by_link",
    "engagement:hook",
    "engagement:deletion",
    "engagement:deletion_status",
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
    "accounts:network",
    "accounts:app_",
    "campaigns:ad_choose",
    "campaigns:ad_app_",
    "shell:notification_open",
    "content_calendar:filter_",
    "content_calendar:feed_",
)
# Their arguments name a network, which belongs to nobody.
OF_ALL = ("accounts:connect_network", "accounts:network", "accounts:app_create")
# Rows that come and go with any visit.
PASSING = {"django_session"}


GUARDED = [address for address in OURS if address.action is not None]


def names(addresses: list[Address]) -> list[str]:
    return [address.name for address in addresses]


def by_name(address: Address) -> str:
    return address.name


def written() -> dict[str, tuple[int, ...]]:
    """How many rows of each table this transaction has inserted, changed and deleted so far."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables"
            " WHERE n_tup_ins + n_tup_upd + n_tup_del > 0"
        )
        return {table: counts for table, *counts in cursor.fetchall() if table not in PASSING}


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
    """GET and POST are both refused, and nothing was written."""
    before = written()
    for method in (client.get, client.post):
        response = method(path)
        # A view of one method only may say so before it asks who is there.
        assert response.status_code in (status, 405), f"{path}: {response.status_code}"
    assert written() == before, f"{path} changed something"


def sent_away(client: Client, path: str, to: str) -> None:
    """GET and POST both lead elsewhere, and nothing was written."""
    before = written()
    for method in (client.get, client.post):
        response = method(path)
        if response.status_code != 405:
            assert response.status_code == 302, f"{path}: {response.status_code}"
            assert response["Location"].startswith(to)
    assert written() == before, f"{path} changed something"


@pytest.mark.django_db
def test_the_walk_sees_what_is_written(brand: Brand) -> None:
    before = written()
    Brand.objects.filter(pk=brand.pk).update(name="Harbour Cocoa")
    assert written() != before


@pytest.mark.parametrize("address", [a for a in OURS if a.name not in PUBLIC | KEYED], ids=by_name)
def test_somebody_signed_out_is_sent_to_sign_in(address: Address, walked: Walked) -> None:
    sent_away(Client(), walked.path_of(address), reverse("account_login"))


@pytest.mark.parametrize("address", [a for a in OURS if a.needs_key], ids=by_name)
def test_no_session_opens_what_is_for_programs(address: Address, walked: Walked) -> None:
    """Whoever is signed in, and whoever guesses a key, gets the same answer as nobody."""
    path = walked.path_of(address)
    guessing = Client(headers={"Authorization": "Bearer smm_guessed"})
    for client in (Client(), signed_in_client(walked.walker), guessing):
        refused(client, path, 401)


@pytest.mark.parametrize("address", GUARDED, ids=by_name)
def test_each_role_gets_in_exactly_where_the_table_allows(address: Address, walked: Walked) -> None:
    path = walked.path_of(address)
    client = signed_in_client(walked.walker)
    assert address.action is not None
    for role in Role:
        walked.walk_as(role)
        if address.action not in ALLOWED[role]:
            refused(client, path, 403)
        else:
            response = client.get(path)
            list(response)  # a file that is streamed stays open until its end
            status = response.status_code
            assert status not in (401, 403, 404, 500), f"{path} as {role}: {status}"


@pytest.mark.parametrize("address", [a for a in GUARDED if a.arguments and a.name not in OF_ALL], ids=by_name)
def test_a_stranger_finds_nothing_of_another_organization(address: Address, walked: Walked) -> None:
    refused(signed_in_client(walked.stranger), walked.path_of(address), 404)


@pytest.mark.parametrize("address", [a for a in GUARDED if not a.arguments], ids=by_name)
def test_no_list_shows_a_stranger_another_organization(address: Address, walked: Walked) -> None:
    answer = signed_in_client(walked.stranger).get(walked.path_of(address))
    text = b"".join(answer).decode()  # a file may be streamed
    for name in ("Harbour", "walked", "invited@example.com"):
        assert name not in text, f"{address.name} shows {name}"


@pytest.mark.parametrize(
    "address", [a for a in GUARDED if a.arguments and not a.name.startswith(OF_NO_BRAND)], ids=by_name
)
def test_a_member_of_another_brand_finds_nothing_of_this_one(address: Address, walked: Walked) -> None:
    path = walked.path_of(address)
    Membership.objects.filter(user=walked.walker).update(has_all_brands=False, role=Role.ADMIN)
    other = Brand.objects.create(organization=walked.brand.organization, name="Harbour Tea")
    walked.walker.memberships.get().brands.add(other)
    refused(signed_in_client(walked.walker), path, 404)


@pytest.mark.parametrize("address", GUARDED, ids=by_name)
def test_a_deactivated_member_is_out(address: Address, walked: Walked) -> None:
    path = walked.path_of(address)
    Membership.objects.filter(user=walked.walker).update(is_active=False)
    sent_away(signed_in_client(walked.walker), path, reverse("accounts:organization_create"))


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
