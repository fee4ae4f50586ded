"""One row of a file of posts as a value: the post it plans, and every sentence about what is wrong with it.

Nothing here asks the database or the network: what a row may name was looked up before (Directory).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Brand, SocialAccount
from campaigns.wording import UNREADABLE
from connectors.base import LinkCard, PlatformInfo, PostField
from content_calendar.answers import MOST_ANSWER, Answer, AnswersByAccount, kept_answers
from content_calendar.content import MOST_ALT, MOST_TEXT, MOST_WARNING, MediaUse, Part, Parts
from content_calendar.import_columns import EVERYWHERE, NO, STATES, YES, Wanted, label, of_account, parted
from content_calendar.import_details import (
    MOST_SHOWN,
    detail_fields,
    is_detail,
    names_of_choices,
    plain,
    shown_choices,
)
from content_calendar.models import MediaAsset
from core.csv_reading import Row
from core.csv_writing import without_guard
from core.entering import NotReadable, Unreadable, entered_date, entered_time
from core.wall_time import wall_time
from outbox.missed import CHOICES, MissedRule

MOST_IMAGES = 20  # of one part
MOST_ADDRESS = 2_000
LABEL_LENGTH = 40
MOST_LABELS = 20
_BETWEEN = re.compile(r"[;,、；，\n]")
_CONTROLS = re.compile(r"[\x00-\x08\x0c\x0e-\x1f\x7f]")
_WITH_TIME = re.compile(r"(.*?[0-9日)])[T\s]\s*((?:午前|午後)?\s*[0-9]{1,2}[:時].*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence about one column ("" = the whole row). An error keeps the row from being imported."""

    is_error: bool
    column: str
    text: str

    def as_json(self) -> dict[str, str]:
        level = "error" if self.is_error else "warning"
        return {"level": level, "column": self.column, "text": self.text}


@dataclass(frozen=True, slots=True)
class Directory:
    """What the rows of one file may name. Names are in lower case."""

    brand: Brand
    accounts: tuple[SocialAccount, ...]
    campaigns: Mapping[str, tuple[uuid.UUID, ...]]  # by name and by code
    labels: Mapping[str, uuid.UUID]
    quiet: tuple[tuple[dt.datetime, dt.datetime], ...]
    schedules: bool  # a row that does not say
    may_schedule: bool
    asks_approval: bool


@dataclass(frozen=True, slots=True)
class PlannedImage:
    url: str
    alt: str


@dataclass(frozen=True, slots=True)
class PlannedPart:
    text: str
    images: tuple[PlannedImage, ...] = ()
    card: LinkCard | None = None
    is_comment: bool = False
    warning: str = ""
    is_sensitive: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.text.strip() and not self.images and self.card is None


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What one account says instead. ``words`` names it above the columns."""

    account: SocialAccount
    words: str
    parts: tuple[PlannedPart, ...]


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """What a row says. ``labels`` are names, some of them perhaps of none that there is."""

    number: int
    cells: tuple[str, ...]
    at: dt.datetime | None = None
    parts: tuple[PlannedPart, ...] = ()
    accounts: tuple[SocialAccount, ...] = ()
    own: tuple[OwnWords, ...] = ()
    campaign: uuid.UUID | None = None
    labels: tuple[str, ...] = ()
    schedules: bool = False
    missed: MissedRule | None = None
    settings: AnswersByAccount = field(default_factory=dict)  # tidied, of accounts that say something besides
    notes: tuple[Note, ...] = ()

    @property
    def has_errors(self) -> bool:
        return any(note.is_error for note in self.notes)

    @property
    def urls(self) -> Iterator[str]:
        every = [self.parts, *(own.parts for own in self.own)]
        return (image.url for parts in every for part in parts for image in part.images)

    @property
    def excerpt(self) -> str:
        first = next((parts[0] for parts in (self.parts, *(own.parts for own in self.own)) if parts), None)
        line = first.text.strip().split("\n", 1)[0] if first else ""
        return line if len(line) <= 120 else line[:119].rstrip() + "…"

    def content(self, images: Mapping[str, MediaAsset]) -> Parts:
        """The post's parts, with those of its images that are there by their addresses."""
        return _content(self.parts, images) or (Part(),)

    def own_content(self, images: Mapping[str, MediaAsset]) -> dict[uuid.UUID, Parts]:
        """The same of the accounts with words of their own."""
        return {own.account.pk: _content(own.parts, images) for own in self.own}


def _content(parts: Sequence[PlannedPart], images: Mapping[str, MediaAsset]) -> Parts:
    return tuple(
        Part(
            text=part.text,
            media=tuple(
                MediaUse(images[image.url].pk, image.alt) for image in part.images if image.url in images
            ),
            link_card=part.card,
            is_comment=part.is_comment,
            warning=part.warning,
            is_sensitive=part.is_sensitive,
        )
        for part in parts
    )


@dataclass(slots=True)
class RowReader:
    """Reads the rows of one file. ``columns``: what each column means (import_columns), "" = left out."""

    columns: Sequence[str]
    directory: Directory
    _at: Mapping[str, int] = field(init=False)
    _numbers: Sequence[int] = field(init=False)  # of the parts of a thread that the file has
    _owners: Sequence[str] = field(init=False)  # the accounts that have words of their own
    _details: Mapping[str, tuple[PlatformInfo, PostField]] = field(init=False)  # those of all accounts first
    _choices: dict[tuple[str, uuid.UUID], Mapping[str, Sequence[str]]] = field(init=False)

    def __post_init__(self) -> None:
        self._at = {key: index for index, key in enumerate(self.columns) if key}
        self._numbers = sorted({1, *(parted(of_account(key)[0])[1] for key in self._at)})
        owners = (of_account(key)[1] for key in self._at if not is_detail(key))
        self._owners = list(dict.fromkeys(owner for owner in owners if owner))
        known, details = detail_fields(), sorted(filter(is_detail, self._at), key=lambda key: "@" in key)
        self._details = {key: known[of_account(key)[0]] for key in details if of_account(key)[0] in known}
        self._choices = {}

    def read(self, row: Row) -> PlannedRow:
        notes: list[Note] = []
        if row.is_broken:
            text = _("A quotation mark stands in the middle of a cell, or the cell is enormous.")
            return PlannedRow(row.number, row.cells, notes=(Note(True, "", text),))
        if any(row.cells[len(self.columns) :]):
            text = _("This row has more cells than the first one. A text with commas needs quotation marks.")
            notes.append(Note(True, "", text))
        given = {key: self._cell(row, key, notes) for key in self._at}
        wants = self._wants(given.get("state", ""), notes)
        at = self._moment(given.get("date", ""), given.get("time", ""), notes)
        accounts = self._accounts(given.get("accounts", ""), notes)
        parts = tuple(self._parts(given, notes))
        own = tuple(self._own(given, accounts, notes))
        settings = self._settings(given, accounts, notes)
        if not parts and not own and not any(note.is_error for note in notes):
            notes.append(Note(True, "text", _("Write something or add an image.")))
        if wants is Wanted.SCHEDULE and not self.directory.may_schedule:
            text = _("You may not schedule posts: it becomes a draft with this time.")
            notes.append(Note(False, "state", text))
            wants = Wanted.DRAFT
        if wants is Wanted.SCHEDULE:
            if at is None and not any(note.column in ("date", "time") for note in notes):
                notes.append(Note(True, "date", _("A post to be scheduled needs a date and a time.")))
            if not accounts and not any(note.column == "accounts" for note in notes):
                notes.append(Note(True, "accounts", _("Choose at least one account to publish on.")))
        return PlannedRow(
            number=row.number,
            cells=row.cells,
            at=at,
            parts=parts,
            accounts=accounts,
            own=own,
            campaign=self._campaign(given.get("campaign", ""), notes),
            labels=self._labels(given.get("labels", ""), notes),
            schedules=wants is Wanted.SCHEDULE,
            missed=_late(given.get("late", ""), notes),
            settings=settings,
            notes=tuple(notes),
        )

    def _cell(self, row: Row, key: str, notes: list[Note]) -> str:
        """Line ends as the composer keeps them, the guard of a spreadsheet's formulas taken off."""
        text = row.cell(self._at[key]).replace("\r\n", "\n").replace("\r", "\n").replace("\v", "\n")
        if _CONTROLS.search(text):
            said = _("There are control characters in this cell. Type its words anew.")
            notes.append(Note(True, key, said))
            return _CONTROLS.sub("", text)
        if text.startswith("=") and key.startswith("text"):
            said = _("It begins like a formula and is taken as plain text.")
            notes.append(Note(False, key, said))
        return without_guard(text)

    def _wants(self, text: str, notes: list[Note]) -> Wanted:
        word = _plain(text)
        if not word:
            return Wanted.SCHEDULE if self.directory.schedules else Wanted.DRAFT
        wanted = STATES.get(word)
        if wanted is None:
            said = _("“%(value)s” is not known here. Write draft or schedule.")
            notes.append(Note(True, "state", said % {"value": text[:40]}))
        return wanted or Wanted.DRAFT

    def _moment(self, date: str, time: str, notes: list[Note]) -> dt.datetime | None:
        """The instant in the zone of the brand; a date column may hold the time as well, also with an
        offset."""
        date, time = date.strip(), time.strip()
        if not date and not time:
            return None
        if not date:
            notes.append(Note(True, "date", _("There is a time, and no date.")))
            return None
        if exact := _with_offset(date):
            return exact
        if not time and (both := _WITH_TIME.fullmatch(date)):
            date, time = both[1], both[2]
        column = "date"
        try:
            day = entered_date(date)
            column = "time"
            clock = entered_time(time)
            return wall_time(f"{day:%Y-%m-%d}T{clock:%H:%M:%S}", self.directory.brand.timezone)
        except NotReadable as refused:
            notes.append(Note(True, column, _unreadable(refused.reason, column)))
        except ValidationError as refused:
            notes.append(Note(True, column, refused.messages[0]))
        return None

    def _accounts(self, text: str, notes: list[Note]) -> tuple[SocialAccount, ...]:
        found: dict[uuid.UUID, SocialAccount] = {}
        for word in _split(text):
            accounts = self._named(word)
            if len({account.platform for account in accounts}) > 1 and _plain(word) not in EVERYWHERE:
                said = _(
                    "“%(value)s” is the name of several accounts. Write the network before it: %(example)s"
                )
                example = f"{accounts[0].platform}:{accounts[0].handle}"
                notes.append(Note(True, "accounts", said % {"value": word[:60], "example": example}))
            elif not accounts:
                said = _("“%(value)s” is no account of %(brand)s.")
                words = {"value": word[:60], "brand": self.directory.brand}
                notes.append(Note(True, "accounts", said % words))
            found |= {account.pk: account for account in accounts}
        return tuple(found.values())

    def _named(self, word: str) -> list[SocialAccount]:
        """By ``all``, by a network, by a name, or by both as ``network:name``."""
        every, name = self.directory.accounts, _plain(word)
        if name in EVERYWHERE:
            return list(every)
        of_network = [account for account in every if name in _networks(account)]
        if of_network:
            return of_network
        network, mark, rest = name.partition(":")
        if mark:
            rest = rest.strip().lstrip("@")
            return [a for a in every if network.strip() in _networks(a) and _handle(a) == rest]
        return [account for account in every if _handle(account) == name.lstrip("@")]

    def _own(
        self, given: Mapping[str, str], accounts: Sequence[SocialAccount], notes: list[Note]
    ) -> Iterator[OwnWords]:
        for words in self._owners:
            keys = (key for key in self._at if of_account(key)[1] == words and not is_detail(key))
            written = [key for key in keys if given[key].strip()]
            if not written:
                continue
            found = self._named(words)
            if not found or found[0] not in accounts:
                said = _("There are words for “%(account)s”, where this post does not go.")
                notes.append(Note(True, written[0], said % {"account": words[:60]}))
            elif parts := tuple(self._parts(given, notes, f"@{words}")):
                yield OwnWords(found[0], words, parts)

    def _settings(
        self, given: Mapping[str, str], accounts: Sequence[SocialAccount], notes: list[Note]
    ) -> dict[uuid.UUID, dict[str, Answer]]:
        """What is said besides words and media; a column of one account counts before that of its network."""
        found: dict[uuid.UUID, dict[str, Answer]] = {}
        for key, (info, asked) in self._details.items():
            text, owner = given[key].strip(), of_account(key)[1]
            if not text:
                continue
            meant = self._named(owner) if owner else accounts
            goes_to = [one for one in meant if one in accounts and one.platform == info.key]
            if not goes_to:
                said = _("There are details for “%(account)s”, where this post does not go.")
                notes.append(Note(True, key, said % {"account": (owner or info.name)[:60]}))
            for account in goes_to:
                answer = self._answer(key, asked, account, text, notes)
                if answer is not None:
                    found.setdefault(account.pk, {})[asked.name] = answer
        infos = {account.pk: account.info for account in accounts}
        kept = {pk: kept_answers(infos[pk], answers) for pk, answers in found.items()}
        return {pk: answers for pk, answers in kept.items() if answers}

    def _answer(
        self, key: str, asked: PostField, account: SocialAccount, text: str, notes: list[Note]
    ) -> Answer | None:
        """None for what cannot be one; the reason is noted then."""
        if len(text) > MOST_ANSWER:
            said = _("No network takes texts of more than %(most)s characters.") % {"most": MOST_ANSWER}
            notes.append(Note(True, key, said))
            return None
        if asked.kind == "flag":
            if _plain(text) not in YES | NO:
                said = _("“%(value)s” is not known here. Write yes or no.") % {"value": text[:40]}
                notes.append(Note(True, key, said))
                return None
            return _plain(text) in YES
        if asked.kind != "choice":
            return text
        names = self._choices.get((key, account.pk))
        if names is None:
            names = self._choices[key, account.pk] = names_of_choices(asked, account.options)
        values = {value for means in names.values() for value in means}
        if not names:
            said = _("The choices of %(account)s were never read, so “%(value)s” is taken as it is.")
            notes.append(Note(False, key, said % {"account": account, "value": text[:60]}))
        means = [text] if text in values or not names else list(dict.fromkeys(names.get(plain(text), ())))
        if len(means) == 1:
            return means[0]
        if means:
            said = _("“%(value)s” is the name of several choices. Write the one that is meant: %(values)s")
            notes.append(
                Note(True, key, said % {"value": text[:60], "values": ", ".join(means[:MOST_SHOWN])})
            )
        else:
            said = _("“%(value)s” is none of the choices of “%(field)s” on %(account)s: %(choices)s")
            words = {"value": text[:60], "field": _(asked.label), "account": account}
            choices = {"choices": shown_choices(asked, account.options)}
            notes.append(Note(True, key, said % (words | choices)))
        return None

    def _parts(self, given: Mapping[str, str], notes: list[Note], owner: str = "") -> Iterator[PlannedPart]:
        """Those that say something, the first comment last. ``owner``: the ending of the columns of one
        account."""
        warning = " ".join(given.get(f"warning{owner}", "").split())[:MOST_WARNING]
        is_sensitive = self._is_sensitive(given.get(f"sensitive{owner}", ""), f"sensitive{owner}", notes)
        for part in self._said(given, notes, owner):
            yield replace(part, warning=warning, is_sensitive=is_sensitive)

    @staticmethod
    def _is_sensitive(text: str, column: str, notes: list[Note]) -> bool:
        word = _plain(text)
        if word not in YES and word not in NO:
            said = _("“%(value)s” is not known here. Write yes or no.") % {"value": text[:40]}
            notes.append(Note(True, column, said))
        return word in YES

    def _said(self, given: Mapping[str, str], notes: list[Note], owner: str) -> Iterator[PlannedPart]:
        for number in self._numbers:
            part = self._part(given, notes, f"{'' if number == 1 else f'_{number}'}{owner}")
            if not part.is_empty:
                yield part
        column = f"comment{owner}"
        comment = given.get(column, "")
        if len(comment) > MOST_TEXT:
            said = _("No network takes texts of more than %(most)s characters.") % {"most": MOST_TEXT}
            notes.append(Note(True, column, said))
        if comment.strip():
            yield PlannedPart(comment, is_comment=True)

    def _part(self, given: Mapping[str, str], notes: list[Note], ending: str) -> PlannedPart:
        text = given.get(f"text{ending}", "")
        if len(text) > MOST_TEXT:
            said = _("No network takes texts of more than %(most)s characters.") % {"most": MOST_TEXT}
            notes.append(Note(True, f"text{ending}", said))
        urls = given.get(f"media{ending}", "").split()
        if len(urls) > MOST_IMAGES:
            said = _("More than %(most)s images are too many for one post.") % {"most": MOST_IMAGES}
            notes.append(Note(True, f"media{ending}", said))
            urls = []
        alts = given.get(f"alt{ending}", "").split("\n")
        images = []
        for index, url in enumerate(dict.fromkeys(urls)):
            if not _is_address(url):
                said = _("“%(value)s” is not the address of an image. It begins with https://.")
                notes.append(Note(True, f"media{ending}", said % {"value": url[:60]}))
                continue
            images.append(PlannedImage(url, alts[index].strip()[:MOST_ALT] if index < len(alts) else ""))
        return PlannedPart(text, tuple(images), self._card(given, notes, ending))

    def _card(self, given: Mapping[str, str], notes: list[Note], ending: str) -> LinkCard | None:
        url = given.get(f"card_url{ending}", "").strip()
        if not url:
            return None
        if not re.match(r"(?i)https?://", url):
            url = f"https://{url}"
        if not _is_address(url):
            said = _("“%(value)s” is not the address of a page.") % {"value": url[:60]}
            notes.append(Note(True, f"card_url{ending}", said))
            return None
        title, description = given.get(f"card_title{ending}", ""), given.get(f"card_description{ending}", "")
        picture = given.get(f"card_image{ending}", "").strip()
        return LinkCard(
            url=url,
            title=title.strip()[:300],
            description=description.strip()[:1000],
            image_url=picture if _is_address(picture) else "",
        )

    def _campaign(self, text: str, notes: list[Note]) -> uuid.UUID | None:
        if not text.strip():
            return None
        found = self.directory.campaigns.get(_plain(text), ())
        if len(found) == 1:
            return found[0]
        if found:
            said = _("Several campaigns are called “%(value)s”. Write the code of the one that is meant.")
        else:
            said = _("“%(value)s” is no campaign of %(brand)s, or it is archived.")
        words = {"value": text.strip()[:60], "brand": self.directory.brand}
        notes.append(Note(True, "campaign", said % words))
        return None

    def _labels(self, text: str, notes: list[Note]) -> tuple[str, ...]:
        names = list({name.lower(): name for name in _split(text)}.values())
        if len(names) > MOST_LABELS:
            said = _("More than %(most)s labels are too many for one post.") % {"most": MOST_LABELS}
            notes.append(Note(True, "labels", said))
            return ()
        for name in names:
            if len(name) > LABEL_LENGTH:
                said = _("A label has at most %(most)s characters.") % {"most": LABEL_LENGTH}
                notes.append(Note(True, "labels", said))
            elif name.lower() not in self.directory.labels:
                said = _("The label “%(name)s” is new: it is made with the import.") % {"name": name}
                notes.append(Note(False, "labels", said))
        return tuple(names)


def _late(text: str, notes: list[Note]) -> MissedRule | None:
    key = _plain(text)
    if key and key not in CHOICES:
        said = _("“%(value)s” is no rule for late posts. Write one like %(example)s, or nothing.")
        words = {"value": text[:40], "example": next(iter(CHOICES))}
        notes.append(Note(True, "late", said % words))
    return CHOICES.get(key)


def _unreadable(reason: Unreadable, column: str) -> str:
    if column == "time":
        if reason is Unreadable.MISSING:
            return _("There is a date, and no time.")
        return _("This is not a time of the day. Write it as 15:30.")
    return str(UNREADABLE.get(reason, UNREADABLE[Unreadable.NOT_A_DATE]))


def _with_offset(text: str) -> dt.datetime | None:
    try:
        exact = dt.datetime.fromisoformat(unicodedata.normalize("NFKC", text))
        return exact.astimezone(dt.UTC) if exact.tzinfo is not None and exact.year > 2000 else None
    except (ValueError, OverflowError):
        return None


def _is_address(url: str) -> bool:
    return len(url) <= MOST_ADDRESS and re.fullmatch(r"(?i)https?://[^\s/?#]+\.?[^\s]*", url) is not None


def _split(text: str) -> list[str]:
    words = (unicodedata.normalize("NFKC", word).strip() for word in _BETWEEN.split(text))
    return list(dict.fromkeys(word for word in words if word))


def _plain(word: str) -> str:
    return unicodedata.normalize("NFKC", word).strip().lower()


def _networks(account: SocialAccount) -> tuple[str, str]:
    return account.platform, account.info.name.lower()


def _handle(account: SocialAccount) -> str:
    return _plain(account.handle).lstrip("@")


def column_words(note: Mapping[str, str]) -> str:
    """The column that a kept note is about, in the active language."""
    return label(note["column"]) if note["column"] else ""
