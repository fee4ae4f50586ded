"""Zones, currencies, countries, languages to choose from, in the reader's words (Unicode CLDR by Babel)."""

from __future__ import annotations

import datetime as dt
import functools
import importlib.resources
import zoneinfo

import holidays
from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import get_timezone_location
from django.utils import translation

Choice = tuple[str, str]

# Languages that posts are written in: the larger ones of the networks that we know, by their BCP 47 tag.
# fmt: off
POST_LANGUAGES = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "gl", "he",
    "hi", "hr", "hu", "id", "is", "it", "ja", "ko", "lt", "lv", "ms", "nb", "nl", "pl", "pt", "pt-BR",
    "ro", "ru", "sk", "sl", "sr", "sv", "sw", "ta", "th", "tl", "tr", "uk", "ur", "vi", "zh-Hans", "zh-Hant",
)
# fmt: on


def _locale() -> Locale:
    try:
        return Locale.parse(translation.get_language() or "en", sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


@functools.cache
def zone_names() -> tuple[str, ...]:
    """The zones of the IANA database that stand for a place (zone.tab), and UTC; no aliases."""
    table = importlib.resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text("utf-8")
    rows = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    return tuple(sorted({"UTC", *(row[2] for row in rows)}))


def zones(now: dt.datetime) -> list[Choice]:
    """Zones to choose from, with city and offset at ``now``: ("Asia/Tokyo", "Tokyo, UTC+09:00")."""
    return list(_zones(str(_locale()), now.astimezone(dt.UTC).date()))


@functools.lru_cache(maxsize=8)
def _zones(locale: str, day: dt.date) -> tuple[Choice, ...]:
    at = dt.datetime.combine(day, dt.time(12), dt.UTC)
    return tuple((name, _zone_label(name, locale, at)) for name in zone_names())


def _zone_label(name: str, locale: str, at: dt.datetime) -> str:
    offset = f"{at.astimezone(zoneinfo.ZoneInfo(name)):%z}"
    city = get_timezone_location(name, locale=Locale.parse(locale), return_city=True)
    place = "" if name == "UTC" else f"{city}, "
    return f"{place}UTC{offset[:3]}:{offset[3:5]}"


def currencies() -> list[Choice]:
    """Currencies that are legal tender somewhere today, by code: ("JPY", "JPY · Japanese Yen")."""
    return list(_currencies(str(_locale())))


@functools.lru_cache(maxsize=8)
def _currencies(locale: str) -> tuple[Choice, ...]:
    names = Locale.parse(locale).currencies
    current = {
        code
        for rows in get_global("territory_currencies").values()
        for code, _start, end, is_tender in rows
        if end is None and is_tender
    }
    return tuple((code, f"{code} · {names.get(code, code)}") for code in sorted(current))


def country_of_zone(zone: str) -> str:
    """The country (ISO 3166) in which an IANA zone lies; "" for none, or one whose holidays are not known."""
    country = get_global("zone_territories").get(zone, "")
    return country if country in _with_holidays() else ""


@functools.cache
def _with_holidays() -> frozenset[str]:
    return frozenset(code for code in holidays.list_supported_countries(include_aliases=False))


def countries() -> list[Choice]:
    """Countries whose public holidays are known, by name: ("JP", "Japan")."""
    return list(_countries(str(_locale())))


@functools.lru_cache(maxsize=8)
def _countries(locale: str) -> tuple[Choice, ...]:
    names = Locale.parse(locale).territories
    named = ((code, names.get(code, code)) for code in _with_holidays())
    return tuple(sorted(named, key=lambda choice: choice[1].casefold()))


def post_languages() -> list[Choice]:
    """POST_LANGUAGES by their own and the reader's name: ("ja", "日本語 · Japanese")."""
    return list(_post_languages(str(_locale())))


@functools.lru_cache(maxsize=8)
def _post_languages(locale: str) -> tuple[Choice, ...]:
    reader = Locale.parse(locale)
    choices = []
    for tag in POST_LANGUAGES:
        own = Locale.parse(tag, sep="-")
        own_name = own.get_display_name(own) or tag
        own_name = own_name[:1].upper() + own_name[1:]
        name = own.get_display_name(reader) or tag
        choices.append((tag, own_name if own_name == name else f"{own_name} · {name}"))
    return tuple(sorted(choices, key=lambda choice: choice[1].casefold()))
