"""Arguments for the URLs of ad accounts, for tests/walk.py."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from accounts.connecting import seal_tokens
from accounts.services.apps import AppFacts, add_app
from campaigns.models import AdAccount, AdCredential
from connectors.ads.base import AdAccount as RemoteAccount
from connectors.base import Tokens
from tests.cast import World


def samples(world: World) -> dict[str, dict[str, Any]]:
    app = add_app(
        organization=world.organization,
        platform="tiktok_ads",
        facts=AppFacts(name="walked", client_id="1", client_secret="s"),
        redirect_uri="https://example.com/back/",
        actor=world.user,
        now=world.now,
    )
    credential = AdCredential.objects.create(
        organization=world.organization,
        platform="tiktok_ads",
        secret=seal_tokens(Tokens("t0ken")),
        app=app,
        offered=[asdict(RemoteAccount("1", "walked", "EUR", "UTC"))],
        refreshed_at=world.now,
        created_by=world.user,
        created_at=world.now,
    )
    account = AdAccount.objects.create(
        brand=world.brand,
        platform="tiktok_ads",
        remote_id="1",
        name="walked",
        currency="EUR",
        time_zone="UTC",
        window="as_set",
        connected_at=world.now,
    )
    return {
        "campaigns:ad_choose": {"credential_id": credential.pk},
        **{f"campaigns:ad_app_{name}": {"app_id": app.pk} for name in ("edit", "delete")},
        **{
            f"campaigns:ad_{name}": {"account_id": account.pk}
            for name in ("account", "assign", "import", "disconnect")
        },
    }
