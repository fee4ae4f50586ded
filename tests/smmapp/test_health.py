from __future__ import annotations

import datetime as dt

import pytest
import redis
from django.test import Client
from django.utils import timezone

from smmapp import heartbeats
from smmapp.tasks import heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture
def alive() -> None:
    for name in (heartbeats.BEAT, *heartbeats.WORKERS):
        heartbeats.record(name, now=timezone.now())


@pytest.mark.usefixtures("alive")
def test_everything_answers(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    body = answer.json()
    assert body.pop("beat_lag_s") < 5
    assert body == {"status": "ok", "database": "ok", "redis": "ok", "worker": "ok"}


@pytest.mark.usefixtures("alive")
@pytest.mark.parametrize("queue", heartbeats.WORKERS)
def test_one_kind_of_worker_that_went_silent_makes_it_unavailable(client: Client, queue: str) -> None:
    heartbeats.record(queue, now=timezone.now() - dt.timedelta(seconds=40))
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["worker"]) == (503, "unavailable")


def test_beat_that_never_ran_makes_it_unavailable(client: Client) -> None:
    for queue in heartbeats.WORKERS:
        heartbeats.record(queue, now=timezone.now())
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["beat_lag_s"]) == (503, None)


def test_redis_down_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = redis.Redis(host="127.0.0.1", port=9, socket_connect_timeout=1)

    def refuse(*args: object, **kwargs: object) -> None:
        raise redis.exceptions.ConnectionError

    monkeypatch.setattr(nowhere, "mget", refuse)
    monkeypatch.setattr(heartbeats, "client", lambda: nowhere)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert (answer.json()["database"], answer.json()["redis"]) == ("ok", "unavailable")


def test_nobody_may_change_anything_there(client: Client) -> None:
    assert client.post("/healthz").status_code == 405


def test_workers_count_as_alive_when_every_kind_took_its_task() -> None:
    first, *others = heartbeats.WORKERS
    heartbeat(queue=first)
    assert not heartbeats.read(now=timezone.now()).is_worker_alive
    for queue in others:
        heartbeat(queue=queue)
    assert heartbeats.read(now=timezone.now()).is_worker_alive


def test_sending_the_task_is_beats_sign_of_life_even_with_no_worker() -> None:
    heartbeat.apply_async(kwargs={"queue": "dispatch"}, queue="nobody-listens")
    seen = heartbeats.read(now=timezone.now())
    assert seen.is_beat_alive
    assert not seen.is_worker_alive
