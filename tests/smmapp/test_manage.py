from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_servers_given_by_files_are_used_and_none_is_started(
    process_environment: dict[str, str], tmp_path: Path
) -> None:
    environment = dict(process_environment) | {"SMM_VAR_DIR": str(tmp_path / "var")}
    for name in ("DATABASE_URL", "REDIS_URL"):
        file = tmp_path / name
        file.write_text(environment.pop(name) + "\n")
        environment[f"{name}_FILE"] = str(file)
    ran = subprocess.run(
        [sys.executable, "manage.py", "showmigrations", "outbox"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "[X] 0001_initial" in ran.stdout
    assert not (tmp_path / "var" / "postgres").exists()
    assert not (tmp_path / "var" / "redis").exists()
