"""Meta's own description of its API (nodes, edges, parameters, enumerations), to hold requests against."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

# What every call may have besides the parameters of its edge.
COMMON = {"fields", "limit", "after", "appsecret_proof", "access_token"}
# Edges that the description names otherwise than the documents and the network do.
RENAMED = {"media_publish": ("media_publish", "mediapublish")}


class MetaSpecs:
    """``routes``: regular expressions of paths without the version, and the node that each belongs to; the
    first group is the edge."""

    def __init__(self, folder: Path, routes: Mapping[str, str]) -> None:
        self.folder = folder
        self.routes = {re.compile(pattern): node for pattern, node in routes.items()}
        self.enums = {
            one["name"]: set(one["values"])
            for one in json.loads((folder / "enum_types.json").read_text(encoding="utf-8"))
        }
        self.nodes: dict[str, Any] = {}

    def faults(self, sent: Iterable[requests.PreparedRequest]) -> list[str]:
        return sorted({fault for request in sent for fault in self._of(request)})

    def _node(self, name: str) -> Any:
        if name not in self.nodes:
            self.nodes[name] = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        return self.nodes[name]

    def _of(self, request: requests.PreparedRequest) -> Iterator[str]:
        parts = urlsplit(str(request.url))
        path = re.sub(r"^/v\d+\.\d+", "", parts.path)
        route = next(((m, node) for p, node in self.routes.items() if (m := p.fullmatch(path))), None)
        if route is None:
            yield f"{request.method} {path}: a call that nobody expected"
            return
        match, node = route
        edge = match[1] if match.re.groups and match[1] else ""
        where = f"{request.method} {node}/{edge}"
        found = [
            api
            for api in self._node(node)["apis"]
            if api["method"] == request.method and (api.get("endpoint") or "") in RENAMED.get(edge, (edge,))
        ]
        if not found:
            yield f"{where}: no such call"
            return
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
        if "urlencoded" in str(request.headers.get("Content-Type")):
            given |= dict(parse_qsl(body, keep_blank_values=True))
        params = {one["name"]: one for one in found[0]["params"]}
        for name in params:
            if params[name]["required"] and name not in given:
                yield f"{where}: {name} is missing"
        for name, value in given.items():
            if name in params:
                yield from self._value(f"{where} {name}", value, params[name]["type"])
            elif name not in COMMON:
                yield f"{where}: {name} is not known"
        if "fields" in given and not edge:
            known = {one["name"] for one in self._node(node)["fields"]}
            known |= {str(api.get("endpoint")) for api in self._node(node)["apis"]}
            for name in top_level(given["fields"]):
                if name not in known:
                    yield f"{where}: field {name} is not known"

    def _value(self, where: str, value: str, kind: str) -> Iterator[str]:
        inner = re.fullmatch(r"list<(.+)>", kind)
        if inner:
            items = json.loads(value) if value.startswith("[") else value.split(",")
            for item in items:
                if not isinstance(item, dict):
                    yield from self._value(where, str(item), inner[1])
        elif kind in self.enums:
            if value.lower() not in {one.lower() for one in self.enums[kind]}:
                yield f"{where}: {value} is not one of {sorted(self.enums[kind])[:9]}"
        elif kind == "bool":
            if value not in ("true", "false"):
                yield f"{where}: {value} is no flag"
        elif kind in ("int", "unsigned int"):
            if not value.isdigit():
                yield f"{where}: {value} is no number"
        elif kind in ("map", "Object") and value[:1] in "{[":
            json.loads(value)


def top_level(fields: str) -> set[str]:
    """The names of ``id,media.limit(2){id,text}``: id and media."""
    while re.search(r"[({][^(){}]*[)}]", fields):
        fields = re.sub(r"[({][^(){}]*[)}]", "", fields)
    return {name.split(".")[0] for name in fields.split(",")}
