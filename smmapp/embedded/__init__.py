"""A real PostgreSQL and a real Redis of our own, for running with nothing installed.

Both listen on free loopback ports with generated passwords and keep their files below one folder
(``SMM_VAR_DIR``). Several processes may use the same pair: whoever comes first starts it, whoever
leaves last stops it. The servers themselves survive a killed owner, and the next user adopts them.
"""

from __future__ import annotations

from smmapp.embedded.errors import EmbeddedError
from smmapp.embedded.services import (
    Services,
    acquire,
    discard,
    ended,
    known_urls,
    prepare_folder,
    release,
    running,
    sweep_abandoned,
)

__all__ = [
    "EmbeddedError",
    "Services",
    "acquire",
    "discard",
    "ended",
    "known_urls",
    "prepare_folder",
    "release",
    "running",
    "sweep_abandoned",
]
