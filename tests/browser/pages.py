"""Every page of the application in the demo's installation, by the name of its URL.

``of_owner`` and ``of_nobody`` give what a browser can be sent to; ``NO_PAGES`` names the rest.
tests/browser/test_looks.py fails when a new name is in none of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from playwright.sync_api import Page

from content_calendar.selectors.review_links import hash_of
from tests.browser.stage import Installation

# Opens the demo's link for a client: only hashes of the real ones are kept.
REVIEW_TOKEN = "a-link-of-the-tests"

# Fragments, files, actions behind a button, redirects, steps of a flow that need one under way.
NO_PAGES = {
    "healthz",
    "outbox:public_media",
    "shell:notifications_read",
    "shell:notification_open",
    "shell:badges",
    "shell:switch",
    "shell:language",
    "accounts:account_check",
    "accounts:connect_choose",
    "accounts:reconnect_link_make",
    "accounts:reconnect_link_revoke",
    "accounts:reconnect_by_link",
    "accounts:app_edit",
    "outbox:check_media",
    "campaigns:ad_account",
    "campaigns:ad_app_edit",
    "campaigns:ad_app_delete",
    "campaigns:ad_assign",
    "campaigns:ad_callback",
    "campaigns:ad_choose",
    "campaigns:ad_disconnect",
    "campaigns:ad_import",
    "accounts:app_delete",
    "accounts:brand_archive",
    "accounts:brand_restore",
    "accounts:member_deactivate",
    "accounts:member_reactivate",
    "accounts:api_key_revoke",
    "accounts:webhook_test",
    "accounts:webhook_secret",
    "accounts:webhook_off",
    "accounts:webhook_on",
    "accounts:webhook_delete",
    "accounts:webhook_again",
    "accounts:invitation_resend",
    "accounts:invitation_revoke",
    "accounts:organization_edit",
    "analytics:operations_csv",
    "analytics:marketing_csv",
    "analytics:goals_csv",
    "analytics:accounts_csv",
    "analytics:posts_csv",
    "analytics:checkins_csv",
    "analytics:rows",
    "analytics:goal_preview",
    "analytics:goal_archive",
    "analytics:goal_restore",
    "analytics:driver_remove",
    "engagement:hook",
    "engagement:deletion",
    "engagement:deletion_status",
    "engagement:talk",
    "engagement:reply",
    "engagement:check",
    "engagement:note",
    "engagement:assign",
    "engagement:done",
    "engagement:reopen",
    "engagement:snooze",
    "engagement:resend",
    "engagement:take_back",
    "engagement:appeared",
    "engagement:moderate",
    "engagement:promise",
    "engagement:saved_reply_delete",
    "audience:export",
    "audience:contact_export",
    "audience:take_fact",
    "audience:consent",
    "audience:undo",
    "link",
    "campaigns:archive",
    "campaigns:restore",
    "campaigns:line_add",
    "campaigns:line_delete",
    "campaigns:line_move",
    "campaigns:link_create",
    "campaigns:spend_add",
    "campaigns:spend_delete",
    "campaigns:spend_export",
    "campaigns:spend_import_confirm",
    "campaigns:spend_import_discard",
    "campaigns:spend_import_undo",
    "campaigns:conversion_export",
    "campaigns:conversion_refund",
    "campaigns:conversion_import_confirm",
    "campaigns:conversion_import_discard",
    "campaigns:attribution_run",
    "api:openapi",
    "api:conversions",
    "api:conversion",
    "api:refunds",
    "content_calendar:events",
    "content_calendar:change_many",
    "content_calendar:change_many_apply",
    "content_calendar:changes_undo",
    "content_calendar:label_add",
    "content_calendar:label_quick",
    "content_calendar:label_remove",
    "content_calendar:note_remove",
    "content_calendar:filter_remove",
    "content_calendar:feed_add",
    "content_calendar:feed_renew",
    "content_calendar:feed_remove",
    "content_calendar:feed",
    "content_calendar:preflight_check",
    "outbox:pause_account",
    "outbox:pause_brand",
    "outbox:pause_everything",
    "outbox:late_rule",
    "outbox:decide",
    "outbox:delivery",
    "outbox:quiet_add",
    "outbox:quiet_change",
    "outbox:quiet_remove",
    "outbox:resume",
    "content_calendar:submit",
    "content_calendar:withdraw",
    "content_calendar:approve",
    "content_calendar:ask_for_changes",
    "content_calendar:comment",
    "content_calendar:comment_resolve",
    "content_calendar:review_link_revoke",
    "content_calendar:review_link_renew",
    "content_calendar:review_answer",
    "content_calendar:review_image",
    "content_calendar:mentions",
    "content_calendar:queue_add",
    "content_calendar:queue_remove",
    "content_calendar:queue_copy",
    "content_calendar:queue_pause",
    "content_calendar:enqueue",
    "content_calendar:series_content",
    "content_calendar:series_skip",
    "content_calendar:series_unskip",
    "content_calendar:series_end",
    "content_calendar:series_continue",
    "content_calendar:pool_pause",
    "content_calendar:pool_fill",
    "content_calendar:entry_content",
    "content_calendar:entry_remove",
    "content_calendar:templates_new",
    "content_calendar:templates_delete",
    "content_calendar:hashtags_delete",
    "content_calendar:snippets_delete",
    "content_calendar:save",
    "content_calendar:change",
    "content_calendar:check",
    "content_calendar:schedule",
    "content_calendar:publish",
    "content_calendar:unschedule",
    "content_calendar:duplicate",
    "content_calendar:delete",
    "content_calendar:restore",
    "content_calendar:retry",
    "content_calendar:cancel",
    "content_calendar:answer",
    "content_calendar:upload",
    "content_calendar:export",
    "content_calendar:export_start",
    "content_calendar:export_file",
    "content_calendar:export_discard",
    "content_calendar:import_sample",
    "content_calendar:import_verdicts",
    "content_calendar:import_confirm",
    "content_calendar:import_discard",
    "content_calendar:import_undo",
    "content_calendar:import_go_on",
    "content_calendar:media_file",
    "content_calendar:media_thumbnail",
    "library:upload",
    "library:change",
    "library:folder_delete",
    "library:pick",
    "library:tiles",
    "library:delete",
    "library:trim",
    "library:upload_start",
    "library:upload_piece",
    "library:upload_finish",
    "library:upload_cancel",
    "library:progress",
    "library:thumbnail",
    "library:frame",
    "account_confirm_login_code",
    "account_set_password",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
}
OF_NOBODY = (
    "account_login",
    "account_signup",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_inactive",
    "account_email_verification_sent",
    "account_confirm_email",
)
PLAIN = (
    "shell:today",
    "shell:notifications",
    "content_calendar:posts",
    "content_calendar:imports",
    "content_calendar:import_new",
    "content_calendar:exports",
    "content_calendar:preflight",
    "content_calendar:approvals",
    "content_calendar:approval_rules",
    "content_calendar:review_links",
    "content_calendar:review_link_new",
    "content_calendar:changes",
    "content_calendar:labels",
    "content_calendar:note_add",
    "content_calendar:saved_filters",
    "content_calendar:feeds",
    "content_calendar:queues",
    "content_calendar:series_list",
    "content_calendar:series_new",
    "content_calendar:pools",
    "content_calendar:pool_new",
    "library:library",
    "content_calendar:templates",
    "content_calendar:hashtags",
    "content_calendar:hashtags_new",
    "content_calendar:snippets",
    "content_calendar:snippets_new",
    "engagement:inbox",
    "engagement:numbers",
    "engagement:promises",
    "engagement:saved_replies",
    "engagement:saved_reply_create",
    "audience:contacts",
    "campaigns:campaigns",
    "campaigns:create",
    "campaigns:conversion_list",
    "campaigns:conversion_add",
    "campaigns:conversion_import",
    "accounts:account_list",
    "accounts:network_list",
    "accounts:connect",
    "campaigns:ad_accounts",
    "campaigns:ad_connect",
    "accounts:settings",
    "accounts:organization_create",
    "accounts:brand_list",
    "accounts:brand_create",
    "outbox:sending",
    "outbox:overdue",
    "accounts:member_list",
    "accounts:member_invite",
    "accounts:api_key_list",
    "accounts:api_key_create",
    "accounts:webhook_list",
    "accounts:webhook_create",
    "accounts:notification_preferences",
    "accounts:audit",
    "accounts:profile",
    "accounts:oauth_callback",
    "analytics:operations",
    "analytics:marketing",
    "analytics:together",
    "analytics:goal_create",
    "analytics:goals_archived",
    "analytics:accounts",
    "analytics:others",
    "account_email",
    "account_change_password",
    "account_reauthenticate",
    "account_logout",
    "mfa_index",
    "mfa_activate_totp",
)
VIEWS = ("month", "week", "day", "list")
NETWORKS = ("bluesky", "mastodon", "sandbox")


@dataclass(frozen=True, slots=True)
class LookedAt:
    """One page; ``name`` is unique, and the part before the first blank is the name of its URL."""

    name: str
    path: str


def of_nobody() -> list[LookedAt]:
    """Pages for people who are not signed in."""
    given: Mapping[str, Any] = {
        "account_confirm_email": ["an-old-key"],
        "account_reset_password_from_key": ["1", "an-old-key"],
    }
    pages = [LookedAt(name, reverse(name, args=given.get(name))) for name in OF_NOBODY]
    return [
        *pages,
        LookedAt("accounts:invitation", reverse("accounts:invitation", args=["an-old-token"])),
        LookedAt("content_calendar:review", reverse("content_calendar:review", args=["an-old-token"])),
        LookedAt("accounts:unsubscribe", reverse("accounts:unsubscribe", args=["an-old-token"])),
        LookedAt("404", "/there/is/no/such/page/"),
    ]


def _into(pages: list[LookedAt]) -> Callable[..., None]:
    """``add(name, pk, note="", query="")`` puts the page of one row into ``pages``."""

    def add(name: str, pk: Any, note: str = "", query: str = "") -> None:
        pages.append(LookedAt(f"{name} {note}".strip(), reverse(name, args=[pk]) + query))

    return add


def _add_planning(stage: Installation, add: Callable[..., None]) -> None:
    """A label, a note, a filter of the owner's, and a change of posts, which the owner makes here."""
    for name, table in (("label", "label"), ("note", "calendarnote"), ("filter", "savedfilter")):
        rows = stage.rows(f"SELECT id FROM content_calendar_{table} ORDER BY id LIMIT 1")  # noqa: S608
        add(f"content_calendar:{name}_change", rows[0]["id"])
    made = stage.rows(
        "INSERT INTO content_calendar_bulkaction (id, organization_id, actor_id, kind, created_at) "
        "SELECT gen_random_uuid(), m.organization_id, m.user_id, 'move', now() FROM accounts_membership m "
        "WHERE m.role = 'owner' ORDER BY m.created_at LIMIT 1 RETURNING id, organization_id"
    )[0]
    stage.rows(
        "INSERT INTO content_calendar_bulkchange (action_id, post_id, outcome, before, version, reason) "
        "SELECT %s, p.id, 'refused', '{}', 1, 'This time is over.' FROM content_calendar_post p "
        "JOIN accounts_brand b ON b.id = p.brand_id WHERE b.organization_id = %s ORDER BY p.id LIMIT 3",
        [made["id"], made["organization_id"]],
    )
    add("content_calendar:changes_detail", made["id"])


def _of_networks() -> list[LookedAt]:
    """Networks with an app of one's own, with a webhook of the account, and without either."""
    of_networks = {"network": ("facebook", "line", "sandbox"), "app_create": ("instagram",)}
    found = [
        LookedAt(f"accounts:{name} {key}", reverse(f"accounts:{name}", args=[key]))
        for name, keys in of_networks.items()
        for key in keys
    ]
    query = "?platform=meta_ads"
    return [*found, LookedAt("campaigns:ad_app_create", reverse("campaigns:ad_app_create") + query)]


def of_owner(stage: Installation) -> list[LookedAt]:
    """Pages for the demo's owner, of each kind one in every state that the demo has."""
    pages = [LookedAt(name, reverse(name)) for name in PLAIN]
    add = _into(pages)
    calendar = reverse("content_calendar:calendar")
    pages += [LookedAt(f"content_calendar:calendar {view}", f"{calendar}?view={view}") for view in VIEWS]
    pages.append(LookedAt("content_calendar:posts nothing", reverse("content_calendar:posts") + "?q=zzzzzz"))
    filtered = reverse("content_calendar:filter_add") + "?state=draft"
    pages.append(LookedAt("content_calendar:filter_add", filtered))
    _add_planning(stage, add)
    pages.append(LookedAt("content_calendar:compose", reverse("content_calendar:compose")))
    pages += [
        LookedAt(f"accounts:connect_network {key}", reverse("accounts:connect_network", args=[key]))
        for key in NETWORKS
    ]

    pages += _of_networks()

    for kind, table in (("templates", "template"), ("hashtags", "hashtaggroup"), ("snippets", "snippet")):
        (block,) = stage.rows(f"SELECT id FROM content_calendar_{table} ORDER BY id LIMIT 1")  # noqa: S608
        add(f"content_calendar:{kind}_edit", block["id"])
    posts = stage.rows(
        "SELECT DISTINCT ON (state) coalesce(d.state, 'draft') AS state, p.id "
        "FROM content_calendar_post p JOIN accounts_brand b ON b.id = p.brand_id "
        "JOIN accounts_organization o ON o.id = b.organization_id "
        "LEFT JOIN content_calendar_variant v ON v.post_id = p.id "
        "LEFT JOIN outbox_delivery d ON d.id = v.delivery_id "
        "WHERE o.name = 'Komorebi Studio' AND p.deleted_at IS NULL ORDER BY state, p.planned_at DESC"
    )
    for row in posts:
        add("content_calendar:post", row["id"], row["state"])
        if row["state"] in ("draft", "scheduled"):
            add("content_calendar:edit", row["id"], row["state"])
            add("content_calendar:move", row["id"], row["state"])
        if row["state"] == "sent":
            add("analytics:post_numbers", row["id"])
    reviewed = stage.rows(
        "SELECT DISTINCT ON (approval) id, approval FROM content_calendar_post "
        "WHERE approval IN ('in_review', 'changes_asked') AND deleted_at IS NULL ORDER BY approval, id"
    )
    for row in reviewed:
        add("content_calendar:post", row["id"], row["approval"])
        add("content_calendar:edit", row["id"], row["approval"])
        add("content_calendar:versions", row["id"], row["approval"])
    (link,) = stage.rows("SELECT id FROM content_calendar_reviewrequest LIMIT 1")
    add("content_calendar:review_link", link["id"])
    stage.rows(
        "INSERT INTO content_calendar_reviewkey (request_id, token_hash, created_at) "
        "VALUES (%s, %s, now()) ON CONFLICT DO NOTHING",
        [link["id"], hash_of(REVIEW_TOKEN)],
    )
    add("content_calendar:review", REVIEW_TOKEN, "open")
    for row in stage.rows("SELECT id, state FROM content_calendar_importbatch"):
        add("content_calendar:import_page", row["id"], row["state"])
        if row["state"] == "ready":
            add("content_calendar:import_reading", row["id"])
    (slot,) = stage.rows("SELECT account_id AS id FROM content_calendar_slot LIMIT 1")
    add("content_calendar:queue", slot["id"])
    (series,) = stage.rows("SELECT id FROM content_calendar_series LIMIT 1")
    add("content_calendar:series", series["id"])
    add("content_calendar:series_change", series["id"])
    (entry,) = stage.rows("SELECT id, pool_id FROM content_calendar_evergreenentry LIMIT 1")
    for name in ("pool", "pool_change", "entry_new"):
        add(f"content_calendar:{name}", entry["pool_id"])
    add("content_calendar:entry", entry["id"])
    (brand,) = stage.rows("SELECT id FROM accounts_brand WHERE name = 'Nordlicht Outdoor'")
    add("content_calendar:approval_rule", brand["id"])
    (account,) = stage.rows(
        "SELECT id FROM accounts_socialaccount WHERE handle LIKE %s LIMIT 1", ["aozora_coffee%"]
    )
    (member,) = stage.rows(
        "SELECT m.id FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id WHERE u.email = %s",
        ["anna@example.com"],
    )
    (asset,) = stage.rows("SELECT asset_id AS id FROM content_calendar_mediausage LIMIT 1")
    add("library:asset", asset["id"])
    add("library:crop", asset["id"])
    (folder,) = stage.rows("SELECT id, brand_id FROM content_calendar_mediafolder LIMIT 1")
    add("library:folder_edit", folder["id"])
    add("library:folder_create", folder["brand_id"])
    in_folder = f"{reverse('library:library')}?brand={folder['brand_id']}&folder={folder['id']}"
    pages.append(LookedAt("library:library folder", in_folder))
    add("accounts:brand_edit", brand["id"])
    add("accounts:member_edit", member["id"])
    for name in ("account_detail", "account_reconnect", "account_disconnect"):
        add(f"accounts:{name}", account["id"])
    add("analytics:account", account["id"])
    add("analytics:account", account["id"], "90 days", "?days=90")
    add("analytics:account_numbers", account["id"])
    goals = stage.rows(
        "SELECT DISTINCT ON (c.status) c.status, c.id AS checkin, g.id FROM analytics_goal g "
        "JOIN analytics_checkin c ON c.goal_id = g.id AND NOT c.is_final ORDER BY c.status"
    )
    for row in goals:
        add("analytics:goal", row["id"], row["status"])
    add("analytics:goal_edit", goals[0]["id"])
    add("analytics:driver_add", goals[0]["id"])
    add("analytics:checkin_note", goals[0]["checkin"])
    (link,) = stage.rows("SELECT id FROM analytics_driverlink ORDER BY created_at LIMIT 1")
    add("analytics:driver_edit", link["id"])
    for key in ("followers", "response_rate", "cpl"):
        path = reverse("analytics:passport", args=[key, "brand", brand["id"]])
        pages.append(LookedAt(f"analytics:passport {key}", path))
    pages.append(LookedAt("analytics:operations 90 days", reverse("analytics:operations") + "?days=90"))
    add("outbox:account_pause", account["id"])
    add("outbox:brand_sending", brand["id"])
    pages += [*_of_inbox(stage), *_of_campaigns(stage), *_of_audience(stage), *_of_webhooks(stage)]
    return pages


def _of_inbox(stage: Installation) -> list[LookedAt]:
    pages: list[LookedAt] = []
    add = _into(pages)
    # Of each kind one conversation, the newest.
    talks = stage.rows(
        "SELECT DISTINCT ON (c.kind) c.kind, c.id FROM engagement_conversation c "
        "JOIN accounts_brand b ON b.id = c.brand_id JOIN accounts_organization o ON o.id = b.organization_id "
        "WHERE c.identity_id IS NOT NULL AND o.name = 'Komorebi Studio' "
        "ORDER BY c.kind, c.last_message_at DESC"
    )
    for row in talks:
        add("engagement:conversation", row["id"], row["kind"])
        add("engagement:conversation", row["id"], f"{row['kind']} with its person", "?pane=person")
    (reply,) = stage.rows("SELECT id FROM engagement_savedreply ORDER BY title LIMIT 1")
    add("engagement:saved_reply_edit", reply["id"])
    return pages


def _of_campaigns(stage: Installation) -> list[LookedAt]:
    pages: list[LookedAt] = []
    add = _into(pages)
    # Of each state one campaign; what belongs to a campaign, of the running one.
    campaigns = stage.rows(
        "SELECT DISTINCT ON (state) CASE WHEN starts_on > current_date THEN 'planned' "
        "WHEN ends_on < current_date THEN 'ended' ELSE 'running' END AS state, id FROM campaigns_campaign "
        "ORDER BY state, starts_on"
    )
    for row in campaigns:
        add("campaigns:campaign", row["id"], row["state"])
    (running,) = [row["id"] for row in campaigns if row["state"] == "running"]
    tabs = ("posts", "links", "spend", "conversions", "attribution", "roi")
    for name in (*tabs, "edit", "spend_import"):
        add(f"campaigns:{name}", running)
    add("content_calendar:campaign_posts", running)
    nothing = reverse("campaigns:campaigns") + "?q=zzzzzz"
    pages.append(LookedAt("campaigns:campaigns nothing", nothing))
    (line,) = stage.rows(
        "SELECT id FROM campaigns_budgetline WHERE campaign_id = %s AND kind = 'labour' LIMIT 1", [running]
    )
    (entry,) = stage.rows("SELECT id FROM campaigns_spendentry WHERE campaign_id = %s LIMIT 1", [running])
    (file,) = stage.rows("SELECT id FROM campaigns_csvimport WHERE kind = 'spend' LIMIT 1")
    (carried,) = stage.rows(
        "SELECT delivery_id AS id FROM campaigns_trackedlink WHERE delivery_id IS NOT NULL LIMIT 1"
    )
    add("campaigns:line_edit", line["id"])
    add("campaigns:spend_edit", entry["id"])
    add("campaigns:spend_import_page", file["id"])
    for kind in ("conversion_add", "conversion_import"):
        address = f"{reverse(f'campaigns:{kind}')}?campaign={running}"
        pages.append(LookedAt(f"campaigns:{kind} of a campaign", address))
    (sale,) = stage.rows(
        "SELECT id FROM campaigns_conversion WHERE campaign_id = %s AND kind = 'sale' LIMIT 1", [running]
    )
    (reported,) = stage.rows("SELECT id FROM campaigns_csvimport WHERE kind = 'conversions' LIMIT 1")
    add("campaigns:conversion", sale["id"])
    add("campaigns:conversion_import_page", reported["id"])
    add("campaigns:delivery_links", carried["id"])
    return pages


def _of_audience(stage: Installation) -> list[LookedAt]:
    pages: list[LookedAt] = []
    add = _into(pages)
    # Whoever did most, and somebody else of the same brand, to be merged.
    (busy,) = stage.rows(
        "SELECT i.contact_id AS id, i.id AS identity, i.brand_id FROM audience_identity i "
        "JOIN audience_activity a ON a.identity_id = i.id GROUP BY i.id ORDER BY count(*) DESC, i.id LIMIT 1"
    )
    (other,) = stage.rows(
        "SELECT id FROM audience_contact WHERE brand_id = %s AND id <> %s AND merged_into_id IS NULL "
        "AND erased_at IS NULL ORDER BY id LIMIT 1",
        [busy["brand_id"], busy["id"]],
    )
    for name in ("contact", "facts", "merge", "erase"):
        add(f"audience:{name}", busy["id"])
    add("audience:merge", busy["id"], "preview", f"?other={other['id']}")
    add("audience:person_pane", busy["identity"])
    pages.append(LookedAt("audience:contacts nothing", reverse("audience:contacts") + "?q=zzzzzz"))
    return pages


def _of_webhooks(stage: Installation) -> list[LookedAt]:
    """The demo has none, so that it calls nobody: one that works and one that was switched off are put there,
    both without a kind to be told of."""
    working, failing = "00000000-0000-7000-8000-0000000000a1", "00000000-0000-7000-8000-0000000000a2"
    for key, name, is_off in ((working, "Pager of the team", False), (failing, "Old chat", True)):
        stage.rows(
            "INSERT INTO accounts_webhookendpoint (id, organization_id, name, url, kinds, secret, "
            "created_at, disabled_at, is_off_for_failing, failures, fence) SELECT %s, id, %s, "
            "'https://hooks.example.com/in', '[]', '', now(), CASE WHEN %s THEN now() END, %s, 0, 0 "
            "FROM accounts_organization WHERE name = 'Komorebi Studio' ON CONFLICT DO NOTHING",
            [key, name, is_off, is_off],
        )
        for state, status, excerpt in (
            ("delivered", 200, "ok"),
            ("given_up", 500, "no such channel"),
            ("given_up", None, "hooks.example.com: no answer in time"),
        ):
            stage.rows(
                "INSERT INTO accounts_webhookmessage (id, endpoint_id, kind, dedupe_key, body, created_at, "
                "state, tries, tried_at, status_code, duration_ms, excerpt) VALUES (gen_random_uuid(), %s, "
                "'delivery_failed', %s, '{}', now(), %s, 3, now(), %s, 120, %s) ON CONFLICT DO NOTHING",
                [key, excerpt, state, status, excerpt],
            )
    return [
        LookedAt("accounts:webhook", reverse("accounts:webhook", args=[working])),
        LookedAt("accounts:webhook off", reverse("accounts:webhook", args=[failing])),
        LookedAt("accounts:webhook_edit", reverse("accounts:webhook_edit", args=[working])),
    ]


STILL = """
() => {
  const moves = (one) => one.playState === "running" && Number.isFinite(one.effect?.getTiming().iterations);
  return !document.querySelector(".htmx-request, [aria-busy=true]") && !document.getAnimations().some(moves);
}
"""
SETTLE_TIMEOUT_S = 30.0


def settle(page: Page) -> None:
    """Wait until what loads by itself is there, and nothing moves any more."""
    page.wait_for_load_state("load")
    # Playwright's own waiting evaluates text in the page, which our content security policy forbids.
    give_up = time.monotonic() + SETTLE_TIMEOUT_S
    while not page.evaluate(STILL):
        if time.monotonic() > give_up:
            raise AssertionError(f"{page.url} still loads or moves after {SETTLE_TIMEOUT_S:.0f} s")
        page.wait_for_timeout(50)
