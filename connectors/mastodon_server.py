"""A server that speaks Mastodon's API: where it is, which software it runs, which limits it states."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors import answers, http
from connectors.base import Json
from connectors.errors import ConnectorError, Rejected, RejectReason, Temporary
from connectors.mastodon_calls import call, checked, map_error


def find_server(server: str) -> tuple[str, Json]:
    """(base URL, instance) of the server for a typed host. A domain may only lend its name to accounts and
    redirect webfinger to the server itself (Mastodon's LOCAL_DOMAIN and WEB_DOMAIN)."""
    try:
        instance = read_instance(server)
        if instance is None:
            name = urlsplit(server).netloc
            response = call(
                "GET", server, "/.well-known/webfinger", params={"resource": f"acct:{name}@{name}"}
            )
            parts = urlsplit(str(response.url))
            behind = f"{parts.scheme}://{parts.netloc}"
            if behind != server:
                server, instance = behind, read_instance(behind)
    except http.HostNotFound as error:
        raise Rejected(RejectReason.HOST_UNKNOWN, error.detail) from error
    if instance is None:
        raise Rejected(RejectReason.HOST_UNKNOWN, "no server that speaks Mastodon's API answers there")
    return server, instance


def read_instance(server: str) -> Json | None:
    """What the server says of itself; None if nothing there speaks the API."""
    for path in ("/api/v2/instance", "/api/v1/instance"):
        response = call("GET", server, path)
        if response.status_code == 429:
            map_error(response)
        if response.status_code == 200:
            with contextlib.suppress(Temporary):
                instance = http.json_object(response)
                if "version" in instance and ("domain" in instance or "uri" in instance):
                    return instance
    return None


def stated_options(server: str, instance: Json) -> Json:
    """Limits of the server (entities/Instance and V1_Instance name them alike), only those it states."""
    statuses = answers.inner(instance, "configuration", "statuses")
    media = answers.inner(instance, "configuration", "media_attachments")
    names = (answers.text(instance.get(name)) for name in ("account_domain", "domain", "uri"))
    domain = next((name for name in names if name), "")
    mime_types = answers.inner(media, "supported_mime_types")
    software = software_of(server, instance)
    stated = {
        # Pleroma and Akkoma state their limit outside of ``configuration`` too.
        "max_characters": answers.count(statuses, "max_characters")
        or answers.count(instance, "max_toot_chars"),
        "characters_reserved_per_url": answers.count(statuses, "characters_reserved_per_url"),
        "max_media_attachments": answers.count(statuses, "max_media_attachments"),
        "mime_types": [one for one in mime_types if isinstance(one, str)]
        if isinstance(mime_types, list)
        else None,
        "image_size_limit": answers.count(media, "image_size_limit"),
        "image_matrix_limit": answers.count(media, "image_matrix_limit"),
        "video_size_limit": answers.count(media, "video_size_limit"),
        "video_matrix_limit": answers.count(media, "video_matrix_limit"),
        "video_frame_rate_limit": answers.count(media, "video_frame_rate_limit"),
        "description_limit": answers.count(media, "description_limit"),
    }
    return {
        "host": server,
        "domain": domain.partition("://")[2] or domain,
        "software": software,
        "version": answers.text(instance.get("version")),
        **{name: value for name, value in stated.items() if value},
    }


class Limits:
    """Reads limits that a server stated: a server may state nonsense, then the default holds."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options

    def positive(self, name: str, default: int) -> int:
        value = self.options.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else default

    def image_types(self, default: tuple[str, ...]) -> tuple[str, ...]:
        stated = self.options.get("mime_types")
        if not isinstance(stated, list):
            return default
        images = tuple(t for t in stated if isinstance(t, str) and t.startswith("image/"))
        return images or default

    def takes(self, mime_types: tuple[str, ...]) -> bool:
        """Whether one of these types is among those stated, or none is stated."""
        stated = self.options.get("mime_types")
        return not isinstance(stated, list) or any(one in stated for one in mime_types)


def software_of(server: str, instance: Json) -> str:
    """Lower-case name of the software: nodeinfo says it; the version string and the source address are
    hints for servers that hide nodeinfo. Empty when unknown."""
    with contextlib.suppress(ConnectorError):
        name = _nodeinfo_name(server)
        if name:
            return "glitch" if name == "mastodon" and "+glitch" in str(instance.get("version")) else name
    version = str(instance.get("version", "")).lower()
    source = str(instance.get("source_url", "")).lower()
    compatible = re.search(r"\(compatible; ([a-z]+)", version)
    if compatible:
        return compatible[1]
    for name in ("takahe", "gotosocial", "hollo"):
        if name in version or name in source:
            return name
    # A bare number is Mastodon's own form, but GoToSocial's too: only the source address decides.
    return "mastodon" if re.search(r"/mastodon(\.git)?/?$", source) else ""


def _nodeinfo_name(server: str) -> str:
    links = http.json_object(checked(call("GET", server, "/.well-known/nodeinfo"))).get("links")
    for link in links if isinstance(links, list) else ():
        href = answers.split(answers.text(answers.inner(link, "href")))
        # The same server under its own name: no answer sends us elsewhere.
        if href.netloc and href.netloc.lower() == urlsplit(server).netloc:
            about = http.json_object(checked(call("GET", server, href.path)))
            return answers.text(answers.inner(about, "software", "name")).lower()
    return ""


def version_of(options: Mapping[str, Any]) -> tuple[int, int]:
    match = re.match(r"(\d+)\.(\d+)", str(options.get("version", "")))
    return (int(match[1]), int(match[2])) if match else (0, 0)
