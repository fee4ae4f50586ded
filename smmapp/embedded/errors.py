from __future__ import annotations


class EmbeddedError(Exception):
    """An embedded server cannot run here; the message is a sentence for the person at the terminal."""
