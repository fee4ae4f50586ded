"""The official descriptions that requests and answers of ads are held against, where somebody has them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.connectors.conftest import SPECS


def _read(name: str) -> Any:
    path = SPECS / name
    if not path.exists():
        pytest.skip(f"NETWORK_SPECS has no {name}: nothing is held against it")
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


@pytest.fixture(scope="session")
def meta_node() -> Any:
    """node("AdAccount") -> Meta's description of it; ``enum_types`` is one of them."""
    return lambda name: _read(f"meta/{name}.json")


@pytest.fixture(scope="session")
def pinterest_description() -> dict[str, Any]:
    description: dict[str, Any] = _read("pinterest/openapi.json")
    return description


@pytest.fixture(scope="session")
def linkedin_campaigns() -> dict[str, Any]:
    description: dict[str, Any] = _read("linkedin/linkedin-marketing-campaigns.yml")
    return description


@pytest.fixture(scope="session")
def linkedin_reporting() -> dict[str, Any]:
    description: dict[str, Any] = _read("linkedin/linkedin-marketing-reporting-roi.yml")
    return description
