"""A small validator of AT Protocol lexicons, enough for the records that we write and the calls we make."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

from connectors import text

_FORMATS = {
    "at-uri": re.compile(r"at://did:[a-z]+:[A-Za-z0-9._:%-]+(/[A-Za-z0-9.-]+(/[A-Za-z0-9._:~-]+)?)?"),
    "at-identifier": re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]+|[a-z0-9-]+(\.[a-z0-9-]+)+"),
    "handle": re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+"),
    "nsid": re.compile(r"[a-z-]+(\.[a-zA-Z-]+){2,}"),
    "record-key": re.compile(r"[A-Za-z0-9._:~-]+"),
    "did": re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]+"),
    "cid": re.compile(r"b[a-z2-7]{20,}"),
    "uri": re.compile(r"[a-z][a-z0-9+.-]*:[^\s]+"),
    "language": re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"),
}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "array": list,
    "object": dict,
    "params": dict,
}


class Lexicons:
    """The lexicon files below a folder, read when they are needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def definition(self, ref: str, *, within: str = "") -> tuple[dict[str, Any], str]:
        """The definition that ``id``, ``id#name`` or ``#name`` refers to, and the id it stands in."""
        name, _, part = ref.partition("#")
        name = name or within
        content = json.loads(self.folder.joinpath(*name.split(".")).with_suffix(".json").read_text("utf-8"))
        return content["defs"][part or "main"], name

    def problems(self, lexicon: str, record: dict[str, Any]) -> list[str]:
        """What is wrong with a record, each with its path; empty when it is valid."""
        definition, _ = self.definition(lexicon)
        found = [] if record.get("$type") == lexicon else ["$: another $type"]
        return found + self._check(definition["record"], record, "$", lexicon)

    def problems_of_call(self, lexicon: str, *, sent: Any = None, answered: Any = None) -> list[str]:
        """What is wrong with a call: the body that was sent or, for a query, its parameters (each a list of
        texts, as in an address), and the answer, where they are given."""
        definition, _ = self.definition(lexicon)
        found: list[str] = []
        if sent is not None and definition["type"] == "query":
            found += self._check(
                definition["parameters"], _typed(sent, definition["parameters"]), "?", lexicon
            )
        elif sent is not None:
            found += self._check(definition["input"]["schema"], sent, "$", lexicon)
        if answered is not None:
            found += self._check(definition["output"]["schema"], answered, "$", lexicon)
        return found

    def _check(self, schema: dict[str, Any], value: Any, path: str, within: str) -> list[str]:
        kind = schema["type"]
        if kind == "ref":
            target, name = self.definition(schema["ref"], within=within)
            return self._check(target, value, path, name)
        if kind == "union":
            return self._check_union(schema, value, path, within)
        if kind == "blob":
            return _check_blob(schema, value, path)
        if kind == "unknown":
            return []
        if kind == "boolean":
            return [] if isinstance(value, bool) else [f"{path}: not of type boolean"]
        if not isinstance(value, _TYPES[kind]) or isinstance(value, bool):
            return [f"{path}: not of type {kind}"]
        if kind in {"object", "params"}:
            missing = [f"{path}.{name}: missing" for name in schema.get("required", ()) if name not in value]
            known = schema.get("properties", {})
            unknown = [
                f"{path}.{name}: not in the lexicon" for name in value if name not in {*known, "$type"}
            ]
            inner = (
                self._check(known[name], item, f"{path}.{name}", within)
                for name, item in value.items()
                if name in known
            )
            return missing + unknown + [problem for problems in inner for problem in problems]
        if kind == "array":
            found = [f"{path}: too many"] if len(value) > schema.get("maxLength", len(value)) else []
            for index, item in enumerate(value):
                found += self._check(schema["items"], item, f"{path}[{index}]", within)
            return found
        return _check_scalar(schema, value, path)

    def _check_union(self, schema: dict[str, Any], value: Any, path: str, within: str) -> list[str]:
        named = value.get("$type", "") if isinstance(value, dict) else ""
        for ref in schema["refs"]:
            target, name = self.definition(ref, within=within)
            if named == (f"{name}{ref[ref.index('#') :]}" if "#" in ref else name):
                return self._check(target, value, path, name)
        return [f"{path}: {named or 'nothing'} is not in the union"]


def _typed(sent: dict[str, list[str]], schema: dict[str, Any]) -> dict[str, Any]:
    """Parameters of an address as the types that their schema gives them."""
    typed: dict[str, Any] = {}
    for name, values in sent.items():
        kind = schema["properties"].get(name, {}).get("type")
        typed[name] = values if kind == "array" else int(values[0]) if kind == "integer" else values[0]
    return typed


def _check_blob(schema: dict[str, Any], value: Any, path: str) -> list[str]:
    if not isinstance(value, dict) or value.get("$type") != "blob" or not value.get("ref", {}).get("$link"):
        return [f"{path}: not a blob"]
    accepted = [pattern.removesuffix("*") for pattern in schema.get("accept", ["*"])]
    found = [] if str(value["mimeType"]).startswith(tuple(accepted)) else [f"{path}: mime type"]
    return found + ([f"{path}: too large"] if value["size"] > schema.get("maxSize", value["size"]) else [])


def _check_scalar(schema: dict[str, Any], value: Any, path: str) -> list[str]:
    if isinstance(value, int):
        return [f"{path}: too small"] if value < schema.get("minimum", value) else []
    found = []
    if len(value.encode()) > schema.get("maxLength", 10**9):
        found.append(f"{path}: too many bytes")
    if len(text.graphemes(value)) > schema.get("maxGraphemes", 10**9):
        found.append(f"{path}: too many graphemes")
    name = schema.get("format")
    if name == "datetime":
        try:
            dt.datetime.fromisoformat(value)
        except ValueError:
            found.append(f"{path}: not an instant")
    elif name and not _FORMATS[name].fullmatch(value):
        found.append(f"{path}: not in the format {name}")
    return found
