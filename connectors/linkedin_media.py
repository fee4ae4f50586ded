"""Uploads to LinkedIn: images, the picture of a link, and videos in pieces. Nobody sees an upload.

Documents: learn.microsoft.com, community-management/shares/images-api and videos-api, read 2026-11-30.
Where the bytes go is named by LinkedIn; the token goes along to its own hosts alone.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, cast

from requests import Response

from connectors import http
from connectors.answers import ident, inner, object_of, split, text
from connectors.base import Json, MediaItem, StepResult, StepState
from connectors.errors import Rejected, Temporary
from connectors.files import Slice, cover_of, opened, piece_of, size_of
from connectors.link_preview import read_picture
from connectors.linkedin_calls import KEY, checked, is_linkedins
from connectors.linkedin_info import INFO

UPLOAD_TIMEOUT_S = 120.0
CHECK_AGAIN_S = 5.0
PIECE_BYTES = 16 * 1024 * 1024  # what is larger is not held in memory


@dataclass(slots=True)
class Uploads:
    """``call`` sends one request to LinkedIn's API."""

    token: str
    call: Callable[..., Response]

    def image(self, owner: str, item: MediaItem) -> StepResult:
        with opened(item) as stream:
            return self._put_image(owner, stream, item.mime_type)

    def _put_image(self, owner: str, stream: IO[bytes], mime_type: str) -> StepResult:
        begun = self._begin("/rest/images", {"owner": owner})
        urn = ident(begun, "image")
        self._put(text(begun.get("uploadUrl")), stream, mime_type)
        return StepResult(remote_id=urn)

    def picture(self, owner: str, address: str) -> StepResult:
        """The picture of a link; a link goes without one that cannot be had."""
        picture = read_picture(address, platform=KEY, max_bytes=INFO.images.max_bytes)
        if picture is None or picture[1] not in INFO.images.mime_types:
            return StepResult()
        try:
            return self._put_image(owner, io.BytesIO(picture[0]), picture[1])
        except Rejected:
            return StepResult()

    def video(self, owner: str, item: MediaItem) -> StepResult:
        cover = cover_of(item)
        with opened(item) as stream:
            size = size_of(stream)
            about = {
                "owner": owner,
                "fileSizeBytes": size,
                "uploadCaptions": False,
                "uploadThumbnail": cover is not None,
            }
            begun = self._begin("/rest/videos", about)
            urn = ident(begun, "video")
            tags = [self._put_piece(stream, *piece) for piece in _pieces(begun, size)]
        if cover is not None and (address := text(begun.get("thumbnailUploadUrl"))):
            self._put(
                address,
                io.BytesIO(cover),
                "application/octet-stream",
                {"media-type-family": "STILLIMAGE"},
            )
        finished = {
            "video": urn,
            "uploadToken": text(begun.get("uploadToken")),
            "uploadedPartIds": tags,
        }
        path = "/rest/videos?action=finalizeUpload"
        checked(self.call("POST", path, json={"finalizeUploadRequest": finished}), about="media")
        return StepResult(state=StepState.PROCESSING, remote_id=urn, retry_after_s=CHECK_AGAIN_S)

    def _begin(self, path: str, about: Json) -> Json:
        response = self.call(
            "POST", f"{path}?action=initializeUpload", json={"initializeUploadRequest": about}
        )
        return object_of(http.json_object(checked(response, about="media")), "value")

    def _put_piece(self, stream: IO[bytes], start: int, length: int, address: str) -> str:
        body: bytes | IO[bytes]
        if length > PIECE_BYTES:
            body = cast("IO[bytes]", Slice(stream, start, length))
        else:
            body = piece_of(stream, start, length)
        response = self._put(address, body, "application/octet-stream")
        tag = response.headers.get("ETag", "").strip('"')
        if not tag:
            raise Temporary("a piece of a video was taken without its tag")
        return tag

    def _put(
        self,
        address: str,
        body: bytes | IO[bytes],
        mime_type: str,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        if not split(address).hostname:
            raise Temporary("an answer without a place to upload to")
        sent = {"Content-Type": mime_type, **(headers or {})}
        if is_linkedins(address):
            sent["Authorization"] = f"Bearer {self.token}"
        response = http.request(
            "PUT",
            address,
            platform=KEY,
            headers=sent,
            body=body,
            timeout_s=UPLOAD_TIMEOUT_S,
            guard=True,
        )
        if response.status_code in {401, 403}:
            # The permission to upload ended, not that of the account: the next try gets another.
            raise Temporary(http.excerpt(response))
        return checked(response, about="media")


def _pieces(begun: Json, size: int) -> list[tuple[int, int, str]]:
    """Start, length and address of each piece. One after the other they are the whole file, or LinkedIn
    would put together something else."""
    told = begun.get("uploadInstructions")
    if not isinstance(told, list):
        raise Temporary("an answer without places to upload to")
    pieces: list[tuple[int, int, str]] = []
    following = 0
    for piece in told:
        first, last, address = (inner(piece, name) for name in ("firstByte", "lastByte", "uploadUrl"))
        if type(first) is not int or type(last) is not int or not isinstance(address, str):
            raise Temporary("an answer without places to upload to")
        if first != following or last < first:
            raise Temporary("an upload in pieces that are not the file")
        pieces.append((first, last - first + 1, address))
        following = last + 1
    if following != size or not pieces:
        raise Temporary("an upload in pieces that are not the file")
    return pieces
