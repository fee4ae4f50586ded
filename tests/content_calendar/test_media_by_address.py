"""Networks that fetch files themselves, and those that are particular about them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import time_machine
from django.core.files.storage import default_storage
from PIL import Image

from accounts.models import Brand, SocialAccount, User
from connectors.base import Capability, ImageLimit
from connectors.errors import RejectReason
from connectors.text import Problem
from content_calendar.content import MediaUse, Part
from content_calendar.models import PreflightProblem, Rendition
from content_calendar.selectors.checks import check_content
from content_calendar.selectors.reasons import explain
from content_calendar.services.preflight import check_brand
from content_calendar.services.scheduling import NotReady, schedule_post
from outbox.models import Delivery
from tests.content_calendar.boards import BoardsConnector, boards, has_fields
from tests.content_calendar.conftest import LATER, NOW, make_image, make_post

__all__ = ["boards"]
pytestmark = pytest.mark.django_db
OUTSIDE = "https://files.example.com"


@pytest.fixture
def fetching(boards: SocialAccount, monkeypatch: pytest.MonkeyPatch) -> SocialAccount:
    """An account of a network that fetches files and takes JPEG alone."""
    jpeg = ImageLimit(max_count=4, max_bytes=1_000_000, mime_types=("image/jpeg",), alt_text_max=1000)
    has_fields((), monkeypatch, takes_media_by_url=True, images=jpeg)
    return boards


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def test_files_need_a_public_address_before_a_post_is_scheduled(
    brand: Brand, manager: User, fetching: SocialAccount, settings: Any
) -> None:
    image = make_image(brand, manager)
    settings.PUBLIC_MEDIA_URL = ""
    check = check_content(fetching, (Part("Hello", (MediaUse(image.pk),)),), {image.pk: image})
    (message,) = [issue.message for issue in check.issues if issue.is_blocking]
    assert message == (
        "Boards fetches images and videos from this installation, which has no public HTTPS address. "
        "Somebody who runs it must give it one."
    )
    post = make_post(brand, manager, "Hello", fetching, media=(MediaUse(image.pk),))
    with pytest.raises(NotReady):
        schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    assert not Delivery.objects.exists()
    assert check_content(fetching, (Part("Hello"),), {}).is_ready
    settings.PUBLIC_MEDIA_URL = OUTSIDE
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)


def test_an_address_that_was_taken_away_is_found_before_the_time(
    brand: Brand, manager: User, fetching: SocialAccount, settings: Any
) -> None:
    settings.PUBLIC_MEDIA_URL = OUTSIDE
    image = make_image(brand, manager)
    post = make_post(brand, manager, "Hello", fetching, media=(MediaUse(image.pk),))
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    check_brand(brand=brand, now=NOW, days=7)
    assert not PreflightProblem.objects.filter(detail__reason="media_not_public").exists()
    settings.PUBLIC_MEDIA_URL = ""
    check_brand(brand=brand, now=NOW, days=7)
    assert PreflightProblem.objects.filter(detail__reason="media_not_public").count() == 1


def test_an_image_of_another_type_is_sent_as_a_jpeg_made_once(
    brand: Brand, manager: User, fetching: SocialAccount, settings: Any
) -> None:
    settings.PUBLIC_MEDIA_URL = OUTSIDE
    image = make_image(brand, manager, kind="PNG")
    for text in ("One", "Two"):
        post = make_post(brand, manager, text, fetching, media=(MediaUse(image.pk),))
        schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    frozen = [row.payload["parts"][0]["media"][0] for row in Delivery.objects.all()]
    assert {one["mime_type"] for one in frozen} == {"image/jpeg"}
    (rendition,) = Rendition.objects.all()
    assert {one["storage_key"] for one in frozen} == {rendition.storage_key}
    with default_storage.open(rendition.storage_key) as file:
        assert Image.open(file).format == "JPEG"


def test_posts_of_words_alone_are_refused_where_none_are_taken(
    boards: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    capabilities = BoardsConnector.INFO.capabilities - {Capability.POST_TEXT}
    has_fields((), monkeypatch, capabilities=capabilities)
    (issue,) = check_content(boards, (Part("Hello"),), {}).issues
    assert issue.message == "Boards takes no posts of words alone: add a picture or a video."
    assert not issue.is_missing
    # Before anything is written, one sentence is enough, and it is no mistake yet.
    (issue,) = check_content(boards, (Part(""),), {}).issues
    assert issue.is_missing
    has_fields((), monkeypatch, capabilities=capabilities - {Capability.POST_VIDEO})
    assert "add a picture." in check_content(boards, (Part("Hello"),), {}).issues[0].message
    has_fields((), monkeypatch, capabilities=capabilities - {Capability.POST_IMAGES})
    assert "add a video." in check_content(boards, (Part("Hello"),), {}).issues[0].message


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (
            Problem(RejectReason.MEDIA_SHAPE, 0, 1, 0, 0),
            "File 2 is too wide or too high for Boards. Crop it.",
        ),
        (
            Problem(RejectReason.TOO_MANY_TAGS, 0, None, 30, 1031),
            "Too many hashtags or mentions for Boards: 1,031, 30 are allowed.",
        ),
        (Problem(RejectReason.TOO_MANY_TAGS, 0, None, 0, 0), "Too many hashtags or mentions for Boards."),
        (
            Problem(RejectReason.SETTING_INVALID, 0, None, 20, 21, "title"),
            "Boards: “Title” is too long by 1 character (20 are allowed).",
        ),
        # What the network asked for once, in a check of then.
        (Problem(RejectReason.SETTING_MISSING, 0, None, 1, 0, "gone"), "Boards does not take this content."),
    ],
)
def test_reasons_are_told_with_their_numbers(problem: Problem, sentence: str) -> None:
    info = dataclasses.replace(BoardsConnector.INFO)
    assert explain(problem, info) == sentence
