"""The demo's inbox: what people wrote over the months, read and answered through the services of engagement.

1. Everything that customers wrote is put on the network with its own times, and public answers below it.
2. The network's inbox is read once, through the connector.
3. It is played: what came in is taken in, answers go the way of every answer, but for the call of the
   network, and are settled.
4. Every inbox is read once more as the workers will do from now on. That finds nothing new.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType

from django.db.models import F, OuterRef, Subquery

from accounts.connecting import connector_for
from accounts.models import Brand
from connectors.base import InboxItem
from engagement.models import Conversation, Direction, InboxPull, Message
from engagement.remote import key_of
from engagement.services.collection import collect_account
from engagement.services.intake import take_page
from engagement.services.replies import send_reply
from engagement.services.settings import promise_answers, save_reply
from engagement.services.settling import settle
from engagement.services.triage import add_note, assign, mark_done, snooze
from metrics.business_time import BusinessHours
from outbox.models import Delivery, DeliveryState, ReceiptKind
from outbox.services.transitions import move, note
from smmapp.demo import inbox_en, inbox_ja, messages_en, messages_ja
from smmapp.demo.people import add_consents
from smmapp.demo.plan import PEOPLE, Waiting
from smmapp.demo.talks import (
    COMMENT,
    DM,
    MENTION,
    Clock,
    Desk,
    Line,
    Talk,
    below_posts,
    lone_comment,
    of_dialogs,
)
from smmapp.demo.world import Account, World

TAKEN_IN_AFTER = dt.timedelta(seconds=40)
LOOKED_AT_AFTER = dt.timedelta(minutes=9)
HIDDEN_AFTER = dt.timedelta(hours=1)
HOURS: Mapping[str, Mapping[str, Sequence[Sequence[str]]]] = {
    "aozora": {str(day): [["09:00", "18:00"]] for day in range(5)},
    "nordlicht": {**{str(day): [["10:00", "18:00"]] for day in range(5)}, "5": [["10:00", "14:00"]]},
}
MINUTES = {"aozora": 180, "nordlicht": 240}
STAFF = {
    "aozora": (("yui@example.com", 0.75), ("kenji@example.com", 0.25)),
    "nordlicht": (("kenji@example.com", 0.6), ("demo@example.com", 0.4)),
}
WORDS: Mapping[str, tuple[ModuleType, ModuleType]] = {
    "aozora": (messages_ja, inbox_ja),
    "nordlicht": (messages_en, inbox_en),
}


def add_inbox(world: World) -> None:
    desk = _desk(world)
    talks = _talks(world, desk)
    _put_on_network(world, talks)
    items = _read(world)
    add_consents(world, items.values())
    _Play(world, items).all_of(talks)
    _date_back(world.row)
    for account in world.accounts:
        InboxPull.objects.create(
            account=account.row, next_at=world.now, began_at=world.began_at, read_until=world.began_at
        )
        collect_account(account_id=account.row.pk, now=world.now)


def _desk(world: World) -> Desk:
    """Business hours, the promise, the saved answers."""
    key, began, owner = world.plan.key, world.began_at, world.people[PEOPLE[0].email]
    world.row.business_hours = {day: [list(pair) for pair in pairs] for day, pairs in HOURS[key].items()}
    world.row.save(update_fields=["business_hours"])
    promise_answers(brand=world.row, minutes=MINUTES[key], actor=owner, now=began)
    world.row.refresh_from_db()
    for one in WORDS[key][1].SAVED_ANSWERS:
        save_reply(brand=world.row, title=one.title, text=one.text, actor=owner, now=began)
    staff = tuple((world.people[email], share) for email, share in STAFF[key])
    return Desk(BusinessHours.parse(world.row.business_hours, world.zone), staff, MINUTES[key])


def _talks(world: World, desk: Desk) -> list[Talk]:
    private, rest = WORDS[world.plan.key]
    clock = Clock(world, desk, seed=world.plan.key)
    talks = [
        *below_posts(world, clock),
        *of_dialogs(world, clock, DM, private.MESSAGES),
        *of_dialogs(world, clock, MENTION, rest.MENTIONS),
        lone_comment(world, rest.UNANSWERED, after=dt.timedelta(hours=3)),
        lone_comment(world, rest.SPAM, after=dt.timedelta(hours=5), is_spam=True),
        *(clock.waiting(world.accounts[one.on], one) for one in rest.WAITING),
    ]
    return [talk for talk in talks if talk is not None]


# --- at the network -----------------------------------------------------------------------------


def _put_on_network(world: World, talks: Sequence[Talk]) -> None:
    """One level after the other, because an answer names what it answers. Private answers follow when their
    words are known: links in them are tracked."""
    for level in range(max(len(talk.lines) for talk in talks)):
        at_level = [talk for talk in talks if len(talk.lines) > level]
        if level % 2 == 0:
            ids = world.control.act_all([_action(talk, level) for talk in at_level])
            for talk, remote_id in zip(at_level, ids, strict=True):
                talk.lines[level].remote_id = remote_id
            continue
        for account in world.accounts:
            own = [talk for talk in at_level if talk.account is account and talk.kind != DM]
            answers = [
                {
                    "post": talk.lines[level - 1].remote_id,
                    "text": talk.lines[level].text,
                    "at": talk.lines[level].at.isoformat(),
                }
                for talk in own
            ]
            for talk, remote_id in zip(own, world.control.answer(account.handle, answers), strict=True):
                talk.lines[level].remote_id = remote_id
    for talk in talks:
        if talk.is_spam:
            hidden_at = talk.lines[0].at + HIDDEN_AFTER
            answer = {"hide": talk.lines[0].remote_id, "at": hidden_at.isoformat()}
            world.control.answer(talk.account.handle, [answer])


def _action(talk: Talk, level: int) -> dict[str, str]:
    line = talk.lines[level]
    action = {"by": talk.by, "text": line.text, "at": line.at.isoformat()}
    if talk.kind == DM:
        return {"kind": "message", "to": talk.account.handle, **action}
    if talk.kind == MENTION and level == 0:
        return {"kind": "post", **action}
    post = talk.lines[level - 1].remote_id if level else talk.post_id
    return {"kind": "comment", "post": post, **action}


Key = tuple[uuid.UUID, str]  # account, engagement.remote.key_of


def _read(world: World) -> dict[Key, InboxItem]:
    """Everything in the inboxes of the brand."""
    items: dict[Key, InboxItem] = {}
    for account in world.accounts:
        connector, cursor = connector_for(account.row), ""
        while True:
            page = connector.fetch_inbox(since=world.began_at, cursor=cursor)
            items |= {(account.row.pk, key_of(one.kind, one.remote_id)): one for one in page.items}
            cursor = page.cursor
            if not cursor:
                break
    return items


# --- here ---------------------------------------------------------------------------------------


class _Play:
    """Plays all talks at once, wave by wave: what comes in next, the answers to it, what is over then. Talks
    of one private thread follow one another. So the database is asked a few times, not for each line."""

    def __init__(self, world: World, items: Mapping[Key, InboxItem]) -> None:
        self._world, self._items = world, items

    def all_of(self, talks: Sequence[Talk]) -> None:
        threads: dict[object, deque[tuple[Talk, int]]] = defaultdict(deque)
        for talk in sorted(talks, key=lambda talk: talk.lines[0].at):
            thread = (talk.account.handle, talk.by) if talk.kind == DM else id(talk)
            threads[thread] += [(talk, place) for place in range(len(talk.lines))]
        while threads:
            self._wave(list(threads.values()))
            threads = {thread: steps for thread, steps in threads.items() if steps}

    def _wave(self, threads: Sequence[deque[tuple[Talk, int]]]) -> None:
        asked = [steps.popleft() for steps in threads]
        self._take_in(asked)
        received = self._messages(asked)
        answered = [steps.popleft() for steps in threads if steps and _is_answer(*steps[0])]
        self._answer(sorted(answered, key=lambda step: step[0].lines[step[1]].at), received)
        settle(now=self._world.now)
        received = self._messages(asked)
        for talk, place in asked:
            if place == len(talk.lines) - 1:
                self._leave(talk, received[self._key(talk, place)].conversation)

    def _key(self, talk: Talk, place: int) -> Key:
        kind = DM if talk.kind == DM else COMMENT
        return talk.account.row.pk, key_of(kind, talk.lines[place].remote_id)

    def _take_in(self, asked: Iterable[tuple[Talk, int]]) -> None:
        arrived: dict[uuid.UUID, list[InboxItem]] = defaultdict(list)
        for talk, place in asked:
            arrived[talk.account.row.pk].append(self._items[self._key(talk, place)])
        for account in self._world.accounts:
            take_page(
                account=account.row,
                items=arrived[account.row.pk],
                began_at=self._world.began_at,
                now=self._world.now,
            )

    def _messages(self, steps: Iterable[tuple[Talk, int]]) -> dict[Key, Message]:
        """What was taken in, as it stands now."""
        keys = [self._key(talk, place)[1] for talk, place in steps]
        rows = Message.objects.filter(account__brand=self._world.row, remote_key__in=keys)
        found = rows.select_related("conversation__account", "identity")
        return {(row.account_id, row.remote_key): row for row in found}

    def _answer(self, steps: Sequence[tuple[Talk, int]], received: Mapping[Key, Message]) -> None:
        written: list[tuple[Talk, Line, Delivery]] = []
        for talk, place in steps:
            line, question = talk.lines[place], received[self._key(talk, place - 1)]
            assert line.author is not None  # noqa: S101 - the caller chose answers
            message = send_reply(
                conversation=question.conversation,
                text=line.text,
                answered=question,
                seen_number=question.conversation.last_number,
                form_key=uuid.uuid4(),
                actor=line.author,
                now=line.at,
                campaign=self._world.campaigns.get(talk.campaign),
                is_done_after=True,
            )
            assert message.delivery is not None  # noqa: S101 - it was just made
            written.append((talk, line, message.delivery))
        for account in self._world.accounts:
            self._send_private(
                account, [one for one in written if one[0].account is account and one[0].kind == DM]
            )
        for talk, line, delivery in written:
            item = self._items.get((talk.account.row.pk, key_of(COMMENT, line.remote_id)))
            _sent(delivery, line, item.permalink if item and talk.kind != DM else "")

    def _send_private(self, account: Account, written: Sequence[tuple[Talk, Line, Delivery]]) -> None:
        answers = [
            {
                "to": talk.by,
                "text": delivery.payload["parts"][0]["text"],
                "at": line.at.isoformat(),
                "client_ref": str(delivery.pk),
            }
            for talk, line, delivery in written
        ]
        ids = self._world.control.answer(account.handle, answers)
        for (_talk, line, _delivery), remote_id in zip(written, ids, strict=True):
            line.remote_id = remote_id

    def _leave(self, talk: Talk, conversation: Conversation) -> None:
        """The last line needs no answer, or it waits for one."""
        seen, at = conversation.last_number, talk.lines[-1].at
        if talk.waiting is not None:
            self._set_aside(talk.waiting, conversation, min(at + LOOKED_AT_AFTER, self._world.now))
        elif (over_at := at + HIDDEN_AFTER if talk.is_spam else talk.done_at) is not None:
            mark_done(conversation=conversation, seen_number=seen, without_answer=True, now=over_at)

    def _set_aside(self, one: Waiting, conversation: Conversation, at: dt.datetime) -> None:
        """Whose it is, what was noted, until when it rests."""
        people = self._world.people
        if one.assignee:
            person = people[one.assignee]
            assign(conversation=conversation, assignee=person, actor=person, now=at)
        if one.note is not None:
            author, text = one.note
            add_note(conversation=conversation, text=text, actor=people[author], now=at)
        if one.snoozed_days:
            until = self._world.instant(one.snoozed_days, "09:30")
            snooze(conversation=conversation, until=until, seen_number=conversation.last_number, now=at)


def _is_answer(talk: Talk, place: int) -> bool:
    return talk.lines[place].author is not None


def _sent(delivery: Delivery, line: Line, permalink: str) -> None:
    """The delivery as it is after the network took it, a moment after somebody pressed the button."""
    begun_at = line.at + dt.timedelta(milliseconds=400)
    move(delivery, DeliveryState.CLAIMED, lease_until=begun_at + dt.timedelta(seconds=30))
    move(delivery, DeliveryState.SENDING, events=[note(delivery.pk, ReceiptKind.STARTED, at=begun_at)])
    events = [
        note(delivery.pk, ReceiptKind.PART_ACCEPTED, at=line.at, detail={"permalink": permalink}),
        note(delivery.pk, ReceiptKind.SENT, at=line.at),
    ]
    move(
        delivery,
        DeliveryState.SENT,
        events=events,
        lease_until=None,
        sent_at=line.at,
        seen_at=line.at + dt.timedelta(seconds=5),
        read_backs=1,
        remote_id=line.remote_id,
        permalink=permalink,
    )


def _date_back(brand: Brand) -> None:
    """What came in was taken in a moment after it was written."""
    received = Message.objects.filter(account__brand=brand, direction=Direction.IN)
    received.update(arrived_at=F("written_at") + TAKEN_IN_AFTER)
    first = received.filter(conversation=OuterRef("pk")).order_by("arrived_at").values("arrived_at")[:1]
    Conversation.objects.filter(brand=brand).update(created_at=Subquery(first))
