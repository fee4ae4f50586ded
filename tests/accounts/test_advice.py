"""Sentences of our own before what a network says."""

from __future__ import annotations

import pytest

from accounts import advice
from connectors import linkedin, tiktok_calls, x_answers, youtube_analytics, youtube_calls

OWN = [
    x_answers.ONLY_WHO_NAMES_US,
    x_answers.TAKES_NO_MESSAGES,
    x_answers.NO_PERMISSION,
    x_answers.NO_CREDITS,
    linkedin.MAY_NOT_READ,
    *tiktok_calls.IN_PLAIN_WORDS.values(),
    *youtube_calls.IN_PLAIN_WORDS.values(),
    *sorted(set(youtube_analytics.WHY_UNTOLD.values())),
]


@pytest.fixture(autouse=True)
def _another_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advice, "_", str.upper)


@pytest.mark.parametrize("sentence", OWN)
def test_our_own_sentence_is_translated_and_the_rest_is_the_networks(sentence: str) -> None:
    assert advice.told(f"{sentence} code: no, not now") == (sentence.upper(), "code: no, not now")
    assert advice.told(sentence) == (sentence.upper(), "")


@pytest.mark.parametrize(
    "detail", ["", "Forbidden", "Not allowed. This Google account has no YouTube channel."]
)
def test_what_a_network_says_is_left_as_it_is(detail: str) -> None:
    assert advice.told(detail) == ("", detail)


def test_no_sentence_is_there_that_no_connector_says() -> None:
    assert sorted(advice.SAID) == sorted(OWN)
