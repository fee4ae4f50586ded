"""Sentences for what networks, connections and the audit log say in codes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, pgettext_lazy

from accounts.allowances import counted_of
from accounts.metric_wording import metric_label
from accounts.models import NotificationKind, Role, SocialAccount
from accounts.network_wording import COUNTED
from connectors import http
from connectors.base import PlatformInfo, Quota
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    RateLimited,
    Rejected,
    RejectReason,
)
from connectors.registry import UnknownPlatform, info_for
from core.templatetags.ui import format_time

# --- connecting -------------------------------------------------------------------------------

# What connectors advise after a refused sign-in (``NeedsReconnect.advice``).
ADVISED = (
    gettext_noop("Bluesky does not accept this handle and password."),
    gettext_noop(
        "Bluesky does not accept this password. It does not look like an app password (xxxx-xxxx-xxxx-xxxx): "
        "make one in Bluesky under Settings, Privacy and security, App passwords."
    ),
    gettext_noop(
        "This is the main password of an account that also asks for a code by e-mail. Make an app password "
        "in Bluesky under Settings, Privacy and security, App passwords, and use that one."
    ),
    gettext_noop("X does not accept these keys. Copy all four again, without spaces, from the same app."),
    gettext_noop(
        "These keys may only read. Give the app the permission “Read and write” in the developer console "
        "of X, then make the access token anew."
    ),
    gettext_noop(
        "X does not accept the client ID and secret of your developer app. Copy both again from “Keys and "
        "tokens”, “OAuth 2.0”, and check that the type of the app is “Web App, Automated App or Bot”."
    ),
    gettext_noop(
        "X did not accept the sign-in. It gives 30 seconds for it: try again. If it happens again, check the "
        "redirect address in your developer app."
    ),
    gettext_noop(
        "X let you sign in, but the developer app may not use its API. Put the app into a project and buy "
        "credits in the developer console of X."
    ),
)

_REFUSED: dict[str, Promise] = {
    RejectReason.HOST_UNKNOWN: gettext_lazy("No server answers under this name. Check the spelling."),
    RejectReason.HOST_REFUSED: gettext_lazy(
        "This server has a private address, which this installation does not call. "
        "An operator can allow it with SMM_ALLOWED_PRIVATE_HOSTS."
    ),
    RejectReason.NOT_FOUND: gettext_lazy("The network does not know this account. Check the spelling."),
    RejectReason.INVALID: gettext_lazy("The network does not accept this. Check what you entered."),
    RejectReason.FORBIDDEN: gettext_lazy("The network does not let this account do that."),
    RejectReason.NOT_SUPPORTED: gettext_lazy("This server does not offer what is needed to publish on it."),
}


def connect_problem(error: ConnectorError, info: PlatformInfo) -> str:
    """Why connecting did not work and what to do, in the active language."""
    name = {"network": info.name}
    if isinstance(error, Rejected):
        return str(_REFUSED.get(error.reason, _REFUSED[RejectReason.INVALID]))
    if isinstance(error, NeedsReconnect) and error.advice:
        return _(error.advice)
    if isinstance(error, NeedsReconnect):
        return _("%(network)s did not accept this sign-in. Check the name and the password.") % name
    if isinstance(error, RateLimited):
        return _("%(network)s asks to wait before the next try. Nothing was changed.") % name
    return _("%(network)s could not be reached. Nothing was changed; please try again in a minute.") % name


def sign_in_problem(error: ConnectorError, info: PlatformInfo, *, is_outside: bool = False) -> str:
    """Why a sign-in at the network that came back did not connect anything, in the active language. Nobody
    entered anything on the way: what may be wrong is the developer app, which somebody without a login
    (``is_outside``) cannot mend, or what was allowed."""
    name = {"network": info.name}
    if info.app is None or not isinstance(error, Rejected | NeedsReconnect):
        return connect_problem(error, info)
    if isinstance(error, Rejected) and error.reason is RejectReason.NOT_FOUND:
        return (
            _(
                "%(network)s named no account that can be connected. Choose one in its dialogue, or sign in "
                "as somebody who manages one."
            )
            % name
        )
    if isinstance(error, Rejected) and error.reason is RejectReason.FORBIDDEN:
        return (
            _(
                "Not everything that publishing needs was allowed at %(network)s. Try again, and leave what "
                "it lists switched on."
            )
            % name
        )
    if is_outside:
        return (
            _(
                "%(network)s did not accept the sign-in. If it happens again, tell whoever sent you the "
                "link: the developer app may have to be looked at."
            )
            % name
        )
    if isinstance(error, NeedsReconnect) and error.advice:
        return _(error.advice)
    return (
        _(
            "%(network)s did not accept the sign-in. Check the ID and the secret of the developer app, and "
            "the redirect address that is entered there, then try again."
        )
        % name
    )


def address_problem(error: ConnectorError) -> str:
    """Why an address of another server cannot be taken, in the active language."""
    if isinstance(error, http.HostNotFound):
        return str(_REFUSED[RejectReason.HOST_UNKNOWN])
    if isinstance(error, Rejected) and error.reason is RejectReason.HOST_REFUSED:
        return str(_REFUSED[RejectReason.HOST_REFUSED])
    return _("This is no address that can be called. It looks like https://example.com/path.")


def check_problem(error: ConnectorError, info: PlatformInfo) -> str:
    """Why a test read did not work, in the active language."""
    if isinstance(error, NeedsReconnect):
        return _("%(network)s no longer accepts our access. Reconnect the account.") % {"network": info.name}
    return connect_problem(error, info)


def problem_field(error: ConnectorError, info: PlatformInfo, filled: Mapping[str, str]) -> str:
    """Which field of the connect form a problem belongs to, "" for the whole form; ``filled`` is what was
    typed. A server that was not found was named by the host field, or by the handle."""
    of_kind = {field.kind: field.name for field in reversed(info.connect_fields)}
    first = info.connect_fields[0].name if info.connect_fields else ""
    if isinstance(error, NeedsReconnect):
        return of_kind.get("password", "")
    if isinstance(error, Rejected):
        host = of_kind.get("host", "")
        if error.reason in (RejectReason.HOST_UNKNOWN, RejectReason.HOST_REFUSED):
            return host if filled.get(host) else first
        if error.reason in (RejectReason.INVALID, RejectReason.NOT_FOUND):
            return first
    return ""


# What the sandbox network asks of accounts that have topics.
TOPICS = (gettext_noop("Topic"), gettext_noop("What the post is filed under."))

# A count over less than an hour is over before anybody has read it.
SHORTEST_SHOWN_S = 3600

# Names that networks give to their allowances (``Quota.name``).
QUOTAS = (
    gettext_noop("Posts"),
    gettext_noop("Replies"),
    gettext_noop("Messages this month"),
)


def quota_rows(account: SocialAccount, now: dt.datetime) -> list[tuple[str, str]]:
    """The allowances as (name, "used of limit") in the active language: what the network told at the last
    check, and what we count ourselves of others. Of several windows the one that is fullest."""
    zone = account.brand.timezone
    told = [_told_quota(row) for row in account.options.get("quotas", {}).get("rows", ())]
    # What began anew since the network told it is known after the next check.
    current = [one for one in told if one.resets_at is None or one.resets_at > now]
    rows = {_(one.name): _quota_words(one, zone, is_moving=True) for one in current}
    fullest: dict[str, Quota] = {}
    for quota in counted_of(account, now):
        name = str(COUNTED.get(quota.name, ""))
        is_long = quota.window_s == 0 or quota.window_s >= SHORTEST_SHOWN_S
        if name and name not in rows and is_long:
            fullest[name] = max(fullest.get(name, quota), quota, key=lambda one: one.used / max(one.limit, 1))
    ours = {name: _quota_words(quota, zone) for name, quota in fullest.items()}
    return [*rows.items(), *ours.items()]


def _told_quota(row: Mapping[str, Any]) -> Quota:
    resets_at = dt.datetime.fromisoformat(row["resets_at"]) if row.get("resets_at") else None
    return Quota(row["name"], row["used"], row["limit"], row["window_s"], resets_at)


def _quota_words(quota: Quota, zone: str, *, is_moving: bool = False) -> str:
    """``is_moving``: a window without an end of its own moves along with the time, as networks have it; ours
    begin with what is sent first."""
    used = number_format(quota.used, force_grouping=True)
    words: dict[str, Any] = {"used": used, "limit": number_format(quota.limit, force_grouping=True)}
    words["hours"] = hours = round(quota.window_s / 3600)
    if not quota.limit:
        said = _("%(used)s, without a limit") % words
    elif hours and is_moving:
        said = _("%(used)s of %(limit)s in the last %(hours)s hours") % words
    elif hours:
        said = _("%(used)s of %(limit)s in %(hours)s hours") % words
    else:
        said = _("%(used)s of %(limit)s") % words
    if quota.resets_at is None:
        return said
    at = format_time(quota.resets_at, zone, "datetime")
    return _("%(count)s · starts anew on %(time)s") % {"count": said, "time": at}


# --- the audit log ----------------------------------------------------------------------------

# Every action that any app records; a test finds those that are missing.
ACTIONS: dict[str, Promise] = {
    "organization.created": gettext_lazy("Organization created"),
    "organization.renamed": gettext_lazy("Organization renamed"),
    "brand.created": gettext_lazy("Brand created"),
    "brand.changed": gettext_lazy("Brand changed"),
    "brand.archived": gettext_lazy("Brand archived"),
    "brand.restored": gettext_lazy("Brand brought back"),
    "member.invited": gettext_lazy("Person invited"),
    "invitation.sent_again": gettext_lazy("Invitation sent again"),
    "invitation.revoked": gettext_lazy("Invitation revoked"),
    "member.joined": gettext_lazy("Person joined"),
    "member.changed": gettext_lazy("Role or brands changed"),
    "member.deactivated": gettext_lazy("Person deactivated"),
    "member.reactivated": gettext_lazy("Person reactivated"),
    "account.connected": gettext_lazy("Account connected"),
    "account.reconnected": gettext_lazy("Account reconnected"),
    "account.disconnected": gettext_lazy("Account disconnected"),
    "account.lost": gettext_lazy("Access to account lost"),
    "account.link_made": gettext_lazy("Link to reconnect an account made"),
    "account.link_revoked": gettext_lazy("Link to reconnect an account revoked"),
    "app.added": gettext_lazy("Developer app added"),
    "app.changed": gettext_lazy("Developer app changed"),
    "app.deleted": gettext_lazy("Developer app deleted"),
    "api_key.created": gettext_lazy("API key created"),
    "api_key.revoked": gettext_lazy("API key revoked"),
    "webhook.created": gettext_lazy("Webhook set up"),
    "webhook.changed": gettext_lazy("Webhook changed"),
    "webhook.secret_changed": gettext_lazy("Secret of a webhook changed"),
    "webhook.switched_off": gettext_lazy("Webhook switched off"),
    "webhook.switched_on": gettext_lazy("Webhook switched on"),
    "webhook.failed": gettext_lazy("Webhook switched off after a day of failures"),
    "webhook.deleted": gettext_lazy("Webhook deleted"),
    "message.hidden": gettext_lazy("Comment hidden"),
    "message.deleted": gettext_lazy("Deletion of a comment asked for"),
    "message.shown_again": gettext_lazy("Hidden comment shown again"),
    "sla.changed": gettext_lazy("Target of answers changed"),
    "sending.paused": gettext_lazy("Sending paused"),
    "sending.resumed": gettext_lazy("Sending resumed"),
    "sending.decided": gettext_lazy("Overdue posts decided"),
    "sending.quiet_added": gettext_lazy("Quiet period added"),
    "sending.quiet_changed": gettext_lazy("Quiet period changed"),
    "sending.quiet_removed": gettext_lazy("Quiet period removed"),
    "sending.rules_changed": gettext_lazy("Rule for late posts changed"),
    "post.scheduled": gettext_lazy("Post scheduled"),
    "post.published_now": gettext_lazy("Post sent at once"),
    "post.changed": gettext_lazy("Scheduled post changed"),
    "post.moved": gettext_lazy("Post moved to another time"),
    "post.unscheduled": gettext_lazy("Post taken out of the schedule"),
    "post.cancelled_on_account": gettext_lazy("Post cancelled on an account"),
    "post.deleted": gettext_lazy("Post deleted"),
    "post.restored": gettext_lazy("Post brought back"),
    "post.submitted": gettext_lazy("Post submitted for review"),
    "post.review_withdrawn": gettext_lazy("Review of a post taken back"),
    "post.approved": gettext_lazy("Post approved"),
    "post.approved_by_client": gettext_lazy("Post approved by the client"),
    "post.changes_asked": gettext_lazy("Changes to a post asked for"),
    "post.changes_asked_by_client": gettext_lazy("Changes to a post asked for by the client"),
    "approval.rules_changed": gettext_lazy("Approval of a brand changed"),
    "approval.link_sent": gettext_lazy("Review link made"),
    "approval.link_shown_again": gettext_lazy("Another link to the same review made"),
    "approval.link_revoked": gettext_lazy("Review link revoked"),
    "post.imported": gettext_lazy("Posts imported from a file"),
    "post.import_undone": gettext_lazy("Import of posts undone"),
    "queue.slots_added": gettext_lazy("Posting slots added"),
    "queue.slot_removed": gettext_lazy("Posting slot removed"),
    "queue.paused": gettext_lazy("Queue paused"),
    "queue.resumed": gettext_lazy("Queue resumed"),
    "series.created": gettext_lazy("Series set up"),
    "series.changed": gettext_lazy("Series changed"),
    "series.content_changed": gettext_lazy("Content of a series changed"),
    "series.date_skipped": gettext_lazy("Date of a series skipped"),
    "series.date_restored": gettext_lazy("Date of a series brought back"),
    "series.ended": gettext_lazy("Series ended"),
    "series.continued": gettext_lazy("Series continued"),
    "evergreen.created": gettext_lazy("Evergreen pool set up"),
    "evergreen.changed": gettext_lazy("Evergreen pool changed"),
    "evergreen.paused": gettext_lazy("Evergreen pool paused"),
    "evergreen.resumed": gettext_lazy("Evergreen pool resumed"),
    "evergreen.entry_added": gettext_lazy("Evergreen entry added"),
    "evergreen.entry_changed": gettext_lazy("Evergreen entry changed"),
    "evergreen.entry_removed": gettext_lazy("Evergreen entry removed"),
    "media.deleted": gettext_lazy("File deleted from the library"),
    "media.folder_created": gettext_lazy("Folder of the library created"),
    "media.folder_renamed": gettext_lazy("Folder of the library renamed"),
    "media.folder_deleted": gettext_lazy("Folder of the library deleted"),
    "campaign.created": gettext_lazy("Campaign created"),
    "campaign.changed": gettext_lazy("Campaign changed"),
    "campaign.archived": gettext_lazy("Campaign archived"),
    "campaign.restored": gettext_lazy("Campaign brought back"),
    "budget.line_added": gettext_lazy("Cost planned"),
    "budget.line_changed": gettext_lazy("Planned cost changed"),
    "budget.line_deleted": gettext_lazy("Planned cost deleted"),
    "spend.added": gettext_lazy("Cost entered"),
    "spend.changed": gettext_lazy("Entered cost changed"),
    "spend.deleted": gettext_lazy("Entered cost deleted"),
    "spend.imported": gettext_lazy("Costs imported from a file"),
    "spend.import_undone": gettext_lazy("Import of costs undone"),
    "spend.ad_account_connected": gettext_lazy("Ad account connected"),
    "spend.ad_account_disconnected": gettext_lazy("Ad account disconnected"),
    "spend.ad_account_lost": gettext_lazy("Access to ad account lost"),
    "spend.ad_campaigns_chosen": gettext_lazy("Campaigns of an ad account assigned"),
    "conversion.added": gettext_lazy("Conversion added by hand"),
    "conversion.refunded": gettext_lazy("Refund recorded by hand"),
    "conversion.imported": gettext_lazy("Conversions imported from a file"),
    "goal.created": gettext_lazy("Goal set"),
    "goal.changed": gettext_lazy("Goal changed"),
    "goal.archived": gettext_lazy("Goal archived"),
    "goal.restored": gettext_lazy("Goal brought back"),
    "goal.connected": gettext_lazy("Goals connected"),
    "goal.connection_changed": gettext_lazy("Connection of goals changed"),
    "goal.disconnected": gettext_lazy("Connection of goals removed"),
    "contact.changed": gettext_lazy("Facts of a contact changed"),
    "contact.merged": gettext_lazy("Contacts merged"),
    "contact.merge_undone": gettext_lazy("Merge of contacts undone"),
    "contact.consent_given": gettext_lazy("Consent recorded"),
    "contact.consent_withdrawn": gettext_lazy("Withdrawal of consent recorded"),
    "contact.exported": gettext_lazy("Data of a contact exported"),
    "contact.list_exported": gettext_lazy("List of contacts exported"),
    "contact.erased": gettext_lazy("Personal data of a contact erased"),
}
GROUPS: dict[str, Promise] = {
    "organization": gettext_lazy("Organization"),
    "brand": gettext_lazy("Brands"),
    "member": gettext_lazy("People"),
    "invitation": gettext_lazy("Invitations"),
    "account": gettext_lazy("Social accounts"),
    "app": gettext_lazy("Developer apps"),
    "api_key": gettext_lazy("API keys"),
    "webhook": gettext_lazy("Webhooks"),
    "message": gettext_lazy("Inbox"),
    "sla": gettext_lazy("Targets of answers"),
    "sending": pgettext_lazy("activity", "Sending"),
    "post": gettext_lazy("Posts"),
    "approval": gettext_lazy("Approval"),
    "queue": gettext_lazy("Queues"),
    "series": gettext_lazy("Series"),
    "evergreen": gettext_lazy("Evergreen"),
    "media": gettext_lazy("Media library"),
    "campaign": gettext_lazy("Campaigns"),
    "budget": gettext_lazy("Budgets"),
    "spend": gettext_lazy("Costs"),
    "conversion": gettext_lazy("Conversions"),
    "goal": gettext_lazy("Goals"),
    "contact": gettext_lazy("Contacts"),
}
# Names of what an entry's detail holds; other names are shown as they are stored.
DETAILS: dict[str, Promise] = {
    "account": gettext_lazy("account"),
    "after": gettext_lazy("after"),
    "amount": gettext_lazy("amount"),
    "approval": gettext_lazy("approval"),
    "at": gettext_lazy("time"),
    "before": gettext_lazy("before"),
    "brand": gettext_lazy("brand"),
    "brands": gettext_lazy("brands"),
    "campaign": gettext_lazy("campaign"),
    "client": gettext_lazy("client"),
    "code": gettext_lazy("code in links"),
    "country": gettext_lazy("country"),
    "color": gettext_lazy("colour"),
    "contacts": gettext_lazy("contacts"),
    "count": gettext_lazy("how many"),
    "currency": gettext_lazy("currency"),
    "date": gettext_lazy("date"),
    "decision": gettext_lazy("decision"),
    "effect": gettext_lazy("what it moves"),
    "ends_on": gettext_lazy("last day"),
    "entries": gettext_lazy("entries"),
    "events": gettext_lazy("events"),
    "excerpt": gettext_lazy("text"),
    "file": gettext_lazy("file"),
    "host": gettext_lazy("server"),
    "from": pgettext_lazy("time", "from"),
    "identities": gettext_lazy("accounts moved"),
    "kind": gettext_lazy("kind"),
    "if_later": gettext_lazy("if later"),
    "label": gettext_lazy("what for"),
    "late_minutes": gettext_lazy("minutes late at most"),
    "last_day": gettext_lazy("last day"),
    "locale": gettext_lazy("language of its posts"),
    "link": gettext_lazy("link"),
    "margin_rate": gettext_lazy("margin"),
    "metric": gettext_lazy("metric"),
    "name": gettext_lazy("name"),
    "network": gettext_lazy("network"),
    "notes": gettext_lazy("notes"),
    "objective": gettext_lazy("objective"),
    "other": gettext_lazy("other contact"),
    "overdue": gettext_lazy("overdue posts"),
    "posts": gettext_lazy("posts"),
    "reason": gettext_lazy("reason"),
    "remind_after_h": gettext_lazy("hours until a reminder"),
    "role": gettext_lazy("role"),
    "scopes": gettext_lazy("permissions"),
    "source": gettext_lazy("copied from"),
    "starts_on": gettext_lazy("first day"),
    "step": gettext_lazy("step"),
    "target": gettext_lazy("target"),
    "targets": gettext_lazy("targets"),
    "until": pgettext_lazy("time", "until"),
    "version": gettext_lazy("version"),
    "business_hours": gettext_lazy("business hours"),
    "timezone": gettext_lazy("time zone"),
    "week_starts_on": gettext_lazy("first day of the week"),
}

# Values that a detail stores as a code.
WORDS_OF: dict[tuple[str, str], Promise] = {
    ("if_later", "ask"): gettext_lazy("ask"),
    ("if_later", "skip"): gettext_lazy("skip"),
    ("if_later", "send"): gettext_lazy("send"),
    ("approval", "none"): gettext_lazy("none"),
    ("approval", "internal"): gettext_lazy("internal"),
    ("approval", "client"): gettext_lazy("client"),
    ("approval", "both"): gettext_lazy("internal, then the client"),
    ("step", "internal"): gettext_lazy("internal"),
    ("step", "client"): gettext_lazy("client"),
    ("decision", "send"): gettext_lazy("send"),
    ("decision", "skip"): gettext_lazy("skip"),
    ("decision", "plan"): gettext_lazy("plan anew"),
    ("decision", "spread"): gettext_lazy("spread"),
    ("decision", "each"): gettext_lazy("one by one"),
}


def hours_words(hours: Mapping[str, Any]) -> str:
    """Opening hours on one line, days that are alike together: "Mon–Fri 09:00–17:00, Sat 10:00–14:00"."""
    runs: list[tuple[int, int, str]] = []
    for day in range(7):
        words = " ".join(f"{opens}–{closes}" for opens, closes in hours.get(str(day), []))
        if runs and runs[-1][2] == words:
            runs[-1] = (runs[-1][0], day, words)
        else:
            runs.append((day, day, words))
    said = [
        f"{WEEKDAYS_ABBR[first]}{f'–{WEEKDAYS_ABBR[last]}' if last > first else ''} {words}"
        for first, last, words in runs
        if words
    ]
    return ", ".join(said) or _("around the clock")


def action_words(action: str) -> str:
    return str(ACTIONS.get(action, action))


def group_words(group: str) -> str:
    return str(GROUPS.get(group, group))


def detail_words(detail: Mapping[str, Any], zone: str) -> list[tuple[str, str]]:
    """An entry's detail as (name, value) for people: lists joined, a change as "before → after", times in
    ``zone``."""
    return [
        (str(DETAILS.get(name, name)), _value_words(name, value, zone))
        for name, value in detail.items()
        if value not in (None, "", [], {})
    ]


def _value_words(name: str, value: Any, zone: str) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{label}: {words}" for label, words in detail_words(value, zone))
    if name == "business_hours" and isinstance(value, list):
        return " → ".join(hours_words(hours) for hours in value)
    if name == "events":
        return ", ".join(str(_KIND_LABELS.get(kind, kind)) for kind in value)
    if isinstance(value, list):
        # change_brand keeps [before, after] under the field's name; the rest are plain lists
        joint = " → " if name in _CHANGED_FIELDS else ", "
        return joint.join(str(WORDS_OF.get((name, str(one)), one)) for one in value)
    if name == "role" and value in Role.values:
        return str(Role(value).label)
    if name in ("brand", "brands") and value == "all":
        return _("all brands")
    if name in {"at", "from", "until"}:
        return format_time(dt.datetime.fromisoformat(value), zone)
    if name == "metric":
        return metric_label(value)
    if name == "network":
        try:
            return info_for(value).name
        except UnknownPlatform:  # the log is older than the networks that are offered today
            return str(value)
    return str(WORDS_OF.get((name, str(value)), value))


_KIND_LABELS: dict[str, Any] = dict(NotificationKind.choices)
_CHANGED_FIELDS = frozenset(
    {
        "name",
        "timezone",
        "locale",
        "currency",
        "country",
        "week_starts_on",
        "color",
        "late_minutes",
        "if_later",
        "approval",
    }
)
