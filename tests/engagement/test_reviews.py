"""Reviews come in like comments, say how the brand is rated, and are answered, counted and filtered alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Brand, SocialAccount, User
from audience.models import Activity, ActivityKind
from connectors.base import Capability, InboxItem, InboxKind, ModerationAction, PlatformInfo
from engagement.models import Conversation, ConversationKind, EpisodeEnd, Message, WaitEpisode
from engagement.selectors.numbers import answers
from engagement.selectors.ratings import Rating, rating_of
from engagement.services import collection
from engagement.services.moderation import NotPossibleHere, moderate
from engagement.services.settling import settle
from outbox.models import Delivery, DeliveryKind
from tests.engagement.conftest import DAY, HOUR, MINUTE, NOON, FakeNetwork, comment, ended

pytestmark = pytest.mark.django_db

Take = Callable[..., int]
SignIn = Callable[[User], Client]
Answer = Callable[..., Message]


def review(text: str = "Best coffee of the harbour", rating: Any = 4, **given: Any) -> InboxItem:
    item = comment(text, kind=InboxKind.REVIEW, root_id="", **given)
    return item if rating is None else replace(item, detail={**item.detail, "rating": rating})


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def _has_reviews(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that tells reviews, and nothing else."""
    can = PlatformInfo.can
    told = {Capability.INBOX_REVIEWS: True}
    others = (Capability.INBOX_COMMENTS, Capability.INBOX_MENTIONS, Capability.INBOX_MESSAGES)
    told |= dict.fromkeys(others, False)
    monkeypatch.setattr(PlatformInfo, "can", lambda self, one: told.get(one, can(self, one)))


# --- how it is rated ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "words", "drawn", "is_good"),
    [
        (5, "5 of 5 stars", "★★★★★", True),
        (3, "3 of 5 stars", "★★★☆☆", True),
        (1, "1 of 5 stars", "★☆☆☆☆", False),
        ("recommends", "Recommends", "", True),
        ("does not recommend", "Does not recommend", "", False),
    ],
)
def test_a_rating_is_said_in_words(told: Any, words: str, drawn: str, is_good: bool) -> None:
    rating = rating_of({"rating": told})
    assert rating is not None
    assert (rating.words, rating.drawn, rating.is_good) == (words, drawn, is_good)


@pytest.mark.parametrize("told", [0, 6, -1, True, "5", "", None, [], {"stars": 5}, 4.5])
def test_what_is_no_rating_is_none(told: Any) -> None:
    assert rating_of({"rating": told}) is None
    assert rating_of({}) is None


# --- coming in ----------------------------------------------------------------------------------


def test_a_review_begins_a_conversation_and_its_author_waits(take: Take, brand: Brand) -> None:
    assert take(review(remote_id="r1"), review(remote_id="r1"), now=NOON + MINUTE) == 1
    row = Conversation.objects.get()
    assert (row.kind, row.preview, row.waiting_since) == (
        ConversationKind.REVIEW,
        "Best coffee of the harbour",
        NOON,
    )
    told = Activity.objects.get()
    assert (told.kind, told.summary) == (ActivityKind.REVIEW, "Best coffee of the harbour")
    numbers = answers(brands=[brand], start=NOON - DAY, end=NOON + DAY, now=NOON + 2 * DAY)
    assert (numbers.actionable, numbers.answered) == (1, 0)


@pytest.mark.usefixtures("_has_reviews")
def test_the_inbox_of_a_network_with_nothing_but_reviews_is_read(
    sandbox_account: SocialAccount, network: FakeNetwork
) -> None:
    network.tells([review()])
    assert collection.discover_accounts(now=NOON) == 1
    assert collection.collect_account(account_id=sandbox_account.pk, now=NOON) == 1
    assert Conversation.objects.get().kind == ConversationKind.REVIEW


def test_who_rates_anew_is_shown_with_the_new_rating(take: Take) -> None:
    take(review(rating=2, remote_id="r1"))
    take(review(rating=5, remote_id="r1"), now=NOON + HOUR)
    message = Message.objects.get()
    assert message.detail == {"id": "r1", "rating": 5}
    take(review(rating=None, remote_id="r1"), now=NOON + 2 * HOUR)  # told without it
    message.refresh_from_db()
    assert rating_of(message.detail) == Rating(5, is_good=True)


def test_an_answer_to_a_review_is_a_public_reply_and_ends_the_waiting(
    take: Take, answer: Answer, responder: User
) -> None:
    take(review(remote_id="r1"), now=NOON + MINUTE)
    sent = answer(Conversation.objects.get(), "Thank you!")
    assert sent.delivery is not None
    assert sent.delivery.kind == DeliveryKind.REPLY
    assert sent.delivery.payload["reply_to"]["remote_id"] == "r1"
    ended(sent)
    settle(now=NOON + 20 * MINUTE)
    assert WaitEpisode.objects.get().ended_how == EpisodeEnd.ANSWERED


@pytest.mark.parametrize("action", [ModerationAction.HIDE, ModerationAction.DELETE])
def test_a_review_is_neither_hidden_nor_deleted(
    take: Take, responder: User, action: ModerationAction
) -> None:
    take(review())
    with pytest.raises(NotPossibleHere):
        moderate(message=Message.objects.get(), action=action, actor=responder, now=NOON + MINUTE)
    assert not Delivery.objects.exists()


# --- what people see ----------------------------------------------------------------------------


@pytest.mark.usefixtures("_has_reviews")
def test_reviews_are_listed_with_their_rating_and_can_be_filtered(
    take: Take, responder: User, sign_in: SignIn
) -> None:
    take(review(rating=4), comment("A comment"), now=NOON + MINUTE)
    client = sign_in(responder)
    page = text_of(client.get(reverse("engagement:inbox"), {"kind": "review"}))
    assert "Best coffee of the harbour" in page
    assert "A comment" not in page
    assert "★★★★☆" in page
    assert "4 of 5 stars" in page
    assert '<option value="review" selected>' in page


def test_the_filter_is_offered_only_where_reviews_can_come_in(
    take: Take, responder: User, sign_in: SignIn
) -> None:
    take(comment())
    assert 'value="review"' not in text_of(sign_in(responder).get(reverse("engagement:inbox")))


def test_a_recommendation_without_words_is_shown_as_what_it_says(
    take: Take, responder: User, sign_in: SignIn
) -> None:
    take(review("", rating="does not recommend"), now=NOON + MINUTE)
    row = Conversation.objects.get()
    page = text_of(sign_in(responder).get(reverse("engagement:conversation", args=[row.pk])))
    assert "Does not recommend" in page
    assert "Review of " in page
    assert page.count("(no words)") == 0


def test_a_page_of_reviews_costs_one_query_more_than_a_page_without(
    take: Take, responder: User, sign_in: SignIn
) -> None:
    client = sign_in(responder)
    take(comment(), comment())
    address = reverse("engagement:inbox")
    client.get(address)
    with CaptureQueriesContext(connection) as without:
        client.get(address)
    take(review(), review(), review())
    with CaptureQueriesContext(connection) as with_reviews:
        client.get(address)
    assert len(with_reviews) == len(without) + 1
