"""The demo's accounts: on the sandbox network with their followers of the past, and connected here."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Sequence

from django.conf import settings

from accounts.models import SocialAccount, User
from accounts.services.social import save_connection
from connectors import http
from connectors.base import Connected, Tokens
from connectors.sandbox import SandboxConnector, account_options
from core.time import day_range, to_utc
from sandbox.control import SandboxControl, SandboxTokens
from smmapp.demo.plan import BRANDS, DemoAccount, DemoPost
from smmapp.demo.world import HISTORY_DAYS, Account, World


def free_suffix(control: SandboxControl) -> str:
    """ "" or _2, _3 ...: what makes all handles of the demo free. They are taken where the network has kept
    them and our database has not."""
    taken = {account["handle"] for account in control.call("GET", "/control/accounts")["accounts"]}
    wanted = [account.handle for brand in BRANDS for account in brand.accounts]
    number = 1
    while any(handle + (f"_{number}" if number > 1 else "") in taken for handle in wanted):
        number += 1
    return f"_{number}" if number > 1 else ""


def add_accounts(world: World, *, posts: Sequence[DemoPost], owner: User, suffix: str) -> None:
    for one in world.plan.accounts:
        handle = one.handle + suffix
        history = follower_history(one, posts, world)
        tokens = world.control.account(
            handle,
            name=one.name,
            bio=one.bio,
            color=one.color,
            mode=one.mode,
            following=one.following,
            daily_growth=one.daily,
            topics=",".join(one.topics),
            created_at=(history[0][0] - dt.timedelta(days=200)).isoformat(),
            followers=[[at.isoformat(), count] for at, count in history],
        )
        world.accounts.append(Account(one, handle, history, _connect(tokens, world, owner)))


def follower_history(
    account: DemoAccount, posts: Sequence[DemoPost], world: World
) -> list[tuple[dt.datetime, int]]:
    """Followers at the end of each of the last days and now: a walk through the points of the account's
    path, faster after good posts."""
    chance = random.Random(account.handle)
    good = {post.day: post.quality for post in posts if post.day is not None and post.day < 0}
    begin = account.followers - round(account.daily * HISTORY_DAYS)
    path = account.path or ((-HISTORY_DAYS, begin), (0, account.followers))
    counts = {path[0][0]: path[0][1]}
    for (first, start), (last, end) in itertools.pairwise(path):
        steps = []
        for day in range(first + 1, last + 1):
            lift = 1.0 + 1.6 * max(0.0, good.get(day, 1.0) - 1.0)
            lift += 0.8 * max(0.0, good.get(day - 1, 1.0) - 1.0)
            steps.append(chance.triangular(-0.1, 2.1, 0.9) * lift)
        so_far = list(itertools.accumulate(steps))
        for day, gone in zip(range(first + 1, last + 1), so_far, strict=True):
            counts[day] = start + round((end - start) * gone / so_far[-1])
    evenings = [
        (to_utc(dt.datetime.combine(world.date(day), dt.time(23, 45)), world.zone), counts[day])
        for day in range(-HISTORY_DAYS, 0)
    ]
    today = day_range(world.today, world.zone)
    gone_today = (world.now - today.start) / (today.end - today.start)
    latest = counts[-1] + round((counts[0] - counts[-1]) * gone_today)
    return [*(point for point in evenings if point[0] < world.now), (world.now, latest)]


def _connect(tokens: SandboxTokens, world: World, owner: User) -> SocialAccount:
    """As at the end of OAuth, with tokens that the network gave for the asking, when the demo began."""
    clear = Tokens(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_at=world.now + dt.timedelta(seconds=tokens.expires_in),
    )
    connector = SandboxConnector(tokens=clear, options={"host": settings.SANDBOX_URL})
    own = http.json_object(
        http.request(
            "GET",
            f"{settings.SANDBOX_URL}/api/v1/accounts/me",
            platform="sandbox",
            headers={"Authorization": f"Bearer {tokens.access_token}"},
        )
    )
    connected = Connected(
        profile=connector.fetch_profile(),
        tokens=clear,
        scopes=SandboxConnector.INFO.scopes,
        options={"host": settings.SANDBOX_URL, **account_options(own)},
    )
    row = save_connection(
        brand=world.row, platform="sandbox", connected=connected, actor=owner, now=world.began_at
    )
    # Rows note themselves when they are made; this one is as old as what hangs on it.
    SocialAccount.objects.filter(pk=row.pk).update(created_at=world.began_at, checked_at=world.now)
    row.refresh_from_db()
    row.brand = world.row  # the same object for all: what is changed on it later holds for every account
    return row
