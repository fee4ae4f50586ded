"""Videos: what is found out about them, what becomes of them on each network, how posts wait for them."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from accounts.models import Brand, SocialAccount, User
from connectors.base import VideoLimit
from content_calendar.content import MediaUse, Part
from content_calendar.models import MediaAsset, MediaKind, MediaProblem, MediaState, MediaUpload, Rendition
from content_calendar.models import PreflightCode as Code
from content_calendar.selectors.checks import AccountCheck, check_content
from content_calendar.selectors.preflight import find_problems
from content_calendar.selectors.verdicts import verdicts_of
from content_calendar.selectors.videos import fits, plan_for
from content_calendar.services import library, videos
from content_calendar.services.scheduling import NotReady, frozen_payload, schedule_post
from content_calendar.services.sending import objection
from outbox.errors import StopReason
from outbox.models import Delivery
from outbox.payloads import thaw
from tests.cast import make_account
from tests.clips import clip, turned
from tests.content_calendar.conftest import LATER, NOW, make_image, make_post
from tests.content_calendar.video_samples import make_video, uploaded, work

pytestmark = pytest.mark.django_db

LIMIT = VideoLimit(
    max_count=1,
    max_bytes=50_000_000,
    max_seconds=140,
    mime_types=("video/mp4",),
    alt_text_max=1000,
    max_pixels=1920 * 1080,
    max_frame_rate=60,
)


def files() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def opened(key: str) -> Any:
    with default_storage.open(key) as file:
        return av.open(io.BytesIO(file.read()))


def check(account: SocialAccount, *assets: MediaAsset) -> AccountCheck:
    part = Part("x", tuple(MediaUse(asset.pk) for asset in assets))
    return check_content(account, (part,), {asset.pk: asset for asset in assets})


def said(checked: AccountCheck) -> str:
    return " ".join(issue.message for issue in checked.issues)


# --- looking at what was uploaded -------------------------------------------------------------


def test_a_video_is_made_ready(brand: Brand, creator: User) -> None:
    asset = make_video(brand, creator, seconds=2)
    assert (asset.kind, asset.state, asset.problem) == (MediaKind.VIDEO, MediaState.READY, "")
    assert (asset.width, asset.height, asset.frame_rate, asset.mime_type) == (64, 36, 10, "video/mp4")
    assert (asset.video_codec, asset.audio_codec) == ("h264", "aac")
    assert 1900 <= asset.duration_ms <= 2100
    assert len(asset.frames) == 6
    assert asset.thumbnail_key == asset.frames[0][0]
    assert asset.size == default_storage.size(asset.storage_key)
    assert not MediaUpload.objects.exists()
    assert len(files()) == 7


def test_where_it_was_taken_is_removed(brand: Brand, creator: User) -> None:
    place = "+35.6586+139.7454/"
    content = clip(place=place)
    assert place.encode() in content
    asset = uploaded(brand, creator, content)
    work()
    asset.refresh_from_db()
    with default_storage.open(asset.storage_key) as file:
        kept = file.read()
    assert place.encode() not in kept
    with opened(asset.storage_key) as source:
        assert "location" not in str(source.metadata)
        assert sum(1 for _frame in source.decode(video=0)) == 10


@pytest.mark.parametrize(
    ("options", "mime_type", "codecs"),
    [
        ({"sound": ""}, "video/mp4", ("h264", "")),
        ({"kind": "mov"}, "video/mp4", ("h264", "aac")),
        ({"kind": "matroska"}, "video/mp4", ("h264", "aac")),
        ({"kind": "webm", "codec": "libvpx", "sound": "libopus"}, "video/webm", ("vp8", "opus")),
        ({"kind": "mov", "sound": "pcm_s16le"}, "video/quicktime", ("h264", "pcm_s16le")),
    ],
    ids=["silent", "mov", "mkv", "webm", "pcm"],
)
def test_files_of_cameras_and_programs_are_understood(
    brand: Brand, creator: User, options: dict[str, str], mime_type: str, codecs: tuple[str, str]
) -> None:
    asset = make_video(brand, creator, **options)
    assert asset.state == MediaState.READY, asset.problem
    assert asset.mime_type == mime_type
    assert (asset.video_codec, asset.audio_codec) == codecs


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (lambda: clip(with_pictures=False), MediaProblem.NO_VIDEO),
        (lambda: clip(seconds=3)[: len(clip(seconds=3)) // 2], MediaProblem.BROKEN),
        (lambda: b"\0\0\0\x18ftypmp42" + bytes(3000), MediaProblem.BROKEN),
        (lambda: b"\x1a\x45\xdf\xa3" + bytes(3000), MediaProblem.BROKEN),
        (lambda: clip(size=(8400, 16), seconds=0.1), MediaProblem.TOO_MANY_PIXELS),
    ],
    ids=["sound alone", "cut off", "no content", "no matroska", "too wide"],
)
def test_what_cannot_be_used_says_why_and_leaves_no_files(
    brand: Brand, creator: User, content: Any, problem: MediaProblem
) -> None:
    asset = uploaded(brand, creator, content())
    work()
    asset.refresh_from_db()
    assert (asset.state, asset.problem) == (MediaState.BROKEN, problem)
    assert not files()
    assert not MediaUpload.objects.exists()


def test_a_piece_that_is_lost_is_told(brand: Brand, creator: User) -> None:
    asset = uploaded(brand, creator, clip())
    default_storage.delete(asset.upload.chunks[0][0])
    work()
    asset.refresh_from_db()
    assert (asset.state, asset.problem) == (MediaState.BROKEN, MediaProblem.INCOMPLETE)


def test_what_was_broken_can_be_uploaded_again(brand: Brand, creator: User) -> None:
    first = uploaded(brand, creator, clip())
    MediaAsset.objects.update(state=MediaState.BROKEN)
    again = uploaded(brand, creator, clip())
    assert again.pk != first.pk
    work()
    assert MediaAsset.objects.get().state == MediaState.READY


def test_a_file_that_never_ends_is_ended(
    brand: Brand, creator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(videos, "PREPARE_TIMEOUT_S", 0.01)
    asset = uploaded(brand, creator, clip())
    work()
    asset.refresh_from_db()
    assert asset.problem == MediaProblem.TOO_SLOW


def test_a_worker_that_dies_is_followed_by_another_and_not_for_ever(brand: Brand, creator: User) -> None:
    asset = uploaded(brand, creator, clip())
    now = NOW
    for number in range(videos.MOST_TRIES):
        (one,), _copies = videos.claim_work(now=now, most=5)
        assert one.fence == number + 1
        assert videos.claim_work(now=now, most=5) == ([], [])
        now += videos.LEASE
    assert videos.claim_work(now=now, most=5) == ([], [])
    asset.refresh_from_db()
    assert (asset.state, asset.problem) == (MediaState.BROKEN, MediaProblem.TOO_SLOW)


def test_whoever_lost_the_row_writes_nothing(brand: Brand, creator: User) -> None:
    asset = uploaded(brand, creator, clip())
    (old,), _copies = videos.claim_work(now=NOW, most=5)
    (new,), _copies = videos.claim_work(now=NOW + videos.LEASE, most=5)
    assert videos.prepare_video(asset_id=asset.pk, fence=old.fence, clock=lambda: NOW) is None
    asset.refresh_from_db()
    assert asset.state == MediaState.PROCESSING
    assert videos.prepare_video(asset_id=asset.pk, fence=new.fence, clock=lambda: NOW) == MediaState.READY


def test_no_more_than_so_many_are_worked_on_at_once(brand: Brand, creator: User) -> None:
    for seconds in (1, 2, 3):
        uploaded(brand, creator, clip(seconds=seconds))
    found, _copies = videos.claim_work(now=NOW, most=2)
    assert len(found) == 2
    assert videos.claim_work(now=NOW, most=2) == ([], [])


# --- what a network gets ----------------------------------------------------------------------


def test_a_video_that_fits_is_sent_as_it_is(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    asset = make_video(brand, creator)
    assert videos.video_for(asset=asset, limit=LIMIT) == asset
    checked = check(sandbox_account, asset)
    assert checked.is_ready
    assert "sent as it is" in said(checked)
    assert not Rendition.objects.exists()


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ({"size": (64, 36)}, {"max_pixels": 32 * 18}),
        ({"rate": 30}, {"max_frame_rate": 15}),
        ({"kind": "webm", "codec": "libvpx", "sound": "libopus"}, {}),
        ({"kind": "mov", "sound": "pcm_s16le"}, {}),
        ({"sound": "", "codec": "mpeg4"}, {}),
    ],
    ids=["frame", "rate", "webm", "sound", "codec"],
)
def test_what_does_not_fit_is_converted_within_every_limit(
    brand: Brand, creator: User, options: dict[str, Any], limit: dict[str, Any]
) -> None:
    asset = make_video(brand, creator, **options)
    wanted = replace(LIMIT, **limit)
    copy = videos.video_for(asset=asset, limit=wanted)
    assert isinstance(copy, Rendition)
    assert videos.video_for(asset=asset, limit=wanted) == copy
    work()
    copy.refresh_from_db()
    assert (copy.state, copy.progress) == (MediaState.READY, 100), copy.problem
    assert copy.size == default_storage.size(copy.storage_key) <= wanted.max_bytes
    with opened(copy.storage_key) as made:
        stream = made.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == (copy.width, copy.height)
        assert not wanted.max_pixels or stream.width * stream.height <= wanted.max_pixels
        assert float(stream.average_rate) <= wanted.max_frame_rate + 0.01
        sounds = [one.codec_context.name for one in made.streams.audio]
        assert sounds == (["aac"] if asset.audio_codec else [])
        assert abs(made.duration / 1_000_000 - asset.duration_s) < 0.3


def test_a_copy_that_cannot_be_small_enough_says_so(brand: Brand, creator: User) -> None:
    asset = make_video(brand, creator, seconds=2)
    copy = videos.video_for(asset=asset, limit=replace(LIMIT, max_bytes=500))
    work()
    copy.refresh_from_db()
    assert (copy.state, copy.problem) == (MediaState.BROKEN, MediaProblem.TOO_LARGE)


def test_uploading_it_again_gives_a_copy_that_failed_another_try(brand: Brand, creator: User) -> None:
    kind = {"kind": "webm", "codec": "libvpx", "sound": "libopus"}
    asset = make_video(brand, creator, **kind)
    failed = videos.video_for(asset=asset, limit=LIMIT)
    Rendition.objects.update(state=MediaState.BROKEN, problem=MediaProblem.TOO_SLOW)
    assert videos.video_for(asset=asset, limit=LIMIT) == failed
    assert uploaded(brand, creator, clip(**kind)) == asset
    again = videos.video_for(asset=asset, limit=LIMIT)
    assert again != failed
    work()
    assert Rendition.objects.get().state == MediaState.READY


def test_copies_are_made_ahead_for_the_connected_accounts(brand: Brand, creator: User) -> None:
    make_account(brand)
    make_account(brand, platform="bluesky", handle="b.example.com")
    make_video(brand, creator, kind="webm", codec="libvpx", sound="libopus")
    assert {copy.state for copy in Rendition.objects.all()} == {MediaState.READY}
    assert Rendition.objects.count() == 2


@given(
    width=st.integers(2, 8000),
    height=st.integers(2, 4000),
    rate=st.sampled_from([0, 1, 23.976, 25, 29.97, 59.94, 120, 240]),
    seconds=st.floats(0.1, 3000),
    size=st.integers(1000, 2_000_000_000),
    max_bytes=st.sampled_from([5_000_000, 50_000_000, 100_000_000]),
    max_pixels=st.sampled_from([0, 921_600, 2_073_600]),
    max_rate=st.sampled_from([0, 30, 60]),
)
def test_what_is_planned_keeps_within_the_limits(
    width: int,
    height: int,
    rate: float,
    seconds: float,
    size: int,
    max_bytes: int,
    max_pixels: int,
    max_rate: float,
) -> None:
    asset = MediaAsset(
        width=width,
        height=height,
        frame_rate=rate,
        duration_ms=int(seconds * 1000),
        size=size,
        mime_type="video/mp4",
        video_codec="hevc",
        audio_codec="aac",
    )
    limit = replace(LIMIT, max_bytes=max_bytes, max_pixels=max_pixels, max_frame_rate=max_rate)
    plan = plan_for(asset, limit)
    assert not plan.is_as_is
    assert plan.width % 2 == plan.height % 2 == 0
    assert not max_pixels or plan.width * plan.height <= max(max_pixels, 4 * max(plan.width, plan.height))
    assert 0 < plan.frame_rate <= (max_rate or 60)
    assert plan.size <= max_bytes
    assert not fits(asset, limit)


# --- verdicts ---------------------------------------------------------------------------------


def test_each_network_has_its_verdict(brand: Brand, creator: User) -> None:
    sandbox = make_account(brand)
    bluesky = make_account(brand, platform="bluesky", handle="b.example.com")
    asset = make_video(brand, creator)
    MediaAsset.objects.update(duration_ms=152_400, size=60_000_000)
    asset.refresh_from_db()
    assert "too long for Sandbox by 13 seconds (140 are allowed)" in said(check(sandbox, asset))
    assert not check(sandbox, asset).is_ready
    assert check(bluesky, asset).is_ready


def test_a_video_that_is_still_being_read_is_not_called_missing(brand: Brand, creator: User) -> None:
    account = make_account(brand, platform="instagram", handle="harbour")
    asset = uploaded(brand, creator, clip())
    told = said(check(account, asset))
    assert "still being looked at" in told
    assert "words alone" not in told
    assert not check(account, asset).is_ready


def test_progress_of_a_copy_is_told(brand: Brand, creator: User, sandbox_account: SocialAccount) -> None:
    asset = uploaded(brand, creator, clip(kind="webm", codec="libvpx", sound="libopus"))
    assert "still being looked at" in said(check(sandbox_account, asset))
    assert not check(sandbox_account, asset).is_ready
    (one,), _copies = videos.claim_work(now=NOW, most=1)
    videos.prepare_video(asset_id=asset.pk, fence=one.fence, clock=lambda: NOW)
    asset.refresh_from_db()
    Rendition.objects.update(progress=40)
    assert "64 × 36" in said(check(sandbox_account, asset))
    assert "40% done" in said(check(sandbox_account, asset))
    assert check(sandbox_account, asset).is_ready
    work()
    assert "is made ready" in said(check(sandbox_account, asset))


def test_images_and_videos_are_mixed_only_where_a_network_takes_that(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    video, image = make_video(brand, creator), make_image(brand, creator)
    assert "either images or a video" in said(check(sandbox_account, video, image))
    second = make_video(brand, creator, seconds=2)
    assert "takes one video in a post; there are 2" in said(check(sandbox_account, video, second))


def test_a_network_without_videos_says_so(brand: Brand, creator: User) -> None:
    old = make_account(
        brand,
        platform="mastodon",
        handle="old",
        options={"host": "https://m.example", "mime_types": ["image/png", "image/jpeg"]},
    )
    assert "Mastodon takes no videos" in said(check(old, make_video(brand, creator)))


# --- scheduling and sending -------------------------------------------------------------------


def test_what_could_not_be_read_is_refused_with_its_reason(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    asset = uploaded(brand, creator, clip(with_pictures=False))
    work()
    post = make_post(brand, creator, "x", sandbox_account, media=(MediaUse(asset.pk),))
    with pytest.raises(NotReady) as refusal:
        schedule_post(post=post, at=LATER, actor=creator, now=NOW)
    assert "no moving pictures" in said(refusal.value.checks[0])
    assert not Delivery.objects.exists()


def test_a_post_is_frozen_with_a_copy_that_is_still_made_and_waits_for_it(
    brand: Brand, creator: User, owner: User, sandbox_account: SocialAccount
) -> None:
    asset = uploaded(brand, creator, clip(kind="webm", codec="libvpx", sound="libopus"))
    (one,), _copies = videos.claim_work(now=NOW, most=1)
    videos.prepare_video(asset_id=asset.pk, fence=one.fence, clock=lambda: NOW)
    post = make_post(brand, creator, "x", sandbox_account, media=(MediaUse(asset.pk, "A clip"),))
    schedule_post(post=post, at=LATER, actor=owner, now=NOW)
    delivery = Delivery.objects.get()
    assert objection(delivery, NOW) == StopReason.MEDIA_PREPARING
    (finding,) = find_problems(brand, [delivery], NOW)
    assert (finding.code, finding.detail) == (Code.MEDIA_PREPARING, {"percent": 0})
    work()
    assert objection(delivery, NOW) == ""
    assert find_problems(brand, [delivery], NOW) == []
    (item,) = thaw(delivery.payload).parts[0].media
    assert (item.mime_type, item.width, item.height, item.alt_text) == ("video/mp4", 64, 36, "A clip")
    assert item.duration_s == asset.duration_s or item.duration_s > 0
    with item.open() as stream, av.open(stream) as made:
        assert made.streams.video[0].codec_context.name == "h264"
    Rendition.objects.update(state=MediaState.BROKEN, problem=MediaProblem.TOO_LARGE)
    assert objection(delivery, NOW) == StopReason.MEDIA_FAILED
    (finding,) = find_problems(brand, [delivery], NOW)
    assert finding.code == Code.MEDIA_FAILED


def test_a_lost_file_is_told_as_before(brand: Brand, creator: User, sandbox_account: SocialAccount) -> None:
    asset = make_video(brand, creator)
    post = make_post(brand, creator, "x", sandbox_account, media=(MediaUse(asset.pk),))
    schedule_post(post=post, at=LATER, actor=creator, now=NOW)
    default_storage.delete(asset.storage_key)
    assert objection(Delivery.objects.get(), NOW) == StopReason.MEDIA_MISSING


# --- thumbnails -------------------------------------------------------------------------------


def test_a_thumbnail_is_chosen_or_taken_at_a_moment(brand: Brand, creator: User) -> None:
    asset = make_video(brand, creator, seconds=2)
    key, ms = asset.frames[3]
    assert videos.choose_thumbnail(asset=asset, at_ms=ms).thumbnail_key == key
    taken = videos.choose_thumbnail(asset=asset, at_ms=1234)
    assert taken.thumbnail_key not in (key, "")
    assert default_storage.exists(taken.thumbnail_key)
    assert [ms for _key, ms in taken.frames if ms == 1234] == [1234]
    for wrong in (-1, asset.duration_ms + 1):
        with pytest.raises(videos.NoSuchFrame):
            videos.choose_thumbnail(asset=asset, at_ms=wrong)


def test_the_chosen_picture_goes_along_where_a_network_takes_one(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    asset = make_video(brand, creator, seconds=2)
    asset = videos.choose_thumbnail(asset=asset, at_ms=asset.frames[3][1])
    mastodon = make_account(brand, platform="mastodon", handle="me@example.social")
    parts, assets = (Part("x", (MediaUse(asset.pk),)),), {asset.pk: asset}
    frozen = frozen_payload(account=mastodon, parts=parts, assets=assets)
    (item,) = thaw(frozen).parts[0].media
    assert item.cover is not None
    with item.cover() as cover, default_storage.open(asset.frames[3][0], "rb") as chosen:
        assert cover.read() == chosen.read()
    frozen = frozen_payload(account=sandbox_account, parts=parts, assets=assets)
    (item,) = thaw(frozen).parts[0].media
    assert item.cover is None


# --- phones -----------------------------------------------------------------------------------


def brightness(content: bytes) -> tuple[int, int, int, int]:
    """Of the middle of the top, the bottom, the left and the right edge."""
    picture = Image.open(io.BytesIO(content)).convert("L")
    width, height = picture.size
    places = ((width // 2, 4), (width // 2, height - 5), (4, height // 4), (width - 5, height // 4))
    found = [int(picture.getpixel(place)) for place in places]  # type: ignore[arg-type]
    return found[0], found[1], found[2], found[3]


def first_picture(content: bytes) -> bytes:
    """As a player shows it."""
    out = io.BytesIO()
    with av.open(io.BytesIO(content), "r") as source:
        frame = next(source.decode(video=0))
        frame.to_image().rotate(frame.rotation, expand=True).save(out, "PNG")
    return out.getvalue()


def test_a_clip_of_a_phone_held_upright_stands_upright(brand: Brand, creator: User) -> None:
    """White lies at the left of its pictures, so it is at the top when they are turned clockwise."""
    asset = uploaded(brand, creator, turned(clip(size=(128, 72), has_halves=True)))
    work()
    asset.refresh_from_db()
    assert (asset.state, asset.width, asset.height) == (MediaState.READY, 72, 128)
    small = replace(LIMIT, max_pixels=36 * 64)
    copy = videos.video_for(asset=asset, limit=small)
    work()
    copy.refresh_from_db()
    assert (copy.width, copy.height) == (36, 64)
    part = videos.trim_video(asset=asset, from_ms=0, until_ms=500, actor=creator, now=NOW)
    work()
    part.refresh_from_db()
    assert (part.width, part.height) == (72, 128)
    seen = [stored(asset.thumbnail_key), stored(part.thumbnail_key)]
    seen += [first_picture(stored(key)) for key in (asset.storage_key, copy.storage_key, part.storage_key)]
    for picture in seen:
        top, bottom, left, right = brightness(picture)
        assert min(top, left, right) > 200
        assert bottom < 60


# --- a stretch of a video ---------------------------------------------------------------------


def stored(key: str) -> bytes:
    with default_storage.open(key, "rb") as file:
        return file.read()


def grey_at(asset: MediaAsset, number: int) -> int:
    with av.open(io.BytesIO(stored(asset.storage_key)), "r") as source:
        frames = list(source.decode(video=0))
    return int(frames[number].to_image().convert("L").getpixel((10, 10)))


def test_a_stretch_is_cut_out_to_the_picture_and_the_original_stays(brand: Brand, creator: User) -> None:
    asset = make_video(brand, creator, seconds=4)
    whole = stored(asset.storage_key)
    part = videos.trim_video(asset=asset, from_ms=1000, until_ms=2500, actor=creator, now=NOW)
    assert part.state == MediaState.PROCESSING
    work()
    part.refresh_from_db()
    asset.refresh_from_db()
    assert part.state == MediaState.READY
    assert part.derived_from == asset
    assert abs(part.duration_ms - 1500) <= 150
    assert part.audio_codec == "aac"
    assert part.thumbnail_key
    # Every frame is 9 lighter than the one before: the first one is the eleventh of the original.
    assert abs(grey_at(part, 0) - grey_at(asset, 10)) <= 4
    assert abs(grey_at(part, 14) - grey_at(asset, 24)) <= 4
    assert stored(asset.storage_key) == whole


def test_a_stretch_has_verdicts_and_copies_of_its_own(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    most = sandbox_account.info.videos
    assert most is not None
    asset = make_video(brand, creator, seconds=3)
    MediaAsset.objects.filter(pk=asset.pk).update(duration_ms=round((most.max_seconds + 5) * 1000))
    asset.refresh_from_db()
    ((_info, lines),) = verdicts_of(asset)
    assert any(is_blocking for _line, is_blocking in lines)
    part = videos.trim_video(asset=asset, from_ms=0, until_ms=2000, actor=creator, now=NOW)
    work()
    part.refresh_from_db()
    ((_info, lines),) = verdicts_of(part)
    assert not any(is_blocking for _line, is_blocking in lines)


@pytest.mark.parametrize(
    ("first", "last"), [(-1, 1000), (0, 2000), (1000, 1000), (1500, 1000), (0, 499), (0, 2001), (5000, 6000)]
)
def test_no_stretch_that_is_not_within_or_too_short(
    brand: Brand, creator: User, first: int, last: int
) -> None:
    asset = make_video(brand, creator, seconds=2)
    MediaAsset.objects.filter(pk=asset.pk).update(duration_ms=2000)
    asset.refresh_from_db()
    with pytest.raises(videos.NoSuchStretch):
        videos.trim_video(asset=asset, from_ms=first, until_ms=last, actor=creator, now=NOW)
    assert MediaAsset.objects.count() == 1


def test_the_same_stretch_is_made_once_and_tried_again_when_it_failed(brand: Brand, creator: User) -> None:
    asset = make_video(brand, creator, seconds=2)

    def asked() -> MediaAsset:
        return videos.trim_video(asset=asset, from_ms=0, until_ms=1000, actor=creator, now=NOW)

    part = asked()
    assert asked() == part
    MediaAsset.objects.filter(pk=part.pk).update(state=MediaState.BROKEN, work_fence=3)
    assert asked().state == MediaState.PROCESSING
    work()
    part.refresh_from_db()
    assert part.state == MediaState.READY


def test_a_stretch_of_a_video_that_is_gone_says_so(brand: Brand, creator: User) -> None:
    asset = make_video(brand, creator, seconds=2)
    part = videos.trim_video(asset=asset, from_ms=0, until_ms=1000, actor=creator, now=NOW)
    asset.delete()
    work()
    part.refresh_from_db()
    assert (part.state, part.problem) == (MediaState.BROKEN, MediaProblem.NO_ORIGINAL)


def test_a_deleted_video_leaves_no_file(
    brand: Brand, creator: User, sandbox_account: SocialAccount, django_capture_on_commit_callbacks: Any
) -> None:
    asset = make_video(brand, creator, kind="webm", codec="libvpx", sound="libopus")
    assert Rendition.objects.exists()
    videos.choose_thumbnail(asset=asset, at_ms=500)
    with django_capture_on_commit_callbacks(execute=True):
        library.delete_assets(brand=brand, assets=[asset.pk], actor=creator, now=NOW)
    assert not files()
