"""Files that arrive piece by piece: whatever breaks, nothing is half done and nothing is sent twice."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import Brand, User
from content_calendar.models import MediaAsset, MediaKind, MediaState, MediaUpload
from content_calendar.services import library, uploads
from content_calendar.services.media import FileEmpty, FileTooLarge
from content_calendar.services.uploads import (
    NotAVideo,
    PieceDamaged,
    TooManyUploads,
    UploadIncomplete,
    WrongOffset,
    cancel_upload,
    clean_uploads,
    finish_upload,
    start_upload,
    take_piece,
)
from tests.clips import clip
from tests.content_calendar.conftest import NOW
from tests.content_calendar.video_samples import begin, bring, uploaded

pytestmark = pytest.mark.django_db

# Begins as a video does; what follows is not looked at while it arrives.
CONTENT = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 4


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "CHUNK", 100)


def files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_pieces_become_one_asset(brand: Brand, creator: User) -> None:
    asset = uploaded(brand, creator, CONTENT)
    assert (asset.kind, asset.state, asset.size) == (MediaKind.VIDEO, MediaState.PROCESSING, len(CONTENT))
    assert asset.upload.received == len(CONTENT)
    assert len(files()) == 11


def test_the_same_file_is_gone_on_with_after_a_reload(brand: Brand, creator: User, owner: User) -> None:
    upload = begin(brand, creator, CONTENT)
    take_piece(upload=upload, offset=0, content=CONTENT[:100], now=NOW)
    again = begin(brand, creator, CONTENT)
    assert (again.pk, again.received) == (upload.pk, 100)
    assert begin(brand, owner, CONTENT).pk != upload.pk
    late = start_upload(
        brand=brand,
        person=creator,
        name="x",
        size=len(CONTENT),
        fingerprint=upload.fingerprint,
        now=NOW + uploads.LIFE + dt.timedelta(seconds=1),
    )
    assert late.pk != upload.pk


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 12), st.sampled_from([0, 50, 99, 100, 101]), st.booleans())))
def test_whatever_is_sent_in_whatever_order_the_file_is_whole_or_incomplete(
    brand: Brand, creator: User, sent: list[tuple[int, int, bool]]
) -> None:
    upload = begin(brand, creator, CONTENT)
    for number, length, is_stale in sent:
        row = upload if is_stale else MediaUpload.objects.get(pk=upload.pk)
        piece = CONTENT[number * 100 : number * 100 + length]
        before = MediaUpload.objects.get(pk=upload.pk).received
        try:
            take_piece(upload=row, offset=number * 100, content=piece, now=NOW)
        except (WrongOffset, PieceDamaged):
            assert MediaUpload.objects.get(pk=upload.pk).received == before
    row = MediaUpload.objects.get(pk=upload.pk)
    if row.received < row.size:
        with pytest.raises(UploadIncomplete):
            finish_upload(upload=row, now=NOW)
    bring(row, CONTENT)
    row.refresh_from_db()
    assert sum(piece[1] for piece in row.chunks) == len(CONTENT)
    kept = b"".join(Path(settings.MEDIA_ROOT, piece[0]).read_bytes() for piece in row.chunks)
    assert kept == CONTENT
    cancel_upload(upload=row)


def test_the_same_piece_from_two_at_once_is_kept_once(brand: Brand, creator: User) -> None:
    upload = begin(brand, creator, CONTENT)
    other = MediaUpload.objects.get(pk=upload.pk)
    take_piece(upload=upload, offset=0, content=CONTENT[:100], now=NOW)
    with pytest.raises(WrongOffset) as refusal:
        take_piece(upload=other, offset=0, content=CONTENT[:100], now=NOW)
    assert refusal.value.received == 100
    assert len(files()) == 1


def test_a_piece_that_was_damaged_on_the_way_is_not_kept(brand: Brand, creator: User) -> None:
    upload = begin(brand, creator, CONTENT)
    digest = hashlib.sha256(CONTENT[:100]).hexdigest()
    with pytest.raises(PieceDamaged):
        take_piece(upload=upload, offset=0, content=CONTENT[1:101], digest=digest, now=NOW)
    assert not files()
    take_piece(upload=upload, offset=0, content=CONTENT[:100], digest=digest, now=NOW)
    assert upload.received == 100


@pytest.mark.parametrize(
    "lie",
    [b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", b"#EXTM3U\nfile:///etc/passwd", b"<svg onload=x>", b"RIFF....AVI "],
)
def test_a_file_that_lies_about_its_type_is_refused_with_its_first_piece(
    brand: Brand, creator: User, lie: bytes
) -> None:
    content = lie + bytes(500)
    upload = begin(brand, creator, content, "clip.mp4")
    with pytest.raises(NotAVideo):
        take_piece(upload=upload, offset=0, content=content[:100], now=NOW)
    assert not MediaUpload.objects.exists()
    assert not MediaAsset.objects.exists()
    assert not files()


def test_limits_are_told_before_anything_is_sent(brand: Brand, creator: User) -> None:
    def start(size: int, mark: str = "x") -> MediaUpload:
        return start_upload(brand=brand, person=creator, name="x", size=size, fingerprint=mark, now=NOW)

    with pytest.raises(FileTooLarge):
        start(uploads.MAX_VIDEO_BYTES + 1)
    with pytest.raises(FileEmpty):
        start(0)
    for number in range(uploads.MOST_OPEN):
        start(100, str(number))
    with pytest.raises(TooManyUploads):
        start(100, "one more")
    assert start(100, "0")


def test_finishing_twice_answers_the_same(brand: Brand, creator: User) -> None:
    upload = bring(begin(brand, creator, CONTENT), CONTENT)
    first = finish_upload(upload=upload, now=NOW)
    stale = MediaUpload.objects.get(pk=upload.pk)
    assert finish_upload(upload=stale, now=NOW) == first
    with pytest.raises(WrongOffset):
        take_piece(upload=stale, offset=stale.received, content=b"more", now=NOW)
    assert MediaUpload.objects.filter(pk=upload.pk).exists()


def test_the_same_video_is_stored_once_per_brand(brand: Brand, other_brand: Brand, creator: User) -> None:
    first = uploaded(brand, creator, CONTENT)
    assert uploaded(brand, creator, CONTENT, "other name.mp4") == first
    assert uploaded(other_brand, creator, CONTENT) != first
    assert MediaUpload.objects.count() == 2


def test_what_nobody_goes_on_with_is_thrown_away(brand: Brand, creator: User) -> None:
    begin(brand, creator, CONTENT[:300])
    left = begin(brand, creator, CONTENT)
    take_piece(upload=left, offset=0, content=CONTENT[:100], now=NOW)
    processing = uploaded(brand, creator, CONTENT + b"x")
    assert clean_uploads(now=NOW + uploads.LIFE) == 0
    assert clean_uploads(now=NOW + uploads.LIFE + dt.timedelta(minutes=1)) == 2
    assert [upload.asset for upload in MediaUpload.objects.all()] == [processing]
    assert len(files()) == 11


def test_an_upload_that_is_given_up_leaves_nothing(brand: Brand, creator: User) -> None:
    upload = begin(brand, creator, CONTENT)
    take_piece(upload=upload, offset=0, content=CONTENT[:100], now=NOW)
    cancel_upload(upload=upload)
    assert not files()
    with pytest.raises(WrongOffset):
        take_piece(upload=upload, offset=100, content=CONTENT[100:200], now=NOW)
    assert not files()


def test_a_video_that_is_deleted_while_it_is_made_ready_leaves_nothing(
    brand: Brand, creator: User, django_capture_on_commit_callbacks: object
) -> None:
    asset = uploaded(brand, creator, clip())
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        library.delete_assets(brand=brand, assets=[asset.pk], actor=creator, now=NOW)
    assert not files()
    assert not MediaUpload.objects.exists()
