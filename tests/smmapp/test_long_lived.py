"""Processes that live long do not look through their own code again and again."""

from __future__ import annotations

import os
import subprocess
import sys

ASK = "import gc, smmapp.wsgi; print(gc.get_freeze_count(), gc.get_threshold()[0])"


def test_what_a_web_process_has_loaded_is_kept_out_of_collections() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, text=True, check=True, env=os.environ
    )
    frozen, threshold = map(int, answer.stdout.split()[-2:])
    assert frozen > 100_000
    assert threshold > 10_000


def test_a_worker_does_the_same_when_it_is_ready() -> None:
    from celery import signals

    from smmapp import celery

    receivers = [receiver for _key, receiver in signals.worker_ready.receivers]
    assert celery._keep_what_is_loaded in receivers
