"""What the demo consists of, as data: people, brands and accounts, and the shapes of everything else.

Words stand in files of their own, one for each subject and language: posts_* (about now) and past_* (the
months before), messages_*, inbox_*, campaigns_* and goals_*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from accounts.models import Role
from accounts.services.organizations import BrandFacts
from analytics.models import Evidence
from campaigns.models import CostKind, Objective
from metrics.goals import GoalKind

ORGANIZATION = "Komorebi Studio"


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    name: str
    role: Role
    language: str = ""
    brands: tuple[str, ...] = ()  # keys of BRANDS; empty = all of them


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One account on the sandbox network. ``mode``: its retry safety; ``daily``: new followers a day from now
    on; ``path``: (days from today, followers) through which its past went, else a line of ``daily``;
    ``topics``: what its posts can be filed under."""

    handle: str
    name: str
    bio: str
    mode: str
    followers: int
    following: int
    daily: float
    color: str
    path: tuple[tuple[int, int], ...] = ()
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoBrand:
    key: str
    facts: BrandFacts
    accounts: tuple[DemoAccount, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """One post of a thread. ``picture``: a name of pictures.PAINTERS, "" for none."""

    text: str
    picture: str = ""
    alt: str = ""


@dataclass(frozen=True, slots=True)
class DemoPost:
    """One post. ``day``: days from today, negative = sent already, None = a draft without a time; ``time``:
    wall time in the brand's zone. ``soon_s``: at the first full minute so many seconds from now instead.

    ``on``: numbers of the brand's accounts; ``own``: other words for one of them; ``quality`` scales success;
    ``campaign``: key of a campaign, in whose name its links are tracked. ``comments``: each is a name and, in
    turn, what they wrote and what the brand answered. ``first_comment``: our own, right after the post.
    """

    pieces: tuple[Piece, ...]
    day: int | None = None
    time: str = "09:00"
    soon_s: int = 0
    on: tuple[int, ...] = (0,)
    own: dict[int, str] = field(default_factory=dict)
    is_draft: bool = False
    is_failed: bool = False
    quality: float = 1.0
    comments: tuple[tuple[str, ...], ...] = ()
    campaign: str = ""
    first_comment: str = ""


@dataclass(frozen=True, slots=True)
class DemoReview:
    """A post planned for ``day`` (from today) at ``time`` that waits for a colleague; ``is_for_client``: who
    has said yes, so that the client is asked. ``answer``: what the client wants changed, ``then``: what the
    post says since."""

    piece: Piece
    day: int
    time: str
    is_for_client: bool = False
    answer: str = ""
    then: str = ""


@dataclass(frozen=True, slots=True)
class Dialog:
    """A private message or a mention on ``day`` (from today) at ``time``, and what followed: in turn theirs
    and the brand's. ``on``: number of the brand's account; ``campaign``: in whose name links of the answers
    are tracked; ``{handle}`` in a mention is the account's."""

    by: str
    day: int
    time: str
    lines: tuple[str, ...]
    on: int = 0
    campaign: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A private message that waits when somebody looks for the first time. ``lines`` as of a Dialog, theirs
    last. ``due_in``: business minutes until an answer is due, negative = overdue. ``note``: (who, words)."""

    by: str
    lines: tuple[str, ...]
    due_in: int
    on: int = 0
    assignee: str = ""
    snoozed_days: int = 0
    note: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    title: str
    text: str


# --- campaigns ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlannedCost:
    """A line of a budget. Amounts are text, so that no decimal passes through a binary float."""

    kind: CostKind
    label: str
    amount: str = ""
    hours: str = ""
    rate: str = ""


@dataclass(frozen=True, slots=True)
class SpentCost:
    """Spent on day ``day`` of the flight (0 is the first) from the line with this label."""

    label: str
    day: int
    amount: str = ""
    hours: str = ""
    note: str = ""
    platform: str = ""  # key of a network


@dataclass(frozen=True, slots=True)
class MediaCost:
    """What media cost on an average day of the flight so far, from the line with this label; taken from
    files that the network offers, named by the ``{month}`` in which they end."""

    label: str
    daily: str
    file_name: str
    encoding: str


@dataclass(frozen=True, slots=True)
class DemoLink:
    """A tracked link that was made by hand. ``on``: number of the brand's account that carries it, None:
    it stands elsewhere, at the network ``platform`` or ("") at none; ``weight``: share of the clicks."""

    content: str
    url: str
    weight: float
    on: int | None = None
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """What came of a campaign so far. ``clicks``: of people. ``from_leads``: how many of the sales were to
    people who had been leads. ``prices``: (amount, how many of the sales); ``refunds``: (of a sale at which
    price, what share of it); ``numbers``: what their numbers begin with."""

    clicks: int
    leads: int
    from_leads: int
    prices: tuple[tuple[str, int], ...]
    refunds: tuple[tuple[str, str], ...]
    numbers: str

    @property
    def sales(self) -> int:
        return sum(count for _price, count in self.prices)


@dataclass(frozen=True, slots=True)
class DemoCampaign:
    """A campaign that begins ``first`` days from today and goes on for ``days``."""

    key: str
    name: str
    code: str
    objective: Objective
    first: int
    days: int
    margin: str
    notes: str
    targets: Mapping[str, str]
    budget: tuple[PlannedCost, ...]
    spent: tuple[SpentCost, ...] = ()
    media: MediaCost | None = None
    links: tuple[DemoLink, ...] = ()
    results: Results | None = None


# --- goals --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DemoGoal:
    """A goal that begins ``first`` days from today and goes on for ``days``. ``amount`` as of a NewGoal, as
    text; ``on``: number of the brand's account; ``campaign``: its key; ``owner``: an e-mail address."""

    key: str
    name: str
    kind: GoalKind
    metric: str
    first: int
    days: int
    amount: str
    on: int | None = None
    campaign: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class DemoDriver:
    """The goal ``cause`` moves the goal ``effect``; ``rate`` "" = nobody dares to say how much."""

    cause: str
    effect: str
    rate: str
    evidence: Evidence
    note: str


# --- who and where ------------------------------------------------------------------------------

PEOPLE = (
    Person("demo@example.com", "Hana Mori", Role.OWNER),
    Person("kenji@example.com", "田中 健二", Role.MANAGER, language="ja"),
    Person("sofia@example.com", "Sofia Brandt", Role.CREATOR, language="en", brands=("nordlicht",)),
    Person("yui@example.com", "佐藤 結衣", Role.RESPONDER, language="ja", brands=("aozora",)),
    Person("marco@example.com", "Marco Ricci", Role.MARKETER, language="en"),
    Person("anna@example.com", "Anna Keller", Role.VIEWER, language="en", brands=("nordlicht",)),
)

BRANDS = (
    DemoBrand(
        key="aozora",
        facts=BrandFacts(
            name="あおぞら珈琲",
            timezone="Asia/Tokyo",
            locale="ja",
            currency="JPY",
            week_starts_on=1,
            color="#b45309",
        ),
        accounts=(
            DemoAccount(
                handle="aozora_coffee",
                name="あおぞら珈琲",
                bio="東京・谷中の小さな自家焙煎珈琲店。毎朝、窓を開けて焙煎しています。",
                mode="idempotency_key",
                followers=4500,
                following=312,
                daily=29.0,
                color="#b45309",
                # 4,200 when the goal of 1,000 more began, ten days ago: see goals.py.
                path=((-185, 3290), (-45, 3880), (-11, 4188), (-10, 4200), (0, 4500)),
                topics=("お店から", "豆の話", "新商品"),
            ),
            DemoAccount(
                handle="aozora_online",
                name="あおぞら珈琲 通販",
                bio="焙煎したての豆を全国へ。定期便とギフトのお知らせ。",
                mode="two_phase",
                followers=1940,
                following=96,
                daily=6.5,
                color="#d97706",
            ),
        ),
    ),
    DemoBrand(
        key="nordlicht",
        facts=BrandFacts(
            name="Nordlicht Outdoor",
            timezone="Europe/Berlin",
            locale="en",
            currency="EUR",
            week_starts_on=1,
            color="#0f766e",
        ),
        accounts=(
            DemoAccount(
                handle="nordlicht_outdoor",
                name="Nordlicht Outdoor",
                bio="Gear that can be repaired, from a small workshop in Berlin.",
                mode="neither",
                followers=7310,
                following=428,
                daily=14.0,
                color="#0f766e",
            ),
            DemoAccount(
                handle="nordlicht_workshop",
                name="Nordlicht Workshop",
                bio="Zips, seams, soles. We mend what you love.",
                mode="idempotency_key",
                followers=1265,
                following=150,
                daily=4.0,
                color="#155e75",
                topics=("Repairs", "Gear", "Events"),
            ),
        ),
    ),
)
