"""Text as networks count, link and show it."""

from __future__ import annotations

import dataclasses
import io
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import text
from connectors.base import (
    Capability,
    MediaItem,
    MessageTarget,
    Moderation,
    ModerationAction,
    PlatformInfo,
    PostField,
    PostPart,
    PostPayload,
    ReplyTarget,
    StoryLimit,
    TextLimit,
    TextUnit,
)
from connectors.errors import RejectReason
from connectors.mastodon import INFO
from tests.connectors.conftest import image, payload

MASTODON = TextLimit(max_units=500, unit=TextUnit.GRAPHEMES, url_units=23, mention_user_only=True)
FINDERS = (text.find_links, text.find_mentions, text.find_hashtags, lambda t: text.find_links(t, bare=True))
# Pieces that meet in real posts: scripts, punctuation, links, emoji of several code points.
WORDS = (
    "こんにちは 世界。 #猫 ＃犬 @alice@example.com @bob.bsky.social 👩‍👩‍👧‍👦 🇯🇵 é e\u0301 a 1 . ( ) 「 」 "
    "https://example.com/a_(b) http://日本語.jp/ example.com"
)
PIECES = st.lists(st.sampled_from([*WORDS.split(), " ", "\n"]), max_size=12).map("".join)
ANY_TEXT = st.one_of(st.text(max_size=80), PIECES)


def values(spans: list[text.Span]) -> list[str]:
    return [span.value for span in spans]


@given(ANY_TEXT)
def test_spans_lie_in_order_and_their_bytes_are_their_text(written: str) -> None:
    raw = written.encode("utf-8", "surrogatepass")
    for find in FINDERS:
        end = 0
        for span in find(written):
            assert end <= span.start < span.end <= len(written)
            stretch = raw[span.byte_start : span.byte_end].decode("utf-8", "surrogatepass")
            assert stretch == written[span.start : span.end]
            assert stretch.endswith(span.value)
            end = span.end


@given(ANY_TEXT)
def test_graphemes_put_together_are_the_text(written: str) -> None:
    assert "".join(text.graphemes(written)) == written


@given(ANY_TEXT)
def test_units_are_ordered_as_their_encodings_are(written: str) -> None:
    counts = {unit: text.count(written, TextLimit(max_units=1, unit=unit)) for unit in TextUnit}
    assert counts[TextUnit.GRAPHEMES] <= counts[TextUnit.CODEPOINTS]
    assert counts[TextUnit.CODEPOINTS] <= counts[TextUnit.UTF16] <= counts[TextUnit.UTF8_BYTES]
    # Composing may leave fewer code points, of which each weighs two at most.
    assert counts[TextUnit.WEIGHTED] <= 2 * len(unicodedata.normalize("NFC", written))


@given(ANY_TEXT)
def test_text_fits_exactly_when_nothing_is_missing(written: str) -> None:
    limit = dataclasses.replace(MASTODON, max_units=20)
    assert text.fits(written, limit) == (text.remaining(written, limit) >= 0)


@given(ANY_TEXT)
def test_normalising_twice_changes_nothing_more(written: str) -> None:
    once = text.normalise(written)
    assert text.normalise(once) == once


@given(PIECES)
def test_normalising_forgets_composition_and_space(written: str) -> None:
    shown = unicodedata.normalize("NFD", written).replace(" ", " \u200b\n ")
    assert text.normalise(shown) == text.normalise(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("see https://example.com.", ["https://example.com"]),
        ("(https://example.com/a_(b))", ["https://example.com/a_(b)"]),
        ("「https://example.com/x」を見て", ["https://example.com/x"]),
        ("https://example.com/xを見て", ["https://example.com/x"]),
        ("見てhttps://example.com", ["https://example.com"]),
        ("https://example.com/?q=1&b=2#top!", ["https://example.com/?q=1&b=2#top"]),
        ("HTTPS://EXAMPLE.COM/A", ["HTTPS://EXAMPLE.COM/A"]),
        ("http://日本語.jp/", ["http://日本語.jp/"]),
        ("https://example.com:8080/x", ["https://example.com:8080/x"]),
        ("https://a.jp https://b.jp", ["https://a.jp", "https://b.jp"]),
        ("https://example.com/、次", ["https://example.com/"]),
        ("“https://example.com/x”", ["https://example.com/x"]),
        ("https:// nothing http://nodot ftp://example.com", []),
        ("me@example.com example.com", []),
    ],
)
def test_links_end_where_a_reader_would_end_them(written: str, expected: list[str]) -> None:
    assert values(text.find_links(written)) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("go to example.com/x now", ["example.com/x"]),
        ("shop.example.co.jp。", ["shop.example.co.jp"]),
        ("main.py README.md e.g. end.Next 3.14 v1.2", []),
        ("me@example.com", []),
        ("https://example.com and example.com", ["https://example.com", "example.com"]),
        ("@bob.example.com", []),
    ],
)
def test_bare_domains_are_found_only_when_asked_for(written: str, expected: list[str]) -> None:
    assert values(text.find_links(written, bare=True)) == expected


def test_bare_domain_becomes_an_address() -> None:
    assert [span.url for span in text.find_links("example.com http://example.com", bare=True)] == [
        "https://example.com",
        "http://example.com",
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("@alice hello", ["alice"]),
        ("(@alice@example.social)", ["alice@example.social"]),
        ("hi @bob.bsky.social.", ["bob.bsky.social"]),
        ("@alice, @bob", ["alice", "bob"]),
        ("mail me@example.com", []),
        ("https://example.social/@alice", []),
        ("日本@alice", []),
        ("@ alone @@double", []),
    ],
)
def test_mentions_are_told_from_mail_and_addresses(written: str, expected: list[str]) -> None:
    assert values(text.find_mentions(written)) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("#Cats and ＃猫、それと #犬_1", ["Cats", "猫", "犬_1"]),
        ("#スーパー・マーケット", ["スーパー・マーケット"]),
        ("#2026 #2026年", ["2026年"]),
        ("a#b https://example.com/#frag &#39; ##x", []),
        ("#ends. #here!", ["ends", "here"]),
    ],
)
def test_hashtags_are_found_in_both_scripts(written: str, expected: list[str]) -> None:
    assert values(text.find_hashtags(written)) == expected


@pytest.mark.parametrize(
    ("unit", "expected"),
    [(TextUnit.GRAPHEMES, 3), (TextUnit.CODEPOINTS, 10), (TextUnit.UTF16, 16), (TextUnit.UTF8_BYTES, 36)],
)
def test_family_flag_and_kanji_in_each_unit(unit: TextUnit, expected: int) -> None:
    assert text.count("👩‍👩‍👧‍👦🇯🇵猫", TextLimit(max_units=1, unit=unit)) == expected


def test_link_and_remote_mention_count_as_mastodon_counts_them() -> None:
    assert text.count("https://example.com/" + "x" * 400, MASTODON) == 23
    assert text.count("http://a.jp", MASTODON) == 23
    assert text.count("@alice@a.very.long.example.social hi", MASTODON) == len("@alice hi")


def test_byte_limit_holds_besides_the_units() -> None:
    limit = TextLimit(max_units=300, unit=TextUnit.GRAPHEMES, max_bytes=3000)
    assert text.fits("👩‍👩‍👧‍👦" * 120, limit)
    assert not text.fits("👩‍👩‍👧‍👦" * 121, limit)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("＃猫　です", "#猫 です"),
        ("hi @alice@example.social!", "hi @alice!"),
        ("line one\r\n\r\nline two ", "line one\n\nline two"),
        ("か\u3099", "が"),
        ("soft\u00adhyphen\u200b", "softhyphen"),
    ],
)
def test_our_text_and_its_rendering_are_the_same_once_normalised(ours: str, theirs: str) -> None:
    assert text.normalise(ours) == text.normalise(theirs)


def test_different_texts_stay_different_once_normalised() -> None:
    assert text.normalise("one two") != text.normalise("one too")
    assert text.normalise("@alice@a.social") != text.normalise("@bob@a.social")


# --- limits of a payload ----------------------------------------------------------------------


def reasons(sent: PostPayload, info: PlatformInfo = INFO) -> list[tuple[RejectReason, int, int | None]]:
    return [(p.reason, p.part, p.media) for p in text.check_payload(sent, info)]


def test_payload_within_every_limit_has_no_problem() -> None:
    assert text.check_payload(payload("a" * 500, "second", media=(image(),) * 4), INFO) == []


def test_image_without_words_is_a_post() -> None:
    assert reasons(payload("", media=(image(),))) == []


@pytest.mark.parametrize("words", ["", "  \n", "\u200b"])
def test_post_without_anything_to_see_is_empty(words: str) -> None:
    assert reasons(payload("first", words)) == [(RejectReason.TEXT_EMPTY, 1, None)]


def test_payload_without_parts_is_empty() -> None:
    assert reasons(PostPayload(parts=())) == [(RejectReason.TEXT_EMPTY, 0, None)]


def test_problem_says_limit_and_actual_length() -> None:
    (problem,) = text.check_payload(payload("ok", "x" * 512), INFO)
    assert problem == text.Problem(RejectReason.TEXT_TOO_LONG, part=1, media=None, limit=500, actual=512)


def test_every_image_is_checked_on_its_own() -> None:
    broken = (
        image(mime_type="image/bmp"),
        image(size=INFO.images.max_bytes + 1),
        dataclasses.replace(image(), width=100_000, height=100_000),
        image("x" * 1501),
    )
    assert reasons(payload("hi", media=broken)) == [
        (RejectReason.MEDIA_TYPE, 0, 0),
        (RejectReason.MEDIA_TOO_LARGE, 0, 1),
        (RejectReason.MEDIA_TOO_LARGE, 0, 2),
        (RejectReason.ALT_TEXT_TOO_LONG, 0, 3),
    ]


def test_fifth_image_is_one_too_many() -> None:
    assert reasons(payload("hi", media=(image(),) * 5)) == [(RejectReason.TOO_MANY_MEDIA, 0, 4)]


def test_thread_is_refused_where_it_is_too_long_or_unknown() -> None:
    long = PostPayload(parts=(PostPart(text="x"),) * (INFO.thread_max + 1))
    assert reasons(long) == [(RejectReason.THREAD_TOO_LONG, INFO.thread_max, None)]
    no_threads = dataclasses.replace(INFO, capabilities=INFO.capabilities - {Capability.POST_THREAD})
    assert reasons(payload("a", "b"), no_threads) == [(RejectReason.THREAD_TOO_LONG, 1, None)]


def test_images_are_refused_where_a_network_has_none() -> None:
    no_images = dataclasses.replace(INFO, capabilities=INFO.capabilities - {Capability.POST_IMAGES})
    assert reasons(payload("a", media=(image(),)), no_images) == [(RejectReason.NOT_SUPPORTED, 0, 0)]


# --- answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "mention", "shown"),
    [
        ("Thanks", "@bob@remote.example", "@bob@remote.example Thanks"),
        ("Thanks", "@bob", "@bob Thanks"),
        ("@bob Thanks", "@bob", "@bob Thanks"),
        ("Thanks @Bob@Remote.example!", "@bob@remote.example", "Thanks @Bob@Remote.example!"),
        ("Thanks @bobby", "@bob", "@bob Thanks @bobby"),
        ("mail bob@remote.example", "@bob@remote.example", "@bob@remote.example mail bob@remote.example"),
        ("Thanks", "", "Thanks"),
        ("", "@bob", ""),
        (" \n", "@bob", " \n"),
    ],
)
def test_an_answer_names_its_receiver_once(written: str, mention: str, shown: str) -> None:
    assert text.addressed(written, mention) == shown
    assert text.addressed(shown, mention) == shown


@given(ANY_TEXT)
def test_naming_twice_is_naming_once(written: str) -> None:
    once = text.addressed(written, "@bob@remote.example")
    assert text.addressed(once, "@bob@remote.example") == once
    assert once.endswith(written)


def test_a_direct_message_has_its_own_limit_and_one_part() -> None:
    info = dataclasses.replace(INFO, message_text=TextLimit(max_units=1000, unit=TextUnit.GRAPHEMES))
    to = MessageTarget("7")
    assert text.check_payload(PostPayload((PostPart("x" * 1000),), message_to=to), info) == []
    assert reasons(PostPayload((PostPart("x" * 1001),), message_to=to), info) == [
        (RejectReason.TEXT_TOO_LONG, 0, None)
    ]
    assert reasons(PostPayload((PostPart("x"), PostPart("y")), message_to=to), info) == [
        (RejectReason.THREAD_TOO_LONG, 1, None)
    ]
    assert reasons(PostPayload((PostPart(" "),), reply_to=ReplyTarget("7")), info) == [
        (RejectReason.TEXT_EMPTY, 0, None)
    ]


def test_hashtags_and_mentions_may_be_limited() -> None:
    limit = dataclasses.replace(INFO.text, max_hashtags=2, max_mentions=1)
    info = dataclasses.replace(INFO, text=limit)
    assert text.check_payload(payload("#one #two @anna"), info) == []
    assert text.check_payload(payload("#one #two ＃三 @anna @ben"), info) == [
        text.Problem(RejectReason.TOO_MANY_TAGS, 0, None, 2, 3),
        text.Problem(RejectReason.TOO_MANY_TAGS, 0, None, 1, 2),
    ]
    assert text.check_payload(payload("#a #b #c @d @e"), INFO) == []


def test_cashtags_may_be_limited() -> None:
    info = dataclasses.replace(INFO, text=dataclasses.replace(INFO.text, max_cashtags=1))
    assert text.check_payload(payload("$SHIP is up, as are $5 and A$AP"), info) == []
    assert text.check_payload(payload("$SHIP, $TEA"), info) == [
        text.Problem(RejectReason.TOO_MANY_TAGS, 0, None, 1, 2)
    ]
    assert text.check_payload(payload("$SHIP, $TEA"), INFO) == []


def test_videos_may_have_to_have_a_shape() -> None:
    assert INFO.videos is not None
    limit = dataclasses.replace(INFO.videos, min_ratio=0.33, max_ratio=3.0)
    info = dataclasses.replace(INFO, videos=limit)
    for width, height, is_taken in ((300, 900, True), (900, 300, True), (300, 1000, False), (0, 0, True)):
        clip = MediaItem("film", "video/mp4", 9, width, height, "", lambda: io.BytesIO(b"v"), 9.0, 30.0)
        found = reasons(PostPayload((PostPart("x", (clip,)),)), info)
        assert found == ([] if is_taken else [(RejectReason.MEDIA_SHAPE, 0, 0)]), (width, height)


@pytest.mark.parametrize(
    ("width", "height", "is_taken"),
    [
        (1080, 1350, True),
        (1080, 1351, True),  # 0.7994: networks speak of two decimals
        (1080, 1370, False),
        (1080, 566, True),
        (1080, 563, False),
        (0, 0, True),  # not known
    ],
)
def test_images_may_have_to_have_a_shape(width: int, height: int, *, is_taken: bool) -> None:
    limit = dataclasses.replace(INFO.images, min_ratio=0.8, max_ratio=1.91)
    info = dataclasses.replace(INFO, images=limit)
    shaped = dataclasses.replace(image(), width=width, height=height)
    found = reasons(payload("hi", media=(image(), shaped)), info)
    assert found == ([] if is_taken else [(RejectReason.MEDIA_SHAPE, 0, 1)])


def test_files_of_one_post_may_be_limited_together() -> None:
    info = dataclasses.replace(INFO, media_max=3)
    assert text.check_payload(payload("hi", media=(image(),) * 3), info) == []
    problem = text.Problem(RejectReason.TOO_MANY_MEDIA, 0, 3, 3, 4)
    assert text.check_payload(payload("hi", media=(image(),) * 4), info) == [problem]
    # Where images alone are too many, that is said.
    problem = text.Problem(RejectReason.TOO_MANY_MEDIA, 0, 4, 4, 5)
    assert text.check_payload(payload("hi", media=(image(),) * 5), info) == [problem]


def test_a_story_is_one_file_without_words_and_comment() -> None:
    limit = dataclasses.replace(INFO.images, min_ratio=0.8)
    info = dataclasses.replace(INFO, story=StoryLimit(60), images=limit)
    upright = dataclasses.replace(image(), width=90, height=160)
    story = PostPayload((PostPart("", (upright,)),), settings={"placement": "story"})
    assert text.check_payload(story, info) == []
    feed = dataclasses.replace(story, settings={"placement": "feed"})
    assert reasons(feed, info) == [(RejectReason.MEDIA_SHAPE, 0, 0)]
    long = MediaItem("film", "video/mp4", 9, 90, 160, "", lambda: io.BytesIO(b"v"), 60.5, 30.0)
    wrong = (PostPart("Hi", (upright, long)), PostPart("first", is_comment=True))
    found = text.check_payload(dataclasses.replace(story, parts=wrong), info)
    assert [(one.reason, one.part, one.limit, one.actual) for one in found if one.name == "placement"] == [
        (RejectReason.TOO_MANY_MEDIA, 0, 1, 2),
        (RejectReason.TEXT_TOO_LONG, 0, 0, 2),
        (RejectReason.VIDEO_TOO_LONG, 0, 60, 61),
        (RejectReason.NOT_SUPPORTED, 1, 0, 1),
    ]
    empty = dataclasses.replace(story, parts=(PostPart(""),))
    assert RejectReason.MEDIA_MISSING in [one.reason for one in text.check_payload(empty, info)]
    # What answers somebody is no story, whatever it says.
    answer = PostPayload((PostPart("Hi"),), reply_to=ReplyTarget("7"), settings={"placement": "story"})
    assert not text.is_story(answer, info)


def test_an_answer_may_be_kept_from_some_characters() -> None:
    topic = PostField("topic", "Topic", forbidden=".&")
    info = dataclasses.replace(INFO, post_fields=(topic,))
    for said, is_taken in (("Coffee", True), ("R&D", False), ("v1.0", False)):
        sent = dataclasses.replace(payload("hi"), settings={"topic": said})
        problem = text.Problem(RejectReason.SETTING_INVALID, 0, None, 0, 0, "topic")
        assert text.check_payload(sent, info) == ([] if is_taken else [problem])


def test_comments_and_answers_may_have_a_limit_of_their_own() -> None:
    info = dataclasses.replace(INFO, comment_text=TextLimit(max_units=5, unit=TextUnit.GRAPHEMES))
    first = (PostPart("x" * 6), PostPart("y" * 5, is_comment=True))
    assert text.check_payload(PostPayload(first), info) == []
    first = (PostPart("x" * 6), PostPart("y" * 6, is_comment=True))
    assert reasons(PostPayload(first), info) == [(RejectReason.TEXT_TOO_LONG, 1, None)]
    assert text.check_payload(PostPayload(first), INFO) == []
    for words, found in (("x" * 5, []), ("x" * 6, [(RejectReason.TEXT_TOO_LONG, 0, None)])):
        assert reasons(PostPayload((PostPart(words),), reply_to=ReplyTarget("7")), info) == found


@pytest.mark.parametrize(
    ("capability", "answer"),
    [
        (Capability.REPLY, {"reply_to": ReplyTarget("7")}),
        (Capability.SEND_MESSAGE, {"message_to": MessageTarget("7")}),
    ],
)
def test_an_answer_is_refused_where_the_network_has_none(
    capability: Capability, answer: dict[str, Any]
) -> None:
    sent = PostPayload((PostPart("x"),), **answer)
    assert reasons(sent) == []
    without = dataclasses.replace(INFO, capabilities=INFO.capabilities - {capability})
    assert reasons(sent, without) == [(RejectReason.NOT_SUPPORTED, 0, None)]


def test_a_like_has_no_text_to_be_checked() -> None:
    like = PostPayload((), moderation=Moderation(ModerationAction.LIKE, "7"))
    hide = PostPayload((), moderation=Moderation(ModerationAction.HIDE, "7"))
    assert reasons(like) == []
    assert reasons(hide) == [(RejectReason.NOT_SUPPORTED, 0, None)]
