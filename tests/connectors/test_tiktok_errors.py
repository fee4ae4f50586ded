"""TikTok's connector on canned answers: each line of the error table."""

from __future__ import annotations

import pytest
import responses

from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.tiktok import TikTokConnector
from tests.connectors import tiktok_stage
from tests.connectors.tiktok_stage import API, begin, film, photo, post, refusal

network = tiktok_stage.network
account = tiktok_stage.account

TABLE: list[tuple[int, str, type[ConnectorError], RejectReason | None]] = [
    (401, "access_token_invalid", NeedsReconnect, None),
    (401, "scope_not_authorized", NeedsReconnect, None),
    (403, "scope_permission_missed", NeedsReconnect, None),
    (429, "rate_limit_exceeded", RateLimited, None),
    (200, "rate_limit_exceeded", RateLimited, None),
    (403, "spam_risk_too_many_posts", Rejected, RejectReason.QUOTA_FULL),
    (403, "spam_risk_user_banned_from_posting", Rejected, RejectReason.FORBIDDEN),
    (403, "reached_active_user_cap", Rejected, RejectReason.QUOTA_FULL),
    (403, "unaudited_client_can_only_post_to_private_accounts", Rejected, RejectReason.FORBIDDEN),
    (403, "url_ownership_unverified", Rejected, RejectReason.MEDIA_NOT_PUBLIC),
    (403, "privacy_level_option_mismatch", Rejected, RejectReason.SETTING_INVALID),
    (400, "invalid_params", Rejected, RejectReason.INVALID),
    (200, "invalid_params", Rejected, RejectReason.INVALID),
    (403, "something_new", Rejected, RejectReason.FORBIDDEN),
]


@pytest.mark.parametrize(("status", "code", "kind", "reason"), TABLE)
def test_each_line_of_the_error_table(
    network: responses.RequestsMock,
    account: TikTokConnector,
    status: int,
    code: str,
    kind: type[ConnectorError],
    reason: RejectReason | None,
) -> None:
    network.post(f"{API}/v2/post/publish/video/init/", status=status, json=refusal(code))
    network.post(f"{API}/v2/post/publish/content/init/", status=status, json=refusal(code))
    for sent in (post(film()), post(photo("a"))):
        with pytest.raises(kind) as refused:
            begin(account, sent)
        assert getattr(refused.value, "reason", None) is reason
        assert code in refused.value.detail
        assert "TikTok's own words" in refused.value.detail


@pytest.mark.parametrize("status", [200, 500])
def test_an_error_inside_tiktok_is_a_doubt_only_for_what_publishes(
    network: responses.RequestsMock, account: TikTokConnector, status: int
) -> None:
    network.post(f"{API}/v2/post/publish/video/init/", status=status, json=refusal("internal_error"))
    network.post(f"{API}/v2/post/publish/content/init/", status=status, json=refusal("internal_error"))
    with pytest.raises(Temporary):
        begin(account, post(film()))
    with pytest.raises(OutcomeUnknown):
        begin(account, post(photo("a")))


def test_an_app_that_is_not_audited_is_told_what_to_do(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    code = "unaudited_client_can_only_post_to_private_accounts"
    network.post(f"{API}/v2/post/publish/video/init/", status=403, json=refusal(code))
    with pytest.raises(Rejected, match="TikTok has not audited this developer app yet"):
        begin(account, post(film()))
