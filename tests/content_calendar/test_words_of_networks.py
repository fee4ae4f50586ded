"""Words that YouTube and TikTok would refuse at the very end are told before a post is scheduled."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from accounts.models import Brand, User
from connectors.youtube_info import INFO as YOUTUBE
from content_calendar.content import MediaUse, Part
from content_calendar.selectors.checks import check_content
from content_calendar.services.drafts import Draft, create_post
from content_calendar.services.scheduling import NotReady, schedule_post
from outbox.models import Delivery
from tests.cast import make_account
from tests.content_calendar.conftest import LATER, NOW, make_image

pytestmark = pytest.mark.django_db

OPTIONS: dict[str, dict[str, Any]] = {
    "youtube": {"channel_id": "UCabcdefghijklmnopqrstuv", "scopes": list(YOUTUBE.scopes)},
    "tiktok": {"open_id": "o", "username": "harbour", "choices": {"privacy": [["SELF_ONLY", "Only me"]]}},
}
SAID: dict[str, dict[str, str]] = {
    "youtube": {"title": "Roasting", "made_for_kids": "no"},
    "tiktok": {"privacy": "SELF_ONLY"},
}
CASES: dict[str, tuple[str, str, dict[str, str], str]] = {
    "signs in a title": (
        "youtube",
        "Hello",
        {"title": "1 < 2"},
        "YouTube: “Title” may not contain any of these characters: < >",
    ),
    "signs in a description": (
        "youtube",
        "See <here>",
        {},
        "A text on YouTube may not contain any of these characters: < >",
    ),
    "tags together": (
        "youtube",
        "Hello",
        {"tags": ",".join(f"{n:03}" + "x" * 96 for n in range(5)) + ",a b"},
        "YouTube: “Tags” is too long by 5 characters (500 are allowed).",
    ),
    "title of photos": (
        "tiktok",
        "Hello",
        {"title": "🙂" * 46},
        "TikTok: “Title of a photo post” is too long by 2 characters (90 are allowed).",
    ),
}


@pytest.fixture(autouse=True)
def _clock(settings: Any) -> Any:
    settings.PUBLIC_MEDIA_URL = "https://files.example.com"
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.parametrize("case", CASES)
def test_words_that_are_not_taken_are_told_before(brand: Brand, manager: User, case: str) -> None:
    network, words, answers, sentence = CASES[case]
    account = make_account(
        brand, platform=network, credential={"access_token": "t"}, options=OPTIONS[network]
    )
    asset = make_image(brand, manager)
    parts = (Part(words, (MediaUse(asset.pk),)),)
    said = {**SAID[network], **answers}
    check = check_content(account, parts, {asset.pk: asset}, said)
    assert sentence in [issue.message for issue in check.issues if issue.is_blocking]
    usual = check_content(account, (Part("Hello", parts[0].media),), {asset.pk: asset}, SAID[network])
    assert sentence not in [issue.message for issue in usual.issues]
    draft = Draft(parts=parts, accounts=(account.pk,), settings={account.pk: said})
    post = create_post(brand=brand, author=manager, draft=draft, now=NOW)
    with pytest.raises(NotReady) as refused:
        schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    assert sentence in [issue.message for one in refused.value.checks for issue in one.issues]
    assert not Delivery.objects.exists()
