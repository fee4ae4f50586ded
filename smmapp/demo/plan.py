"""What the demo consists of, as data: people, brands, accounts; the posts stand in posts_ja and posts_en."""

from __future__ import annotations

from dataclasses import dataclass, field

from accounts.models import Role
from accounts.services.organizations import BrandFacts

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
    """One account on the sandbox network. ``mode``: its retry safety; ``daily``: new followers a day."""

    handle: str
    name: str
    bio: str
    mode: str
    followers: int
    following: int
    daily: float
    color: str


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

    ``on``: numbers of the brand's accounts; ``own``: other words for one of them; ``quality`` scales success.
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
    comments: tuple[tuple[str, str], ...] = ()  # (name, text)


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
                followers=4820,
                following=312,
                daily=11.0,
                color="#b45309",
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
            ),
        ),
    ),
)
