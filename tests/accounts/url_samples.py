"""Arguments for the URLs of accounts, for the walk over every URL (tests/walk.py)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from accounts.models import (
    ApiKey,
    AppRegistration,
    Brand,
    ConnectionOffer,
    Invitation,
    Membership,
    ReconnectLink,
    Role,
    SocialAccount,
    WebhookEndpoint,
    WebhookMessage,
    WebhookState,
)
from accounts.services.mails import unsubscribe_token
from accounts.services.members import hash_of
from accounts.services.webhooks import new_secret
from core.crypto import encrypt_json
from tests.cast import World, make_account, make_user

TOKEN = "the secret of an invitation"


def samples(world: World) -> dict[str, dict[str, Any]]:
    organization, brand = world.organization, world.brand
    account: SocialAccount = make_account(brand, platform="bluesky", handle="walked")
    archived = Brand.objects.create(organization=organization, name="Archived", is_archived=True)
    invitation = Invitation.objects.create(
        organization=organization,
        email="invited@example.com",
        role=Role.VIEWER,
        token_hash=hash_of(TOKEN),
        expires_at=world.now + dt.timedelta(days=3),
    )
    member = Membership.objects.create(organization=organization, user=make_user("walked"), role=Role.VIEWER)
    gone = Membership.objects.create(
        organization=organization, user=make_user("gone"), role=Role.VIEWER, is_active=False
    )
    key = ApiKey.objects.create(
        organization=organization,
        brand=brand,
        name="walked shop",
        prefix="smm_walked",
        secret_hash=hash_of("smm_walked"),
        scopes=["conversions"],
        created_at=world.now,
    )
    webhook = WebhookEndpoint.objects.create(
        organization=organization,
        brand=brand,
        name="walked pager",
        url="https://hooks.example.com/walked",
        kinds=["delivery_failed"],
        secret=encrypt_json({"secrets": [new_secret()]}),
        created_at=world.now,
    )
    message = WebhookMessage.objects.create(
        endpoint=webhook,
        kind="delivery_failed",
        dedupe_key="walked",
        body="{}",
        created_at=world.now,
        state=WebhookState.GIVEN_UP,
    )
    app = AppRegistration.objects.create(
        organization=organization,
        name="walked app",
        platform="facebook",
        redirect_uri="https://example.com/callback",
        secret=encrypt_json({"client_id": "1", "client_secret": "2", "extra": {}, "verify_token": "3"}),
        hook_key="walked",
    )
    offer = ConnectionOffer.objects.create(
        brand=brand,
        platform="facebook",
        app=app,
        actor=world.user,
        secret=encrypt_json({"connections": []}),
        created_at=world.now,
        expires_at=world.now + dt.timedelta(days=1),
    )
    link = ReconnectLink.objects.create(
        account=account,
        token_hash=hash_of(TOKEN),
        created_at=world.now,
        expires_at=world.now + dt.timedelta(days=1),
    )
    deeds = ("edit", "test", "secret", "off", "on", "delete")
    return {
        "accounts:webhook": {"pk": webhook.pk},
        **{f"accounts:webhook_{deed}": {"pk": webhook.pk} for deed in deeds},
        "accounts:webhook_again": {"pk": message.pk},
        "accounts:unsubscribe": {"token": unsubscribe_token(world.user, "account_lost")},
        "accounts:api_key_revoke": {"pk": key.pk},
        "accounts:invitation": {"token": TOKEN},
        "accounts:connect_network": {"platform": "bluesky"},
        "accounts:account_detail": {"pk": account.pk},
        "accounts:account_check": {"pk": account.pk},
        "accounts:account_reconnect": {"pk": account.pk},
        "accounts:account_disconnect": {"pk": account.pk},
        "accounts:connect_choose": {"pk": offer.pk},
        "accounts:reconnect_link_make": {"pk": account.pk},
        "accounts:reconnect_link_revoke": {"pk": link.pk},
        "accounts:reconnect_by_link": {"token": TOKEN},
        "accounts:network": {"platform": "bluesky"},
        "accounts:app_create": {"platform": "facebook"},
        "accounts:app_edit": {"pk": app.pk},
        "accounts:app_delete": {"pk": app.pk},
        "accounts:brand_edit": {"pk": brand.pk},
        "accounts:brand_archive": {"pk": brand.pk},
        "accounts:brand_restore": {"pk": archived.pk},
        "accounts:member_edit": {"pk": member.pk},
        "accounts:member_deactivate": {"pk": member.pk},
        "accounts:member_reactivate": {"pk": gone.pk},
        "accounts:invitation_resend": {"pk": invitation.pk},
        "accounts:invitation_revoke": {"pk": invitation.pk},
    }
