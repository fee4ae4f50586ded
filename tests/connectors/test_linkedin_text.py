"""LinkedIn's "little text": words come back as they were written."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.linkedin_text import from_little, to_little


@given(st.text(alphabet=st.one_of(st.sampled_from("\\|{}@[]()<>#＃*_~ab1 \né猫"), st.characters())))
@example("{hashtag|\\#|tag} @[Bob](urn:li:person:1) \\\\ #tag_1 ＃珈琲 C# #1 \\")
def test_words_come_back_as_they_were_written(text: str) -> None:
    assert from_little(to_little(text)) == text


@given(st.text(alphabet=st.sampled_from("\\|{}@[]()<>#＃*_~ab1 猫")))
def test_nothing_reserved_is_left_as_it_is(text: str) -> None:
    """LinkedIn drops what follows a reserved character that is neither escaped nor part of a template."""
    plain = re.sub(r"\{hashtag\|(?:\\#|＃)\|(?:\\_|[ab1猫])+\}", "", to_little(text))
    assert re.search(r"[|{}@\[\]()<>#*_~]", re.sub(r"\\.", "", plain)) is None


@pytest.mark.parametrize(
    ("text", "little"),
    [
        ("Coffee (new) #flat_white", r"Coffee \(new\) {hashtag|\#|flat\_white}"),
        ("朝は ＃珈琲です", "朝は {hashtag|＃|珈琲です}"),
        ("朝の＃珈琲です", "朝の＃珈琲です"),
        ("C# costs *3* <4> ~ @bob", r"C\# costs \*3\* \<4\> \~ \@bob"),
        ("https://example.com/a_b#c", r"https://example.com/a\_b\#c"),
    ],
)
def test_how_words_are_written(text: str, little: str) -> None:
    assert to_little(text) == little


@pytest.mark.parametrize(
    ("little", "text"),
    [
        ("Hello @[Acme \\(Corp\\)](urn:li:organization:1234)!", "Hello Acme (Corp)!"),
        ("a {hashtag|#|Technology} b", "a #Technology b"),
        ("{hashtag|broken} @[x] \\", "{hashtag|broken} @[x] \\"),
    ],
)
def test_what_others_wrote_is_shown_as_people_see_it(little: str, text: str) -> None:
    assert from_little(little) == text
