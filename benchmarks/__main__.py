"""``python -m benchmarks NAME [--json] [options of the benchmark]``.

Figures are printed for people; with ``--json`` the last line is one JSON object. A benchmark starts its own
PostgreSQL, Redis and sandbox network, in a folder that is gone afterwards, unless DATABASE_URL and REDIS_URL
are set.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys

NAMES = ("publish", "chaos", "inbox", "redirect", "analytics", "imports", "posts_import", "calendar")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    chosen, rest = parser.parse_known_args()
    module = importlib.import_module(f"benchmarks.{chosen.name}")
    options = argparse.ArgumentParser(prog=f"python -m benchmarks {chosen.name}")
    module.add_arguments(options)
    figures = module.run(options.parse_args(rest))
    for name, value in figures.items():
        print(f"{name:>24}  {value}", file=sys.stderr)
    if chosen.json:
        print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
