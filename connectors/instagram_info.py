"""What Instagram is: its limits, how it is connected, what it asks of a post (connectors/instagram.py)."""

from __future__ import annotations

from connectors.base import (
    AppSetup,
    Capability,
    ConnectField,
    ConnectMethod,
    Feature,
    ImageLimit,
    PlatformInfo,
    PostField,
    PostLook,
    Rate,
    RetrySafety,
    StoryLimit,
    TextLimit,
    TextUnit,
    VideoLimit,
)
from connectors.instagram_inbox import KEY

INSTAGRAM, FACEBOOK = "instagram", "facebook"
FEED, STORY = "feed", "story"

# What the scopes of Instagram Login are called with Facebook Login.
AT_FACEBOOK = {
    "instagram_business_basic": ("instagram_basic", "pages_show_list", "pages_read_engagement"),
    "instagram_business_content_publish": ("instagram_content_publish",),
    "instagram_business_manage_comments": ("instagram_manage_comments", "pages_manage_metadata"),
    "instagram_business_manage_messages": ("instagram_manage_messages", "pages_manage_metadata"),
    "instagram_business_manage_insights": ("instagram_manage_insights",),
}

INFO = PlatformInfo(
    key=KEY,
    name="Instagram",
    capabilities=frozenset(
        {
            Capability.POST_IMAGES,
            Capability.POST_VIDEO,
            Capability.SHORT_VIDEO,
            Capability.STORY,
            Capability.FIRST_COMMENT,
            Capability.ALT_TEXT,
            Capability.ACCOUNT_METRICS,
            Capability.POST_METRICS,
            Capability.INBOX_COMMENTS,
            Capability.INBOX_MENTIONS,
            Capability.INBOX_MESSAGES,
            Capability.REPLY,
            Capability.SEND_MESSAGE,
            Capability.HIDE,
            Capability.DELETE_COMMENT,
            Capability.COMPETITORS,
            Capability.WEBHOOKS,
        }
    ),
    connect_method=ConnectMethod.OAUTH,
    connect_fields=(),
    scopes=tuple(AT_FACEBOOK),
    text=TextLimit(max_units=2200, unit=TextUnit.CODEPOINTS, max_hashtags=30, max_mentions=20),
    images=ImageLimit(
        max_count=10,
        max_bytes=8 * 1024 * 1024,
        mime_types=("image/jpeg",),
        alt_text_max=1000,
        min_ratio=0.8,
        max_ratio=1.91,
    ),
    videos=VideoLimit(
        max_count=10,
        max_bytes=300 * 1024 * 1024,
        max_seconds=900,
        min_seconds=3,
        mime_types=("video/mp4", "video/quicktime"),
        alt_text_max=1000,  # not shown by Instagram: alternative text is of images
        max_frame_rate=60,
        with_images=True,
        takes_cover=True,
    ),
    media_max=10,
    story=StoryLimit(max_seconds=60),
    thread_max=1,
    # Meta: Content publishing, 100 in 24 hours, stories too, a carousel is one. Other documents say 50
    # and 25: what ``fetch_quotas`` is told of the account goes first.
    rates=(Rate("publications", 100, 86_400, quota="Posts"),),
    retry_safety=RetrySafety.TWO_PHASE,
    consistency_window_s=60,
    color="#c13584",
    icon="brand-instagram",
    account_metrics=("followers", "following", "posts"),
    post_metrics=("likes", "comments", "shares", "impressions", "bookmarks", "reach"),
    message_text=TextLimit(max_units=1000, unit=TextUnit.UTF8_BYTES),
    look=PostLook(
        text="below", fold_lines=2, gallery="3x2", actions=("heart", "message-circle", "send", "bookmark")
    ),
    tagline=(
        "For Business and Creator accounts. Instagram fetches images and videos from this installation, "
        "so it needs a public HTTPS address."
    ),
    app=AppSetup(
        console_url="https://developers.facebook.com/apps/",
        steps=(
            "Create an app for a business at Meta for Developers and add the product “Instagram” to it.",
            (
                "For Instagram Login open “API setup with Instagram login”: its Instagram app ID and "
                "Instagram app secret are what to enter here, not those of the Meta app."
            ),
            "Enter the redirect address under “Business login settings” as an OAuth redirect URI.",
            (
                "For Facebook Login add the product “Facebook Login for Business” in place of that, enter "
                "the redirect address in its settings, and copy the app ID and app secret from "
                "“App settings”, “Basic”."
            ),
            (
                "Under “Webhooks” choose the object Instagram, enter the address of the webhook with its "
                "verify token, and subscribe to comments, mentions and messages."
            ),
            (
                "Where the redirect address stands, enter the address of the webhook as “Deauthorize "
                "callback URL”, too, and the address for requests of deletion as “Data deletion request URL”."
            ),
            "While the app is in development, add each account as an Instagram tester under “App roles”.",
        ),
        review=(
            "For accounts of others Meta wants App Review (Advanced Access) for each permission and Business "
            "Verification. Accounts with a role in the app work without."
        ),
        id_label="App ID",
        secret_label="App secret",  # noqa: S106 - a label
        fields=(
            ConnectField(
                name="login",
                label="Sign-in",
                kind="choice",
                choices=((INSTAGRAM, "Instagram Login"), (FACEBOOK, "Facebook Login, through a Page")),
                help_text=(
                    "Instagram Login needs no Page. Facebook Login connects all accounts that are linked to "
                    "Pages at once and can look at other accounts."
                ),
            ),
            ConnectField(
                name="config_id",
                label="Configuration ID",
                kind="text",
                is_required=False,
                help_text=(
                    "Only with Facebook Login for Business, where permissions stand in a configuration."
                ),
            ),
        ),
    ),
    features=(
        Feature(
            key="publish",
            label="Profile and posts",
            scopes=("instagram_business_basic", "instagram_business_content_publish"),
            is_required=True,
        ),
        Feature(
            key="comments",
            label="Comments and mentions",
            scopes=("instagram_business_manage_comments",),
            capabilities=frozenset(
                {
                    Capability.INBOX_COMMENTS,
                    Capability.INBOX_MENTIONS,
                    Capability.REPLY,
                    Capability.FIRST_COMMENT,
                    Capability.HIDE,
                    Capability.DELETE_COMMENT,
                }
            ),
        ),
        Feature(
            key="messages",
            label="Direct messages",
            scopes=("instagram_business_manage_messages",),
            capabilities=frozenset({Capability.INBOX_MESSAGES, Capability.SEND_MESSAGE}),
        ),
        Feature(
            key="insights",
            label="Reach and views of posts",
            scopes=("instagram_business_manage_insights",),
        ),
    ),
    post_fields=(
        PostField(
            name="placement",
            label="Where to post",
            kind="choice",
            choices=((FEED, "Feed"), (STORY, "Story")),
            default=FEED,
            help_text="A single video in the feed is a Reel. A story has one image or video and no caption.",
        ),
    ),
    takes_media_by_url=True,
    seen_live=False,
)
