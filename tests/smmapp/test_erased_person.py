"""A person whom every app knows is erased, and then looked for in every table of the project."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Brand, SocialAccount, User
from audience.models import Contact, Identity, Purpose
from audience.services.consents import record_consent
from audience.services.erasing import erase_contact
from audience.services.facts import Facts, change_facts
from audience.services.merging import merge_contacts
from campaigns.models import Campaign, Click, ConversionKind, Objective, Source, TrackedLink
from campaigns.reports import Person, RefundReport, Report
from campaigns.services import conversion_imports, imports
from campaigns.services.clicks import Visit, follow, tell_clicks
from campaigns.services.conversions import Origin, report_conversion
from campaigns.services.refunds import report_refund
from connectors.base import InboxItem, ModerationAction, Profile
from engagement.models import Conversation, Message
from engagement.services.intake import take_page
from engagement.services.moderation import moderate
from engagement.services.replies import send_reply
from engagement.services.settling import settle
from engagement.services.triage import add_note, assign
from outbox.models import Delivery, DeliveryState
from tests.engagement.conftest import DAY, MINUTE, NOON, comment, message

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]

# Words that stand in every field that says something of the person.
MARK = "xyzzy"
WHO = Profile(
    f"id-{MARK}",
    f"handle-{MARK}",
    f"Name {MARK}",
    avatar_url=f"https://network.example/{MARK}.png",
    profile_url=f"https://network.example/{MARK}",
)


def rows_with_the_mark() -> list[str]:
    tables = sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)})
    found = []
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t WHERE lower(t::text) LIKE %s', [f"%{MARK}%"])  # noqa: S608
            found += [f"{table}: {row}" for (row,) in cursor.fetchall()]
    return found


def wrote(item: InboxItem, account: SocialAccount) -> Message:
    take_page(account=account, items=[item], began_at=NOON - 30 * DAY, now=NOON + MINUTE)
    return Message.objects.select_related("identity", "conversation").latest("arrived_at", "number")


def answered(received: Message, actor: User, campaign: Campaign) -> Message:
    return send_reply(
        conversation=received.conversation,
        text=f"Dear {MARK}, see https://shop.example/",
        answered=received,
        seen_number=received.number,
        form_key=uuid.uuid4(),
        actor=actor,
        now=NOON + 2 * MINUTE,
        campaign=campaign,
    )


def test_nothing_in_the_database_names_somebody_who_was_erased(
    brand: Brand, sandbox_account: SocialAccount, admin: User, sign_in: SignIn
) -> None:
    campaign = Campaign.objects.create(
        brand=brand,
        name="Spring",
        code="spring",
        objective=Objective.LEADS,
        starts_on=NOON.date(),
        ends_on=NOON.date(),
        currency=brand.currency,
        created_at=NOON,
    )
    said = wrote(
        comment(
            f"I am {MARK}",
            by=WHO,
            remote_id=f"c-{MARK}",
            permalink=f"https://network.example/c-{MARK}",
            detail={"mention": f"@{MARK}"},
        ),
        sandbox_account,
    )
    known = said.identity
    assert known is not None
    record_consent(
        identity=known,
        purpose=Purpose.PERSONAL_LINKS,
        is_granted=True,
        source=f"said so in c-{MARK}",
        actor=admin,
        now=NOON,
    )
    wrote(message(f"Privately {MARK}", by=WHO, other=WHO, remote_id=f"m-{MARK}"), sandbox_account)
    sent = answered(said, admin, campaign)
    add_note(conversation=said.conversation, text=f"{MARK} is a regular", actor=admin, now=NOON)
    assign(conversation=said.conversation, assignee=admin, actor=admin, now=NOON)
    moderate(message=said, action=ModerationAction.HIDE, actor=admin, now=NOON)
    Delivery.objects.update(
        state=DeliveryState.SENT,
        sent_at=NOON + 3 * MINUTE,
        remote_id=f"r-{MARK}",
        permalink=f"https://network.example/r-{MARK}",
    )
    settle(now=NOON + 4 * MINUTE)
    link = TrackedLink.objects.get(delivery=sent.delivery)
    follow(
        code=link.code,
        visit=Visit(NOON + 5 * MINUTE, is_bot=False, visitor="v", referrer_host=f"{MARK}.example"),
    )
    tell_clicks()
    person = Person(customer=f"C-{MARK}", email=f"{MARK}@example.com", name=f"Name {MARK}")
    made, _is_new = report_conversion(
        brand=brand,
        report=Report(
            ConversionKind.SALE,
            f"ORDER-{MARK}",
            happened_at=NOON + DAY,
            value=Decimal(100),
            click=str(Click.objects.get().key),
            person=person,
        ),
        origin=Origin(Source.MANUAL, actor=admin),
        now=NOON + DAY,
    )
    report_refund(
        brand=brand,
        kind="sale",
        number=made.external_id,
        refund=RefundReport(f"REFUND-{MARK}", Decimal(5), NOON + DAY),
        origin=Origin(Source.MANUAL, actor=admin),
        now=NOON + DAY,
    )
    _import_of_refused(brand, admin)
    bought = made.identity
    assert bought is not None
    if bought.contact_id != known.contact_id:
        merge_contacts(into=known.contact, other=bought.contact, actor=admin, now=NOON + DAY)
    contact = Contact.objects.get(pk=known.contact_id)
    facts = Facts(f"Name {MARK}", f"{MARK}@example.org", f"0170 {MARK}", f"Likes {MARK}")
    change_facts(contact=contact, facts=facts, actor=admin, now=NOON + DAY)
    client = sign_in(admin)
    client.get(reverse("audience:contact_export", args=[contact.pk]))
    tables = {row.partition(":")[0] for row in rows_with_the_mark()}
    assert {"engagement_message", "outbox_delivery", "campaigns_conversion", "audience_contact"} <= tables
    erase_contact(contact=contact, actor=admin, now=NOON + 2 * DAY)
    settle(now=NOON + 2 * DAY)
    assert rows_with_the_mark() == []
    assert Conversation.objects.count() == 2
    assert Identity.objects.filter(erased_at__isnull=True).count() == 0


def _import_of_refused(brand: Brand, actor: User) -> None:
    """A file of which one row differs from what is there."""
    text = f"kind,date,value,id,email\nsale,2026-03-11,77,ORDER-{MARK},{MARK}@example.com\n"
    batch = conversion_imports.receive(
        brand=brand,
        campaign=None,
        upload=io.BytesIO(text.encode()),
        name="orders.csv",
        actor=actor,
        now=NOON + DAY,
    )
    conversion_imports.check(batch=batch, now=NOON + DAY)
    imports.start(batch=batch, now=NOON + DAY)
    conversion_imports.carry_out(batch=batch, actor=actor, now=NOON + DAY)
    batch.refresh_from_db()
    assert MARK in str(batch.refused)
