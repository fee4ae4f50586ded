"""The embedded servers: started, shared, adopted after a crash, and never in the way of another program."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import redis

from smmapp import embedded
from smmapp.embedded import postgres, processes, secret_store
from smmapp.embedded.processes import Process

pytestmark = pytest.mark.integration


@pytest.fixture
def var_dir() -> Iterator[Path]:
    """A folder that PostgreSQL's user can reach, also when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="smmapp-embedded-test-"))
    folder.chmod(0o711)
    yield folder / "var"
    embedded.discard(folder / "var")
    shutil.rmtree(folder, ignore_errors=True)


def recorded(var_dir: Path, part: str) -> Process:
    return Process.from_json(json.loads((var_dir / "run" / "services.json").read_text())[part])


def query(url: str, statement: str) -> str:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return str(row[0]) if row else ""
    finally:
        connection.close()


def test_both_answer_while_used_and_are_gone_after(var_dir: Path) -> None:
    with embedded.running(var_dir, durable=False) as services:
        assert query(services.database_url, "SHOW server_version").startswith("18")
        assert redis.Redis.from_url(services.redis_url).ping()
        parts = [recorded(var_dir, "postgres"), recorded(var_dir, "redis")]
    assert not any(part.is_alive() for part in parts)
    assert embedded.known_urls(var_dir) == {}


def test_what_was_written_is_there_the_next_time(var_dir: Path) -> None:
    with embedded.running(var_dir) as services:
        query(services.database_url, "CREATE TABLE kept AS SELECT 42 AS n")
        redis.Redis.from_url(services.redis_url).set("kept", "yes")
    with embedded.running(var_dir) as services:
        assert query(services.database_url, "SELECT n FROM kept") == "42"
        assert redis.Redis.from_url(services.redis_url).get("kept") == b"yes"


def test_a_run_is_durable_and_a_test_run_is_not(var_dir: Path) -> None:
    with embedded.running(var_dir, durable=True, with_redis=False) as services:
        assert query(services.database_url, "SHOW fsync") == "on"
    with embedded.running(var_dir, durable=False, with_redis=False) as services:
        assert query(services.database_url, "SHOW fsync") == "off"


def test_a_second_process_uses_the_same_pair_and_leaves_it_running(var_dir: Path) -> None:
    script = "import sys; from pathlib import Path; from smmapp import embedded\n"
    script += "with embedded.running(Path(sys.argv[1])) as services: print(services.database_url)"
    with embedded.running(var_dir, durable=False) as services:
        other = subprocess.run(
            [sys.executable, "-c", script, var_dir], capture_output=True, text=True, check=True
        )
        assert other.stdout.strip() == services.database_url
        assert recorded(var_dir, "postgres").is_alive()


def test_the_last_user_stops_them_even_if_it_did_not_start_them(var_dir: Path) -> None:
    script = "import sys; from pathlib import Path; from smmapp import embedded\n"
    script += (
        "embedded.acquire(Path(sys.argv[1]), durable=False); print('up', flush=True); sys.stdin.read()\n"
    )
    script += "embedded.release(Path(sys.argv[1]))"
    first = subprocess.Popen(
        [sys.executable, "-c", script, str(var_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "up\n"
    embedded.acquire(var_dir)
    first.communicate("")
    server = recorded(var_dir, "postgres")
    assert server.is_alive()
    embedded.release(var_dir)
    assert not server.is_alive()


def test_servers_of_a_killed_user_are_adopted(var_dir: Path) -> None:
    script = "import os, signal, sys; from pathlib import Path; from smmapp import embedded\n"
    script += "embedded.acquire(Path(sys.argv[1]), durable=False); os.kill(os.getpid(), signal.SIGKILL)"
    killed = subprocess.run([sys.executable, "-c", script, str(var_dir)], check=False)
    assert killed.returncode == -signal.SIGKILL
    server = recorded(var_dir, "postgres")
    assert server.is_alive()
    with embedded.running(var_dir):
        assert recorded(var_dir, "postgres") == server
    assert not server.is_alive()


def test_killed_servers_start_again_with_what_was_committed(var_dir: Path) -> None:
    with embedded.running(var_dir) as services:
        query(services.database_url, "CREATE TABLE kept AS SELECT 42 AS n")
        for part in ("postgres", "redis"):
            os.kill(recorded(var_dir, part).pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while embedded.ended(var_dir) != ["postgres", "redis"] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert embedded.ended(var_dir) == ["postgres", "redis"]
        again = embedded.acquire(var_dir)
        assert query(again.database_url, "SELECT n FROM kept") == "42"


def test_a_pid_file_that_names_an_unrelated_process_does_not_keep_the_server_down(var_dir: Path) -> None:
    with embedded.running(var_dir, with_redis=False, durable=False):
        pass
    # As after a power failure: the number belongs to somebody else by now.
    cluster = (var_dir / "postgres").resolve() / "data"
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster}\n0\n5432\n\n\n\n")
    with embedded.running(var_dir, with_redis=False, durable=False) as services:
        assert query(services.database_url, "SELECT 1") == "1"


def test_a_server_that_nobody_recorded_is_replaced(var_dir: Path) -> None:
    embedded.acquire(var_dir, with_redis=False, durable=False)
    lost = recorded(var_dir, "postgres")
    (var_dir / "run" / "services.json").unlink()
    with embedded.running(var_dir, with_redis=False, durable=False) as services:
        assert query(services.database_url, "SELECT 1") == "1"
        assert not lost.is_alive()


def test_redis_files_that_cannot_be_read_are_put_aside(var_dir: Path) -> None:
    with embedded.running(var_dir, with_postgres=False):
        pass
    (written,) = (var_dir / "redis").rglob("*.aof")
    written.write_bytes(b"*3\r\n$not a number\r\nfrom a newer version")
    with embedded.running(var_dir, with_postgres=False) as services:
        assert redis.Redis.from_url(services.redis_url).ping()
    assert list(var_dir.glob("redis-unreadable-*"))


def test_only_the_owner_reads_the_secrets_and_no_password_is_on_a_command_line(var_dir: Path) -> None:
    with embedded.running(var_dir, durable=False):
        assert (var_dir / "secrets.json").stat().st_mode & 0o777 == 0o600
        passwords = secret_store.load(var_dir)
        for part in ("postgres", "redis"):
            shown = processes.command_line(recorded(var_dir, part).pid)
            assert shown
            assert not any(password in shown for password in passwords.values())


def test_a_wrong_password_is_refused(var_dir: Path) -> None:
    with embedded.running(var_dir, durable=False) as services:
        wrong = services.database_url.replace(":", ":x", 2).replace(":x//", "://")
        with pytest.raises(psycopg2.OperationalError, match="password"):
            psycopg2.connect(wrong)
        port = services.redis_url.rsplit(":", 1)[1].partition("/")[0]
        with pytest.raises(redis.exceptions.AuthenticationError):
            redis.Redis(port=int(port)).ping()


def test_secrets_that_disappeared_are_not_made_anew_over_a_database(var_dir: Path) -> None:
    with embedded.running(var_dir, with_redis=False, durable=False):
        pass
    (var_dir / "secrets.json").unlink()
    with pytest.raises(embedded.EmbeddedError, match="backup"):
        embedded.acquire(var_dir)


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(embedded.EmbeddedError, match="SMM_VAR_DIR"):
        embedded.acquire(tmp_path / "file" / "var")


def test_command_line_keeps_them_up_until_told(var_dir: Path) -> None:
    def run(what: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "smmapp.embedded", what, "--var-dir", str(var_dir)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    up = run("up")
    assert up.returncode == 0, up.stderr
    assert "export DATABASE_URL=postgres://" in up.stdout
    assert run("env").stdout == up.stdout
    with embedded.running(var_dir):
        pass
    assert recorded(var_dir, "postgres").is_alive()
    assert run("down").returncode == 0
    assert run("env").returncode == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as somebody else")
def test_root_runs_the_server_as_another_user_also_below_a_closed_folder() -> None:
    with tempfile.TemporaryDirectory(prefix="smmapp-closed-") as closed:
        Path(closed).chmod(0o700)
        var_dir = Path(closed) / "var"
        try:
            with embedded.running(var_dir, with_redis=False, durable=False) as services:
                assert query(services.database_url, "SELECT 1") == "1"
                owner = Path(f"/proc/{recorded(var_dir, 'postgres').pid}").stat().st_uid
                assert pwd.getpwuid(owner).pw_name in ("postgres", "nobody")
                elsewhere = (var_dir / "postgres").resolve()
                assert elsewhere.is_relative_to(postgres.SHARED_HOME)
        finally:
            embedded.discard(var_dir)
        assert not elsewhere.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as somebody else")
def test_root_copies_programs_that_the_other_user_cannot_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, var_dir: Path
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setattr(postgres, "SHARED_HOME", Path(tempfile.mkdtemp(prefix="smmapp-shared-")))
    monkeypatch.setattr(postgres, "_can_run", lambda *_: False)
    try:
        with embedded.running(var_dir, with_redis=False, durable=False) as services:
            assert query(services.database_url, "SELECT 1") == "1"
            shown = processes.command_line(recorded(var_dir, "postgres").pid)
            assert shown.startswith(str(postgres.SHARED_HOME))
    finally:
        shutil.rmtree(postgres.SHARED_HOME)


def test_abandoned_folders_of_earlier_runs_are_swept(var_dir: Path) -> None:
    script = "import os, signal, sys; from pathlib import Path; from smmapp import embedded\n"
    script += "embedded.acquire(Path(sys.argv[1]), durable=False); os.kill(os.getpid(), signal.SIGKILL)"
    prefix = f"smmapp-swept-{os.getpid()}-"
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)
    subprocess.run([sys.executable, "-c", script, str(folder)], check=False)
    server = recorded(folder, "postgres")
    embedded.sweep_abandoned(prefix)
    assert not server.is_alive()
    assert not folder.exists()
