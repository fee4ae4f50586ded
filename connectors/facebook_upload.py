"""Files on their way to Facebook: photos, videos in pieces, and the uploads of Reels and stories.

Documents: docs/graph-api/reference/page/photos, docs/video-api/guides/publishing (upload phases),
documentation/video-api/guides/reels-publishing, docs/page-stories-api. Nobody sees an upload, so all of it
may be repeated; what is left over is never published.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, replace
from typing import IO
from urllib.parse import quote, urlsplit

from connectors import http
from connectors.base import Json, MediaItem
from connectors.errors import ConnectorError, Rejected, RejectReason, Temporary
from connectors.facebook_inbox import KEY
from connectors.files import Slice, opened, piece_of, size_of, whole_of
from connectors.meta import Graph, number, word_of
from connectors.meta_login import VERSION

CHUNK_BYTES = 8 * 1024 * 1024
TIMEOUT_S = 120.0
MOST_CHUNKS = 20_000


@dataclass(frozen=True, slots=True)
class Uploader:
    graph: Graph
    page: str

    def photo(self, item: MediaItem, alt_text: str) -> str:
        form: Json = {"published": False} | ({"alt_text_custom": alt_text} if alt_text else {})
        files = {"source": (_name(item), whole_of(item), item.mime_type)}
        answer = self.graph.post(f"{self.page}/photos", form, files=files, timeout_s=TIMEOUT_S)
        return word_of(answer)

    def video(self, item: MediaItem) -> str:
        """In as many pieces as Facebook wants; it says with each answer which comes next."""
        host = replace(
            self.graph, base=http.base_url(f"{KEY}.video", f"https://graph-video.facebook.com/{VERSION}")
        )
        path = f"{self.page}/videos"
        with opened(item) as stream:
            size = size_of(stream)
            begun = host.post(path, {"upload_phase": "start", "file_size": size})
            session, video = word_of(begun, "upload_session_id"), word_of(begun, "video_id")
            position, end = _range(begun, size)
            for _chunk in range(MOST_CHUNKS):
                if position >= end:
                    break
                piece = piece_of(stream, position, min(end - position, CHUNK_BYTES))
                form = {
                    "upload_phase": "transfer",
                    "upload_session_id": session,
                    "start_offset": str(position),
                }
                files = {"video_file_chunk": ("piece", piece, "application/octet-stream")}
                following, end = _range(host.post(path, form, files=files, timeout_s=TIMEOUT_S), size)
                if following <= position:
                    raise Temporary("Facebook asks for the same piece again")
                position = following
        finish = {"upload_phase": "finish", "upload_session_id": session, "published": False}
        host.post(path, finish, timeout_s=TIMEOUT_S)
        return video

    def short_video(self, item: MediaItem, edge: str) -> str:
        """``edge``: video_reels or video_stories."""
        with opened(item) as stream:
            return self._short_video(stream, size_of(stream), edge)

    def _short_video(self, stream: IO[bytes], size: int, edge: str) -> str:
        begun = self.graph.post(f"{self.page}/{edge}", {"upload_phase": "start"})
        video = word_of(begun, "video_id")
        # Where to is our own knowledge, with the path that was told: an answer must not have our token sent
        # anywhere else.
        path = f"/video-upload/{VERSION}/{quote(video, safe='')}"
        with contextlib.suppress(ValueError):
            named = urlsplit(str(begun.get("upload_url") or "")).path
            if re.fullmatch(r"/video-upload/[A-Za-z0-9._/-]+", named) and ".." not in named:
                path = named
        host = Graph(KEY, http.base_url(f"{KEY}.upload", "https://rupload.facebook.com"), self.graph.token)
        headers = {"Authorization": f"OAuth {self.graph.token}", "offset": "0", "file_size": str(size)}
        body = Slice(stream, 0, size)
        response = host.call("POST", path.lstrip("/"), headers=headers, body=body, timeout_s=3 * TIMEOUT_S)
        try:
            answer = host.answer(response)
        except ConnectorError as error:
            if _is_retriable(response.text):
                raise Temporary(error.detail) from error
            raise
        if answer.get("success") not in (True, "true"):
            raise Temporary("the upload was not taken")
        return video


def _is_retriable(body: str) -> bool:
    return bool(re.search(r'"retriable"\s*:\s*true', body))


def _range(answer: Json, size: int) -> tuple[int, int]:
    """Where the next piece of a file of so many bytes begins and ends."""
    start, end = number(answer.get("start_offset")), number(answer.get("end_offset"))
    if start is None or end is None or not (0 <= start <= size and 0 <= end <= size):
        raise Temporary("an upload without a position")
    return start, end


def _name(item: MediaItem) -> str:
    return f"photo.{'png' if item.mime_type == 'image/png' else 'jpg'}"


def check_phases(status: Json) -> None:
    """Raises Rejected(MEDIA_BROKEN) for what Facebook could not work on."""
    phases = [status.get(name) for name in ("uploading_phase", "processing_phase", "publishing_phase")]
    broken = [one for one in phases if isinstance(one, dict) and one.get("status") == "error"]
    if broken or status.get("video_status") == "error":
        words = next((str(e.get("message")) for b in broken for e in _errors(b)), "")
        raise Rejected(RejectReason.MEDIA_BROKEN, words or "Facebook could not process the video")


def _errors(phase: Json) -> list[Json]:
    """A phase of a video that failed tells one error, or several."""
    told = phase.get("errors") or [phase.get("error")]
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
