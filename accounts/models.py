"""Who works here, for whom, with which social accounts."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlsplit

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.ids import uuid7
from core.time import instant_of, to_local

if TYPE_CHECKING:
    from connectors.base import PlatformInfo


class UserQuerySet(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """One person who signs in, by e-mail address; may belong to several organizations."""

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserQuerySet] = UserQuerySet()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def for_user(self, user: User) -> Self:
        return self.filter(memberships__user=user, memberships__is_active=True)


class Organization(models.Model):
    """One company or agency: the wall that nothing crosses."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrganizationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


def office_hours() -> dict[str, list[list[str]]]:
    """Monday to Friday, 9 to 17."""
    return {str(day): [["09:00", "17:00"]] for day in range(5)}


class BrandQuerySet(models.QuerySet["Brand"]):
    def for_organization(self, organization: Organization) -> Self:
        return self.filter(organization=organization)

    def for_member(self, membership: Membership) -> Self:
        """The brands this member may see: all of the organization, or the ones named."""
        brands = self.filter(organization_id=membership.organization_id, is_archived=False)
        return brands if membership.has_all_brands else brands.filter(members=membership)


class EveryBrandQuerySet(BrandQuerySet):
    def for_member(self, membership: Membership) -> Self:
        """Archived ones too: for the settings, where they are brought back."""
        brands = self.filter(organization_id=membership.organization_id)
        return brands if membership.has_all_brands else brands.filter(members=membership)


class Brand(models.Model):
    """What social accounts speak for: one voice with its own zone, language and currency."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="brands")
    name = models.CharField(_("name"), max_length=120)
    color = models.CharField(_("colour"), max_length=7, default="#206bc4")
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    locale = models.CharField(_("language of its posts"), max_length=12, default="en")
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    country = models.CharField(_("country"), max_length=2, blank=True)  # ISO 3166; its holidays are shown
    week_starts_on = models.PositiveSmallIntegerField(
        _("first day of the week"), default=1
    )  # 0 Sunday, 1 Monday
    # When people are expected to answer: wall times of the zone by weekday ("0" is Monday), each a list of
    # [from, to] as "HH:MM"; a day without an entry is off.
    business_hours: models.JSONField[Any, Any] = models.JSONField(_("business hours"), default=office_hours)
    is_archived = models.BooleanField(_("archived"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BrandQuerySet.as_manager()
    every = EveryBrandQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "name"], name="brand_name_once_per_organization")
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    MANAGER = "manager", _("Manager")
    CREATOR = "creator", _("Creator")
    RESPONDER = "responder", _("Responder")
    MARKETER = "marketer", _("Marketer")
    VIEWER = "viewer", _("Viewer")


class MembershipQuerySet(models.QuerySet["Membership"]):
    def for_member(self, membership: Membership) -> Self:
        return self.filter(organization_id=membership.organization_id)


class Membership(models.Model):
    """One person's role in one organization, for all of its brands or for some."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=12, choices=Role)
    has_all_brands = models.BooleanField(_("all brands"), default=True)
    brands: models.ManyToManyField[Brand, Any] = models.ManyToManyField(
        Brand, related_name="members", blank=True, verbose_name=_("brands")
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "user"], name="member_once_per_organization")
        ]

    def __str__(self) -> str:
        return str(self.user)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def for_member(self, membership: Membership) -> Self:
        return self.filter(organization_id=membership.organization_id)

    def pending(self) -> Self:
        """Neither accepted nor revoked; perhaps expired."""
        return self.filter(accepted_at__isnull=True, revoked_at__isnull=True)


class Invitation(models.Model):
    """An offer to join, sent by mail; the link carries a secret of which only the hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=12, choices=Role)
    has_all_brands = models.BooleanField(_("all brands"), default=True)
    brands: models.ManyToManyField[Brand, Any] = models.ManyToManyField(
        Brand, blank=True, verbose_name=_("brands")
    )
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.email

    def is_open(self, now: dt.datetime) -> bool:
        return self.accepted_at is None and self.revoked_at is None and now < self.expires_at


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
    status_detail = models.TextField(blank=True)  # the network's words when it refused the credential
    scopes = models.JSONField(default=list, blank=True)
    options = models.JSONField(default=dict, blank=True)  # Connected.options: host, software, server limits
    token_expires_at = models.DateTimeField(null=True, blank=True)
    # Until when the connection itself holds without a person: the refresh token's end, or null.
    connection_expires_at = models.DateTimeField(null=True, blank=True)
    connected_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    connected_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SocialAccountQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["brand", "platform", "remote_id"], name="social_account_once_per_brand"
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["token_expires_at"], name="account_active_expiry", condition=Q(status="active")
            )
        ]

    def __str__(self) -> str:
        return f"@{self.handle}"

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


class AppRegistration(models.Model):
    """Our developer app at one network or (Mastodon and kin) at one host."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    platform = models.CharField(max_length=24)
    host = models.CharField(max_length=255, blank=True)  # base URL; "" where a network has only one
    redirect_uri = models.CharField(max_length=500)
    secret = models.TextField()  # encrypted {"client_id", "client_secret", "extra"}
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["platform", "host", "redirect_uri"], name="app_registration_once_per_host"
            )
        ]

    def __str__(self) -> str:
        return f"{self.platform} {self.host}"


class NotificationQuerySet(models.QuerySet["Notification"]):
    def for_user(self, user: User) -> Self:
        return self.filter(user=user)

    def shown(self) -> Self:
        """Without those that are only mailed, because the person wants this kind by mail alone."""
        return self.filter(is_shown=True)

    def unread(self) -> Self:
        return self.filter(read_at__isnull=True, is_shown=True)


class NotificationKind(models.TextChoices):
    DELIVERY_FAILED = "delivery_failed", _("A post could not be published")
    DELIVERY_UNCERTAIN = "delivery_uncertain", _("It is not known whether a post appeared")
    DELIVERY_MISSED = "delivery_missed", _("A post was not published in time")
    ACCOUNT_LOST = "account_lost", _("An account must be reconnected")
    ACCOUNT_EXPIRING = "account_expiring", _("An account's connection ends soon")
    MEMBER_JOINED = "member_joined", _("Somebody joined")
    GOAL_OFF_TRACK = "goal_off_track", _("A goal is off track")
    WEBHOOK_DISABLED = "webhook_disabled", _("A webhook was switched off")
    PREFLIGHT_PROBLEM = "preflight_problem", _("Planned posts will not go out as planned")
    APPROVAL_WANTED = "approval_wanted", _("A post waits for approval")
    APPROVAL_ANSWERED = "approval_answered", _("A post was approved, sent back or commented on")
    POST_NOT_SCHEDULED = "post_not_scheduled", _("A series or evergreen post could not be scheduled")


class MailChoice(models.TextChoices):
    NOW = "now", _("At once")
    DAILY = "daily", _("In one mail a day")
    NEVER = "never", _("Never")


class NotificationPreference(models.Model):
    """How one person wants one kind of news. Without a row: in the app, and by mail at once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notification_preferences")
    kind = models.CharField(max_length=32)  # of NotificationKind
    in_app = models.BooleanField(default=True)
    mail = models.CharField(max_length=8, choices=MailChoice, default=MailChoice.NOW)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind"], name="notification_preference_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


class MailTimes(models.Model):
    """When one person wants mails: wall times of their zone. Without a row: at any time."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="mail_times")
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    digest_at = models.TimeField(default=dt.time(8))
    # No mail at once in [from, until), over midnight where from is the later one; both null: no such hours.
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | (Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=F("quiet_until"))),
                name="mail_times_quiet_hours_have_two_ends",
            )
        ]

    def __str__(self) -> str:
        return f"mail times of {self.user_id}"

    def next_digest(self, now: dt.datetime) -> dt.datetime:
        """When the next mail of the day goes out: strictly after ``now``."""
        today = to_local(now, self.timezone).date()
        todays = instant_of(dt.datetime.combine(today, self.digest_at), self.timezone)
        if todays > now:
            return todays
        return instant_of(dt.datetime.combine(today + dt.timedelta(days=1), self.digest_at), self.timezone)

    def quiet_end(self, now: dt.datetime) -> dt.datetime | None:
        """The end of the quiet hours that ``now`` lies in, None outside of them."""
        if self.quiet_from is None or self.quiet_until is None:
            return None
        here = to_local(now, self.timezone)
        today, clock = here.date(), here.time()
        is_over_midnight = self.quiet_from > self.quiet_until
        if is_over_midnight:
            is_quiet = clock >= self.quiet_from or clock < self.quiet_until
        else:
            is_quiet = self.quiet_from <= clock < self.quiet_until
        if not is_quiet:
            return None
        ends_on = today + dt.timedelta(days=int(is_over_midnight and clock >= self.quiet_from))
        end = instant_of(dt.datetime.combine(ends_on, self.quiet_until), self.timezone)
        # In the hour that a clock is put back the wall time of the end may lie behind us already.
        return end if end > now else now + dt.timedelta(minutes=1)


class Notification(models.Model):
    """One thing that one person should know, shown in the app until read."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32, choices=NotificationKind)
    # Words for the kind's sentence, kept as data so that it is shown in the reader's language.
    context = models.JSONField(default=dict)
    url = models.CharField(max_length=500, blank=True)
    dedupe_key = models.CharField(max_length=120)  # the same news is told once
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)
    is_shown = models.BooleanField(default=True)  # in the app; false: by mail alone
    in_digest = models.BooleanField(default=False)  # mailed with others of the day
    mail_at = models.DateTimeField(null=True, blank=True)  # when to mail it (again); null = not any more
    mail_failures = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "dedupe_key"], name="notification_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at"], name="notification_of_user"),
            models.Index(fields=["mail_at"], name="notification_to_mail", condition=Q(mail_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


class ApiScope(models.TextChoices):
    CONVERSIONS = "conversions", _("Report conversions and refunds")


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(organization_id=membership.organization_id)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def active(self) -> Self:
        return self.filter(revoked_at__isnull=True)


class ApiKey(models.Model):
    """A secret with which another program speaks to us for one brand. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_keys")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(_("name"), max_length=120)
    prefix = models.CharField(max_length=16)  # its first characters, by which people know it again
    secret_hash = models.CharField(max_length=64, unique=True)  # SHA-256 of the whole key
    scopes = models.JSONField(default=list)  # of ApiScope
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)  # to the minute
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def for_member(self, membership: Membership) -> Self:
        """Of the whole organization for those who see all of it, and of one's own brands."""
        rows = self.filter(organization_id=membership.organization_id)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def active(self) -> Self:
        return self.filter(disabled_at__isnull=True)

    def for_news(self, organization: Organization, brand: Brand | None, kind: str) -> Self:
        """Those that want to be told of this kind, about this brand (None: about no brand in particular)."""
        rows = self.active().filter(organization=organization, kinds__contains=[kind])
        return rows.filter(Q(brand__isnull=True) | Q(brand=brand)) if brand else rows.filter(brand=None)


class WebhookEndpoint(models.Model):
    """An address at which another program is told news: of the whole organization, or of one brand."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="webhooks")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, null=True, blank=True, related_name="webhooks")
    name = models.CharField(_("name"), max_length=120)
    url = models.CharField(max_length=1000)
    kinds = models.JSONField(default=list)  # of NotificationKind
    secret = models.TextField()  # encrypted {"secrets": [the newest, the one before]}
    overlaps_until = models.DateTimeField(null=True, blank=True)  # until when the one before signs, too
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    is_off_for_failing = models.BooleanField(default=False)
    # What came since the last success: since when, how often, and until when it is left alone.
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True, blank=True)
    # One worker at a time calls it: until when, and the token of whoever does.
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    called_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookEndpointQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    @property
    def host(self) -> str:
        """What may be shown and logged of the address: its path may hold a secret of the receiver's own."""
        return urlsplit(self.url).netloc


class WebhookState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DELIVERED = "delivered", pgettext_lazy("webhook", "Delivered")
    GIVEN_UP = "given_up", _("Given up")


class WebhookMessageQuerySet(models.QuerySet["WebhookMessage"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(endpoint__organization_id=membership.organization_id)
        return rows if membership.has_all_brands else rows.filter(endpoint__brand__members=membership)

    def waiting(self) -> Self:
        return self.filter(state=WebhookState.WAITING)

    def due(self, now: dt.datetime) -> Self:
        return self.waiting().filter(next_at__lte=now)


class WebhookMessage(models.Model):
    """One piece of news for one webhook, with how its last attempt went. The row is the queue (ADR 0028)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=32)  # of NotificationKind, or "test"
    dedupe_key = models.CharField(max_length=120)  # the same news is told once
    body = models.TextField()  # the JSON as it is signed and sent, the same in every attempt
    created_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=WebhookState, default=WebhookState.WAITING)
    next_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)  # null: no answer came
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    excerpt = models.CharField(max_length=300, blank=True)  # of the answer, or why none came

    objects = WebhookMessageQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["endpoint", "dedupe_key"], name="webhook_message_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["endpoint", "next_at"], name="webhook_message_due", condition=Q(state="waiting")
            ),
            models.Index(fields=["endpoint", "-created_at"], name="webhook_message_of_endpoint"),
            models.Index(fields=["created_at"], name="webhook_message_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.endpoint_id}"


class AuditEntry(models.Model):
    """One thing that somebody did. Append-only: the database refuses updates and deletes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The database itself cascades (migration 0002): entries go with their organization, never alone.
    organization = models.ForeignKey(Organization, on_delete=models.DO_NOTHING, related_name="audit_entries")
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    actor_name = models.CharField(max_length=254)  # as it was then; "" is the system
    action = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=64, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    subject_name = models.CharField(max_length=255, blank=True)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["organization", "-at"], name="audit_of_organization")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"
