"""What marketing plans, spends and gets back. Campaigns know no posts: links point down to deliveries.

Amounts have four decimals, so that no currency loses its smallest unit.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import (
    AccountStatus,
    ApiKey,
    AppRegistration,
    Brand,
    Membership,
    Organization,
    SocialAccount,
    User,
)
from audience.models import Identity, Stage
from core.ids import uuid7
from outbox.models import Delivery

if TYPE_CHECKING:
    from connectors.ads.base import AdPlatformInfo


class Objective(models.TextChoices):
    AWARENESS = "awareness", _("Awareness")
    ENGAGEMENT = "engagement", _("Engagement")
    TRAFFIC = "traffic", _("Traffic")
    LEADS = "leads", _("Leads")
    SALES = "sales", pgettext_lazy("objective", "Sales")


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def for_organization(self, organization_id: object) -> Self:
        return self.filter(brand__organization_id=organization_id)

    def for_brand(self, brand: Brand) -> Self:
        return self.filter(brand=brand)

    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def current(self) -> Self:
        return self.filter(archived_at__isnull=True)


class Campaign(models.Model):
    """One effort with an objective, a flight (dates of the brand's zone, both included) and a budget."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="campaigns")
    name = models.CharField(_("name"), max_length=160)
    code = models.SlugField(_("code in links"), max_length=60)  # utm_campaign
    objective = models.CharField(_("objective"), max_length=12, choices=Objective)
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    currency = models.CharField(_("currency"), max_length=3)
    # What remains of revenue after the cost of the goods: 0.5 is 50 %. Null: not said.
    margin_rate = models.DecimalField(
        _("margin"),
        max_digits=5,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
    )
    notes = models.TextField(_("notes"), blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["brand", "code"], name="campaign_code_once_per_brand"),
            models.CheckConstraint(
                name="campaign_ends_after_start", condition=Q(ends_on__gte=F("starts_on"))
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["brand", "-starts_on"], name="campaign_of_brand")]

    def __str__(self) -> str:
        return self.name


class CampaignTarget(models.Model):
    """What a campaign is to reach in one metric of the registry."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="targets")
    metric = models.CharField(max_length=40)
    value = models.DecimalField(max_digits=18, decimal_places=4)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "metric"], name="campaign_target_once")
        ]

    def __str__(self) -> str:
        return f"{self.metric}: {self.value}"


class CostKind(models.TextChoices):
    MEDIA = "media", _("Media")
    PRODUCTION = "production", _("Production")
    LABOUR = "labour", _("Labour")
    TOOL = "tool", _("Tools")
    AGENCY = "agency", _("Agency")
    INFLUENCER = "influencer", _("Influencers")


class OfCampaignQuerySet(models.QuerySet[Any]):
    """Rows that a campaign owns."""

    def for_member(self, membership: Membership) -> Self:
        return self.filter(campaign__in=Campaign.objects.for_member(membership))


class BudgetLine(models.Model):
    """One planned cost. For labour ``amount`` is ``hours`` x ``hourly_rate``."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="budget_lines")
    kind = models.CharField(_("kind"), max_length=12, choices=CostKind)
    label = models.CharField(_("what for"), max_length=160, blank=True)
    hours = models.DecimalField(_("hours"), max_digits=9, decimal_places=2, null=True, blank=True)
    hourly_rate = models.DecimalField(
        _("rate per hour"), null=True, blank=True, max_digits=18, decimal_places=4
    )
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=4)
    position = models.PositiveSmallIntegerField(default=0)

    objects = OfCampaignQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="budget_line_not_negative", condition=Q(amount__gte=0))
        ]

    def __str__(self) -> str:
        return self.label or str(self.get_kind_display())


class Source(models.TextChoices):
    MANUAL = "manual", _("By hand")
    CSV = "csv", _("CSV file")
    API = "api", _("API")
    ADS = "ads", _("Ad account")


class CsvImportQuerySet(models.QuerySet["CsvImport"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)


class CsvImport(models.Model):
    """One uploaded file and what became of its rows: read as a dry run, then (when a person says yes) taken
    over. ``refused``: at most 200 of {"row", "field", "code", "value"}; the rest is counted."""

    class Kind(models.TextChoices):
        SPEND = "spend", _("Spend")
        CONVERSIONS = "conversions", _("Conversions")

    class State(models.TextChoices):
        CHECKING = "checking", _("Being read")
        READY = "ready", _("Waits for your yes")
        RUNNING = "running", _("Being imported")
        DONE = "done", _("Imported")
        FAILED = "failed", _("Cannot be read")
        DISCARDED = "discarded", _("Not imported")
        UNDONE = "undone", _("Undone")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="csv_imports")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, null=True, related_name="csv_imports")
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=12, choices=State, default=State.DONE)
    problem = models.CharField(max_length=40, blank=True)  # code of why the file as a whole was refused
    file_name = models.CharField(max_length=255)
    storage_key = models.CharField(max_length=255, blank=True)  # while the file is kept
    encoding = models.CharField(max_length=16)
    rows = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)  # were there already
    noted = models.PositiveIntegerField(default=0)  # of ``added``: taken, with something to look at
    refused_count = models.PositiveIntegerField(default=0)
    refused = models.JSONField(default=list)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)  # when somebody said yes

    objects = CsvImportQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["campaign", "-created_at"], name="csv_import_of_campaign"),
            # Files to be cleaned away: few.
            models.Index(fields=["created_at"], name="csv_import_with_file", condition=~Q(storage_key="")),
        ]

    def __str__(self) -> str:
        return self.file_name


class SpendEntry(models.Model):
    """Money that was spent on one date, in the campaign's currency. The same ``external_id`` of the same
    source is one entry, however often it comes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="spend")
    line = models.ForeignKey(
        BudgetLine, on_delete=models.SET_NULL, null=True, blank=True, related_name="spend"
    )
    kind = models.CharField(_("kind"), max_length=12, choices=CostKind)
    date = models.DateField(_("date"))
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=4)
    hours = models.DecimalField(_("hours"), max_digits=9, decimal_places=2, null=True, blank=True)
    hourly_rate = models.DecimalField(
        _("rate per hour"), null=True, blank=True, max_digits=18, decimal_places=4
    )
    platform = models.CharField(_("network"), max_length=24, blank=True)
    note = models.CharField(_("note"), max_length=255, blank=True)
    source = models.CharField(max_length=8, choices=Source)
    external_id = models.CharField(max_length=120)
    csv_import = models.ForeignKey(CsvImport, on_delete=models.SET_NULL, null=True, related_name="+")
    # Of an ad account: what it was spent on there. The import replaces such entries.
    ad_campaign = models.ForeignKey("AdCampaign", on_delete=models.SET_NULL, null=True, related_name="spend")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    objects = OfCampaignQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["campaign", "source", "external_id"], name="spend_once_per_source"
            ),
            models.CheckConstraint(name="spend_not_negative", condition=Q(amount__gte=0)),
        ]
        indexes: ClassVar = [models.Index(fields=["campaign", "date"], name="spend_of_campaign")]

    def __str__(self) -> str:
        return f"{self.amount} on {self.date}"

    @property
    def is_imported(self) -> bool:
        """Replaced by the import of an ad account, so that a change by hand would not last."""
        return self.source == Source.ADS


# --- ad accounts ------------------------------------------------------------------------------


class AdCredentialQuerySet(models.QuerySet["AdCredential"]):
    def for_member(self, membership: Membership) -> Self:
        """A person's own sign-ins: what they found there is nobody else's to choose from."""
        return self.filter(organization_id=membership.organization_id, created_by=membership.user)


class AdCredential(models.Model):
    """The encrypted tokens of one sign-in at an advertising platform (core.crypto), for all ad accounts that
    were chosen from it. One that nothing was chosen from is forgotten."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    platform = models.CharField(max_length=24)  # key of connectors.ads.registry
    secret = models.TextField()
    app = models.ForeignKey(AppRegistration, on_delete=models.SET_NULL, null=True, related_name="+")
    # What can be chosen from: [{"id", "name", "currency", "time_zone"}].
    offered = models.JSONField(default=list)
    refreshed_at = models.DateTimeField()
    # Until when they hold without a person; None = no end is known.
    ends_at = models.DateTimeField(null=True, blank=True)
    # Until when one process may refresh these tokens; the others wait for what it stores.
    refreshing_until = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    objects = AdCredentialQuerySet.as_manager()

    def __str__(self) -> str:
        return f"sign-in at {self.platform}"


class AdAccountQuerySet(models.QuerySet["AdAccount"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)

    def connected(self) -> Self:
        return self.exclude(status=AccountStatus.DISCONNECTED)

    def due(self, now: dt.datetime) -> Self:
        """Whose costs are to be imported, and nobody is at it."""
        waiting = Q(importing_until__isnull=True) | Q(importing_until__lt=now)
        rows = self.filter(waiting, status=AccountStatus.ACTIVE, import_at__lte=now)
        return rows.filter(brand__is_archived=False)


class AdAccount(models.Model):
    """One ad account whose costs are imported for one brand, every night. ``import_fence`` counts imports:
    one that was given up finds another number than its own and stores nothing."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="ad_accounts")
    credential = models.ForeignKey(
        AdCredential, on_delete=models.SET_NULL, null=True, related_name="accounts"
    )
    platform = models.CharField(max_length=24)
    remote_id = models.CharField(max_length=100)
    name = models.CharField(max_length=255)
    currency = models.CharField(max_length=3, blank=True)  # "" = the platform does not say
    time_zone = models.CharField(max_length=64, blank=True)  # of its days; "" = not known
    window = models.CharField(_("attribution window"), max_length=40)  # AttributionWindow.key
    status = models.CharField(max_length=16, choices=AccountStatus, default=AccountStatus.ACTIVE)
    import_at = models.DateTimeField(null=True, blank=True)  # when it is due next
    import_fence = models.PositiveIntegerField(default=0)
    importing_until = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    imported_at = models.DateTimeField(null=True, blank=True)  # when it last worked
    problem = models.CharField(max_length=24, blank=True)  # code of why the last try did not work
    problem_detail = models.TextField(blank=True)  # the platform's words
    # Of the last import that worked: {"first", "last", "days", "added", "changed", "removed", "left_out"}
    result = models.JSONField(default=dict)
    connected_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    connected_at = models.DateTimeField()

    objects = AdAccountQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["brand", "platform", "remote_id"], name="ad_account_once_per_brand"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["import_at"], name="ad_account_due", condition=Q(status="active"))
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def info(self) -> AdPlatformInfo:
        from connectors.ads.registry import ad_info_for  # noqa: PLC0415 - as SocialAccount.info

        return ad_info_for(self.platform)


class AdCampaign(models.Model):
    """A campaign as an ad account has it, and which of ours its costs belong to. The numbers are those of the
    last import: of its days, within the account's attribution window."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(AdAccount, on_delete=models.CASCADE, related_name="campaigns")
    remote_id = models.CharField(max_length=100)
    name = models.CharField(max_length=255)
    campaign = models.ForeignKey(Campaign, on_delete=models.SET_NULL, null=True, related_name="ad_campaigns")
    is_ignored = models.BooleanField(default=False)  # a person said that it belongs to none
    spend_seen = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    impressions = models.BigIntegerField(null=True)
    clicks = models.BigIntegerField(null=True)
    conversions = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    last_day = models.DateField(null=True)  # on which anything happened
    left_out = models.PositiveIntegerField(default=0)  # days whose costs were entered otherwise
    chosen_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    chosen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "remote_id"], name="ad_campaign_once_per_account")
        ]

    def __str__(self) -> str:
        return self.name


# --- links and clicks -------------------------------------------------------------------------


class TrackedLinkQuerySet(models.QuerySet["TrackedLink"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)


class TrackedLink(models.Model):
    """A short address that counts its clicks and leads to one stored target."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="tracked_links")
    campaign = models.ForeignKey(
        Campaign, on_delete=models.SET_NULL, null=True, blank=True, related_name="links"
    )
    code = models.CharField(max_length=16, unique=True)  # the last part of the short address
    original_url = models.URLField(max_length=2000)  # as a person wrote it
    target_url = models.URLField(max_length=2500)  # with UTM parameters
    account = models.ForeignKey(
        SocialAccount, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    platform = models.CharField(max_length=24, blank=True)  # utm_source: key of a network
    content = models.CharField(max_length=80, blank=True)  # utm_content
    # What carries it: a post or a reply. The same delivery never has two links to one address.
    delivery = models.ForeignKey(
        Delivery, on_delete=models.SET_NULL, null=True, blank=True, related_name="links"
    )
    # Sent to one person alone: then a click is theirs.
    identity = models.ForeignKey(
        Identity, on_delete=models.SET_NULL, null=True, blank=True, related_name="links"
    )
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    objects = TrackedLinkQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["delivery", "original_url"],
                name="link_once_per_delivery",
                condition=Q(delivery__isnull=False),
            )
        ]
        indexes: ClassVar = [models.Index(fields=["campaign", "-created_at"], name="link_of_campaign")]

    def __str__(self) -> str:
        return self.code


class Click(models.Model):
    """One request of a tracked link. No address of the visitor is kept: ``visitor`` is a keyed hash that
    changes every day, enough to tell two visitors of one day apart. ``key`` goes on to the target as
    ``smm_click`` and comes back with a conversion."""

    id = models.BigAutoField(primary_key=True)
    key = models.UUIDField(unique=True, default=uuid7)
    link = models.ForeignKey(TrackedLink, on_delete=models.CASCADE, related_name="clicks")
    at = models.DateTimeField()
    is_bot = models.BooleanField()  # link previews, crawlers, prefetching; counted apart
    visitor = models.CharField(max_length=32, blank=True)
    referrer_host = models.CharField(max_length=255, blank=True)
    # A person's click on a link of their own, until it stands in their timeline.
    is_to_be_told = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["link", "at"], name="click_of_link", include=["is_bot"]),
            models.Index(fields=["id"], name="click_to_be_told", condition=Q(is_to_be_told=True)),
        ]

    def __str__(self) -> str:
        return f"{self.link_id} at {self.at:%Y-%m-%d %H:%M}"


class Touchpoint(models.Model):
    """One contact of a known person with a campaign, which attribution can give credit to."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    identity = models.ForeignKey(
        Identity, on_delete=models.CASCADE, null=True, blank=True, related_name="touchpoints"
    )
    campaign = models.ForeignKey(
        Campaign, on_delete=models.SET_NULL, null=True, blank=True, related_name="touchpoints"
    )
    link = models.ForeignKey(TrackedLink, on_delete=models.SET_NULL, null=True, related_name="+")
    platform = models.CharField(max_length=24, blank=True)
    click = models.OneToOneField(Click, on_delete=models.CASCADE, null=True, related_name="touchpoint")
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["identity", "at"], name="touchpoint_of_identity")]

    def __str__(self) -> str:
        return f"touch at {self.at:%Y-%m-%d %H:%M}"


# --- conversions ------------------------------------------------------------------------------


class ConversionKind(models.TextChoices):
    LEAD = "lead", _("Lead")
    SALE = "sale", _("Sale")


class ConversionNotice(models.TextChoices):
    """What was unusual about an accepted conversion: it counts, and nobody gets credit by the odd part."""

    CLICK_UNKNOWN = "click_unknown", _("Its click is not known here")
    CLICK_LATER = "click_later", _("It happened before its click")
    NO_CAMPAIGN = "no_campaign", _("It belongs to no campaign")


class ConversionQuerySet(models.QuerySet["Conversion"]):
    def for_brand(self, brand: Brand) -> Self:
        return self.filter(brand=brand)

    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        return rows if membership.has_all_brands else rows.filter(brand__members=membership)


class Conversion(models.Model):
    """A lead or a sale that somebody reported. The same ``external_id`` of one brand and kind is one
    conversion, however often and from wherever it is reported."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="conversions")
    # Named by the sender, else that of the click; null: none.
    campaign = models.ForeignKey(
        Campaign, on_delete=models.SET_NULL, null=True, blank=True, related_name="conversions"
    )
    kind = models.CharField(max_length=8, choices=ConversionKind)
    external_id = models.CharField(max_length=120)
    happened_at = models.DateTimeField()
    value = models.DecimalField(
        default=Decimal(0), max_digits=18, decimal_places=4
    )  # in ``currency``, which is the brand's
    currency = models.CharField(max_length=3)
    refunded = models.DecimalField(
        default=Decimal(0), max_digits=18, decimal_places=4
    )  # the sum of its refunds, never above value
    identity = models.ForeignKey(
        Identity, on_delete=models.SET_NULL, null=True, blank=True, related_name="conversions"
    )
    click = models.ForeignKey(Click, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    notice = models.CharField(max_length=16, choices=ConversionNotice, blank=True)
    source = models.CharField(max_length=8, choices=Source)
    api_key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True, related_name="+")
    csv_import = models.ForeignKey(CsvImport, on_delete=models.SET_NULL, null=True, related_name="+")
    received_at = models.DateTimeField()

    objects = ConversionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["brand", "kind", "external_id"], name="conversion_once"),
            models.CheckConstraint(
                name="conversion_amounts_fit",
                condition=Q(value__gte=0, refunded__gte=0, refunded__lte=F("value")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["brand", "happened_at"], name="conversion_of_brand"),
            models.Index(fields=["campaign", "happened_at"], name="conversion_of_campaign"),
            models.Index(fields=["identity", "happened_at"], name="conversion_of_identity"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"

    @property
    def net(self) -> Decimal:
        """What remains of its value after refunds."""
        return self.value - self.refunded


class Refund(models.Model):
    """Money given back. The same ``external_id`` of one conversion is one refund."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversion = models.ForeignKey(Conversion, on_delete=models.CASCADE, related_name="refunds")
    external_id = models.CharField(max_length=120)
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversion", "external_id"], name="refund_once"),
            models.CheckConstraint(name="refund_is_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"refund {self.external_id}"


class LeadStageEvent(models.Model):
    """A person reached a stage. Each stage once per person and brand; the campaign is that of the
    conversion that brought it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="stage_events")
    campaign = models.ForeignKey(Campaign, on_delete=models.SET_NULL, null=True, related_name="stage_events")
    stage = models.CharField(max_length=12, choices=Stage)
    conversion = models.ForeignKey(Conversion, on_delete=models.CASCADE, null=True, related_name="+")
    set_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["identity", "stage"], name="stage_once_per_identity")
        ]
        indexes: ClassVar = [
            models.Index(fields=["brand", "stage", "at"], name="stage_of_brand"),
            models.Index(fields=["campaign", "stage", "at"], name="stage_of_campaign"),
        ]

    def __str__(self) -> str:
        return f"{self.stage} at {self.at:%Y-%m-%d}"


# --- attribution ------------------------------------------------------------------------------


class AttributionModel(models.TextChoices):
    LAST = "last", _("Last touch")
    FIRST = "first", _("First touch")
    LINEAR = "linear", _("Linear")
    POSITION = "position", _("Position")
    TIME_DECAY = "time_decay", _("Time decay")


class AttributionRun(models.Model):
    """One calculation of one model over all conversions of a brand since ``since``. Never changed: a new
    calculation is a new run."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="attribution_runs")
    model = models.CharField(max_length=12, choices=AttributionModel)
    since = models.DateTimeField()
    lookback_days = models.PositiveSmallIntegerField()
    half_life_days = models.DecimalField(max_digits=6, decimal_places=2)  # of time decay
    conversions = models.PositiveIntegerField()
    without_touch = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["brand", "model", "-created_at"], name="run_latest")]

    def __str__(self) -> str:
        return f"{self.model} at {self.created_at:%Y-%m-%d %H:%M}"


class AttributionCredit(models.Model):
    """The share of one conversion that one touch gets. The shares of a conversion in a run sum to 1; a
    conversion without any touch gives its whole share to the campaign it names, or to nobody."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(AttributionRun, on_delete=models.CASCADE, related_name="credits")
    conversion = models.ForeignKey(Conversion, on_delete=models.CASCADE, related_name="credits")
    touchpoint = models.ForeignKey(Touchpoint, on_delete=models.SET_NULL, null=True, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.SET_NULL, null=True, related_name="credits")
    platform = models.CharField(max_length=24, blank=True)
    share = models.DecimalField(max_digits=13, decimal_places=12)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["run", "campaign"], name="credit_of_campaign"),
        ]

    def __str__(self) -> str:
        return f"{self.share} of {self.conversion_id}"
