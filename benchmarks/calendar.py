"""The calendar with a million deliveries behind it: what its feed and pages take on the server.

``views``: month, week, day and list, each asked for one brand and for all brands of a member; each has
``p95_ms``, ``queries``, ``kib`` and ``growth``: its p95 to that with 10,000 deliveries at the same density.
``pages`` has the same of the pages around it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import inspect
from pathlib import Path
from typing import Any

from benchmarks.kept import go_home, kept_servers, use_world
from benchmarks.pages import Browser, figures_of, quiet_logs
from benchmarks.stage import ROOT

BRANDS = 50
ACCOUNTS = 5  # of each brand
POSTS_A_DAY = 4  # of each brand; every fourth goes to two accounts
AHEAD = 30  # days that are planned
DRAFTS = 60  # of each brand, on the days around now
LABELS = 6  # of each brand
ASKED_BRANDS = 3
FEW = 10_000
TURNS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deliveries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=30, help="visits of each page")
    parser.add_argument(
        "--world",
        type=Path,
        default=ROOT / "var" / "benchmarks",
        help="where servers keep the worlds between runs (not used with DATABASE_URL)",
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    with kept_servers(options.world), quiet_logs():
        try:
            found = _visited((FEW, options.deliveries), options.rounds)
        finally:
            go_home()
    few, many = (
        {part: {name: figures_of(seen) for name, seen in pages.items()} for part, pages in one.items()}
        for one in found
    )
    for part, pages in many.items():
        for name, figures in pages.items():
            figures["growth"] = round(figures["p95_ms"] / max(few[part][name]["p95_ms"], 0.1), 2)
    views = many["views"].values()
    return {
        "p95_ms": max(figures["p95_ms"] for figures in views),
        "queries": max(figures["queries"] for figures in views),
        "kib": max(figures["kib"] for figures in views),
        "growth": max(figures["growth"] for figures in views),
        **many,
        "deliveries": options.deliveries,
        "brands": BRANDS,
        "rounds": options.rounds,
    }


# --- the world ----------------------------------------------------------------------------------


def _fill(deliveries: int) -> None:
    """Everything by statements that copy one row: whatever columns the tables have, they are filled."""
    from django.db import connection
    from django.utils import timezone

    from accounts.models import Brand, Membership, Organization, Role, SocialAccount, User
    from campaigns.models import Campaign
    from content_calendar.models import Approval, CalendarNote, Label, Post, Variant
    from outbox.models import Delivery, DeliveryState

    now = timezone.now()
    organization = Organization.objects.create(name="Benchmark")
    owner = User.objects.create_user("benchmark@example.com", "benchmark")
    Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    brands = Brand.objects.bulk_create(
        Brand(organization=organization, name=f"Brand {n:02}", timezone="Asia/Tokyo", country="JP")
        for n in range(BRANDS)
    )
    accounts = SocialAccount.objects.bulk_create(
        SocialAccount(
            brand=b, platform="sandbox", remote_id=f"{b.name}.{n}", handle=f"account_{n}", connected_at=now
        )
        for b in brands
        for n in range(ACCOUNTS)
    )
    Label.objects.bulk_create(Label(brand=b, name=f"Label {n}") for b in brands for n in range(LABELS))
    Campaign.objects.bulk_create(
        Campaign(
            brand=b,
            name=f"Campaign of {b.name}",
            code="campaign",
            starts_on=now.date() - dt.timedelta(days=90),
            ends_on=now.date() + dt.timedelta(days=90),
            created_at=now,
        )
        for b in brands
    )
    CalendarNote.objects.bulk_create(
        CalendarNote(brand=b, first_date=now.date(), last_date=now.date(), text="A note") for b in brands
    )
    parts: list[dict[str, Any]] = [{"text": "", "media": [], "link_card": None}]
    post = Post.objects.create(brand=brands[0], author=owner, approval=Approval.APPROVED, parts=parts)
    delivery = Delivery.objects.create(
        brand=brands[0],
        account=accounts[0],
        payload={"parts": parts, "language": "ja"},
        due_at=now,
        next_attempt_at=now,
        state=DeliveryState.SENT,
        scheduled_by=owner,
    )
    variant = Variant.objects.create(post=post, account=accounts[0], delivery=delivery)
    _copy(deliveries * 4 // 5, now)
    variant.delete()
    delivery.delete()
    post.delete()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_post, bench_account")


TEXT = "新しい豆が届きました。窓を開けて、朝の一杯をどうぞ。Fresh coffee every morning, number "
# A key that grows with time, as UUIDv7 do.
KEY = (
    "(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5({salt}), 1, 3)"
    " || '8' || substr(md5({salt}), 4, 15))::uuid"
)


def _copy(posts: int, now: dt.datetime) -> None:
    """``posts`` posts of all brands, backwards from ``AHEAD`` days after now, evenly; then the drafts."""
    from django.db import connection

    last = now + dt.timedelta(days=AHEAD)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute(
            f"""
            CREATE TABLE bench_post AS
            SELECT n, at, b.id AS brand_id, {KEY.format(salt="'p' || n")} AS id,
                   n % {ACCOUNTS} AS account, n / {BRANDS} % 4 = 0 AS is_double,
                   n >= {posts} AS is_draft
            FROM (
                SELECT n, CASE WHEN n < {posts}
                    THEN '{last}'::timestamptz
                        - (n / {BRANDS}) * interval '{24 * 3600 // POSTS_A_DAY} seconds'
                    ELSE '{now}'::timestamptz
                        + ((n - {posts}) / {BRANDS} - {DRAFTS // 2}) * interval '12 hours'
                    END + (n::bigint * 7919 % 3600) * interval '1 second' AS at
                FROM generate_series(0, {posts} + {BRANDS * DRAFTS} - 1) AS s (n)
            ) AS times
            JOIN (SELECT id, row_number() OVER (ORDER BY name) - 1 AS place FROM accounts_brand) b
              ON b.place = n % {BRANDS}
            ORDER BY at
            """  # noqa: S608 - numbers of this file
        )
        cursor.execute(
            "CREATE TABLE bench_account AS SELECT id, brand_id,"
            " row_number() OVER (PARTITION BY brand_id ORDER BY id) - 1 AS place FROM accounts_socialaccount"
        )
        own = {
            "id": "b.id",
            "brand_id": "b.brand_id",
            "planned_at": "b.at",
            "updated_at": f"least(b.at, '{now.isoformat()}'::timestamptz)",
            "approval": "CASE WHEN b.is_draft THEN 'draft' ELSE 'approved' END",
            "parts": f"jsonb_build_array(jsonb_build_object('text', '{TEXT}' || b.n, 'media', '[]'::jsonb,"
            " 'link_card', NULL))",
            "campaign_id": "CASE WHEN b.n % 2 = 0 THEN (SELECT c.id FROM campaigns_campaign c"
            " WHERE c.brand_id = b.brand_id LIMIT 1) END",
        }
        _insert(cursor, "content_calendar_post", own, "bench_post b", "")
        accounts = (
            "bench_post b CROSS JOIN generate_series(0, 1) AS k (k) JOIN bench_account a"
            f" ON a.brand_id = b.brand_id AND a.place = (b.account + k.k) % {ACCOUNTS}"
        )
        is_sent = f"b.at < '{now.isoformat()}'::timestamptz"
        key = KEY.format(salt="'d' || b.n || '.' || k.k").replace(" at)", " b.at)")
        own = {
            "id": key,
            "brand_id": "b.brand_id",
            "account_id": "a.id",
            "due_at": "b.at",
            "next_attempt_at": "b.at",
            "state": f"CASE WHEN {is_sent} THEN 'sent' ELSE 'scheduled' END",
            "sent_at": f"CASE WHEN {is_sent} THEN b.at END",
            "seen_at": f"CASE WHEN {is_sent} THEN b.at END",
        }
        which = "NOT b.is_draft AND (k.k = 0 OR b.is_double)"
        _insert(cursor, "outbox_delivery", own, accounts, which)
        own = {
            "id": KEY.format(salt="'v' || b.n || '.' || k.k").replace(" at)", " b.at)"),
            "post_id": "b.id",
            "account_id": "a.id",
            "delivery_id": f"CASE WHEN NOT b.is_draft THEN {key} END",
        }
        _insert(cursor, "content_calendar_variant", own, accounts, "k.k = 0 OR b.is_double")
        cursor.execute(
            f"""
            INSERT INTO content_calendar_post_labels (post_id, label_id)
            SELECT b.id, l.id FROM bench_post b
            JOIN (SELECT id, brand_id, row_number() OVER (PARTITION BY brand_id ORDER BY name) - 1 AS place
                  FROM content_calendar_label) l ON l.brand_id = b.brand_id AND l.place = b.n % {LABELS * 3}
            """  # noqa: S608 - as above
        )


def _insert(cursor: Any, table: str, own: dict[str, str], source: str, which: str) -> None:
    """Rows like the only one of ``table``, but for the columns of ``own``."""
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
        " AND is_generated = 'NEVER'",
        [table],
    )
    columns = [name for (name,) in cursor.fetchall()]
    values = ", ".join(own.get(name, f't."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    where = f"WHERE {which}" if which else ""
    cursor.execute(
        f"INSERT INTO {table} ({names}) SELECT {values} FROM {source}"  # noqa: S608 - as above
        f" CROSS JOIN (SELECT * FROM {table} LIMIT 1) t {where} ORDER BY b.at"
    )


# --- measuring ----------------------------------------------------------------------------------

Seen = dict[str, dict[str, list[tuple[float, int, float]]]]  # part, name of a page, its visits


def _visited(sizes: tuple[int, ...], rounds: int) -> list[Seen]:
    """Every page of each world ``rounds`` times; the worlds in turn, so that they share whatever else the
    machine does."""
    from accounts.models import User

    worlds = []
    for size in sizes:
        _use(size)
        browser = Browser(User.objects.get(email="benchmark@example.com"))
        worlds.append((size, browser, _addresses()))
    found: list[Seen] = [{part: {name: [] for name in names} for part, names in w[2].items()} for w in worlds]
    for turn in range(TURNS):
        for (size, browser, addresses), seen in zip(worlds, found, strict=True):
            _use(size)
            for part, pages in addresses.items():
                for name, paths in pages.items():
                    browser.open(paths[0])  # the connection is new: what it reads once is read
                    for _ in range(rounds // TURNS + (turn < rounds % TURNS)):
                        seen[part][name] += [browser.open(path) for path in paths]
    return found


def _use(deliveries: int) -> None:
    sources = [inspect.getsource(step) for step in (_fill, _copy, _insert)]
    recipe = "\n".join([str(deliveries), *sources])
    use_world(f"smmapp_bench_calendar_{deliveries}", recipe, lambda: _fill(deliveries))


def _addresses() -> dict[str, dict[str, list[str]]]:
    """What is asked for, of all brands and of three of them, as of when the world was made."""
    from django.urls import reverse
    from django.utils.http import urlencode

    from accounts.models import Brand
    from outbox.models import Delivery

    last = Delivery.objects.order_by("-due_at").values_list("due_at", flat=True)[0]
    now = last - dt.timedelta(days=AHEAD)
    brands = list(Brand.objects.order_by("name").values_list("pk", flat=True)[:ASKED_BRANDS])
    scopes = [{}, *({"brand": str(pk)} for pk in brands)]
    monday = (now - dt.timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)

    def feed(start: dt.datetime, days: int) -> list[str]:
        period = {"start": start.isoformat(), "end": (start + dt.timedelta(days=days)).isoformat()}
        return [f"{reverse('content_calendar:events')}?{urlencode(period | scope)}" for scope in scopes]

    def page(name: str, **query: str) -> list[str]:
        asked = {"all": "1"} | query
        return [f"{reverse(f'content_calendar:{name}')}?{urlencode(asked | scope)}" for scope in scopes]

    return {
        "views": {
            "month": feed(monday - dt.timedelta(days=14), 42),
            "week": feed(monday, 7),
            "day": feed(monday, 1),
            "list": feed(monday, 28),
        },
        "pages": {
            "calendar": page("calendar"),
            "posts": page("posts"),
            "posts_scheduled": page("posts", state="scheduled"),
            "posts_drafts": page("posts", state="draft"),
        },
    }
