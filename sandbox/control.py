"""A client of a running sandbox network for tests and benchmarks: starts one, breaks it, reads its ledger.

The application never imports this: it knows the network through ``connectors/sandbox.py`` only.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

START_TIMEOUT_S = 20.0
CALL_TIMEOUT_S = 60.0


class SandboxFailed(RuntimeError):
    """The network did not start, or /control refused a call."""


@dataclass(frozen=True, slots=True)
class SandboxTokens:
    """What a client needs to speak for an account."""

    handle: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int = 0  # seconds


class SandboxControl:
    """The /control API of the network at ``base_url``; every method raises SandboxFailed on a refusal."""

    def __init__(self, base_url: str, *, token: str = "", pid: int = 0) -> None:
        """``pid``: of the network's process, where the caller started it."""
        self.base_url = base_url.rstrip("/")
        self.pid = pid
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy stands between us and loopback
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, **params: Any) -> Any:
        response = self._session.request(
            method,
            f"{self.base_url}{path}",
            json=body,
            params={name: value for name, value in params.items() if value not in (None, "")},
            timeout=CALL_TIMEOUT_S,
        )
        if response.status_code != 200:
            raise SandboxFailed(f"{method} {path}: {response.status_code} {response.text[:500]}")
        return response.json()

    def close(self) -> None:
        self._session.close()

    # Accounts.

    def account(self, handle: str, **spec: Any) -> SandboxTokens:
        """Make one account (see docs/sandbox.md for ``spec``) and tokens with all scopes."""
        return self.accounts([{"handle": handle, **spec}])[0]

    def accounts(self, specs: Sequence[Mapping[str, Any]], **common: Any) -> list[SandboxTokens]:
        """Many at once; ``common`` settings hold for all of them."""
        made = self.call("POST", "/control/accounts", {"accounts": list(specs), **common})["accounts"]
        return [
            SandboxTokens(
                one["handle"],
                one["tokens"]["access_token"],
                one["tokens"]["refresh_token"],
                one["tokens"]["expires_in"],
            )
            for one in made
        ]

    def many_accounts(self, count: int, *, prefix: str = "brand", **common: Any) -> list[SandboxTokens]:
        """prefix0001, prefix0002, ..."""
        return self.accounts([{"handle": f"{prefix}{n:04d}"} for n in range(1, count + 1)], **common)

    def configure(self, handle: str, **settings: Any) -> dict[str, Any]:
        """Change mode, quota_limit, text_max, read_lag_s ... of an account."""
        found: dict[str, Any] = self.call("PATCH", f"/control/accounts/{handle}", settings)
        return found

    def kill_tokens(self, handle: str, which: str = "both") -> None:
        self.call("DELETE", f"/control/accounts/{handle}/tokens", {"which": which})

    def seed_posts(self, handle: str, posts: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """Back-dated posts; the ids of each post and its thread parts."""
        body = {"posts": list(posts)}
        found: list[list[str]] = self.call("POST", f"/control/accounts/{handle}/posts", body)["post_ids"]
        return found

    def account_history(self, handle: str, *, days: int = 28) -> list[dict[str, Any]]:
        """followers, following, posts at the start of each UTC day and now; ``at`` is ISO."""
        path = f"/control/accounts/{handle}/history"
        found: list[dict[str, Any]] = self.call("GET", path, days=days)["history"]
        return found

    def post_history(self, post_id: str, at: Sequence[dt.datetime]) -> list[dict[str, Any]]:
        """likes, comments, shares, impressions, reach, clicks of a post as they stood at each instant."""
        instants = ",".join(one.isoformat() for one in at)
        found: list[dict[str, Any]] = self.call("GET", f"/control/posts/{post_id}/history", at=instants)[
            "history"
        ]
        return found

    def act(self, kind: str, *, by: str, **action: Any) -> str:
        """A customer likes, shares, comments (``post``, ``text``), deletes a comment of theirs (``post``),
        writes a message (``to``, ``text``) or a post of their own (``text``)."""
        body = {"actions": [{"kind": kind, "by": by, **action}]}
        found: str = self.call("POST", "/control/act", body)["ids"][0]
        return found

    def act_all(self, actions: Sequence[Mapping[str, Any]]) -> list[str]:
        """As ``act`` for many: {kind, by, ...}; the ids in their order."""
        found: list[str] = self.call("POST", "/control/act", {"actions": list(actions)})["ids"]
        return found

    def answer(self, handle: str, answers: Sequence[Mapping[str, Any]]) -> list[str]:
        """Back-dated answers of an account: {post | to, text, at, client_ref} or {hide, at}; their ids."""
        body = {"answers": list(answers)}
        found: list[str] = self.call("POST", f"/control/accounts/{handle}/answers", body)["ids"]
        return found

    # Trouble.

    def fault(self, effect: str, **rule: Any) -> int:
        """Add a rule (account, endpoint, probability, times and the effect's parameters); its id."""
        found: int = self.call("POST", "/control/faults", {"effect": effect, **rule})["id"]
        return found

    def faults(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/control/faults")["faults"]
        return found

    def clear_faults(self) -> None:
        """No more rules, and every Retry-After forgotten."""
        self.call("DELETE", "/control/faults")

    def advance(self, seconds: float) -> None:
        """Move the network's clock forward."""
        self.call("POST", "/control/clock", {"advance_s": seconds})

    def reset(self, *, keep_accounts: bool = False, seed: int = 1) -> None:
        self.call("POST", "/control/reset", {"keep_accounts": keep_accounts, "seed": seed})

    # The ledger.

    def summary(self, account: str = "") -> dict[str, Any]:
        """posts, replies, messages, by_account, duplicates, same_text, refs_stored, early, by_endpoint ..."""
        found: dict[str, Any] = self.call("GET", "/control/ledger/summary", account=account)
        return found

    def ledger(self, *, account: str = "", endpoint: str = "", after: int = 0) -> list[dict[str, Any]]:
        """Every request received after row ``after``, oldest first."""
        rows: list[dict[str, Any]] = []
        while True:
            page = self.call(
                "GET", "/control/ledger", account=account, endpoint=endpoint, after=after, limit=10_000
            )["rows"]
            rows += page
            if len(page) < 10_000:
                return rows
            after = page[-1]["id"]

    def posts(self, *, account: str = "") -> list[dict[str, Any]]:
        """Everything that brands published, deleted posts too, oldest first."""
        rows: list[dict[str, Any]] = []
        after = "0"
        while True:
            page = self.call("GET", "/control/posts", after=after, limit=10_000)["posts"]
            rows += page
            if len(page) < 10_000:
                return [row for row in rows if not account or row["account"] == account]
            after = page[-1]["id"]

    def wait_until_received(self, endpoint: str, *, count: int = 1, timeout_s: float = 30.0) -> None:
        """Wait until the ledger has ``count`` requests of this kind (a stored but unanswered one counts)."""
        give_up = time.monotonic() + timeout_s
        while self.summary()["by_endpoint"].get(endpoint, 0) < count:
            if time.monotonic() > give_up:
                raise SandboxFailed(f"{count} {endpoint} requests did not arrive within {timeout_s:.0f} s")
            time.sleep(0.02)


@contextlib.contextmanager
def running_sandbox(
    *, data: Path | None = None, port: int = 0, arguments: Sequence[str] = ()
) -> Iterator[SandboxControl]:
    """A sandbox process of our own, stopped at the end; ``data`` None = it forgets everything.

    Yields its control client, whose ``base_url`` is where it listens. Raises SandboxFailed.
    """
    command = [sys.executable, "-m", "sandbox", "--port", str(port)]
    command += ["--data", str(data) if data else ":memory:", *arguments]
    root = Path(__file__).resolve().parent.parent
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=root, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    )
    try:
        control = SandboxControl(_address(process), pid=process.pid)
        try:
            yield control
        finally:
            control.close()
    finally:
        process.send_signal(signal.SIGTERM)  # no error if it has ended
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _address(process: subprocess.Popen[bytes]) -> str:
    """Wait for the line that says where it listens."""
    if process.stdout is None:
        raise SandboxFailed("the process has no output to read")
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        if not waiting.select(START_TIMEOUT_S):
            raise SandboxFailed(f"the sandbox network said nothing for {START_TIMEOUT_S:.0f} s")
        line = process.stdout.readline().decode()
    address = line.strip().removeprefix("Listening on ")
    if not address.startswith("http"):
        raise SandboxFailed(f"the sandbox network did not start: {line.strip() or 'see its error output'}")
    return address
