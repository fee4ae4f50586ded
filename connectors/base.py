"""The vocabulary that every connector speaks: what a network can do, what we send, what comes back.

All dataclasses are frozen; all instants are aware datetimes in UTC; everything called ``intent``,
``detail`` or ``options`` is plain JSON (str, int, float, bool, None, list, dict).
"""

from __future__ import annotations

import abc
import datetime as dt
import enum
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, BinaryIO, ClassVar

from connectors.errors import Rejected, RejectReason, Temporary
from connectors.info import (
    AppSetup,
    CallCost,
    Capability,
    ConnectField,
    ConnectMethod,
    Feature,
    ImageLimit,
    MentionForm,
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
from connectors.limits import Allowance, Answer

Json = dict[str, Any]

__all__ = [
    "AppSetup",
    "CallCost",
    "Capability",
    "ConnectField",
    "ConnectMethod",
    "Feature",
    "ImageLimit",
    "MentionForm",
    "PlatformInfo",
    "PostField",
    "PostLook",
    "Rate",
    "RetrySafety",
    "StoryLimit",
    "TextLimit",
    "TextUnit",
    "VideoLimit",
]


# --- what we send -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MediaItem:
    """One image or video as it will be sent. ``open`` returns a fresh binary stream of the file.

    ``size`` is 0 for a video whose file is still being made. ``focus``: what must stay in sight where a
    network cuts the picture, as shares of its width and height from the upper left corner. ``cover`` opens
    the picture (JPEG) to be shown before a video plays; it raises FileNotFoundError when that is gone, which
    is no reason not to send the video. ``public_url`` and ``cover_url``: see ``address``.
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
    public_url: Callable[[], str] | None = None
    cover_url: Callable[[], str] | None = None

    def address(self) -> str:
        """Where the network can fetch the file, for some hours: another one each time, so it belongs into no
        intent. Raises Rejected(MEDIA_NOT_PUBLIC) where this installation cannot be reached from outside."""
        if self.public_url is None:
            raise Rejected(RejectReason.MEDIA_NOT_PUBLIC)
        return self.public_url()

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
    DELETE = "delete"  # twice is the same as once: what is not there is deleted


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
    settings: Json = field(default_factory=dict)  # by PostField.name: str or bool

    def answered_by(self, part: int) -> int | None:
        """The index of the part that this one hangs below, None for the first."""
        if part == 0:
            return None
        return 0 if self.parts[part].is_comment else part - 1


class StepKind(enum.StrEnum):
    MEDIA = "media"  # upload one file: not visible to anybody, may be repeated
    CONTAINER = "container"  # prepare a post that is not visible yet: may be repeated
    PUBLISH = "publish"  # makes something visible: never repeated blindly
    MODERATE = "moderate"  # a like, a hide, a deletion: twice is the same as once, may be repeated


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
    """What a step left at the network. ``detail`` is kept with the attempt and handed to later steps.

    ``ends_at``: what was made before a publication (an upload, a container) is of no use from then on. If the
    post still waits, all of its part is made anew.

    ``alternatives``: of ``check``, what else it may have become, where the network does not tell equal posts
    apart. The first that no other delivery has is taken; they are not kept."""

    state: StepState = StepState.DONE
    remote_id: str = ""
    permalink: str = ""
    detail: Json = field(default_factory=dict)
    retry_after_s: float = 0.0  # with PROCESSING: ask again no sooner
    ends_at: dt.datetime | None = None
    alternatives: tuple[StepResult, ...] = ()


# --- what comes back --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tokens:
    """A credential in clear. Never logged: its repr shows nothing.

    ``ends_at``: when the refresh token itself ends, however often it is used, so that only a person helps;
    None = it does not, or that is not told."""

    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    expires_at: dt.datetime | None = None
    extra: Json = field(default_factory=dict, repr=False)
    ends_at: dt.datetime | None = None


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
    again (host, server software, limits read from the server); they are stored beside it in clear. Two names
    are known outside: ``hook_ids``, ids by which webhooks name the account besides ``Profile.remote_id``, and
    ``person_id``, by which ``REVOKED`` and ``FORGET`` name whoever signed in."""

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
    extra: Json = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class AuthorizeRequest:
    """Send the browser to ``url``; keep ``code_verifier`` in the session for ``exchange_code``. ``state``:
    what the browser comes back with in place of the state that was given, where the network makes one of its
    own (the request token of OAuth 1.0a)."""

    url: str
    code_verifier: str = field(repr=False)
    state: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RemotePost:
    """A post as the network shows it."""

    remote_id: str
    text: str
    created_at: dt.datetime
    permalink: str = ""
    in_reply_to: str = ""
    media_count: int = 0


class NotAllListed(Temporary):
    """Of ``find_sent``: not all could be read. ``posts``: what was. What is wanted may be among them; that it
    is not does not say that it is not there."""

    def __init__(self, detail: str, posts: Sequence[RemotePost]) -> None:
        super().__init__(detail)
        self.posts = tuple(posts)


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
    reach: int | None = None  # people who saw it
    clicks: int | None = None  # on it or its links
    watch_time_s: int | None = None  # of its video, by everybody together, in seconds


@dataclass(frozen=True, slots=True)
class PublicAccount:
    """Somebody else's account as everybody sees it."""

    profile: Profile
    counts: AccountMetrics


@dataclass(frozen=True, slots=True)
class Cost:
    """What the network charges for a post."""

    amount: Decimal
    currency: str  # ISO 4217


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of an allowance is used, as the network states it now. ``name``: English source string."""

    name: str
    used: int
    limit: int  # 0 = none
    window_s: int = 0  # of a moving window, 0 = ends at ``resets_at``
    resets_at: dt.datetime | None = None


class InboxKind(enum.StrEnum):
    COMMENT = "comment"  # an answer below a post of the account
    MENTION = "mention"  # the account is named in somebody else's post
    DM = "dm"
    REVIEW = "review"  # what somebody recommends or rates, apart from any post


class WebhookKind(enum.StrEnum):
    INBOX = "inbox"  # something was written: ``items`` where the call tells all of it, else look
    PUBLICATION = "publication"  # the state of something that is being published changed
    REVOKED = "revoked"  # the account took its permission back
    FORGET = "forget"  # its owner asks that what is known of them be deleted
    OTHER = "other"  # nothing that matters here


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One thing that a network tells by itself."""

    event_id: str  # the same when it is told again; of at most 200 characters
    kind: WebhookKind
    account_id: str = ""  # Profile.remote_id, or with ``REVOKED`` and ``FORGET`` the id of the person
    items: tuple[InboxItem, ...] = ()
    remote_id: str = ""  # of PUBLICATION: what ``StepResult.remote_id`` has
    needs: frozenset[Capability] = frozenset()  # of INBOX without items: read only who can one of these


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One comment, mention or message, as the network has it; the account's own answers too.

    ``thread_id`` is the same for everything of one conversation: the first comment below a post with the
    answers to it; the mention or review with what hangs below it; the private thread with one person.
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
    is_hidden: bool | None = False  # None = the network does not tell
    is_liked: bool | None = False  # by the account
    # What answering or moderating it needs again. Of a review also "rating": 1 to 5 stars, "recommends" or
    # "does not recommend".
    detail: Json = field(default_factory=dict)


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
    # After ``fetch_post_metrics``: what a person can do about counts that ``info`` names and that were not
    # told, one of the sentences of ``accounts.advice``; "" = nothing.
    untold: str = ""

    def __init__(
        self,
        *,
        tokens: Tokens,
        options: Mapping[str, Any],
        renew: Callable[[Tokens], Tokens] | None = None,
        app: AppCredentials | None = None,
    ) -> None:
        self.tokens = tokens
        self.options = dict(options)
        self.renew = renew
        self.app = app

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
    def authorize_url(
        cls, *, app: AppCredentials, redirect_uri: str, state: str, scopes: Sequence[str] = ()
    ) -> AuthorizeRequest:
        """``scopes``: those of the features that were chosen; none = all of INFO."""
        raise TypeError(f"{cls.INFO.key} has no OAuth")

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> Connected:
        raise TypeError(f"{cls.INFO.key} has no OAuth")

    @classmethod
    def exchange_accounts(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> tuple[Connected, ...]:
        """All that one sign-in can speak for: networks on which a person manages several pages or channels
        override this. Raises Rejected(NOT_FOUND) when there is none."""
        return (
            cls.exchange_code(app=app, code=code, code_verifier=code_verifier, redirect_uri=redirect_uri),
        )

    @classmethod
    def refresh(cls, *, tokens: Tokens, options: Mapping[str, Any], app: AppCredentials | None) -> Tokens:
        """Fresh tokens for stale ones. Raises NeedsReconnect when the refresh token is dead too."""
        raise TypeError(f"{cls.INFO.key} has tokens that do not expire")

    @abc.abstractmethod
    def fetch_profile(self) -> Profile:
        """The account that the tokens belong to: the test read after connecting."""

    def fetch_choices(self) -> dict[str, list[tuple[str, str]]]:
        """Values and labels of the PostFields that are of the account (its boards), by their names."""
        return {}

    def fetch_quotas(self) -> tuple[Quota, ...]:
        """What the network says of allowances that are used up by publishing."""
        return ()

    @classmethod
    def allowances_told(cls, answer: Answer, *, now: dt.datetime) -> tuple[Allowance, ...]:
        """What any answer, of a success too, says of the network's limits by its headers. Pure."""
        return ()

    @classmethod
    def amounts_of(cls, payload: PostPayload) -> dict[str, int]:
        """How much of which Rate sending it takes, by its name. Pure.

        "posts" is everything that the public sees, and "publications" and "replies" are what of that stands
        by itself or answers something, for networks that count them apart."""
        if payload.message_to is not None:
            return {"messages": 1}
        if payload.moderation is not None:
            return {"moderations": 1}
        count = len(payload.parts)
        standing = sum(payload.answered_by(part) is None for part in range(count))
        publications = 0 if payload.reply_to is not None else standing
        return {
            "posts": count,
            "publications": publications,
            "replies": count - publications,
            "media": sum(len(part.media) for part in payload.parts),
        }

    # Publishing.

    def dry_run(self, payload: PostPayload) -> None:  # noqa: B027 - most networks cannot be asked
        """Ask the network whether it would take the payload, without sending it. Raises Rejected when it
        would not, and what any call raises."""

    def cost_of(self, payload: PostPayload) -> Cost | None:
        """What the network charges for it; None = nothing. Pure."""
        return None

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
        for a direct message what it wrote to that person. Raises NotAllListed where there are more than were
        read: which of them fits, by its place too, only the caller knows."""
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

    def complete(self, items: Sequence[InboxItem]) -> Sequence[InboxItem]:
        """What a webhook told, with what it leaves out and the network says when asked (the names of people).
        What cannot be read now is left as it is."""
        return items

    # Webhooks. ``secret``: of the app, or of an account that has its own (FORM). ``verify_token``: ours.

    @classmethod
    def webhook_secret(cls, app: AppCredentials) -> str:
        """With what the network signs its calls about this app; "" = not known: then nothing is genuine."""
        return app.client_secret

    @classmethod
    def webhook_challenge(cls, query: Mapping[str, str], *, secret: str, verify_token: str) -> str | None:
        """The body of the answer to the network's question whether the address is ours; None = it is not
        such a question, or not a genuine one."""
        return None

    @classmethod
    def is_genuine(cls, body: bytes, headers: Mapping[str, str], *, secret: str) -> bool:
        """Whether the network sent this, and lately. Names of headers are in lower case. Compares in
        constant time."""
        return False

    @classmethod
    def webhook_events(cls, body: bytes) -> tuple[WebhookEvent, ...]:
        """What a genuine call tells. Raises Rejected(INVALID) for what cannot be read."""
        raise TypeError(f"{cls.INFO.key} has no webhooks")

    @classmethod
    def deletion_events(cls, body: bytes) -> tuple[WebhookEvent, ...]:
        """What a genuine call to the address for requests of deletion tells (``FORGET``), where a network
        calls another address for these and does not say in the call what it is for."""
        return cls.webhook_events(body)

    def subscribe(self) -> None:  # noqa: B027 - most networks need none
        """Ask the network to call us about this account; repeated without harm."""

    # Others.

    def fetch_public_account(self, handle: str) -> PublicAccount | None:
        """Somebody else's account; None when there is none, or none that may be looked at."""
        raise TypeError(f"{self.INFO.key} tells nothing of other accounts")

    # Metrics.

    @abc.abstractmethod
    def fetch_account_metrics(self) -> AccountMetrics: ...

    @abc.abstractmethod
    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        """By remote id; posts that the network no longer has are absent."""


def granted(
    info: PlatformInfo, scopes: Collection[str], chosen: Collection[str] | None = None
) -> PlatformInfo:
    """``info`` without what the given scopes do not allow, where there are any, and without the features
    that were not among the chosen ones (their keys; None = nobody was asked)."""
    missing: set[Capability] = set()
    for feature in info.features:
        is_allowed = not scopes or set(feature.scopes) <= set(scopes)
        is_chosen = chosen is None or feature.is_required or feature.key in chosen
        if not (is_allowed and is_chosen):
            missing |= feature.capabilities
    if not missing & info.capabilities:
        return info
    left = info.capabilities - missing
    return replace(
        info,
        capabilities=left,
        account_metrics=info.account_metrics if Capability.ACCOUNT_METRICS in left else (),
        post_metrics=info.post_metrics if Capability.POST_METRICS in left else (),
        message_text=info.message_text if Capability.SEND_MESSAGE in left else None,
    )


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
