"""The Japanese catalogue: complete, true to its placeholders, one word per thing, and seen on every page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from functools import cache
from html.parser import HTMLParser

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from accounts.models import AccountStatus, SocialAccount, User
from core import messages
from outbox.models import Delivery, DeliveryState, HeldReason
from outbox.services.pauses import pause_sending
from tests.walk import ADDRESSES, OURS, Walked, signed_in_client

JAPANESE = "[\u3040-\u30ff\u4e00-\u9fff]"
# What stands in the same letters in both languages.
# URL, SNS; abbreviations, numbers with a sign, names of things that are the same everywhere.
SAME_IN_BOTH = {
    ", ",
    "API",
    "Address",
    "CAC",
    "CPA",
    "CPC",
    "CPL",
    "CPM",
    "CTR",
    "Direct message",
    "Direct messages",
    "Id",
    "Network",
    "Networks",
    "ROAS",
    "ROI",
    "network",
    "per cent",
    "%(column)s “%(value)s”:",
    "%(metric)s, in %%",
    "%(metric)s, in %(currency)s",
    "%(field)s in %(currency)s",
    "%(first)s to %(last)s",
    "%(metric)s from %(first)s to %(last)s",
    "of %(target)s",
    "%(answered)s of %(all)s",
    "%(n)s %(unit)s",
    "Webhook",
    # As the consoles of networks have them.
    "App secret",
    "App secret key",
    "Primary client secret",
    "Threads app secret",
    "%(in_time)s of %(all)s",
    "of %(text)s%(sign)s",
    "Webhooks",
}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w+\}|</?[a-z][^>]*>")

# One word per thing, wherever a label consists of nothing else.
LABELS = {
    "Organization": "組織",
    "Brand": "ブランド",
    "Account": "アカウント",
    "Post": "投稿",
    "Draft": "下書き",
    "In review": "承認待ち",
    "Approved": "承認済み",
    "Changes asked": "差し戻し",
    "Scheduled": "予約済み",
    "Sending": "送信中",
    "Sent": "配信済み",
    "Published": "配信済み",
    "Partly published": "一部配信済み",
    "Failed": "失敗",
    "Uncertain": "確認中",
    "Missed": "期限切れ",
    "Held": "一時停止",
    "Content calendar": "コンテンツカレンダー",
    "Alt text": "代替テキスト",
    "Alternative text": "代替テキスト",
    "Threads": "スレッド",
    "Receipt": "配信記録",
    "Impressions": "インプレッション",
    "Followers": "フォロワー数",
    "Follower growth rate": "フォロワー増加率",
    "Owner": "オーナー",
    "Admin": "管理者",
    "Manager": "運用責任者",
    "Creator": "制作担当",
    "Responder": "対応担当",
    "Marketer": "マーケター",
    "Viewer": "閲覧者",
}
# What a sentence says in English, it says by this word in Japanese.
WORDS = {
    r"alternative text|alt text": "代替テキスト",
    r"audit log": "監査ログ",
    r"calendar": "カレンダー",
    r"drafts?": "下書き",
    r"engagements?": "エンゲージメント",
    r"followers?": "フォロワー",
    r"impressions?": "インプレッション",
    r"invitations?": "招待",
    r"link card": "リンクカード",
    r"managers?": "運用責任者",
    r"median": "中央値",
    r"organizations?": "組織",
    r"owners?": "オーナー",
    r"paused?": "一時停止",
    r"reconnect(?:ed|ing|s)?": "再連携",
    r"resumed?": "再開",
    r"scheduled": "予約",
    r"(?-i:threads?|Thread|Threads of)": "スレッド",  # Threads is also the name of a network
    r"time zone": "タイムゾーン",
}
# Words that a thing could also be called by, and is not.
OTHER_WORDS = (
    "スケジュール",
    "サインイン",
    "受信トレイ",
    "サインアウト",
    "ユーザー",
    "アカウント接続",
    "公開済み",
    "送信済み",
    "2段階",
)


def texts() -> list[Message]:
    found = []
    for domain in messages.DOMAINS:
        path = messages.ROOT / "locale" / "ja" / "LC_MESSAGES" / f"{domain}.po"
        with path.open("rb") as file:
            found += [message for message in read_po(file, locale="ja", domain=domain) if message.id]
    return found


def english(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[-1]


def japanese(message: Message) -> str:
    """The translation, of a text with a plural the only form that Japanese has; "" where there is none."""
    forms = (message.string,) if isinstance(message.string, str) else message.string or ("",)
    return forms[0]


# --- the catalogue ----------------------------------------------------------------------------


def test_every_text_of_the_source_is_translated() -> None:
    assert messages.problems() == []


def test_every_translation_is_japanese() -> None:
    assert {
        english(message) for message in texts() if not re.search(JAPANESE, japanese(message))
    } <= SAME_IN_BOTH


def test_a_translation_has_the_placeholders_and_tags_of_its_source() -> None:
    for message in texts():
        wanted, got = PLACEHOLDER.findall(english(message)), PLACEHOLDER.findall(japanese(message))
        assert sorted(got) == sorted(wanted), english(message)


def test_sentences_end_as_their_source_does() -> None:
    for message in texts():
        if english(message).endswith(".") and english(message).count(" ") > 2:
            assert japanese(message).endswith(("。", "%(reason)s")), english(message)


def test_a_label_is_the_one_word_for_its_thing() -> None:
    known = {english(message): japanese(message) for message in texts() if not message.context}
    assert {label: known[label] for label in LABELS if label in known} == {
        label: word for label, word in LABELS.items() if label in known
    }


@pytest.mark.parametrize(("source", "word"), WORDS.items())
def test_a_thing_has_one_word_in_every_sentence(source: str, word: str) -> None:
    pattern = re.compile(rf"\b(?:{source})\b", re.IGNORECASE)
    said = [message for message in texts() if pattern.search(PLACEHOLDER.sub("", english(message)))]
    assert said, f"nothing speaks of {source} any more: take it off the list"
    for message in said:
        assert word in japanese(message), english(message)


@pytest.mark.parametrize("word", OTHER_WORDS)
def test_no_thing_has_a_second_word(word: str) -> None:
    assert [japanese(message) for message in texts() if word in japanese(message)] == []


# --- the pages --------------------------------------------------------------------------------

# Three words in a row: names of brands, people and zones are shorter, sentences are longer.
ENGLISH = re.compile(r"[A-Za-z][a-z'’]+(?:[ ,;:]+[a-z'’]{2,}){2,}")
SPOKEN_ATTRIBUTES = {"title", "placeholder", "alt", "aria-label", "content"}


class Words(HTMLParser):
    """Everything on a page that a person reads or hears, also what scripts will show later."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style", "pre")  # the last is code, the same in every language
        for name, value in attrs:
            if value and (name in SPOKEN_ATTRIBUTES or name.startswith(("data-text", "data-confirm"))):
                self.found.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "pre")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(" ".join(data.split()))


@cache
def sources() -> list[str]:
    """The literal pieces, of three words or more, of every English text."""
    pieces = (piece.strip() for message in texts() for piece in PLACEHOLDER.split(english(message)))
    return sorted({piece for piece in pieces if len(piece.split()) >= 3})


def leaks(html: str) -> Iterator[str]:
    words = Words()
    words.feed(html)
    for text in words.found:
        if ENGLISH.search(text):
            yield text
        yield from (source for source in sources() if source in text)


def english_on(client: Client, paths: list[str]) -> dict[str, list[str]]:
    """The English that is left on each page that answers a GET with HTML."""
    found = {}
    for path in paths:
        response = client.get(path, headers={"accept-language": "ja"})
        content = b"".join(response)  # a file that is streamed stays open until its end
        if response.headers.get("Content-Type", "").startswith("text/html"):
            html = content.decode()
            assert "<html" not in html or '<html lang="ja"' in html, path
            found[path] = list(leaks(html))
    return found


def of_allauth() -> list[str]:
    """The pages for signing in and what belongs to it, as far as they need no key."""
    found = []
    for address in ADDRESSES:
        if address.name.startswith(("account_", "mfa_")) and address.name != "account_logout":
            with suppress(NoReverseMatch):
                found.append(reverse(address.name))
    return found


def test_the_search_for_english_finds_it() -> None:
    html = '<p>予約</p><p>Choose an account first.</p><i title="Go on without it"></i><script>a b c</script>'
    assert {"Choose an account first.", "Go on without it"} == set(leaks(html))


@pytest.mark.django_db
def test_pages_for_nobody_in_particular_are_japanese() -> None:
    paths = [
        *of_allauth(),
        reverse("account_confirm_email", args=["old"]),
        reverse("account_reset_password_from_key", args=["1", "old"]),
        reverse("accounts:invitation", args=["old"]),
        "/there/is/no/such/page/",
    ]
    found = english_on(Client(), paths)
    assert len(found) > 8
    assert {path: left for path, left in found.items() if left} == {}


@pytest.mark.django_db
def test_refused_forms_are_japanese() -> None:
    client = Client(headers={"accept-language": "ja"})
    given = {"login": "nobody@example.com", "password": "wrong", "email": "no address", "password1": "1"}
    for name in ("account_login", "account_signup", "account_reset_password"):
        for values in ({}, given):
            html = client.post(reverse(name), values).content.decode()
            assert "field-error" in html or "alert" in html, name
            assert list(leaks(html)) == [], name


@pytest.mark.django_db
def test_mails_about_signing_in_are_japanese(
    owner: User,
    mailoutbox: list[EmailMessage],
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
) -> None:
    client = Client(headers={"accept-language": "ja"})
    password = {"password1": "a new long password", "password2": "a new long password"}
    with django_capture_on_commit_callbacks(execute=True):
        for email in (owner.email, "nobody@example.com"):
            client.post(reverse("account_reset_password"), {"email": email})
        client.post(reverse("account_signup"), {"email": "new@example.com", **password})
    assert len(mailoutbox) == 3
    for mail in mailoutbox:
        assert re.search(JAPANESE, str(mail.subject))
        assert list(leaks(str(mail.body))) == []


@pytest.mark.django_db
def test_every_page_of_a_member_is_japanese(walked: Walked) -> None:
    ours = [
        path for path in map(walked.path_of, OURS) if not path.startswith("/api/")
    ]  # programs read English
    found = english_on(signed_in_client(walked.walker), [*ours, *of_allauth()])
    assert len(found) > 25
    assert {path: left for path, left in found.items() if left} == {}


@pytest.mark.django_db
def test_pages_are_japanese_in_every_state_of_a_delivery_and_an_account(
    walked: Walked,
) -> None:
    by_name = {address.name: address for address in OURS}
    pause_page = walked.path_of(by_name["outbox:account_pause"])
    delivery = Delivery.objects.filter(variant__isnull=False).earliest("created_at")
    account = SocialAccount.objects.get(pk=delivery.account_id)
    walker = walked.walker
    client = signed_in_client(walker)
    now = timezone.now()

    def left() -> dict[str, list[str]]:
        shown = [
            reverse("shell:today"),
            reverse("content_calendar:posts"),
            reverse("content_calendar:post", args=[delivery.variant.post_id]),
            reverse("accounts:account_detail", args=[account.pk]),
            pause_page,
        ]
        found = english_on(client, shown)
        assert len(found) == len(shown)
        return {path: texts for path, texts in found.items() if texts}

    for state in DeliveryState:
        reason = HeldReason.PAUSED if state == DeliveryState.HELD else ""
        Delivery.objects.update(state=state, held_reason=reason, lease_until=now)
        assert left() == {}, state
    for status in AccountStatus:
        SocialAccount.objects.update(status=status, connection_expires_at=now)
        assert left() == {}, status
    pause_sending(
        organization=account.brand.organization, account=account, reason="", actor=walked.walker, now=now
    )
    assert left() == {}
