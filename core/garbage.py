"""What lives as long as the process is kept out of Python's garbage collections."""

from __future__ import annotations

import gc

# Newly made objects until a collection, and collections of each generation until one of the next. Python's
# own (700, 10, 10) look through everything once in seven pages of a calendar.
THRESHOLDS = (50_000, 10, 10)


def keep_what_is_loaded() -> None:
    """To be called once, when everything is imported: what exists then is not looked through again. A full
    collection of all code and models stops every thread for a tenth of a second, in the middle of answers."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
