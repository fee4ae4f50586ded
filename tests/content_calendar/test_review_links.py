"""A client's link: what it shows, what it decides, and what it says once it does not work."""

from __future__ import annotations

import datetime as dt
import re
import smtplib
import uuid
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import Brand, Membership, Notification, Role, SocialAccount, User
from content_calendar import tasks
from content_calendar.content import MediaUse, Part
from content_calendar.models import (
    Approval,
    ApprovalRule,
    Comment,
    Post,
    Review,
    ReviewKey,
    ReviewOutcome,
    ReviewRequest,
)
from content_calendar.selectors import review_links as selectors
from content_calendar.services import approval, comments, drafts, review_links, scheduling
from content_calendar.services.review_links import LinkFacts
from content_calendar.views import review_public
from outbox.models import Delivery
from tests.cast import make_account
from tests.content_calendar.conftest import LATER, NOW, make_image, make_post
from tests.content_calendar.test_approval import ask_for, live, save, state, version_of

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
FACTS = LinkFacts("Mr Miller", "", "Please look at these.", 14, "en")


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def _no_counts() -> None:
    """How often somebody came is counted in Redis, which the tests share."""
    from core.redis import client

    for name in client().scan_iter("smmapp:often:*"):
        client().delete(name)
    cache.clear()


@pytest.fixture
def waiting(draft_post: Post, brand: Brand, creator: User) -> Post:
    """A post that waits for the client."""
    ask_for(brand, ApprovalRule.CLIENT)
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    draft_post.refresh_from_db()
    return draft_post


@pytest.fixture
def made(waiting: Post, manager: User) -> tuple[ReviewRequest, str]:
    return review_links.create_request(
        brand=waiting.brand, posts=[waiting.pk], facts=FACTS, actor=manager, now=NOW
    )


@pytest.fixture
def link(made: tuple[ReviewRequest, str]) -> ReviewRequest:
    return made[0]


@pytest.fixture
def url(made: tuple[ReviewRequest, str]) -> str:
    return reverse("content_calendar:review", args=[made[1]])


def answer_url(url: str, post: Post) -> str:
    return f"{url}posts/{post.pk}/"


def says(url: str, post: Post, decision: str, *, client: Client | None = None, **more: str) -> HttpResponse:
    given = {"decision": decision, "name": "Mr Miller", "text": "", "version": ""} | more
    if decision != "comment" and not given["version"]:
        given["version"] = str(version_of(post))
    return (client or Client()).post(answer_url(url, post), given)  # type: ignore[return-value]


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def everything() -> list[Any]:
    """What a refused answer must leave as it is."""
    return [
        list(Post.objects.values_list("pk", "approval", "version")),
        list(Review.objects.values_list("pk", "outcome", "client_name")),
        list(Comment.objects.values_list("pk", "text")),
        list(Delivery.objects.values_list("pk", "state")),
    ]


# --- what it shows --------------------------------------------------------------------------------


def test_it_shows_the_post_to_anybody_who_has_it(url: str, link: ReviewRequest) -> None:
    response = Client().get(url)
    assert response.status_code == 200
    text = text_of(response)
    for words in ("Fresh coffee at nine", "Sent by Manager to Mr Miller", "Please look at these.", "Approve"):
        assert words in text
    link.refresh_from_db()
    assert link.last_opened_at == NOW


def test_it_is_kept_from_search_engines_caches_and_other_servers(url: str, waiting: Post) -> None:
    for response in (Client().get(url), says(url, waiting, "approve"), Client().get(url[:-3] + "/")):
        assert response["X-Robots-Tag"] == "noindex, nofollow"
        assert response["Referrer-Policy"] == "same-origin"
        assert response["Cache-Control"] == "private, no-store"
    assert '<meta name="robots" content="noindex, nofollow">' in Client().get(url).content.decode()


def test_the_secret_is_nowhere_in_the_database(made: tuple[ReviewRequest, str]) -> None:
    _link, token = made
    assert len(token) >= 43  # 256 bits
    key = ReviewKey.objects.get()
    assert token not in (key.token_hash, str(key.pk))
    assert len(key.token_hash) == 64


def test_it_shows_images_of_its_posts_and_no_others(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount
) -> None:
    ask_for(brand, ApprovalRule.CLIENT)
    image, other = make_image(brand, creator), make_image(brand, creator, color="red")
    post = make_post(
        brand, creator, "A cup", sandbox_account, planned_at=LATER, media=(MediaUse(image.pk, "A cup"),)
    )
    approval.submit_for_review(post=post, actor=creator, now=NOW)
    _link, token = review_links.create_request(
        brand=brand, posts=[post.pk], facts=FACTS, actor=manager, now=NOW
    )
    page = Client().get(reverse("content_calendar:review", args=[token])).content.decode()
    shown = reverse("content_calendar:review_image", args=[token, image.pk])
    assert f'src="{shown}"' in page
    response = Client().get(shown)
    assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
    assert b"".join(response)
    hidden = Client().get(reverse("content_calendar:review_image", args=[token, other.pk]))
    assert hidden.status_code == 404


def test_it_shows_words_that_are_shared_and_no_internal_ones(url: str, waiting: Post, manager: User) -> None:
    comments.add_comment(post=waiting, text="They never pay", is_shared=False, author=manager, now=NOW)
    comments.add_comment(post=waiting, text="Better light now", is_shared=True, author=manager, now=NOW)
    text = text_of(Client().get(url))
    assert "Better light now" in text
    assert "They never pay" not in text


@pytest.mark.parametrize(
    ("accepts", "of_link", "shows"),
    [
        ("ja,en;q=0.5", "en", "ja"),
        ("en-GB,en", "ja", "en"),
        ("fr-FR", "ja", "ja"),
        ("", "ja", "ja"),
        ("fr", "en", "en"),
    ],
)
def test_it_speaks_the_language_of_the_browser_else_that_of_the_brand(
    url: str, link: ReviewRequest, accepts: str, of_link: str, shows: str
) -> None:
    ReviewRequest.objects.update(language=of_link)
    response = Client(headers={"Accept-Language": accepts}).get(url)
    assert f'<html lang="{shows}">' in response.content.decode()


# --- what it decides ------------------------------------------------------------------------------


def test_a_yes_puts_the_post_into_the_schedule(url: str, link: ReviewRequest, waiting: Post) -> None:
    client = Client()
    response = says(url, waiting, "approve", client=client)
    assert response["Location"] == f"{url}#post-{waiting.pk}"
    assert state(waiting) == Approval.APPROVED
    assert [delivery.due_at for delivery in live(waiting)] == [LATER]
    review = Review.objects.get()
    assert (review.outcome, review.client_name, review.request) == (
        ReviewOutcome.APPROVED,
        "Mr Miller",
        link,
    )
    text = text_of(client.get(url))
    assert "Thank you. The post is approved." in text
    assert "Mr Miller approved it." in text
    assert 'value="Mr Miller"' in client.get(url).content.decode()  # asked for once


def test_a_yes_may_come_with_a_word(url: str, waiting: Post) -> None:
    says(url, waiting, "approve", text="Lovely")
    comment = Comment.objects.get()
    assert (comment.text, comment.client_name, comment.is_shared) == ("Lovely", "Mr Miller", True)


def test_a_no_sends_it_back_with_what_should_change(url: str, waiting: Post, creator: User) -> None:
    says(url, waiting, "changes", text="Another colour, please")
    assert state(waiting) == Approval.CHANGES_ASKED
    assert live(waiting) == []
    assert Comment.objects.get().text == "Another colour, please"
    assert Notification.objects.filter(user=creator, kind="approval_answered").exists()
    assert "Mr Miller asked for changes." in text_of(Client().get(url))


def test_a_comment_decides_nothing(url: str, waiting: Post, creator: User) -> None:
    says(url, waiting, "comment", text="When is it due?")
    assert state(waiting) == Approval.IN_REVIEW
    assert Comment.objects.get().text == "When is it due?"
    assert Notification.objects.filter(user=creator, kind="approval_answered").count() == 1


@pytest.mark.parametrize(
    ("given", "asks"),
    [
        ({"decision": "approve", "name": " "}, "This field is required."),
        ({"decision": "changes", "text": "  "}, "Say what should change."),
        ({"decision": "comment", "text": ""}, "Write a comment first."),
        ({"decision": "approve", "version": "nonsense"}, "out of date"),
        ({"decision": "changes", "text": "x" * 5001}, "at most 5000"),
        ({"decision": "approve", "name": "x" * 121}, "at most 120"),
        ({"decision": "approve", "name": "Mr\x00Miller"}, "Null characters"),
    ],
)
def test_an_answer_that_lacks_something_is_asked_for_it_and_keeps_the_rest(
    url: str, waiting: Post, given: dict[str, str], asks: str
) -> None:
    before = everything()
    sent = {"version": str(version_of(waiting)), "name": "Mr Miller", "text": "Kept <words>"} | given
    response = Client().post(answer_url(url, waiting), sent)
    assert response.status_code == 422
    assert asks in text_of(response)
    if sent["text"] == "Kept <words>":
        assert "Kept &lt;words&gt;</textarea>" in response.content.decode()
    assert everything() == before


def test_a_decision_that_is_none_is_refused(url: str, waiting: Post) -> None:
    before = everything()
    assert says(url, waiting, "destroy").status_code == 422
    assert everything() == before


def test_a_yes_counts_only_for_what_was_seen(url: str, waiting: Post, creator: User, manager: User) -> None:
    seen = str(version_of(waiting))
    save(waiting, "Free coffee for everybody", creator)
    gone = says(url, waiting, "approve", version=seen)
    assert gone.status_code == 409
    assert "does not wait for your answer any more" in text_of(gone)
    approval.submit_for_review(post=waiting, actor=creator, now=NOW)
    before = everything()
    response = says(url, waiting, "approve", version=seen, text="Fine")
    assert response.status_code == 409
    assert "the post was changed after you opened this page" in text_of(response)
    assert "Free coffee for everybody" in text_of(response)
    assert "Fine</textarea>" in response.content.decode()
    assert everything() == before
    assert says(url, waiting, "approve").status_code == 302
    assert live(waiting)


def test_a_post_that_is_being_changed_hides_its_words(url: str, waiting: Post, creator: User) -> None:
    save(waiting, "Half a thou", creator)
    text = text_of(Client().get(url))
    assert "The team is working on this post" in text
    assert "Half a thou" not in text
    assert "Fresh coffee at nine" not in text
    assert "Half a thou" not in Client().get(url).content.decode()  # nor where only a screen reader finds it


def test_what_is_written_after_a_yes_is_not_shown_before_it_is_the_clients_turn(
    url: str, waiting: Post, manager: User
) -> None:
    says(url, waiting, "approve")
    scheduling.unschedule(post=waiting, actor=manager, now=NOW)
    save(waiting, "Fired for stealing coffee", manager)
    page = Client().get(url).content.decode()
    assert "Fired for stealing coffee" not in page
    assert 'aria-label="Fresh coffee at nine"' in page


def test_the_same_answer_twice_counts_once(url: str, waiting: Post) -> None:
    version = str(version_of(waiting))
    assert says(url, waiting, "approve", version=version).status_code == 302
    before = everything()
    assert says(url, waiting, "approve", version=version).status_code == 409
    assert everything() == before


def test_nobody_answers_for_a_post_that_the_link_does_not_show(
    url: str, waiting: Post, brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    other = make_post(brand, creator, "Secret plans", sandbox_account, planned_at=LATER)
    approval.submit_for_review(post=other, actor=creator, now=NOW)
    before = everything()
    for decision in ("approve", "changes", "comment"):
        response = says(url, other, decision, text="x")
        assert response.status_code == 409
        assert "Secret plans" not in text_of(response)
    assert Client().post(f"{url}posts/{uuid.uuid4()}/", {"decision": "approve"}).status_code == 422
    assert everything() == before


def test_a_deleted_post_is_shown_no_longer(url: str, waiting: Post, manager: User) -> None:
    version = str(version_of(waiting))
    drafts.delete_post(post=waiting, actor=manager, now=NOW)
    text = text_of(Client().get(url))
    assert "The posts of this link were deleted." in text
    assert "Fresh coffee" not in text
    assert says(url, waiting, "approve", version=version).status_code == 409


def test_whoever_sent_the_link_and_left_publishes_nothing(
    url: str, waiting: Post, manager: User, creator: User
) -> None:
    Membership.objects.filter(user=manager).update(role=Role.VIEWER)
    says(url, waiting, "approve")
    assert state(waiting) == Approval.READY
    assert live(waiting) == []
    (told,) = Notification.objects.filter(user=creator, kind="approval_answered")
    assert told.context["kind"] == "approved_unscheduled"


# --- once it does not work ------------------------------------------------------------------------


def over(request: ReviewRequest, state: str, actor: User) -> dt.datetime:
    """Makes the link one that no longer works; returns when somebody opens it."""
    if state == "revoked":
        review_links.revoke_request(request=request, actor=actor, now=NOW)
        return NOW
    return request.expires_at


@pytest.mark.parametrize(
    ("how", "words"), [("revoked", "This link was revoked"), ("expired", "This link has expired")]
)
def test_a_link_that_is_over_says_why_and_decides_nothing(
    url: str, link: ReviewRequest, waiting: Post, manager: User, how: str, words: str
) -> None:
    version = str(version_of(waiting))
    opened_at = over(link, how, manager)
    before = everything()
    with time_machine.travel(opened_at, tick=False):
        for response in (
            Client().get(url),
            says(url, waiting, "approve", version=version),
            says(url, waiting, "changes", version=version, text="No"),
            says(url, waiting, "comment", text="Hello?"),
        ):
            assert response.status_code == 410
            text = text_of(response)
            assert words in text
            assert "ask Manager for a new link" in text.replace("Ask", "ask")
            assert "Fresh coffee" not in text
    assert everything() == before


def test_a_link_works_until_the_moment_that_it_names(url: str, link: ReviewRequest) -> None:
    with time_machine.travel(link.expires_at - dt.timedelta(seconds=1), tick=False):
        assert Client().get(url).status_code == 200
    with time_machine.travel(link.expires_at, tick=False):
        assert Client().get(url).status_code == 410


def test_a_link_that_is_revoked_while_somebody_writes_decides_nothing(
    url: str, link: ReviewRequest, waiting: Post, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the link and the answer."""
    real = selectors.request_of

    def then_revoked(token: str) -> ReviewRequest | None:
        found = real(token)
        review_links.revoke_request(request=link, actor=manager, now=NOW)
        return found

    version = str(version_of(waiting))
    monkeypatch.setattr(review_public, "request_of", then_revoked)
    response = says(url, waiting, "approve", version=version)
    assert response.status_code == 410
    assert state(waiting) == Approval.IN_REVIEW
    assert not Delivery.objects.exists()


def test_what_was_guessed_looks_like_what_never_was(url: str, link: ReviewRequest) -> None:
    real = url.rstrip("/").rpartition("/")[2]
    guesses = [
        real[:-1] + ("A" if real[-1] != "A" else "B"),
        "nonsense",
        "x" * 3000,
        str(link.pk),
        "%00",
        "日本",
    ]
    pages = set()
    for guess in guesses:
        response = Client().get(reverse("content_calendar:review", args=[guess]))
        assert response.status_code == 404
        page = re.sub(r'value="[^"]*"|content="[^"]*"', "", response.content.decode())
        pages.add(page)
        assert "There is no such link" in page
    assert len(pages) == 1


def test_an_archived_brand_shows_nothing(url: str, brand: Brand) -> None:
    Brand.every.filter(pk=brand.pk).update(is_archived=True)
    response = Client().get(url)
    assert response.status_code == 410
    assert "Fresh coffee" not in text_of(response)


def test_guessing_is_slowed_down_and_those_with_a_link_are_not(url: str) -> None:
    client = Client(REMOTE_ADDR="203.0.113.9")
    statuses = [client.get(f"/calendar/review/guess{n}/").status_code for n in range(25)]
    assert statuses == [404] * review_public.MOST_GUESSES + [429] * 5
    assert client.get("/calendar/review/guess/")["Retry-After"] == "60"
    assert client.get(url).status_code == 200
    assert Client(REMOTE_ADDR="203.0.113.10").get("/calendar/review/guess/").status_code == 404


def test_answers_are_slowed_down_and_lose_nothing(url: str, waiting: Post) -> None:
    for number in range(review_public.MOST_ANSWERS):
        assert says(url, waiting, "comment", text=f"{number}").status_code == 302
    response = says(url, waiting, "comment", text="One more")
    assert response.status_code == 429
    assert "One more</textarea>" in response.content.decode()
    assert Comment.objects.count() == review_public.MOST_ANSWERS


def test_an_answer_without_the_forms_token_is_refused(url: str, waiting: Post) -> None:
    client = Client(enforce_csrf_checks=True)
    assert says(url, waiting, "approve", client=client).status_code == 403
    assert state(waiting) == Approval.IN_REVIEW


# --- making, sending, revoking --------------------------------------------------------------------


def test_only_posts_that_wait_for_this_client_can_be_sent(
    waiting: Post, brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount
) -> None:
    draft = make_post(brand, creator, "Not yet", sandbox_account)
    for chosen in ([], [draft.pk], [waiting.pk, draft.pk], [uuid.uuid4()]):
        with pytest.raises(review_links.NoPosts):
            review_links.create_request(brand=brand, posts=chosen, facts=FACTS, actor=manager, now=NOW)
    assert not ReviewRequest.objects.exists()


def test_a_manager_makes_a_link_sees_it_once_and_can_show_another(
    sign_in: Any, waiting: Post, manager: User
) -> None:
    client = sign_in(manager)
    given = {
        "brand": str(waiting.brand_id),
        "posts": [str(waiting.pk)],
        "client_name": "Mr Miller",
        "days": "7",
        "language": "en",
    }
    page = client.post(reverse("content_calendar:review_link_new"), given, follow=True)
    (address,) = re.findall(r'value="[^"]*(/calendar/review/[^"]+)"', page.content.decode())
    assert Client().get(address).status_code == 200
    link = ReviewRequest.objects.get()
    assert link.expires_at == NOW + 7 * DAY
    own = reverse("content_calendar:review_link", args=[link.pk])
    assert address not in client.get(own).content.decode()
    again = client.post(reverse("content_calendar:review_link_renew", args=[link.pk]), follow=True)
    (second,) = re.findall(r'value="[^"]*(/calendar/review/[^"]+)"', again.content.decode())
    assert second != address
    for one in (address, second):
        assert Client().get(one).status_code == 200
    client.post(reverse("content_calendar:review_link_revoke", args=[link.pk]))
    for one in (address, second):
        assert Client().get(one).status_code == 410
    refused = client.post(reverse("content_calendar:review_link_renew", args=[link.pk]), follow=True)
    assert "This link works no longer" in text_of(refused)
    assert ReviewKey.objects.count() == 2


@pytest.mark.parametrize(
    ("given", "asks"),
    [
        ({"client_name": ""}, "required"),
        ({"client_email": "miller"}, "valid email"),
        ({"days": "0"}, "greater than or equal to 1"),
        ({"days": "400"}, "less than or equal to 90"),
        ({"days": "soon"}, "whole number"),
        ({"posts": []}, "required"),
        ({"posts": ["nonsense"]}, "is not a valid"),
        ({"language": "tlh"}, "valid choice"),
    ],
)
def test_a_link_that_lacks_something_is_not_made(
    sign_in: Any, waiting: Post, manager: User, given: dict[str, Any], asks: str
) -> None:
    sent = {
        "brand": str(waiting.brand_id),
        "posts": [str(waiting.pk)],
        "client_name": "Mr Miller",
        "days": "7",
        "language": "en",
    } | given
    response = sign_in(manager).post(reverse("content_calendar:review_link_new"), sent)
    assert response.status_code == 422
    assert asks in text_of(response)
    assert not ReviewRequest.objects.exists()


def test_a_creator_sends_no_links(sign_in: Any, waiting: Post, creator: User) -> None:
    response = sign_in(creator).post(
        reverse("content_calendar:review_link_new"),
        {"brand": str(waiting.brand_id), "posts": [str(waiting.pk)]},
    )
    assert response.status_code == 403
    assert not ReviewRequest.objects.exists()


@pytest.mark.usefixtures("celery_eager")
def test_a_client_with_an_address_gets_a_mail_with_a_link_of_its_own(waiting: Post, manager: User) -> None:
    facts = LinkFacts("Mr Miller", "miller@example.com", "Please look.", 14, "en")
    link, _token = review_links.create_request(
        brand=waiting.brand, posts=[waiting.pk], facts=facts, actor=manager, now=NOW
    )
    tasks.send_review_mails()
    tasks.send_review_mails()
    (message,) = mail.outbox
    assert re.search(r"works until [\w, ]+ December 2026, 10:00 \(Europe/Berlin\)\.", str(message.body))
    assert "<" not in message.body
    assert message.to == ["miller@example.com"]
    assert message.subject == "Posts of Harbour Coffee wait for your approval"
    assert "1 post of Harbour Coffee waits for your answer." in message.body
    (address,) = re.findall(r"https?://\S+(/calendar/review/\S+)", str(message.body))
    assert Client().get(address).status_code == 200
    link.refresh_from_db()
    assert (link.mail_at, link.mails_sent) == (None, 1)


@pytest.mark.usefixtures("celery_eager")
def test_a_mail_server_that_is_down_is_tried_again(
    waiting: Post, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_args: Any, **_kwargs: Any) -> None:
        raise smtplib.SMTPServerDisconnected

    facts = LinkFacts("Mr Miller", "miller@example.com", "", 14, "ja")
    link, _token = review_links.create_request(
        brand=waiting.brand, posts=[waiting.pk], facts=facts, actor=manager, now=NOW
    )
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMessage.send", down)
        tasks.send_review_mails()
    link.refresh_from_db()
    assert (link.mail_failures, link.mails_sent) == (1, 0)
    assert link.mail_at is not None
    assert link.mail_at > NOW
    with time_machine.travel(link.mail_at, tick=False):
        tasks.send_review_mails()
    assert len(mail.outbox) == 1


@pytest.mark.usefixtures("celery_eager")
def test_no_mail_once_the_link_is_revoked_or_everything_is_answered(
    waiting: Post, manager: User, link: ReviewRequest, url: str
) -> None:
    ReviewRequest.objects.update(client_email="miller@example.com", mail_at=NOW)
    says(url, waiting, "approve")
    tasks.send_review_mails()
    review_links.revoke_request(request=link, actor=manager, now=NOW)
    ReviewRequest.objects.update(mail_at=NOW)
    tasks.send_review_mails()
    assert mail.outbox == []


def test_a_changed_post_is_mailed_to_the_client_whose_link_is_open(
    waiting: Post, creator: User, link: ReviewRequest
) -> None:
    ReviewRequest.objects.update(client_email="miller@example.com", mail_at=None)
    save(waiting, "Other words", creator)
    approval.submit_for_review(post=waiting, actor=creator, now=NOW + DAY)
    link.refresh_from_db()
    assert link.mail_at == NOW + DAY


def test_a_thread_on_several_accounts_is_shown_as_each_network_gets_it(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount
) -> None:
    ask_for(brand, ApprovalRule.CLIENT)
    second = make_account(brand, handle="second")
    draft = drafts.Draft(
        parts=(Part("First part"), Part("Second part")),
        accounts=(sandbox_account.pk, second.pk),
        own_parts={second.pk: (Part("Only here"),)},
    )
    post = drafts.create_post(brand=brand, author=creator, draft=draft, now=NOW)
    approval.submit_for_review(post=post, actor=creator, now=NOW)
    _link, token = review_links.create_request(
        brand=brand, posts=[post.pk], facts=FACTS, actor=manager, now=NOW
    )
    text = text_of(Client().get(reverse("content_calendar:review", args=[token])))
    for words in ("@harbour First part", "@second Only here", "Second part"):
        assert words in text
