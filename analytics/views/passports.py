"""The passport of a number, and the rows behind it."""

from __future__ import annotations

import uuid

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand, SocialAccount
from accounts.permissions import Action, is_allowed
from analytics.forms import date_in
from analytics.selectors.passports import passport
from analytics.selectors.sources import Question, export, sources_of
from analytics.selectors.subjects import DEFAULT_PERIOD, Period, Subject, brands_seen, period_until_today
from campaigns.models import Campaign
from core.csv_writing import csv_response
from core.htmx import render_page
from metrics.registry import Side, UnknownMetric, metric
from outbox.models import Delivery

LONGEST = 1100  # days: three years, as long as a goal may be


@requires(Action.VIEW)
@require_safe
def passport_page(request: MemberRequest, key: str, scope: str, pk: uuid.UUID) -> HttpResponse:
    asked = _question(request, key, scope, pk)
    since = date_in(request.GET.get("since", ""))
    found = passport(asked, now=timezone.now(), counted_since=since)
    context = {
        "passport": found,
        "subject": asked.subject,
        "period": asked.period,
        "zone": asked.subject.zone,
        "may_export": _may_export(request, asked),
    }
    return render_page(request, "analytics/passport.html", context, partial="dialog")


@requires(Action.VIEW)
@require_safe
def rows_csv(request: MemberRequest, key: str, scope: str, pk: uuid.UUID) -> HttpResponseBase:
    """The rows that a number is made of. Of a ratio those of the side that ``?source=`` names."""
    asked = _question(request, key, scope, pk)
    if not _may_export(request, asked):
        raise PermissionDenied
    offered = sources_of(asked.definition, asked.subject)
    source = next((one for one in offered if one == request.GET.get("source")), offered[0])
    header, rows = export(source, asked)
    name = f"{source.replace('_', '-')}-{asked.period.first}-{asked.period.last}"
    return csv_response(name, header, rows)


def _may_export(request: MemberRequest, asked: Question) -> bool:
    """Rows of campaigns name amounts and orders, also where the number itself does not."""
    needed = Action.VIEW_CAMPAIGNS if asked.definition.side is Side.MARKETING else Action.VIEW
    return is_allowed(request.membership.role, needed)


def _question(request: MemberRequest, key: str, scope: str, pk: uuid.UUID) -> Question:
    """Raises Http404 for what there is not, PermissionDenied for a number that shows money to somebody who
    may not see it."""
    subject = _subject(request, scope, pk)
    try:
        definition = metric(key)
    except UnknownMetric:
        raise Http404 from None
    if definition.shows_money and not is_allowed(request.membership.role, Action.VIEW_CAMPAIGNS):
        raise PermissionDenied
    if subject.scope not in definition.scopes:
        raise Http404
    return Question(definition, subject, _period(request, subject.zone))


def _subject(request: MemberRequest, scope: str, pk: uuid.UUID) -> Subject:
    network = request.GET.get("network", "")[:24]
    if scope == "brand":
        brand: Brand = load(request, Action.VIEW, Brand.objects, pk)
        return Subject((brand,), platform=network)
    if scope == "account":
        account: SocialAccount = load(request, Action.VIEW, SocialAccount.objects.select_related("brand"), pk)
        return Subject((account.brand,), account)
    if scope == "campaign":
        campaign: Campaign = load(request, Action.VIEW, Campaign.objects.select_related("brand"), pk)
        return Subject((campaign.brand,), campaign=campaign)
    if scope == "delivery":
        delivery: Delivery = load(
            request, Action.VIEW, Delivery.objects.select_related("brand", "account"), pk
        )
        return Subject((delivery.brand,), delivery=delivery)
    brands = brands_seen(request.membership, None)
    if scope != "organization" or pk != request.organization.pk or not brands:
        raise Http404
    return Subject(brands, platform=network)


def _period(request: MemberRequest, zone: str) -> Period:
    """Raises Http404 for dates that make no period."""
    first, last = (date_in(request.GET.get(name, "")) for name in ("from", "to"))
    if first is None and last is None:
        return period_until_today(DEFAULT_PERIOD, zone=zone, now=timezone.now())
    if first is None or last is None or not 0 <= (last - first).days < LONGEST:
        raise Http404
    return Period(first, last)
