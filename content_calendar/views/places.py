"""Where a form leads back to."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

# What a page told about a change before.
_PASSING = ("changed=", "deleted=")


def back_to(request: HttpRequest, url_name: str) -> str:
    """The page of ours that ``next`` names, else the one of ``url_name``; without what it told once."""
    there = request.POST.get("next") or request.GET.get("next", "")
    if not there.startswith("/") or not url_has_allowed_host_and_scheme(there, allowed_hosts=None):
        return reverse(url_name)
    path, _mark, query = there.partition("?")
    kept = [pair for pair in query.split("&") if pair and not pair.startswith(_PASSING)]
    return f"{path}?{'&'.join(kept)}" if kept else path
