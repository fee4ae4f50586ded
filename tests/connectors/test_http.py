"""The HTTP door: what may be reached, what may have arrived, what may be logged."""

from __future__ import annotations

import datetime as dt
import ipaddress
import logging
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from connectors import http
from connectors.addresses import is_public_address
from connectors.errors import OutcomeUnknown, Rejected, RejectReason, Temporary
from tests.connectors.conftest import NOW, ok, redirect_to, scripted

# --- addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",  # noqa: S104 - as an address to connect to, it is this machine
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "198.18.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2001:0:1::1",
        "::127.0.0.1",
    ],
)
def test_address_that_is_not_public_is_known_as_such(address: str) -> None:
    assert not is_public_address(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"],
)
def test_public_address_is_known_as_such(address: str) -> None:
    assert is_public_address(address)


@given(st.ip_addresses(v=4))
def test_no_address_is_public_that_python_calls_private(address: ipaddress.IPv4Address) -> None:
    if address.is_private or address.is_multicast or address.is_loopback or address.is_link_local:
        assert not is_public_address(str(address)) or str(address).startswith("192.")


@pytest.mark.parametrize(
    ("typed", "server"),
    [
        ("mastodon.social", "https://mastodon.social"),
        ("  https://Mastodon.Social/@me  ", "https://mastodon.social"),
        ("@me@example.com", "https://example.com"),
        ("me@example.com", "https://example.com"),
        ("example.com:8443", "https://example.com:8443"),
        ("https://example.com:443/", "https://example.com"),
        ("例え.jp", "https://xn--r8jz45g.jp"),
    ],
)
def test_server_is_found_in_what_a_person_types(typed: str, server: str) -> None:
    assert http.server_url(typed) == server


@pytest.mark.parametrize(
    "typed",
    ["", "nonsense", "ftp://example.com", "https://me:pw@example.com/", "exa mple.com", "a\\b.com", "@me"],
)
def test_what_is_no_host_is_refused(typed: str) -> None:
    with pytest.raises(Rejected) as refused:
        http.server_url(typed)
    assert refused.value.reason is RejectReason.INVALID


def test_listed_development_server_is_spoken_to_without_tls() -> None:
    http.configure(allowed_private_hosts=["localhost:4000"])
    assert http.server_url("localhost:4000") == "http://localhost:4000"
    with pytest.raises(Rejected):
        http.server_url("localhost:4001")


# --- the guard --------------------------------------------------------------------------------


def call(url: str, *, method: str = "GET", **arguments: Any) -> requests.Response:
    return http.request(method, url, platform="test", **arguments)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "http://example.com/",
        "https://user:pw@example.com/",
        "https://user@127.0.0.1/",
    ],
)
def test_guarded_call_refuses_private_hosts_and_never_connects(url: str) -> None:
    with pytest.raises(Rejected) as refused:
        call(url, guard=True)
    assert refused.value.reason is RejectReason.HOST_REFUSED


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "file:///etc/passwd", "https://", "nonsense", "https://a b/", "[':']"]
)
def test_what_is_no_web_address_is_invalid(url: str) -> None:
    with pytest.raises(Rejected) as refused:
        call(url)
    assert refused.value.reason is RejectReason.INVALID


def test_host_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(2, 1, 6, "", (address, 443)) for address in ("1.1.1.1", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    with pytest.raises(Rejected) as refused:
        call("https://example.com/", guard=True)
    assert refused.value.reason is RejectReason.HOST_REFUSED


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1/", RejectReason.HOST_REFUSED),
        ("https://[::1]/", RejectReason.HOST_REFUSED),
        ("https://localhost/hook", RejectReason.HOST_REFUSED),
        ("http://example.com/", RejectReason.HOST_REFUSED),
        ("https://user:pw@example.com/", RejectReason.HOST_REFUSED),
        ("ftp://example.com/", RejectReason.INVALID),
        ("nonsense", RejectReason.INVALID),
        ("https://", RejectReason.INVALID),
    ],
)
def test_an_address_of_a_form_is_refused_as_a_call_would_be(url: str, reason: RejectReason) -> None:
    with pytest.raises(Rejected) as refused:
        http.check_guarded(url)
    assert refused.value.reason is reason


def test_an_address_of_a_form_may_be_public_or_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("1.1.1.1", 443))])
    http.check_guarded("https://example.com/hook?key=1")
    http.configure(allowed_private_hosts=["127.0.0.1:4000"])
    http.check_guarded("http://127.0.0.1:4000/hook")
    with pytest.raises(Rejected):
        http.check_guarded("http://127.0.0.1:4001/hook")


@pytest.mark.integration
def test_guarded_call_connects_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers with another address at the second look-up (DNS rebinding) is not asked twice."""
    with scripted(ok()) as server:
        http.configure(allowed_private_hosts=[])
        lookups: list[str] = []

        def rebinding(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
            if host == "rebind.example":
                lookups.append(host)
            address = (
                "127.0.0.1" if host in {"rebind.example", "127.0.0.1"} and len(lookups) < 2 else "10.0.0.1"
            )
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        monkeypatch.setattr(http, "is_public_address", lambda address: address == "127.0.0.1")
        with pytest.raises(Temporary):  # no TLS is spoken there, which shows where the call went
            call(f"https://rebind.example:{server.port}/", guard=True)
        assert (server.connections, lookups) == (1, ["rebind.example"])


def certificate(name: str, folder: Path) -> Path:
    """A certificate for ``name`` that signs itself, with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.integration
@pytest.mark.parametrize("name", ["safe.example", "other.example"])
def test_guarded_call_still_checks_the_certificate_against_the_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    pem = certificate("safe.example", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, server_name, _context: asked.append(server_name)

    def speak(conn: socket.socket) -> None:
        with context.wrap_socket(conn, server_side=True) as secure:
            secure.recv(65_536)
            secure.sendall(ok(b'{"a": 1}'))

    def here(_host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", here)
    monkeypatch.setattr(http, "is_public_address", lambda _: True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
    with scripted(raw=speak) as server:
        if name == "safe.example":
            assert call(f"https://{name}:{server.port}/", guard=True).json() == {"a": 1}
        else:
            with pytest.raises(Temporary, match="TLS"):
                call(f"https://{name}:{server.port}/", guard=True, changes=True)
    assert asked == [name]


@pytest.mark.integration
def test_unguarded_connection_is_not_reused_by_a_guarded_call() -> None:
    with scripted(ok()) as server:
        assert call(server.url).status_code == 200
        with pytest.raises(Rejected):
            call(server.url.replace("http", "https"), guard=True)
        with pytest.raises(Rejected):
            call(server.url, guard=True)
        assert len(server.requests) == 1


@pytest.mark.integration
def test_listed_private_host_is_reached() -> None:
    with scripted(ok(b'{"a": 1}')) as server:
        http.configure(allowed_private_hosts=[f"127.0.0.1:{server.port}"])
        assert call(server.url, guard=True).json() == {"a": 1}
        http.configure(allowed_private_hosts=["127.0.0.1:1"])
        with pytest.raises(Rejected):
            call(server.url, guard=True)


@pytest.mark.integration
def test_redirect_of_a_guarded_call_cannot_lead_inside() -> None:
    with scripted(ok()) as inside, scripted(redirect_to(f"http://localhost:{inside.port}/secret")) as outside:
        http.configure(allowed_private_hosts=[f"127.0.0.1:{outside.port}"])
        with pytest.raises(Rejected) as refused:
            call(outside.url, guard=True)
        assert refused.value.reason is RejectReason.HOST_REFUSED
        assert inside.requests == []


@pytest.mark.integration
def test_redirect_of_an_unguarded_call_to_another_host_is_guarded() -> None:
    with scripted(ok()) as inside, scripted(redirect_to(f"http://localhost:{inside.port}/secret")) as outside:
        with pytest.raises(Rejected):
            call(outside.url)
        assert inside.requests == []


@pytest.mark.integration
def test_redirect_to_another_host_loses_the_credentials() -> None:
    with scripted(ok()) as second, scripted(redirect_to(f"http://127.0.0.1:{second.port}/")) as first:
        http.configure(allowed_private_hosts=["127.0.0.1"])
        call(first.url, headers={"Authorization": "Bearer abcdefgh"}, guard=True)
        assert b"abcdefgh" in first.requests[0]
        assert b"abcdefgh" not in second.requests[0]


@pytest.mark.integration
def test_redirects_end_after_three() -> None:
    with scripted(redirect_to("/again")) as server:
        assert call(server.url).status_code == 302
        assert len(server.requests) == 1 + http.MAX_REDIRECTS


@pytest.mark.integration
@pytest.mark.parametrize(("method", "changes"), [("GET", True), ("POST", True), ("POST", False)])
def test_redirect_of_a_changing_or_posting_call_is_not_followed(method: str, changes: bool) -> None:
    with scripted(redirect_to("/again")) as server:
        assert call(server.url, method=method, changes=changes).status_code == 302
        assert len(server.requests) == 1


@pytest.mark.integration
def test_environment_does_not_touch_a_guarded_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither its proxies (they would look the name up unchecked) nor its .netrc."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with scripted(ok()) as server:
        http.configure(allowed_private_hosts=["127.0.0.1"])
        assert call(server.url, guard=True).status_code == 200
        assert b"authorization" not in server.requests[0].lower()


@pytest.mark.integration
def test_proxy_that_refuses_has_not_let_the_request_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said to the proxy (CONNECT) is not the request."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with scripted(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with pytest.raises(Temporary):
            call("https://example.com/", method="POST", headers={"X": "S3CRET"}, changes=True)
        assert [r.split(b" ")[0] for r in proxy.requests] == [b"CONNECT"]
        assert b"S3CRET" not in proxy.requests[0]


@pytest.mark.integration
def test_cookies_of_one_call_are_not_sent_with_the_next() -> None:
    with scripted(ok(b"{}", "Set-Cookie: session=abc")) as server:
        call(server.url)
        call(server.url)
        assert b"cookie" not in server.requests[1].lower()


# --- before or after sending ------------------------------------------------------------------


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.integration
@pytest.mark.parametrize("changes", [False, True])
def test_refused_connection_is_temporary(changes: bool) -> None:
    with pytest.raises(Temporary, match="connection refused"):
        call(f"http://127.0.0.1:{closed_port()}/", method="POST", changes=changes)


@pytest.mark.parametrize("guard", [False, True])
def test_unknown_name_is_temporary_and_says_so(monkeypatch: pytest.MonkeyPatch, guard: bool) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(http.HostNotFound, match="no such host"):
        call("https://nowhere.example/", method="POST", changes=True, guard=guard)


@pytest.mark.integration
def test_failed_tls_is_temporary_even_when_the_call_changes_something() -> None:
    with scripted(None) as server, pytest.raises(Temporary):
        call(server.url.replace("http", "https"), method="POST", changes=True)


@pytest.mark.integration
def test_connection_that_never_opens_is_temporary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CONNECT_TIMEOUT_S", 0.2)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = []
        for _ in range(4):  # the backlog fills up, then connecting hangs
            blocker = socket.socket()
            blocker.setblocking(False)
            blocker.connect_ex(("127.0.0.1", port))
            waiting.append(blocker)
        try:
            with pytest.raises(Temporary, match="timed out"):
                call(f"http://127.0.0.1:{port}/", method="POST", changes=True)
        finally:
            for blocker in waiting:
                blocker.close()


@pytest.mark.integration
@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf of it",
        b"this is not HTTP\r\n\r\n",
    ],
    ids=["dropped", "half a body", "nonsense"],
)
def test_answer_that_breaks_off_leaves_the_outcome_unknown(answer: bytes | None) -> None:
    def partly(conn: socket.socket) -> None:
        conn.sendall(answer or b"")

    with scripted(partly) as server:
        with pytest.raises(OutcomeUnknown):
            call(server.url, method="POST", json={"a": 1}, changes=True)
        assert len(server.requests) == 1, "a call that changes something is never repeated"
        with pytest.raises(Temporary):
            call(server.url, method="POST", json={"a": 1})
        assert len(server.requests) == 2, "nor is any other"


@pytest.mark.integration
def test_answer_that_breaks_off_in_its_header_is_no_usable_answer() -> None:
    """Python's HTTP client takes the half for the whole, so that an empty 200 arrives."""
    with scripted(lambda conn: conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")) as server:
        answer = call(server.url, method="POST", changes=True)
        with pytest.raises(OutcomeUnknown):
            http.json_object(answer)


@pytest.mark.integration
def test_answer_that_does_not_come_leaves_the_outcome_unknown() -> None:
    is_over = threading.Event()
    with scripted(lambda _: is_over.wait(5)) as server:
        with pytest.raises(OutcomeUnknown, match="no answer in time"):
            call(server.url, method="POST", changes=True, timeout_s=0.2)
        with pytest.raises(Temporary, match="no answer in time"):
            call(server.url, timeout_s=0.2)
        is_over.set()


@pytest.mark.integration
def test_kept_connection_that_the_server_closed_is_replaced_without_a_word() -> None:
    def answer_and_close(conn: socket.socket) -> None:
        conn.sendall(ok())

    with scripted(answer_and_close) as server:
        call(server.url)
        time.sleep(0.05)  # the server's FIN is here now
        assert call(server.url, method="POST", changes=True).status_code == 200
        assert (server.connections, len(server.requests)) == (2, 2)


@pytest.mark.integration
def test_connection_that_lay_idle_is_opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(ok()) as server:
        call(server.url)
        call(server.url)
        assert server.connections == 1, "busy connections are kept"
        monkeypatch.setattr(http, "MAX_IDLE_S", 0.0)
        call(server.url, method="POST", changes=True)
        assert server.connections == 2


@pytest.mark.integration
def test_each_thread_has_connections_of_its_own() -> None:
    with scripted(ok()) as server:
        call(server.url)
        thread = threading.Thread(target=call, args=(server.url,))
        thread.start()
        thread.join()
        assert server.connections == 2


@responses.activate
@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (requests.ConnectTimeout(), Temporary),
        (requests.exceptions.SSLError(), Temporary),
        (requests.ReadTimeout(), OutcomeUnknown),
        (requests.exceptions.ChunkedEncodingError(), OutcomeUnknown),
        (requests.ConnectionError(ConnectionResetError()), OutcomeUnknown),
        (requests.ConnectionError(ConnectionRefusedError()), Temporary),
    ],
)
def test_kind_of_failure_alone_tells_before_from_after(raised: Exception, expected: type) -> None:
    responses.post("https://example.com/", body=raised)
    with pytest.raises(expected):
        call("https://example.com/", method="POST", changes=True)


@pytest.mark.integration
@pytest.mark.parametrize("changes", [False, True])
def test_answer_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch, changes: bool) -> None:
    monkeypatch.setattr(http, "MAX_RESPONSE_BYTES", 1000)
    expected = OutcomeUnknown if changes else Temporary
    with scripted(ok(b"x" * 2000)) as server, pytest.raises(expected, match="too large"):
        call(server.url, method="POST", changes=changes)


# --- reading answers --------------------------------------------------------------------------


@responses.activate
@pytest.mark.parametrize("body", ["", "<html>Bad gateway</html>", "{", '"text"', "3", "null", "[" * 100_000])
def test_answer_without_json_is_a_fault_of_the_server(body: str) -> None:
    responses.get("https://example.com/", body=body)
    with pytest.raises(Temporary):
        http.json_body(call("https://example.com/"))
    with pytest.raises(OutcomeUnknown):
        http.json_body(call("https://example.com/", changes=True))


@responses.activate
def test_object_and_list_are_told_apart() -> None:
    responses.get("https://example.com/list", json=[{"a": 1}])
    responses.get("https://example.com/object", json={"a": 1})
    responses.get("https://example.com/numbers", json=[1])
    assert http.json_objects(call("https://example.com/list")) == [{"a": 1}]
    assert http.json_object(call("https://example.com/object")) == {"a": 1}
    for read, path in (
        (http.json_object, "list"),
        (http.json_objects, "object"),
        (http.json_objects, "numbers"),
    ):
        with pytest.raises(Temporary):
            read(call(f"https://example.com/{path}"))


@responses.activate
def test_member_that_an_answer_does_not_have_is_a_fault_of_the_server() -> None:
    responses.get("https://example.com/", json={"a": {"b": [{}]}})
    with pytest.raises(Temporary, match="without 'id'"):
        http.json_object(call("https://example.com/"))["a"]["b"][0]["id"]
    with pytest.raises(OutcomeUnknown, match="without 'id'"):
        http.json_object(call("https://example.com/", changes=True))["id"]


@responses.activate
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", NOW + dt.timedelta(seconds=120)),
        ("0.5", NOW + dt.timedelta(seconds=0.5)),
        ("-3", NOW),
        ("Sun, 22 Nov 2026 12:01:00 GMT", NOW + dt.timedelta(minutes=1)),
        ("Sun, 22 Nov 2020 12:01:00 GMT", NOW),
        ("99999999999", NOW + http.LONGEST_WAIT),
        ("Fri, 31 Dec 9999 23:59:59 GMT", NOW + http.LONGEST_WAIT),
        ("inf", NOW + dt.timedelta(seconds=7)),
        ("nan", NOW + dt.timedelta(seconds=7)),
        ("soon", NOW + dt.timedelta(seconds=7)),
        ("", NOW + dt.timedelta(seconds=7)),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(header: str, expected: dt.datetime) -> None:
    responses.get("https://example.com/", headers={"Retry-After": header})
    assert http.retry_after(call("https://example.com/"), now=NOW, default_s=7) == expected


@pytest.mark.parametrize(
    "text",
    [
        '{"access_token": "S3CRET-abc", "scope": "read"}',
        "{'refreshJwt': 'S3CRET-abc'}",
        "grant_type=x&client_secret=S3CRET-abc&code=S3CRET-abc",
        "https://example.com/cb?code=S3CRET-abc&state=1",
        "Authorization: Bearer S3CRET-abc.def",
        "Authorization: Basic S3CRETabc==",
        "https://me:S3CRET-abc@example.com/x",
        "password=S3CRET-abc",
    ],
)
def test_secrets_are_taken_out_of_text(text: str) -> None:
    assert "S3CRET" not in http.redact(text)


def test_app_passwords_and_web_tokens_are_taken_out_of_text() -> None:
    assert http.redact("abcd-ef12-gh34-ij56 and eyJhbGciOi.eyJzdWIiOi.sig_-1") == "*** and ***"
    assert http.redact("it was opaque123", "opaque123") == "it was ***"


def test_ordinary_words_stay_in_redacted_text() -> None:
    text = "Validation failed: Text character limit of 500 exceeded (code 422)"
    assert http.redact(text) == text


@responses.activate
def test_excerpt_takes_out_the_token_that_was_sent() -> None:
    responses.get("https://example.com/", json={"error": "token zzz-opaque-1 is unknown"}, status=401)
    answer = call("https://example.com/", headers={"Authorization": "Bearer zzz-opaque-1"})
    assert http.excerpt(answer) == "HTTP 401 token *** is unknown"


@pytest.mark.parametrize("name", ["secret", "auth_code", "refresh_token"])
def test_excerpt_takes_out_secrets_before_it_is_cut(name: str) -> None:
    secret = "s3cr3t-" * 6
    with responses.RequestsMock() as network:
        network.post("https://x.test/", status=400, json={"message": "x" * 290 + secret})
        answer = http.request(
            "POST", "https://x.test/", platform="x", json={name: secret}, headers={"Access-Token": "t0k3n-7"}
        )
    assert "s3cr3t" not in http.excerpt(answer)


@responses.activate
def test_excerpt_of_a_page_has_no_tags() -> None:
    responses.get("https://example.com/", body="<html><script>x()</script><h1>Bad  gateway</h1>", status=502)
    assert http.excerpt(call("https://example.com/")) == "HTTP 502 Bad gateway"


@responses.activate
def test_log_has_neither_query_nor_headers_nor_body(caplog: pytest.LogCaptureFixture) -> None:
    responses.post("https://example.com/path", json={"access_token": "ANSWER-S3CRET"})
    with caplog.at_level(logging.DEBUG):
        call(
            "https://example.com/path",
            method="POST",
            params={"q": "QUERY-S3CRET"},
            headers={"Authorization": "Bearer HEADER-S3CRET"},
            form={"password": "FORM-S3CRET"},
        )
    assert "POST example.com /path -> 200" in caplog.text
    assert "S3CRET" not in caplog.text


def test_configured_address_replaces_the_usual_one() -> None:
    http.configure(base_urls={"bluesky.plc": "http://127.0.0.1:2582/", "empty": ""})
    assert http.base_url("bluesky.plc", "https://plc.directory") == "http://127.0.0.1:2582"
    assert http.base_url("empty", "https://example.com/") == "https://example.com"
