"""What a network would refuse at the very end is told before a post is scheduled, and by the pre-flight."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from accounts.models import Brand, SocialAccount, User
from content_calendar.content import MediaUse, Part
from content_calendar.models import MediaAsset, PreflightProblem
from content_calendar.selectors.checks import check_content
from content_calendar.services.drafts import Draft, create_post
from content_calendar.services.preflight import check_brand
from content_calendar.services.scheduling import NotReady, schedule_post
from outbox.models import Delivery
from tests.cast import make_account
from tests.content_calendar.conftest import LATER, NOW, make_image

pytestmark = pytest.mark.django_db
STORY = {"placement": "story"}


@pytest.fixture(autouse=True)
def _clock(settings: Any) -> Any:
    settings.PUBLIC_MEDIA_URL = "https://files.example.com"
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def accounts(brand: Brand) -> dict[str, SocialAccount]:
    options: dict[str, dict[str, Any]] = {
        "instagram": {"login": "instagram", "ig_id": "17841", "username": "harbour"},
        "facebook": {"page_id": "1001", "name": "Harbour"},
        "threads": {"user_id": "7", "username": "harbour"},
    }
    return {
        key: make_account(brand, platform=key, credential={"access_token": "t"}, options=said)
        for key, said in options.items()
    }


CASES: dict[str, tuple[str, str, tuple[tuple[int, int], ...], str, dict[str, str], str]] = {
    "hashtags": (
        "instagram",
        " ".join(f"#tag{n}" for n in range(31)),
        ((60, 60),),
        "",
        {},
        "Too many hashtags or mentions for Instagram: 31, 30 are allowed.",
    ),
    "mentions": (
        "instagram",
        " ".join(f"@name{n}" for n in range(21)),
        ((60, 60),),
        "",
        {},
        "Too many hashtags or mentions for Instagram: 21, 20 are allowed.",
    ),
    "carousel": (
        "instagram",
        "Hello",
        ((60, 60),) * 11,
        "",
        {},
        "Instagram takes 10 images and videos in one post; there are 11.",
    ),
    "wide": (
        "instagram",
        "Hello",
        ((60, 60), (200, 100)),
        "",
        {},
        "File 2 is too wide or too high for Instagram. Crop it.",
    ),
    "high": (
        "instagram",
        "Hello",
        ((60, 90),),
        "",
        {},
        "File 1 is too wide or too high for Instagram. Crop it.",
    ),
    "files of a story": (
        "instagram",
        "",
        ((60, 90),) * 2,
        "",
        STORY,
        "A story on Instagram has one image or video; there are 2.",
    ),
    "words of a story": (
        "instagram",
        "Hello",
        ((60, 90),),
        "",
        STORY,
        "A story on Instagram shows no text: remove it for this account.",
    ),
    "comment below a story": (
        "instagram",
        "",
        ((60, 90),),
        "first",
        STORY,
        "A story on Instagram takes no comments: remove the first comment for this account.",
    ),
    "files of a story of a Page": (
        "facebook",
        "",
        ((60, 90),) * 2,
        "",
        STORY,
        "A story on Facebook has one image or video; there are 2.",
    ),
    "story without a file": (
        "facebook",
        "Hello",
        (),
        "",
        STORY,
        "A story on Facebook needs an image or a video.",
    ),
    "files": (
        "threads",
        "Hello",
        ((60, 60),) * 21,
        "",
        {},
        "Threads takes 20 images and videos in one post; there are 21.",
    ),
    "topic": (
        "threads",
        "Hello",
        (),
        "",
        {"topic": "R&D"},
        "Threads: “Topic” may not contain any of these characters: . &",
    ),
    "length of a topic": (
        "threads",
        "Hello",
        (),
        "",
        {"topic": "x" * 51},
        "Threads: “Topic” is too long by 1 character (50 are allowed).",
    ),
}


def content(
    brand: Brand, manager: User, words: str, sizes: tuple[tuple[int, int], ...], comment: str
) -> tuple[tuple[Part, ...], dict[Any, MediaAsset]]:
    assets = [
        make_image(brand, manager, size=size, color=f"#{n:02x}80a0") for n, size in enumerate(sizes, start=16)
    ]
    parts: tuple[Part, ...] = (Part(words, tuple(MediaUse(asset.pk) for asset in assets)),)
    parts += (Part(comment, is_comment=True),) if comment else ()
    return parts, {asset.pk: asset for asset in assets}


@pytest.mark.parametrize("case", CASES)
def test_what_a_network_would_refuse_is_told_before_it_is_scheduled(
    brand: Brand, manager: User, accounts: dict[str, SocialAccount], case: str
) -> None:
    network, words, sizes, comment, said, sentence = CASES[case]
    account = accounts[network]
    parts, assets = content(brand, manager, words, sizes, comment)
    check = check_content(account, parts, assets, said)
    assert sentence in [issue.message for issue in check.issues if issue.is_blocking]
    draft = Draft(parts=parts, accounts=(account.pk,), settings={account.pk: said})
    post = create_post(brand=brand, author=manager, draft=draft, now=NOW)
    with pytest.raises(NotReady) as refused:
        schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    told = [issue.message for one in refused.value.checks for issue in one.issues]
    assert sentence in told
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("network", "words", "sizes", "said"),
    [
        ("instagram", " ".join(f"#tag{n}" for n in range(30)), ((80, 100),), {}),
        ("instagram", " ".join(f"@name{n}" for n in range(20)), ((191, 100),), {}),
        ("instagram", "Hello", ((60, 60),) * 10, {}),
        ("instagram", "", ((90, 160),), STORY),
        ("facebook", "", ((90, 160),), STORY),
        ("threads", "Hello", ((60, 60),) * 20, {"topic": "Coffee beans"}),
    ],
)
def test_what_is_just_within_the_limits_is_scheduled_and_stays_so(
    brand: Brand,
    manager: User,
    accounts: dict[str, SocialAccount],
    network: str,
    words: str,
    sizes: tuple[tuple[int, int], ...],
    said: dict[str, str],
) -> None:
    account = accounts[network]
    parts, assets = content(brand, manager, words, sizes, "")
    assert check_content(account, parts, assets, said).is_ready
    draft = Draft(parts=parts, accounts=(account.pk,), settings={account.pk: said})
    post = create_post(brand=brand, author=manager, draft=draft, now=NOW)
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    check_brand(brand=brand, now=NOW, days=7)
    assert not PreflightProblem.objects.filter(code="content").exists()


def test_a_limit_that_came_later_is_found_by_the_pre_flight(
    brand: Brand, manager: User, accounts: dict[str, SocialAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = accounts["instagram"]
    parts, _assets = content(brand, manager, "Hello", ((60, 60),), "")
    draft = Draft(parts=parts, accounts=(account.pk,))
    post = create_post(brand=brand, author=manager, draft=draft, now=NOW)
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    delivery = Delivery.objects.get()
    delivery.payload["parts"][0]["media"][0]["width"] = 3000
    Delivery.objects.filter(pk=delivery.pk).update(payload=delivery.payload)
    check_brand(brand=brand, now=NOW, days=7)
    (problem,) = PreflightProblem.objects.filter(code="content")
    assert problem.detail["reason"] == "media_shape"
