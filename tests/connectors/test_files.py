"""Files that are gone or became others, at the networks that are sent bytes."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from collections.abc import Callable
from typing import Any, BinaryIO

import pytest
import responses

from connectors.base import PostPayload, Step, StepKind
from connectors.errors import ConnectorError, Rejected, RejectReason, Temporary
from connectors.files import Slice, cover_of, opened, piece_of, size_of, whole_of
from tests.connectors.conftest import NOW, image
from tests.connectors.test_contract import KEY, account, answer_everything, before, post_of
from tests.connectors.test_contract import film as film_of

NETWORKS = ("bluesky", "facebook", "linkedin", "mastodon", "pinterest", "tiktok", "x", "youtube")


def gone() -> BinaryIO:
    raise FileNotFoundError("media/ab/cd")


def unreadable() -> BinaryIO:
    raise PermissionError("media/ab/cd")


class Breaks(io.BytesIO):
    def __init__(self) -> None:
        super().__init__(b"0123")

    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError("the disk is gone")


def posts(platform: str, file: Callable[[], BinaryIO]) -> list[PostPayload]:
    """One with a video and, where they are taken, one with an image."""
    info = account(platform).info
    assert info.videos is not None
    found = [post_of(info, film_of(info.videos, size=4, duration_s=10.0, open=file))]
    if info.images.max_count and not info.takes_media_by_url:
        picture = dataclasses.replace(image(mime_type=info.images.mime_types[0]), open=file)
        found.append(post_of(info, picture))
    return found


def reading_steps(platform: str, sent: PostPayload) -> list[Step]:
    """The steps in which the file is sent."""
    steps = account(platform).plan(sent)
    first = [step for step in steps if step.kind is StepKind.MEDIA]
    return first or [step for step in steps if step.kind is StepKind.PUBLISH]


def carry_out(platform: str, sent: PostPayload, step: Step) -> None:
    client = account(platform)
    done = before(client, sent)
    if platform == "tiktok":
        done = {
            key: dataclasses.replace(
                one,
                detail={"upload_url": "https://up.example.com/", "good_until": "2999-01-01T00:00:00+00:00"},
            )
            for key, one in done.items()
        }
    client.send_step(step, sent, client.prepare_step(step, sent, done, key=KEY, now=NOW))


@pytest.mark.parametrize("platform", NETWORKS)
@pytest.mark.parametrize(
    ("file", "error"),
    [(gone, Rejected), (unreadable, Temporary), (Breaks, Temporary)],
    ids=["gone", "unreadable", "breaks"],
)
def test_a_file_that_cannot_be_read_is_said_before_anything_is_published(
    platform: str, file: Any, error: type[ConnectorError]
) -> None:
    for sent in posts(platform, file):
        for step in reading_steps(platform, sent):
            with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
                usable = {"id": "1", "media_id": "1", "upload_url": "https://up.example.com/"}
                value = {"uploadUrl": "https://www.linkedin.com/x", "image": "i", "video": "v"}
                told = {**usable, "upload_parameters": {}, "value": value, "data": {"id": "1"}}
                told |= {"upload_session_id": "1", "video_id": "1", "start_offset": "0", "end_offset": "4"}
                answer_everything(network, json=told)
                with pytest.raises(error) as raised:
                    carry_out(platform, sent, step)
                assert not [call for call in network.calls if getattr(call.request, "changes", False)]
            if isinstance(raised.value, Rejected):
                assert raised.value.reason is RejectReason.MEDIA_BROKEN
            assert "ab/cd" not in raised.value.detail


def test_a_part_of_a_file_is_read_block_by_block() -> None:
    part = Slice(io.BytesIO(b"0123456789"), 2, 5)
    assert list(Slice(io.BytesIO(b"0123456789"), 2, 5)) == [b"23456"]
    assert (len(part), part.read(2), part.read(), part.read(), part.read(9)) == (5, b"23", b"456", b"", b"")
    with pytest.raises(Rejected):
        Slice(io.BytesIO(b"01"), 1, 5).read()


def test_a_part_of_a_file_is_sent_once_more() -> None:
    part = Slice(io.BytesIO(b"0123456789"), 2, 5)
    assert part.read() == b"23456"
    part.rewind()
    assert part.read() == b"23456"


def test_a_video_goes_without_a_cover_that_is_gone_and_waits_for_one_that_cannot_be_read() -> None:
    assert cover_of(image()) is None
    assert cover_of(dataclasses.replace(image(), cover=lambda: io.BytesIO(b"01"))) == b"01"
    assert cover_of(dataclasses.replace(image(), cover=gone)) is None
    for broken in (unreadable, Breaks):
        with pytest.raises(Temporary):
            cover_of(dataclasses.replace(image(), cover=broken))


@pytest.mark.parametrize("upload", ["bluesky", "facebook"])
@pytest.mark.parametrize(("file", "error"), [(gone, Rejected), (unreadable, Temporary), (Breaks, Temporary)])
def test_a_long_video_that_is_sent_block_by_block_is_read_in_the_same_way(
    upload: str, file: Any, error: type[ConnectorError]
) -> None:
    """What is canned does not read what it is sent, so this does."""
    info = account(upload).info
    assert info.videos is not None
    shape = {"width": 1080, "height": 1920, "duration_s": 20.0}
    sent = post_of(info, film_of(info.videos, size=4, open=file, **shape))

    def read(request: Any) -> tuple[int, dict[str, str], str]:
        if isinstance(request.body, Slice):
            assert b"".join(request.body)
        blob = {"$type": "blob", "ref": {"$link": "bafkrei1"}, "mimeType": "video/mp4", "size": 4}
        return 200, {}, json.dumps({"video_id": "1", "success": True, "blob": blob})

    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        network.add_callback("POST", re.compile(".*"), read)
        with pytest.raises(error):
            carry_out(upload, sent, reading_steps(upload, sent)[0])
        whole = dataclasses.replace(sent.parts[0].media[0], open=lambda: io.BytesIO(b"0123"))
        part = dataclasses.replace(sent.parts[0], media=(whole,))
        carry_out(upload, dataclasses.replace(sent, parts=(part,)), reading_steps(upload, sent)[0])
        assert network.calls[-1].request.headers["Content-Length"] == "4"


def test_a_file_is_read_whole_and_in_pieces() -> None:
    item = dataclasses.replace(image(), open=lambda: io.BytesIO(b"0123"))
    assert whole_of(item) == b"0123"
    with opened(item) as stream:
        assert (size_of(stream), piece_of(stream, 1, 2)) == (4, b"12")
        with pytest.raises(Rejected):
            piece_of(stream, 3, 2)
