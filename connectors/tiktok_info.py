"""What TikTok is: capabilities, limits, what is asked of a post, how its developer app is made."""

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
from connectors.tiktok_calls import KEY

PUBLISHING = Feature(
    key="publish",
    label="Publish posts and see what became of them",
    scopes=("user.info.basic", "user.info.profile", "video.publish", "video.list"),
    capabilities=frozenset({Capability.POST_VIDEO, Capability.POST_IMAGES, Capability.POST_METRICS}),
    is_required=True,
)
COUNTING = Feature(
    key="counts",
    label="Read the numbers of followers and videos",
    scopes=("user.info.stats",),
    capabilities=frozenset({Capability.ACCOUNT_METRICS}),
)
ONLY_ME, EVERYONE = "SELF_ONLY", "PUBLIC_TO_EVERYONE"
PRIVACY = {
    EVERYONE: "Everyone",
    "MUTUAL_FOLLOW_FRIENDS": "Friends (you follow each other)",
    "FOLLOWER_OF_CREATOR": "Those who follow you",
    ONLY_ME: "Only me",
}

INFO = PlatformInfo(
    key=KEY,
    name="TikTok",
    capabilities=frozenset({*PUBLISHING.capabilities, *COUNTING.capabilities, Capability.WEBHOOKS}),
    connect_method=ConnectMethod.OAUTH,
    connect_fields=(),
    scopes=(*PUBLISHING.scopes, *COUNTING.scopes),
    text=TextLimit(max_units=2200, unit=TextUnit.UTF16),
    images=ImageLimit(
        max_count=35, max_bytes=20 * 1024 * 1024, mime_types=("image/jpeg", "image/webp"), alt_text_max=0
    ),
    videos=VideoLimit(
        max_count=1,
        max_bytes=4 * 1024**3,
        max_seconds=600,  # each account has its own, see ``info_for``
        min_seconds=3,
        mime_types=("video/mp4", "video/quicktime", "video/webm"),
        alt_text_max=0,
        max_frame_rate=60,
        video_codecs=("h264", "hevc", "vp8", "vp9"),
    ),
    thread_max=1,
    rates=(Rate("posts", 6, 60), Rate("posts", 15, 86_400)),
    retry_safety=RetrySafety.TWO_PHASE,
    consistency_window_s=600,
    color="#010101",
    icon="brand-tiktok",
    account_metrics=("followers", "following", "posts"),
    post_metrics=("likes", "comments", "shares", "impressions"),
    look=PostLook(
        text="below",
        fold_lines=2,
        mention_shows_host=False,
        actions=("heart", "message-circle", "bookmark", "share"),
    ),
    tagline="Until TikTok has audited your developer app, only the account itself sees what it posts.",
    app=AppSetup(
        console_url="https://developers.tiktok.com/apps/",
        steps=(
            "Sign in at TikTok for Developers and make an app.",
            "Add the products “Login Kit” and “Content Posting API”, the latter with “Direct Post”.",
            "Under “Login Kit”, enter the redirect address for the web.",
            "Ask for user.info.basic, user.info.profile, user.info.stats, video.publish and video.list.",
            "For photos, verify the address of this installation under “URL properties”.",
            "Enter the webhook address under “Webhooks”.",
            "Copy the client key and the client secret.",
        ),
        review=(
            "TikTok reviews the app before it may be used, and audits it before posts may be public: show a "
            "video of how a post is made, with the name of the account, the choice of who sees it and the "
            "switches for comments, duets, stitches and advertising."
        ),
        id_label="Client key",
    ),
    features=(PUBLISHING, COUNTING),
    post_fields=(
        PostField(
            name="privacy",
            label="Who can see it",
            kind="choice",
            choices=tuple(PRIVACY.items()),
            is_of_account=True,
            is_required=True,
            help_text="TikTok wants this to be chosen for each post.",
        ),
        PostField(name="allow_comment", label="Allow comments", kind="flag"),
        PostField(name="allow_duet", label="Allow duets", kind="flag", for_videos=True),
        PostField(name="allow_stitch", label="Allow stitches", kind="flag", for_videos=True),
        PostField(name="brand_organic", label="Promotes your own business", kind="flag"),
        PostField(
            name="brand_content",
            label="Paid partnership with another business",
            kind="flag",
            help_text="Such a post cannot be visible only to you.",
        ),
        PostField(name="is_aigc", label="Made with AI", kind="flag", for_videos=True),
        PostField(
            name="title",
            label="Title of a photo post",
            max_length=90,
            help_text="A video has no title.",
            unit=TextUnit.UTF16,
        ),
        PostField(name="add_music", label="Let TikTok add music to photos", kind="flag"),
    ),
    takes_media_by_url=True,
    fetches_videos=False,
    seen_live=False,
)
