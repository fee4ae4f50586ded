"""How audiences react: follower and impression counts as pure functions of time.

Nothing ticks: every count is computed from the moment it is asked for, so the clock can be shifted
and the past can be read. All randomness comes from the account's seed and the post's text: the same
demonstration data show the same numbers on every machine.

- *Rhythm*: an audience is awake in its evening. Activity at time t is 1 - 0.75 cos(2 pi (t - trough) / day);
  elapsed time is measured in this activity, so counts stand nearly still at night.
- *Impressions* of a post approach reach x followers at post time x luck along 1 - exp(-(a / tau)^0.75),
  a = active time since publication, tau 4 to 12 hours; posting in the evening and images reach more.
- *Likes, shares, reach and clicks* are a fixed share of the impressions, different for every post. Comments
  are always real.
- *Followers* drift by a daily growth, wander a little, and every post brings a few.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_AMPLITUDE = 0.75
_SETTLED_MS = 5 * DAY_MS  # by then a post has brought all its followers


@dataclass(frozen=True, slots=True)
class Audience:
    """``anchor_ms``, ``anchor_followers``: the last known count; growth counts from there.
    ``history``: (instant, followers), oldest first, the last one is the anchor."""

    seed: int
    anchor_ms: int
    anchor_followers: int
    daily_growth: float
    history: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class Reaction:
    impressions: int
    likes: int
    shares: int
    reach: int  # people
    clicks: int


def luck(seed: int, *name: object) -> float:
    """A number in [0, 1) that belongs to ``seed`` and ``name`` for ever."""
    digest = hashlib.blake2b(repr((seed, *name)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def bell(seed: int, *name: object) -> float:
    """Roughly normal, mean 0, standard deviation 1, within about 3.5."""
    return (sum(luck(seed, index, *name) for index in range(4)) - 2) * math.sqrt(3)


def _angle(seed: int, at_ms: int) -> float:
    """0 in the audience's small hours, pi at its evening peak (10:00 to 13:00 UTC, evening in Japan)."""
    trough_h = (10 + 3 * luck(seed, "peak") + 12) % 24
    return 2 * math.pi * (at_ms / HOUR_MS - trough_h) / 24


def activity(seed: int, at_ms: int) -> float:
    """How awake the audience is: 0.25 at night, 1.75 in the evening, 1 on average."""
    return 1 - _AMPLITUDE * math.cos(_angle(seed, at_ms))


def active_ms(seed: int, start_ms: int, end_ms: int) -> float:
    """Integral of ``activity``: never decreasing in ``end_ms``."""
    if end_ms <= start_ms:
        return 0.0
    wave = math.sin(_angle(seed, end_ms)) - math.sin(_angle(seed, start_ms))
    return (end_ms - start_ms) - _AMPLITUDE * DAY_MS / (2 * math.pi) * wave


def _wander(seed: int, at_ms: int) -> float:
    """Smooth noise of a few days' width, about -1 to 1."""
    total = 0.0
    for period_days, weight in ((2.3, 0.35), (7.9, 0.65)):
        position = at_ms / (period_days * DAY_MS)
        left = math.floor(position)
        part = position - left
        part = part * part * (3 - 2 * part)
        total += weight * (bell(seed, "w", period_days, left) * (1 - part))
        total += weight * (bell(seed, "w", period_days, left + 1) * part)
    return total


def base_followers(audience: Audience, at_ms: int) -> float:
    """Followers without what posts bring after the anchor."""
    history = audience.history
    if at_ms <= audience.anchor_ms:
        if not history:
            return audience.anchor_followers
        if at_ms <= history[0][0]:
            return history[0][1]
        for (left_ms, left), (right_ms, right) in itertools.pairwise(history):
            if at_ms <= right_ms:
                return left + (right - left) * (at_ms - left_ms) / (right_ms - left_ms)
        return audience.anchor_followers
    days = active_ms(audience.seed, audience.anchor_ms, at_ms) / DAY_MS
    noise = _wander(audience.seed, at_ms) - _wander(audience.seed, audience.anchor_ms)
    return max(
        0.0,
        audience.anchor_followers + audience.daily_growth * days + 0.004 * audience.anchor_followers * noise,
    )


def settled_before(at_ms: int) -> int:
    """Posts older than this have brought all the followers they will."""
    return at_ms - _SETTLED_MS


def followers(audience: Audience, at_ms: int, *, settled: int, recent: Sequence[int]) -> int:
    """Followers at an instant. ``settled``: posts after the anchor and before ``settled_before``;
    ``recent``: publication times of the later ones."""
    per_post = 0.3 + 0.0006 * audience.anchor_followers
    brought = settled + sum(
        1 - math.exp(-active_ms(audience.seed, post_ms, at_ms) / DAY_MS) for post_ms in recent
    )
    return int(base_followers(audience, at_ms) + per_post * brought)


def reaction(
    audience: Audience, *, post_key: bytes, created_ms: int, at_ms: int, has_media: bool, quality: float
) -> Reaction:
    """What the silent audience has done with a post by ``at_ms``; ``post_key`` (the hash of its text)
    decides its luck, ``quality`` scales its success."""
    seed = audience.seed
    if at_ms <= created_ms:
        return Reaction(0, 0, 0, 0, 0)
    total = base_followers(audience, created_ms) * (0.16 + 0.2 * luck(seed, post_key, "reach"))
    total *= math.exp(0.5 * bell(seed, post_key, "luck")) * quality
    total *= 1.35 if has_media else 1.0
    total *= 0.7 + 0.3 * activity(seed, created_ms)
    if luck(seed, post_key, "viral") > 0.985:
        total *= 5
    tau_ms = (4 + 8 * luck(seed, post_key, "tau")) * HOUR_MS
    seen = total * (1 - math.exp(-((active_ms(seed, created_ms, at_ms) / tau_ms) ** 0.75)))
    like_rate = (0.015 + 0.035 * luck(seed, post_key, "likes")) * math.sqrt(quality)
    share_rate = (0.001 + 0.006 * luck(seed, post_key, "shares")) * math.sqrt(quality)
    times_seen = 1.1 + 0.5 * luck(seed, post_key, "frequency")
    click_rate = (0.004 + 0.016 * luck(seed, post_key, "clicks")) * math.sqrt(quality)
    return Reaction(
        impressions=int(seen),
        likes=int(seen * like_rate),
        shares=int(seen * share_rate),
        reach=int(seen / times_seen),
        clicks=int(seen * click_rate),
    )
