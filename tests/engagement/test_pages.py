"""The pages of the inbox: what they show, what they do, and for whom."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import AccountStatus, AuditEntry, Brand, SocialAccount, User
from accounts.permissions import Action
from connectors.base import Profile
from connectors.errors import RejectReason
from engagement import tasks
from engagement.models import (
    Conversation,
    InboxPull,
    Message,
    ModerationRequest,
    Note,
    SavedReply,
    SlaPolicy,
    WaitEpisode,
)
from engagement.services.settling import settle
from outbox.errors import StopReason, sentence
from outbox.models import Delivery, DeliveryKind, DeliveryState
from tests.engagement.conftest import BEN, DAY, HOUR, MINUTE, NOON, US, comment, ended, message, root

pytestmark = pytest.mark.django_db

Take = Callable[..., int]
SignIn = Callable[[User], Client]
Answer = Callable[..., Message]
HX = {"HX-Request": "true"}
LATER = NOON + 30 * MINUTE


@pytest.fixture(autouse=True)
def _half_past_noon() -> Iterator[None]:
    """10 March 2026, 12:30 UTC: 13:30 in Berlin."""
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture(autouse=True)
def ticks_asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tick that sends is another test's subject; here it is counted."""
    asked: list[str] = []
    monkeypatch.setattr("outbox.tasks.dispatch.delay_on_commit", lambda: asked.append("dispatch"))
    return asked


def url(name: str, row: Any = None, query: str = "") -> str:
    return reverse(f"engagement:{name}", args=[row.pk] if row is not None else []) + query


def text_of(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.content.decode()[:2000]
    return str(response.content.decode())


def form(row: Conversation, words: str = "Yes, from ten", **given: Any) -> dict[str, Any]:
    row.refresh_from_db()
    received = row.messages.filter(direction="in").order_by("-number").first()
    return {
        "text": words,
        "seen": row.last_number,
        "key": str(uuid.uuid4()),
        "to": str(received.pk) if received else "",
    } | given


# --- reading ------------------------------------------------------------------------------------


def test_the_page_lists_who_wrote_and_when_an_answer_is_due(
    take: Take, responder: User, sign_in: SignIn
) -> None:
    take(comment("Is it open on Sunday?"))
    page = text_of(sign_in(responder).get(url("inbox")))
    assert "Yuki Tanaka" in page
    assert "Is it open on Sunday?" in page
    assert "Answer by" in page
    assert ">17:00</time>" in page  # four hours of business time after 13:00, the end of the day


def test_a_conversation_shows_messages_post_and_person(take: Take, responder: User, sign_in: SignIn) -> None:
    take(comment("Is it open?", root=root("New beans are here"), remote_id="first", thread="first"))
    take(comment("Yes", by=US, thread="first", at=NOON + MINUTE), now=NOON + 2 * MINUTE)
    row = Conversation.objects.get()
    page = text_of(sign_in(responder).get(url("conversation", row)))
    for words in ("Is it open?", "Yes", "written elsewhere", "New beans are here", "@yuki"):
        assert words in page, words
    assert "Below a post made elsewhere" in page
    # Who the person is, the app of the contacts shows.
    assert f'hx-get="{reverse("audience:person_pane", args=[row.identity_id])}"' in page


def test_the_pane_of_the_person_leads_to_their_other_conversations(
    take: Take, open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    take(message("A question in private"))
    take(message("Of somebody else", by=BEN, other=BEN))
    other = Conversation.objects.get(kind="dm", identity=open_one.identity)
    page = text_of(sign_in(responder).get(url("conversation", open_one), headers=HX))
    assert f'href="{url("conversation", other)}"' in page
    assert "A question in private" in page
    assert "Of somebody else" not in page


def test_who_may_not_see_contacts_is_told_the_name_alone(
    open_one: Conversation, responder: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "engagement.views.shown.is_allowed", lambda _role, action: action is not Action.VIEW_CONTACTS
    )
    page = text_of(sign_in(responder).get(url("conversation", open_one)))
    assert "Yuki Tanaka" in page
    assert reverse("audience:person_pane", args=[open_one.identity_id]) not in page


def test_what_people_write_is_shown_and_not_executed(take: Take, responder: User, sign_in: SignIn) -> None:
    evil = Profile("u-evil", "evil", "<img src=x onerror=alert(1)>")
    take(comment("<script>alert(1)</script> see https://evil.example/x", by=evil))
    page = text_of(sign_in(responder).get(url("conversation", Conversation.objects.get())))
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert 'rel="nofollow"' in page


def test_htmx_gets_the_panes_and_a_browser_the_page(
    open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    client = sign_in(responder)
    part = text_of(client.get(url("conversation", open_one), headers=HX))
    assert 'id="desk"' in part
    assert "<html" not in part
    assert "<html" in text_of(client.get(url("conversation", open_one)))
    rows = text_of(client.get(url("inbox"), headers=HX))
    assert 'id="rows"' in rows
    assert 'hx-swap-oob="true"' in rows
    assert "<html" not in rows


def test_the_list_is_told_again_only_when_it_has_changed(
    take: Take, open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    client = sign_in(responder)
    tag = client.get(url("inbox"), headers=HX)["ETag"]
    again = client.get(url("inbox"), headers=HX | {"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    take(comment("Hello?", thread="c-open", at=NOON + MINUTE), now=NOON + 2 * MINUTE)
    assert client.get(url("inbox"), headers=HX | {"If-None-Match": tag}).status_code == 200


def test_an_open_conversation_is_told_again_only_when_it_has_changed(
    open_one: Conversation, responder: User, sign_in: SignIn, answer: Answer
) -> None:
    client = sign_in(responder)
    tag = client.get(url("talk", open_one), headers=HX)["ETag"]
    assert client.get(url("talk", open_one), headers=HX | {"If-None-Match": tag}).status_code == 304
    sent = answer(open_one)
    second = client.get(url("talk", open_one), headers=HX | {"If-None-Match": tag})
    assert "Sending" in text_of(second)
    ended(sent)  # before it was settled
    assert "Sent" in text_of(
        client.get(url("talk", open_one), headers=HX | {"If-None-Match": second["ETag"]})
    )


def test_a_filter_keeps_the_open_conversation_in_the_address(
    open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    response = sign_in(responder).get(
        url("inbox", query="?state=done&kind="),
        headers=HX
        | {
            "HX-Trigger": "inbox-filters",
            "HX-Current-URL": f"http://testserver{url('conversation', open_one)}?pane=person",
        },
    )
    assert response["HX-Replace-Url"] == f"{url('conversation', open_one)}?state=done"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "All done"),
        ("?state=snoozed", "Nothing rests"),
        ("?state=done", "Nothing is done yet"),
        ("?state=all", "Nobody has written yet"),
        ("?q=needle", "Nothing matches"),
    ],
)
def test_an_empty_list_says_what_that_means(
    sandbox_account: SocialAccount, responder: User, sign_in: SignIn, query: str, words: str
) -> None:
    assert words in text_of(sign_in(responder).get(url("inbox", query=query)))


def test_without_accounts_the_inbox_says_how_to_get_one(
    owner: User, responder: User, sign_in: SignIn
) -> None:
    assert "Connect an account" in text_of(sign_in(owner).get(url("inbox")))
    page = text_of(sign_in(responder).get(url("inbox")))
    assert "An admin of your organization can do it." in page


def test_pages_stay_within_their_queries(
    take: Take, responder: User, sign_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    take(*(comment(f"n{n}", by=Profile(f"u{n}", f"user{n}"), at=NOON + n * MINUTE) for n in range(60)))
    take(*(message(f"m{n}", at=NOON + n * MINUTE) for n in range(60)))
    row = Conversation.objects.get(kind="dm")
    client = sign_in(responder)
    with django_assert_max_num_queries(12):
        assert client.get(url("inbox"), headers=HX).status_code == 200
    with django_assert_max_num_queries(13):
        assert client.get(url("conversation", row), headers=HX).status_code == 200
    tag = client.get(url("talk", row), headers=HX)["ETag"]
    with django_assert_max_num_queries(5):
        assert client.get(url("talk", row), headers=HX | {"If-None-Match": tag}).status_code == 304


# --- answering ----------------------------------------------------------------------------------


def test_an_answer_goes_into_the_outbox_at_once(
    open_one: Conversation, responder: User, sign_in: SignIn, ticks_asked: list[str]
) -> None:
    response = sign_in(responder).post(url("reply", open_one), form(open_one), headers=HX)
    assert "Yes, from ten" in text_of(response)
    delivery = Delivery.objects.get()
    assert (delivery.kind, delivery.scheduled_by, delivery.due_at) == (DeliveryKind.REPLY, responder, LATER)
    assert ticks_asked == ["dispatch"]
    assert "inbox:changed" in response["HX-Trigger"]


def test_without_scripts_an_answer_leads_back_to_the_conversation(
    open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    response = sign_in(responder).post(url("reply", open_one, "?kind=comment"), form(open_one))
    assert (response.status_code, response["Location"]) == (
        302,
        url("conversation", open_one, "?kind=comment"),
    )
    assert Delivery.objects.count() == 1


def test_two_browsers_one_conversation_and_one_answer(
    open_one: Conversation, responder: User, manager: User
) -> None:
    first, second = Client(), Client()
    first.force_login(responder, backend="django.contrib.auth.backends.ModelBackend")
    second.force_login(manager, backend="django.contrib.auth.backends.ModelBackend")
    mine, theirs = form(open_one, "From ten"), form(open_one, "Closed, sorry")
    assert first.post(url("reply", open_one), mine, headers=HX).status_code == 200
    refused = text_of(second.post(url("reply", open_one), theirs, headers=HX), 422)
    assert "1 new message since you opened this" in refused
    assert "From ten" in refused
    assert ">Closed, sorry</textarea>" in refused  # nothing of it is lost
    assert "Send anyway" in refused
    assert Delivery.objects.count() == 1
    # Send anyway: what was shown has been seen.
    anyway = second.post(url("reply", open_one), theirs | {"seen": 2}, headers=HX)
    assert anyway.status_code == 200
    assert Delivery.objects.count() == 2


def test_a_form_that_is_sent_twice_makes_one_answer(
    open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    client, fields = sign_in(responder), form(open_one)
    for _ in range(2):
        assert client.post(url("reply", open_one), fields, headers=HX).status_code == 200
    assert Delivery.objects.count() == 1
    assert open_one.messages.count() == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "Write a reply first."),
        ("   ", "Write a reply first."),
        ("x" * 501, "Too long for Sandbox by 1 character"),
    ],
)
def test_a_text_that_does_not_fit_comes_back_with_the_reason(
    open_one: Conversation, responder: User, sign_in: SignIn, words: str, says: str
) -> None:
    page = text_of(sign_in(responder).post(url("reply", open_one), form(open_one, words), headers=HX), 422)
    assert says in page
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    "broken", [{"seen": ""}, {"seen": "x"}, {"key": "x"}, {"to": "x"}, {"campaign": "x"}]
)
def test_a_form_that_nobody_made_sends_nothing(
    open_one: Conversation, responder: User, sign_in: SignIn, broken: dict[str, str]
) -> None:
    page = text_of(sign_in(responder).post(url("reply", open_one), form(open_one) | broken, headers=HX), 422)
    assert "Yes, from ten" in page
    assert not Delivery.objects.exists()


def test_the_campaign_of_another_brand_is_none_here(
    open_one: Conversation, other_brand: Brand, responder: User, sign_in: SignIn
) -> None:
    from campaigns.models import Campaign

    campaign = Campaign.objects.create(
        brand=other_brand,
        name="Tea",
        code="tea",
        objective="leads",
        starts_on=NOON.date(),
        ends_on=NOON.date(),
        currency="JPY",
        created_at=NOON,
    )
    fields = form(open_one, campaign=str(campaign.pk))
    assert sign_in(responder).post(url("reply", open_one), fields, headers=HX).status_code == 422
    assert not Delivery.objects.exists()


def test_send_and_done(open_one: Conversation, responder: User, sign_in: SignIn) -> None:
    sign_in(responder).post(url("reply", open_one), form(open_one, then="done"), headers=HX)
    open_one.refresh_from_db()
    assert open_one.state == "done"


def test_the_counter_counts_as_the_network_does(
    open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    page = text_of(sign_in(responder).post(url("check", open_one), form(open_one, "x" * 520), headers=HX))
    assert "−20" in page or "-20" in page
    assert "Too long for Sandbox by 20 characters" in page
    assert 'id="reply-count"' in page
    assert not Delivery.objects.exists()


def test_a_saved_reply_is_filled_in_without_a_script_too(
    open_one: Conversation, brand: Brand, responder: User, sign_in: SignIn
) -> None:
    reply = SavedReply.objects.create(
        brand=brand, title="Hours", text="Hello {name}, from ten.", updated_at=NOON
    )
    page = text_of(sign_in(responder).get(url("conversation", open_one, f"?saved={reply.pk}")))
    assert ">Hello Yuki Tanaka, from ten.</textarea>" in page


def test_a_chosen_comment_is_the_one_that_is_answered(
    take: Take, open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    take(comment("And I?", by=BEN, thread="c-open", at=NOON + MINUTE), now=NOON + 2 * MINUTE)
    first = open_one.messages.get(number=1)
    client = sign_in(responder)
    assert f'name="to" value="{first.pk}"' in text_of(
        client.get(url("conversation", open_one, f"?to={first.pk}"))
    )
    client.post(url("reply", open_one), form(open_one, to=str(first.pk)), headers=HX)
    assert Delivery.objects.get().payload["reply_to"]["remote_id"] == "c-open"


def test_a_lost_account_is_named_instead_of_a_form(
    open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    page = text_of(sign_in(responder).get(url("conversation", open_one)))
    assert "The account must be reconnected before it can answer." in page
    assert 'id="reply-text"' not in page
    refused = sign_in(responder).post(url("reply", open_one), form(open_one), headers=HX)
    assert "Yes, from ten" in text_of(refused, 422)
    assert not Delivery.objects.exists()


# --- what was stopped ---------------------------------------------------------------------------


def test_our_own_words_about_a_refusal_are_not_put_into_the_networks_mouth(
    answer: Answer, open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    sent = answer(open_one)
    ours = "This person takes no direct messages from this account."
    ended(sent, DeliveryState.FAILED, error=RejectReason.FORBIDDEN)
    Delivery.objects.update(error_detail=f"{ours} You cannot send messages to this user.")
    page = sign_in(responder).get(url("conversation", open_one)).content.decode()
    assert ours in page
    assert "The network says: You cannot send messages to this user." in page


def test_an_outrun_answer_can_be_sent_anyway_or_changed(
    take: Take, open_one: Conversation, answer: Answer, responder: User, sign_in: SignIn
) -> None:
    sent = answer(open_one, "From ten")
    take(comment("Never mind", thread="c-open", at=NOON + 10 * MINUTE), now=NOON + 11 * MINUTE)
    ended(sent, DeliveryState.FAILED, error=StopReason.NEWER_MESSAGE)
    settle(now=NOON + 12 * MINUTE)
    client = sign_in(responder)
    page = text_of(client.get(url("conversation", open_one)))
    assert "Somebody else wrote in this conversation meanwhile." in page
    assert "Send anyway" in page
    late = client.post(url("resend", sent), {"seen": 2}, headers=HX)
    assert "Somebody has written since" in late["HX-Trigger"]
    assert Delivery.objects.get().state == DeliveryState.FAILED
    assert client.post(url("resend", sent), {"seen": 3}, headers=HX).status_code == 200
    assert Delivery.objects.get().state == DeliveryState.SCHEDULED


def test_a_changed_text_goes_back_into_the_form(
    open_one: Conversation, answer: Answer, responder: User, sign_in: SignIn
) -> None:
    sent = answer(open_one, "From ten")
    ended(sent, DeliveryState.FAILED, error=RejectReason.FORBIDDEN)
    page = text_of(sign_in(responder).post(url("take_back", sent), headers=HX))
    assert ">From ten</textarea>" in page
    assert Delivery.objects.get().state == DeliveryState.CANCELLED
    assert not Message.objects.filter(pk=sent.pk).exists()


def test_a_deleted_comment_is_said_and_not_tried_again(
    open_one: Conversation, answer: Answer, responder: User, sign_in: SignIn
) -> None:
    ended(answer(open_one, "From ten"), DeliveryState.FAILED, error=RejectReason.NOT_FOUND)
    settle(now=LATER)
    page = text_of(sign_in(responder).get(url("conversation", open_one)))
    assert "Deleted at the network" in page
    assert "The network no longer has what this belongs to." in page
    assert "Try again" not in page
    assert "From ten" in page


@pytest.mark.parametrize(("said", "state"), [("yes", "sent"), ("no", "scheduled")])
def test_an_uncertain_answer_asks_a_person(
    open_one: Conversation, answer: Answer, responder: User, sign_in: SignIn, said: str, state: str
) -> None:
    sent = answer(open_one)
    ended(sent, DeliveryState.UNCERTAIN)
    settle(now=LATER)
    client = sign_in(responder)
    assert "Did it appear?" in text_of(client.get(url("conversation", open_one)))
    assert client.post(url("appeared", sent), {"did_appear": said}, headers=HX).status_code == 200
    assert Delivery.objects.get().state == state


# --- among colleagues ---------------------------------------------------------------------------


def test_a_note_stays_in_the_house(open_one: Conversation, responder: User, sign_in: SignIn) -> None:
    client = sign_in(responder)
    page = text_of(client.post(url("note", open_one), {"text": "Asked the shop"}, headers=HX))
    assert "Asked the shop" in page
    assert not Delivery.objects.exists()
    assert "Write a note first." in text_of(
        client.post(url("note", open_one), {"text": " "}, headers=HX), 422
    )
    assert Note.objects.count() == 1


def test_done_asks_where_somebody_waits(open_one: Conversation, responder: User, sign_in: SignIn) -> None:
    client = sign_in(responder)
    asked = text_of(client.post(url("done", open_one), {"seen": 1}, headers=HX), 422)
    assert "Somebody waits for an answer" in asked
    open_one.refresh_from_db()
    assert open_one.state == "open"
    text_of(client.post(url("done", open_one), {"seen": 1, "without_answer": "1"}, headers=HX))
    open_one.refresh_from_db()
    assert (open_one.state, open_one.waiting_since) == ("done", None)
    text_of(client.post(url("reopen", open_one), headers=HX))
    open_one.refresh_from_db()
    assert (open_one.state, open_one.waiting_since) == ("open", NOON)


def test_done_is_refused_past_what_nobody_has_seen(
    take: Take, open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    take(comment("Hello?", thread="c-open", at=NOON + MINUTE), now=NOON + 2 * MINUTE)
    fields = {"seen": 1, "without_answer": "1"}
    page = text_of(sign_in(responder).post(url("done", open_one), fields, headers=HX), 422)
    assert "1 new message since you opened this" in page
    assert WaitEpisode.objects.get().ended_at is None


def test_snooze_takes_wall_time_of_the_brand(
    open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    client = sign_in(responder)
    page = text_of(client.get(url("conversation", open_one)))
    assert 'value="2026-03-11T09:00"' in page  # tomorrow morning
    assert 'value="2026-03-16T09:00"' in page  # next Monday
    text_of(client.post(url("snooze", open_one), {"seen": 1, "until": "2026-03-11T09:00"}, headers=HX))
    open_one.refresh_from_db()
    assert open_one.state == "snoozed"
    assert open_one.snoozed_until == NOON + 20 * HOUR  # 08:00 UTC
    with time_machine.travel(NOON + DAY, tick=False):
        tasks.settle()
    open_one.refresh_from_db()
    assert open_one.state == "open"


@pytest.mark.parametrize("until", ["", "soon", "2026-03-10T09:00", "0001-01-01T00:00", "9999-12-31T23:59"])
def test_snooze_until_no_time_or_one_that_is_over_changes_nothing(
    open_one: Conversation, responder: User, sign_in: SignIn, until: str
) -> None:
    sign_in(responder).post(url("snooze", open_one), {"seen": 1, "until": until}, headers=HX)
    open_one.refresh_from_db()
    assert (open_one.state, open_one.snoozed_until) == ("open", None)


def test_a_conversation_is_given_to_a_colleague_and_to_nobody_else(
    open_one: Conversation, manager: User, viewer: User, responder: User, sign_in: SignIn
) -> None:
    client = sign_in(responder)
    assert (
        "Manager is responsible now."
        in client.post(url("assign", open_one), {"assignee": manager.pk}, headers=HX)["HX-Trigger"]
    )
    client.post(url("assign", open_one), {"assignee": viewer.pk}, headers=HX)
    open_one.refresh_from_db()
    assert open_one.assignee == manager
    client.post(url("assign", open_one), {"assignee": ""}, headers=HX)
    open_one.refresh_from_db()
    assert open_one.assignee is None


def test_a_like_is_on_its_way_until_the_network_has_done_it(
    open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    received, client = open_one.messages.get(), sign_in(responder)
    page = text_of(client.post(url("moderate", received), {"action": "like"}, headers=HX))
    assert "On its way to the network" in page
    Delivery.objects.update(state=DeliveryState.SENT)
    settle(now=LATER)
    page = text_of(client.get(url("conversation", open_one)))
    assert "You like this" in page
    assert "Unlike" in page
    client.post(url("moderate", received), {"action": "explode"}, headers=HX)
    assert ModerationRequest.objects.count() == 1


def test_deleting_asks_first_is_on_its_way_and_then_says_by_whom(
    open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    received, client = open_one.messages.get(), sign_in(responder)
    page = text_of(client.get(url("conversation", open_one)))
    assert 'data-confirm-title="Delete this comment for good?"' in page
    assert "This cannot be undone." in page
    assert "Reply to this" in page
    page = text_of(client.post(url("moderate", received), {"action": "delete"}, headers=HX))
    assert "Being deleted at the network" in page
    assert "Reply to this" not in page
    Delivery.objects.update(state=DeliveryState.SENT)
    settle(now=LATER)
    page = text_of(client.get(url("conversation", open_one)))
    assert "Deleted at the network by Responder" in page
    assert 'value="delete"' not in page
    assert "Is it open on Sunday?" in page


def test_a_deletion_that_the_network_refuses_is_said_and_can_be_asked_for_again(
    open_one: Conversation, responder: User, sign_in: SignIn
) -> None:
    received, client = open_one.messages.get(), sign_in(responder)
    client.post(url("moderate", received), {"action": "delete"}, headers=HX)
    Delivery.objects.update(state=DeliveryState.FAILED, error=RejectReason.FORBIDDEN)
    settle(now=LATER)
    page = text_of(client.get(url("conversation", open_one)))
    assert sentence(RejectReason.FORBIDDEN) in page
    assert "Deleted at the network" not in page
    assert 'value="delete"' in page


# --- roles --------------------------------------------------------------------------------------

DEEDS: dict[str, Callable[[Conversation], dict[str, Any]]] = {
    "reply": form,
    "check": form,
    "note": lambda _row: {"text": "A note"},
    "assign": lambda _row: {"assignee": ""},
    "done": lambda row: {"seen": row.last_number, "without_answer": "1"},
    "reopen": lambda _row: {},
    "snooze": lambda row: {"seen": row.last_number, "until": "2026-03-11T09:00"},
}


def test_a_marketer_reads_and_is_offered_nothing_else(
    open_one: Conversation, marketer: User, sign_in: SignIn
) -> None:
    page = text_of(sign_in(marketer).get(url("conversation", open_one)))
    assert "Is it open on Sunday?" in page
    assert "Answering needs another role." in page
    for offered in ('id="reply-text"', 'name="until"', 'name="assignee"', 'value="like"'):
        assert offered not in page, offered


@pytest.mark.parametrize("deed", DEEDS)
def test_a_marketer_changes_nothing(
    open_one: Conversation, marketer: User, sign_in: SignIn, deed: str
) -> None:
    fields = DEEDS[deed](open_one)
    before = Conversation.objects.values().get()
    assert sign_in(marketer).post(url(deed, open_one), fields, headers=HX).status_code == 403
    assert Conversation.objects.values().get() == before
    assert not Delivery.objects.exists()
    assert not Note.objects.exists()


@pytest.mark.parametrize("who", ["viewer", "creator"])
def test_some_roles_do_not_read_other_peoples_words(
    open_one: Conversation, who: str, sign_in: SignIn, request: pytest.FixtureRequest
) -> None:
    client = sign_in(request.getfixturevalue(who))
    for path in (url("inbox"), url("conversation", open_one), url("talk", open_one), url("numbers")):
        assert client.get(path).status_code == 403
    assert "engagement" not in text_of(client.get("/"))
    assert "/inbox/" not in text_of(client.get("/"))


def test_a_stranger_finds_nothing(open_one: Conversation, stranger: User, sign_in: SignIn) -> None:
    client = sign_in(stranger)
    assert client.get(url("conversation", open_one)).status_code == 404
    assert client.post(url("reply", open_one), form(open_one)).status_code == 404
    assert "Is it open on Sunday?" not in text_of(client.get(url("inbox")))


# --- settings -----------------------------------------------------------------------------------


def test_saved_replies_are_written_changed_and_deleted(
    brand: Brand, responder: User, sign_in: SignIn
) -> None:
    client = sign_in(responder)
    fields = {"brand": brand.pk, "title": "Hours", "text": "Hello {name}"}
    assert client.post(url("saved_reply_create"), fields).status_code == 302
    reply = SavedReply.objects.get()
    assert (reply.brand, reply.created_by) == (brand, responder)
    assert "already" in text_of(client.post(url("saved_reply_create"), fields))
    client.post(url("saved_reply_edit", reply), {"title": "Opening hours", "text": "Hi {name}"})
    reply.refresh_from_db()
    assert (reply.title, reply.text, reply.brand) == ("Opening hours", "Hi {name}", brand)
    assert "Opening hours" in text_of(client.get(url("saved_replies")))
    client.post(url("saved_reply_delete", reply))
    assert not SavedReply.objects.exists()


def test_a_marketer_sees_saved_replies_and_changes_none(
    brand: Brand, marketer: User, sign_in: SignIn
) -> None:
    reply = SavedReply.objects.create(brand=brand, title="Hours", text="From ten", updated_at=NOON)
    client = sign_in(marketer)
    assert "From ten" in text_of(client.get(url("saved_replies")))
    assert client.post(url("saved_reply_delete", reply)).status_code == 403
    assert client.post(url("saved_reply_edit", reply), {"title": "x", "text": "y"}).status_code == 403
    assert SavedReply.objects.get().title == "Hours"


def test_the_promise_holds_for_whoever_writes_from_then_on(
    take: Take, open_one: Conversation, brand: Brand, admin: User, sign_in: SignIn
) -> None:
    client = sign_in(admin)
    assert "Monday" in text_of(client.get(url("promises")))
    fields = {f"{brand.pk}-amount": "30", f"{brand.pk}-unit": "1"}
    assert client.post(url("promise", brand), fields).status_code == 302
    assert SlaPolicy.objects.get().answer_within_minutes == 30
    assert AuditEntry.objects.get(action="sla.changed").detail == {"before": 240, "after": 30}
    take(comment("Later", at=LATER), now=LATER, account=SocialAccount.objects.get())
    assert {e.opened_by.text: e.due_at for e in WaitEpisode.objects.all()} == {
        "Is it open on Sunday?": NOON + 4 * HOUR,
        "Later": LATER + 30 * MINUTE,
    }


@pytest.mark.parametrize(("amount", "unit"), [("0", "1"), ("", "1"), ("721", "60"), ("1", "7"), ("-3", "60")])
def test_a_promise_that_is_none_is_refused(
    brand: Brand, admin: User, sign_in: SignIn, amount: str, unit: str
) -> None:
    fields = {f"{brand.pk}-amount": amount, f"{brand.pk}-unit": unit}
    assert sign_in(admin).post(url("promise", brand), fields).status_code == 422
    assert not SlaPolicy.objects.exists()


@pytest.mark.parametrize("who", ["manager", "responder"])
def test_only_who_manages_brands_promises(
    brand: Brand, sign_in: SignIn, who: str, request: pytest.FixtureRequest
) -> None:
    client = sign_in(request.getfixturevalue(who))
    fields = {f"{brand.pk}-amount": "1", f"{brand.pk}-unit": "1"}
    assert client.post(url("promise", brand), fields).status_code == 403
    assert not SlaPolicy.objects.exists()


def test_the_numbers_explain_themselves(open_one: Conversation, responder: User, sign_in: SignIn) -> None:
    client = sign_in(responder)
    page = text_of(client.get(url("numbers")))
    for words in ("Response rate", "0 answered of 0 that needed an answer", "What these numbers mean"):
        assert words in page
    assert "4 h of business time" in page
    assert text_of(client.get(url("numbers", query="?days=x")))


# --- what is not read -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "failures", "is_said"),
    [
        (RejectReason.FORBIDDEN, 0, True),
        (StopReason.PROGRAM_ERROR, 1, True),
        (StopReason.TEMPORARY, 2, False),  # it passes, mostly
        (StopReason.TEMPORARY, 3, True),
        (StopReason.RATE_LIMITED, 0, False),
        (StopReason.NEEDS_RECONNECT, 0, False),  # told in its own way
        ("", 0, False),
    ],
)
def test_an_inbox_that_is_not_read_says_so(
    sandbox_account: SocialAccount,
    responder: User,
    sign_in: SignIn,
    error: str,
    failures: int,
    *,
    is_said: bool,
) -> None:
    InboxPull.objects.create(
        account=sandbox_account,
        next_at=LATER,
        began_at=NOON,
        read_until=NOON,
        error=str(error),
        failures=failures,
    )
    client = sign_in(responder)
    page = client.get(url("inbox")).content.decode()
    said = f"What is written to {sandbox_account} (Sandbox) is not read now."
    assert (said in page) is is_said
    if is_said:
        assert f"{said} {sentence(str(error))}" in page
        assert reverse("accounts:account_detail", args=[sandbox_account.pk]) in page
        assert said not in client.get(url("inbox"), headers=HX).content.decode()
        SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
        assert said not in client.get(url("inbox")).content.decode()
