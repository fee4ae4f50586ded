"""Bluesky and other servers of the AT Protocol, by app password.

Documents (checked 2026-11-22): the lexicons com.atproto.* and app.bsky.* of github.com/bluesky-social/atproto
(post 300 graphemes and 3000 bytes; images up to four of 2,000,000 bytes, 1,000,000 until 2026),
atproto.com/specs (tid, handle, did, record-key), docs.bsky.app/docs/advanced-guides/rate-limits.
Seen running against the PDS and the AppView of @atproto/dev-env 0.6.7.

What makes a repeat safe: we choose the record's key and fix the whole record, its time included, before
the first try, and write with ``putRecord`` and ``swapRecord: null`` ("only if there is none"). The PDS
answers an identical record with 200 and the same cid, without a second commit, and another record under
the same key with InvalidSwap. (``createRecord`` on an existing key answers 500.)

Not supported yet: OAuth with DPoP, direct messages (they need a privileged app password), video.
A post that somebody deletes at Bluesky between an unknown outcome and its repetition appears again.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import unquote, urlencode, urlsplit

import requests

from connectors import http, link_preview
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    Capability,
    Connected,
    ConnectField,
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
    TextLimit,
    TextUnit,
    Tokens,
    standard_plan,
)
from connectors.bluesky_record import (
    COLLECTION,
    is_handle,
    make_tid,
    mentioned_handles,
    needs_lookup,
    post_record,
    tid_microseconds,
    url_to_preview,
)
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)

KEY = "bluesky"
ENTRYWAY = "https://bsky.social"
PLC = "https://plc.directory"
MAX_IMAGE_BYTES = 2_000_000
MAX_THUMB_BYTES = 1_000_000
POSTS_PER_QUERY = 25
MOST_PAGES = 10  # of 100 posts each, when the account's own list is read

# Sentences for the person who connects; the interface translates them.
WRONG_PASSWORD = "Bluesky does not accept this handle and password."  # noqa: S105
NOT_AN_APP_PASSWORD = (
    "Bluesky does not accept this password. It does not look like an app password (xxxx-xxxx-xxxx-xxxx): "  # noqa: S105
    "make one in Bluesky under Settings, Privacy and security, App passwords."
)
SECOND_FACTOR = (
    "This is the main password of an account that also asks for a code by e-mail. Make an app password in "
    "Bluesky under Settings, Privacy and security, App passwords, and use that one."
)

INFO = PlatformInfo(
    key=KEY,
    name="Bluesky",
    capabilities=frozenset(
        {
            Capability.POST_TEXT,
            Capability.POST_IMAGES,
            Capability.POST_THREAD,
            Capability.LINK_CARD,
            Capability.ALT_TEXT,
            Capability.ACCOUNT_METRICS,
            Capability.POST_METRICS,
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
)

_DID = re.compile(r"did:(?:plc:[a-z2-7]{24}|web:[a-z0-9.-]+(?:%3A[0-9]+)?)")
_POST_URI = re.compile(rf"at://(did:[a-z]+:[A-Za-z0-9._:%-]+)/{re.escape(COLLECTION)}/([A-Za-z0-9._:~-]+)")
_APP_PASSWORD = re.compile(r"[a-z0-9]{4}(?:-[a-z0-9]{4}){3}")
# Names that the DNS keeps for documents and tests: nothing can be asked there.
_NO_HOSTS = (".test", ".example", ".invalid", ".localhost", ".local", ".onion", ".arpa", ".alt", ".internal")


class BlueskyConnector(Connector):
    """``options``: ``did``, ``pds`` (base URL of the account's server), ``handle``."""

    INFO: ClassVar[PlatformInfo] = INFO

    # --- connecting ---------------------------------------------------------------------------

    @classmethod
    def connect(cls, fields: Mapping[str, str]) -> Connected:
        """Sign in with an app password at the server that the handle's identity document names.

        Raises Rejected (NOT_FOUND: no such handle; HOST_UNKNOWN, HOST_REFUSED: its server; INVALID: not
        a handle), NeedsReconnect (wrong password; ``advice`` says which mistake it looks like).
        """
        identifier = _clean_identifier(fields.get("identifier", ""))
        password = fields.get("app_password", "").strip()
        if not password:
            raise NeedsReconnect("no password was typed", WRONG_PASSWORD)
        service = _service_url(fields.get("service", ""))
        did = ""
        if not service and "@" not in identifier:
            did = identifier if identifier.startswith("did:") else resolve_handle(identifier)
            home = _pds_of(_did_document(did), did)
        else:
            home = service or http.base_url("bluesky.entryway", ENTRYWAY)
        session = _create_session(
            home, identifier=did or identifier, password=password, guard=bool(did or service)
        )
        if did and session["did"] != did:
            raise Rejected(RejectReason.FORBIDDEN, f"{home} signed in another account than {identifier}")
        did = str(session["did"])
        # What the server says of itself proves nothing: the identity document says where the account lives.
        document = _did_document(did)
        options: Json = {"did": did, "pds": _pds_of(document, did)}
        options["handle"] = _verified_handle(document, str(session.get("handle", "")))
        tokens = _tokens(session)
        profile = cls(tokens=tokens, options=options).fetch_profile()
        scope = _claims(tokens.access_token).get("scope", "")
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
            raise _map_error(response, changes=False)
        session = http.json_object(response)
        if session.get("did") != options["did"]:
            raise NeedsReconnect("the server answered for another account")
        return _tokens(session)

    def fetch_profile(self) -> Profile:
        session = self._get("com.atproto.server.getSession")
        if session.get("did") != self._did:
            raise Rejected(RejectReason.FORBIDDEN, f"{self._pds} signed in another account")
        handle = str(session.get("handle") or self.options.get("handle", ""))
        record = self._record("app.bsky.actor.profile", "self")
        shown = record["value"] if record and isinstance(record.get("value"), dict) else {}
        avatar = shown.get("avatar")
        cid = avatar.get("ref", {}).get("$link", "") if isinstance(avatar, dict) else ""
        picture = urlencode({"did": self._did, "cid": cid})
        return Profile(
            remote_id=self._did,
            handle=handle,
            display_name=str(shown.get("displayName", "")),
            avatar_url=f"{self._pds}/xrpc/com.atproto.sync.getBlob?{picture}" if cid else "",
            profile_url=f"https://bsky.app/profile/{self._did}",
        )

    # --- publishing ---------------------------------------------------------------------------

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        """Images, then for parts that name people or link pages a step that looks them up, then the post."""
        return tuple(
            step
            for step in standard_plan(payload, container=True)
            if step.kind is not StepKind.CONTAINER or needs_lookup(payload.parts[step.part])
        )

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        part = payload.parts[step.part]
        if step.kind is StepKind.MEDIA:
            item = part.media[step.media]
            return {"media": item.key, "mime_type": item.mime_type, "size": item.size}
        if step.kind is StepKind.CONTAINER:
            return {"handles": mentioned_handles(part), "preview": url_to_preview(part)}
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
        return self._put(step, payload, intent)

    def _upload(self, payload: PostPayload, part: int, media: int) -> Json:
        item = payload.parts[part].media[media]
        with item.open() as stream:
            content = stream.read(MAX_IMAGE_BYTES + 1)
        if len(content) > MAX_IMAGE_BYTES:
            raise Rejected(RejectReason.MEDIA_TOO_LARGE, f"{len(content)} of {MAX_IMAGE_BYTES} bytes")
        return self._upload_bytes(content, item.mime_type)

    def _upload_bytes(self, content: bytes, mime_type: str) -> Json:
        answer = self._call(
            "POST", "com.atproto.repo.uploadBlob", body=content, headers={"Content-Type": mime_type}
        )
        blob = answer.get("blob")
        if not isinstance(blob, dict):
            raise Temporary("the server did not describe the uploaded image")
        return blob

    def _look_up(self, intent: Json) -> Json:
        """DIDs of the mentioned handles (those that exist) and the link card, with its picture uploaded."""
        found = {handle: _resolve_at(self._pds, handle, guard=True) for handle in intent["handles"]}
        return {
            "dids": {handle: did for handle, did in found.items() if did},
            "card": self._card(intent["preview"]) if intent["preview"] else None,
        }

    def _card(self, url: str) -> Json:
        page = link_preview.read_preview(url, platform=KEY)
        card: Json = {"uri": page.url, "title": page.title, "description": page.description}
        picture = (
            link_preview.read_picture(page.image_url, platform=KEY, max_bytes=MAX_THUMB_BYTES)
            if page.image_url
            else None
        )
        if picture:
            card["thumb"] = self._upload_bytes(*picture)
        return card

    def _put(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        """Write the record. Repeating it does no harm: see the docstring of this module."""
        body = {
            "repo": self._did,
            "collection": COLLECTION,
            "rkey": intent["rkey"],
            "record": intent["record"],
            "swapRecord": None,
        }
        for is_repeated in (False, True):
            response = self._send("POST", "com.atproto.repo.putRecord", json_body=body, changes=True)
            if response.status_code == 200:
                return self._published(http.json_object(response), intent["rkey"], changes=True)
            match _error_name(response):
                case "InvalidSwap":
                    return self._already_there(intent)
                case "BlobNotFound" if payload.parts[step.part].media and not is_repeated:
                    # An upload that no record used for long was thrown away. A blob's name is the hash of
                    # its bytes, so the same image uploaded again fits the record as it was fixed.
                    for m in range(len(payload.parts[step.part].media)):
                        self._upload(payload, step.part, m)
                case _:
                    break
        raise _map_error(response, changes=True)

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

    # --- reading ------------------------------------------------------------------------------

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
            posts = [self._remote_post(record) for record in page.get("records", [])]
            recent = [post for post in posts if post.created_at >= since]
            found += recent
            cursor = str(page.get("cursor") or "")
            if not recent or not cursor:
                break
        return sorted(found, key=lambda post: post.created_at, reverse=True)

    def fetch_account_metrics(self) -> AccountMetrics:
        """Counts come from the AppView behind the account's server; without one nothing is known."""
        try:
            profile = self._get("app.bsky.actor.getProfile", {"actor": self._did})
        except _NoAppView:
            return AccountMetrics()
        return AccountMetrics(
            followers=_count(profile, "followersCount"),
            following=_count(profile, "followsCount"),
            posts=_count(profile, "postsCount"),
        )

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        """As above. A post is absent, too, in the seconds until the AppView has taken it in."""
        found: dict[str, PostMetrics] = {}
        for start in range(0, len(remote_ids), POSTS_PER_QUERY):
            some = remote_ids[start : start + POSTS_PER_QUERY]
            try:
                answer = self._get("app.bsky.feed.getPosts", [("uris", uri) for uri in some])
            except _NoAppView:
                return {uri: PostMetrics() for uri in remote_ids}
            for post in answer.get("posts", []):
                found[post["uri"]] = PostMetrics(
                    likes=_count(post, "likeCount"),
                    comments=_count(post, "replyCount"),
                    shares=_count(post, "repostCount"),
                    quotes=_count(post, "quoteCount"),
                    bookmarks=_count(post, "bookmarkCount"),
                )
        return found

    def _record(self, collection: str, rkey: str, *, did: str = "") -> Json | None:
        """One record as anybody may read it; None when there is none."""
        query = {"repo": did or self._did, "collection": collection, "rkey": rkey}
        response = http.request(
            "GET", f"{self._pds}/xrpc/com.atproto.repo.getRecord", platform=KEY, params=query, guard=True
        )
        if response.status_code == 200:
            return http.json_object(response)
        if _error_name(response) in {"RecordNotFound", "RepoNotFound", "RepoTakendown", "RepoDeactivated"}:
            return None
        raise _map_error(response, changes=False)

    def _remote_post(self, record: Mapping[str, Any]) -> RemotePost:
        value = record.get("value") or {}
        uri = str(record.get("uri", ""))
        parent = (value.get("reply") or {}).get("parent") or {}
        images = (value.get("embed") or {}).get("images")
        return RemotePost(
            remote_id=uri,
            text=str(value.get("text", "")),
            created_at=_instant(str(value.get("createdAt", ""))),
            permalink=self._permalink(uri.rpartition("/")[2]),
            in_reply_to=str(parent.get("uri", "")),
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
            raise _map_error(response, changes=False)
        return http.json_object(response)

    def _send(
        self,
        verb: str,
        method: str,
        *,
        query: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        json_body: Json | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        changes: bool = False,
    ) -> requests.Response:
        """One call in the account's name. A server that finds the access token too old refuses before it
        does anything, so the call is made once more with a fresh one."""
        for may_renew in (self.renew is not None, False):
            response = http.request(
                verb,
                f"{self._pds}/xrpc/{method}",
                platform=KEY,
                headers={"Authorization": f"Bearer {self.tokens.access_token}", **(headers or {})},
                params=query,
                json=json_body,
                body=body,
                timeout_s=60.0 if body is not None else 30.0,
                changes=changes,
                guard=True,  # the host came from the account's identity document
            )
            if not may_renew or self.renew is None or _error_name(response) != "ExpiredToken":
                break
            self.tokens = self.renew(self.tokens)
        return response


# --- identities -------------------------------------------------------------------------------


def resolve_handle(handle: str) -> str:
    """The DID of a handle, by the entry server, else by the handle's own host.

    Raises Rejected(NOT_FOUND), Rejected(HOST_REFUSED) for a handle whose host is private, Temporary.
    """
    failure: ConnectorError | None = None
    try:
        did = _resolve_at(http.base_url("bluesky.entryway", ENTRYWAY), handle, guard=False)
    except (Temporary, RateLimited) as error:
        did, failure = "", error
    did = did or _resolve_at_own_host(handle)
    if did:
        return did
    raise failure or Rejected(RejectReason.NOT_FOUND, f"no account has the handle {handle}")


def _resolve_at(server: str, handle: str, *, guard: bool) -> str:
    """The DID by a server's ``resolveHandle``; "" when it says that there is none."""
    response = http.request(
        "GET",
        f"{server}/xrpc/com.atproto.identity.resolveHandle",
        platform=KEY,
        params={"handle": handle},
        timeout_s=10.0,
        guard=guard,
    )
    if response.status_code == 400:
        return ""
    if response.status_code != 200:
        raise _map_error(response, changes=False)
    did = str(http.json_object(response).get("did", ""))
    return did if _DID.fullmatch(did) else ""


def _resolve_at_own_host(handle: str) -> str:
    if handle.endswith(_NO_HOSTS):
        return ""
    try:
        response = http.request(
            "GET", f"https://{handle}/.well-known/atproto-did", platform=KEY, timeout_s=10.0, guard=True
        )
    except Temporary:
        return ""
    did = response.text[:300].strip() if response.status_code == 200 else ""
    return did if _DID.fullmatch(did) else ""


def _did_document(did: str) -> Json:
    """The identity document: from the PLC directory, or from the host that a did:web names."""
    if not _DID.fullmatch(did):
        raise Rejected(RejectReason.INVALID, f"not an account's DID: {did}")
    method, _, name = did.removeprefix("did:").partition(":")
    is_plc = method == "plc"
    url = (
        f"{http.base_url('bluesky.plc', PLC)}/{did}"
        if is_plc
        else f"https://{unquote(name)}/.well-known/did.json"
    )
    with contextlib.nullcontext() if is_plc else _host_of_the_person():
        response = http.request("GET", url, platform=KEY, timeout_s=10.0, guard=not is_plc)
    if response.status_code in {404, 410}:
        raise Rejected(RejectReason.NOT_FOUND, f"nothing is known of {did}")
    if response.status_code != 200:
        raise _map_error(response, changes=False)
    document = http.json_object(response)
    if document.get("id") != did:
        raise Rejected(RejectReason.INVALID, f"the identity document of {did} is another's")
    return document


def _pds_of(document: Mapping[str, Any], did: str) -> str:
    """Base URL of the server that keeps the account's records."""
    for service in document.get("service") or ():
        if service.get("id") in {"#atproto_pds", f"{did}#atproto_pds"}:
            endpoint = service.get("serviceEndpoint")
            origin = _origin(endpoint) if isinstance(endpoint, str) else ""
            if origin:
                return origin
    raise Rejected(RejectReason.HOST_UNKNOWN, f"{did} names no server")


def _verified_handle(document: Mapping[str, Any], handle: str) -> str:
    """``handle`` if the identity document claims it, else the one that it does claim."""
    claimed = [
        name.removeprefix("at://") for name in document.get("alsoKnownAs") or () if name.startswith("at://")
    ]
    return handle if handle in claimed else next(iter(claimed), "handle.invalid")


@contextlib.contextmanager
def _host_of_the_person() -> Iterator[None]:
    """A name without an address is a mistake of who typed it, not something that passes."""
    try:
        yield
    except http.HostNotFound as error:
        raise Rejected(RejectReason.HOST_UNKNOWN, error.detail) from error


def _clean_identifier(typed: str) -> str:
    """Handle, DID or e-mail address from what people paste: ``@name``, a profile's address, invisible
    direction marks, a bare name of bsky.social."""
    name = "".join(c for c in typed if unicodedata.category(c) not in {"Cf", "Cc"}).strip()
    name = re.sub(r"(?i)^(?:https?://)?(?:www\.)?bsky\.app/profile/([^/?#]+).*$", r"\1", name)
    name = name.removeprefix("@").removeprefix("at://")
    if name.startswith("did:"):
        if _DID.fullmatch(name):
            return name
    elif "@" in name:
        if re.fullmatch(r"[^@\s]+@[^@\s]+", name):
            return name
    else:
        name = name.lower()
        if name and "." not in name:
            name = f"{name}.bsky.social"
        if is_handle(name):
            return name
    raise Rejected(RejectReason.INVALID, f"not a handle or an e-mail address: {typed.strip()[:100]}")


def _service_url(typed: str) -> str:
    """Base URL of the server that the person named; "" for none, and for Bluesky's own names."""
    typed = typed.strip()
    if not typed:
        return ""
    origin = _origin(typed if "://" in typed else f"https://{typed}")
    if not origin:
        raise Rejected(RejectReason.HOST_UNKNOWN, f"not a server's address: {typed[:100]}")
    return "" if urlsplit(origin).hostname in {"bsky.app", "www.bsky.app", "bsky.social"} else origin


def _origin(url: str) -> str:
    """``scheme://host[:port]`` of an address, "" for anything else and for one with a user name in it."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


# --- sessions ---------------------------------------------------------------------------------


def _create_session(server: str, *, identifier: str, password: str, guard: bool) -> dict[str, Any]:
    with _host_of_the_person() if guard else contextlib.nullcontext():
        response = http.request(
            "POST",
            f"{server}/xrpc/com.atproto.server.createSession",
            platform=KEY,
            json={"identifier": identifier, "password": password},
            guard=guard,
        )
    error = _error_name(response)
    if error == "AuthFactorTokenRequired":
        raise NeedsReconnect(http.excerpt(response), SECOND_FACTOR)
    if error == "AuthenticationRequired":
        is_app_password = _APP_PASSWORD.fullmatch(password) is not None
        raise NeedsReconnect(
            http.excerpt(response), WRONG_PASSWORD if is_app_password else NOT_AN_APP_PASSWORD
        )
    if response.status_code < 500 and not error:
        with contextlib.suppress(ValueError):
            session = response.json()
            if isinstance(session, dict) and {"did", "accessJwt", "refreshJwt"} <= session.keys():
                return session
        raise Rejected(RejectReason.HOST_UNKNOWN, f"{server} is not a Bluesky server")
    raise _map_error(response, changes=False)


def _tokens(session: Mapping[str, Any]) -> Tokens:
    access, refresh = str(session.get("accessJwt", "")), str(session.get("refreshJwt", ""))
    if not access or not refresh:
        raise Temporary("the server gave no tokens")
    expires = _claims(access).get("exp")
    at = dt.datetime.fromtimestamp(expires, dt.UTC) if isinstance(expires, int) and expires < 1e11 else None
    return Tokens(
        access_token=access,
        refresh_token=refresh,
        expires_at=at,
    )


def _claims(token: str) -> dict[str, Any]:
    """The claims of a JWT, unverified: only its issuer can verify it. Empty if it is not one."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


# --- small things -----------------------------------------------------------------------------


def _instant(stated: str) -> dt.datetime:
    """When a post says it was made. People's programs write what they like: unreadable is long ago."""
    try:
        at = dt.datetime.fromisoformat(stated)
    except ValueError:
        return dt.datetime.fromtimestamp(0, dt.UTC)
    return at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)


def _count(counts: Mapping[str, Any], name: str) -> int | None:
    value = counts.get(name)
    return value if isinstance(value, int) else None


class _NoAppView(Temporary):
    """The account's server has nobody to ask for counts, or cannot reach it."""


_DEAD_CREDENTIAL = frozenset(
    {
        "InvalidToken",
        "ExpiredToken",
        "AuthMissing",
        "AuthenticationRequired",
        "AccountTakedown",
        "AccountSuspended",
        "AccountDeactivated",
        "AccountNotFound",
    }
)
_REJECTIONS = {
    "BlobNotFound": RejectReason.MEDIA_BROKEN,
    "BlobTooLarge": RejectReason.MEDIA_TOO_LARGE,
    "PayloadTooLarge": RejectReason.MEDIA_TOO_LARGE,
    "InvalidMimeType": RejectReason.MEDIA_TYPE,
    "RecordNotFound": RejectReason.NOT_FOUND,
    "RepoNotFound": RejectReason.NOT_FOUND,
    "HandleNotFound": RejectReason.NOT_FOUND,
    "MethodNotImplemented": RejectReason.NOT_SUPPORTED,
}
# The PDS has one name, InvalidRequest, for every record that breaks its lexicon, and says which in words.
_WORDS = (
    (
        re.compile(r"grapheme too big.*record\.text|too (?:long|big).*record\.text"),
        RejectReason.TEXT_TOO_LONG,
    ),
    (re.compile(r"blob too big"), RejectReason.MEDIA_TOO_LARGE),
    (re.compile(r"mime ?type"), RejectReason.MEDIA_TYPE),
)


def _error_name(response: requests.Response) -> str:
    """The XRPC error name of an answer; "" for a success or for what is not an XRPC answer."""
    if response.status_code < 400:
        return ""
    try:
        content = response.json()
    except ValueError:
        return ""
    name = content.get("error", "") if isinstance(content, dict) else ""
    return name if isinstance(name, str) else ""


def _free_again(response: requests.Response) -> dt.datetime:
    """When the bucket is full again: ``ratelimit-reset`` (seconds since 1970), else Retry-After, else a
    minute from now. Between one second and one day from now."""
    now = dt.datetime.now(dt.UTC)
    try:
        at = dt.datetime.fromtimestamp(float(response.headers["ratelimit-reset"]), dt.UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        at = http.retry_after(response, now=now, default_s=60)
    return min(max(at, now + dt.timedelta(seconds=1)), now + dt.timedelta(days=1))


def _map_error(response: requests.Response, *, changes: bool) -> ConnectorError:
    """What an answer other than 200 means (docs/networks/bluesky.md has the table)."""
    status, name, words = response.status_code, _error_name(response), http.excerpt(response)
    if status == 429:
        return RateLimited(_free_again(response), words)
    if name == "UpstreamFailure" or "No service configured" in words:
        return OutcomeUnknown(words) if changes else _NoAppView(words)
    if status >= 500 and name != "MethodNotImplemented":
        return OutcomeUnknown(words) if changes else Temporary(words)
    if name in _DEAD_CREDENTIAL or (status == 401 and name):
        return NeedsReconnect(words)
    if name in _REJECTIONS:
        return Rejected(_REJECTIONS[name], words)
    if status == 413:
        return Rejected(RejectReason.MEDIA_TOO_LARGE, words)
    if not name:
        # A proxy or a firewall in front of the server spoke, not the server itself.
        return Temporary(words)
    if status == 403:
        return Rejected(RejectReason.FORBIDDEN, words)
    reason = next((reason for pattern, reason in _WORDS if pattern.search(words)), RejectReason.INVALID)
    return Rejected(reason, words)
