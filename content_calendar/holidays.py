"""Public holidays of a country, by name, from the library of that name; national ones, no regions."""

from __future__ import annotations

import datetime as dt
import functools

import holidays


def holidays_between(country: str, first: dt.date, last: dt.date, language: str) -> list[tuple[dt.date, str]]:
    """Those of ``country`` (ISO 3166, "" for none) on the days [first, last], named in the reader's language
    where the library has it, else in English, which more readers know, else in the country's."""
    if not country:
        return []
    found = []
    for year in range(first.year, last.year + 1):
        found += [
            one
            for one in _of_year(country, year, language.split("-", maxsplit=1)[0])
            if first <= one[0] <= last
        ]
    return found


def holiday_on(country: str, day: dt.date, language: str) -> str:
    """The name of the holiday on a day, "" if it is none."""
    return next((name for _day, name in holidays_between(country, day, day, language)), "")


@functools.lru_cache(maxsize=1024)
def _of_year(country: str, year: int, language: str) -> tuple[tuple[dt.date, str], ...]:
    try:
        about = holidays.country_holidays(country)
        known = {one.split("_")[0]: one for one in reversed(about.supported_languages)}
        named = known.get(language) or known.get("en")
        # Said in any case: without it the machine's own language would decide.
        days = holidays.country_holidays(country, years=year, language=named or about.default_language)
    except NotImplementedError:  # a country that the library has dropped
        return ()
    return tuple(sorted(days.items()))
