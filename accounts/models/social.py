"""Social accounts with their secrets, and our apps at the networks."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Brand, Membership, Organization, User
from core.handles import at
from core.ids import uuid7

if TYPE_CHECKING:
    from connectors.base import PlatformInfo


class AccountStatus(models.TextChoices):
    ACTIVE = "active", _("Connected")
    NEEDS_RECONNECT = "needs_reconnect", _("Needs reconnecting")
    DISCONNECTED = "disconnected", _("Disconnected")


class SocialAccountQuerySet(models.QuerySet["SocialAccount"]):
    def for_organization(self, organization: Organization) -> Self:
        return self.filter(brand__organization=organization)

    def for_brand(self, brand: Brand) -> Self:
        return self.filter(brand=brand)

    def for_member(self, membership: Membership) -> Self:
        accounts = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return accounts if membership.has_all_brands else accounts.filter(brand__members=membership)

    def connected(self) -> Self:
        return self.exclude(status=AccountStatus.DISCONNECTED)

    def expiring_before(self, instant: dt.datetime) -> Self:
        """Active accounts whose access token ends before ``instant``."""
        return self.filter(status=AccountStatus.ACTIVE, token_expires_at__lt=instant)


class SocialAccount(models.Model):
    """One account at one network, speaking for one brand. Its secrets are in Credential."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="social_accounts")
    platform = models.CharField(max_length=24)
    remote_id = models.CharField(max_length=255)
    handle = models.CharField(max_length=255)
    display_name = models.CharField(max_length=255, blank=True)
    avatar_url = models.URLField(max_length=1000, blank=True)
    profile_url = models.URLField(max_length=1000, blank=True)
    status = models.CharField(max_length=16, choices=AccountStatus, default=AccountStatus.ACTIVE)
    status_detail = models.TextField(blank=True)  # why it has no access: the network's words, or ours
    scopes = models.JSONField(default=list, blank=True)
    options = models.JSONField(default=dict, blank=True)  # Connected.options: host, software, server limits
    token_expires_at = models.DateTimeField(null=True, blank=True)
    # Until when the connection itself holds without a person: the refresh token's end, or null.
    connection_expires_at = models.DateTimeField(null=True, blank=True)
    connected_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    connected_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    # In the address of its webhook, where the network has one for each account ("" for none).
    hook_key = models.CharField(max_length=43, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SocialAccountQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["brand", "platform", "remote_id"], name="social_account_once_per_brand"
            ),
            models.UniqueConstraint(
                fields=["hook_key"], condition=~Q(hook_key=""), name="social_account_by_hook_key"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["token_expires_at"], name="account_active_expiry", condition=Q(status="active")
            )
        ]

    def __str__(self) -> str:
        return at(self.handle)

    @property
    def info(self) -> PlatformInfo:
        """What its network can do, with the limits of its own server."""
        from connectors.registry import info_for  # noqa: PLC0415 - models load before connectors are configured

        return info_for(self.platform, self.options)

    @property
    def is_active(self) -> bool:
        return self.status == AccountStatus.ACTIVE


class Credential(models.Model):
    """The encrypted tokens of one social account (core.crypto)."""

    account = models.OneToOneField(
        SocialAccount, on_delete=models.CASCADE, primary_key=True, related_name="credential"
    )
    secret = models.TextField()  # encrypted {"access_token", "refresh_token", "expires_at", "extra"}
    refreshed_at = models.DateTimeField()
    # The app that the tokens were given to; networks want it again when tokens are refreshed.
    app = models.ForeignKey("AppRegistration", on_delete=models.SET_NULL, null=True, related_name="+")
    # Until when one process may refresh these tokens; the others wait for what it stores.
    refreshing_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"credential of {self.account_id}"


class AppRegistrationQuerySet(models.QuerySet["AppRegistration"]):
    def for_member(self, membership: Membership) -> Self:
        """Those that people of the organization typed in; what we registered by API is nobody's."""
        return self.filter(organization_id=membership.organization_id)


class AppRegistration(models.Model):
    """Our developer app at one network or (Mastodon and kin) at one host: registered by API for the whole
    installation, or made by hand and typed in by an organization, which may have several."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Whose it is; null when it was registered by API.
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, null=True, related_name="+")
    name = models.CharField(max_length=120, blank=True)
    platform = models.CharField(max_length=24)
    host = models.CharField(max_length=255, blank=True)  # base URL; "" where a network has only one
    redirect_uri = models.CharField(max_length=500)
    # encrypted {"client_id", "client_secret", "extra"}; of one made by hand "verify_token", too
    secret = models.TextField()
    # In the address of its webhook, which says for which app a network calls; "" for none.
    hook_key = models.CharField(max_length=43, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AppRegistrationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["platform", "host", "redirect_uri"],
                condition=Q(organization__isnull=True),
                name="app_registration_once_per_host",
            ),
            models.UniqueConstraint(
                fields=["organization", "platform", "name"], name="app_registration_once_per_name"
            ),
            models.UniqueConstraint(
                fields=["hook_key"], condition=~Q(hook_key=""), name="app_registration_by_hook_key"
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.platform} {self.host}".strip()


class ConnectionOfferQuerySet(models.QuerySet["ConnectionOffer"]):
    def for_member(self, membership: Membership) -> Self:
        return self.filter(brand__organization_id=membership.organization_id, actor=membership.user)


class ConnectionOffer(models.Model):
    """What a sign-in at a network can speak for, until the person has chosen among it (a few minutes)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    platform = models.CharField(max_length=24)
    app = models.ForeignKey(AppRegistration, on_delete=models.CASCADE, null=True, related_name="+")
    actor = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    secret = models.TextField()  # encrypted {"connections": [...]}: profile, tokens, scopes, options of each
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    objects = ConnectionOfferQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="connection_offer_old")]

    def __str__(self) -> str:
        return f"accounts at {self.platform}"


class ReconnectLinkQuerySet(models.QuerySet["ReconnectLink"]):
    def for_member(self, membership: Membership) -> Self:
        return self.filter(account__in=SocialAccount.objects.for_member(membership))

    def open(self, now: dt.datetime) -> Self:
        return self.filter(used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now)

    def usable(self, now: dt.datetime) -> Self:
        """Those that lead somewhere now: of an archived brand nothing is renewed."""
        return self.open(now).filter(account__brand__is_archived=False)


class ReconnectLink(models.Model):
    """Lets somebody without a login renew one account's connection, once. The secret is in the address that
    they were sent, and nowhere else."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(SocialAccount, on_delete=models.CASCADE, related_name="reconnect_links")
    token_hash = models.CharField(max_length=64, unique=True)  # SHA-256 of the secret, hex
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ReconnectLinkQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="reconnect_link_old")]

    def __str__(self) -> str:
        return f"link to reconnect {self.account_id}"
