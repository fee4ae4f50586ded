"""A social network in memory, with a connector to it whose calls can be made to go wrong in every way."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.base import (
    AccountMetrics,
    Capability,
    ConnectMethod,
    Connector,
    ImageLimit,
    Json,
    PlatformInfo,
    PostMetrics,
    PostPayload,
    Profile,
    Rate,
    RemotePost,
    RetrySafety,
    Step,
    StepKind,
    StepResult,
    StepState,
    TextLimit,
    TextUnit,
    Tokens,
    standard_plan,
)
from connectors.errors import ConnectorError, OutcomeUnknown, Rejected, RejectReason

INFO = PlatformInfo(
    key="memory",
    name="Memory",
    capabilities=frozenset(
        {
            Capability.POST_TEXT,
            Capability.POST_THREAD,
            Capability.REPLY,
            Capability.SEND_MESSAGE,
            Capability.LIKE,
        }
    ),
    connect_method=ConnectMethod.FORM,
    connect_fields=(),
    scopes=(),
    text=TextLimit(500, TextUnit.CODEPOINTS),
    images=ImageLimit(4, 1_000_000, ("image/png",), 1000),
    thread_max=10,
    rates=(),
    retry_safety=RetrySafety.IDEMPOTENT,
    consistency_window_s=20,
    color="#000000",
    icon="box",
)


class Clock:
    """A clock that tests turn."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, seconds: float) -> dt.datetime:
        self.now += dt.timedelta(seconds=seconds)
        return self.now


class Killed(BaseException):
    """The worker process is gone, in the middle of a call."""


@dataclass
class Accepted:
    """The network carries the request out; ``then`` is what the caller sees."""

    then: BaseException | None = None


@dataclass
class Refused:
    """The network does nothing; ``then`` is what the caller sees."""

    then: BaseException


@dataclass
class Processing:
    """The network carries the request out, and shows it after ``polls`` questions."""

    polls: int = 1


Behaviour = Accepted | Refused | Processing


@dataclass
class Network:
    """What the public sees, and what the network remembers."""

    clock: Clock
    safety: RetrySafety = RetrySafety.IDEMPOTENT
    rates: tuple[Rate, ...] = ()
    forgets_keys: bool = False
    posts: list[RemotePost] = field(default_factory=list)
    messages: list[RemotePost] = field(default_factory=list)  # private ones that the account sent
    likes: list[str] = field(default_factory=list)  # comments that it likes, in the order of the likes
    gone: set[str] = field(default_factory=set)  # comments that were deleted
    by_key: dict[str, RemotePost] = field(default_factory=dict)
    containers: dict[str, RemotePost | None] = field(default_factory=dict)
    polls_left: dict[str, int] = field(default_factory=dict)
    behaviour: list[Behaviour] = field(default_factory=list)
    on_read: list[ConnectorError] = field(default_factory=list)
    hidden_for_s: float = 0
    containers_last_s: float = 0  # 0 = for ever
    ends: dict[str, dt.datetime] = field(default_factory=dict)  # when containers and uploads are gone
    calls: list[str] = field(default_factory=list)
    names_all: bool = False  # asked what became of a container, it names all posts that may be it
    on_send: Callable[[], object] = lambda: None  # while a publication is on its way
    ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def alike(self) -> list[RemotePost]:
        return list(self.posts)

    def connector(self, _account: object) -> Connector:
        return MemoryConnector(self)

    def texts(self) -> list[str]:
        return [post.text for post in self.posts]

    def visible(self) -> list[RemotePost]:
        """Posts that a timeline shows already."""
        edge = self.clock() - dt.timedelta(seconds=self.hidden_for_s)
        return [post for post in self.posts if post.created_at <= edge]


class MemoryConnector(Connector):
    INFO = INFO

    def __init__(self, network: Network) -> None:
        super().__init__(tokens=Tokens(), options={})
        self.network = network

    @property
    def info(self) -> PlatformInfo:
        return replace(INFO, retry_safety=self.network.safety, rates=self.network.rates)

    def safety_of(self, intent: Json, now: dt.datetime) -> RetrySafety:
        if intent.get("to") and self.network.safety is RetrySafety.TWO_PHASE:
            return RetrySafety.NEITHER  # a message has no container
        return RetrySafety.NEITHER if self.network.forgets_keys else self.network.safety

    def fetch_profile(self) -> Profile:
        return Profile("me", "me")

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        has_containers = self.network.safety is RetrySafety.TWO_PHASE and payload.message_to is None
        return standard_plan(payload, container=has_containers)

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        if payload.moderation is not None:
            return {"action": str(payload.moderation.action), "id": payload.moderation.remote_id}
        before = done.get(f"part{payload.answered_by(step.part)}.publish")
        container = done.get(f"part{step.part}.container")
        reply_to = payload.reply_to.remote_id if payload.reply_to else ""
        return {
            "key": key,
            "text": payload.parts[step.part].text,
            "to": payload.message_to.recipient_id if payload.message_to else "",
            "reply_to": before.remote_id if before else reply_to,
            "container": container.remote_id if container else "",
        }

    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        network = self.network
        network.calls.append(step.key)
        behaviour: Behaviour = Accepted()
        if step.kind in (StepKind.PUBLISH, StepKind.MODERATE) and network.behaviour:
            behaviour = network.behaviour.pop(0)
        if isinstance(behaviour, Refused):
            raise behaviour.then
        if step.kind is StepKind.CONTAINER:
            container = f"container-{next(network.ids)}"
            network.containers[container] = None
            return self._made(container)
        if step.kind is StepKind.MEDIA:
            return self._made(f"media-{next(network.ids)}")
        if step.kind is StepKind.MODERATE:
            return self._moderate(intent, behaviour)
        network.on_send()
        if intent["reply_to"] in network.gone:
            raise Rejected(RejectReason.NOT_FOUND, "404")
        post = self._store(intent)
        if isinstance(behaviour, Processing):
            network.polls_left[intent["key"]] = behaviour.polls
            return StepResult(state=StepState.PROCESSING, remote_id=post.remote_id)
        if behaviour.then is not None:
            raise behaviour.then
        return StepResult(remote_id=post.remote_id, permalink=f"https://memory.test/{post.remote_id}")

    def _made(self, remote_id: str) -> StepResult:
        if not self.network.containers_last_s:
            return StepResult(remote_id=remote_id)
        ends_at = self.network.clock() + dt.timedelta(seconds=self.network.containers_last_s)
        self.network.ends[remote_id] = ends_at
        return StepResult(remote_id=remote_id, ends_at=ends_at)

    def _moderate(self, intent: Json, behaviour: Behaviour) -> StepResult:
        likes, comment = self.network.likes, intent["id"]
        if comment in self.network.gone:
            raise Rejected(RejectReason.NOT_FOUND, "404")
        if intent["action"] == "like" and comment not in likes:
            likes.append(comment)
        elif intent["action"] == "unlike" and comment in likes:
            likes.remove(comment)
        if isinstance(behaviour, Accepted) and behaviour.then is not None:
            raise behaviour.then
        return StepResult()

    def _store(self, intent: Json) -> RemotePost:
        network = self.network
        if (
            network.safety is RetrySafety.IDEMPOTENT
            and not network.forgets_keys
            and intent["key"] in network.by_key
        ):
            return network.by_key[intent["key"]]
        container = intent["container"]
        if network.ends.get(container, network.clock()) < network.clock():
            raise Rejected(RejectReason.INVALID, "the container has ended")
        if container and network.containers[container] is not None:
            raise OutcomeUnknown("already published")
        post = RemotePost(
            remote_id=f"{'message' if intent['to'] else 'post'}-{next(network.ids)}",
            text=intent["text"],
            created_at=network.clock(),
            in_reply_to=intent["reply_to"],
        )
        (network.messages if intent["to"] else network.posts).append(post)
        network.by_key[intent["key"]] = post
        if container:
            network.containers[container] = post
        return post

    def check(self, step: Step, intent: Json, sent: StepResult | None) -> StepResult | None:
        network = self.network
        if network.on_read:
            raise network.on_read.pop(0)
        if sent is not None:
            left = network.polls_left[intent["key"]]
            network.polls_left[intent["key"]] = left - 1
            if left > 1:
                return StepResult(state=StepState.PROCESSING, remote_id=sent.remote_id)
            return StepResult(remote_id=sent.remote_id)
        post = network.containers.get(intent["container"])
        if post is None:
            return None
        others = network.alike if network.names_all else ()
        return StepResult(
            remote_id=post.remote_id,
            alternatives=tuple(StepResult(remote_id=one.remote_id) for one in others),
        )

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        if self.network.on_read:
            raise self.network.on_read.pop(0)
        return [post for post in reversed(self.network.visible()) if post.created_at >= since]

    def find_sent(self, payload: PostPayload, *, since: dt.datetime) -> Sequence[RemotePost]:
        if payload.message_to is None:
            return self.find_recent(since=since)
        if self.network.on_read:
            raise self.network.on_read.pop(0)
        edge = self.network.clock() - dt.timedelta(seconds=self.network.hidden_for_s)
        return [one for one in reversed(self.network.messages) if since <= one.created_at <= edge]

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        return next((post for post in self.network.visible() if post.remote_id == remote_id), None)

    def fetch_account_metrics(self) -> AccountMetrics:
        return AccountMetrics()

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        return {}


Connect = Callable[[object], Connector]
