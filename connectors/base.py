"""The vocabulary that every connector speaks: what a network can do, what we send, what comes back.

All dataclasses are frozen; all instants are aware datetimes in UTC; everything called ``intent``,
``detail`` or ``options`` is plain JSON (str, int, float, bool, None, list, dict).
"""

from __future__ import annotations

import abc
import datetime as dt
import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar

Json = dict[str, Any]


class Capability(enum.StrEnum):
    POST_TEXT = "post_text"
    POST_IMAGES = "post_images"
    POST_VIDEO = "post_video"
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
    REPLY = "reply"  # answer comments and mentions in public
    SEND_MESSAGE = "send_message"
    LIKE = "like"
    HIDE = "hide"  # somebody else's comment below an own post


class TextUnit(enum.StrEnum):
    """What one unit of a text limit is (connectors.text counts them)."""

    GRAPHEMES = "graphemes"
    CODEPOINTS = "codepoints"
    UTF16 = "utf16"
    UTF8_BYTES = "utf8_bytes"
    WEIGHTED = "weighted"  # of X: a Latin letter is one, everything else two, an emoji two however long it is


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
    counts, too, as it is written.
    """

    max_units: int
    unit: TextUnit
    max_bytes: int = 0
    url_units: int = 0
    urls_bare: bool = False
    mention_user_only: bool = False
    with_warning: bool = False


@dataclass(frozen=True, slots=True)
class ImageLimit:
    max_count: int
    max_bytes: int  # per image
    mime_types: tuple[str, ...]
    alt_text_max: int  # characters (code points)
    max_pixels: int = 0  # width x height, 0 = none stated


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

    ``max_pixels`` is of one frame, width x height. ``with_images``: may stand beside images in one post.
    ``takes_cover``: a picture of our choice is shown before it plays.
    """

    max_count: int
    max_bytes: int
    max_seconds: float
    mime_types: tuple[str, ...]
    alt_text_max: int  # characters (code points)
    min_seconds: float = 0.0
    max_pixels: int = 0
    max_frame_rate: float = 0.0  # frames per second
    video_codecs: tuple[str, ...] = ("h264",)  # as FFmpeg calls them
    audio_codecs: tuple[str, ...] = ("aac",)
    with_images: bool = False
    takes_cover: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``limit`` calls of the kind per ``window_s`` seconds, as far as the documents say."""

    name: str
    limit: int
    window_s: int


@dataclass(frozen=True, slots=True)
class ConnectField:
    """One input of a FORM connection, or of the host question before OAuth."""

    name: str
    label: str  # English source string; the interface translates it
    kind: str  # text | password | host
    placeholder: str = ""
    help_text: str = ""
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class PlatformInfo:
    """Everything the interface, validation and forecasts need to know of a network."""

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
    message_text: TextLimit | None = None  # of a direct message, None where none can be sent
    tagline: str = ""  # what to know before connecting; English source string, as of ConnectField
    mentions: MentionForm = MentionForm.USER
    look: PostLook = PostLook()
    refuses_duplicates: bool = False  # the network itself refuses a text that it had lately
    seen_live: bool = True  # False: built from documents only, never run against a real server

    def can(self, capability: Capability) -> bool:
        return capability in self.capabilities


# --- what we send -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MediaItem:
    """One image or video as it will be sent. ``open`` returns a fresh binary stream of the file.

    ``size`` is 0 for a video whose file is still being made. ``focus``: what must stay in sight where a
    network cuts the picture, as shares of its width and height from the upper left corner. ``cover`` opens
    the picture (JPEG) to be shown before a video plays; it raises FileNotFoundError when that is gone, which
    is no reason not to send the video.
    """

    key: str  # stable name inside the payload, e.g. the asset's id
    mime_type: str
    size: int  # bytes
    width: int  # pixels
    height: int
    alt_text: str
    open: Callable[[], BinaryIO]
    duration_s: float = 0.0
    frame_rate: float = 0.0  # frames per second, 0 = an image
    focus: tuple[float, float] = (0.5, 0.5)
    cover: Callable[[], BinaryIO] | None = None

    @property
    def is_video(self) -> bool:
        return self.mime_type.startswith("video/")


@dataclass(frozen=True, slots=True)
class LinkCard:
    """``image_url``: the picture that the page names for itself, "" for none."""

    url: str
    title: str
    description: str = ""
    image_url: str = ""


@dataclass(frozen=True, slots=True)
class PostPart:
    """One post of a thread; a single post is a thread of one. ``is_comment``: the first comment, which
    answers the thread's first post; there is one at most, and it is the last part. ``warning`` stands before
    the text, ``is_sensitive`` covers its media, where a network has such things."""

    text: str
    media: tuple[MediaItem, ...] = ()
    link_card: LinkCard | None = None
    is_comment: bool = False
    warning: str = ""
    is_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class ReplyTarget:
    """What a public reply answers. ``detail`` is ``InboxItem.detail`` of that item.

    Where a network shows an answer to its receiver only if the text names them, ``detail["mention"]`` says
    how (``@user@host``); ``connectors.text.addressed`` puts it into a text.
    """

    remote_id: str
    root_id: str = ""  # the post at the top of the thread, "" = ``remote_id`` itself
    detail: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MessageTarget:
    """Whom a direct message goes to. ``detail`` is ``InboxItem.detail`` of the last one received, with its
    ``"mention"`` as of ReplyTarget."""

    recipient_id: str  # Profile.remote_id
    thread_id: str = ""  # InboxItem.thread_id
    detail: Json = field(default_factory=dict)


class ModerationAction(enum.StrEnum):
    LIKE = "like"
    UNLIKE = "unlike"
    HIDE = "hide"
    UNHIDE = "unhide"


@dataclass(frozen=True, slots=True)
class Moderation:
    """What is done to somebody else's comment. Doing it twice is the same as once."""

    action: ModerationAction
    remote_id: str
    detail: Json = field(default_factory=dict)  # InboxItem.detail


@dataclass(frozen=True, slots=True)
class PostPayload:
    """A post or thread; with ``reply_to`` a public reply, with ``message_to`` a direct message (one part
    each); with ``moderation`` there are no parts."""

    parts: tuple[PostPart, ...]
    language: str = ""  # BCP 47, "" = not said
    reply_to: ReplyTarget | None = None
    message_to: MessageTarget | None = None
    moderation: Moderation | None = None

    def answered_by(self, part: int) -> int | None:
        """The index of the part that this one hangs below, None for the first."""
        if part == 0:
            return None
        return 0 if self.parts[part].is_comment else part - 1


class StepKind(enum.StrEnum):
    MEDIA = "media"  # upload one file: not visible to anybody, may be repeated
    CONTAINER = "container"  # prepare a post that is not visible yet: may be repeated
    PUBLISH = "publish"  # makes something visible: never repeated blindly
    MODERATE = "moderate"  # a like or a hide: twice is the same as once, may be repeated


@dataclass(frozen=True, slots=True)
class Step:
    """One network call of a delivery, in order. ``key`` is unique within it: ``part0.media1``."""

    key: str
    kind: StepKind
    part: int
    media: int = -1

    @property
    def is_repeatable(self) -> bool:
        return self.kind is not StepKind.PUBLISH


class StepState(enum.StrEnum):
    DONE = "done"
    PROCESSING = "processing"  # accepted, the network still works on it: ask ``check`` later


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step left at the network. ``detail`` is kept with the attempt and handed to later steps."""

    state: StepState = StepState.DONE
    remote_id: str = ""
    permalink: str = ""
    detail: Json = field(default_factory=dict)
    retry_after_s: float = 0.0  # with PROCESSING: ask again no sooner


# --- what comes back --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tokens:
    """A credential in clear. Never logged: its repr shows nothing."""

    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    expires_at: dt.datetime | None = None
    extra: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Profile:
    remote_id: str
    handle: str
    display_name: str = ""
    avatar_url: str = ""
    profile_url: str = ""


@dataclass(frozen=True, slots=True)
class Connected:
    """The end of a connection. ``options`` are public facts of the account that its connector needs
    again (host, server software, limits read from the server); they are stored beside it in clear."""

    profile: Profile
    tokens: Tokens
    scopes: tuple[str, ...] = ()
    options: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """Our registration as a developer app, one per network or (Mastodon) per host."""

    client_id: str
    client_secret: str = field(default="", repr=False)
    host: str = ""  # base URL where it was registered, "" where a network has only one
    extra: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuthorizeRequest:
    """Send the browser to ``url``; keep ``code_verifier`` in the session for ``exchange_code``."""

    url: str
    code_verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RemotePost:
    """A post as the network shows it."""

    remote_id: str
    text: str
    created_at: dt.datetime
    permalink: str = ""
    in_reply_to: str = ""
    media_count: int = 0


@dataclass(frozen=True, slots=True)
class AccountMetrics:
    """Counts as the network states them now; None = this network does not tell."""

    followers: int | None = None
    following: int | None = None
    posts: int | None = None


@dataclass(frozen=True, slots=True)
class PostMetrics:
    """Counts of one post so far; None = this network does not tell."""

    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    impressions: int | None = None
    quotes: int | None = None
    bookmarks: int | None = None


class InboxKind(enum.StrEnum):
    COMMENT = "comment"  # an answer below a post of the account
    MENTION = "mention"  # the account is named in somebody else's post
    DM = "dm"


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One comment, mention or message, as the network has it; the account's own answers too.

    ``thread_id`` is the same for everything of one conversation: the first comment below a post with the
    answers to it; the mention with what hangs below it; the private thread with one person.
    """

    kind: InboxKind
    remote_id: str
    thread_id: str
    author: Profile  # of an own item: the account itself
    text: str
    created_at: dt.datetime
    is_own: bool = False  # written by the account, here or elsewhere
    counterpart: Profile | None = None  # of a direct message: the other side, whoever wrote it
    parent_id: str = ""  # the remote id that it answers
    root: RemotePost | None = None  # of a comment: the post it hangs below; None = the id alone is known
    root_id: str = ""  # of a comment: the remote id of that post
    permalink: str = ""
    media_count: int = 0
    is_hidden: bool = False
    is_liked: bool = False  # by the account
    detail: Json = field(default_factory=dict)  # what answering or moderating it needs again


@dataclass(frozen=True, slots=True)
class InboxPage:
    """``cursor``: to be handed to the next call, "" at the end."""

    items: Sequence[InboxItem]
    cursor: str = ""


class Connector(abc.ABC):
    """One social account at one network.

    ``options`` are the account's stored ``Connected.options``. ``renew`` is called with the tokens
    that the network no longer takes and returns fresh ones; the caller makes sure that only one
    process refreshes an account at a time. A connector raises only connectors.errors.
    """

    INFO: ClassVar[PlatformInfo]

    def __init__(
        self,
        *,
        tokens: Tokens,
        options: Mapping[str, Any],
        renew: Callable[[Tokens], Tokens] | None = None,
    ) -> None:
        self.tokens = tokens
        self.options = dict(options)
        self.renew = renew

    @classmethod
    def info_for(cls, options: Mapping[str, Any]) -> PlatformInfo:
        """INFO with the limits and the retry safety of one account's server (``options``)."""
        return cls.INFO

    @property
    def info(self) -> PlatformInfo:
        return self.info_for(self.options)

    @classmethod
    def is_offered(cls) -> bool:
        """Whether this installation can connect accounts of the network at all."""
        return True

    # Connecting. FORM networks have ``connect``; OAUTH networks the three that follow.

    @classmethod
    def connect(cls, fields: Mapping[str, str]) -> Connected:
        """Turn the answers to ``connect_fields`` into a connection.

        Raises Rejected(HOST_UNKNOWN | HOST_REFUSED | INVALID) or NeedsReconnect (wrong password).
        """
        raise TypeError(f"{cls.INFO.key} is not connected by a form")

    @classmethod
    def register_app(cls, *, host: str, redirect_uri: str, app_name: str, website: str) -> AppCredentials:
        """Register us as an app where a network allows it by API (Mastodon, the sandbox)."""
        raise TypeError(f"{cls.INFO.key} has no app registration by API")

    @classmethod
    def authorize_url(cls, *, app: AppCredentials, redirect_uri: str, state: str) -> AuthorizeRequest:
        raise TypeError(f"{cls.INFO.key} has no OAuth")

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> Connected:
        raise TypeError(f"{cls.INFO.key} has no OAuth")

    @classmethod
    def refresh(cls, *, tokens: Tokens, options: Mapping[str, Any], app: AppCredentials | None) -> Tokens:
        """Fresh tokens for stale ones. Raises NeedsReconnect when the refresh token is dead too."""
        raise TypeError(f"{cls.INFO.key} has tokens that do not expire")

    @abc.abstractmethod
    def fetch_profile(self) -> Profile:
        """The account that the tokens belong to: the test read after connecting."""

    # Publishing.

    @abc.abstractmethod
    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        """The steps of this payload, in order. Pure; the same payload gives the same steps."""

    @abc.abstractmethod
    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        """The intent of a step: everything about the request that must not change when it is sent
        again (record key, created time, text). Pure. It is committed before ``send_step``.

        ``done`` has the results of the earlier steps by step key; ``key`` is the idempotency key,
        a UUID as text, the same for every repetition of this step.
        """

    @abc.abstractmethod
    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        """Carry out one step, with exactly one request that changes anything at the network."""

    def safety_of(self, intent: Json, now: dt.datetime) -> RetrySafety:
        """What makes it safe to act, at ``now``, after an unknown outcome of the step with this intent.

        Narrower than ``info.retry_safety`` where a network keeps its promise only for a time, which the
        intent then says (Mastodon forgets idempotency keys after an hour).
        """
        return self.info.retry_safety

    def check(self, step: Step, intent: Json, sent: StepResult | None) -> StepResult | None:
        """The state of a step that was sent (``sent``: PROCESSING result) or whose outcome is unknown
        (``sent`` None). None = the network surely has not carried it out.

        Only for networks whose retry safety is TWO_PHASE, or whose media take time to process.
        """
        raise TypeError(f"{self.INFO.key} has nothing to check")

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        """Posts of this account created at or after ``since``, its public replies too, newest first."""
        raise TypeError(f"{self.INFO.key} cannot list posts")

    def find_sent(self, payload: PostPayload, *, since: dt.datetime) -> Sequence[RemotePost]:
        """Where ``payload`` is to be seen if it went out at or after ``since``: the account's own posts, or
        for a direct message what it wrote to that person."""
        return self.find_recent(since=since)

    @abc.abstractmethod
    def fetch_post(self, remote_id: str) -> RemotePost | None:
        """Read one post back as the public sees it; None when the network says it is not there."""

    def fetch_posts(self, remote_ids: Sequence[str]) -> Iterator[RemotePost]:
        """The same of several, in any order, each as soon as it is read; those that are not there are absent.
        A network that can be asked for several at once overrides this."""
        for remote_id in remote_ids:
            if (post := self.fetch_post(remote_id)) is not None:
                yield post

    # Inbox.

    def fetch_inbox(self, *, since: dt.datetime, cursor: str = "") -> InboxPage:
        """What was written to the account, or by it in answer, at or after ``since``, page by page in any
        order. The same item may come again in a later call; the caller keeps one of each remote id."""
        raise TypeError(f"{self.INFO.key} has no inbox")

    # Metrics.

    @abc.abstractmethod
    def fetch_account_metrics(self) -> AccountMetrics: ...

    @abc.abstractmethod
    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        """By remote id; posts that the network no longer has are absent."""


def standard_plan(payload: PostPayload, *, container: bool) -> tuple[Step, ...]:
    """Media of each part, its container where the network has one, then its publication; one step for a
    moderation."""
    if payload.moderation is not None:
        return (Step(key="moderate", kind=StepKind.MODERATE, part=0),)
    steps: list[Step] = []
    for p, part in enumerate(payload.parts):
        steps += [
            Step(key=f"part{p}.media{m}", kind=StepKind.MEDIA, part=p, media=m)
            for m in range(len(part.media))
        ]
        if container:
            steps.append(Step(key=f"part{p}.container", kind=StepKind.CONTAINER, part=p))
        steps.append(Step(key=f"part{p}.publish", kind=StepKind.PUBLISH, part=p))
    return tuple(steps)
