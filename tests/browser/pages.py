"""Every page of the application in the demo's installation, by the name of its URL.

``of_owner`` and ``of_nobody`` give what a browser can be sent to; ``NO_PAGES`` names the rest.
tests/browser/test_looks.py fails when a new name is in none of them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from playwright.sync_api import Page

from tests.browser.stage import Installation

# Fragments, files, actions behind a button, redirects, steps of a flow that need one under way.
NO_PAGES = {
    "healthz",
    "shell:notifications_read",
    "shell:notification_open",
    "shell:badges",
    "shell:switch",
    "shell:language",
    "accounts:account_check",
    "accounts:brand_archive",
    "accounts:brand_restore",
    "accounts:member_deactivate",
    "accounts:member_reactivate",
    "accounts:invitation_resend",
    "accounts:invitation_revoke",
    "accounts:organization_edit",
    "analytics:index",
    "content_calendar:events",
    "outbox:pause_account",
    "outbox:pause_brand",
    "outbox:resume",
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
    "content_calendar:media_file",
    "content_calendar:media_thumbnail",
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
    "accounts:account_list",
    "accounts:connect",
    "accounts:settings",
    "accounts:organization_create",
    "accounts:brand_list",
    "accounts:brand_create",
    "accounts:member_list",
    "accounts:member_invite",
    "accounts:audit",
    "accounts:profile",
    "accounts:oauth_callback",
    "analytics:accounts",
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
        LookedAt("404", "/there/is/no/such/page/"),
    ]


def of_owner(stage: Installation) -> list[LookedAt]:
    """Pages for the demo's owner, of each kind one in every state that the demo has."""
    pages = [LookedAt(name, reverse(name)) for name in PLAIN]

    def add(name: str, pk: Any, note: str = "", query: str = "") -> None:
        pages.append(LookedAt(f"{name} {note}".strip(), reverse(name, args=[pk]) + query))

    calendar = reverse("content_calendar:calendar")
    pages += [LookedAt(f"content_calendar:calendar {view}", f"{calendar}?view={view}") for view in VIEWS]
    pages.append(LookedAt("content_calendar:posts nothing", reverse("content_calendar:posts") + "?q=zzzzzz"))
    pages.append(LookedAt("content_calendar:compose", reverse("content_calendar:compose")))
    pages += [
        LookedAt(f"accounts:connect_network {key}", reverse("accounts:connect_network", args=[key]))
        for key in NETWORKS
    ]

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
    (brand,) = stage.rows("SELECT id FROM accounts_brand WHERE name = 'Nordlicht Outdoor'")
    (account,) = stage.rows(
        "SELECT id FROM accounts_socialaccount WHERE handle LIKE %s LIMIT 1", ["aozora_coffee%"]
    )
    (member,) = stage.rows(
        "SELECT m.id FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id WHERE u.email = %s",
        ["anna@example.com"],
    )
    add("accounts:brand_edit", brand["id"])
    add("accounts:member_edit", member["id"])
    for name in ("account_detail", "account_reconnect", "account_disconnect"):
        add(f"accounts:{name}", account["id"])
    add("analytics:account", account["id"])
    add("analytics:account", account["id"], "90 days", "?days=90")
    add("analytics:account_numbers", account["id"])
    add("outbox:account_pause", account["id"])
    return pages


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
