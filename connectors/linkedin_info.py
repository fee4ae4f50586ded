"""What LinkedIn is: see ``connectors/linkedin.py`` for the documents and what is not confirmed by one."""

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
    TextLimit,
    TextUnit,
    VideoLimit,
)
from connectors.linkedin_calls import API_VERSION, KEY

POSTS = frozenset(
    {
        Capability.POST_TEXT,
        Capability.POST_IMAGES,
        Capability.POST_VIDEO,
        Capability.LINK_CARD,
        Capability.ALT_TEXT,
    }
)
PAGE_COMMENTS = frozenset(
    {
        Capability.FIRST_COMMENT,
        Capability.INBOX_COMMENTS,
        Capability.INBOX_MENTIONS,
        Capability.REPLY,
        Capability.LIKE,
        Capability.DELETE_COMMENT,
        Capability.WEBHOOKS,
    }
)
PAGE_COUNTS = frozenset({Capability.ACCOUNT_METRICS, Capability.POST_METRICS, Capability.COMPETITORS})
# No app has all of this: LinkedIn refuses a sign-in that asks for more than the app's products allow. Chosen
# from the start is what an app gets at once.
FEATURES = (
    Feature("member", "Post as yourself", ("w_member_social",), POSTS, is_required=True),
    Feature("name", "Your name and picture (app with “Sign In with LinkedIn”)", ("openid", "profile")),
    Feature(
        "pages",
        "Post as the pages that you manage (app with “Community Management API”)",
        ("r_basicprofile", "r_organization_social", "w_organization_social", "rw_organization_admin"),
        PAGE_COUNTS,
        is_default=False,
    ),
    Feature(
        "page_comments",
        "Comments and mentions of these pages (app with “Community Management API”)",
        ("r_organization_social_feed", "w_organization_social_feed"),
        PAGE_COMMENTS,
        is_default=False,
    ),
    Feature(
        "member_comments",
        "First comments below your own posts (app with “Community Management API”)",
        ("w_member_social_feed",),
        is_default=False,
    ),
    Feature(
        "member_reads",
        "Read your own posts (only where LinkedIn approved it)",
        ("r_member_social",),
        is_default=False,
    ),
)

INFO = PlatformInfo(
    key=KEY,
    name="LinkedIn",
    capabilities=POSTS | PAGE_COMMENTS | PAGE_COUNTS,
    connect_method=ConnectMethod.OAUTH,
    connect_fields=(),
    scopes=tuple(scope for feature in FEATURES for scope in feature.scopes),
    text=TextLimit(max_units=3000, unit=TextUnit.UTF16),
    comment_text=TextLimit(max_units=1250, unit=TextUnit.UTF16),
    images=ImageLimit(
        max_count=20,
        max_bytes=5 * 1024 * 1024,
        mime_types=("image/jpeg", "image/png", "image/gif"),
        alt_text_max=4086,
        max_pixels=36_152_320,
    ),
    videos=VideoLimit(
        max_count=1,
        max_bytes=500 * 1024 * 1024,
        max_seconds=1800,
        min_seconds=3,
        mime_types=("video/mp4",),
        alt_text_max=4086,
        max_frame_rate=60,
        takes_cover=True,
    ),
    thread_max=1,
    rates=(Rate("posts", 150, 86_400),),
    retry_safety=RetrySafety.NEITHER,
    consistency_window_s=180,
    color="#0a66c2",
    icon="brand-linkedin",
    account_metrics=("followers",),
    post_metrics=("likes", "comments", "shares", "impressions", "reach", "clicks"),
    look=PostLook(
        text="below",
        fold_lines=3,
        card="large",
        actions=("thumb-up", "message-circle", "repeat", "send"),
    ),
    tagline=(
        "A connection ends after 60 days, unless LinkedIn gives your app refresh tokens. You are told before."
    ),
    refuses_duplicates=True,
    app=AppSetup(
        console_url="https://www.linkedin.com/developers/apps",
        steps=(
            "Choose “Create app” and name the LinkedIn page of your company. An admin of it has to confirm.",
            "To post as a person, add “Share on LinkedIn” and “Sign In with LinkedIn using OpenID Connect”.",
            "To post as a page, ask for “Community Management API”, in an app that has no other product.",
            "Under “Auth”, add the redirect address below.",
            "Copy the client ID and the primary client secret.",
            "If your app has “Webhooks”, add the webhook address below there.",
        ),
        review=(
            "“Community Management API” is given after a look at your company; for more than a few calls "
            "a day LinkedIn wants a video of what the app does. Posting as a person needs no review."
        ),
        secret_label="Primary client secret",  # noqa: S106 - a label
        fields=(
            ConnectField(
                name="version",
                label="Version of the API",
                kind="text",
                placeholder=API_VERSION,
                help_text=(
                    "LinkedIn ends each version after about a year. Leave it empty unless LinkedIn refuses "
                    "the version that this application was made for."
                ),
                is_required=False,
            ),
            ConnectField(
                name="application_id",
                label="Number of the app",
                kind="text",
                placeholder="12345678",
                help_text=(
                    "For webhooks: the number in the address of your app in LinkedIn's developer portal."
                ),
                is_required=False,
            ),
            ConnectField(
                name="webhook_url",
                label="Webhook address",
                kind="text",
                placeholder="https://",
                help_text=(
                    "For webhooks: store the app first, then copy the address that is shown here, and "
                    "connect the pages again. Without it comments are read every few minutes."
                ),
                is_required=False,
            ),
        ),
    ),
    features=FEATURES,
    post_fields=(
        PostField(
            name="visibility",
            label="Who sees it",
            kind="choice",
            choices=(("PUBLIC", "Everybody"), ("CONNECTIONS", "Your contacts")),
            default="PUBLIC",
        ),
    ),
    seen_live=False,
)


def scopes_of(key: str) -> tuple[str, ...]:
    return next(feature.scopes for feature in FEATURES if feature.key == key)
