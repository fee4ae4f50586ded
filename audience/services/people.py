"""Who a brand meets: an identity for every account that writes, clicks or buys, and a contact behind it.

Whoever locks rows of this app locks identities first, by platform and remote_key, then contacts, by id:
so intake, merging and erasing wait for one another and never form a ring.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from django.db import connection, transaction

from accounts.models import Brand
from audience.models import Contact, Identity, IdentityKind, Stage
from core.bigrams import folded, grams
from core.ids import uuid7

STAGES = (Stage.NONE, Stage.LEAD, Stage.CUSTOMER)  # in the order in which people come to them

_MARKS = frozenset(IdentityKind.values)
_REMOTE_ID_LENGTH = 512
_NAME_LENGTH = 255
_URL_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Met:
    """Somebody as a network, a shop or a form names them. ``platform`` is the key of a network or one of
    IdentityKind; ``remote_id`` is what they are known by there for ever. Empty fields say nothing."""

    platform: str
    remote_id: str
    handle: str = ""
    display_name: str = ""
    avatar_url: str = ""
    profile_url: str = ""


Key = tuple[str, str]  # (platform, remote_key)


def key_of(met: Met) -> Key:
    """What an identity is found by, of a fixed length. An e-mail address is one however it is written."""
    remote_id = met.remote_id.strip().casefold() if met.platform == IdentityKind.EMAIL else met.remote_id
    return met.platform, hashlib.sha256(remote_id.encode()).hexdigest()


def meet(*, brand: Brand, met: Met, now: dt.datetime) -> Identity:
    """The identity of somebody who was just met, made with a contact of its own the first time."""
    return meet_all(brand=brand, met=[met], now=now)[met.platform, met.remote_id]


def meet_all(
    *,
    brand: Brand,
    met: Sequence[Met],
    now: dt.datetime,
    contacts: Mapping[Key, uuid.UUID] = MappingProxyType({}),
) -> dict[tuple[str, str], Identity]:
    """As ``meet`` for many, by (platform, remote_id), in a handful of queries whatever their number.
    ``contacts``: ids of contacts that are to be made, for those who are new and share one.

    Safe beside other workers that meet the same people: the database decides who is new. Handle, name and
    addresses are refreshed with what is given, and kept where nothing is. Raises ValueError for somebody
    without a remote id.
    """
    people: dict[Key, Met] = {}
    for one in met:
        if not one.remote_id:
            raise ValueError(f"somebody of {one.platform} without a remote id")
        people[key_of(one)] = one
    if not people:
        return {}
    with transaction.atomic():
        ids = {key: uuid7() for key in people}
        rows = [
            _values(brand, one, key[1], (ids[key], contacts.get(key) or uuid7()), now)
            for key, one in sorted(people.items())
        ]
        found = {(row.platform, row.remote_key): row for row in _store(rows)}
        # Whoever is new was stored with the contact that was invented for them, which follows now.
        known = [row for key, row in found.items() if row.pk != ids[key]]
        fresh = {row.contact_id for key, row in found.items() if row.pk == ids[key]}
        _make_contacts(brand, fresh, now)
        _make_findable(known)
        touch_contacts({row.contact_id: now for row in found.values() if row.contact_id not in fresh})
    return {(one.platform, one.remote_id): found[key_of(one)] for one in met}


def _values(
    brand: Brand, met: Met, remote_key: str, ids: tuple[uuid.UUID, uuid.UUID], now: dt.datetime
) -> tuple[object, ...]:
    """The identity as it is if the person is new: the columns of _STORED. ``ids``: its own, its contact's."""
    pk, contact_id = ids
    remote_id = _clean(met.remote_id)[:_REMOTE_ID_LENGTH]
    handle = _clean(met.handle)[:_NAME_LENGTH]
    display_name = _clean(met.display_name)[:_NAME_LENGTH]
    words = _words(met.platform, remote_id, handle, display_name)
    return (
        str(pk),
        str(brand.pk),
        str(contact_id),
        met.platform,
        remote_id,
        remote_key,
        handle,
        display_name,
        _web_address(met.avatar_url),
        _web_address(met.profile_url),
        words,
        grams(words),
        now,
        now,
    )


def _words(platform: str, remote_id: str, handle: str, display_name: str) -> str:
    """What somebody is looked for by. An id at a network means nothing to people, an e-mail address does."""
    says = [remote_id] if platform in _MARKS else []
    return folded(handle, display_name, *says)


def _make_contacts(brand: Brand, ids: Collection[uuid.UUID], now: dt.datetime) -> None:
    """Of people of whom nothing is known but when they were met. By hand: the rows differ by their ids."""
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audience_contact (id, brand_id, name, email, phone, notes, stage, first_seen_at,"
            " last_seen_at, search_text, search_grams)"
            " SELECT id, %s, '', '', '', '', %s, %s, %s, '', '{}' FROM unnest(%s::uuid[]) AS id",
            [str(brand.pk), Stage.NONE.value, now, now, [str(pk) for pk in ids]],
        )


def _make_findable(rows: Iterable[Identity]) -> None:
    """By their new name, if they have one since they were stored."""
    renamed = []
    for row in rows:
        words = _words(row.platform, row.remote_id, row.handle, row.display_name)
        if words != row.search_text:
            row.search_text, row.search_grams = words, grams(words)
            renamed.append(row)
    if renamed:
        Identity.objects.bulk_update(renamed, ["search_text", "search_grams"])


def _clean(text: str) -> str:
    """PostgreSQL takes no NUL character, and some networks do."""
    return text.replace("\0", "").strip()


def _web_address(url: str) -> str:
    """The address if a page may link to it, else ""."""
    url = _clean(url)
    if not url or len(url) > _URL_LENGTH:
        return ""  # half an address leads nowhere
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


_STORED = (
    "id",
    "brand_id",
    "contact_id",
    "platform",
    "remote_id",
    "remote_key",
    "handle",
    "display_name",
    "avatar_url",
    "profile_url",
    "search_text",
    "search_grams",
    "first_seen_at",
    "last_seen_at",
)
_RETURNED = (*(column for column in _STORED if column != "search_grams"), "home_id", "erased_at")
# One statement that inserts, refreshes and locks in the order of the keys. The condition after ON CONFLICT is
# that of the constraint identity_once_per_brand.
_UPSERT = """
    INSERT INTO audience_identity AS known ({columns}) VALUES {rows}
    ON CONFLICT (brand_id, platform, remote_key) WHERE NOT (remote_key = '') DO UPDATE SET
        handle = coalesce(nullif(excluded.handle, ''), known.handle),
        display_name = coalesce(nullif(excluded.display_name, ''), known.display_name),
        avatar_url = coalesce(nullif(excluded.avatar_url, ''), known.avatar_url),
        profile_url = coalesce(nullif(excluded.profile_url, ''), known.profile_url),
        last_seen_at = greatest(excluded.last_seen_at, known.last_seen_at)
    RETURNING {returned}
"""


def _store(rows: Sequence[tuple[object, ...]]) -> list[Identity]:
    """Inserted or refreshed; the rows as they are in the database now, without their grams."""
    marks = f"({', '.join(['%s'] * len(_STORED))})"
    query = _UPSERT.format(
        columns=", ".join(_STORED), rows=", ".join([marks] * len(rows)), returned=", ".join(_RETURNED)
    )
    return list(Identity.objects.raw(query, [value for row in rows for value in row]))


def touch_contacts(seen: Mapping[uuid.UUID, dt.datetime]) -> None:
    """Note that these contacts were seen then, unless they were seen later already."""
    if not seen:
        return
    ids = sorted(seen)
    locked = Contact.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    late = [pk for pk, last in locked.values_list("pk", "last_seen_at") if last < seen[pk]]
    if not late:
        return
    rows = ", ".join(["(%s, %s)"] * len(late))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE audience_contact SET last_seen_at = seen.at FROM (VALUES {rows}) AS seen (id, at) "  # noqa: S608
            "WHERE audience_contact.id = seen.id",
            [value for pk in late for value in (pk, seen[pk])],
        )


def mark_stage(*, identity: Identity, stage: Stage, now: dt.datetime) -> bool:
    """The person has come this far. Whether that is news: a stage only moves forward."""
    earlier = STAGES[: STAGES.index(stage)]
    return bool(
        Contact.objects.filter(identities=identity, stage__in=earlier).update(stage=stage, stage_at=now)
    )


def mark_stages(*, reached: Mapping[uuid.UUID, tuple[Stage, dt.datetime]]) -> int:
    """As ``mark_stage`` for many, by contact: how far each came, and when. Returns for how many it was news;
    two queries whatever their number."""
    locked = Contact.objects.filter(pk__in=reached).order_by("pk").select_for_update(no_key=True)
    late = [
        pk
        for pk, stage in locked.values_list("pk", "stage")
        if STAGES.index(reached[pk][0]) > STAGES.index(Stage(stage))
    ]
    if not late:
        return 0
    rows = ", ".join(["(%s, %s, %s)"] * len(late))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE audience_contact SET stage = reached.stage, stage_at = reached.at "  # noqa: S608
            f"FROM (VALUES {rows}) AS reached (id, stage, at) WHERE audience_contact.id = reached.id",
            [value for pk in late for value in (pk, *reached[pk])],
        )
    return len(late)
