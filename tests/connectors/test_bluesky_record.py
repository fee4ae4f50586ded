"""The records that we write at Bluesky: facets by byte, keys, replies, embeds."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import (
    LinkCard,
    MediaItem,
    PostPart,
    PostPayload,
    ReplyTarget,
    Step,
    StepKind,
    StepResult,
)
from connectors.bluesky import BlueskyConnector
from connectors.bluesky_record import (
    TooManyHidden,
    gate_record,
    like_key,
    like_record,
    make_facets,
    make_tid,
    message_input,
    needs_lookup,
    tid_microseconds,
)
from tests.connectors.lexicons import Lexicons

NOW = dt.datetime(2026, 11, 22, 9, 0, 0, 123456, tzinfo=dt.UTC)
KEY = "0192f0c1-2345-7abc-8def-0123456789ab"
BOB = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
CID = "bafyreigkqpxmhkpgp3zwnxxgvjqvmhblsbmwbeouhr4mkkmvoyhebf3dxa"
BLOB = {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/png", "size": 70}


def publish(payload: PostPayload, part: int = 0, done: dict[str, StepResult] | None = None) -> dict[str, Any]:
    """The intent of a part's publication, as the outbox keeps it: through JSON and back."""
    connector = BlueskyConnector(tokens=None, options={})  # type: ignore[arg-type]
    step = Step(key=f"part{part}.publish", kind=StepKind.PUBLISH, part=part)
    return json.loads(json.dumps(connector.prepare_step(step, payload, done or {}, key=KEY, now=NOW)))


def sent(rkey: str, cid: str = CID) -> StepResult:
    uri = f"at://{BOB}/app.bsky.feed.post/{rkey}"
    return StepResult(remote_id=uri, detail={"uri": uri, "cid": cid})


def image(alt: str = "", width: int = 640, height: int = 480) -> MediaItem:
    return MediaItem("m", "image/png", 70, width, height, alt, lambda: io.BytesIO(b"x"))


def covered(text: str, facet: dict[str, Any]) -> str:
    index = facet["index"]
    return text.encode()[index["byteStart"] : index["byteEnd"]].decode()


# --- facets -----------------------------------------------------------------------------------


def test_offsets_count_bytes_of_utf8_not_characters() -> None:
    text = "夏祭り🎆👨‍👩‍👧‍👦 @bob.test さん #夏祭り https://example.com/夏?a=1 です"
    facets = make_facets(text, {"bob.test": BOB})
    assert [covered(text, facet) for facet in facets] == ["@bob.test", "#夏祭り", "https://example.com/"]
    assert [facet["features"][0].get("uri") for facet in facets][-1] == "https://example.com/"
    assert facets[0]["features"] == [{"$type": "app.bsky.richtext.facet#mention", "did": BOB}]
    assert facets[1]["features"] == [{"$type": "app.bsky.richtext.facet#tag", "tag": "夏祭り"}]


def test_a_mention_of_nobody_stays_text() -> None:
    assert make_facets("hello @nobody.test", {}) == []


def test_a_handle_is_found_in_any_case() -> None:
    assert len(make_facets("hi @Bob.Test!", {"bob.test": BOB})) == 1


def test_a_link_without_scheme_gets_https() -> None:
    [facet] = make_facets("see example.com/a.", {})
    assert facet["features"][0]["uri"] == "https://example.com/a"
    assert covered("see example.com/a.", facet) == "example.com/a"


def test_a_tag_longer_than_the_lexicon_allows_stays_text() -> None:
    assert make_facets("#" + "a" * 65, {}) == []
    assert len(make_facets("#" + "a" * 64, {})) == 1


def test_half_a_surrogate_pair_does_not_shift_what_follows() -> None:
    record = publish(PostPayload(parts=(PostPart("\ud83d #tag"),)))["record"]
    record["text"].encode()
    assert covered(record["text"], record["facets"][0]) == "#tag"


PIECES = st.sampled_from(
    [
        *("@bob.test", "#tag", "＃夏", "https://example.com/a", "example.jp", "👩‍👩‍👧", "か\u3099", "é"),
        *("\n", " ", "(", ")", "。", "@", "#"),
    ]
)


@given(st.lists(PIECES | st.text(max_size=6), max_size=30).map("".join))
def test_facets_are_ordered_apart_and_on_character_borders(text: str) -> None:
    record = publish(PostPayload(parts=(PostPart(text),)), done=_looked_up({"bob.test": BOB}))["record"]
    reached = 0
    for facet in record.get("facets", []):
        index = facet["index"]
        assert reached <= index["byteStart"] < index["byteEnd"] <= len(record["text"].encode())
        covered(record["text"], facet)  # decodes, so both ends are borders of characters
        reached = index["byteEnd"]


def _looked_up(dids: dict[str, str], card: dict[str, Any] | None = None) -> dict[str, StepResult]:
    return {"part0.container": StepResult(detail={"dids": dids, "card": card})}


# --- record keys ------------------------------------------------------------------------------


INSTANTS = st.datetimes(
    min_value=dt.datetime(2022, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=dt.datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)


@given(key=st.uuids().map(str), now=INSTANTS)
def test_a_key_is_a_valid_tid_of_its_second_and_always_the_same(key: str, now: dt.datetime) -> None:
    tid = make_tid(key=key, now=now)
    assert TID.fullmatch(tid)
    assert tid_microseconds(tid) // 1_000_000 == int(now.timestamp())
    assert make_tid(key=key, now=now) == tid


@given(keys=st.lists(st.uuids().map(str), min_size=2, max_size=5), now=INSTANTS)
def test_the_parts_of_a_thread_rise_even_when_the_clock_stands_still(
    keys: list[str], now: dt.datetime
) -> None:
    tids: list[str] = []
    for key in keys:
        tids.append(make_tid(key=key, now=now, after=tid_microseconds(tids[-1]) if tids else 0))
    assert tids == sorted(set(tids))


def test_many_posts_prepared_at_one_instant_have_different_keys() -> None:
    assert len({make_tid(key=f"delivery-{n}", now=NOW) for n in range(5000)}) == 5000


def test_a_later_key_sorts_later_across_the_digits() -> None:
    tids = [make_tid(key=KEY, now=NOW + dt.timedelta(seconds=n)) for n in (0, 1, 59, 3600, 10**7)]
    assert tids == sorted(tids)


# --- records ----------------------------------------------------------------------------------


def test_the_intent_is_the_same_however_often_it_is_prepared() -> None:
    payload = PostPayload(parts=(PostPart("hello"),), language="en")
    assert publish(payload) == publish(payload)
    assert publish(payload)["record"] == {
        "$type": "app.bsky.feed.post",
        "text": "hello",
        "createdAt": "2026-11-22T09:00:00.123Z",
        "langs": ["en"],
    }


def test_an_unusable_language_is_left_out() -> None:
    for language in ("", "not a language", "x" * 40):
        assert "langs" not in publish(PostPayload(parts=(PostPart("hello"),), language=language))["record"]


def test_a_thread_points_at_its_root_and_at_the_part_before() -> None:
    payload = PostPayload(parts=(PostPart("one"), PostPart("two"), PostPart("three")))
    first = sent(make_tid(key="a", now=NOW))
    second = sent(make_tid(key="b", now=NOW + dt.timedelta(seconds=5)))
    intent = publish(payload, 2, {"part0.publish": first, "part1.publish": second})
    assert intent["record"]["reply"] == {"root": first.detail, "parent": second.detail}
    # Our clock went back five seconds between the parts; the keys still rise.
    assert intent["rkey"] > second.remote_id.rpartition("/")[2]


def test_images_carry_alt_text_and_shape() -> None:
    payload = PostPayload(parts=(PostPart("", media=(image("花火"), image(width=0))),))
    done = {f"part0.media{m}": StepResult(detail={"blob": BLOB}) for m in (0, 1)}
    assert publish(payload, done=done)["record"]["embed"] == {
        "$type": "app.bsky.embed.images",
        "images": [
            {"image": BLOB, "alt": "花火", "aspectRatio": {"width": 640, "height": 480}},
            {"image": BLOB, "alt": ""},
        ],
    }


def test_the_authors_card_needs_no_look_at_the_page() -> None:
    part = PostPart("read this", link_card=LinkCard("https://example.com/", "Title", "Words"))
    assert not needs_lookup(part)
    assert publish(PostPayload(parts=(part,)))["record"]["embed"]["external"] == {
        "uri": "https://example.com/",
        "title": "Title",
        "description": "Words",
    }


def test_images_win_over_a_card() -> None:
    part = PostPart("https://example.com/", media=(image(),), link_card=LinkCard("https://example.com/", "T"))
    assert not needs_lookup(part)


def test_the_plan_looks_up_only_what_has_to_be_looked_up() -> None:
    connector = BlueskyConnector(tokens=None, options={})  # type: ignore[arg-type]
    payload = PostPayload(
        parts=(
            PostPart("plain"),
            PostPart("hi @bob.test", media=(image(), image())),
            PostPart("https://example.com/"),
            PostPart("hi @bob"),
        )
    )
    assert [step.key for step in connector.plan(payload)] == [
        "part0.publish",
        "part1.media0",
        "part1.media1",
        "part1.container",
        "part1.publish",
        "part2.container",
        "part2.publish",
        "part3.publish",
    ]


# --- against the official lexicon -------------------------------------------------------------


# --- answers, likes, gates, messages ------------------------------------------------------------

COMMENT = f"at://{BOB}/app.bsky.feed.post/3l6oveex3ii2l"
ROOT = f"at://{BOB}/app.bsky.feed.post/3l6oveex3aaaa"
ANSWER = PostPayload(
    parts=(PostPart("Thank you"),),
    reply_to=ReplyTarget(COMMENT, ROOT, {"uri": COMMENT, "cid": CID, "root": {"uri": ROOT, "cid": CID}}),
)


def test_an_answer_names_what_it_answers_and_the_top_of_the_thread() -> None:
    reply = publish(ANSWER)["record"]["reply"]
    assert reply == {"root": {"uri": ROOT, "cid": CID}, "parent": {"uri": COMMENT, "cid": CID}}


def test_an_answer_to_a_first_post_has_it_at_both_ends() -> None:
    target = ReplyTarget(ROOT, "", {"uri": ROOT, "cid": CID})
    reply = publish(PostPayload(parts=(PostPart("Hi"),), reply_to=target))["record"]["reply"]
    assert reply["root"] == reply["parent"] == {"uri": ROOT, "cid": CID}


@given(st.text(alphabet="234567abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=20))
def test_a_like_has_one_key_whatever_the_key_of_what_is_liked(rkey: str) -> None:
    uri = f"at://{BOB}/app.bsky.feed.post/{rkey}"
    assert TID.fullmatch(like_key(uri))
    assert like_key(uri) == like_key(uri)
    assert like_key(uri) != like_key(f"{uri}x")


def hidden(existing: dict[str, Any] | None, *, is_hidden: bool = True) -> dict[str, Any] | None:
    return gate_record(
        existing, root=ROOT, reply=COMMENT, is_hidden=is_hidden, created_at="2026-11-22T09:00:00.000Z"
    )


def test_hiding_makes_a_gate_through_which_everybody_still_may_reply() -> None:
    gate = hidden(None)
    assert gate is not None
    assert (gate["post"], gate["hiddenReplies"]) == (ROOT, [COMMENT])
    assert "allow" not in gate, "an empty list would let nobody reply"


@pytest.mark.parametrize("allow", [[], [{"$type": "app.bsky.feed.threadgate#followingRule"}]])
def test_who_may_reply_stays_as_it_was(allow: list[dict[str, str]]) -> None:
    existing = {
        "$type": "app.bsky.feed.threadgate",
        "post": ROOT,
        "allow": allow,
        "createdAt": "2026-01-01T00:00:00Z",
        "hiddenReplies": ["at://other"],
        "somethingNew": 1,
    }
    assert hidden(existing) == existing | {"hiddenReplies": ["at://other", COMMENT]}
    assert hidden(hidden(existing), is_hidden=False) == existing
    assert hidden(hidden(existing)) is None
    assert hidden(existing, is_hidden=False) is None


def test_no_more_replies_are_hidden_than_the_network_takes() -> None:
    full = {"hiddenReplies": [f"at://{n}" for n in range(300)]}
    with pytest.raises(TooManyHidden):
        hidden(full)


@pytest.mark.parametrize(
    ("lexicon", "record"),
    [
        ("app.bsky.feed.like", like_record({"uri": COMMENT, "cid": CID}, now=NOW)),
        ("app.bsky.feed.threadgate", hidden(None)),
    ],
)
def test_likes_and_gates_keep_to_the_official_lexicon(
    lexicons: Lexicons, lexicon: str, record: dict[str, Any]
) -> None:
    assert lexicons.problems(lexicon, record) == []


@pytest.mark.parametrize("words", ["Hi", "日" * 1000, "see https://example.com/a #tag @bob.test \ud800"])
def test_messages_keep_to_the_official_lexicon(lexicons: Lexicons, words: str) -> None:
    sent = {"convoId": "3k", "message": message_input(words)}
    assert lexicons.problems_of_call("chat.bsky.convo.sendMessage", sent=sent) == []


FILM_BLOB = BLOB | {"mimeType": "video/mp4"}
FILM = PostPayload(
    parts=(
        PostPart(
            "A film",
            media=(MediaItem("v", "video/mp4", 70, 1080, 1920, "Waves", lambda: io.BytesIO(b"x"), 3.0),),
        ),
    )
)


def test_a_video_carries_its_alt_text_and_shape() -> None:
    done = {"part0.media0": StepResult(detail={"blob": FILM_BLOB})}
    assert publish(FILM, done=done)["record"]["embed"] == {
        "$type": "app.bsky.embed.video",
        "video": FILM_BLOB,
        "alt": "Waves",
        "aspectRatio": {"width": 1080, "height": 1920},
    }


def _samples() -> list[dict[str, Any]]:
    thread = PostPayload(parts=(PostPart("a"), PostPart("b")), language="pt-BR")
    images = PostPayload(parts=(PostPart("", media=tuple(image("花" * 2000) for _ in range(4))),))
    blobs = {f"part0.media{m}": StepResult(detail={"blob": BLOB}) for m in range(4)}
    card = {"uri": "https://example.com/", "title": "t", "description": "", "thumb": BLOB}
    text = "@bob.test #夏 https://example.com/a?b=%20 " + "👩‍👩‍👧" * 20
    return [
        publish(PostPayload(parts=(PostPart("日" * 300),), language="ja"))["record"],
        publish(thread, 1, {"part0.publish": sent(make_tid(key="a", now=NOW))})["record"],
        publish(images, done=blobs)["record"],
        publish(PostPayload(parts=(PostPart(text),)), done=_looked_up({"bob.test": BOB}, card))["record"],
        publish(ANSWER)["record"],
        publish(FILM, done={"part0.media0": StepResult(detail={"blob": FILM_BLOB})})["record"],
    ]


@pytest.mark.parametrize(
    "record", _samples(), ids=["text", "thread", "images", "facets and card", "answer", "video"]
)
def test_records_keep_to_the_official_lexicon(lexicons: Lexicons, record: dict[str, Any]) -> None:
    assert lexicons.problems("app.bsky.feed.post", record) == []


def test_the_lexicon_check_notices_what_is_wrong(lexicons: Lexicons) -> None:
    record = _samples()[3]
    for damage in (
        {"text": "a" * 301},
        {"text": 5},
        {"createdAt": "yesterday"},
        {"langs": ["en", "ja", "fr", "de"]},
        {"facets": [{"index": {"byteStart": -1, "byteEnd": 2}, "features": []}]},
        {"embed": {"$type": "app.bsky.embed.images", "images": [{"image": BLOB}]}},
        {"reply": {"root": {"uri": "at://x", "cid": CID}}},
    ):
        assert lexicons.problems("app.bsky.feed.post", record | damage), damage
