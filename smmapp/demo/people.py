"""The people around the demo's brands: what they agreed to, what is known of them, who is whom."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType

from django.db.models import Aggregate, Max, Min, OuterRef, Subquery

from accounts.models import User
from audience.models import Activity, ActivityKind, Consent, Contact, Identity, Purpose, Stage
from audience.services.activities import Happened, tell
from audience.services.consents import record_consent
from audience.services.facts import change_facts
from audience.services.merging import merge_contacts
from audience.services.people import Met, meet
from connectors.base import InboxItem, Profile
from smmapp.demo import inbox_en, inbox_ja
from smmapp.demo.plan import PEOPLE
from smmapp.demo.world import World

WORDS: Mapping[str, ModuleType] = {"aozora": inbox_ja, "nordlicht": inbox_en}
FORM = {"ja": "申し込みフォームのチェック欄", "en": "Box ticked in the form"}
MANAGER = PEOPLE[1].email
OWN_DEEDS = (
    ActivityKind.COMMENT,
    ActivityKind.MENTION,
    ActivityKind.MESSAGE,
    ActivityKind.CLICK,
    ActivityKind.LEAD,
    ActivityKind.SALE,
)


def add_consents(world: World, items: Iterable[InboxItem]) -> None:
    """Before they are answered: a link in an answer says who clicked only where that was agreed to."""
    profiles: dict[str, Profile] = {}
    for item in items:
        other = item.counterpart if item.is_own else item.author
        if other is not None:
            profiles[other.display_name] = other
    for name, purpose, is_granted, source, day in WORDS[world.plan.key].CONSENTS:
        profile, at = profiles[name], world.instant(day, "10:15")
        met = Met("sandbox", profile.remote_id, profile.handle, name, profile.avatar_url, profile.profile_url)
        record_consent(
            identity=meet(brand=world.row, met=met, now=at),
            purpose=purpose,
            is_granted=is_granted,
            source=source,
            actor=world.people[MANAGER],
            now=at,
        )


def add_newsletter_readers(world: World, acted: Sequence[tuple[Identity, dt.datetime]]) -> None:
    """Every third of those who filled in a form ticked the box for the newsletter."""
    source = FORM[world.row.locale]
    consents = [
        Consent(identity=identity, purpose=Purpose.NEWSLETTER, is_granted=True, source=source, at=at)
        for identity, at in acted[::3]
    ]
    Consent.objects.bulk_create(consents)
    tell(
        brand=world.row,
        happened=[
            Happened(
                one.identity_id,
                ActivityKind.CONSENT,
                one.at,
                f"consent:{one.pk}",
                detail={"purpose": one.purpose, "is_granted": True},
            )
            for one in consents
        ],
    )


def date_people(world: World) -> None:
    """They were seen when they did something, not when it was filled in here."""
    deeds = Activity.objects.filter(brand=world.row, kind__in=OWN_DEEDS)

    def edge(aggregate: type[Aggregate], whose: str) -> Subquery:
        theirs = deeds.filter(**{whose: OuterRef("pk")}).order_by().values(whose)
        return Subquery(theirs.annotate(edge=aggregate("at")).values("edge"))

    identities = Identity.objects.filter(pk__in=deeds.values("identity"))
    identities.update(first_seen_at=edge(Min, "identity"), last_seen_at=edge(Max, "identity"))
    whose = "identity__contact"
    contacts = Contact.objects.filter(pk__in=deeds.values(whose))
    contacts.update(first_seen_at=edge(Min, whose), last_seen_at=edge(Max, whose))


def add_knowledge(world: World) -> None:
    """Facts and merges, as people of the brand added them in the last weeks."""
    words, actor = WORDS[world.plan.key], world.people[MANAGER]
    for number, (name, other) in enumerate(words.MERGED):
        at = world.instant(-20 + number, "11:25")
        merge_contacts(into=_contact(world, name), other=_contact(world, other), actor=actor, now=at)
    for number, (name, facts) in enumerate(words.FACTS):
        contact = _contact(world, name)
        known = dataclasses.replace(facts, stage=Stage(contact.stage))
        change_facts(
            contact=contact, facts=known, actor=_writer(world), now=world.instant(-19 + number, "16:05")
        )


def _contact(world: World, name: str) -> Contact:
    return Contact.objects.get(brand=world.row, identities__display_name=name, identities__platform="sandbox")


def _writer(world: World) -> User:
    return world.people["yui@example.com" if world.plan.key == "aozora" else "demo@example.com"]
