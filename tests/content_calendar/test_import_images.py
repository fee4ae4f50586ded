"""Images that a file names by their addresses: looked at, refused where nobody may look, fetched once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from unittest import mock

import pytest
from urllib3.util import connection as urllib3_connection

from accounts.models import Brand, SocialAccount, User
from connectors import http
from content_calendar.models import ImportImage, ImportRow, ImportState, MediaAsset, Post
from content_calendar.selectors.imports import asset_address
from content_calendar.services import import_images
from tests.content_calendar.conftest import NOW, image_bytes, make_image
from tests.content_calendar.importing import checked, imported, received, said, table, verdicts

pytestmark = pytest.mark.integration


class Server(BaseHTTPRequestHandler):
    """What other people's servers do with a request for an image."""

    asked: ClassVar[list[tuple[str, str]]] = []
    picture: ClassVar[bytes] = b""

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Range", "")))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.2:1/secret.jpg")
            self.end_headers()
        elif self.path == "/gone":
            self.answer(404, b"no")
        elif self.path == "/page":
            self.answer(200, b"<html>" + b"not an image " * 100)
        elif self.path == "/enormous":
            self.answer(200, self.picture + bytes(200_000), stated=400 * 1024**2)
        elif self.path == "/later-gone" and not self.headers.get("Range"):
            self.answer(410, b"")
        else:
            self.answer(200, self.picture)

    def answer(self, status: int, content: bytes, stated: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(stated or len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[str]:
    """A server on this machine that the operator has allowed, as no test may ask the world."""
    Server.asked = []
    Server.picture = image_bytes(size=(120, 80))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with allowed(f"127.0.0.1:{server.server_port}"):
        yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def allowed(*hosts: str) -> Iterator[None]:
    before = http._config.allowed_private_hosts
    http.configure(allowed_private_hosts=hosts)
    yield
    http.configure(allowed_private_hosts=before)


def rows(*urls: str) -> bytes:
    return table(
        ("text", "media", "alt", "accounts"),
        *((f"text {n}", url, "A cup", "all") for n, url in enumerate(urls)),
    )


def test_an_image_is_looked_at_once_by_its_beginning_and_fetched_once(
    brand: Brand, creator: User, sandbox_account: SocialAccount, host: str
) -> None:
    url = f"{host}/cup.jpg"
    batch = checked(brand, creator, rows(url, url, f"{url}?same=content"))
    assert [verdict for _number, verdict, _texts in verdicts(batch)] == ["ok"] * 3
    assert sorted(Server.asked) == [("/cup.jpg", "bytes=0-65535"), ("/cup.jpg?same=content", "bytes=0-65535")]
    assert not MediaAsset.objects.exists()
    image = ImportImage.objects.get(url=url)
    assert (image.mime_type, image.width, image.height) == ("image/jpeg", 120, 80)
    assert image.size == len(Server.picture)

    Server.asked.clear()
    batch = imported(batch, creator)
    assert batch.drafted == 3
    assert sorted(Server.asked) == [("/cup.jpg", ""), ("/cup.jpg?same=content", "")]
    asset = MediaAsset.objects.get()  # once by its content
    assert asset.original_name == "cup.jpg"
    for post in Post.objects.all():
        assert post.parts[0]["media"] == [{"asset": str(asset.pk), "alt": "A cup"}]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/gone", "There is nothing at this address."),
        ("/page", "There is no JPEG, PNG, WebP or GIF image that can be read."),
        ("/enormous", "The image is larger than 16 MB."),
        ("/moved", "This address may not be asked"),
    ],
)
def test_what_is_no_image_is_said_in_the_dry_run(
    brand: Brand, creator: User, sandbox_account: SocialAccount, host: str, path: str, words: str
) -> None:
    batch = checked(brand, creator, rows(f"{host}{path}"))
    assert words in said(batch)
    assert batch.refused == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/picture.jpg",
        "https://[::1]/picture.jpg",
        "https://10.0.0.8/picture.jpg",
        "https://169.254.169.254/latest/meta-data/",
        "https://0x7f.1/picture.jpg",
        "https://user:secret@example.com/picture.jpg",
        "http://example.com/picture.jpg",
        "https://inside.example/picture.jpg",  # a name that leads inside
    ],
)
def test_a_private_address_is_refused_and_never_asked(
    brand: Brand, creator: User, sandbox_account: SocialAccount, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.168.1.5", 443))]
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: inside)
    monkeypatch.setattr(urllib3_connection, "create_connection", lambda *given, **_: asked.append(given))
    batch = received(brand, creator, rows(url))
    import_images.look_at(batch=batch, urls=[url])
    import_images.fetch(batch=batch, urls=[url], actor=creator, now=NOW)
    problem = ImportImage.objects.get().problem
    assert asked == []
    assert "This address may not be asked" in problem or "no usable address" in problem


def test_an_image_that_is_gone_when_it_is_fetched_refuses_its_row_only(
    brand: Brand, creator: User, sandbox_account: SocialAccount, host: str
) -> None:
    batch = checked(brand, creator, rows(f"{host}/later-gone", f"{host}/fine"))
    assert batch.refused == 0
    batch = imported(batch, creator)
    assert (batch.drafted, batch.refused) == (1, 1)
    row = ImportRow.objects.get(number=2)
    assert (row.outcome, row.post) == ("refused", None)
    assert row.notes[-1]["text"] == "There is nothing at this address."


def test_all_or_nothing_is_given_back_when_an_image_is_gone(
    brand: Brand, creator: User, sandbox_account: SocialAccount, host: str
) -> None:
    batch = checked(brand, creator, rows(f"{host}/fine", f"{host}/later-gone"))
    batch = imported(batch, creator, whole=True)
    assert (batch.state, batch.problem_detail) == (ImportState.READY, "3")
    assert not Post.objects.exists()


def test_more_images_than_are_looked_at_are_said_and_fetched_all_the_same(
    brand: Brand, creator: User, sandbox_account: SocialAccount, host: str
) -> None:
    with mock.patch.object(import_images, "MOST_LOOKED_AT", 1):
        batch = checked(brand, creator, rows(f"{host}/1.jpg", f"{host}/2.jpg"))
    assert len(Server.asked) == 1
    assert [texts for _number, _verdict, texts in verdicts(batch)][1] == [
        f"{host}/2.jpg: It is looked at only when it is imported."
    ]
    assert imported(batch, creator).drafted == 2


def test_images_of_the_brand_are_known_by_their_addresses_here(
    brand: Brand, other_brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    ours = make_image(brand, creator)
    theirs = make_image(other_brand, creator)
    batch = checked(brand, creator, rows(asset_address(ours.pk), asset_address(theirs.pk)))
    found = verdicts(batch)
    assert found[0][1] == "ok"
    assert found[1][1] == "error"
    assert "This image is not among those of Harbour Coffee." in found[1][2][0]
    imported(batch, creator)
    assert Post.objects.get().parts[0]["media"][0]["asset"] == str(ours.pk)


def test_the_limits_of_a_network_count_for_images_that_are_not_fetched_yet(
    brand: Brand, manager: User, second_account: SocialAccount, host: str
) -> None:
    urls = " ".join(f"{host}/{n}.jpg" for n in range(5))
    header = ("text", "media", "accounts", "date", "time", "state")
    batch = checked(brand, manager, table(header, ("a", urls, "all", "2026-12-01", "9:00", "schedule")))
    assert "Bluesky takes 4 images in one post; there are 5." in said(batch)
