"""Everything is killed while 300 posts go out; `python -m benchmarks chaos` does it with 5,000."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.processes import ROOT

pytestmark = pytest.mark.integration

TIMEOUT_S = 420.0
# The benchmark has servers of its own, which it kills.
OWN_SERVERS = ("DATABASE_URL", "REDIS_URL", "SMM_VAR_DIR", "DJANGO_SETTINGS_MODULE")


def test_nothing_is_doubled_or_lost_while_everything_is_killed() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in OWN_SERVERS}
    options = ("--deliveries=300", "--accounts=30", "--per-second=15", "--every=3")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "chaos", "--json", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert sum(figures["states"].values()) == 300
    assert sum(figures["blows"].values()) >= 3, "nothing was struck: the figures say nothing"
    for key in ("duplicates", "lost", "unexplained", "early_unexplained"):
        assert figures[key] == 0, figures
