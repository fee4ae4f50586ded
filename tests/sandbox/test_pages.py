"""The web page, where anybody is a customer."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from sandbox.i18n import TEXTS, compact, language_of
from sandbox.pages import linked
from tests.sandbox.fixtures import Api, SandboxControl, png

Account = Callable[..., Api]


@pytest.mark.integration
def test_the_timeline_shows_posts_with_pictures_and_authors(
    account: Account, sandbox: SandboxControl
) -> None:
    api = account(name="Nori Ramen")
    media = api.upload(png(), alt_text="A bowl").json()["id"]
    api.publish("Open again <b>today</b> #ramen https://example.com/?a=1&b=2", media_ids=[media])
    shown = Api(sandbox).get("/").text
    assert "Nori Ramen" in shown
    assert 'alt="A bowl"' in shown
    assert "&lt;b&gt;today" in shown
    assert 'href="https://example.com/?a=1&amp;b=2"' in shown


@pytest.mark.integration
def test_an_empty_timeline_says_what_to_do(sandbox: SandboxControl) -> None:
    assert "Connect an account" in Api(sandbox).get("/").text


@pytest.mark.integration
def test_a_customer_likes_comments_and_shares(account: Account, sandbox: SandboxControl) -> None:
    api = account(followers=0)
    post_id = api.publish("Hello").json()["id"]
    visitor = Api(sandbox)
    for kind in ("like", "share"):
        answer = visitor.call("POST", f"/@nori/{post_id}/{kind}", data={"name": "花子", "back": "/"})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    visitor.call("POST", f"/@nori/{post_id}/comment", data={"name": "花子", "text": "すてき！"})
    counts = api.get(f"/api/v1/posts/{post_id}").json()["counts"]
    assert (counts["likes"], counts["comments"], counts["shares"]) == (1, 1, 1)
    page = visitor.get(f"/@nori/{post_id}").text
    assert "すてき！" in page
    assert 'value="花子"' in page  # the name is remembered
    visitor.call("POST", f"/@nori/{post_id}/like", data={"name": "花子"})
    assert api.get(f"/api/v1/posts/{post_id}").json()["counts"]["likes"] == 0  # pressed again


@pytest.mark.integration
def test_a_customer_takes_a_comment_back_on_the_page(account: Account, sandbox: SandboxControl) -> None:
    post_id = account().publish("Hello").json()["id"]
    visitor, other = Api(sandbox), Api(sandbox)
    visitor.call("POST", f"/@nori/{post_id}/comment", data={"name": "花子", "text": "すてき！"})
    other.call("POST", f"/@nori/{post_id}/like", data={"name": "Ken"})
    (action,) = re.findall(r'action="([^"]+/delete)"', visitor.get(f"/@nori/{post_id}").text)
    assert "/delete" not in other.get(f"/@nori/{post_id}").text
    refused = other.call("POST", action, data={"name": "Ken"})
    assert (refused.status_code, "somebody else" in refused.text) == (422, True)
    assert "すてき！" in refused.text
    answer = visitor.call("POST", action, data={"name": "花子", "back": f"/@nori/{post_id}"})
    assert answer.headers["Location"] == f"/@nori/{post_id}"
    assert "すてき！" not in other.get(f"/@nori/{post_id}").text


@pytest.mark.integration
def test_a_customer_is_told_what_is_missing_and_keeps_the_text(
    account: Account, sandbox: SandboxControl
) -> None:
    post_id = account().publish("Hello").json()["id"]
    answer = Api(sandbox).call(
        "POST", f"/@nori/{post_id}/comment", data={"name": "x" * 41, "text": "My words"}
    )
    assert answer.status_code == 422
    assert "A name has 1 to 40 characters" in answer.text
    assert "My words" in answer.text
    assert sandbox.summary()["by_account"] == {"nori": 1}


@pytest.mark.integration
def test_a_conversation_is_seen_from_both_sides(account: Account, sandbox: SandboxControl) -> None:
    api, visitor = account(), Api(sandbox)
    answer = visitor.call("POST", "/@nori/messages", data={"name": "Ken", "text": "Open today?"})
    assert answer.status_code == 303
    customer = api.get("/api/v1/messages").json()["messages"][0]["from"]["handle"]
    api.post("/api/v1/messages", {"to": customer, "text": "Until six."})
    page = visitor.get("/@nori/messages").text
    assert "Open today?" in page
    assert "Until six." in page
    assert "Until six." not in Api(sandbox).get("/@nori/messages").text


@pytest.mark.integration
def test_a_part_of_a_thread_leads_to_the_whole(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    root = api.publish("one").json()["id"]
    part = api.publish("two", reply_to=root).json()["id"]
    answer = Api(sandbox).get(f"/@nori/{part}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/@nori/{root}#p{part}")
    assert "two" in Api(sandbox).get(f"/@nori/{root}").text
    assert "Show the thread of 2 posts" in Api(sandbox).get("/").text


@pytest.mark.integration
@pytest.mark.parametrize(
    "path", ["/@nobody", "/@nori/99", "/@nori/x", "/media/1", "/nothing", "/@nobody/messages"]
)
def test_what_is_not_there_is_a_page_that_says_so(
    account: Account, sandbox: SandboxControl, path: str
) -> None:
    account()
    answer = Api(sandbox).get(path)
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.text


@pytest.mark.integration
def test_nobody_is_sent_to_another_site(account: Account, sandbox: SandboxControl) -> None:
    post_id = account().publish("x").json()["id"]
    for back in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        answer = Api(sandbox).call("POST", f"/@nori/{post_id}/like", data={"name": "a", "back": back})
        assert answer.headers["Location"] == f"/@nori/{post_id}"


@pytest.mark.integration
def test_older_posts_are_a_link_away(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    for number in range(25):
        api.publish(f"post number {number:02d}")
    first = Api(sandbox).get("/").text
    assert "post number 24" in first
    assert "post number 04" not in first
    older = first.split("?before=")[1].split('"')[0]
    assert "post number 04" in Api(sandbox).get("/", before=older).text


def test_every_text_is_there_in_both_languages() -> None:
    assert set(TEXTS["en"]) == set(TEXTS["ja"])
    assert all(text.strip() for texts in TEXTS.values() for text in texts.values())


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("fr,ja;q=0.4,en;q=0.8", "en"),
        ("de", "en"),
        ("ja-JP,en;q=0.9", "ja"),
        (";q=x", "en"),
    ],
)
def test_the_preferred_language_is_chosen(header: str, language: str) -> None:
    assert language_of(header) == language


@pytest.mark.parametrize(
    ("count", "en", "ja"),
    [(999, "999", "999"), (1234, "1.2K", "1,234"), (12_000, "12K", "1.2万"), (3_000_000, "3M", "300万")],
)
def test_large_counts_are_short(count: int, en: str, ja: str) -> None:
    assert (compact(count, "en"), compact(count, "ja")) == (en, ja)


def test_text_is_escaped_around_its_links() -> None:
    shown = linked('<script>"&" @nori #お茶 https://a.example/?q="x"')
    assert "<script>" not in shown
    assert '<a href="/@nori">@nori</a>' in shown
    assert '<span class="tag">#お茶</span>' in shown
