"""Evergreen pools: content that takes turns."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import SocialAccount
from accounts.permissions import Action
from content_calendar.content import asset_ids, parts_from_json
from content_calendar.models import EvergreenEntry, EvergreenPool, MediaAsset, Post
from content_calendar.repeating_forms import PoolForm, entry_texts
from content_calendar.rotation import Empty
from content_calendar.selectors.checks import check_accounts
from content_calendar.selectors.evergreen import (
    entries_of,
    entry_rows,
    fill_days,
    in_words,
    next_use,
    past_uses,
    planned_times,
    pool_accounts,
    pools_of,
    use_rows,
)
from content_calendar.selectors.refusals import refusal_words
from content_calendar.services import evergreen as services
from content_calendar.services.drafts import AccountUnknown, Draft
from content_calendar.services.evergreen import MOST_TEXTS, TooManyEntries
from content_calendar.views.shown import brand_asked_for, may, post_asked_for, shown
from core.paging import page_of

WHY: dict[Empty, Promise] = {
    Empty.NO_ENTRIES: gettext_lazy("The pool has no entries yet."),
    Empty.COOLING: gettext_lazy("Every entry is in its cool-down. Add entries, or shorten the cool-down."),
    Empty.TWICE_IN_A_ROW: gettext_lazy(
        "Only the entry that goes out just before or after it would be left. A pool needs at least two "
        "entries."
    ),
    Empty.SAME_TEXT: gettext_lazy(
        "Every text that is left stands just before or after it on an account. Add a variation."
    ),
    Empty.TAKEN: gettext_lazy("Another post stands there."),
    Empty.OUT_OF_SEASON: gettext_lazy("It is out of season."),
    Empty.ENDED: gettext_lazy("The last day of the pool is over by then."),
    Empty.USED_UP: gettext_lazy("The pool has made as many posts as it may."),
}


@requires(Action.VIEW)
@require_safe
def pools(request: MemberRequest) -> HttpResponse:
    """``?post=``: each pool offers to take it in."""
    about = shown(request)
    page = page_of(request, pools_of(request.membership, about.brand), size=25)
    now = timezone.now()
    context = {
        "shown": about,
        "page": page,
        "rows": [(pool, next_use(pool, now) if pool.paused_at is None else None) for pool in page],
        "post": post_asked_for(request) if may(request)["may_publish"] else None,
        "several": about.brand is None,
        **may(request),
    }
    return render(request, "content_calendar/pools.html", context)


def _loaded(request: MemberRequest, action: Action, pool_id: uuid.UUID) -> EvergreenPool:
    rows = EvergreenPool.objects.select_related("brand__organization", "run_by")
    pool: EvergreenPool = load(request, action, rows, pool_id)
    return pool


@requires(Action.PUBLISH_POSTS)
@require_http_methods(["GET", "POST"])
def pool_new(request: MemberRequest) -> HttpResponse:
    brand = brand_asked_for(request)
    if brand is None:
        return render(request, "content_calendar/compose_nothing.html", {"shown": shown(request)})
    accounts = SocialAccount.objects.for_brand(brand).connected().order_by("platform", "handle")
    form = PoolForm(request.POST or None, accounts=accounts)
    if request.method == "POST" and form.is_valid():
        pool = services.create_pool(brand=brand, facts=form.facts(), actor=request.user, now=timezone.now())
        messages.success(request, _("The pool is set up. Now give it something to say."))
        return redirect("content_calendar:pool", pool_id=pool.pk)
    context = {"form": form, "brand": brand, "brands": shown(request).brands}
    return render(request, "content_calendar/pool_form.html", context, status=422 if form.errors else 200)


@requires(Action.PUBLISH_POSTS)
@require_http_methods(["GET", "POST"])
def pool_change(request: MemberRequest, pool_id: uuid.UUID) -> HttpResponse:
    pool = _loaded(request, Action.PUBLISH_POSTS, pool_id)
    accounts = SocialAccount.objects.for_brand(pool.brand).connected().order_by("platform", "handle")
    form = PoolForm(request.POST or None, accounts=accounts, initial=PoolForm.initial_of(pool))
    if request.method == "POST" and form.is_valid():
        try:
            services.change_pool(pool=pool, facts=form.facts(), actor=request.user, now=timezone.now())
        except AccountUnknown:
            form.add_error("accounts", _("An account was disconnected meanwhile. Choose again."))
        else:
            messages.success(
                request, _("Saved. Coming posts were chosen anew, except for those that somebody changed.")
            )
            return redirect("content_calendar:pool", pool_id=pool.pk)
    context = {"form": form, "brand": pool.brand, "pool": pool}
    return render(request, "content_calendar/pool_form.html", context, status=422 if form.errors else 200)


@requires(Action.VIEW)
@require_safe
def pool(request: MemberRequest, pool_id: uuid.UUID) -> HttpResponse:
    row = _loaded(request, Action.VIEW, pool_id)
    now = timezone.now()
    page = page_of(request, past_uses(row, now), size=20)
    entries = list(entries_of(row))
    planned = planned_times(row, now) if row.paused_at is None else []
    context = {
        "pool": row,
        "brand": row.brand,
        "accounts": [(account, account.info) for account in pool_accounts(row)],
        "planned": [(one, WHY[one.why] if one.why else "", refusal_words(one.refusal)) for one in planned],
        "entries": entry_rows(entries, now),
        "page": page,
        "past": use_rows(list(page)),
        "season_words": _season_words(row),
        "days": fill_days(row),
        **may(request),
    }
    return render(request, "content_calendar/pool.html", context)


def _season_words(row: EvergreenPool) -> str:
    """October 1 – February 28, "" for all year."""
    if row.season is None:
        return ""
    days = (dt.date(2024, *row.season.first), dt.date(2024, *row.season.last))  # of a leap year
    return " – ".join(date_format(day, "MONTH_DAY_FORMAT") for day in days)


@requires(Action.PUBLISH_POSTS)
@require_POST
def pool_pause(request: MemberRequest, pool_id: uuid.UUID) -> HttpResponse:
    """``state``: paused, or anything else to go on."""
    row = _loaded(request, Action.PUBLISH_POSTS, pool_id)
    if request.POST.get("state") == "paused":
        removed = services.pause_pool(pool=row, actor=request.user, now=timezone.now())
        said = ngettext(
            "The pool is paused, and %(count)s coming post was put away.",
            "The pool is paused, and %(count)s coming posts were put away.",
            removed,
        ) % {"count": removed}
    else:
        services.resume_pool(pool=row, actor=request.user, now=timezone.now())
        said = _("The pool goes on.")
    messages.success(request, said)
    return redirect("content_calendar:pool", pool_id=row.pk)


@requires(Action.PUBLISH_POSTS)
@require_POST
def pool_fill(request: MemberRequest, pool_id: uuid.UUID) -> HttpResponse:
    """Now, instead of within the next minutes."""
    row = _loaded(request, Action.PUBLISH_POSTS, pool_id)
    made = services.fill_pool(pool=row, now=timezone.now())
    if made:
        said = ngettext("%(count)s post was made.", "%(count)s posts were made.", made) % {"count": made}
        messages.success(request, said)
    else:
        messages.info(request, _("There was nothing to fill. The list says why times are empty."))
    return redirect("content_calendar:pool", pool_id=row.pk)


@requires(Action.PUBLISH_POSTS)
@require_http_methods(["GET", "POST"])
def entry_new(request: MemberRequest, pool_id: uuid.UUID) -> HttpResponse:
    """Something more to say; ``?post=`` with the images and words of that post."""
    row = _loaded(request, Action.PUBLISH_POSTS, pool_id)
    post = post_asked_for(request)
    if post is not None and post.brand_id != row.brand_id:
        post = None
    first = [post.parts[0].get("text", "")] if post is not None and post.parts else []
    texts = entry_texts(request.POST) if request.method == "POST" else first
    problems: list[str] = []
    if request.method == "POST":
        problems = _problems(row, texts, post)
        if not problems:
            try:
                services.add_entry(pool=row, texts=texts, post=post, actor=request.user, now=timezone.now())
            except TooManyEntries:
                problems = [_("A pool has at most %(most)s entries.") % {"most": services.MOST_ENTRIES}]
            else:
                messages.success(request, _("Added. It takes its turn with the others."))
                return redirect("content_calendar:pool", pool_id=row.pk)
    context = {"pool": row, "brand": row.brand, "post": post, **_fields(texts), "problems": problems}
    return render(request, "content_calendar/entry_form.html", context, status=422 if problems else 200)


def _fields(texts: Sequence[str]) -> dict[str, object]:
    """The fields of a form of texts: what is there, and some to go on with."""
    return {"texts": [*texts, *[""] * min(2 if texts else 3, MOST_TEXTS - len(texts))]}


def _problems(row: EvergreenPool, texts: Sequence[str], template: Post | None) -> list[str]:
    """What keeps these texts off the pool's networks, in words."""
    if not texts:
        return [_("Write at least one text.")]
    accounts = list(pool_accounts(row).select_related("brand"))
    parts = parts_from_json(template.parts if template is not None else [{"text": ""}])
    assets = MediaAsset.objects.filter(brand=row.brand).in_bulk(list(asset_ids(parts)))
    settings = Draft.of_post(template).settings if template is not None else {}
    found = []
    for number, text in enumerate(texts, 1):
        for check in check_accounts(
            accounts, in_words(parts, text), {}, assets, is_tracked=False, settings=settings
        ):
            if check.account.is_active:
                found += [
                    _("Text %(number)s on %(account)s: %(problem)s")
                    % {"number": number, "account": check.account, "problem": issue.message}
                    for issue in check.issues
                    if issue.is_blocking
                ]
    return found


def _entry(request: MemberRequest, entry_id: uuid.UUID) -> EvergreenEntry:
    rows = EvergreenEntry.objects.select_related("pool__brand__organization", "template__brand")
    entry: EvergreenEntry = load(request, Action.PUBLISH_POSTS, rows, entry_id)
    return entry


@requires(Action.PUBLISH_POSTS)
@require_http_methods(["GET", "POST"])
def entry(request: MemberRequest, entry_id: uuid.UUID) -> HttpResponse:
    """Its texts; saving takes over what the template says besides them."""
    row = _entry(request, entry_id)
    texts = entry_texts(request.POST) if request.method == "POST" else list(row.texts)
    problems: list[str] = []
    if request.method == "POST":
        problems = _problems(row.pool, texts, row.template)
        if not problems:
            services.change_entry(entry=row, texts=texts, actor=request.user, now=timezone.now())
            messages.success(request, _("Saved. Coming posts of this entry were chosen anew."))
            return redirect("content_calendar:pool", pool_id=row.pool_id)
    context = {
        "pool": row.pool,
        "brand": row.pool.brand,
        "entry": row,
        **_fields(texts),
        "problems": problems,
    }
    return render(request, "content_calendar/entry_form.html", context, status=422 if problems else 200)


@requires(Action.PUBLISH_POSTS)
@require_POST
def entry_content(request: MemberRequest, entry_id: uuid.UUID) -> HttpResponse:
    """What the template says now."""
    row = _entry(request, entry_id)
    services.take_over_entry(entry=row, actor=request.user, now=timezone.now())
    messages.success(request, _("Saved. Coming posts of this entry were chosen anew."))
    return redirect("content_calendar:pool", pool_id=row.pool_id)


@requires(Action.PUBLISH_POSTS)
@require_POST
def entry_remove(request: MemberRequest, entry_id: uuid.UUID) -> HttpResponse:
    row = _entry(request, entry_id)
    services.remove_entry(entry=row, actor=request.user, now=timezone.now())
    messages.success(request, _("The entry is gone from the pool. What it posted stays."))
    return redirect("content_calendar:pool", pool_id=row.pool_id)
