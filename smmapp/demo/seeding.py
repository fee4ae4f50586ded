"""Filling an installation with the demo, through the same services that people use.

The past is real, too: its posts, comments and messages are put on the sandbox network back-dated, and what
is kept here is what the network states for each moment, so that what is collected from now on continues the
same curves and nothing is there twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

from accounts.models import Brand, Membership, User
from accounts.services.organizations import create_brand, create_organization
from sandbox.control import SandboxControl
from smmapp.demo import past_en, past_ja, posts_en, posts_ja
from smmapp.demo.approvals import add_approvals
from smmapp.demo.files import add_file
from smmapp.demo.funnel import add_results
from smmapp.demo.goals import add_goals
from smmapp.demo.inbox import add_inbox
from smmapp.demo.library import add_library
from smmapp.demo.marketing import add_campaigns
from smmapp.demo.network import add_accounts, free_suffix
from smmapp.demo.people import add_knowledge, date_people
from smmapp.demo.plan import BRANDS, ORGANIZATION, PEOPLE, DemoPost
from smmapp.demo.planning import add_planning
from smmapp.demo.publishing import add_posts
from smmapp.demo.repeating import add_repeating
from smmapp.demo.world import BEGAN_BEFORE, World
from smmapp.demo.writing import add_writing

POSTS: Mapping[str, tuple[DemoPost, ...]] = {
    "aozora": past_ja.POSTS + posts_ja.POSTS,
    "nordlicht": past_en.POSTS + posts_en.POSTS,
}


class AlreadySeeded(Exception):
    """The demo's people are here."""


def is_seeded() -> bool:
    return User.objects.filter(email__in=[person.email for person in PEOPLE]).exists()


def seed(*, control: SandboxControl, password: str, now: dt.datetime) -> None:
    """Make everything, or nothing in our database. Raises AlreadySeeded, SandboxFailed."""
    if is_seeded():
        raise AlreadySeeded
    with transaction.atomic():
        people = _people(password)
        brands = _organization(people, now)
        suffix = free_suffix(control)
        for plan in BRANDS:
            world = World(plan, brands[plan.key], people, control, now)
            add_accounts(world, posts=POSTS[plan.key], owner=people[PEOPLE[0].email], suffix=suffix)
            add_writing(world)
            add_campaigns(world)
            add_posts(world, POSTS[plan.key])
            add_file(world)
            add_planning(world)
            add_repeating(world)
            add_library(world)
            add_inbox(world)
            _tell_planner()
            add_results(world)
            _tell_planner()
            date_people(world)
            add_knowledge(world)
            add_goals(world)
            add_approvals(world)


def _tell_planner() -> None:
    """How large the tables have become. Nobody else sees rows before the end, so autovacuum cannot."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def reset_password(password: str) -> None:
    """Give all people of the demo this password."""
    User.objects.filter(email__in=[person.email for person in PEOPLE]).update(
        password=make_password(password)
    )


# --- people -------------------------------------------------------------------------------------


def _people(password: str) -> dict[str, User]:
    # Hashed once for all of them: it is slow on purpose.
    hashed = make_password(password)
    people = {}
    for person in PEOPLE:
        user = User.objects.create(
            email=person.email, name=person.name, language=person.language, password=hashed
        )
        EmailAddress.objects.create(user=user, email=person.email, verified=True, primary=True)
        people[person.email] = user
    return people


def _organization(people: Mapping[str, User], now: dt.datetime) -> dict[str, Brand]:
    began = now - BEGAN_BEFORE
    first, *others = PEOPLE
    owner = create_organization(
        name=ORGANIZATION, brand=BRANDS[0].facts, owner=people[first.email], now=began
    )
    brands = {BRANDS[0].key: owner.organization.brands.get()}
    for plan in BRANDS[1:]:
        brands[plan.key] = create_brand(membership=owner, facts=plan.facts, now=began)
    for person in others:
        membership = Membership.objects.create(
            organization=owner.organization,
            user=people[person.email],
            role=person.role,
            has_all_brands=not person.brands,
        )
        membership.brands.set([brands[key] for key in person.brands])
    return brands
