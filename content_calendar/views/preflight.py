"""Pre-flight: which planned posts will not go out as planned, why, and one click to what helps."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, requires
from accounts.advice import told
from accounts.network_wording import length
from accounts.permissions import Action, is_allowed
from connectors.errors import RejectReason
from connectors.text import Problem
from content_calendar.forms import PreflightForm
from content_calendar.models import Preflight, PreflightCode, PreflightLevel, PreflightProblem
from content_calendar.selectors.costs import planned_charges
from content_calendar.selectors.preflight import count_failing, problem_posts
from content_calendar.selectors.reasons import explain
from content_calendar.services.dry_runs import ASKED_FOR_S
from content_calendar.services.preflight import DAYS, check_brand
from content_calendar.views.shown import shown
from core.paging import page_of
from core.templatetags.ui import format_time
from outbox.models import Delivery, QuietAfter

_ACCOUNT = (
    PreflightCode.ACCOUNT_LOST,
    PreflightCode.CONNECTION_ENDS,
    PreflightCode.NOT_GRANTED,
    PreflightCode.SCOPES,
)
_TIME = (PreflightCode.QUOTA, PreflightCode.COLLISION, PreflightCode.QUIET)
_TONES = {PreflightLevel.FAILS: "red", PreflightLevel.HELD: "purple", PreflightLevel.LOOK: "orange"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One problem in words, with what helps."""

    tone: str
    level: str
    title: str
    text: str
    url: str
    action: str


@requires(Action.VIEW)
@require_safe
def preflight(request: MemberRequest) -> HttpResponse:
    about = shown(request)
    brands = (about.brand,) if about.brand else about.brands
    checks = {row.brand_id: row for row in Preflight.objects.filter(brand__in=brands)}
    page = page_of(request, problem_posts(request.membership, about.brand))
    context = {
        "shown": about,
        "page": page,
        "rows": [(row, row.account.info, _problems(request, row)) for row in page],
        "failing": count_failing(request.membership, about.brand),
        "checks": [(brand, checks.get(brand.pk)) for brand in brands],
        "is_checked": bool(checks),
        "charges": planned_charges(
            {brand: checks[brand.pk].until for brand in brands if brand.pk in checks}, timezone.now()
        ),
        "form": PreflightForm(initial={"days": DAYS}),
        "may_check": is_allowed(request.membership.role, Action.DRAFT_POSTS),
        "several": len(brands) > 1,
    }
    return render(request, "content_calendar/preflight.html", context)


@requires(Action.DRAFT_POSTS)
@require_POST
def preflight_check(request: MemberRequest) -> HttpResponse:
    """Now, for the brand that is shown or all of the member's."""
    form = PreflightForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one to seven days."))
        return redirect("content_calendar:preflight")
    about = shown(request)
    count = 0
    brands = [about.brand] if about.brand else list(about.brands)
    for brand in brands:
        row = check_brand(
            brand=brand,
            now=timezone.now(),
            days=form.cleaned_data["days"],
            asked_for_s=ASKED_FOR_S / len(brands),
        )
        count += row.count
    messages.success(
        request,
        ngettext("%(count)s planned post was checked.", "%(count)s planned posts were checked.", count)
        % {"count": count},
    )
    return redirect("content_calendar:preflight")


def _problems(request: MemberRequest, delivery: Delivery) -> list[Shown]:
    return [_shown(request, delivery, problem) for problem in delivery.preflight_problems.all()]


def _shown(request: MemberRequest, delivery: Delivery, problem: PreflightProblem) -> Shown:
    code = PreflightCode(problem.code)
    url, action = _fix(request, delivery, code, problem.detail)
    return Shown(
        tone=_TONES[PreflightLevel(problem.level)],
        level=str(PreflightLevel(problem.level).label),
        title=str(code.label),
        text=_sentence(delivery, code, problem.detail),
        url=url,
        action=action,
    )


def _fix(
    request: MemberRequest, delivery: Delivery, code: PreflightCode, detail: Mapping[str, Any]
) -> tuple[str, str]:
    """Where one click leads, and its words: what this member may do, else where one sees it."""
    role = request.membership.role
    post: uuid.UUID = delivery.variant.post_id
    if code in _ACCOUNT:
        if is_allowed(role, Action.CONNECT_ACCOUNTS):
            return reverse("accounts:account_reconnect", args=[delivery.account_id]), _("Reconnect")
        return reverse("accounts:account_detail", args=[delivery.account_id]), _("Open account")
    if code is PreflightCode.NOT_ASKED:
        return reverse("accounts:account_detail", args=[delivery.account_id]), _("Open account")
    if code is PreflightCode.PAUSED and is_allowed(role, Action.PAUSE):
        return reverse("outbox:resume", args=[detail["pause"]]), _("Resume")
    if is_allowed(role, Action.PUBLISH_POSTS):
        if code in _TIME:
            return reverse("content_calendar:move", args=[post]), _("Move")
        if code not in (PreflightCode.PAUSED, PreflightCode.NOT_ALLOWED):
            return reverse("content_calendar:edit", args=[post]), _("Edit")
    return reverse("content_calendar:post", args=[post]), _("Open post")


# Of most codes; "%(time)s" is the instant of ``detail["at"]``.
_SENTENCES: dict[str, Promise] = {
    PreflightCode.ACCOUNT_LOST: gettext_lazy("%(network)s no longer accepts our access to %(account)s."),
    PreflightCode.CONNECTION_ENDS: gettext_lazy("The connection to %(account)s ends at %(time)s."),
    PreflightCode.NOT_GRANTED: gettext_lazy("%(account)s did not give the permission to publish this."),
    PreflightCode.SCOPES: gettext_lazy("%(account)s did not give these permissions: %(scopes)s"),
    PreflightCode.MEDIA_MISSING: gettext_lazy("Remove it or upload it again."),
    PreflightCode.MEDIA_PREPARING: gettext_lazy(
        "%(percent)s%% is done. If it is not ready in time, the post waits for it."
    ),
    PreflightCode.MEDIA_FAILED: gettext_lazy("Use another video, or leave %(network)s out."),
    PreflightCode.NOT_ALLOWED: gettext_lazy(
        "Take it out of the schedule and schedule it again, so that it goes out in your name."
    ),
    PreflightCode.QUOTA: gettext_lazy(
        "%(network)s takes %(limit)s within %(window)s. The post would have to wait."
    ),
    PreflightCode.COLLISION: gettext_lazy("“%(excerpt)s” goes out on %(account)s at %(time)s."),
    PreflightCode.DUPLICATE: gettext_lazy(
        "It has the words of what goes or went out on %(account)s at %(time)s."
    ),
}


def _sentence(delivery: Delivery, code: PreflightCode, detail: Mapping[str, Any]) -> str:
    """The problem with its facts, in the active language."""
    info, zone = delivery.account.info, delivery.brand.timezone
    at = format_time(dt.datetime.fromisoformat(detail["at"]), zone, "short") if "at" in detail else ""
    if code == PreflightCode.DUPLICATE and not detail.get("is_same", True):
        return _("It has nearly the words of what goes or went out on %(account)s at %(time)s.") % {
            "account": delivery.account,
            "time": at,
        }
    words = {"account": delivery.account, "network": info.name, "time": at, **detail}
    if code is PreflightCode.CONTENT:
        facts = {key: detail[key] for key in ("part", "media", "limit", "actual")}
        # What was found before there were settings says no name.
        problem = Problem(RejectReason(detail["reason"]), **facts, name=detail.get("name", ""))
        return explain(problem, info)
    if code is PreflightCode.REFUSED:
        why = explain(Problem(RejectReason(detail["reason"]), 0, None, 0, 0), info)
        advice, theirs = told(str(detail.get("words", "")))
        said = _("%(network)s says: %(detail)s") % {"network": info.name, "detail": theirs}
        # What is neither a sentence of ours nor an answer of the network is a note for its log.
        return " ".join(one for one in (advice or why, said if theirs.startswith("HTTP ") else "") if one)
    if code is PreflightCode.NOT_ASKED:
        if detail.get("slow"):
            return _("%(network)s took too long to answer for all posts to be asked about.") % words
        if detail.get("most"):
            return _("%(network)s is asked about the next %(most)s posts of an account only.") % words
        return _(
            "%(network)s did not answer, or asks to wait. The post goes out at its time all the same."
        ) % (words)
    if code is PreflightCode.QUIET:
        if detail.get("after") == QuietAfter.ASK:
            return _("It is held until %(time)s, and then somebody is asked about it.") % words
        return _("It is held until %(time)s and goes out then.") % words
    if code is PreflightCode.PAUSED:
        return str(detail.get("reason", ""))
    words["window"] = length(detail.get("seconds") or 3600 * detail.get("hours", 0))
    words["scopes"] = ", ".join(detail.get("scopes", ()))
    return str(_SENTENCES[code]) % words
