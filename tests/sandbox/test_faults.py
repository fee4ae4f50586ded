"""Everything that can be made to go wrong, seen from the wire and from the ledger."""

from __future__ import annotations

import datetime as dt
import email.utils
import time
from collections.abc import Callable

import pytest
import requests

from tests.sandbox.fixtures import Api, SandboxControl, SandboxFailed, error_code, png

pytestmark = pytest.mark.integration

Account = Callable[..., Api]


def last(sandbox: SandboxControl) -> dict:
    return sandbox.ledger()[-1]


def test_latency_delays_and_carries_out(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    sandbox.fault("latency", latency_ms=300)
    started = time.monotonic()
    assert api.publish("slow").status_code == 201
    assert time.monotonic() - started >= 0.3
    assert sandbox.summary()["posts"] == 1


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_rate_limit_says_when_and_keeps_its_word(
    account: Account, sandbox: SandboxControl, form: str
) -> None:
    api = account()
    sandbox.fault("rate_limit", endpoint="publish", times=1, retry_after_s=1.2, form=form)
    asked_at = dt.datetime.now(dt.UTC)
    refused = api.publish("x")
    assert (refused.status_code, error_code(refused)) == (429, "rate_limited")
    said = refused.headers["Retry-After"]
    if form == "seconds":
        assert said == "2"
        free_at = asked_at + dt.timedelta(seconds=2.1)
    else:
        free_at = email.utils.parsedate_to_datetime(said)
        assert dt.timedelta(seconds=1.2) <= free_at - asked_at < dt.timedelta(seconds=2.5)
    # The rule has fired its one time, but the promise stands: too early is refused again, and noted.
    assert api.publish("x").status_code == 429
    assert sandbox.summary()["early"] == 1
    assert api.get("/api/v1/accounts/me").status_code == 200  # another endpoint
    time.sleep(max(0.0, (free_at - dt.datetime.now(dt.UTC)).total_seconds()) + 0.05)
    assert api.publish("x").status_code == 201
    summary = sandbox.summary()
    assert (summary["early"], summary["posts"]) == (1, 1)
    assert summary["early_requests"][0]["account"] == "nori"


def test_a_server_error_stores_nothing_unless_told_to(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    sandbox.fault("server_error", times=1, status=503)
    assert api.publish("x").status_code == 503
    assert sandbox.summary()["posts"] == 0
    sandbox.fault("server_error", times=1, store=True)
    assert api.publish("x").status_code == 500
    assert sandbox.summary()["posts"] == 1


@pytest.mark.parametrize(("effect", "stored"), [("drop_before", 0), ("drop_after_accept", 1)])
def test_a_dropped_connection_gives_no_answer(
    account: Account, sandbox: SandboxControl, effect: str, stored: int
) -> None:
    api = account()
    sandbox.fault(effect, times=1)
    with pytest.raises(requests.ConnectionError):
        api.publish("x")
    assert sandbox.summary()["posts"] == stored
    assert (
        last(sandbox)["outcome"]
        == {"drop_before": "dropped_before", "drop_after_accept": "dropped_after"}[effect]
    )
    assert api.publish("y").status_code == 201


def test_hanging_stores_first_and_answers_late(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    sandbox.fault("hang_after_accept", times=1, hang_s=1.0)
    body = {"text": "x"}
    with pytest.raises(requests.ReadTimeout):
        api.post("/api/v1/posts", body, timeout=0.3)
    assert sandbox.summary()["posts"] == 1
    assert last(sandbox)["outcome"] == "hung"
    sandbox.fault("hang_after_accept", times=1, hang_s=0.3)
    assert api.publish("y").status_code == 201


@pytest.mark.parametrize("effect", ["html", "malformed_json"])
@pytest.mark.parametrize("store", [True, False])
def test_an_answer_can_be_nonsense(
    account: Account, sandbox: SandboxControl, effect: str, store: bool
) -> None:
    api = account()
    sandbox.fault(effect, times=1, store=store, status=200)
    answer = api.publish("x")
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert sandbox.summary()["posts"] == int(store)
    assert last(sandbox)["outcome"] == "garbled"


def test_media_can_be_slow_or_end_in_an_error(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    sandbox.fault("slow_media", endpoint="media", times=1, processing_s=30)
    slow = api.upload(png()).json()
    assert slow["state"] == "processing"
    sandbox.fault("broken_media", endpoint="media", times=1, processing_s=10)
    broken = api.upload(png()).json()
    assert broken["state"] == "processing"
    sandbox.advance(31)
    assert api.get(f"/api/v1/media/{slow['id']}").json()["state"] == "ready"
    assert api.get(f"/api/v1/media/{broken['id']}").json()["state"] == "error"
    assert error_code(api.publish("x", media_ids=[broken["id"]])) == "media_broken"


def test_a_container_can_end_in_an_error(account: Account, sandbox: SandboxControl) -> None:
    api = account(mode="two_phase")
    sandbox.fault("broken_media", endpoint="container", times=1)
    container = api.post("/api/v1/containers", {"text": "x"}).json()
    assert (container["state"], container["error"]) == ("ERROR", "media_broken")
    assert error_code(api.post(f"/api/v1/containers/{container['id']}/publish")) == "media_broken"


@pytest.mark.parametrize(
    ("which", "access_works", "refresh_works"),
    [("access", False, True), ("refresh", True, False), ("both", False, False)],
)
def test_tokens_die_as_ordered(
    sandbox: SandboxControl, which: str, access_works: bool, refresh_works: bool
) -> None:
    tokens = sandbox.account("nori")
    api = Api(sandbox, tokens.access_token)
    sandbox.fault("token_death", times=1, which=which)
    refused = api.publish("x")
    assert (refused.status_code, error_code(refused)) == (401, "token_revoked")
    assert (api.get("/api/v1/accounts/me").status_code == 200) is access_works
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    assert (Api(sandbox).call("POST", "/oauth/token", data=form).status_code == 200) is refresh_works
    assert sandbox.summary()["posts"] == 0


def test_tokens_of_an_account_can_be_killed_directly(sandbox: SandboxControl) -> None:
    tokens = sandbox.account("nori")
    sandbox.kill_tokens("nori", "access")
    assert Api(sandbox, tokens.access_token).get("/api/v1/accounts/me").status_code == 401


def test_a_rule_holds_for_its_account_and_endpoint_only(account: Account, sandbox: SandboxControl) -> None:
    api, other = account(), account("other")
    sandbox.fault("server_error", account="nori", endpoint="publish")
    assert api.publish("x").status_code == 500
    assert api.get("/api/v1/accounts/me").status_code == 200
    assert other.publish("x").status_code == 201


def test_a_rule_fires_as_often_as_it_says(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    sandbox.fault("server_error", times=2)
    assert [api.publish(f"{n}").status_code for n in range(4)] == [500, 500, 201, 201]
    assert sandbox.faults()[0]["fired"] == 2


def test_chance_is_the_same_for_the_same_seed(account: Account, sandbox: SandboxControl) -> None:
    def run() -> list[int]:
        api = account()
        sandbox.fault("server_error", probability=0.5)
        return [api.publish(f"{n}").status_code for n in range(20)]

    first = run()
    assert {500, 201} == set(first)
    sandbox.reset()
    assert run() == first


def test_latency_and_another_effect_add_up(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    sandbox.fault("server_error")
    sandbox.fault("latency", latency_ms=200)
    started = time.monotonic()
    assert api.publish("x").status_code == 500
    assert time.monotonic() - started >= 0.2


def test_rules_are_listed_and_cleared(account: Account, sandbox: SandboxControl) -> None:
    api = account()
    first = sandbox.fault("rate_limit", endpoint="publish", retry_after_s=100)
    sandbox.fault("latency", latency_ms=1)
    assert [rule["effect"] for rule in sandbox.faults()] == ["rate_limit", "latency"]
    assert api.publish("x").status_code == 429
    sandbox.call("DELETE", f"/control/faults/{first}")
    assert [rule["effect"] for rule in sandbox.faults()] == ["latency"]
    assert api.publish("x").status_code == 429  # what was said is not unsaid
    sandbox.clear_faults()
    assert api.publish("x").status_code == 201


@pytest.mark.parametrize(
    "rule",
    [{"effect": "earthquake"}, {"effect": "latency", "endpoint": "moon"}, {"effect": "html", "times": "x"}],
)
def test_a_rule_that_cannot_be_understood_is_refused(sandbox: SandboxControl, rule: dict) -> None:
    with pytest.raises(SandboxFailed, match="invalid_fault"):
        sandbox.call("POST", "/control/faults", rule)
    assert sandbox.faults() == []
