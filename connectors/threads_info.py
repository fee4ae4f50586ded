"""What Threads is: its limits, how it is connected, what it asks of a post (connectors/threads.py)."""

from __future__ import annotations

from connectors.base import (
    AppSetup,
    Capability,
    ConnectMethod,
    Feature,
    ImageLimit,
    PlatformInfo,
    PostField,
    PostLook,
    Rate,
    RetrySafety,
    TextLimit,
    TextUnit,
    VideoLimit,
)
from connectors.threads_inbox import KEY

INFO = PlatformInfo(
    key=KEY,
    name="Threads",
    capabilities=frozenset(
        {
            Capability.POST_TEXT,
            Capability.POST_IMAGES,
            Capability.POST_VIDEO,
            Capability.POST_THREAD,
            Capability.FIRST_COMMENT,
            Capability.ALT_TEXT,
            Capability.SENSITIVE_MEDIA,
            Capability.ACCOUNT_METRICS,
            Capability.POST_METRICS,
            Capability.INBOX_COMMENTS,
            Capability.INBOX_MENTIONS,
            Capability.REPLY,
            Capability.HIDE,
            Capability.COMPETITORS,
            Capability.WEBHOOKS,
        }
    ),
    connect_method=ConnectMethod.OAUTH,
    connect_fields=(),
    scopes=(
        "threads_basic",
        "threads_content_publish",
        "threads_read_replies",
        "threads_manage_replies",
        "threads_manage_mentions",
        "threads_manage_insights",
        "threads_profile_discovery",
    ),
    text=TextLimit(max_units=500, unit=TextUnit.EMOJI_BYTES),
    images=ImageLimit(
        max_count=20, max_bytes=8 * 1024 * 1024, mime_types=("image/jpeg", "image/png"), alt_text_max=1000
    ),
    videos=VideoLimit(
        max_count=20,
        max_bytes=1024 * 1024 * 1024,
        max_seconds=300,
        mime_types=("video/mp4", "video/quicktime"),
        alt_text_max=1000,
        max_frame_rate=60,
        with_images=True,
    ),
    media_max=20,
    thread_max=25,
    # Threads: Overview, "Rate limits"; what ``fetch_quotas`` is told of the account goes first.
    rates=(
        Rate("publications", 250, 86_400, quota="Posts"),
        Rate("replies", 1000, 86_400, quota="Replies"),
    ),
    retry_safety=RetrySafety.TWO_PHASE,
    consistency_window_s=60,
    color="#101010",
    icon="brand-threads",
    account_metrics=("followers",),
    post_metrics=("likes", "comments", "shares", "impressions", "quotes"),
    tagline=(
        "Threads fetches images and videos from this installation, so it needs a public HTTPS address for "
        "them."
    ),
    look=PostLook(makes_card=True, card="large", actions=("heart", "message-circle", "repeat", "send")),
    app=AppSetup(
        console_url="https://developers.facebook.com/apps/",
        steps=(
            "Create an app at Meta for Developers and choose the use case “Access the Threads API”.",
            "Under “Use cases”, “Customize”, add the permissions that you need.",
            "In the settings of the use case enter the redirect address as a redirect callback URL.",
            (
                "Enter the address of the webhook as uninstall callback URL, and the address for requests "
                "of deletion as delete callback URL."
            ),
            (
                "For replies and mentions at once, add the webhooks of Threads there: enter the address of "
                "the webhook with its verify token, and subscribe to replies and mentions."
            ),
            "Copy the Threads app ID and the Threads app secret from “App settings”, “Basic”.",
            (
                "While the app is in development, add each account as a Threads tester under “App roles”, "
                "and accept the invitation in the settings of Threads, “Website permissions”."
            ),
        ),
        review=(
            "For accounts of others, and for webhooks, Meta wants App Review (Advanced Access) for each "
            "permission and Business Verification. Accounts with a role in the app work without. Without it, "
            "only the accounts of Meta can be looked up."
        ),
        id_label="Threads app ID",
        secret_label="Threads app secret",  # noqa: S106 - a label
    ),
    features=(
        Feature(
            key="publish",
            label="Publish posts",
            scopes=("threads_basic", "threads_content_publish"),
            is_required=True,
        ),
        Feature(
            key="replies",
            label="Threads of several posts, first comments, and reading, answering and hiding replies",
            scopes=("threads_read_replies", "threads_manage_replies"),
            capabilities=frozenset(
                {
                    Capability.POST_THREAD,
                    Capability.FIRST_COMMENT,
                    Capability.INBOX_COMMENTS,
                    Capability.REPLY,
                    Capability.HIDE,
                }
            ),
        ),
        Feature(
            key="mentions",
            label="Read mentions",
            scopes=("threads_manage_mentions",),
            capabilities=frozenset({Capability.INBOX_MENTIONS}),
        ),
        Feature(
            key="metrics",
            label="Read counts of posts and followers",
            scopes=("threads_manage_insights",),
            capabilities=frozenset({Capability.ACCOUNT_METRICS, Capability.POST_METRICS}),
        ),
        Feature(
            key="competitors",
            label="Look at other public accounts",
            scopes=("threads_profile_discovery",),
            capabilities=frozenset({Capability.COMPETITORS}),
        ),
    ),
    post_fields=(
        PostField(
            name="topic",
            label="Topic",
            max_length=50,
            forbidden=".&",
            help_text="One topic that the post is shown under. It may not contain “.” or “&”.",
        ),
        PostField(
            name="reply_control",
            label="Who may reply",
            kind="choice",
            choices=(
                ("everyone", "Everyone"),
                ("followers_only", "Your followers"),
                ("accounts_you_follow", "Accounts that you follow"),
                ("mentioned_only", "Only accounts that are mentioned"),
            ),
            default="everyone",
        ),
    ),
    takes_media_by_url=True,
    seen_live=False,
)
