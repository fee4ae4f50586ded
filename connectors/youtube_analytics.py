"""Counts that only YouTube's reports have: how often a video was shared, and how long it was watched.

Documents: developers.google.com/youtube/analytics (reference/reports/query, channel_reports, data_model,
metrics) and the discovery document of 2024-07-07, read 2026-11-30.

* An API of its own, which has to be switched on in the developer app's project, with a quota of its own,
  which the documents do not tell. A report costs no unit of the other one.
* A report lags two or three days behind (the documents say only that its last days may be missing). A video
  that has no row in it is too new, or was seen too seldom: nothing is known of it.
* One report has up to 200 videos, with the most views first. Columns are found by their names.
* A report from a day before the channel was there is taken (unconfirmed).

Whatever becomes of a report, the other counts of the videos stand: all that stops reading is a word of
Google's to wait a little. Whether the connection holds, the other API says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from requests import Response

from connectors import http
from connectors.answers import count, inner, text, whole_number
from connectors.base import Json
from connectors.errors import RateLimited, Rejected, Temporary
from connectors.youtube_calls import IN_PLAIN_WORDS, KEY, PACIFIC, map_error, reason_of

SCOPE = "https://www.googleapis.com/auth/yt-analytics.readonly"
PER_REPORT = 200
SINCE = "2005-01-01"  # before there was a video
NOT_SWITCHED_ON = (
    "YouTube tells neither shares nor watch time, because the “YouTube Analytics API” is not switched on in "
    "the developer app's project."
)
NOT_ALLOWED = (
    "YouTube does not let this account read how often its videos are shared and how long they are watched. "
    "Connect it again and allow that in Google's own dialogue."
)
WHY_UNTOLD = {
    "accessNotConfigured": NOT_SWITCHED_ON,
    "insufficientPermissions": NOT_ALLOWED,
    "forbidden": NOT_ALLOWED,
}


@dataclass(frozen=True, slots=True)
class Reported:
    """What a report says of one video; None = it does not."""

    shares: int | None = None
    watch_time_s: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """``videos``: those that are in the report. ``untold``: what a person can do about it that there are
    none, "" = nothing, or nothing is missing."""

    videos: Mapping[str, Reported] = field(default_factory=dict)
    untold: str = ""


def address() -> str:
    return f"{http.base_url(f'{KEY}.analytics', 'https://youtubeanalytics.googleapis.com')}/v2/reports"


def read(
    get: Callable[[Mapping[str, str]], Response], video_ids: Sequence[str], *, now: dt.datetime
) -> Report:
    """``get`` asks for a report with a query. Raises RateLimited where Google asks to wait for less than the
    rest of the day, and what ``get`` raises when a token cannot be renewed."""
    videos: dict[str, Reported] = {}
    for start in range(0, len(video_ids), PER_REPORT):
        try:
            response = get(_query(video_ids[start : start + PER_REPORT], now))
            if not 200 <= response.status_code < 300:
                return Report(videos, _why(response))
            videos |= _videos(http.json_object(response))
        except (Temporary, Rejected):
            return Report(videos)
    return Report(videos)


def _query(video_ids: Sequence[str], now: dt.datetime) -> dict[str, str]:
    return {
        "ids": "channel==MINE",
        "startDate": SINCE,
        "endDate": now.astimezone(PACIFIC).date().isoformat(),
        "dimensions": "video",
        "metrics": "views,shares,estimatedMinutesWatched",  # what is sorted by is among them
        "filters": f"video=={','.join(video_ids)}",
        "sort": "-views",
        "maxResults": str(PER_REPORT),
    }


def _why(response: Response) -> str:
    error = map_error(response)
    if not isinstance(error, RateLimited):
        return WHY_UNTOLD.get(reason_of(response), "")
    if not error.of_app:
        raise error
    # The quota of reports is used up, not that of everything else.
    return IN_PLAIN_WORDS["quotaExceeded"]


def _videos(report: Json) -> dict[str, Reported]:
    """Raises Temporary for what is no report. One without rows has nothing to tell."""
    if report.get("errors"):
        raise Temporary("a report that says that it failed")
    headers, rows = report.get("columnHeaders"), report.get("rows", [])
    if not isinstance(headers, list) or not isinstance(rows, list):
        raise Temporary("a report without columns or rows")
    names = [text(inner(one, "name")) for one in headers]
    found = {}
    for row in rows:
        values = dict(zip(names, row, strict=False)) if isinstance(row, list) else {}
        minutes = count(values, "estimatedMinutesWatched")
        if isinstance(video := values.get("video"), str):
            watched_s = whole_number(minutes * 60) if minutes is not None else None
            found[video] = Reported(shares=count(values, "shares"), watch_time_s=watched_s)
    return found
