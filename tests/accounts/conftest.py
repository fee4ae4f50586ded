"""A network in memory, so that connecting is tested without any server."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest

from accounts.connecting import seal_tokens
from accounts.models import Brand, Credential, SocialAccount
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    AppSetup,
    AuthorizeRequest,
    Capability,
    Connected,
    ConnectField,
    ConnectMethod,
    Connector,
    Feature,
    ImageLimit,
    Json,
    PlatformInfo,
    PostMetrics,
    PostPayload,
    Profile,
    RemotePost,
    RetrySafety,
    Step,
    StepResult,
    TextLimit,
    TextUnit,
    Tokens,
)
from connectors.errors import NeedsReconnect, Rejected, RejectReason
from connectors.registry import CONNECTORS

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


@dataclasses.dataclass
class FakeNetwork:
    """What the network in memory knows, and what it was asked."""

    password: str = "right password"
    profile: Profile = dataclasses.field(
        default_factory=lambda: Profile(
            remote_id="fake-1", handle="harbour@fake.test", display_name="Harbour"
        )
    )
    access_token: str = "access-1"  # the one that it takes now
    refresh_token: str = "refresh-1"  # good for one use
    lifetime: dt.timedelta | None = dt.timedelta(hours=2)
    ends_at: dt.datetime | None = None
    code: str = "good-code"
    calls: list[str] = dataclasses.field(default_factory=list)
    error: Exception | None = None  # raised by the next call

    def asked(self, call: str) -> None:
        self.calls.append(call)
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def tokens(self) -> Tokens:
        return Tokens(
            access_token=self.access_token,
            refresh_token=self.refresh_token,
            expires_at=NOW + self.lifetime if self.lifetime else None,
            ends_at=self.ends_at,
        )

    def connected(self) -> Connected:
        return Connected(
            profile=self.profile,
            tokens=self.tokens(),
            scopes=("post",),
            options={"host": "https://fake.test"},
        )


class FakeConnector(Connector):
    """A network that is connected by a form; every method asks the FakeNetwork of the test."""

    network: ClassVar[FakeNetwork]
    INFO = PlatformInfo(
        key="fake",
        name="Fake",
        capabilities=frozenset({Capability.POST_TEXT, Capability.POST_IMAGES}),
        connect_method=ConnectMethod.FORM,
        connect_fields=(
            ConnectField("handle", "Handle", "text", "you.example.com"),
            ConnectField("password", "App password", "password"),
        ),
        scopes=("post",),
        text=TextLimit(300, TextUnit.GRAPHEMES),
        images=ImageLimit(4, 1_000_000, ("image/png",), 1500),
        thread_max=5,
        rates=(),
        retry_safety=RetrySafety.IDEMPOTENT,
        consistency_window_s=60,
        color="#0a7ea4",
        icon="flask",
    )

    @classmethod
    def connect(cls, fields: Mapping[str, str]) -> Connected:
        cls.network.asked("connect")
        if "unknown" in fields["handle"]:
            raise Rejected(RejectReason.HOST_UNKNOWN)
        if fields["password"] != cls.network.password:
            raise NeedsReconnect("Invalid identifier or password")
        return cls.network.connected()

    @classmethod
    def refresh(cls, *, tokens: Tokens, options: Mapping[str, Any], app: AppCredentials | None) -> Tokens:
        cls.network.asked(f"refresh {tokens.refresh_token}")
        if tokens.refresh_token != cls.network.refresh_token:
            raise NeedsReconnect("refresh token was used before")
        number = int(tokens.refresh_token.rpartition("-")[2]) + 1
        cls.network.access_token, cls.network.refresh_token = f"access-{number}", f"refresh-{number}"
        return cls.network.tokens()

    def fetch_profile(self) -> Profile:
        self.network.asked("profile")
        if self.tokens.access_token != self.network.access_token:
            if self.renew is None:
                raise NeedsReconnect("token expired")
            self.tokens = self.renew(self.tokens)
        return self.network.profile

    def plan(self, payload: PostPayload) -> tuple[Step, ...]:
        raise NotImplementedError

    def prepare_step(
        self, step: Step, payload: PostPayload, done: Mapping[str, StepResult], *, key: str, now: dt.datetime
    ) -> Json:
        raise NotImplementedError

    def send_step(self, step: Step, payload: PostPayload, intent: Json) -> StepResult:
        raise NotImplementedError

    def fetch_post(self, remote_id: str) -> RemotePost | None:
        raise NotImplementedError

    def fetch_account_metrics(self) -> AccountMetrics:
        raise NotImplementedError

    def fetch_post_metrics(self, remote_ids: Sequence[str]) -> dict[str, PostMetrics]:
        raise NotImplementedError


class FakeOAuthConnector(FakeConnector):
    """The same network reached by OAuth, with a host that the person names."""

    INFO = dataclasses.replace(
        FakeConnector.INFO,
        key="fake_oauth",
        name="Fake OAuth",
        connect_method=ConnectMethod.OAUTH,
        connect_fields=(ConnectField("host", "Server", "host", "mastodon.social"),),
    )

    @classmethod
    def register_app(cls, *, host: str, redirect_uri: str, app_name: str, website: str) -> AppCredentials:
        cls.network.asked(f"register {host}")
        if "unknown" in host:
            raise Rejected(RejectReason.HOST_UNKNOWN)
        if "127.0.0.1" in host:
            raise Rejected(RejectReason.HOST_REFUSED)
        return AppCredentials(client_id="client", client_secret="client secret", host=host)

    @classmethod
    def authorize_url(
        cls, *, app: AppCredentials, redirect_uri: str, state: str, scopes: Sequence[str] = ()
    ) -> AuthorizeRequest:
        return AuthorizeRequest(
            f"https://fake.test/authorize?client_id={app.client_id}&state={state}", code_verifier="verifier"
        )

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> Connected:
        cls.network.asked(f"exchange {app.client_secret} {code_verifier}")
        if code != cls.network.code:
            raise NeedsReconnect("invalid_grant")
        cls.network.code = ""  # a code is good for one use
        return cls.network.connected()


class FakeAppConnector(FakeOAuthConnector):
    """A network whose developer apps are made by hand, where one sign-in speaks for several pages."""

    INFO = dataclasses.replace(
        FakeConnector.INFO,
        key="fake_app",
        name="Fake App",
        connect_method=ConnectMethod.OAUTH,
        connect_fields=(),
        capabilities=FakeConnector.INFO.capabilities | {Capability.ACCOUNT_METRICS, Capability.WEBHOOKS},
        account_metrics=("followers",),
        scopes=("post", "numbers", "listen"),
        app=AppSetup(
            console_url="https://developers.fake.test/",
            steps=("Make an app.",),
            review="Show a film.",
            fields=(
                ConnectField(
                    "login", "Kind", "choice", choices=(("page", "By page"), ("person", "By person"))
                ),
            ),
        ),
        features=(
            Feature("publish", "Publish", ("post",), is_required=True),
            Feature("numbers", "Numbers", ("numbers",), frozenset({Capability.ACCOUNT_METRICS})),
            Feature("listen", "News", ("listen",), frozenset({Capability.WEBHOOKS})),
        ),
    )
    pages: ClassVar[tuple[str, ...]] = ("fake-1",)

    @classmethod
    def authorize_url(
        cls, *, app: AppCredentials, redirect_uri: str, state: str, scopes: Sequence[str] = ()
    ) -> AuthorizeRequest:
        cls.network.asked(f"authorize {app.client_id} {app.extra['login']} {' '.join(scopes)}")
        return AuthorizeRequest(f"https://fake.test/authorize?state={state}", code_verifier="verifier")

    @classmethod
    def exchange_accounts(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> tuple[Connected, ...]:
        one = cls.exchange_code(app=app, code=code, code_verifier=code_verifier, redirect_uri=redirect_uri)
        return tuple(
            dataclasses.replace(one, profile=Profile(page, f"{page}@fake.test", page.title()))
            for page in cls.pages
        )

    def fetch_profile(self) -> Profile:
        assert self.app is not None
        self.network.asked(f"profile with {self.app.client_secret}")
        return self.network.profile

    def subscribe(self) -> None:
        self.network.asked("subscribe")


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    """The state of the networks ``fake`` (form) and ``fake_oauth``, registered for this test."""
    network = FakeNetwork()
    monkeypatch.setattr(FakeConnector, "network", network, raising=False)
    monkeypatch.setitem(CONNECTORS, "fake", FakeConnector)
    monkeypatch.setitem(CONNECTORS, "fake_oauth", FakeOAuthConnector)
    monkeypatch.setitem(CONNECTORS, "fake_app", FakeAppConnector)
    return network


@pytest.fixture
def account(network: FakeNetwork, brand: Brand) -> SocialAccount:
    """A connected account of the network in memory."""
    row = SocialAccount.objects.create(
        brand=brand,
        platform="fake",
        remote_id="fake-1",
        handle="harbour@fake.test",
        token_expires_at=NOW + dt.timedelta(hours=2),
        connected_at=NOW,
        options={"host": "https://fake.test"},
    )
    Credential.objects.create(account=row, secret=seal_tokens(network.tokens()), refreshed_at=NOW)
    return row
