"""What a network is: what it can do, its limits, how it is connected and what it asks of a post.

All of it is frozen data; words that people read are English source strings, which the interface translates.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace


class Capability(enum.StrEnum):
    POST_TEXT = "post_text"  # of words alone; without it a post has at least one image or video
    POST_IMAGES = "post_images"
    POST_VIDEO = "post_video"
    SHORT_VIDEO = "short_video"  # an upright video in the network's own place for them (Reels, Shorts)
    STORY = "story"  # gone after a day
    POST_THREAD = "post_thread"
    LINK_CARD = "link_card"
    FIRST_COMMENT = "first_comment"  # an answer below a post of its own, right after it
    ALT_TEXT = "alt_text"
    CONTENT_WARNING = "content_warning"  # a line before the text, which is shown only when asked for
    SENSITIVE_MEDIA = "sensitive_media"  # images and videos that are covered until somebody asks
    ACCOUNT_METRICS = "account_metrics"
    POST_METRICS = "post_metrics"
    INBOX_COMMENTS = "inbox_comments"  # read answers to own posts
    INBOX_MENTIONS = "inbox_mentions"
    INBOX_MESSAGES = "inbox_messages"  # read direct messages
    INBOX_REVIEWS = "inbox_reviews"  # read what people recommend or rate
    REPLY = "reply"  # answer comments and mentions in public
    SEND_MESSAGE = "send_message"
    LIKE = "like"
    HIDE = "hide"  # somebody else's comment below an own post
    DELETE_COMMENT = "delete_comment"  # somebody else's, below an own post, for good
    COMPETITORS = "competitors"  # read the counts of somebody else's public account
    WEBHOOKS = "webhooks"  # the network calls us when something happens


class TextUnit(enum.StrEnum):
    """What one unit of a text limit is (connectors.text counts them)."""

    GRAPHEMES = "graphemes"
    CODEPOINTS = "codepoints"
    UTF16 = "utf16"
    UTF8_BYTES = "utf8_bytes"
    WEIGHTED = "weighted"  # of X: a Latin letter is one, everything else two, an emoji two however long it is
    EMOJI_BYTES = "emoji_bytes"  # of Threads: a character is one, an emoji its bytes in UTF-8


class RetrySafety(enum.StrEnum):
    """What makes it safe to act after an unknown outcome of a publishing step."""

    IDEMPOTENT = "idempotent"  # send the same intent again: the network keeps one
    TWO_PHASE = "two_phase"  # ask the container or upload for its state (``check``)
    NEITHER = "neither"  # read the account's recent posts and match (``find_recent``)


class MentionForm(enum.StrEnum):
    """How a network names people in a text."""

    USER = "user"  # @name
    DOMAIN = "domain"  # @name.example.com
    USER_HOST = "user_host"  # @name@example.com, on the own server @name


class ConnectMethod(enum.StrEnum):
    FORM = "form"  # the person types ``connect_fields``; ``Connector.connect`` turns them into tokens
    OAUTH = "oauth"  # the person is sent to the network and comes back with a code


@dataclass(frozen=True, slots=True)
class TextLimit:
    """``max_units`` in ``unit``; ``max_bytes`` caps the UTF-8 size besides, 0 = no such cap.

    ``url_units``: every link counts this many units whatever its length; 0 = as it is written.
    ``urls_bare``: one without a scheme (``example.com/x``) is a link, too.
    ``mention_user_only``: of ``@user@host`` only ``@user`` counts. ``with_warning``: a content warning
    counts, too, as it is written. ``max_hashtags``, ``max_mentions``, ``max_cashtags``: so many in one text,
    0 = none stated.
    ``forbidden``: characters that are not taken.
    """

    max_units: int
    unit: TextUnit
    max_bytes: int = 0
    url_units: int = 0
    urls_bare: bool = False
    mention_user_only: bool = False
    with_warning: bool = False
    max_hashtags: int = 0
    max_mentions: int = 0
    max_cashtags: int = 0
    forbidden: str = ""


@dataclass(frozen=True, slots=True)
class ImageLimit:
    """``min_ratio``, ``max_ratio``: width by height, to two decimals as networks say it, 0 = none stated."""

    max_count: int
    max_bytes: int  # per image
    mime_types: tuple[str, ...]
    alt_text_max: int  # characters (code points)
    max_pixels: int = 0  # width x height, 0 = none stated
    min_ratio: float = 0.0
    max_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class StoryLimit:
    """What a story may be: one image of any shape or one video, no words, no first comment. A post is one
    where the PostField ``field`` is answered with ``value``."""

    max_seconds: float
    field: str = "placement"
    value: str = "story"


@dataclass(frozen=True, slots=True)
class PostLook:
    """How a network shows a post, for a preview that is near enough to judge by. The words are those that
    the interface has a look for.

    ``fold_lines``: a longer text is cut at so many lines, 0 = never. ``gallery``: the shape of the frame
    around several images, "3x2" or "2x1" (two and three of them; four are 3x2 there, too). ``link_shows``:
    so many characters of an address, without its scheme, 0 = as it is written. ``links_bare``: names of hosts
    without a scheme are links. ``makes_card``: without a card of ours there is one of the first link.
    ``card``: with a picture above its words ("large") or beside them ("small"), or without one ("plain").
    """

    avatar: str = "circle"  # or "rounded"
    text: str = "beside"  # the avatar, or "below" it
    fold_lines: int = 0
    gallery: str = "3x2"
    link_shows: int = 0
    links_bare: bool = False
    mention_shows_host: bool = True
    makes_card: bool = False
    card: str = "plain"
    actions: tuple[str, ...] = ("message-circle", "repeat", "heart")  # names of Tabler icons (icons.json)


@dataclass(frozen=True, slots=True)
class VideoLimit:
    """What a video of a post may be; 0 = none stated.

    ``max_pixels`` is of one frame, width x height; ``min_ratio`` and ``max_ratio`` as of ImageLimit.
    ``with_images``: may stand beside images in one post.
    ``takes_cover``: a picture of our choice is shown before it plays.
    """

    max_count: int
    max_bytes: int
    max_seconds: float
    mime_types: tuple[str, ...]
    alt_text_max: int  # characters (code points)
    min_seconds: float = 0.0
    max_pixels: int = 0
    min_ratio: float = 0.0
    max_ratio: float = 0.0
    max_frame_rate: float = 0.0  # frames per second
    video_codecs: tuple[str, ...] = ("h264",)  # as FFmpeg calls them
    audio_codecs: tuple[str, ...] = ("aac",)
    with_images: bool = False
    takes_cover: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``limit`` of what ``name`` counts per ``window_s`` seconds, as far as the documents say;
    ``of_app``: of all accounts of one developer app together.

    What is sent takes of it what ``Connector.amounts_of`` says, or if ``PlatformInfo.costs`` names it, each
    call what it costs there. ``zone`` (IANA): the window is a calendar day there. ``quota``: the name of the
    ``Quota`` whose limit, told by the network for one account, goes before this one. ``reading_share``: so
    much of it may be used by reading.
    """

    name: str
    limit: int
    window_s: int
    of_app: bool = False
    zone: str = ""
    quota: str = ""
    reading_share: float = 1.0


@dataclass(frozen=True, slots=True)
class CallCost:
    """What a call takes of the rate ``rate``, whatever its answer; ``path`` is the end of its address."""

    method: str
    path: str
    amount: int
    rate: str = "units"


@dataclass(frozen=True, slots=True)
class ConnectField:
    """One input of a FORM connection, of the host question before OAuth, or of a developer app."""

    name: str
    label: str  # English source string; the interface translates it
    kind: str  # text | password | host | choice
    placeholder: str = ""
    help_text: str = ""
    is_required: bool = True
    choices: tuple[tuple[str, str], ...] = ()  # of "choice": value, label


@dataclass(frozen=True, slots=True)
class AppSetup:
    """What somebody needs who makes a developer app of their own at the network, where it does not register
    us by API. Words are English source strings, as of ConnectField.

    ``steps``: what to do in the console, in order, one sentence each; the redirect address, and that of the
    webhook where there is one, are shown beside them. ``review``: what the network wants to see before the
    app may act for accounts of others, "" = nothing. ``fields``: what else there is to say of the app; the
    answers are in ``AppCredentials.extra``; those of the kind "password" are never shown again.
    """

    console_url: str
    steps: tuple[str, ...]
    review: str = ""
    id_label: str = "Client ID"
    secret_label: str = "Client secret"  # noqa: S105 - a label
    needs_https: bool = True  # of the redirect address
    fields: tuple[ConnectField, ...] = ()


@dataclass(frozen=True, slots=True)
class Feature:
    """What a person may allow or not when they connect, with the scopes that it takes. Without the scopes,
    the capabilities are taken away (``granted``).

    What was chosen is in ``options["features"]`` of the account, by key. ``is_default`` is False for what
    nobody gets unasked (it costs money, or needs more of the developer app): the label then says so."""

    key: str
    label: str  # English source string
    scopes: tuple[str, ...]
    capabilities: frozenset[Capability] = frozenset()
    is_required: bool = False
    is_default: bool = True


@dataclass(frozen=True, slots=True)
class PostField:
    """What a post says at one network besides its words and media; the answer is in ``PostPayload.settings``
    under ``name``. Words are English source strings.

    ``kind``: "text", "long_text", "url", "choice" or "flag" (true or false). The choices of a "choice" are
    ``choices`` (value, label), or with ``is_of_account`` those that ``Connector.fetch_choices`` reads.
    ``for_videos``: is asked only where the post has a video. ``default``: what holds where nothing is
    said; of a flag "true", or "" for false. ``forbidden``: characters that a text may not have. ``is_tags``:
    the text is a list of words with commas between them (``connectors.text.tags_of``), and counted as one.
    """

    name: str
    label: str
    kind: str = "text"
    choices: tuple[tuple[str, str], ...] = ()
    is_of_account: bool = False
    is_required: bool = False
    for_videos: bool = False
    default: str = ""
    max_length: int = 0  # in ``unit``, 0 = none stated
    forbidden: str = ""
    help_text: str = ""
    unit: TextUnit = TextUnit.CODEPOINTS
    is_tags: bool = False


@dataclass(frozen=True, slots=True)
class PlatformInfo:
    """Everything the interface, validation and forecasts need to know of a network.

    ``by_form``: an OAUTH network takes what a person types in place of a sign-in, too (keys of an app of
    their own); ``Connector.connect`` is given the answers, and ``as_form`` is the network connected so.
    """

    key: str
    name: str
    capabilities: frozenset[Capability]
    connect_method: ConnectMethod
    connect_fields: tuple[ConnectField, ...]
    scopes: tuple[str, ...]
    text: TextLimit
    images: ImageLimit
    thread_max: int  # parts of one thread, 1 = no threads
    rates: tuple[Rate, ...]
    retry_safety: RetrySafety
    consistency_window_s: int  # after so long a post that is not seen was never accepted
    color: str  # brand colour, #rrggbb
    icon: str  # name of a Tabler icon
    account_metrics: tuple[str, ...] = ()  # names of AccountMetrics fields that this network fills
    post_metrics: tuple[str, ...] = ()  # names of PostMetrics fields that this network fills
    videos: VideoLimit | None = None  # None where none can be posted
    media_max: int = 0  # images and videos of one post together, 0 = none stated
    story: StoryLimit | None = None  # None where there are none
    message_text: TextLimit | None = None  # of a direct message, None where none can be sent
    comment_text: TextLimit | None = None  # of a first comment and of an answer, None = as ``text``
    tagline: str = ""  # what to know before connecting; English source string, as of ConnectField
    mentions: MentionForm = MentionForm.USER
    look: PostLook = PostLook()
    refuses_duplicates: bool = False  # the network itself refuses a text that it had lately
    app: AppSetup | None = None  # of OAUTH networks whose developer apps are made by hand
    features: tuple[Feature, ...] = ()  # what may be allowed apart; empty = all ``scopes`` are asked for
    post_fields: tuple[PostField, ...] = ()
    costs: tuple[CallCost, ...] = ()  # of calls, where the network counts them by their kind
    takes_media_by_url: bool = False  # the network fetches files from us: they need a public HTTPS address
    fetches_videos: bool = True  # with ``takes_media_by_url``: False where it fetches images only
    media_served_days: int = 0  # so long receivers fetch them from us; 0 = the network keeps a copy
    reads_back: bool = True  # what was sent can be read again (``fetch_post``, ``find_recent``)
    seen_live: bool = True  # False: built from documents only, never run against a real server
    by_form: tuple[ConnectField, ...] = ()
    counts_every_s: int = 0  # counts are read at most so often, 0 = as often as they are wanted
    inbox_every_s: int = 0  # the same of the inbox

    def words_of(self, *, is_comment: bool) -> TextLimit:
        """The limit of the words of a post, or of what stands below one."""
        return self.comment_text if is_comment and self.comment_text else self.text

    def cost_of_call(self, method: str, path: str) -> CallCost | None:
        """What a call takes of a rate that is counted by calls; None = nothing."""
        fitting = (one for one in self.costs if one.method == method and path.endswith(one.path))
        return next(fitting, None)

    def is_counted_by_calls(self, rate: Rate) -> bool:
        return any(one.rate == rate.name for one in self.costs)

    def as_form(self) -> PlatformInfo:
        """The same network, connected by what a person types."""
        return replace(
            self,
            connect_method=ConnectMethod.FORM,
            connect_fields=self.by_form,
            by_form=(),
            scopes=(),
            app=None,
            features=(),
        )

    def can(self, capability: Capability) -> bool:
        return capability in self.capabilities
