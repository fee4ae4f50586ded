"""Files of many posts: made in the background, by one worker at a time, for one member, for a while."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import Brand, Membership, Role, SocialAccount, User
from content_calendar import tasks
from content_calendar.models import ExportState, PostExport
from content_calendar.selectors.posts import PostFilter
from content_calendar.services import exports
from core.xlsx_reading import TableKind
from tests.cast import make_member
from tests.content_calendar.conftest import NOW, make_post

SignIn = Callable[[User], Any]
LIST = reverse("content_calendar:exports")
START = reverse("content_calendar:export_start")


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch, brand: Brand, manager: User, sandbox_account: SocialAccount) -> int:
    """More posts than are made into a file at once: three."""
    monkeypatch.setattr("content_calendar.views.exports.MOST_AT_ONCE", 2)
    for number in range(3):
        make_post(brand, manager, f"coffee {number}", sandbox_account)
    make_post(brand, manager, "tea", sandbox_account)
    return 3


def asked(user: User, brand: Brand | None, *, kind: TableKind = TableKind.CSV) -> PostExport:
    return exports.ask(
        membership=user.memberships.get(),
        brand=brand,
        query="",
        rows=1,
        kind=kind,
        language="en",
        now=NOW,
    )


def claimed(export: PostExport, now: dt.datetime = NOW) -> exports.Lease:
    lease = exports.claim(export_id=export.pk, now=now)
    assert lease is not None
    return lease


def made(export: PostExport) -> PostExport:
    exports.make(lease=claimed(export), wanted=PostFilter(), clock=lambda: NOW)
    export.refresh_from_db()
    return export


def url(name: str, export: PostExport) -> str:
    return reverse(f"content_calendar:export_{name}", args=[export.pk])


def files() -> list[str]:
    return default_storage.listdir("exports")[1] if default_storage.exists("exports") else []


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_many_posts_are_made_into_a_file_that_is_fetched_later(
    sign_in: SignIn,
    brand: Brand,
    manager: User,
    many: int,
    kind: str,
    celery_eager: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    client = sign_in(manager)
    response = client.get(reverse("content_calendar:export") + f"?q=coff&format={kind}")
    assert response.url.startswith(LIST)
    assert not PostExport.objects.exists()
    page = client.get(response.url).content.decode()
    assert "3 posts in one file" in page

    data = {"query": "q=coff", "brand": str(brand.pk), "format": kind}
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(START, data).url == LIST
    export = PostExport.objects.get()
    assert (export.state, export.rows, export.done) == (ExportState.DONE, many, many)
    assert url("file", export) in client.get(LIST).content.decode()
    file = client.get(url("file", export))
    content = b"".join(file.streaming_content)
    assert len(content) == export.size
    assert f'filename="{export.file_name}"' in file["Content-Disposition"]
    if kind == "csv":
        texts = [row["text"] for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig")))]
    else:
        (sheet,) = load_workbook(io.BytesIO(content)).worksheets
        header, *rows = sheet.iter_rows(values_only=True)
        texts = [row[header.index("text")] for row in rows]
    assert sorted(texts) == ["coffee 0", "coffee 1", "coffee 2"]


def test_few_posts_come_at_once(sign_in: SignIn, brand: Brand, manager: User, many: int) -> None:
    response = sign_in(manager).get(reverse("content_calendar:export") + "?q=tea")
    assert response.status_code == 200
    assert b"tea" in b"".join(response.streaming_content)
    assert not PostExport.objects.exists()


def test_the_page_shows_how_far_it_is_and_looks_again(sign_in: SignIn, brand: Brand, manager: User) -> None:
    export = asked(manager, brand)
    client = sign_in(manager)
    PostExport.objects.update(rows=4_000, done=1_500)
    page = client.get(LIST).content.decode()
    assert 'hx-trigger="every 2s"' in page
    assert 'max="4000" value="1500"' in page
    assert url("file", export) not in page
    part = client.get(LIST, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith("<div")
    made(export)
    assert "hx-trigger" not in client.get(LIST, headers={"HX-Request": "true"}).content.decode()


def test_the_file_of_a_worker_that_was_killed_is_not_left_behind(
    sign_in: SignIn, brand: Brand, manager: User, many: int
) -> None:
    export = asked(manager, brand)
    before = set(files())
    killed = mock.patch.object(exports, "_finish", side_effect=SystemExit)
    with killed, mock.patch.object(exports, "_drop"), pytest.raises(SystemExit):
        exports.make(lease=claimed(export), wanted=PostFilter(), clock=lambda: NOW)
    (left,) = set(files()) - before
    assert sign_in(manager).get(url("file", export)).status_code == 404  # perhaps half of it is there
    later = NOW + exports.LEASE + dt.timedelta(seconds=1)
    exports.make(lease=claimed(export, later), wanted=PostFilter(), clock=lambda: later)
    assert left not in files()
    file = sign_in(manager).get(url("file", export))
    assert b"tea" in b"".join(file.streaming_content)


def test_progress_is_told_while_rows_are_written(
    brand: Brand, manager: User, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_TOLD_EVERY", 1)
    told = []
    update = exports._update

    def watched(lease: exports.Lease, **values: Any) -> None:
        if "done" in values:
            told.append(values["done"])
        update(lease, **values)

    monkeypatch.setattr(exports, "_update", watched)
    made(asked(manager, brand))
    assert told == [0, 1, 2, 3, 4]


def test_a_file_is_of_whoever_asked_and_of_nobody_else(
    sign_in: SignIn, brand: Brand, manager: User, owner: User, stranger: User
) -> None:
    export = made(asked(manager, brand))
    for other in (owner, stranger):
        client = sign_in(other)
        assert client.get(url("file", export)).status_code == 404
        assert client.post(url("discard", export)).status_code == 404
        assert export.file_name not in client.get(LIST).content.decode()
    assert PostExport.objects.filter(pk=export.pk).exists()
    assert default_storage.exists(export.storage_key)


@pytest.mark.parametrize("of_one", [True, False])
def test_a_file_is_not_handed_out_to_who_may_no_longer_see_a_brand_of_it(
    sign_in: SignIn, brand: Brand, other_brand: Brand, manager: User, of_one: bool
) -> None:
    export = made(asked(manager, brand if of_one else None))
    client = sign_in(manager)
    assert b"".join(client.get(url("file", export)).streaming_content)
    Membership.objects.filter(user=manager).update(has_all_brands=False)
    manager.memberships.get().brands.add(other_brand)
    assert client.get(url("file", export)).status_code == 404


def test_a_brand_that_was_taken_away_meanwhile_is_not_written(
    brand: Brand, other_brand: Brand, manager: User
) -> None:
    export = asked(manager, brand)
    Membership.objects.filter(user=manager).update(has_all_brands=False)
    assert made(export).state == ExportState.FAILED
    assert files() == []


def test_a_brand_of_somebody_else_cannot_be_asked_for(sign_in: SignIn, brand: Brand, stranger: User) -> None:
    client = sign_in(stranger)
    assert client.post(START, {"brand": str(brand.pk)}).status_code == 404
    assert client.post(START, {"brand": "nonsense"}).status_code == 404
    assert not PostExport.objects.exists()


def test_a_file_that_could_not_be_made_is_asked_for_again(
    sign_in: SignIn,
    brand: Brand,
    manager: User,
    many: int,
    celery_eager: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    asked(manager, brand)
    PostExport.objects.update(state=ExportState.FAILED, query="q=coff", kind="xlsx")
    client = sign_in(manager)
    form = client.get(LIST).content.decode().split(f'action="{START}"')[1].split("</form>")[0]
    again = dict(re.findall(r'name="(query|brand|format)" value="([^"]*)"', form))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(START, again)
    newest = PostExport.objects.exclude(state=ExportState.FAILED).get()
    assert (newest.state, newest.query, newest.kind, newest.brand) == ("done", "q=coff", "xlsx", brand)


def test_only_one_worker_makes_a_file_and_a_late_one_leaves_nothing(brand: Brand, manager: User) -> None:
    export = asked(manager, brand)
    lease = claimed(export)
    assert exports.claim(export_id=export.pk, now=NOW) is None
    assert exports.waiting_for_work(now=NOW) == []
    late = NOW + exports.LEASE + dt.timedelta(seconds=1)
    assert exports.waiting_for_work(now=late) == [export.pk]
    second = claimed(export, late)
    with pytest.raises(exports.LeaseLost):
        exports.make(lease=lease, wanted=PostFilter(), clock=lambda: late)
    assert files() == []
    exports.make(lease=second, wanted=PostFilter(), clock=lambda: late)
    assert len(files()) == 1


def test_a_file_deleted_while_it_is_made_leaves_nothing(brand: Brand, manager: User) -> None:
    export = asked(manager, brand)
    lease = claimed(export)
    exports.discard(export=export)
    with pytest.raises(exports.LeaseLost):
        exports.make(lease=lease, wanted=PostFilter(), clock=lambda: NOW)
    assert files() == []


def test_a_file_that_takes_its_worker_along_each_time_is_given_up(brand: Brand, manager: User) -> None:
    export = asked(manager, brand)
    now = NOW
    for _attempt in range(exports.MOST_ATTEMPTS):
        assert exports.claim(export_id=export.pk, now=now)
        now += exports.LEASE + dt.timedelta(seconds=1)
    assert exports.claim(export_id=export.pk, now=now) is None
    export.refresh_from_db()
    assert export.state == ExportState.FAILED
    assert exports.waiting_for_work(now=now) == []


def test_nobody_fills_the_workers_with_files(sign_in: SignIn, brand: Brand, manager: User) -> None:
    client = sign_in(manager)
    with mock.patch.object(tasks.work_on_export, "delay_on_commit"):
        for _n in range(exports.MOST_UNDER_WAY + 1):
            response = client.post(START, {"brand": str(brand.pk)}, follow=True)
    assert PostExport.objects.count() == exports.MOST_UNDER_WAY
    assert "Wait until one is ready." in response.content.decode()


def test_files_go_when_they_are_deleted_or_old(sign_in: SignIn, brand: Brand, manager: User) -> None:
    first, second = made(asked(manager, brand)), made(asked(manager, brand))
    assert len(files()) == 2
    sign_in(manager).post(url("discard", first))
    assert files() == [second.storage_key.removeprefix("exports/")]
    assert exports.clean(now=NOW + exports.KEPT_FOR) == 0
    assert exports.clean(now=NOW + exports.KEPT_FOR + dt.timedelta(seconds=1)) == 1
    assert files() == []
    assert not PostExport.objects.exists()


def test_a_file_that_is_gone_is_not_found(sign_in: SignIn, brand: Brand, manager: User) -> None:
    export = made(asked(manager, brand))
    default_storage.delete(export.storage_key)
    assert sign_in(manager).get(url("file", export)).status_code == 404


def test_a_viewer_may_take_along_what_they_see(sign_in: SignIn, brand: Brand, many: int) -> None:
    viewer = make_member(brand.organization, "looker", Role.VIEWER)
    with mock.patch.object(tasks.work_on_export, "delay_on_commit"):
        sign_in(viewer).post(START, {"brand": str(brand.pk)})
    assert PostExport.objects.get().membership.user == viewer


def test_more_posts_than_fit_are_told_before_a_file_is_begun(
    sign_in: SignIn, brand: Brand, manager: User, many: int
) -> None:
    with mock.patch("content_calendar.selectors.exports.MOST_POSTS", 1):
        response = sign_in(manager).post(START, {"brand": str(brand.pk)})
    assert response.url.startswith(reverse("content_calendar:posts"))
    assert not PostExport.objects.exists()
