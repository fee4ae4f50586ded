"""A network in memory that asks something of a post besides its words and media."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NoReturn

import pytest

from accounts.models import Brand, SocialAccount
from connectors.base import Connector, PlatformInfo, PostField, PostPayload, Step, standard_plan
from connectors.registry import CONNECTORS
from connectors.sandbox import INFO as SANDBOX
from tests.cast import make_account

FIELDS = (
    PostField("title", "Title", max_length=20),
    PostField("board", "Board", kind="choice", is_of_account=True, is_required=True),
    PostField("link", "Link", kind="url"),
    PostField("about", "Description", kind="long_text"),
    PostField(
        "audience",
        "Who may see it",
        kind="choice",
        choices=(("all", "Everyone"), ("me", "Only me")),
        default="all",
    ),
    PostField("is_advert", "It is an advertisement", kind="flag"),
    PostField("takes_comments", "Comments are allowed", kind="flag", default="true"),
    PostField(
        "duet",
        "Duets",
        kind="choice",
        choices=(("yes", "Allowed"), ("no", "Not allowed")),
        for_videos=True,
        is_required=True,
    ),
)


class BoardsConnector(Connector):
    """``choices`` is what the network answers; an exception is raised."""

    INFO: ClassVar[PlatformInfo] = dataclasses.replace(
        SANDBOX, key="boards", name="Boards", post_fields=FIELDS
    )
    choices: ClassVar[dict[str, list[tuple[str, str]]] | Exception] = {
        "board": [("b1", "Recipes"), ("b2", "Cups")]
    }

    def fetch_choices(self) -> dict[str, list[tuple[str, str]]]:
        if isinstance(self.choices, Exception):
            raise self.choices
        return self.choices

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        return standard_plan(payload, container=False)

    def _not_here(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise NotImplementedError

    fetch_profile = prepare_step = send_step = fetch_post = _not_here
    fetch_account_metrics = fetch_post_metrics = _not_here


def has_fields(fields: Sequence[PostField], monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    """The network asks for these from now on; ``more``: what else is said of it."""
    info = dataclasses.replace(BoardsConnector.INFO, post_fields=tuple(fields), **more)
    monkeypatch.setattr(BoardsConnector, "INFO", info)


@pytest.fixture
def boards(brand: Brand, monkeypatch: pytest.MonkeyPatch) -> SocialAccount:
    """An account of it, whose boards are known."""
    monkeypatch.setitem(CONNECTORS, "boards", BoardsConnector)
    options: Mapping[str, Any] = {"choices": {"board": [["b1", "Recipes"], ["b2", "Cups"]]}}
    return make_account(brand, platform="boards", handle="pins", options=options)
