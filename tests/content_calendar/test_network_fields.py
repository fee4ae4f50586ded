"""What a network asks of a post besides its words and media: from the page to what is sent."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import Brand, SocialAccount, User
from campaigns.models import TrackedLink
from connectors.base import PostField
from connectors.errors import NeedsReconnect, Rejected, RejectReason, Temporary
from content_calendar.answers import (
    answer_in_words,
    kept_answers,
    own_choices,
    said_in_words,
    sent_answers,
)
from content_calendar.content import MediaUse, Part
from content_calendar.models import (
    Approval,
    ApprovalRule,
    ApprovalRules,
    MediaAsset,
    MediaKind,
    Post,
    PostVersion,
    Template,
    Variant,
)
from content_calendar.selectors.approval import content_of, fingerprint
from content_calendar.selectors.checks import check_content
from content_calendar.selectors.receipts import post_view
from content_calendar.selectors.versions import content_diff
from content_calendar.services.approval import approve_own
from content_calendar.services.changes import Edit, draft_from_json, draft_to_json
from content_calendar.services.drafts import Draft, create_post, duplicate_post, save_draft
from content_calendar.services.evergreen import create_pool
from content_calendar.services.kept import draft_from, kept
from content_calendar.services.scheduling import NotReady, schedule_post, update_scheduled
from content_calendar.services.writing import save_template
from outbox.models import Delivery
from outbox.payloads import thaw
from tests.campaigns.conftest import make_campaign
from tests.content_calendar.boards import BoardsConnector, boards, has_fields
from tests.content_calendar.conftest import LATER, NOW
from tests.content_calendar.test_evergreen import facts

__all__ = ["boards"]
pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
SAID = {"board": "b1", "title": "Flat white"}


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def drafted(brand: Brand, author: User, account: SocialAccount, **said: Any) -> Post:
    draft = Draft(parts=(Part("Hello"),), accounts=(account.pk,), settings={account.pk: said})
    return create_post(brand=brand, author=author, draft=draft, now=NOW)


def messages(account: SocialAccount, **said: Any) -> list[str]:
    return [issue.message for issue in check_content(account, (Part("Hello"),), {}, said).issues]


def form(account: SocialAccount, *, asked: Any = ("title", "board"), **more: Any) -> dict[str, Any]:
    return {
        "brand": str(account.brand_id),
        "version": "0",
        "page": "this page",
        "account": [str(account.pk)],
        "base.part": ["0"],
        "base.0.text": "Hello",
        "asked": [f"{account.pk}.{name}" for name in asked],
        **more,
    }


# --- answers as values --------------------------------------------------------------------------


def test_only_what_is_asked_for_and_not_so_anyway_is_kept(boards: SocialAccount) -> None:
    given = {
        "title": "  Flat\n white\x00 ",
        "link": "shop.example.com/cups",
        "about": "One\r\nTwo ",
        "audience": "all",
        "is_advert": "true",
        "takes_comments": "",
        "duet": "",
        "unknown": "x",
    }
    assert kept_answers(boards.info, given) == {
        "title": "Flat white",
        "link": "https://shop.example.com/cups",
        "about": "One\nTwo",
        "is_advert": True,
        "takes_comments": False,
    }


def test_everything_that_holds_is_sent_the_defaults_too(boards: SocialAccount) -> None:
    said: dict[str, Any] = {"board": "b1", "takes_comments": False, "duet": "yes"}
    assert sent_answers(boards.info, said, has_video=False) == {
        "board": "b1",
        "audience": "all",
        "takes_comments": False,
    }
    assert sent_answers(boards.info, said, has_video=True)["duet"] == "yes"
    # What was sent says the same again.
    sent = sent_answers(boards.info, said, has_video=True)
    assert kept_answers(boards.info, sent) == said


def test_answers_are_told_by_their_labels(boards: SocialAccount) -> None:
    said: dict[str, Any] = {
        "board": "b2",
        "audience": "me",
        "is_advert": True,
        "takes_comments": False,
        "title": "",
    }
    assert said_in_words(boards.info, boards.options, said) == (
        ("Board", "Cups"),
        ("Who may see it", "Only me"),
        ("It is an advertisement", "Yes"),
        ("Comments are allowed", "No"),
    )


# --- checks -------------------------------------------------------------------------------------


def test_choices_that_a_network_names_by_codes_are_in_the_language_of_the_reader() -> None:
    field = PostField(
        "privacy", "Who can see it", kind="choice", is_of_account=True, choices=(("SELF_ONLY", "Only me"),)
    )
    options = {"choices": {"privacy": [["SELF_ONLY", "Only me"], ["p7", "Only me"]]}}
    with translation.override("ja"):
        # What is called alike by a person stays as it is called.
        assert own_choices(options, field) == (("SELF_ONLY", "自分のみ"), ("p7", "Only me"))
        assert answer_in_words(field, options, "SELF_ONLY") == "自分のみ"


def test_what_is_missing_or_wrong_is_named(boards: SocialAccount) -> None:
    assert messages(boards) == ["Boards: choose “Board”."]
    assert messages(boards, board="b1") == []
    assert messages(boards, board="gone") == [
        "Boards: what was chosen as “Board” is no longer there. Choose again."
    ]
    assert messages(boards, board="b1", title="x" * 22) == [
        "Boards: “Title” is too long by 2 characters (20 are allowed)."
    ]
    assert messages(boards, board="b1", link="ftp://x") == ["Boards: “Link” is not a web address."]


def test_a_board_is_taken_as_it_is_until_the_list_was_read(boards: SocialAccount) -> None:
    boards.options = {}
    assert messages(boards, board="anything") == []


def test_what_is_to_be_written_or_ticked_is_asked_for(
    boards: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = BoardsConnector.INFO.post_fields
    has_fields(
        [replace(one, is_required=True) for one in fields if one.name in ("title", "is_advert")], monkeypatch
    )
    assert messages(boards) == ["Boards: fill in “Title”.", "Boards: tick “It is an advertisement”."]


def test_fields_of_videos_are_asked_with_a_video_only(boards: SocialAccount, brand: Brand) -> None:
    video = MediaAsset(
        brand=brand,
        kind=MediaKind.VIDEO,
        mime_type="video/mp4",
        size=10,
        width=10,
        height=10,
        duration_ms=5000,
        frame_rate=30,
        video_codec="h264",
    )
    parts = (Part("Hello", (MediaUse(video.pk),)),)
    found = check_content(boards, parts, {video.pk: video}, {"board": "b1"}).issues
    assert "Boards: choose “Duets”." in [issue.message for issue in found]


def test_nothing_is_wrong_before_a_word_is_written(boards: SocialAccount) -> None:
    check = check_content(boards, (Part(""),), {}, {})
    assert not check.is_ready
    assert not check.is_wrong


# --- through the layers ---------------------------------------------------------------------------


def test_answers_are_saved_frozen_and_shown(brand: Brand, manager: User, boards: SocialAccount) -> None:
    post = drafted(brand, manager, boards, **SAID, audience="all")
    assert Variant.objects.get().settings == SAID
    assert Draft.of_post(post).settings == {boards.pk: SAID}
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    frozen = Delivery.objects.get().payload
    assert thaw(frozen).settings == {**SAID, "audience": "all", "takes_comments": True}
    # What is changed in the draft afterwards changes nothing of what goes out.
    Variant.objects.update(settings={"board": "b2"})
    assert post_view(post, now=NOW).variants[0].settings["board"] == "b1"


def test_a_missing_answer_keeps_the_post_off_the_schedule(
    brand: Brand, manager: User, boards: SocialAccount
) -> None:
    post = drafted(brand, manager, boards, title="Flat white")
    with pytest.raises(NotReady):
        schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    assert not Delivery.objects.exists()


def test_a_changed_answer_is_sent_instead(brand: Brand, manager: User, boards: SocialAccount) -> None:
    post = schedule_post(post=drafted(brand, manager, boards, **SAID), at=LATER, actor=manager, now=NOW)
    draft = replace(Draft.of_post(post), settings={boards.pk: {"board": "b2"}})
    update_scheduled(post=post, version=post.version, draft=draft, actor=manager, now=NOW)
    assert Delivery.objects.get().payload["settings"]["board"] == "b2"
    assert "title" not in Delivery.objects.get().payload["settings"]


def test_networks_that_ask_nothing_freeze_as_before(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    post = drafted(brand, manager, sandbox_account, board="b1")
    assert Variant.objects.get().settings == {}
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    assert "settings" not in Delivery.objects.get().payload


def test_an_answer_is_part_of_what_is_approved(brand: Brand, manager: User, boards: SocialAccount) -> None:
    ApprovalRules.objects.create(brand=brand, rule=ApprovalRule.INTERNAL)
    post = drafted(brand, manager, boards, **SAID)
    approve_own(post=post, seen=post.version, actor=manager, now=NOW)
    post.refresh_from_db()
    assert post.approval == Approval.READY
    # The default said aloud is no other content.
    same = replace(Draft.of_post(post), settings={boards.pk: {**SAID, "audience": "all"}})
    post = save_draft(post=post, version=post.version, draft=same, now=NOW, actor=manager)
    assert post.approval == Approval.READY
    other = replace(same, settings={boards.pk: {**SAID, "board": "b2"}})
    post = save_draft(post=post, version=post.version, draft=other, now=NOW)
    assert post.approval == Approval.DRAFT


def test_approvals_of_posts_that_say_nothing_still_hold(
    brand: Brand, manager: User, boards: SocialAccount
) -> None:
    content = content_of(drafted(brand, manager, boards))
    assert "settings" not in content
    assert fingerprint(content) == fingerprint(content | {"settings": {}})


def test_versions_tell_what_was_answered_otherwise(
    brand: Brand, manager: User, boards: SocialAccount
) -> None:
    post = schedule_post(post=drafted(brand, manager, boards, **SAID), at=LATER, actor=manager, now=NOW)
    before = PostVersion.objects.get().content
    assert before["settings"] == {str(boards.pk): SAID}
    draft = replace(Draft.of_post(post), settings={boards.pk: {"board": "b2", "is_advert": True}})
    update_scheduled(post=post, version=post.version, draft=draft, actor=manager, now=NOW)
    diff = content_diff(before, content_of(post), {})
    assert diff.is_changed
    assert [(one.label, one.before, one.after) for one in diff.settings] == [
        ("Title", "Flat white", ""),
        ("Board", "Recipes", "Cups"),
        ("It is an advertisement", "No", "Yes"),
    ]


def test_copies_templates_series_and_undo_keep_answers(
    brand: Brand, manager: User, boards: SocialAccount
) -> None:
    post = drafted(brand, manager, boards, **SAID)
    draft = Draft.of_post(post)
    copy = duplicate_post(post=post, actor=manager, now=NOW)
    assert Draft.of_post(copy).settings == {boards.pk: SAID}
    assert draft_from(kept(draft), brand, planned_at=LATER).settings == {boards.pk: SAID}
    assert draft_from_json(draft_to_json(draft)) == draft
    assert Edit(remove_accounts=(boards.pk,)).applied(draft).settings == {}
    save_template(brand=brand, name="Pins", draft=draft, actor=manager, now=NOW)
    assert Template.objects.get().settings == {str(boards.pk): SAID}


def test_what_was_kept_before_there_were_answers_is_read(brand: Brand, boards: SocialAccount) -> None:
    draft = Draft(parts=(Part("x"),), accounts=(boards.pk,))
    old = {key: value for key, value in kept(draft).items() if key != "settings"}
    assert draft_from(old, brand, planned_at=LATER).settings == {}
    undone = {key: value for key, value in draft_to_json(draft).items() if key != "settings"}
    assert draft_from_json(undone).settings == {}


def test_addresses_become_tracked_links(brand: Brand, manager: User, boards: SocialAccount) -> None:
    spring = make_campaign(brand, "Spring")
    draft = Draft(
        parts=(Part("Hello"),),
        accounts=(boards.pk,),
        settings={boards.pk: {"board": "b1", "link": "https://shop.example.com/cups"}},
        campaign=spring.pk,
    )
    post = create_post(brand=brand, author=manager, draft=draft, now=NOW)
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    link = TrackedLink.objects.get()
    assert link.original_url == "https://shop.example.com/cups"
    assert Delivery.objects.get().payload["settings"]["link"].endswith(link.code)
    assert Variant.objects.get().settings["link"] == "https://shop.example.com/cups"


def test_evergreen_posts_say_what_their_entry_says(
    sign_in: SignIn, brand: Brand, manager: User, boards: SocialAccount
) -> None:
    pool = create_pool(brand=brand, facts=facts(boards), actor=manager, now=NOW)
    post = drafted(brand, manager, boards, **SAID)
    new = reverse("content_calendar:entry_new", args=[pool.pk])
    client = sign_in(manager)
    # Words alone do not say the board.
    assert "choose “Board”" in client.post(new, {"text": ["Hello"]}).content.decode()
    assert client.post(f"{new}?post={post.pk}", {"text": ["Hello", "Hello again"]}).status_code == 302
    boards_of = {row.payload["settings"]["board"] for row in Delivery.objects.all()}
    assert boards_of == {"b1"}


# --- the page -------------------------------------------------------------------------------------


def test_the_page_asks_for_chosen_accounts_only(
    sign_in: SignIn, creator: User, brand: Brand, boards: SocialAccount, sandbox_account: SocialAccount
) -> None:
    client = sign_in(creator)
    address = reverse("content_calendar:compose")
    chosen = client.get(address, {"account": str(boards.pk)}).content.decode()
    assert f'name="asked" value="{boards.pk}.board"' in chosen
    assert "Details for Boards" in chosen
    assert '<option value="">Choose…</option>' in chosen
    assert f"{sandbox_account.pk}.setting" not in chosen
    other = client.get(address, {"account": str(sandbox_account.pk)}).content.decode()
    assert f"{boards.pk}.setting" not in other


def test_answers_of_the_page_are_saved_and_shown_again(
    sign_in: SignIn, creator: User, boards: SocialAccount
) -> None:
    client, pk = sign_in(creator), uuid.uuid4()
    sent = form(
        boards,
        asked=("title", "board", "takes_comments", "is_advert"),
        **{
            f"{boards.pk}.setting.title": "Flat white",
            f"{boards.pk}.setting.board": "b2",
            f"{boards.pk}.setting.is_advert": "true",
            # "takes_comments" is not ticked, so its box sends nothing.
        },
    )
    assert client.post(reverse("content_calendar:save", args=[pk]), sent).status_code == 302
    assert Variant.objects.get().settings == {
        "title": "Flat white",
        "board": "b2",
        "is_advert": True,
        "takes_comments": False,
    }
    page = client.get(reverse("content_calendar:edit", args=[pk])).content.decode()
    assert 'value="Flat white"' in page
    assert '<option value="b2" selected>Cups</option>' in page


def test_autosave_keeps_answers(sign_in: SignIn, creator: User, boards: SocialAccount) -> None:
    sent = form(boards, **{f"{boards.pk}.setting.board": "b2"})
    address = reverse("content_calendar:save", args=[uuid.uuid4()])
    assert sign_in(creator).post(address, sent, headers={"Accept": "application/json"}).status_code == 200
    assert Variant.objects.get().settings == {"board": "b2"}


def test_checks_name_what_is_missing_at_its_field(
    sign_in: SignIn, creator: User, boards: SocialAccount
) -> None:
    client = sign_in(creator)
    address = reverse("content_calendar:check", args=[uuid.uuid4()])
    page = client.post(address, form(boards)).content.decode()
    note = page.partition(f'id="setting-note-{boards.pk}-board"')[2].partition("</div></div>")[0]
    assert 'hx-swap-oob="true"' in note
    assert "choose “Board”" in note
    # It is no problem of the text.
    count = page.partition('id="count-base-0"')[2].partition("</div>\n")[0]
    assert "choose “Board”" not in count


def test_the_fields_come_with_the_account(sign_in: SignIn, creator: User, boards: SocialAccount) -> None:
    page = sign_in(creator).post(
        reverse("content_calendar:change", args=[uuid.uuid4()]), form(boards, asked=(), change="")
    )
    assert 'id="network-fields" hx-swap-oob="true"' in page.content.decode()
    assert "Details for Boards" in page.content.decode()


def test_answers_of_an_account_that_is_unticked_wait_on_the_page(
    sign_in: SignIn, creator: User, boards: SocialAccount
) -> None:
    sent = form(boards, **{f"{boards.pk}.setting.title": "Flat white"}) | {"account": []}
    page = sign_in(creator).post(reverse("content_calendar:change", args=[uuid.uuid4()]), sent)
    assert 'value="Flat white"' in page.content.decode()


def test_an_answer_longer_than_any_network_takes_is_refused_and_kept(
    sign_in: SignIn, creator: User, boards: SocialAccount
) -> None:
    sent = form(boards, **{f"{boards.pk}.setting.title": "x" * 10_001})
    response = sign_in(creator).post(reverse("content_calendar:save", args=[uuid.uuid4()]), sent)
    assert response.status_code == 422
    assert "x" * 10_001 in response.content.decode()
    assert not Post.objects.exists()


@pytest.mark.parametrize(
    "asked", ["nonsense", "x.board", f"{uuid.UUID(int=1)}.", f"{uuid.UUID(int=1)}.board"]
)
def test_nonsense_is_left_out(sign_in: SignIn, creator: User, boards: SocialAccount, asked: str) -> None:
    sent = form(boards, asked=()) | {"asked": [asked]}
    response = sign_in(creator).post(reverse("content_calendar:save", args=[uuid.uuid4()]), sent)
    assert response.status_code == 302
    assert Variant.objects.get().settings == {}


def test_a_template_fills_in_its_answers(
    sign_in: SignIn, creator: User, brand: Brand, boards: SocialAccount
) -> None:
    draft = Draft(parts=(Part("Pin"),), accounts=(boards.pk,), settings={boards.pk: SAID})
    kept_one = save_template(brand=brand, name="Pins", draft=draft, actor=creator, now=NOW)
    page = sign_in(creator).get(reverse("content_calendar:compose"), {"template": str(kept_one.pk)})
    assert 'value="Flat white"' in page.content.decode()


def test_the_page_of_a_post_tells_them(
    sign_in: SignIn, viewer: User, brand: Brand, manager: User, boards: SocialAccount
) -> None:
    post = drafted(brand, manager, boards, **SAID)
    page = sign_in(viewer).get(reverse("content_calendar:post", args=[post.pk])).content.decode()
    assert "<dt>Board</dt><dd>Recipes</dd>" in page


# --- the choices of an account ----------------------------------------------------------------------


def reload(client: Client, account: SocialAccount, *, name: str = "change", **more: Any) -> Any:
    sent = form(account, change=f"choices:{account.pk}", **more)
    return client.post(reverse(f"content_calendar:{name}", args=[uuid.uuid4()]), sent)


def test_the_list_is_read_again_on_request(
    sign_in: SignIn, creator: User, boards: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoardsConnector, "choices", {"board": [("b9", "New board")]})
    page = reload(sign_in(creator), boards, **{f"{boards.pk}.setting.title": "Kept"}).content.decode()
    assert '<option value="b9">New board</option>' in page
    assert 'value="Kept"' in page
    boards.refresh_from_db()
    assert boards.options["choices"] == {"board": [["b9", "New board"]]}


def test_a_network_that_does_not_answer_is_said_plainly_and_the_list_stays(
    sign_in: SignIn, creator: User, boards: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoardsConnector, "choices", Temporary("down"))
    page = reload(sign_in(creator), boards).content.decode()
    assert "Boards could not be reached" in page.partition("Details for Boards")[2]
    assert "Recipes" in page
    # Without scripts, too: the draft is saved and the page says it.
    client = sign_in(creator)
    response = reload(client, boards, name="save")
    assert response.status_code == 302
    assert "Boards could not be reached" in client.get(response["Location"]).content.decode()


def test_a_refused_list_is_told_with_its_reason(
    sign_in: SignIn, creator: User, boards: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoardsConnector, "choices", Rejected(RejectReason.FORBIDDEN))
    page = reload(sign_in(creator), boards).content.decode()
    assert "The network does not allow this account to do that." in page


def test_a_lost_connection_is_noted(
    sign_in: SignIn, creator: User, boards: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoardsConnector, "choices", NeedsReconnect("token"))
    assert "Reconnect the account" in reload(sign_in(creator), boards).content.decode()
    boards.refresh_from_db()
    assert not boards.is_active


def test_nobody_reloads_for_a_brand_that_is_not_theirs(
    sign_in: SignIn, viewer: User, stranger: User, boards: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoardsConnector, "choices", {"board": [("b9", "New board")]})
    assert reload(sign_in(viewer), boards).status_code == 403
    assert reload(sign_in(stranger), boards).status_code == 404
    boards.refresh_from_db()
    assert boards.options["choices"]["board"][0] == ["b1", "Recipes"]


def test_an_account_of_another_brand_is_not_asked(
    sign_in: SignIn, creator: User, other_brand: Brand, boards: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoardsConnector, "choices", {"board": [("b9", "New board")]})
    sent = form(boards, change=f"choices:{boards.pk}") | {"brand": str(other_brand.pk), "account": []}
    assert (
        sign_in(creator).post(reverse("content_calendar:change", args=[uuid.uuid4()]), sent).status_code
        == 200
    )
    boards.refresh_from_db()
    assert boards.options["choices"]["board"][0] == ["b1", "Recipes"]
