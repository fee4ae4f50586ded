"""Templates, hashtag groups and snippets: kept by a brand, used in its posts."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Brand, SocialAccount, User
from content_calendar.content import MediaUse, Part
from content_calendar.models import HashtagGroup, Label, Snippet, Template
from content_calendar.services.drafts import Draft
from content_calendar.services.writing import (
    NameTaken,
    NothingToKeep,
    save_group,
    save_snippet,
    save_template,
)
from tests.content_calendar.conftest import NOW

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


def url(name: str, kind: str, **more: object) -> str:
    ending = {"blocks": "", "block_new": "_new", "block": "_edit", "block_delete": "_delete"}[name]
    return reverse(f"content_calendar:{kind}{ending}", kwargs=more or None)


@pytest.fixture
def group(brand: Brand, creator: User) -> HashtagGroup:
    return save_group(brand=brand, name="Morning", tags=["coffee", "朝"], actor=creator, now=NOW)


def test_a_group_is_made_of_what_people_type(sign_in: SignIn, creator: User, brand: Brand) -> None:
    fields = {"brand": str(brand.pk), "name": "Morning", "tags": "#coffee, ＃朝\n#Coffee  harbour"}
    response = sign_in(creator).post(url("block_new", "hashtags"), fields)
    assert response.status_code == 302
    group = HashtagGroup.objects.get()
    assert (group.brand, group.tags, group.words) == (
        brand,
        ["coffee", "朝", "harbour"],
        "#coffee #朝 #harbour",
    )


@pytest.mark.parametrize("tags", ["#", "two-words", "123", "#a.b", " , "])
def test_what_is_no_hashtag_is_said_and_nothing_is_kept(
    sign_in: SignIn, creator: User, brand: Brand, tags: str
) -> None:
    fields = {"brand": str(brand.pk), "name": "Morning", "tags": tags}
    response = sign_in(creator).post(url("block_new", "hashtags"), fields)
    assert response.status_code == 422
    assert not HashtagGroup.objects.exists()
    assert 'value="Morning"' in response.content.decode()


def test_a_name_is_there_once_in_a_brand(
    group: HashtagGroup, brand: Brand, other_brand: Brand, creator: User, sign_in: SignIn
) -> None:
    with pytest.raises(NameTaken):
        save_group(brand=brand, name="MORNING", tags=["x"], actor=creator, now=NOW)
    save_group(brand=other_brand, name="Morning", tags=["x"], actor=creator, now=NOW)
    fields = {"brand": str(brand.pk), "name": "morning", "tags": "x"}
    page = sign_in(creator).post(url("block_new", "hashtags"), fields)
    assert "has one of this name already" in page.content.decode()


def test_a_snippet_is_changed_and_deleted(sign_in: SignIn, creator: User, brand: Brand) -> None:
    snippet = save_snippet(brand=brand, name="Hours", text="Open at nine", actor=creator, now=NOW)
    client = sign_in(creator)
    assert "Open at nine" in client.get(url("blocks", "snippets")).content.decode()
    client.post(url("block", "snippets", block_id=snippet.pk), {"name": "Hours", "text": "Open\r\nat ten"})
    snippet.refresh_from_db()
    assert snippet.text == "Open\nat ten"
    client.post(url("block_delete", "snippets", block_id=snippet.pk))
    assert not Snippet.objects.exists()


def test_those_who_only_read_change_nothing(sign_in: SignIn, viewer: User, group: HashtagGroup) -> None:
    client = sign_in(viewer)
    page = client.get(url("blocks", "hashtags")).content.decode()
    assert "Morning" in page
    assert "Delete" not in page
    assert client.post(url("block_delete", "hashtags", block_id=group.pk)).status_code == 403
    assert client.post(url("block", "hashtags", block_id=group.pk), {"name": "x"}).status_code == 403
    assert client.post(url("block_new", "hashtags"), {"name": "x", "tags": "y"}).status_code == 403
    assert HashtagGroup.objects.get().name == "Morning"


def test_strangers_find_nothing(sign_in: SignIn, stranger: User, group: HashtagGroup, brand: Brand) -> None:
    client = sign_in(stranger)
    assert "Morning" not in client.get(url("blocks", "hashtags")).content.decode()
    assert client.post(url("block_delete", "hashtags", block_id=group.pk)).status_code == 404
    assert client.get(url("block", "hashtags", block_id=group.pk)).status_code == 404
    fields = {"brand": str(brand.pk), "name": "x", "tags": "y"}
    assert client.post(url("block_new", "hashtags"), fields).status_code == 422
    assert HashtagGroup.objects.count() == 1


def test_a_template_keeps_all_but_images(
    brand: Brand, creator: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    label = Label.objects.create(brand=brand, name="Weekly")
    draft = Draft(
        parts=(Part("Hello", (MediaUse(uuid.uuid4()),)), Part("Ask us", is_comment=True)),
        accounts=(sandbox_account.pk, second_account.pk),
        own_parts={second_account.pk: (Part("Only here"),)},
        labels=(label.pk,),
    )
    template = save_template(brand=brand, name="Weekly", draft=draft, actor=creator, now=NOW)
    assert [part["text"] for part in template.parts] == ["Hello", "Ask us"]
    assert template.parts[0]["media"] == []
    assert template.parts[1]["is_comment"]
    assert set(template.accounts.all()) == {sandbox_account, second_account}
    assert list(template.labels.all()) == [label]
    assert template.own_parts[str(second_account.pk)][0]["text"] == "Only here"


def test_a_template_of_the_same_name_is_replaced(brand: Brand, creator: User) -> None:
    save_template(brand=brand, name="Weekly", draft=Draft(parts=(Part("Old"),)), actor=creator, now=NOW)
    save_template(brand=brand, name="weekly", draft=Draft(parts=(Part("New"),)), actor=creator, now=NOW)
    assert [(row.name, row.words) for row in Template.objects.all()] == [("weekly", "New")]


def test_an_empty_post_makes_no_template(brand: Brand, creator: User) -> None:
    with pytest.raises(NothingToKeep):
        save_template(brand=brand, name="Weekly", draft=Draft(), actor=creator, now=NOW)
    assert not Template.objects.exists()


def test_a_template_gets_another_name(sign_in: SignIn, creator: User, brand: Brand) -> None:
    draft = Draft(parts=(Part("Hello"),))
    row = save_template(brand=brand, name="Weekly", draft=draft, actor=creator, now=NOW)
    client = sign_in(creator)
    assert client.get(url("block_new", "templates"))["Location"] == reverse("content_calendar:compose")
    client.post(url("block", "templates", block_id=row.pk), {"name": "Monthly"})
    row.refresh_from_db()
    assert (row.name, row.words) == ("Monthly", "Hello")


def test_the_form_of_a_block_says_what_it_is_about(
    sign_in: SignIn, creator: User, brand: Brand, group: HashtagGroup
) -> None:
    """A template has a "block" of its own, whose name is no title for anybody."""
    client = sign_in(creator)
    kept = save_template(
        brand=brand, name="Weekly", draft=Draft(parts=(Part("Words of it"),)), actor=creator, now=NOW
    )
    changed = client.get(url("block", "hashtags", block_id=group.pk)).content.decode()
    assert f"<h1>{group.name}</h1>" in changed
    assert "<h1>New hashtag group</h1>" in client.get(url("block_new", "hashtags")).content.decode()
    assert "Words of it" in client.get(url("block", "templates", block_id=kept.pk)).content.decode()


def test_lists_are_paged(sign_in: SignIn, creator: User, brand: Brand) -> None:
    Snippet.objects.bulk_create(
        Snippet(brand=brand, name=f"Snippet {number:02}", text="x") for number in range(51)
    )
    client = sign_in(creator)
    assert "Snippet 50" not in client.get(url("blocks", "snippets")).content.decode()
    assert "Snippet 50" in client.get(url("blocks", "snippets"), {"page": 2}).content.decode()
