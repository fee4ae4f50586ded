"""Content warnings and covered media: written once for a thread, counted and shown as each network does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict
from django.urls import reverse

from accounts.models import Brand, SocialAccount, User
from connectors.base import PlatformInfo
from content_calendar.content import MediaUse, Part, alike_guarded, parts_from_json, parts_to_json
from content_calendar.forms import apply_change, composer_input
from content_calendar.models import Post
from content_calendar.selectors.checks import check_content
from content_calendar.selectors.previews import preview
from content_calendar.selectors.versions import content_diff
from content_calendar.services.drafts import Draft, create_post
from content_calendar.services.scheduling import frozen_payload, schedule_post
from outbox.models import Delivery
from outbox.payloads import thaw
from tests.cast import make_account
from tests.content_calendar.conftest import LATER, NOW, make_image
from tests.content_calendar.importing import checked, imported

SignIn = Callable[[User], Any]


@pytest.fixture
def mastodon(brand: Brand) -> SocialAccount:
    return make_account(brand, platform="mastodon", handle="me@example.social")


def info(account: SocialAccount) -> PlatformInfo:
    return account.info


def said(account: SocialAccount, *parts: Part, assets: Any = None) -> list[str]:
    return [issue.message for issue in check_content(account, parts, assets or {}).issues]


def test_a_warning_survives_the_way_through_the_database() -> None:
    parts = (Part("x", warning="Spoilers", is_sensitive=True), Part("y"))
    assert parts_from_json(parts_to_json(parts)) == parts
    assert "warning" not in parts_to_json(parts)[1]


def test_a_thread_has_one_warning() -> None:
    parts = (Part("a"), Part("b", warning="Spoilers", is_sensitive=True), Part("c", is_comment=True))
    assert {(part.warning, part.is_sensitive) for part in alike_guarded(parts)} == {("Spoilers", True)}
    assert alike_guarded(()) == ()


def form(**fields: str) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, value in fields.items():
        query[name.replace("__", ".")] = value
    query.setlist("base.part", ["0", "1"])
    query["base.0.text"], query["base.1.text"] = "one", "two"
    return query


def test_the_composer_reads_it_for_the_whole_thread() -> None:
    given = composer_input(form(base__warning=" Spoilers\n ahead ", base__sensitive="1"), zone="UTC")
    assert [(part.warning, part.is_sensitive) for part in given.draft.parts] == [("Spoilers ahead", True)] * 2


@pytest.mark.parametrize(
    "change", ["add:base", "comment:base", "remove:base.0", "up:base.1", "customise:ACCOUNT"]
)
def test_no_change_of_the_thread_loses_it(brand: Brand, mastodon: SocialAccount, change: str) -> None:
    query = form(base__warning="Spoilers")
    query["account"] = str(mastodon.pk)
    given = composer_input(query, zone="UTC")
    after = apply_change(given, change.replace("ACCOUNT", str(mastodon.pk))).draft
    for parts in (after.parts, *after.own_parts.values()):
        assert {part.warning for part in parts} == {"Spoilers"}


def test_the_composer_offers_it_only_where_a_network_has_it(
    sign_in: SignIn, brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    client, address = sign_in(creator), reverse("content_calendar:compose")
    assert 'name="base.warning"' not in client.get(address).content.decode()
    make_account(brand, platform="mastodon", handle="me@example.social")
    assert 'name="base.warning"' in client.get(address).content.decode()


def test_what_was_written_waits_where_no_network_has_it_any_more(
    sign_in: SignIn, brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    draft = Draft(parts=(Part("x", warning="Spoilers", is_sensitive=True),), accounts=(sandbox_account.pk,))
    post = create_post(brand=brand, author=creator, draft=draft, now=NOW)
    page = sign_in(creator).get(reverse("content_calendar:edit", args=[post.pk])).content.decode()
    assert '<input type="hidden" name="base.warning" value="Spoilers">' in page
    assert '<input type="hidden" name="base.sensitive" value="1">' in page


def test_counters_count_it_where_the_network_does(brand: Brand, mastodon: SocialAccount) -> None:
    (count,) = check_content(mastodon, (Part("x" * 490, warning="y" * 10),), {}).counts
    assert (count.used, count.remaining, count.is_over) == (500, 0, False)
    (count,) = check_content(mastodon, (Part("x" * 490, warning="y" * 11),), {}).counts
    assert (count.used, count.limit, count.is_over) == (501, 500, True)
    bluesky = make_account(brand, platform="bluesky", handle="one.example.com")
    (count,) = check_content(bluesky, (Part("x" * 300, warning="y" * 10),), {}).counts
    assert (count.used, count.is_over) == (300, False)


def test_networks_without_it_say_so(brand: Brand, creator: User, mastodon: SocialAccount) -> None:
    asset = make_image(brand, creator)
    part = Part("x", (MediaUse(asset.pk, "a"),), warning="Spoilers", is_sensitive=True)
    bluesky = make_account(brand, platform="bluesky", handle="one.example.com")
    words = said(bluesky, part, assets={asset.pk: asset})
    assert "Bluesky has no content warnings: the text is shown at once there." in words
    assert "Bluesky covers no images or videos: they are shown at once there." in words
    assert said(mastodon, part, assets={asset.pk: asset}) == []


def test_it_is_frozen_for_the_networks_that_have_it(
    brand: Brand, manager: User, mastodon: SocialAccount, sandbox_account: SocialAccount
) -> None:
    draft = Draft(
        parts=(Part("one", warning="Spoilers", is_sensitive=True),),
        accounts=(mastodon.pk, sandbox_account.pk),
        planned_at=LATER,
    )
    post = create_post(brand=brand, author=manager, draft=draft, now=NOW)
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    (sent,) = thaw(Delivery.objects.get(account=mastodon).payload).parts
    assert (sent.warning, sent.is_sensitive) == ("Spoilers", True)
    frozen = Delivery.objects.get(account=sandbox_account).payload
    assert "warning" not in frozen["parts"][0]
    plain = frozen_payload(account=mastodon, parts=(Part("one"),), assets={})
    assert "is_sensitive" not in plain["parts"][0]


def test_the_preview_shows_what_stands_before_it(
    brand: Brand, creator: User, mastodon: SocialAccount, sandbox_account: SocialAccount
) -> None:
    asset = make_image(brand, creator)
    parts = (Part("x", (MediaUse(asset.pk),), warning="Spoilers"),)
    (shown,) = preview(mastodon, parts, {asset.pk: asset}).parts
    assert (shown.warning, shown.is_sensitive) == ("Spoilers", True)
    (shown,) = preview(sandbox_account, parts, {asset.pk: asset}).parts
    assert (shown.warning, shown.is_sensitive) == ("", False)


def test_the_page_of_the_check_shows_it(
    sign_in: SignIn, brand: Brand, creator: User, mastodon: SocialAccount
) -> None:
    query = form(base__warning="Spoilers <b>", brand=str(brand.pk))
    query["account"] = str(mastodon.pk)
    address = reverse("content_calendar:check", args=["00000000-0000-7000-8000-000000000001"])
    page = sign_in(creator).post(address, query).content.decode()
    assert "Spoilers &lt;b&gt;" in page
    assert "preview-warning" in page


def test_versions_tell_a_changed_warning() -> None:
    def content(part: Part) -> Any:
        return {"parts": parts_to_json([part]), "own": {}, "accounts": []}

    diff = content_diff(content(Part("x")), content(Part("x", warning="Spoilers")), {})
    (part,) = diff.scopes[0].parts
    assert part.is_changed
    assert (part.guard_before, part.guard_after) == (("", False), ("Spoilers", False))


def test_it_comes_back_from_an_exported_file(
    sign_in: SignIn, brand: Brand, manager: User, mastodon: SocialAccount
) -> None:
    draft = Draft(
        parts=alike_guarded((Part("one", warning="Spoilers", is_sensitive=True), Part("two"))),
        accounts=(mastodon.pk,),
        own_parts={mastodon.pk: alike_guarded((Part("own", warning="Careful"),))},
    )
    create_post(brand=brand, author=manager, draft=draft, now=NOW)
    response = sign_in(manager).get(reverse("content_calendar:export"))
    content = b"".join(response.streaming_content)
    Post.objects.update(deleted_at=NOW)
    imported(checked(brand, manager, content), manager)
    assert Draft.of_post(Post.objects.get(deleted_at=None)) == draft


def test_a_word_that_is_neither_yes_nor_no_is_refused(
    brand: Brand, manager: User, mastodon: SocialAccount
) -> None:
    batch = checked(brand, manager, "text,sensitive\none,perhaps\ntwo,はい\n")
    assert (batch.ok, batch.refused) == (1, 1)
