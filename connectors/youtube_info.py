"""What YouTube is: capabilities, limits, what is asked of a post, how its developer app is made."""

from __future__ import annotations

from connectors.base import (
    AppSetup,
    CallCost,
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
from connectors.youtube_analytics import SCOPE as REPORTS
from connectors.youtube_calls import KEY, PACIFIC

SCOPE = "https://www.googleapis.com/auth/"
PUBLISHING = Feature(
    key="publish",
    label="Upload videos and read their counts",
    scopes=(f"{SCOPE}youtube.upload", f"{SCOPE}youtube.readonly"),
    capabilities=frozenset(
        {
            Capability.POST_VIDEO,
            Capability.SHORT_VIDEO,
            Capability.ACCOUNT_METRICS,
            Capability.POST_METRICS,
            Capability.COMPETITORS,
        }
    ),
    is_required=True,
)
COMMENTING = Feature(
    key="comments",
    label="Read, answer and hide comments, and write a first one",
    scopes=(f"{SCOPE}youtube.force-ssl",),
    capabilities=frozenset(
        {
            Capability.FIRST_COMMENT,
            Capability.INBOX_COMMENTS,
            Capability.REPLY,
            Capability.HIDE,
            Capability.DELETE_COMMENT,
        }
    ),
)
# An app whose project or consent screen was set up without it cannot have it: nobody is asked unasked.
REPORTING = Feature(
    key="reports",
    label="Read shares and watch time of videos (project with the “YouTube Analytics API”)",
    scopes=(REPORTS,),
    is_default=False,
)
# Those that a video can be given (videoCategories.list); their numbers are the same in all regions.
CATEGORIES = (
    ("1", "Film & Animation"),
    ("2", "Autos & Vehicles"),
    ("10", "Music"),
    ("15", "Pets & Animals"),
    ("17", "Sports"),
    ("19", "Travel & Events"),
    ("20", "Gaming"),
    ("22", "People & Blogs"),
    ("23", "Comedy"),
    ("24", "Entertainment"),
    ("25", "News & Politics"),
    ("26", "Howto & Style"),
    ("27", "Education"),
    ("28", "Science & Technology"),
    ("29", "Nonprofits & Activism"),
)

# Units of the whole project's day (determine_quota_cost, read 2026-11-30). An upload costs none: uploads have
# 100 a day of their own, and so have searches, which are not made here. Neither does a report: its API has a
# quota of its own, of which the documents tell no number.
COSTS = (
    CallCost("GET", "/youtube/v3/channels", 1),
    CallCost("GET", "/youtube/v3/videos", 1),
    CallCost("GET", "/youtube/v3/playlistItems", 1),
    CallCost("GET", "/youtube/v3/commentThreads", 1),
    CallCost("GET", "/youtube/v3/comments", 1),
    CallCost("POST", "/youtube/v3/commentThreads", 50),
    CallCost("POST", "/youtube/v3/comments", 50),
    CallCost("POST", "/youtube/v3/comments/setModerationStatus", 50),
    CallCost("DELETE", "/youtube/v3/comments", 50),
    CallCost("POST", "/upload/youtube/v3/thumbnails/set", 50),
)

PLAIN_METRICS = ("likes", "comments", "impressions")  # told without reports

INFO = PlatformInfo(
    key=KEY,
    name="YouTube",
    capabilities=PUBLISHING.capabilities | COMMENTING.capabilities,
    connect_method=ConnectMethod.OAUTH,
    connect_fields=(),
    scopes=(*PUBLISHING.scopes, *COMMENTING.scopes, *REPORTING.scopes),
    text=TextLimit(max_units=5000, unit=TextUnit.UTF8_BYTES, forbidden="<>"),
    comment_text=TextLimit(max_units=10_000, unit=TextUnit.CODEPOINTS),
    images=ImageLimit(max_count=0, max_bytes=0, mime_types=(), alt_text_max=0),
    videos=VideoLimit(
        max_count=1,
        max_bytes=256 * 1024**3,
        max_seconds=12 * 3600,
        min_seconds=1,
        mime_types=("video/mp4", "video/quicktime", "video/webm"),
        alt_text_max=0,
        max_frame_rate=60,
        video_codecs=("h264", "hevc", "vp8", "vp9", "av1"),
        audio_codecs=("aac", "mp3", "opus", "vorbis"),
        takes_cover=True,
    ),
    thread_max=1,
    rates=(
        Rate("media", 100, 86_400, of_app=True, zone=PACIFIC.key),
        Rate("units", 10_000, 86_400, of_app=True, zone=PACIFIC.key, reading_share=0.5),
    ),
    costs=COSTS,
    retry_safety=RetrySafety.TWO_PHASE,
    consistency_window_s=120,
    color="#ff0033",
    icon="brand-youtube",
    account_metrics=("followers", "posts"),
    post_metrics=(*PLAIN_METRICS, "shares", "watch_time_s"),
    look=PostLook(
        text="below",
        fold_lines=3,
        mention_shows_host=False,
        actions=("thumb-up", "thumb-down", "share", "message-circle"),
    ),
    tagline="Videos and Shorts. All channels of one developer app share 100 uploads a day.",
    app=AppSetup(
        console_url="https://console.cloud.google.com/apis/credentials",
        steps=(
            (
                "Make a project in the Google Cloud console and switch on the “YouTube Data API v3” there; "
                "for shares and watch time also the “YouTube Analytics API”."
            ),
            (
                "Under “OAuth consent screen”, choose “External” and add the scopes youtube.upload, "
                "youtube.readonly and youtube.force-ssl; for shares and watch time also "
                "yt-analytics.readonly."
            ),
            "Publish the consent screen: in “Testing” Google ends each connection after 7 days.",
            "Make an OAuth client ID of the type “Web application” and enter the redirect address there.",
            "Copy the client ID and the client secret.",
        ),
        review=(
            "Google verifies the consent screen and its scopes before strangers may use it without a "
            "warning; a scope that is added later is verified anew. Until YouTube has audited the project "
            "(the “API Services” form), videos that it uploads stay private."
        ),
    ),
    features=(PUBLISHING, COMMENTING, REPORTING),
    post_fields=(
        PostField(name="title", label="Title", is_required=True, max_length=100, forbidden="<>"),
        PostField(
            name="privacy",
            label="Who can see it",
            kind="choice",
            choices=(("public", "Everyone"), ("unlisted", "Everyone with the link"), ("private", "Only me")),
            is_required=True,
            default="public",
        ),
        PostField(
            name="made_for_kids",
            label="Made for children",
            kind="choice",
            choices=(("no", "No, it is not made for children"), ("yes", "Yes, it is made for children")),
            is_required=True,
            help_text="YouTube wants this to be said of each video. Nobody can comment on one for children.",
        ),
        PostField(
            name="synthetic",
            label="Shows realistic scenes that were altered or made with AI",
            kind="flag",
        ),
        PostField(name="category", label="Category", kind="choice", choices=CATEGORIES, default="22"),
        PostField(
            name="tags",
            label="Tags",
            max_length=500,
            forbidden="<>",
            help_text="Separated by commas, together 500 characters.",
            is_tags=True,
        ),
    ),
    seen_live=False,
)
