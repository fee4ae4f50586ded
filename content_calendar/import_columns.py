"""What the columns of a file of posts mean: their keys, the words that people write above them, and how a
value of each is called. The export writes the same columns, so that its file can be imported again.

Column ``text`` is the post, ``text_2`` and on are the further parts of a thread; their images, the words for
them and their link cards stand in ``media``, ``alt`` and ``card_url`` ... with the same number. What an
account says instead stands in columns of its own: ``text@network:name``, ``media_2@network:name``. What
networks ask besides has columns of import_details.
"""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from content_calendar.import_details import detail_column, detail_header, detail_label, is_detail
from core.csv_reading import Row, known_columns

MOST_PARTS = 40  # of a thread, as in the composer
_WORDS_OF_PART = ("text", "media", "alt")
_CARD_OF_PART = ("card_url", "card_title", "card_description", "card_image")
PARTED = (*_WORDS_OF_PART, *_CARD_OF_PART)
# What an account may say for itself.
OWN = (*PARTED, "comment", "warning", "sensitive")

# In the order of the export. The Japanese words stand first, as the export in Japanese writes them.
_WORDS: Mapping[str, Sequence[str]] = {
    "date": ("日付", "予定日", "投稿日", "公開日", "日時", "投稿日時", "day", "datetime", "scheduled at"),
    "time": ("時刻", "時間", "投稿時刻", "公開時刻", "hour"),
    "text": ("本文", "テキスト", "投稿", "投稿文", "内容", "caption", "content", "message", "post", "body"),
    "media": (
        "画像",
        "メディア",
        "画像url",
        "image",
        "images",
        "photo",
        "media url",
        "image url",
        "pictures",
    ),
    "alt": ("代替テキスト", "画像の説明", "alt text", "alternative text", "image description"),
    "accounts": (
        "アカウント",
        "媒体",
        "投稿先",
        "account",
        "network",
        "networks",
        "channel",
        "channels",
        "profile",
    ),
    "card_url": ("リンクカード", "リンク", "link card", "card", "link", "url"),
    "card_title": ("カードの見出し", "リンクの見出し", "link title"),
    "card_description": ("カードの説明", "リンクの説明", "link description"),
    "card_image": ("カードの画像", "link image"),
    "comment": ("最初のコメント", "first comment"),
    "warning": ("閲覧注意の文", "content warning", "cw", "spoiler text"),
    "sensitive": ("閲覧注意の画像", "sensitive media"),
    "campaign": ("キャンペーン",),
    "labels": ("ラベル", "タグ", "label", "tag", "tags"),
    "state": ("予約または下書き", "状態", "ステータス", "status", "draft or schedule"),
    "late": ("遅れたとき", "if late"),
}
LABELS: Mapping[str, Promise] = {
    "date": gettext_lazy("Date"),
    "time": gettext_lazy("Time"),
    "text": gettext_lazy("Text"),
    "media": gettext_lazy("Images"),
    "alt": gettext_lazy("Alternative text"),
    "accounts": gettext_lazy("Accounts"),
    "card_url": gettext_lazy("Link card: address"),
    "card_title": gettext_lazy("Link card: title"),
    "card_description": gettext_lazy("Link card: description"),
    "card_image": gettext_lazy("Link card: picture"),
    "comment": gettext_lazy("First comment"),
    "warning": gettext_lazy("Content warning"),
    "sensitive": gettext_lazy("Sensitive images"),
    "campaign": gettext_lazy("Campaign"),
    "labels": gettext_lazy("Labels"),
    "state": gettext_lazy("State"),
    "late": pgettext_lazy("column of a file", "If late"),
}


class Wanted(enum.StrEnum):
    """What a row says it wants to be."""

    DRAFT = "draft"
    SCHEDULE = "schedule"


STATES: Mapping[str, Wanted] = {
    word: wanted
    for wanted, words in {
        Wanted.DRAFT: ("draft", "drafts", "下書き", "下書"),
        Wanted.SCHEDULE: ("schedule", "scheduled", "予約", "予約済み", "予約する", "予約投稿"),
    }.items()
    for word in words
}
YES_WORDS = ("yes", "はい")  # as the export writes it, by language
YES = frozenset({*YES_WORDS, "y", "true", "1", "x", "○", "✓"})
NO = frozenset({"", "no", "n", "false", "0", "-", "いいえ", "×"})
# Every connected account of the brand.
EVERYWHERE = frozenset({"all", "every", "everywhere", "すべて", "全て", "全部", "全アカウント"})


def _keys() -> tuple[str, ...]:
    found = []
    for key in _WORDS:
        found.append(key)
        if key in ("alt", "card_image"):  # the parts of a thread stand together
            names = _WORDS_OF_PART if key == "alt" else _CARD_OF_PART
            found += [f"{name}_{number}" for number in range(2, MOST_PARTS + 1) for name in names]
    return tuple(found)


def _names() -> dict[str, Sequence[str]]:
    names: dict[str, Sequence[str]] = {}
    for key in KEYS:
        name, number = parted(key)
        words = _WORDS[name]
        names[key] = words if number == 1 else [f"{word}{number}" for word in words]
    return names


def parted(key: str) -> tuple[str, int]:
    """A key's name and the part of the thread that it is of: ("text", 3) of text_3."""
    name, mark, number = key.rpartition("_")
    return (name, int(number)) if mark and name in PARTED and number.isdigit() else (key, 1)


def of_account(key: str) -> tuple[str, str]:
    """A key without its account, and the account's words: ("text_2", "mastodon:me@example.social") of
    text_2@mastodon:me@example.social; "" for a column of the post itself."""
    name, _mark, account = key.partition("@")
    return name, account


KEYS = _keys()
NAMES = _names()


def recognised(header: Row) -> list[str]:
    """The key of each column, "" for one that nobody knows or that is there already."""
    found: list[str] = []
    halves = [of_account(unicodedata.normalize("NFKC", cell)) for cell in header.cells]
    names = Row(header.number, tuple(name for name, _account in halves))
    for name, (word, account) in zip(known_columns(names, NAMES), halves, strict=True):
        key = name or detail_column(word)
        if key and account:
            network, mark, handle = (piece.strip().lower() for piece in account.partition(":"))
            is_own = bool(mark) and (parted(key)[0] in OWN or is_detail(key))
            key = f"{key}@{network}:{handle.lstrip('@')}" if is_own else ""
        found.append(key if key not in found else "")
    return found


def is_enough(columns: Sequence[str]) -> bool:
    """Whether a post can come of a file with these columns."""
    return any(parted(key)[0] in ("text", "media") for key in columns if key)


def label(key: str) -> str:
    """A column in the active language."""
    key, account = of_account(key)
    name, number = parted(key)
    if is_detail(key):
        words = detail_label(key)
    else:
        words = f"{LABELS[name]} {number}" if number > 1 else str(LABELS[name])
    return f"{words} · {account}" if account else words


def header_word(key: str, language: str) -> str:
    """What the export and the sample write above a column."""
    if not language.startswith("ja"):
        return key
    key, account = of_account(key)
    name, number = parted(key)
    if is_detail(key):
        word = detail_header(key, language)
    else:
        word = f"{_WORDS[name][0]}{number}" if number > 1 else _WORDS[name][0]
    return f"{word}@{account}" if account else word
