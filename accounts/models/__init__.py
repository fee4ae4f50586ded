"""Who works here, for whom, with which social accounts; by subject."""

from accounts.models.api_keys import ApiKey, ApiKeyQuerySet, ApiScope
from accounts.models.audit import AuditEntry
from accounts.models.notifications import (
    MailChoice,
    MailTimes,
    Notification,
    NotificationKind,
    NotificationPreference,
    NotificationQuerySet,
)
from accounts.models.people import (
    Brand,
    BrandQuerySet,
    EveryBrandQuerySet,
    Invitation,
    InvitationQuerySet,
    Membership,
    MembershipQuerySet,
    Organization,
    OrganizationQuerySet,
    Role,
    User,
    UserQuerySet,
    office_hours,
)
from accounts.models.social import (
    AccountStatus,
    AppRegistration,
    Credential,
    SocialAccount,
    SocialAccountQuerySet,
)
from accounts.models.webhooks import (
    WebhookEndpoint,
    WebhookEndpointQuerySet,
    WebhookMessage,
    WebhookMessageQuerySet,
    WebhookState,
)

__all__ = [
    "AccountStatus",
    "ApiKey",
    "ApiKeyQuerySet",
    "ApiScope",
    "AppRegistration",
    "AuditEntry",
    "Brand",
    "BrandQuerySet",
    "Credential",
    "EveryBrandQuerySet",
    "Invitation",
    "InvitationQuerySet",
    "MailChoice",
    "MailTimes",
    "Membership",
    "MembershipQuerySet",
    "Notification",
    "NotificationKind",
    "NotificationPreference",
    "NotificationQuerySet",
    "Organization",
    "OrganizationQuerySet",
    "Role",
    "SocialAccount",
    "SocialAccountQuerySet",
    "User",
    "UserQuerySet",
    "WebhookEndpoint",
    "WebhookEndpointQuerySet",
    "WebhookMessage",
    "WebhookMessageQuerySet",
    "WebhookState",
    "office_hours",
]
