"""Bluesky and other servers of the AT Protocol, by app password.

Documents (checked 2026-11-22): the lexicons com.atproto.* and app.bsky.* of github.com/bluesky-social/atproto
(post 300 graphemes and 3000 bytes; images up to four of 2,000,000 bytes, 1,000,000 until 2026; a video of
300,000,000 bytes, 100,000,000 until 2026),
atproto.com/specs (tid, handle, did, record-key), docs.bsky.app/docs/advanced-guides/rate-limits.
Seen running against the PDS and the AppView of @atproto/dev-env 0.6.7.

What makes a repeat safe: we choose the record's key and fix the whole record, its time included, before
the first try, and write with ``putRecord`` and ``swapRecord: null`` ("only if there is none"). The PDS
answers an identical record with 200 and the same cid, without a second commit, and another record under
the same key with InvalidSwap. (``createRecord`` on an existing key answers 500.)

Replies are posts like others. The server takes a reply to what is gone, so what is answered is read first.
A like has a key made from what is liked, and the list of hidden replies is written only over the one that
was read: both may be repeated. Direct messages go through the account's server to Bluesky's chat service,
with a privileged app password; it promises nothing against double messages.

A video goes to the account's server as a blob, like an image, and is made ready for playing after the post;
the video service that shows its progress is not used. A server takes blobs of its own largest size (Bluesky's
own 100 MB, which we keep to; 413 elsewhere says so). Three minutes are the app's limit, not the lexicon's.

Not supported yet: OAuth with DPoP, captions. Direct messages have not been seen running.
A post that somebody deletes at Bluesky between an unknown outcome and its repetition appears again.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any, ClassVar, cast
from urllib.parse import urlencode

import requests

from connectors import http, link_preview
from connectors.answers import all_items, count, id_of, ident, inner, object_of, rows, text
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    Capability,
    Connected,
    ConnectField,
    ConnectMethod,
    Connector,
    ImageLimit,
    InboxPage,
    Json,
    MentionForm,
    Moderation,
    ModerationAction,
    PlatformInfo,
    PostLook,
    PostMetrics,
    PostPayload,
    Profile,
    PublicAccount,
    Rate,
    RemotePost,
    RetrySafety,
    Step,
    StepKind,
    StepResult,
    TextLimit,
    TextUnit,
    Tokens,
    VideoLimit,
    standard_plan,
)
from connectors.bluesky_errors import NoAppView, chat_error, error_name, map_error
from connectors.bluesky_identity import (
    ENTRYWAY,
    KEY,
    clean_identifier,
    did_document,
    pds_of,
    resolve_at,
    resolve_handle,
    service_url,
    verified_handle,
)
from connectors.bluesky_inbox import Reader, message_id, profile_of
from connectors.bluesky_record import (
    COLLECTION,
    GATES,
    LIKES,
    TooManyHidden,
    gate_record,
    instant,
    like_key,
    like_record,
    make_tid,
    mentioned_handles,
    message_input,
    needs_lookup,
    picture_to_fetch,
    post_record,
    tid_microseconds,
    timestamp,
    url_to_preview,
)
from connectors.bluesky_session import WRONG_PASSWORD, claims, create_session, tokens_of
from connectors.errors import NeedsReconnect, OutcomeUnknown, Rejected, RejectReason, Temporary
from connectors.files import Slice, opened, piece_of, size_of
from connectors.inbox import read_lists, storable
from connectors.limits import Allowance, Answer, counted, of_all_or_writes

MAX_IMAGE_BYTES = 2_000_000
MAX_VIDEO_BYTES = 100_000_000
MAX_THUMB_BYTES = 1_000_000
VIDEO_TIMEOUT_S = 300.0
POSTS_PER_QUERY = 25
MOST_PAGES = 10  # of 100 posts each, when the account's own list is read

# What an app password must be privileged for.
_MESSAGES = frozenset({Capability.INBOX_MESSAGES, Capability.SEND_MESSAGE})
_UNPRIVILEGED = "com.atproto.appPass"
# Whom the account's server asks in our name.
_CHAT_SERVICE = {"atproto-proxy": "did:web:api.bsky.chat#bsky_chat"}

INFO = PlatformInfo(
    key=KEY,
    name="Bluesky",
    capabilities=frozenset(
        {
            Capability.POST_TEXT,
            Capability.POST_IMAGES,
            Capability.POST_VIDEO,
            Capability.POST_THREAD,
            Capability.LINK_CARD,
            Capability.FIRST_COMMENT,
            Capability.ALT_TEXT,
            Capability.ACCOUNT_METRICS,
            Capability.POST_METRICS,
            Capability.COMPETITORS,
            Capability.INBOX_COMMENTS,
            Capability.INBOX_MENTIONS,
            Capability.REPLY,
            Capability.LIKE,
            Capability.HIDE,
            *_MESSAGES,
        }
    ),
    connect_method=ConnectMethod.FORM,
    connect_fields=(
        ConnectField(
            name="identifier",
            label="Handle or e-mail address",
            kind="text",
            placeholder="name.bsky.social",
        ),
        ConnectField(
            name="app_password",
            label="App password",
            kind="password",
            placeholder="xxxx-xxxx-xxxx-xxxx",
            help_text="Make one in Bluesky under Settings, Privacy and security, App passwords. "
            "Allow it access to your direct messages if you want to answer them here. "
            "Your main password stays with you.",
        ),
        ConnectField(
            name="service",
            label="Server",
            kind="host",
            placeholder="bsky.social",
            help_text="Only for a self-hosted server (PDS) that is not found by the handle.",
            is_required=False,
        ),
    ),
    scopes=("com.atproto.appPass",),
    text=TextLimit(max_units=300, unit=TextUnit.GRAPHEMES, max_bytes=3000),
    images=ImageLimit(
        max_count=4,
        max_bytes=MAX_IMAGE_BYTES,
        mime_types=("image/jpeg", "image/png", "image/webp"),
        alt_text_max=2000,  # of Bluesky's own app; the lexicon states none
    ),
    videos=VideoLimit(
        max_count=1,
        max_bytes=MAX_VIDEO_BYTES,
        max_seconds=180,
        mime_types=("video/mp4",),
        alt_text_max=2000,
        max_pixels=1920 * 1080,  # what the app shows at most; the lexicon states none
        max_frame_rate=60,
    ),
    thread_max=25,  # ours: the network states none
    rates=(
        # 5000 points an hour and 35,000 a day for writes, of which a putRecord takes two.
        Rate(name="posts", limit=2500, window_s=3600),
        Rate(name="posts", limit=17_500, window_s=86_400),
        Rate(name="media", limit=1000, window_s=86_400),
        Rate(name="calls", limit=3000, window_s=300),
    ),
    retry_safety=RetrySafety.IDEMPOTENT,
    consistency_window_s=60,
    color="#1185fe",
    icon="brand-bluesky",
    account_metrics=("followers", "following", "posts"),
    post_metrics=("likes", "comments", "shares", "quotes", "bookmarks"),
    message_text=TextLimit(max_units=1000, unit=TextUnit.GRAPHEMES, max_bytes=10_000),
    mentions=MentionForm.DOMAIN,
    # Its own web interface: long posts of the feed are cut at 25 lines.
    look=PostLook(
        fold_lines=25,
        gallery="2x1",
        links_bare=True,
        makes_card=True,
        card="large",
        actions=("message-circle", "repeat", "heart", "bookmark"),
    ),
)

_POST_URI = re.compile(rf"at://(did:[a-z]+:[A-Za-z0-9._:%-]+)/{re.escape(COLLECTION)}/([A-Za-z0-9._:~-]+)")
# Records of other servers are asked of the AppView, which has no name for "not there".
_NOT_THERE = re.compile(r"Could not (?:locate record|find repo)")

_ACTOR = re.compile(r"did:[a-z0-9:.%_-]+|[a-z0-9-]+(?:\.[a-z0-9-]+)+")
# In words only: the AppView has one name, InvalidRequest, for all of these.
_GONE = re.compile(r"not found|unable to resolve|suspended|deactivated|taken down", re.IGNORECASE)


class BlueskyConnector(Connector):
    """``options``: ``did``, ``pds`` (base URL of the account's server), ``handle``, ``opens_messages``
    (whether the app password is good for direct messages)."""

    INFO: ClassVar[PlatformInfo] = INFO

    @classmethod
    def allowances_told(cls, answer: Answer, *, now: dt.datetime) -> tuple[Allowance, ...]:
        """What is asked of the server itself (sessions) has limits that say nothing of all others."""
        if "/com.atproto.server." in answer.path:
            return ()
        return counted(answer, "ratelimit", now=now, covers=of_all_or_writes(answer))

    @classmethod
    def info_for(cls, options: Mapping[str, Any]) -> PlatformInfo:
        if options.get("opens_messages", True):
            return INFO
        return dataclasses.replace(INFO, capabilities=INFO.capabilities - _MESSAGES, message_text=None)

    # --- connecting ---------------------------------------------------------------------------

    @classmethod
    def connect(cls, fields: Mapping[str, str]) -> Connected:
        """Sign in with an app password at the server that the handle's identity document names.

        Raises Rejected (NOT_FOUND: no such handle; HOST_UNKNOWN, HOST_REFUSED: its server; INVALID: not
        a handle), NeedsReconnect (wrong password; ``advice`` says which mistake it looks like).
        """
        identifier = clean_identifier(fields.get("identifier", ""))
        password = fields.get("app_password", "").strip()
        if not password:
            raise NeedsReconnect("no password was typed", WRONG_PASSWORD)
        service = service_url(fields.get("service", ""))
        did = ""
        if not service and "@" not in identifier:
            did = identifier if identifier.startswith("did:") else resolve_handle(identifier)
            home = pds_of(did_document(did), did)
        else:
            home = service or http.base_url("bluesky.entryway", ENTRYWAY)
        session = create_session(
            home, identifier=did or identifier, password=password, guard=bool(did or service)
        )
        if did and session["did"] != did:
            raise Rejected(RejectReason.FORBIDDEN, f"{home} signed in another account than {identifier}")
        did = text(session["did"])
        # What the server says of itself proves nothing: the identity document says where the account lives.
        document = did_document(did)
        options: Json = {"did": did, "pds": pds_of(document, did)}
        options["handle"] = verified_handle(document, text(session.get("handle")))
        tokens = tokens_of(session)
        scope = text(claims(tokens.access_token).get("scope"))
        options["opens_messages"] = scope != _UNPRIVILEGED
        profile = cls(tokens=tokens, options=options).fetch_profile()
        return Connected(profile=profile, tokens=tokens, scopes=tuple(scope.split()), options=options)

    @classmethod
    def refresh(cls, *, tokens: Tokens, options: Mapping[str, Any], app: AppCredentials | None) -> Tokens:
        """A new pair of tokens. The old refresh token stays good for a short while after its first use
        (two hours at Bluesky's PDS, which then answers with the same successor), so a lost answer loses
        nothing."""
        response = http.request(
            "POST",
            f"{options['pds']}/xrpc/com.atproto.server.refreshSession",
            platform=KEY,
            headers={"Authorization": f"Bearer {tokens.refresh_token}"},
            guard=True,
        )
        if response.status_code != 200:
            raise map_error(response, changes=False)
        session = http.json_object(response)
        if session.get("did") != options["did"]:
            raise NeedsReconnect("the server answered for another account")
        return tokens_of(session)

    def fetch_profile(self) -> Profile:
        session = self._get("com.atproto.server.getSession")
        if session.get("did") != self._did:
            raise Rejected(RejectReason.FORBIDDEN, f"{self._pds} signed in another account")
        handle = text(session.get("handle")) or str(self.options.get("handle", ""))
        record = self._record("app.bsky.actor.profile", "self")
        shown = inner(record, "value")
        cid = text(inner(shown, "avatar", "ref", "$link"))
        picture = urlencode({"did": self._did, "cid": cid}, errors="replace")
        return Profile(
            remote_id=self._did,
            handle=handle,
            display_name=text(inner(shown, "displayName")),
            avatar_url=f"{self._pds}/xrpc/com.atproto.sync.getBlob?{picture}" if cid else "",
            profile_url=f"https://bsky.app/profile/{self._did}",
        )

    # --- publishing ---------------------------------------------------------------------------

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        """Images, then for parts that name people or link pages a step that looks them up, then the post."""
        if payload.message_to is not None:
            return standard_plan(payload, container=False)
        return tuple(
            step
            for step in standard_plan(payload, container=True)
            if step.kind is not StepKind.CONTAINER or needs_lookup(payload.parts[step.part])
        )

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        if payload.moderation is not None:
            return _moderation_intent(payload.moderation, now=now)
        part = payload.parts[step.part]
        if payload.message_to is not None:
            return {
                "convo_id": payload.message_to.thread_id,
                "recipient": payload.message_to.recipient_id,
                "message": message_input(part.text),
            }
        if step.kind is StepKind.MEDIA:
            item = part.media[step.media]
            return {"media": item.key, "mime_type": item.mime_type, "size": item.size}
        if step.kind is StepKind.CONTAINER:
            return {
                "handles": mentioned_handles(part),
                "preview": url_to_preview(part),
                "picture": picture_to_fetch(part),
            }
        previous = done[f"part{step.part - 1}.publish"] if step.part else None
        after = tid_microseconds(previous.remote_id.rpartition("/")[2]) if previous else 0
        return {
            "rkey": make_tid(key=key, now=now, after=after),
            "record": post_record(step, payload, done, now=now),
        }

    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        if step.kind is StepKind.MEDIA:
            return StepResult(detail={"blob": self._upload(payload, step.part, step.media)})
        if step.kind is StepKind.CONTAINER:
            return StepResult(detail=self._look_up(intent))
        if step.kind is StepKind.MODERATE:
            return self._moderate(intent)
        if payload.message_to is not None:
            return self._send_message(intent)
        if payload.reply_to is not None:
            self._require(payload.reply_to.remote_id, own_rkey=intent["rkey"])
        return self._put(step, payload, intent)

    def safety_of(self, intent: Json, now: dt.datetime) -> RetrySafety:
        return RetrySafety.NEITHER if "message" in intent else RetrySafety.IDEMPOTENT

    def _require(self, uri: str, *, own_rkey: str) -> None:
        """Raises Rejected(NOT_FOUND) when what is answered is gone, unless our answer got through before."""
        match = _POST_URI.fullmatch(uri)
        if match is None:
            raise Rejected(RejectReason.INVALID, f"not the address of a post: {uri}")
        is_there = self._record(COLLECTION, match[2], did=match[1]) is not None
        if not is_there and self._record(COLLECTION, own_rkey) is None:
            raise Rejected(RejectReason.NOT_FOUND, f"{uri} is not there any more")

    def _upload(self, payload: PostPayload, part: int, media: int) -> Json:
        item = payload.parts[part].media[media]
        with opened(item) as stream:
            size = size_of(stream)
            if item.is_video:
                return self._upload_bytes(Slice(stream, 0, size), item.mime_type)
            if size > MAX_IMAGE_BYTES:
                raise Rejected(RejectReason.MEDIA_TOO_LARGE, f"{size} of {MAX_IMAGE_BYTES} bytes")
            return self._upload_bytes(piece_of(stream, 0, size), item.mime_type)

    def _upload_bytes(self, content: bytes | Slice, mime_type: str) -> Json:
        answer = self._call(
            "POST", "com.atproto.repo.uploadBlob", body=content, headers={"Content-Type": mime_type}
        )
        blob = answer.get("blob")
        cid, kind, size = (
            text(inner(blob, "ref", "$link")),
            text(inner(blob, "mimeType")),
            count(blob, "size"),
        )
        if not cid or not kind or size is None:
            raise Temporary("the server did not describe the uploaded file")
        return storable({"$type": "blob", "ref": {"$link": cid}, "mimeType": kind, "size": size})

    def _look_up(self, intent: Json) -> Json:
        """DIDs of the mentioned handles (those that exist) and the link card, with its picture uploaded."""
        found = {handle: resolve_at(self._pds, handle, guard=True) for handle in intent["handles"]}
        known: Json = {
            "dids": {handle: did for handle, did in found.items() if did},
            "card": self._card(intent["preview"]) if intent["preview"] else None,
        }
        if intent.get("picture"):
            known["thumb"] = self._thumb(intent["picture"])
        return known

    def _card(self, url: str) -> Json:
        page = link_preview.read_preview(url, platform=KEY)
        card: Json = {"uri": page.url, "title": page.title, "description": page.description}
        if page.image_url and (thumb := self._thumb(page.image_url)):
            card["thumb"] = thumb
        return card

    def _thumb(self, url: str) -> Json | None:
        """A card's picture, uploaded; None when it cannot be had: the card goes without."""
        picture = link_preview.read_picture(url, platform=KEY, max_bytes=MAX_THUMB_BYTES)
        return self._upload_bytes(*picture) if picture else None

    def _put(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        """Write the record. Repeating it does no harm: see the docstring of this module."""
        for is_repeated in (False, True):
            response = self._put_record(COLLECTION, intent["rkey"], intent["record"], swap=None, changes=True)
            if response.status_code == 200:
                return self._published(http.json_object(response), intent["rkey"], changes=True)
            match error_name(response):
                case "InvalidSwap":
                    return self._already_there(intent)
                case "BlobNotFound" if payload.parts[step.part].media and not is_repeated:
                    # An upload that no record used for long was thrown away. A blob's name is the hash of
                    # its bytes, so the same image uploaded again fits the record as it was fixed.
                    for m in range(len(payload.parts[step.part].media)):
                        self._upload(payload, step.part, m)
                case _:
                    break
        raise map_error(response, changes=True)

    def _put_record(
        self, collection: str, rkey: str, record: Json, *, swap: str | None, changes: bool = False
    ) -> requests.Response:
        """``swap``: the cid that is written over, None = only if there is no record."""
        body = {
            "repo": self._did,
            "collection": collection,
            "rkey": rkey,
            "record": record,
            "swapRecord": swap,
        }
        return self._send("POST", "com.atproto.repo.putRecord", json_body=body, changes=changes)

    def _already_there(self, intent: Json) -> StepResult:
        """Our key is taken. Servers that refuse even the identical record come here with a repetition."""
        existing = self._record(COLLECTION, intent["rkey"])
        if existing is None:
            raise Temporary("the record was there and is gone")
        if existing.get("value") != intent["record"]:
            raise Rejected(RejectReason.DUPLICATE, f"another post has the key {intent['rkey']}")
        return self._published(existing, intent["rkey"], changes=False)

    def _published(self, answer: Mapping[str, Any], rkey: str, *, changes: bool) -> StepResult:
        uri, cid = answer.get("uri"), answer.get("cid")
        if not isinstance(uri, str) or not isinstance(cid, str):
            raise (OutcomeUnknown if changes else Temporary)("the server did not name the record")
        return StepResult(remote_id=uri, permalink=self._permalink(rkey), detail={"uri": uri, "cid": cid})

    def _permalink(self, rkey: str) -> str:
        handle = self.options.get("handle") or "handle.invalid"
        return f"https://bsky.app/profile/{self._did if handle == 'handle.invalid' else handle}/post/{rkey}"

    # --- likes and hidden replies ---------------------------------------------------------------

    def _moderate(self, intent: Json) -> StepResult:
        match ModerationAction(intent["action"]):
            case ModerationAction.LIKE:
                return self._like(intent)
            case ModerationAction.UNLIKE:
                return self._unlike(intent)
            case _:
                return self._hide(intent)

    def _like(self, intent: Json) -> StepResult:
        like, is_there = self._like_of(intent["uri"])
        if not is_there:
            raise Rejected(RejectReason.NOT_FOUND, f"{intent['uri']} is not there any more")
        if like:  # by us before, or in Bluesky's own app, which takes another key
            return StepResult(remote_id=like)
        response = self._put_record(LIKES, intent["rkey"], intent["record"], swap=None)
        if response.status_code != 200 and error_name(response) != "InvalidSwap":
            raise map_error(response, changes=False)
        return StepResult(remote_id=f"at://{self._did}/{LIKES}/{intent['rkey']}")

    def _unlike(self, intent: Json) -> StepResult:
        like, _ = self._like_of(intent["uri"])
        rkey = like.rpartition("/")[2] or intent["rkey"]
        # Deleting what is not there is a success, too.
        self._call(
            "POST",
            "com.atproto.repo.deleteRecord",
            json_body={"repo": self._did, "collection": LIKES, "rkey": rkey},
        )
        return StepResult()

    def _like_of(self, uri: str) -> tuple[str, bool]:
        """The address of our like of a post ("" without one), and whether the post is there at all."""
        try:
            posts = all_items(self._get("app.bsky.feed.getPosts", [("uris", uri)]), "posts")
        except NoAppView:
            return "", True
        return text(inner(posts[0], "viewer", "like")) if posts else "", bool(posts)

    def _hide(self, intent: Json) -> StepResult:
        """Read the thread's gate, change its list, write it back only over what was read."""
        match = _POST_URI.fullmatch(intent["root"])
        if match is None or match[1] != self._did:
            raise Rejected(RejectReason.NOT_SUPPORTED, "only the author of the first post hides replies")
        gate = self._record(GATES, match[2])
        try:
            record = gate_record(
                object_of(gate, "value") if gate else None,
                root=intent["root"],
                reply=intent["uri"],
                is_hidden=intent["action"] == ModerationAction.HIDE,
                created_at=intent["created_at"],
            )
        except TooManyHidden as error:
            raise Rejected(RejectReason.INVALID, "Bluesky hides at most 300 replies of a thread") from error
        if record is not None:
            response = self._put_record(GATES, match[2], record, swap=ident(gate, "cid") if gate else None)
            if error_name(response) == "InvalidSwap":
                raise Temporary("the thread's gate was changed at the same time")
            if response.status_code != 200:
                raise map_error(response, changes=False)
        return StepResult()

    # --- direct messages ------------------------------------------------------------------------

    def _send_message(self, intent: Json) -> StepResult:
        convo_id = intent["convo_id"] or self._convo_with(intent["recipient"])
        response = self._send(
            "POST",
            "chat.bsky.convo.sendMessage",
            json_body={"convoId": convo_id, "message": intent["message"]},
            headers=_CHAT_SERVICE,
            changes=True,
        )
        if response.status_code != 200:
            raise chat_error(response, changes=True)
        return StepResult(remote_id=message_id(convo_id, http.json_object(response)))

    def _convo_with(self, did: str) -> str:
        answer = self._chat("chat.bsky.convo.getConvoForMembers", [("members", did)])
        return ident(object_of(answer, "convo"), "id")

    def _chat(self, method: str, query: Sequence[tuple[str, str]]) -> dict[str, Any]:
        response = self._send("GET", method, query=query, headers=_CHAT_SERVICE)
        if response.status_code != 200:
            raise chat_error(response, changes=False)
        return http.json_object(response)

    # --- reading ------------------------------------------------------------------------------

    def fetch_inbox(self, *, since: dt.datetime, cursor: str = "") -> InboxPage:
        """Notices of the AppView, then the account's own answers, then direct messages.

        A server without an AppView has an empty inbox; one that cannot reach its own raises Temporary. The
        chat service may be missing, closed to us or out of order: then there are no messages, and the rest
        goes on.
        """
        reader = self._reader()
        lists = {
            "notices": lambda position: reader.notices(position, since),
            "answers": lambda position: reader.answers(position, since),
        }
        if self.info.can(Capability.INBOX_MESSAGES):
            lists["messages"] = lambda position: reader.messages(position, since)
        try:
            return read_lists(lists, cursor)
        except NoAppView as error:
            if "No service configured" in error.detail:
                return InboxPage(())
            raise

    def find_sent(self, payload: PostPayload, *, since: dt.datetime) -> Sequence[RemotePost]:
        if payload.message_to is None:
            return self.find_recent(since=since)
        convo_id = payload.message_to.thread_id or self._convo_with(payload.message_to.recipient_id)
        return self._reader().sent_messages(convo_id, since)

    def _reader(self) -> Reader:
        return Reader(
            did=self._did, handle=str(self.options.get("handle", "")), ask=self._get, chat=self._chat
        )

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        match = _POST_URI.fullmatch(remote_id)
        if match is None:
            raise Rejected(RejectReason.INVALID, f"not the address of a post: {remote_id}")
        record = self._record(COLLECTION, match[2], did=match[1])
        return self._remote_post(record) if record else None

    def find_recent(self, *, since: dt.datetime) -> Sequence[RemotePost]:
        """The account's own list has the order of record keys, which people's programs may choose freely;
        it is read until a whole page is older, ten pages at most."""
        found: list[RemotePost] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            query = {"repo": self._did, "collection": COLLECTION, "limit": "100"}
            page = self._get("com.atproto.repo.listRecords", query | ({"cursor": cursor} if cursor else {}))
            posts = [self._remote_post(record) for record in all_items(page, "records")]
            recent = [post for post in posts if post.created_at >= since]
            found += recent
            cursor = text(page.get("cursor"))
            if not recent or not cursor:
                break
        return sorted(found, key=lambda post: post.created_at, reverse=True)

    def fetch_account_metrics(self) -> AccountMetrics:
        """Counts come from the AppView behind the account's server; without one nothing is known."""
        try:
            profile = self._get("app.bsky.actor.getProfile", {"actor": self._did})
        except NoAppView:
            return AccountMetrics()
        return _counts(profile)

    def fetch_public_account(self, handle: str) -> PublicAccount | None:
        """As the AppView shows it, by handle or DID; a bare name is one of bsky.social. Raises
        Rejected(NOT_SUPPORTED) without an AppView."""
        name = handle.strip().removeprefix("@").lower()
        if "." not in name and ":" not in name:
            name += ".bsky.social"
        if not _ACTOR.fullmatch(name):
            return None
        try:
            shown = self._get("app.bsky.actor.getProfile", {"actor": name})
        except NoAppView as error:
            raise Rejected(RejectReason.NOT_SUPPORTED, "the server has no AppView") from error
        except Rejected as refused:
            if _GONE.search(refused.detail):
                return None
            raise
        return PublicAccount(profile_of(shown), _counts(shown))

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        """As above. A post is absent, too, in the seconds until the AppView has taken it in."""
        found: dict[str, PostMetrics] = {}
        for start in range(0, len(remote_ids), POSTS_PER_QUERY):
            some = remote_ids[start : start + POSTS_PER_QUERY]
            try:
                answer = self._get("app.bsky.feed.getPosts", [("uris", uri) for uri in some])
            except NoAppView:
                return {uri: PostMetrics() for uri in remote_ids}
            for post in rows(answer.get("posts")):
                found[id_of(post.get("uri"))] = PostMetrics(
                    likes=count(post, "likeCount"),
                    comments=count(post, "replyCount"),
                    shares=count(post, "repostCount"),
                    quotes=count(post, "quoteCount"),
                    bookmarks=count(post, "bookmarkCount"),
                )
        found.pop("", None)  # what cannot be read is nobody's
        return found

    def _record(self, collection: str, rkey: str, *, did: str = "") -> Json | None:
        """One record as anybody may read it; None when there is none."""
        query = {"repo": did or self._did, "collection": collection, "rkey": rkey}
        response = http.request(
            "GET", f"{self._pds}/xrpc/com.atproto.repo.getRecord", platform=KEY, params=query, guard=True
        )
        if response.status_code == 200:
            return http.json_object(response)
        if error_name(response) in {"RecordNotFound", "RepoNotFound", "RepoTakendown", "RepoDeactivated"}:
            return None
        if response.status_code == 400 and _NOT_THERE.search(response.text):
            return None
        raise map_error(response, changes=False)

    def _remote_post(self, record: Mapping[str, Any]) -> RemotePost:
        """Raises Temporary for one that is not told: whoever looks for a post would take it for gone."""
        value, uri = object_of(record, "value"), ident(record, "uri")
        if not isinstance(value.get("text", ""), str):
            raise Temporary("a post without its words")
        images = inner(value, "embed", "images")
        return RemotePost(
            remote_id=uri,
            text=text(value.get("text")),
            created_at=instant(value.get("createdAt")),
            permalink=self._permalink(uri.rpartition("/")[2]),
            in_reply_to=text(inner(value, "reply", "parent", "uri")),
            media_count=len(images) if isinstance(images, list) else 0,
        )

    # --- calls --------------------------------------------------------------------------------

    @property
    def _did(self) -> str:
        return str(self.options["did"])

    @property
    def _pds(self) -> str:
        return str(self.options["pds"])

    def _get(
        self, method: str, query: Mapping[str, str] | Iterable[tuple[str, str]] | None = None
    ) -> dict[str, Any]:
        return self._call("GET", method, query=query)

    def _call(self, verb: str, method: str, **request: Any) -> dict[str, Any]:
        response = self._send(verb, method, **request)
        if response.status_code != 200:
            raise map_error(response, changes=False)
        return http.json_object(response)

    def _send(
        self,
        verb: str,
        method: str,
        *,
        query: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        json_body: Json | None = None,
        body: bytes | Slice | None = None,
        headers: Mapping[str, str] | None = None,
        changes: bool = False,
    ) -> requests.Response:
        """One call in the account's name. A server that finds the access token too old refuses before it
        does anything, so the call is made once more with a fresh one."""
        timeout_s = 30.0 if body is None else 60.0 if isinstance(body, bytes) else VIDEO_TIMEOUT_S
        for may_renew in (self.renew is not None, False):
            if isinstance(body, Slice):
                body.rewind()
            response = http.request(
                verb,
                f"{self._pds}/xrpc/{method}",
                platform=KEY,
                headers={"Authorization": f"Bearer {self.tokens.access_token}", **(headers or {})},
                params=query,
                json=json_body,
                body=cast("bytes | IO[bytes] | None", body),
                timeout_s=timeout_s,
                changes=changes,
                guard=True,  # the host came from the account's identity document
            )
            if not may_renew or self.renew is None or error_name(response) != "ExpiredToken":
                break
            self.tokens = self.renew(self.tokens)
        return response


# --- small things -----------------------------------------------------------------------------


def _moderation_intent(moderation: Moderation, *, now: dt.datetime) -> Json:
    uri, detail = moderation.remote_id, moderation.detail
    intent: Json = {
        "action": str(moderation.action),
        "uri": uri,
        "root": (detail.get("root") or {}).get("uri") or uri,
        "created_at": timestamp(now),
    }
    if moderation.action in (ModerationAction.LIKE, ModerationAction.UNLIKE):
        subject = {"uri": uri, "cid": str(detail.get("cid", ""))}
        intent |= {"rkey": like_key(uri), "record": like_record(subject, now=now)}
    return intent


def _counts(profile: Mapping[str, Any]) -> AccountMetrics:
    return AccountMetrics(
        followers=count(profile, "followersCount"),
        following=count(profile, "followsCount"),
        posts=count(profile, "postsCount"),
    )
