"""YouTube's connector on canned answers: limits, the upload of a video in pieces, what becomes of
it, and the picture before it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
from typing import Any

import googleapiclient.discovery
import googleapiclient.http
import pytest
import requests
import responses

from connectors import youtube
from connectors.base import PostPart, PostPayload, RetrySafety, StepKind, StepResult, StepState
from connectors.errors import NeedsReconnect, OutcomeUnknown, RateLimited, Rejected, RejectReason, Temporary
from connectors.text import check_payload
from connectors.youtube import CHUNK_BYTES, YouTubeConnector
from connectors.youtube_info import INFO
from tests.connectors import youtube_stage
from tests.connectors.conftest import NOW, image
from tests.connectors.youtube_stage import (
    API,
    REPLY,
    SESSION,
    SIZE,
    UUID,
    VIDEO,
    Absent,
    assert_same,
    begin,
    body_of,
    faults,
    film,
    intent_of,
    listed,
    made,
    post,
    publish,
    refusal,
)

network = youtube_stage.network
account = youtube_stage.account
document = youtube_stage.document
google = youtube_stage.google


def check(client: YouTubeConnector, result: StepResult | None = None) -> StepResult | None:
    return client.check(client.plan(post())[1], intent_of(client), result)


# --- the second opinion -------------------------------------------------------------------------


def test_requests_are_held_against_the_official_description(document: dict[str, Any]) -> None:
    if not document:
        pytest.skip("NETWORK_SPECS has no google/youtube.v3.json: requests are not held against it")
    assert document["rootUrl"] == "https://youtube.googleapis.com/"


# --- limits -----------------------------------------------------------------------------------


def problems(sent: PostPayload) -> list[tuple[RejectReason, str]]:
    return [(problem.reason, problem.name) for problem in check_payload(sent, INFO)]


def test_a_description_counts_in_bytes_and_a_video_is_needed() -> None:
    assert problems(post(PostPart("あ" * 1666 + "xx", media=(film(),)))) == []
    assert problems(post(PostPart("あ" * 1667, media=(film(),)))) == [(RejectReason.TEXT_TOO_LONG, "")]
    assert problems(post(PostPart("words"))) == [(RejectReason.MEDIA_MISSING, "")]
    assert problems(post(PostPart("", media=(image(),)))) == [(RejectReason.NOT_SUPPORTED, "")]
    assert problems(post(PostPart("", media=(film(),)), PostPart("link", is_comment=True))) == []


def test_a_comment_may_be_longer_than_a_description() -> None:
    video = PostPart("", media=(film(),))
    assert problems(post(video, PostPart("あ" * 10_000, is_comment=True))) == []
    assert problems(post(video, PostPart("あ" * 10_001, is_comment=True))) == [
        (RejectReason.TEXT_TOO_LONG, "")
    ]
    assert problems(dataclasses.replace(REPLY, parts=(PostPart("a" * 10_001),))) == [
        (RejectReason.TEXT_TOO_LONG, "")
    ]


def test_a_title_and_whether_it_is_for_children_must_be_said() -> None:
    assert problems(post(title="")) == [(RejectReason.SETTING_MISSING, "title")]
    assert problems(post(title="t" * 100)) == []
    assert problems(post(title="t" * 101)) == [(RejectReason.SETTING_INVALID, "title")]
    assert problems(post(made_for_kids="")) == [(RejectReason.SETTING_MISSING, "made_for_kids")]
    assert problems(post(made_for_kids="perhaps")) == [(RejectReason.SETTING_INVALID, "made_for_kids")]
    assert problems(post(category="30")) == [(RejectReason.SETTING_INVALID, "category")]
    assert problems(post(privacy="friends")) == [(RejectReason.SETTING_INVALID, "privacy")]


def test_tags_are_counted_together_as_youtube_counts_them() -> None:
    many = ",".join(f"{'a' * 48}{n:02}" for n in range(9))  # 450 and 8 commas
    assert problems(post(tags=f"{many},{'b' * 41}")) == []
    assert problems(post(tags=f"{many},{'b' * 42}")) == [(RejectReason.SETTING_INVALID, "tags")]
    # A tag with a space is put in quotation marks; one that stands twice is one, and blanks are none.
    assert problems(post(tags=f"{many}, #{'b' * 19} {'b' * 19}")) == []
    assert problems(post(tags=f"{many}, {'b' * 20} {'b' * 19}")) == [(RejectReason.SETTING_INVALID, "tags")]
    assert problems(post(tags=f"{many},{many}、 ，{' ' * 400},\n{'b' * 41}")) == []


@pytest.mark.parametrize("sign", ["<", ">"])
def test_signs_that_youtube_does_not_take_are_told_before(sign: str) -> None:
    assert problems(post(title=f"a {sign} b")) == [(RejectReason.SETTING_INVALID, "title")]
    assert problems(post(tags=f"a,{sign}b")) == [(RejectReason.SETTING_INVALID, "tags")]
    video = PostPart(f"a {sign} b", media=(film(),))
    assert problems(post(video)) == [(RejectReason.INVALID, "")]
    assert problems(post(PostPart("", media=(film(),)), PostPart(f"a {sign} b", is_comment=True))) == []


# --- the upload -------------------------------------------------------------------------------


def test_a_session_is_begun_as_google_s_own_client_begins_it(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any, document: dict[str, Any]
) -> None:
    network.post(f"{API}/upload/youtube/v3/videos", headers={"Location": SESSION}, body="")
    sent = dataclasses.replace(
        post(tags=" tea, #roast,tea,、ほうじ茶 ,", made_for_kids="yes", synthetic=True, privacy="unlisted"),
        language="ja",
    )
    result = begin(account, sent)
    assert result.detail == {"session": SESSION}
    request = network.calls[0].request
    assert body_of(network.calls[0]) == {
        "snippet": {
            "title": "Roasting",
            "description": "How we roast",
            "tags": ["tea", "roast", "ほうじ茶"],
            "categoryId": "22",
            "defaultLanguage": "ja",
        },
        "status": {
            "privacyStatus": "unlisted",
            "selfDeclaredMadeForKids": True,
            "containsSyntheticMedia": True,
        },
    }
    assert faults(body_of(network.calls[0]), "Video", document) == []
    clients = googleapiclient.http
    if isinstance(google, Absent):
        return
    media = clients.MediaInMemoryUpload(b"v" * SIZE, mimetype="video/mp4", resumable=True)
    theirs = google.videos().insert(part="snippet,status", body=body_of(network.calls[0]), media_body=media)
    assert_same(request, theirs)
    sequence = clients.HttpMockSequence(
        [({"status": "200", "location": SESSION}, ""), ({"status": "200"}, json.dumps(made()))]
    )
    assert theirs.next_chunk(http=sequence)[1]["id"] == VIDEO
    for name in ("X-Upload-Content-Length", "X-Upload-Content-Type"):
        assert request.headers[name] == sequence.request_sequence[0][3][name]
    network.put(SESSION, json=made())
    assert publish(account).remote_id == VIDEO
    uri, method, _, headers = sequence.request_sequence[1]
    ours = network.calls[1].request
    assert (ours.url, ours.method) == (uri, method)
    assert (ours.headers["Content-Range"], ours.headers["Content-Length"]) == (
        headers["Content-Range"],
        headers["Content-Length"],
    )


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/relative",
        "http://www.googleapis.com/x",
        "https://evil.example/x",
        "javascript:x",
        "https://www.googleapis.com.evil.example/x",
        "https://evilgoogleapis.com/",
    ],
)
def test_our_token_goes_nowhere_but_to_google(
    network: responses.RequestsMock, account: YouTubeConnector, address: str
) -> None:
    network.post(f"{API}/upload/youtube/v3/videos", headers={"Location": address}, body="")
    with pytest.raises(Temporary):
        begin(account, post())


def test_too_many_tags_are_refused_before_anything_is_sent(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.post(f"{API}/upload/youtube/v3/videos", headers={"Location": SESSION}, body="")
    begin(account, post(tags=",".join(["a" * 48 + f"{n:02}" for n in range(9)] + ["b c" + "d" * 36])))
    with pytest.raises(Rejected) as refused:
        begin(account, post(tags=",".join(["a" * 48 + f"{n:02}" for n in range(9)] + ["b c" + "d" * 37])))
    assert refused.value.reason is RejectReason.SETTING_INVALID
    assert len(network.calls) == 1


def ranges(network: responses.RequestsMock) -> list[str]:
    return [str(c.request.headers["Content-Range"]) for c in network.calls if c.request.method == "PUT"]


BIG = 2 * CHUNK_BYTES + 7


def test_a_large_file_goes_in_pieces_after_what_the_session_has(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    sent = post(PostPart("", media=(film(BIG),)))
    network.put(SESSION, status=308)
    network.put(SESSION, status=308, headers={"Range": f"bytes=0-{CHUNK_BYTES - 1}"})
    # It kept less than it was sent: what it says counts.
    network.put(SESSION, status=308, headers={"Range": f"bytes=0-{CHUNK_BYTES + 262143}"})
    network.put(SESSION, status=308, headers={"Range": f"bytes=0-{2 * CHUNK_BYTES + 262143 - 262144}"})
    network.put(SESSION, status=201, json=made())
    result = publish(account, sent)
    assert (result.state, result.remote_id) == (StepState.PROCESSING, VIDEO)
    assert ranges(network) == [
        f"bytes */{BIG}",
        f"bytes 0-{CHUNK_BYTES - 1}/{BIG}",
        f"bytes {CHUNK_BYTES}-{2 * CHUNK_BYTES - 1}/{BIG}",
        f"bytes {CHUNK_BYTES + 262144}-{BIG - 1}/{BIG}",
        f"bytes {2 * CHUNK_BYTES}-{BIG - 1}/{BIG}",
    ]


def test_a_small_file_that_was_sent_in_part_goes_on_where_it_stopped(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.put(SESSION, status=400, body="Invalid range")
    network.put(SESSION, status=308, headers={"Range": "bytes=0-59"})
    network.put(SESSION, json=made())
    assert publish(account).remote_id == VIDEO
    assert ranges(network) == ["bytes 0-99/100", "bytes */100", "bytes 60-99/100"]
    network.replace("PUT", SESSION, status=400, json=refusal("invalidVideoMetadata", 400))
    with pytest.raises(Rejected):
        publish(account)


def test_a_session_that_has_its_video_is_sent_nothing(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.put(SESSION, json=made())
    assert publish(account, post(PostPart("", media=(film(BIG),)))).remote_id == VIDEO
    assert ranges(network) == [f"bytes */{BIG}"]


def test_a_session_that_keeps_nothing_is_not_asked_for_ever(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.put(SESSION, status=308)
    with pytest.raises(Temporary):
        publish(account)
    network.replace("PUT", SESSION, status=308, headers={"Range": f"bytes=0-{SIZE - 1}"})
    with pytest.raises(OutcomeUnknown):
        publish(account)


@pytest.mark.parametrize(
    "failure",
    [
        {"status": 503},
        {"body": requests.ReadTimeout()},
        {"body": requests.ConnectionError(ConnectionResetError())},
    ],
    ids=str,
)
def test_only_the_last_piece_leaves_a_doubt(
    network: responses.RequestsMock, account: YouTubeConnector, failure: dict[str, Any]
) -> None:
    sent = post(PostPart("", media=(film(BIG),)))
    network.put(SESSION, **failure)
    with pytest.raises(Temporary):  # nothing was sent, only asked
        publish(account, sent)
    network.reset()
    network.put(SESSION, status=308)
    network.put(SESSION, **failure)
    with pytest.raises(Temporary):
        publish(account, sent)
    network.reset()
    network.put(SESSION, status=308, headers={"Range": f"bytes=0-{2 * CHUNK_BYTES - 1}"})
    network.put(SESSION, **failure)
    with pytest.raises(OutcomeUnknown):
        publish(account, sent)


@pytest.mark.parametrize("status", [404, 410])
def test_a_session_that_is_gone_is_begun_anew_only_where_nothing_can_have_been_made(
    network: responses.RequestsMock, account: YouTubeConnector, status: int
) -> None:
    network.put(SESSION, status=status, body=f"no {SESSION} AbCdEf0123456789")
    with pytest.raises(Temporary) as gone:
        publish(account)
    assert gone.value.starts_over
    assert "AbCdEf0123456789" not in gone.value.detail
    with pytest.raises(OutcomeUnknown):  # after a lost answer it tells nothing
        check(account)


def test_after_a_lost_answer_the_session_is_asked(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    assert account.safety_of(intent_of(account), NOW) is RetrySafety.TWO_PHASE
    network.put(SESSION, status=308, headers={"Range": "bytes=0-49"})
    assert check(account) is None
    assert ranges(network) == [f"bytes */{SIZE}"]
    assert network.calls[0].request.headers["Content-Length"] == "0"
    network.replace("PUT", SESSION, json=made())
    result = check(account)
    assert result is not None
    assert result.remote_id == VIDEO
    for body in ("", "{}", "[]", "<html>", '{"id": null}', '{"id": true}'):
        network.replace("PUT", SESSION, body=body)
        with pytest.raises(OutcomeUnknown):  # there is a video: it says so, and not which
            check(account)
    network.replace("PUT", SESSION, status=500)
    with pytest.raises(Temporary):
        check(account)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "badRequest"),
        (403, "forbidden"),
        (403, "uploadLimitExceeded"),
        (404, "videoNotFound"),
        (410, ""),
        (416, ""),
        (422, "invalidTitle"),
    ],
)
def test_a_question_that_is_refused_says_nothing_of_the_video(
    network: responses.RequestsMock, account: YouTubeConnector, status: int, reason: str
) -> None:
    network.put(SESSION, status=status, json=refusal(reason, status))
    with pytest.raises(OutcomeUnknown) as unknown:
        check(account)
    assert "AbCdEf0123456789" not in unknown.value.detail
    network.get(f"{API}/youtube/v3/videos", status=status, json=refusal(reason, status))
    with pytest.raises(OutcomeUnknown):
        check(account, StepResult(state=StepState.PROCESSING, remote_id=VIDEO))


def test_a_question_that_must_wait_waits(network: responses.RequestsMock, account: YouTubeConnector) -> None:
    network.put(SESSION, status=403, json=refusal("quotaExceeded"))
    with pytest.raises(RateLimited):
        check(account)
    network.replace("PUT", SESSION, status=401, json=refusal("authError", 401))
    with pytest.raises(NeedsReconnect):
        check(account)


def test_a_video_that_is_not_listed_may_be_there(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.get(f"{API}/youtube/v3/videos", json=listed())
    with pytest.raises(OutcomeUnknown):
        check(account, StepResult(state=StepState.PROCESSING, remote_id=VIDEO))


def test_a_session_that_has_all_of_the_file_is_not_said_to_have_made_nothing(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    """Else the file would be sent again, and to another session if this one is gone by then."""
    network.put(SESSION, status=308, headers={"Range": f"bytes=0-{SIZE - 1}"})
    with pytest.raises(OutcomeUnknown):
        check(account)


@pytest.mark.parametrize("first", [400, 416, 308])
def test_a_session_that_goes_away_after_it_was_sent_everything_leaves_a_doubt(
    network: responses.RequestsMock, account: YouTubeConnector, first: int
) -> None:
    network.put(SESSION, status=first, headers={"Range": "bytes=0-59"} if first == 308 else {})
    network.put(SESSION, status=404)
    with pytest.raises(OutcomeUnknown):
        publish(account)


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"id": null}'])
def test_a_session_that_says_that_it_is_done_is_never_begun_anew(
    network: responses.RequestsMock, account: YouTubeConnector, body: str
) -> None:
    network.put(SESSION, body=body)
    with pytest.raises(OutcomeUnknown):  # a question, of a large file
        publish(account, post(PostPart("", media=(film(BIG),))))


def test_a_file_that_became_shorter_is_not_sent(account: YouTubeConnector) -> None:
    short = film(open=lambda: io.BytesIO(b"v"))
    with pytest.raises(Rejected) as refused:
        publish(account, post(PostPart("", media=(short,))))
    assert refused.value.reason is RejectReason.MEDIA_BROKEN


def test_a_video_is_waited_for_until_youtube_has_worked_on_it_or_for_ten_minutes(
    network: responses.RequestsMock, account: YouTubeConnector, monkeypatch: pytest.MonkeyPatch, google: Any
) -> None:
    now = dt.datetime.now(dt.UTC)
    monkeypatch.setattr(youtube, "_now", lambda: now)
    network.put(SESSION, json=made())
    sent = publish(account)
    assert sent.permalink == f"https://www.youtube.com/watch?v={VIDEO}"
    network.get(f"{API}/youtube/v3/videos", json=listed(made()))
    assert check(account, sent) == sent
    assert_same(network.calls[-1].request, google.videos().list(part="status", id=VIDEO))
    network.replace("GET", f"{API}/youtube/v3/videos", json=listed(made("processed")))
    done = StepResult(remote_id=VIDEO, permalink=f"https://www.youtube.com/watch?v={VIDEO}")
    assert check(account, sent) == done
    network.replace("GET", f"{API}/youtube/v3/videos", json=listed(made()))
    now += dt.timedelta(minutes=10)
    assert check(account, sent) == done


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"uploadStatus": "failed", "failureReason": "codec"}, RejectReason.MEDIA_TYPE),
        ({"uploadStatus": "failed", "failureReason": "invalidFile"}, RejectReason.MEDIA_BROKEN),
        ({"uploadStatus": "failed"}, RejectReason.MEDIA_BROKEN),
        ({"uploadStatus": "rejected", "rejectionReason": "length"}, RejectReason.VIDEO_TOO_LONG),
        ({"uploadStatus": "rejected", "rejectionReason": "duplicate"}, RejectReason.FORBIDDEN),
        ({"uploadStatus": "rejected", "rejectionReason": "copyright"}, RejectReason.FORBIDDEN),
        ({"uploadStatus": "deleted"}, RejectReason.FORBIDDEN),
    ],
    ids=str,
)
def test_a_video_that_youtube_did_not_keep_says_why(
    network: responses.RequestsMock, account: YouTubeConnector, status: Any, reason: RejectReason
) -> None:
    network.get(f"{API}/youtube/v3/videos", json=listed({"id": VIDEO, "status": status}))
    with pytest.raises(Rejected) as refused:
        check(account, StepResult(state=StepState.PROCESSING, remote_id=VIDEO))
    assert refused.value.reason is reason


# --- the picture before it ----------------------------------------------------------------------


def with_cover(cover: Any) -> PostPayload:
    return post(PostPart("", media=(film(cover=cover),)))


def set_thumbnail(client: YouTubeConnector, sent: PostPayload) -> StepResult:
    step = client.plan(sent)[2]
    assert (step.kind, step.is_repeatable) == (StepKind.MEDIA, True)
    intent = client.prepare_step(
        step, sent, {"part0.publish": StepResult(remote_id=VIDEO)}, key=UUID, now=NOW
    )
    return client.send_step(step, sent, intent)


def test_the_picture_is_set_after_the_video(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any
) -> None:
    network.post(f"{API}/upload/youtube/v3/thumbnails/set", json={"kind": "youtube#thumbnailSetResponse"})
    assert set_thumbnail(account, with_cover(lambda: io.BytesIO(b"jpeg"))).remote_id == VIDEO
    request = network.calls[0].request
    assert request.body == b"jpeg"
    media = googleapiclient.http.MediaInMemoryUpload(b"jpeg", mimetype="image/jpeg")
    theirs = google.thumbnails().set(videoId=VIDEO, media_body=media)
    assert_same(request, theirs)
    assert request.headers["Content-Type"] == "image/jpeg"


def missing() -> Any:
    raise FileNotFoundError


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 403, "json": refusal("forbidden")},
        {"status": 403, "json": refusal("quotaExceeded")},
        {"status": 401, "json": refusal("authError", 401)},
        {"status": 500},
        {"body": requests.ReadTimeout()},
    ],
    ids=str,
)
def test_whatever_becomes_of_the_picture_the_video_stays_published(
    network: responses.RequestsMock, account: YouTubeConnector, answer: dict[str, Any]
) -> None:
    network.post(f"{API}/upload/youtube/v3/thumbnails/set", **answer)
    result = set_thumbnail(account, with_cover(lambda: io.BytesIO(b"jpeg")))
    assert result.state is StepState.DONE
    assert result.detail["thumbnail"]
    assert set_thumbnail(account, with_cover(missing)).detail["thumbnail"]


def test_without_a_picture_there_is_no_step_for_it(account: YouTubeConnector) -> None:
    assert [step.key for step in account.plan(post())] == ["part0.container", "part0.publish"]
