"""``python -m metrics`` prints docs/metrics.md."""

from __future__ import annotations

import sys

from metrics.document import markdown

sys.stdout.write(markdown())
