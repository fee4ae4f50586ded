"""What a Facebook Page is: its limits, how it is connected, what is asked of a post (see facebook.py)."""

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
from connectors.facebook_inbox import KEY

FEED, STORY = "feed", "story"

INFO = PlatformInfo(
    key=KEY,
    name="Facebook",
    capabilities=frozenset(
        {
            Capability.POST_TEXT,
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
            Capability.INBOX_REVIEWS,
            Capability.REPLY,
            Capability.SEND_MESSAGE,
            Capability.LIKE,
            Capability.HIDE,
            Capability.DELETE_COMMENT,
            Capability.COMPETITORS,
            Capability.WEBHOOKS,
        }
    ),
    connect_method=ConnectMethod.OAUTH,
    connect_fields=(),
    scopes=(
        "pages_show_list",
        "pages_read_engagement",
        "pages_manage_posts",
        "pages_read_user_content",
        "pages_manage_engagement",
        "pages_messaging",
        "read_insights",
        "pages_manage_metadata",
        "business_management",
    ),
    text=TextLimit(max_units=63_206, unit=TextUnit.CODEPOINTS),
    images=ImageLimit(
        max_count=10,
        max_bytes=10 * 1024 * 1024,
        mime_types=("image/jpeg", "image/png"),
        alt_text_max=1000,
    ),
    videos=VideoLimit(
        max_count=1,
        max_bytes=1024 * 1024 * 1024,  # ours: Facebook takes more, in more than one worker's patience
        max_seconds=14_400,
        min_seconds=1,
        mime_types=("video/mp4", "video/quicktime"),
        alt_text_max=1000,  # not shown by Facebook: alternative text is of images
        max_frame_rate=60,
    ),
    story=StoryLimit(max_seconds=60),
    thread_max=1,
    # Meta: Reels publishing, "30 API-published posts within a 24-hour moving period"; all else is calls.
    rates=(Rate("reels", 30, 86_400),),
    retry_safety=RetrySafety.IDEMPOTENT,
    consistency_window_s=60,
    color="#0866ff",
    icon="brand-facebook",
    account_metrics=("followers",),
    post_metrics=("likes", "comments", "shares", "impressions", "reach", "clicks"),
    message_text=TextLimit(max_units=2000, unit=TextUnit.CODEPOINTS),
    look=PostLook(
        text="below",
        fold_lines=5,
        makes_card=True,
        card="large",
        actions=("thumb-up", "message-circle", "share-3"),
    ),
    tagline="For Pages, not for personal profiles: Facebook lets no app post to those.",
    refuses_duplicates=True,
    app=AppSetup(
        console_url="https://developers.facebook.com/apps/",
        steps=(
            "Create an app for a business at Meta for Developers and add the product “Facebook Login”.",
            "Enter the redirect address in the settings of Facebook Login as a valid OAuth redirect URI.",
            "Copy the app ID and the app secret from “App settings”, “Basic”.",
            (
                "Under “Webhooks” choose the object Page, enter the address of the webhook with its verify "
                "token, and subscribe to feed, mention, messages and ratings."
            ),
            (
                "In the settings of Facebook Login enter the address of the webhook as “Deauthorize callback "
                "URL”, and the address for requests of deletion as “Data deletion request URL”."
            ),
            "Add the product “Messenger” if direct messages are to be read and answered.",
            "While the app is in development, give everybody who connects a Page a role under “App roles”.",
        ),
        review=(
            "For Pages of others Meta wants App Review (Advanced Access) for each permission and Business "
            "Verification. Pages of people with a role in the app work without. To look at other Pages the "
            "app needs the feature “Page Public Content Access”, to answer messages after 24 hours the "
            "feature “Human Agent”."
        ),
        id_label="App ID",
        secret_label="App secret",  # noqa: S106 - a label
        fields=(
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
            label="Page and posts",
            scopes=("pages_show_list", "pages_read_engagement", "pages_manage_posts"),
            is_required=True,
        ),
        Feature(
            key="comments",
            label="Comments, mentions and reviews",
            scopes=("pages_read_user_content", "pages_manage_engagement"),
            capabilities=frozenset(
                {
                    Capability.INBOX_COMMENTS,
                    Capability.INBOX_MENTIONS,
                    Capability.INBOX_REVIEWS,
                    Capability.REPLY,
                    Capability.FIRST_COMMENT,
                    Capability.LIKE,
                    Capability.HIDE,
                    Capability.DELETE_COMMENT,
                }
            ),
        ),
        Feature(
            key="messages",
            label="Messages",
            scopes=("pages_messaging",),
            capabilities=frozenset({Capability.INBOX_MESSAGES, Capability.SEND_MESSAGE}),
        ),
        Feature(key="insights", label="Reach and views of posts", scopes=("read_insights",)),
        Feature(
            key="webhooks",
            label="News at once",
            scopes=("pages_manage_metadata",),
            capabilities=frozenset({Capability.WEBHOOKS}),
        ),
        Feature(
            key="business",
            label="Pages that belong to a business portfolio",
            scopes=("business_management",),
        ),
    ),
    post_fields=(
        PostField(
            name="placement",
            label="Where to post",
            kind="choice",
            choices=((FEED, "Feed"), (STORY, "Story")),
            default=FEED,
            help_text=(
                "An upright video of 3 to 90 seconds in the feed is a Reel. A story has one image or video "
                "and no text."
            ),
        ),
    ),
    seen_live=False,
)
