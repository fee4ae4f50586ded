"""What X is and takes, and what its calls cost. Documents: docs.x.com, see ``connectors/x.py``."""

from __future__ import annotations

import dataclasses

from connectors.base import (
    AppSetup,
    Capability,
    ConnectField,
    ConnectMethod,
    Feature,
    ImageLimit,
    PlatformInfo,
    PostLook,
    Rate,
    RetrySafety,
    TextLimit,
    TextUnit,
    VideoLimit,
)

KEY = "x"
POSTS = frozenset(
    {
        Capability.POST_TEXT,
        Capability.POST_IMAGES,
        Capability.POST_VIDEO,
        Capability.POST_THREAD,
        Capability.FIRST_COMMENT,
        Capability.ALT_TEXT,
    }
)
SIGNED_IN = POSTS | {Capability.WEBHOOKS}  # what nobody has to choose
READ = ("tweet.read", "users.read")  # what every other scope wants beside it
FEATURES = (
    Feature(
        key="publish",
        label="Profile and posts",
        scopes=(*READ, "tweet.write", "media.write", "offline.access"),
        is_required=True,
    ),
    Feature(
        key="counts",
        label=(
            "Counts of posts and followers. X charges $0.005 a day for each post of the last 90 days, and "
            "$0.01 for the account."
        ),
        scopes=READ,
        capabilities=frozenset({Capability.ACCOUNT_METRICS, Capability.POST_METRICS}),
        is_default=False,
    ),
    Feature(
        key="comments",
        label=(
            "Comments and mentions. X charges about $0.015 for each that comes in, and as much for an answer "
            "or a like."
        ),
        scopes=(*READ, "like.write", "tweet.moderate.write"),
        capabilities=frozenset(
            {
                Capability.INBOX_COMMENTS,
                Capability.INBOX_MENTIONS,
                Capability.REPLY,
                Capability.LIKE,
                Capability.HIDE,
            }
        ),
        is_default=False,
    ),
    Feature(
        key="messages",
        label=(
            "Direct messages. X charges $0.01 for each that is read, $0.015 for an answer, and up to $0.10 a "
            "day for looking."
        ),
        scopes=(*READ, "dm.read", "dm.write"),
        capabilities=frozenset({Capability.INBOX_MESSAGES, Capability.SEND_MESSAGE}),
        is_default=False,
    ),
    Feature(
        key="others",
        label="Look at other public accounts. X charges $0.01 for each look.",
        scopes=READ,
        capabilities=frozenset({Capability.COMPETITORS}),
        is_default=False,
    ),
)
INFO = PlatformInfo(
    key=KEY,
    name="X",
    capabilities=SIGNED_IN.union(*(one.capabilities for one in FEATURES)),
    connect_method=ConnectMethod.OAUTH,
    connect_fields=(),
    by_form=(
        ConnectField(name="consumer_key", label="API key", kind="text"),
        ConnectField(name="consumer_secret", label="API key secret", kind="password"),
        ConnectField(name="access_token", label="Access token", kind="text"),
        ConnectField(
            name="token_secret",
            label="Access token secret",
            kind="password",
            help_text=(
                "All four are under “Keys and tokens” of your app in the developer console of X. Give the "
                "app the permission “Read and write” first, then make the access token: it keeps the "
                "permission that it was made with."
            ),
        ),
    ),
    scopes=tuple(dict.fromkeys(scope for one in FEATURES for scope in one.scopes)),
    # One cashtag is what self-serve apps are allowed (posts/manage-tweets/integrate).
    text=TextLimit(max_units=280, unit=TextUnit.WEIGHTED, url_units=23, urls_bare=True, max_cashtags=1),
    images=ImageLimit(
        max_count=4,
        max_bytes=5 * 1024 * 1024,
        mime_types=("image/jpeg", "image/png", "image/webp"),
        alt_text_max=1000,
    ),
    videos=VideoLimit(
        max_count=1,
        max_bytes=512 * 1024 * 1024,
        max_seconds=140,
        min_seconds=0.5,
        mime_types=("video/mp4",),
        alt_text_max=1000,
        min_ratio=0.33,  # 1:3
        max_ratio=3.0,
        max_frame_rate=60,
    ),
    thread_max=25,
    rates=(Rate("posts", 100, 900), Rate("posts", 10_000, 86_400, of_app=True)),  # fundamentals/rate-limits
    retry_safety=RetrySafety.NEITHER,
    consistency_window_s=60,
    account_metrics=("followers", "following", "posts"),
    post_metrics=("likes", "comments", "shares", "impressions", "quotes", "bookmarks", "clicks"),
    message_text=TextLimit(max_units=10_000, unit=TextUnit.CODEPOINTS),
    counts_every_s=6 * 3600,
    inbox_every_s=15 * 60,
    color="#14171a",
    icon="brand-x",
    look=PostLook(
        link_shows=26,
        links_bare=True,
        gallery="2x1",
        makes_card=True,
        card="large",
        actions=("message-circle", "repeat", "heart", "chart-bar", "bookmark"),
    ),
    tagline="X charges your developer app for every post: about $0.015, with a link $0.20.",
    refuses_duplicates=True,
    app=AppSetup(
        console_url="https://console.x.com/",
        steps=(
            "Sign in at the developer console of X, make an app, and buy credits: X charges for every call.",
            "In the app, set up “User authentication settings”.",
            (
                "As app permissions choose “Read and write”, or “Read and write and Direct message” if "
                "direct messages are to be read and answered."
            ),
            "As type of app choose “Web App, Automated App or Bot”.",
            "Enter the redirect address below as callback URI, and the address of your website.",
            "Copy the client ID and the client secret of OAuth 2.0. The API key is something else.",
            (
                "Only for webhooks, which X sells apart (Account Activity): copy the API key secret, too, "
                "and register the address that is shown here once the app is stored."
            ),
        ),
        fields=(
            ConnectField(
                name="consumer_secret",
                label="API key secret",
                kind="password",
                help_text=(
                    "Only for webhooks: X signs them with it. They tell at once when somebody takes the "
                    "permission back; the inbox is read at most every 15 minutes all the same."
                ),
                is_required=False,
            ),
        ),
    ),
    features=FEATURES,
    seen_live=False,
)
# An account that is connected with keys.
WITH_KEYS = dataclasses.replace(
    INFO.as_form(), capabilities=POSTS, account_metrics=(), post_metrics=(), message_text=None
)
