"""Contacts as people look for them: the list with its search and filters, and what one row shows."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Max, Prefetch, Q, QuerySet

from accounts.models import Brand, Membership, SocialAccount
from accounts.selectors import known_networks
from audience.models import Consent, Contact, ContactQuerySet, Identity, IdentityKind, Purpose, Stage
from connectors.base import PlatformInfo
from core.bigrams import folded, wanted_grams

_EXPORT_BATCH = 1000
_MOST_WORDS = 8  # of a search; each is a condition of its own
_FEW = 1000  # contacts and identities that have a word


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """What the address asks for; empty fields ask for nothing. ``consent`` is a purpose that the person
    agrees to now."""

    text: str = ""
    stage: str = ""
    platform: str = ""
    consent: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.stage or self.platform or self.consent)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an identity is at home: a network, or (``network`` None) a kind of mark."""

    key: str
    name: str
    network: PlatformInfo | None


def place_of(platform: str) -> Place:
    network = known_networks().get(platform)
    if network is not None:
        return Place(platform, network.name, network)
    known = platform in IdentityKind.values
    return Place(platform, str(IdentityKind(platform).label) if known else platform, None)


@dataclass(frozen=True, slots=True)
class Person:
    """One contact with its identities, the one seen last first. ``name`` is what to call them: the name that
    the brand wrote down, else what they call themselves."""

    contact: Contact
    name: str
    identities: tuple[tuple[Identity, Place], ...]
    agreed: tuple[Purpose, ...] = ()

    @property
    def picture(self) -> str:
        return next((one.avatar_url for one, _place in self.identities if one.avatar_url), "")

    @property
    def handles(self) -> tuple[str, ...]:
        """As people write them: "@hanako", an e-mail address."""
        return tuple(one.address for one, _place in self.identities if one.address)

    @property
    def places(self) -> tuple[Place, ...]:
        """Each network once."""
        return tuple({place.key: place for _one, place in self.identities}.values())


def name_of(contact: Contact, identities: Iterable[Identity]) -> str:
    """``identities``: the one seen last first. Those that a merge brought come after the contact's own, so
    that it is not called otherwise because of it."""
    own_first = sorted(identities, key=lambda one: one.home_id not in (None, contact.pk))
    names = (one.display_name or one.address for one in own_first)
    return contact.name or next((name for name in names if name), "") or contact.email or str(contact)


def person_of(contact: Contact, agreed: Sequence[Purpose] = ()) -> Person:
    """The contact's identities are prefetched (``with_identities``), or read now."""
    identities = sorted(contact.identities.all(), key=lambda one: (one.last_seen_at, one.pk), reverse=True)
    return Person(
        contact=contact,
        name=name_of(contact, identities),
        identities=tuple((one, place_of(one.platform)) for one in identities),
        agreed=tuple(agreed),
    )


def with_identities(contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    identities = Identity.objects.defer("search_text", "search_grams")
    return (
        contacts.select_related("brand")
        .defer("search_text", "search_grams")
        .prefetch_related(Prefetch("identities", identities))
    )


def contacts_of(
    membership: Membership, brand: Brand | None, wanted: ContactFilter | None = None
) -> ContactQuerySet:
    """The contacts that this member sees and the filter leaves, whoever was seen last first. Merged and
    erased ones are not among them."""
    brands = [brand] if brand is not None else list(Brand.objects.for_member(membership))
    rows = Contact.objects.shown().filter(brand__in=brands)
    if wanted is not None:
        rows = _filtered(rows, brands, wanted)
    return rows.order_by("-last_seen_at", "-pk")


def _filtered(rows: ContactQuerySet, brands: Sequence[Brand], wanted: ContactFilter) -> ContactQuerySet:
    for word in folded(wanted.text).split()[:_MOST_WORDS]:
        rows = rows.filter(_with_word(brands, word.removeprefix("@") or word))
    if wanted.stage:
        rows = rows.filter(stage=wanted.stage)
    identities = Identity.objects.filter(brand__in=brands)
    if wanted.platform:
        rows = rows.filter(pk__in=identities.filter(platform=wanted.platform).values("contact_id"))
    if wanted.consent:
        rows = rows.filter(pk__in=_agreeing(identities, wanted.consent))
    return rows


def _with_word(brands: Sequence[Brand], word: str) -> Q:
    """Contacts that have the word in a fact or in an identity.

    What few have is looked up at once: the grams find candidates by the index, the text says which of them
    really contain it. What many have ("a", "gmail") is cheaper without the grams: the list ends at the foot
    of its page, and to count reads each text once, where looking for all of them by their grams takes ten
    times as long.
    """
    text = {"brand__in": brands, "search_text__contains": word}
    both = {**text, "search_grams__contains": wanted_grams([word])}
    identities = Identity.objects.filter(**both).values_list("contact_id")
    found = Contact.objects.filter(**both).values_list("pk").union(identities, all=True)[: _FEW + 1]
    ids = {pk for (pk,) in found}
    if len(found) <= _FEW:
        return Q(pk__in=ids)
    return Q(search_text__contains=word) | Q(pk__in=Identity.objects.filter(**text).values("contact_id"))


def _agreeing(identities: QuerySet[Identity], purpose: str) -> Any:
    """Ids of contacts whose latest statement is a yes (``agreed_by``), by one pass over the statements."""
    said = identities.filter(consents__purpose=purpose).values("contact_id")
    last = said.annotate(
        yes=Max("consents__at", filter=Q(consents__is_granted=True)),
        no=Max("consents__at", filter=Q(consents__is_granted=False)),
    )
    return last.filter(Q(no__isnull=True) | Q(yes__gt=F("no")), yes__isnull=False).values("contact_id")


def people_of(contacts: Sequence[Contact]) -> list[Person]:
    """What the list shows of these contacts, in their order, in three queries."""
    found = with_identities(Contact.objects.filter(pk__in=[one.pk for one in contacts])).in_bulk()
    agreed = agreed_by([one.pk for one in contacts])
    return [person_of(found[one.pk], agreed.get(one.pk, ())) for one in contacts if one.pk in found]


def every_person(contacts: QuerySet[Contact]) -> Iterator[Person]:
    """All of them in batches, for a file."""
    ids = list(contacts.values_list("pk", flat=True))
    for start in range(0, len(ids), _EXPORT_BATCH):
        batch = ids[start : start + _EXPORT_BATCH]
        found = with_identities(Contact.objects.filter(pk__in=batch)).in_bulk()
        agreed = agreed_by(batch)
        for pk in batch:
            if pk in found:  # else it went while the file was written
                yield person_of(found[pk], agreed.get(pk, ()))


def agreed_by(contact_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, list[Purpose]]:
    """What each of these contacts agrees to now: the latest statement of all its identities is a yes."""
    statements = (
        Consent.objects.filter(identity__contact__in=contact_ids)
        .order_by("identity__contact_id", "purpose", "-at", "is_granted")
        .distinct("identity__contact_id", "purpose")
        .values_list("identity__contact_id", "purpose", "is_granted")
    )
    agreed: dict[uuid.UUID, list[Purpose]] = {}
    for contact_id, purpose, is_granted in statements:
        if is_granted:
            agreed.setdefault(contact_id, []).append(Purpose(purpose))
    return agreed


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """What the filters offer."""

    stages: tuple[Stage, ...]
    places: tuple[Place, ...]
    purposes: tuple[Purpose, ...]


def filter_choices(membership: Membership, brand: Brand | None) -> FilterChoices:
    """Networks are those of the accounts, past ones too: people are met where the brand has one."""
    accounts = SocialAccount.objects.for_member(membership)
    if brand is not None:
        accounts = accounts.for_brand(brand)
    platforms = sorted(set(accounts.values_list("platform", flat=True)))
    return FilterChoices(
        stages=tuple(Stage),
        places=tuple(place_of(key) for key in (*platforms, *IdentityKind.values)),
        purposes=tuple(Purpose),
    )
