"""The process: many connections, a file that survives a kill, clear words when it cannot start."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.control import SandboxControl, running_sandbox
from tests.sandbox.fixtures import Api

pytestmark = pytest.mark.integration


def test_hundreds_of_connections_are_served_at_once(sandbox: SandboxControl) -> None:
    accounts = sandbox.many_accounts(300)
    sandbox.fault("latency", endpoint="publish", latency_ms=1500)  # all of them wait at the same time

    def publish(number: int) -> int:
        return Api(sandbox, accounts[number].access_token).publish(f"post {number}").status_code

    with ThreadPoolExecutor(300) as pool:
        assert set(pool.map(publish, range(300))) == {201}
    summary = sandbox.summary()
    assert (summary["posts"], summary["duplicates"]) == (300, 0)


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.sqlite3"
    with running_sandbox(data=file) as control:
        token = control.account("nori").access_token
        sent = [Api(control, token).publish(f"post {number}").json()["text"] for number in range(50)]
        os.kill(control.pid, signal.SIGKILL)
    with running_sandbox(data=file) as control:
        assert [post["text"] for post in control.posts()] == sent
        assert Api(control, token).publish("and on").status_code == 201


def test_a_port_in_use_is_said_in_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", "--port", port],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"Cannot listen on 127.0.0.1:{port}:")
    assert "Traceback" not in done.stderr


def test_a_control_token_closes_control_and_nothing_else() -> None:
    with running_sandbox(arguments=["--control-token", "let me in"]) as control:
        api = Api(control)
        assert api.get("/control/accounts").status_code == 403
        assert SandboxControl(control.base_url, token="let me in").call("GET", "/control/accounts") == {
            "accounts": []
        }
        assert api.get("/").status_code == 200


def test_an_account_with_a_past_shows_it(sandbox: SandboxControl) -> None:
    sandbox.account(
        "harbour",
        name="Harbour Books",
        created_at="2026-01-01T00:00:00Z",
        followers=[["2026-01-01T00:00:00Z", 1000], ["2026-03-01T00:00:00Z", 1600]],
        posts=[
            {
                "text": "Spring list",
                "at": "2026-02-01T09:00:00Z",
                "thread": [{"text": "Part two"}],
                "likes": ["Aki"],
                "comments": [{"by": "Hana", "text": "At last", "at": "2026-02-01T10:00:00Z"}],
            }
        ],
        messages=[{"by": "Ken", "text": "Do you ship?", "at": "2026-02-02T00:00:00Z"}],
    )
    posts = sandbox.posts()
    assert [post["created_at"] for post in posts] == ["2026-02-01T09:00:00.000Z", "2026-02-01T09:00:01.000Z"]
    instants = ["2026-02-01T08:00:00+00:00", "2026-02-01T11:00:00+00:00", "2026-02-08T09:00:00+00:00"]
    history = sandbox.post_history(posts[0]["id"], [dt.datetime.fromisoformat(one) for one in instants])
    seen = [point["impressions"] for point in history]
    assert seen[0] <= seen[1] < seen[2]
    assert [point["comments"] for point in history] == [0, 1, 1]
    sandbox.call("POST", "/control/clock", {"now": "2026-03-01T00:00:00Z"})
    days = {day["at"][:10]: day for day in sandbox.account_history("harbour", days=60)}
    assert (days["2026-01-01"]["followers"], days["2026-01-01"]["posts"]) == (1000, 0)
    assert 1290 < days["2026-01-30"]["followers"] < 1300
    assert days["2026-02-28"]["posts"] == 2
