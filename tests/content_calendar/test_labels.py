"""Labels: words by which a brand sorts its posts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from accounts.models import Brand, SocialAccount, User
from content_calendar.models import Label, Post
from content_calendar.services.drafts import Draft, LabelUnknown, create_post, duplicate_post, save_draft
from tests.content_calendar.conftest import NOW
from tests.content_calendar.test_composer import autosave, form, send

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def label(brand: Brand) -> Label:
    return Label.objects.create(brand=brand, name="Recipes")


def test_a_name_exists_once_in_a_brand_however_it_is_written(brand: Brand, label: Label) -> None:
    with pytest.raises(IntegrityError):
        Label.objects.create(brand=brand, name="RECIPES")


def test_a_draft_keeps_its_labels_and_gives_them_to_its_copy(
    brand: Brand, creator: User, label: Label
) -> None:
    post = create_post(brand=brand, author=creator, draft=Draft(labels=(label.pk,)), now=NOW)
    assert Draft.of_post(post).labels == (label.pk,)
    assert list(duplicate_post(post=post, actor=creator, now=NOW).labels.all()) == [label]
    save_draft(post=post, version=post.version, draft=Draft(), now=NOW)
    assert not post.labels.exists()


def test_a_label_of_another_brand_is_refused(brand: Brand, creator: User, other_brand: Brand) -> None:
    other = Label.objects.create(brand=other_brand, name="Theirs")
    with pytest.raises(LabelUnknown):
        create_post(brand=brand, author=creator, draft=Draft(labels=(other.pk,)), now=NOW)
    assert not Post.objects.exists()


def test_the_composer_offers_and_keeps_labels(
    sign_in: SignIn, creator: User, brand: Brand, label: Label, sandbox_account: SocialAccount
) -> None:
    client = sign_in(creator)
    assert "Recipes" in client.get(reverse("content_calendar:compose")).content.decode()
    fresh = uuid.uuid4()
    answer = autosave(client, fresh, form(brand, sandbox_account, label=[str(label.pk)]))
    assert answer.status_code == 200
    assert list(Post.objects.get(pk=fresh).labels.all()) == [label]
    page = client.get(reverse("content_calendar:edit", args=[fresh])).content.decode()
    assert f'value="{label.pk}" checked' in page


@pytest.mark.parametrize("more", [{"action": "draft"}, {"change": "add:base"}, {"action": "copy"}])
def test_a_label_that_was_deleted_meanwhile_is_explained_and_the_words_kept(
    sign_in: SignIn, creator: User, brand: Brand, label: Label, more: dict[str, str]
) -> None:
    gone = str(label.pk)
    label.delete()
    answer = send(sign_in(creator), uuid.uuid4(), form(brand, text="Precious", label=[gone], **more))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "A label was deleted meanwhile" in page
    assert "Precious" in page
    assert not Post.objects.exists()
