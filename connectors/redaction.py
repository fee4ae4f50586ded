"""Taking tokens and passwords out of text before it is logged or kept."""

from __future__ import annotations

import re

_NAMES_OF_SECRETS = (
    "access_?token|refresh_?token|id_?token|client_?secret|code_?verifier|access_?jwt|refresh_?jwt"
    "|app_?password|password|passwd|secret|token|api_?key|authorization|assertion"
)
_REDACTIONS = (
    (re.compile(rf"(?i)([\"'](?:{_NAMES_OF_SECRETS})[\"']\s*:\s*)([\"']).*?\2"), r"\1\2***\2"),
    (re.compile(rf"(?i)\b({_NAMES_OF_SECRETS})=[^&\s\"']+"), r"\1=***"),
    (re.compile(r"(?i)([?&]code)=[^&\s\"']+"), r"\1=***"),
    (re.compile(r"(?i)\b(bearer|dpop|basic)\s+[\w.~+/=-]{6,}"), r"\1 ***"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"), "***"),
    (re.compile(r"\b[a-z0-9]{4}(?:-[a-z0-9]{4}){3}\b"), "***"),
    (re.compile(r"(?i)(\bhttps?://)[^/@\s]+@"), r"\1***@"),
)


def redact(text: str, *secrets: str) -> str:
    """``text`` without tokens and passwords: known shapes, and the given strings themselves."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "***")
    for pattern, replacement in _REDACTIONS:
        text = pattern.sub(replacement, text)
    return text
