"""What the composer's tools make of the page: threads, first comments, cards, words of the brand, names."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import responses
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import Brand, SocialAccount, User
from audience.models import Contact, Identity
from connectors.base import LinkCard
from content_calendar.content import Part, parts_from_json, parts_to_json
from content_calendar.models import Post, Template
from content_calendar.services.drafts import Draft, create_post
from content_calendar.services.scheduling import schedule_post
from content_calendar.services.writing import save_group, save_snippet, save_template
from core.bigrams import folded, grams
from outbox.models import Delivery
from tests.cast import make_account
from tests.content_calendar.conftest import LATER, NOW
from tests.content_calendar.test_composer import SignIn, form, send

pytestmark = pytest.mark.django_db

Change = Callable[..., str]


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def fresh() -> uuid.UUID:
    return uuid.uuid4()


@pytest.fixture
def change(sign_in: SignIn, creator: User, fresh: uuid.UUID) -> Change:
    client = sign_in(creator)

    def ask(data: dict[str, Any], wanted: str, name: str = "change") -> str:
        response = send(client, fresh, data | {"change": wanted}, name=name)
        assert response.status_code == 200, response.status_code
        return str(response.content.decode())

    return ask


# --- threads ----------------------------------------------------------------------------------


def test_a_text_too_long_is_split_by_the_tightest_network(
    change: Change, brand: Brand, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    text = "This sentence is about coffee at the harbour. " * 8  # 368 characters: Bluesky takes 300
    data = form(brand, sandbox_account, second_account, text=text)
    assert 'value="split:base.0"' in change(data, "", "check")
    page = change(data, "split:base.0")
    assert "2 / 2" in page
    assert 'value="split:' not in page
    alone = change(form(brand, sandbox_account, text=text), "split:base.0")
    assert "2 / 2" not in alone
    assert "(1/2)" in change(data, "number:base.0")


def test_the_card_of_a_split_part_stays_with_its_beginning(
    change: Change, brand: Brand, second_account: SocialAccount
) -> None:
    data = form(brand, second_account, text="Short words. " * 40)
    page = change(data | {"base.0.card_url": "https://example.com"}, "split:base.0")
    assert page.count('value="https://example.com"') == 1


def test_own_words_are_split_by_their_own_network(
    change: Change, brand: Brand, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    own = str(sandbox_account.pk)
    data = form(brand, sandbox_account, second_account) | {
        "custom": own,
        f"{own}.part": ["0"],
        f"{own}.0.text": "Short words here. " * 40,
    }
    page = change(data, f"split:{own}.0")
    assert page.count(f'name="{own}.part"') == 2
    assert page.count('name="base.part"') == 1


# --- first comment ------------------------------------------------------------------------------


def with_comment(brand: Brand, *accounts: SocialAccount, comment: str = "Ask us anything") -> dict[str, Any]:
    data = form(brand, *accounts)
    return data | {"base.part": ["0", "1"], "base.1.comment": "1", "base.1.text": comment}


def test_a_first_comment_is_added_once_and_stays_last(change: Change, brand: Brand) -> None:
    assert "Text of the first comment" in change(form(brand), "comment:base")
    page = change(with_comment(brand), "add:base")
    assert page.index("2 / 2") < page.index("Ask us anything")
    assert change(with_comment(brand), "comment:base").count("Text of the first comment") == 1
    assert "Ask us anything" not in change(with_comment(brand), "remove:base.1")


def test_a_comment_is_counted_checked_and_shown(
    change: Change, brand: Brand, second_account: SocialAccount
) -> None:
    page = change(with_comment(brand, second_account), "", "check")
    assert "First comment, right after the post" in page
    page = change(with_comment(brand, second_account, comment="x" * 301), "", "check")
    assert "First comment: Too long for Bluesky by 1 character" in page
    assert 'value="split:base.1"' not in page


def test_a_comment_is_frozen_as_the_last_part(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount
) -> None:
    parts = (Part("Hello"), Part("Ask us anything", is_comment=True))
    draft = Draft(parts=parts, accounts=(sandbox_account.pk,))
    post = create_post(brand=brand, author=creator, draft=draft, now=NOW)
    assert Draft.of_post(Post.objects.get()).parts == parts
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    frozen = Delivery.objects.get().payload["parts"]
    assert [(part["text"], part.get("is_comment", False)) for part in frozen] == [
        ("Hello", False),
        ("Ask us anything", True),
    ]


def test_an_empty_comment_is_not_sent(
    brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount
) -> None:
    draft = Draft(parts=(Part("Hello"), Part(" ", is_comment=True)), accounts=(sandbox_account.pk,))
    post = create_post(brand=brand, author=creator, draft=draft, now=NOW)
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    assert len(Delivery.objects.get().payload["parts"]) == 1


def test_parts_go_to_json_and_back() -> None:
    parts = (
        Part("Hello", link_card=LinkCard("https://example.com", "T", "D", "https://example.com/p.png")),
        Part("More", is_comment=True),
    )
    assert parts_from_json(parts_to_json(parts)) == parts
    assert parts_to_json((Part("Hello"),)) == [{"text": "Hello", "media": [], "link_card": None}]


# --- words of the brand -------------------------------------------------------------------------


def test_hashtags_and_snippets_go_to_the_end_without_scripts(
    change: Change, brand: Brand, creator: User
) -> None:
    group = save_group(brand=brand, name="Morning", tags=["coffee", "朝"], actor=creator, now=NOW)
    snippet = save_snippet(brand=brand, name="Hours", text="Open at nine.", actor=creator, now=NOW)
    page = change(form(brand), f"hashtags:base.0:{group.pk}")
    assert "Hello\n\n#coffee #朝</textarea>" in page
    assert 'data-insert="Open at nine."' in page
    assert "Hello Open at nine.</textarea>" in change(form(brand), f"snippet:base.0:{snippet.pk}")


def test_words_of_another_brand_are_not_there(
    change: Change, brand: Brand, other_brand: Brand, creator: User
) -> None:
    group = save_group(brand=other_brand, name="Morning", tags=["tea"], actor=creator, now=NOW)
    assert "#tea" not in change(form(brand), f"hashtags:base.0:{group.pk}")
    assert "Hello</textarea>" in change(form(brand), "hashtags:base.0:nonsense")


# --- templates ----------------------------------------------------------------------------------


@pytest.fixture
def template(brand: Brand, creator: User, sandbox_account: SocialAccount) -> Template:
    draft = Draft(parts=(Part("Weekly news"),), accounts=(sandbox_account.pk,))
    return save_template(brand=brand, name="Weekly", draft=draft, actor=creator, now=NOW)


def test_a_new_post_starts_from_a_template(
    sign_in: SignIn, creator: User, other_brand: Brand, template: Template, second_account: SocialAccount
) -> None:
    """Its brand comes with it."""
    page = sign_in(creator).get(reverse("content_calendar:compose"), {"template": str(template.pk)})
    text = page.content.decode()
    assert "Weekly news</textarea>" in text
    assert [choice.is_chosen for choice in page.context["choices"]] == [False, True]
    assert not Post.objects.exists()


def test_a_template_of_strangers_starts_nothing(
    sign_in: SignIn, stranger: User, other_organization: Any, template: Template
) -> None:
    Brand.objects.create(organization=other_organization, name="Elsewhere")
    page = sign_in(stranger).get(reverse("content_calendar:compose"), {"template": str(template.pk)})
    assert "Weekly news" not in page.content.decode()


def test_a_template_takes_the_place_of_a_draft(
    sign_in: SignIn, creator: User, brand: Brand, template: Template, fresh: uuid.UUID
) -> None:
    client = sign_in(creator)
    send(client, fresh, form(brand) | {"change": f"template:{template.pk}"})
    post = Post.objects.get(pk=fresh)
    assert post.excerpt == "Weekly news"
    assert post.variants.count() == 1


def test_a_post_is_kept_as_a_template_and_as_a_draft(
    sign_in: SignIn, creator: User, brand: Brand, sandbox_account: SocialAccount, fresh: uuid.UUID
) -> None:
    data = form(brand, sandbox_account) | {"action": "template", "template_name": " Weekly  news "}
    response = send(sign_in(creator), fresh, data)
    assert response.status_code == 302
    assert Post.objects.get(pk=fresh).excerpt == "Hello"
    template = Template.objects.get()
    assert (template.name, template.words) == ("Weekly news", "Hello")


@pytest.mark.parametrize(("name", "text"), [("", "Hello"), ("Weekly", "  ")])
def test_a_template_needs_a_name_and_words(
    sign_in: SignIn, creator: User, brand: Brand, fresh: uuid.UUID, name: str, text: str
) -> None:
    data = form(brand, text=text) | {"action": "template", "template_name": name}
    assert send(sign_in(creator), fresh, data).status_code == 422
    assert not Template.objects.exists()


# --- link cards ---------------------------------------------------------------------------------

PAGE = """<head><title>Old</title><meta property="og:title" content="The harbour at dawn">
<meta property="og:description" content="A walk"><meta property="og:image" content="/dawn.jpg"></head>"""


@responses.activate
def test_a_card_is_read_from_its_page_and_kept(
    change: Change, brand: Brand, second_account: SocialAccount
) -> None:
    responses.get("https://example.com/dawn", body=PAGE, content_type="text/html; charset=utf-8")
    page = change(form(brand, second_account, text="See https://example.com/dawn."), "card:base.0")
    for words in ("The harbour at dawn", "A walk", "https://example.com/dawn.jpg"):
        assert f'value="{words}"' in page
    fields = {
        "card_url": "https://example.com/dawn",
        "card_title": "Dawn",
        "card_image": "https://example.com/d.jpg",
    }
    data = form(brand, second_account) | {f"base.0.{name}": value for name, value in fields.items()}
    shown = change(data, "", "check")
    assert 'src="https://example.com/d.jpg"' in shown
    assert "Dawn" in shown


@responses.activate
def test_a_page_that_cannot_be_read_is_said_and_changes_nothing(change: Change, brand: Brand) -> None:
    responses.get("https://example.com/gone", status=404)
    page = change(form(brand, text="See https://example.com/gone"), "card:base.0")
    assert "https://example.com/gone could not be read." in page
    assert "See https://example.com/gone</textarea>" in page


@responses.activate
def test_without_scripts_a_page_that_cannot_be_read_is_said_after_saving(
    sign_in: SignIn, creator: User, brand: Brand, fresh: uuid.UUID
) -> None:
    responses.get("https://example.com/gone", status=404)
    client = sign_in(creator)
    data = form(brand, text="See https://example.com/gone") | {"change": "card:base.0"}
    saved = send(client, fresh, data)
    assert "could not be read" in client.get(saved.url).content.decode()


def test_private_addresses_are_not_read(change: Change, brand: Brand) -> None:
    data = form(brand) | {"base.0.card_url": "http://127.0.0.1/admin"}
    page = change(data, "card:base.0")
    assert "http://127.0.0.1/admin could not be read" in page


def test_without_a_link_there_is_nothing_to_read(change: Change, brand: Brand) -> None:
    assert "Write a link into the text" in change(form(brand), "card:base.0")


def test_a_card_is_dropped(change: Change, brand: Brand) -> None:
    data = form(brand) | {"base.0.card_url": "https://example.com", "base.0.card_title": "Title"}
    assert 'value="Title"' not in change(data, "nocard:base.0")


# --- names --------------------------------------------------------------------------------------


def know(brand: Brand, platform: str, handle: str, name: str) -> Identity:
    contact = Contact.objects.create(brand=brand, name=name, first_seen_at=NOW, last_seen_at=NOW)
    text = folded(handle, name)
    return Identity.objects.create(
        brand=brand,
        contact=contact,
        platform=platform,
        remote_id=handle,
        remote_key=handle,
        handle=handle,
        display_name=name,
        first_seen_at=NOW,
        last_seen_at=NOW,
        search_text=text,
        search_grams=grams(text),
    )


def handles(client: Client, brand: Brand, q: str, *accounts: SocialAccount) -> list[str]:
    query = {"q": q, "account": [str(account.pk) for account in accounts]}
    response = client.get(reverse("content_calendar:mentions", args=[brand.pk]), query)
    assert response.status_code == 200
    return [one["handle"] for one in response.json()["people"]]


def test_people_are_offered_on_the_networks_of_the_post(
    sign_in: SignIn, creator: User, brand: Brand, other_brand: Brand, second_account: SocialAccount
) -> None:
    sandbox = make_account(brand, handle="harbour_coffee")
    know(brand, "sandbox", "hanako", "Hanako Sato")
    know(brand, "bluesky", "hana.example.com", "佐藤花子")
    know(other_brand, "sandbox", "hanako_tea", "Hanako Tea")
    know(brand, "sandbox", "taro", "Taro")
    client = sign_in(creator)
    assert handles(client, brand, "hana", sandbox) == ["hanako"]
    assert set(handles(client, brand, "HANA", sandbox, second_account)) == {"hanako", "hana.example.com"}
    assert handles(client, brand, "花子", second_account) == ["hana.example.com"]
    assert handles(client, brand, "", sandbox) == ["harbour_coffee"]
    assert handles(client, brand, "hana") == []


def test_erased_people_are_not_offered(
    sign_in: SignIn, creator: User, brand: Brand, sandbox_account: SocialAccount
) -> None:
    row = know(brand, "sandbox", "hanako", "Hanako")
    Identity.objects.filter(pk=row.pk).update(erased_at=NOW)
    assert handles(sign_in(creator), brand, "hana", sandbox_account) == []


def test_names_are_for_those_who_write(
    sign_in: SignIn, viewer: User, stranger: User, brand: Brand, sandbox_account: SocialAccount
) -> None:
    address = reverse("content_calendar:mentions", args=[brand.pk])
    assert sign_in(viewer).get(address).status_code == 403
    assert sign_in(stranger).get(address).status_code == 404


def test_a_name_of_another_network_is_said_to_name_nobody(
    change: Change, brand: Brand, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    data = form(brand, sandbox_account, second_account, text="Thanks @hana.example.com")
    page = change(data, "", "check")
    assert "@hana.example.com names nobody on Sandbox: people are called like @name there." in page
    assert "names nobody on Bluesky" not in page
