"""``python -m smmapp.embedded up|down|env [--var-dir DIR]``: the embedded servers without the application."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from smmapp import embedded


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m smmapp.embedded", description=__doc__)
    parser.add_argument("what", choices=["up", "down", "env"])
    parser.add_argument("--var-dir", type=Path, default=Path(os.environ.get("SMM_VAR_DIR") or "var"))
    parser.add_argument(
        "--fast", action="store_true", help="without crash safety, for tests and measurements"
    )
    options = parser.parse_args()
    try:
        if options.what == "up":
            urls = embedded.acquire(options.var_dir, durable=not options.fast, kept=True).environment()
            embedded.release(options.var_dir)
        elif options.what == "down":
            if options.var_dir.exists():
                embedded.release(options.var_dir, kept=True)
            return 0
        else:
            urls = embedded.known_urls(options.var_dir)
    except embedded.EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    if not urls:
        print("Nothing runs here; start it with: python -m smmapp.embedded up", file=sys.stderr)
        return 1
    for name, value in urls.items():
        print(f"export {name}={value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
