"""Files of posts for networks that fetch them: signed addresses, and whether they can be reached."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import re
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
import responses
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from requests import ConnectionError as LostConnection

from accounts.models import Brand, User
from connectors import http
from connectors.base import PostPart, PostPayload
from connectors.errors import Rejected, RejectReason
from outbox.payloads import MediaContent, PartContent, freeze_post, thaw
from outbox.public_media import LIFETIME, PROBE, address_of, opened, unreachable
from outbox.reach import SENTENCES, Finding, last_reach
from outbox.services.reachability import check_public_media
from smmapp.environment import is_outside_address
from tests.content_calendar.boards import BoardsConnector

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
OUTSIDE = "https://files.example.com"
CONTENT = bytes(range(200))


@pytest.fixture(autouse=True)
def _own_media(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.PUBLIC_MEDIA_URL = OUTSIDE


@pytest.fixture
def stored() -> str:
    return default_storage.save("media/one.jpg", ContentFile(CONTENT))


def path_of(url: str) -> str:
    assert url.startswith(OUTSIDE)
    return url.removeprefix(OUTSIDE)


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


# --- one file, for some hours ---------------------------------------------------------------------


def test_an_address_is_good_for_days_where_receivers_go_on_fetching(stored: str) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        path = path_of(address_of(stored, "image/jpeg", served_days=30))
        clock.move_to(NOW + dt.timedelta(days=30) - dt.timedelta(seconds=1))
        assert body(Client().get(path)) == CONTENT
        clock.move_to(NOW + dt.timedelta(days=30))
        assert Client().get(path).status_code == 404


def test_the_address_gives_the_file_to_anybody(stored: str) -> None:
    path = path_of(address_of(stored, "image/jpeg"))
    response = Client().get(path)
    assert (response.status_code, body(response)) == (200, CONTENT)
    assert response["Content-Type"] == "image/jpeg"
    assert response["Content-Length"] == str(len(CONTENT))
    assert response["X-Robots-Tag"] == "noindex"
    assert not response.cookies
    head = Client().head(path)
    head.close()
    assert (head.status_code, head["Content-Length"], head["Content-Type"]) == (200, "200", "image/jpeg")


@pytest.mark.parametrize(
    ("asked", "status", "got"),
    [
        ("bytes=0-9", 206, CONTENT[:10]),
        ("bytes=190-", 206, CONTENT[190:]),
        ("bytes=-5", 206, CONTENT[-5:]),
        ("bytes=100-9999", 206, CONTENT[100:]),
        ("bytes=200-", 416, b""),
    ],
)
def test_it_is_given_in_pieces(stored: str, asked: str, status: int, got: bytes) -> None:
    response = Client().get(path_of(address_of(stored, "video/mp4")), headers={"Range": asked})
    assert response.status_code == status
    assert (body(response) if status == 206 else response.content) == got


def test_nobody_else_keeps_it_longer_than_the_address_is_good(stored: str) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        path = path_of(address_of(stored, "image/jpeg"))
        clock.move_to(NOW + dt.timedelta(hours=5))
        later = Client().get(path)
        assert (later["Cache-Control"], body(later)) == ("private, max-age=3600", CONTENT)
        clock.move_to(NOW + LIFETIME - dt.timedelta(seconds=1))
        assert body(Client().get(path)) == CONTENT
        clock.move_to(NOW + LIFETIME)
        assert Client().get(path).status_code == 404


def test_another_key_opens_nothing(stored: str, settings: Any) -> None:
    path = path_of(address_of(stored, "image/jpeg"))
    settings.SECRET_KEY = "another one"
    assert Client().get(path).status_code == 404


def test_each_sign_counts(stored: str) -> None:
    path = path_of(address_of(stored, "image/jpeg"))
    start = path.rindex("/") + 1
    for index in range(start, len(path) - 1):  # the last sign of base64 holds bits that say nothing
        other = "A" if path[index] != "A" else "B"
        assert opened(path[start:index] + other + path[index + 1 :], now=timezone.now()) is None


@given(st.text(max_size=80))
@hypothesis.settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_we_did_not_sign_opens_nothing(signed: str) -> None:
    assert opened(signed, now=NOW) is None


def test_a_file_that_is_gone_is_not_found(stored: str) -> None:
    path = path_of(address_of(stored, "image/jpeg"))
    default_storage.delete(stored)
    assert Client().get(path).status_code == 404
    assert Client().post(path).status_code == 405


def test_what_a_browser_could_run_is_offered_as_a_download(stored: str) -> None:
    response = Client().get(path_of(address_of(stored, "text/html")))
    assert body(response) == CONTENT
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == "attachment"


# --- what connectors are given ----------------------------------------------------------------------


def payload(**more: Any) -> PostPayload:
    media = MediaContent("a", "media/one.mp4", "video/mp4", 10, 10, 10, "", duration_s=3, **more)
    return thaw(freeze_post([PartContent("Hello", (media,))]))


def test_a_payload_names_the_files_of_its_media(stored: str) -> None:
    item = payload(cover_key=stored).parts[0].media[0]
    found = opened(item.address().rpartition("/")[2], now=timezone.now())
    assert found is not None
    assert (found.key, found.mime_type) == ("media/one.mp4", "video/mp4")
    assert item.cover_url is not None
    cover = Client().get(path_of(item.cover_url()))
    assert (cover["Content-Type"], body(cover)) == ("image/jpeg", CONTENT)
    assert payload().parts[0].media[0].cover_url is None


def test_without_a_public_address_there_is_none(settings: Any) -> None:
    settings.PUBLIC_MEDIA_URL = ""
    item = payload(cover_key="x").parts[0].media[0]
    assert item.cover_url is None
    with pytest.raises(Rejected) as refused:
        item.address()
    assert refused.value.reason is RejectReason.MEDIA_NOT_PUBLIC


@pytest.mark.parametrize(
    ("url", "is_outside"),
    [
        ("https://social.example.com", True),
        ("https://social.example.com:8443/smm", True),
        ("https://93.184.216.34", True),
        ("https://[2606:2800:220:1:248:1893:25c8:1946]", True),
        ("http://social.example.com", False),
        ("https://localhost", False),
        ("https://LOCALHOST.:8000", False),
        ("https://smm.local", False),
        ("https://smm.internal", False),
        ("https://server", False),
        ("https://127.0.0.1", False),
        ("https://10.1.2.3", False),
        ("https://192.168.1.4", False),
        ("https://169.254.1.1", False),
        ("https://100.64.0.1", False),
        ("https://[::1]", False),
        ("https://[fd00::1]", False),
        ("https://[broken", False),
        ("", False),
    ],
)
def test_which_addresses_lead_in_from_outside(url: str, is_outside: bool) -> None:
    assert is_outside_address(url) is is_outside


# --- can networks reach it? -------------------------------------------------------------------------


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What answers at the public address: this application itself, unless told otherwise."""
    # Names are looked up before anything is sent; there is no network in tests.
    monkeypatch.setattr(http, "_check_address", lambda *_, **__: ("https", "files.example.com", 443))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        yield mocked


def asks_us(request: Any) -> tuple[int, dict[str, str], bytes]:
    response = Client().get(request.path_url)
    return response.status_code, {"Content-Type": response["Content-Type"]}, response.content


def answer(mocked: Any, callback: Any) -> None:
    mocked.add_callback(responses.GET, re.compile(r"https://files\.example\.com/media/public/.*"), callback)


def test_our_own_answer_is_known(outside: Any) -> None:
    answer(outside, asks_us)
    reach = check_public_media(now=NOW)
    assert (reach.finding, reach.is_good) == (Finding.REACHED, True)
    assert OUTSIDE in reach.sentence
    assert last_reach() == reach


@pytest.mark.parametrize(
    ("given_back", "finding"),
    [
        ((404, {}, b"nothing here"), Finding.OTHER_ANSWER),
        ((200, {}, b"<html>A parked domain</html>"), Finding.OTHER_ANSWER),
        (LostConnection("refused"), Finding.NO_ANSWER),
    ],
)
def test_what_else_answers_is_said(outside: Any, given_back: Any, finding: Finding) -> None:
    def as_told(_request: Any) -> Any:
        if isinstance(given_back, Exception):
            raise given_back
        return given_back

    answer(outside, as_told)
    assert check_public_media(now=NOW).finding is finding


def test_a_private_address_is_told_apart() -> None:
    with override_settings(PUBLIC_MEDIA_URL="https://127.0.0.1:9"):
        assert check_public_media(now=NOW).finding is Finding.PRIVATE


def test_without_an_address_nothing_is_asked(settings: Any) -> None:
    settings.PUBLIC_MEDIA_URL = ""
    reach = check_public_media(now=NOW)
    assert reach.finding is Finding.NOT_SET
    assert "SMM_PUBLIC_MEDIA_URL" in reach.sentence


def test_every_finding_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Finding)


def test_a_probe_gives_away_no_file(stored: str) -> None:
    response = Client().get(path_of(address_of(stored, PROBE)))
    assert response.content == stored.encode()
    assert response["Cache-Control"] == "no-store"


def test_the_command_says_it_with_its_exit_code(outside: Any) -> None:
    answer(outside, asks_us)
    out = io.StringIO()
    call_command("check_public_media", stdout=out)
    assert OUTSIDE in out.getvalue()
    outside.reset()
    answer(outside, lambda _request: (502, {}, b""))
    with pytest.raises(CommandError, match="HTTP 502"):
        call_command("check_public_media")


def test_admins_ask_from_the_page(sign_in: SignIn, admin: User, brand: Brand, outside: Any) -> None:
    answer(outside, asks_us)
    client = sign_in(admin)
    assert "Ask our address now" in client.get(reverse("outbox:sending")).content.decode()
    page = client.post(reverse("outbox:check_media"), follow=True).content.decode()
    assert f"Files can be fetched from {OUTSIDE}." in page


def test_managers_do_not_ask(sign_in: SignIn, manager: User, brand: Brand) -> None:
    client = sign_in(manager)
    assert client.post(reverse("outbox:check_media")).status_code == 403
    assert last_reach() is None
    assert "Ask our address now" not in client.get(reverse("outbox:sending")).content.decode()


def test_a_payload_without_files_needs_no_address(settings: Any) -> None:
    settings.PUBLIC_MEDIA_URL = ""
    info = dataclasses.replace(BoardsConnector.INFO, takes_media_by_url=True)
    assert not list(unreachable(PostPayload(parts=(PostPart("Hello"),)), info))
    assert [one.reason for one in unreachable(payload(), info)] == [RejectReason.MEDIA_NOT_PUBLIC]
    assert not list(unreachable(payload(), BoardsConnector.INFO))
    # Where only images are fetched, a video needs nobody to reach us.
    images_only = dataclasses.replace(info, fetches_videos=False)
    assert not list(unreachable(payload(), images_only))
    picture = dataclasses.replace(payload().parts[0].media[0], mime_type="image/jpeg")
    pictures = PostPayload(parts=(PostPart("", media=(picture,)),))
    assert [one.reason for one in unreachable(pictures, images_only)] == [RejectReason.MEDIA_NOT_PUBLIC]
