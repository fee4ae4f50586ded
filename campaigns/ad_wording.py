"""Words of ad accounts: what their platforms ask for, and why something did not work."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from connectors.ads.base import AdPlatformInfo
from connectors.errors import ConnectorError, NeedsReconnect, RateLimited, Rejected, RejectReason

# What connectors of ads say in English (they know no translations). A test compares this with the registry.
AD_WORDS = (
    gettext_noop(
        "Create an app for your company page in LinkedIn's developer portal; the page must confirm it."
    ),
    gettext_noop("Under “Products”, ask for access to the “Advertising API”."),
    gettext_noop("Under “Auth”, add the redirect address."),
    gettext_noop("Copy the client ID and the primary client secret."),
    gettext_noop("Whoever signs in needs at least the role of a viewer in the ad account."),
    gettext_noop(
        "LinkedIn looks at the application for the Advertising API. Its development tier is enough: it "
        "reads any number of ad accounts."
    ),
    gettext_noop("Client ID"),
    gettext_noop("Client secret"),
    gettext_noop("Conversions on your website that LinkedIn credits to the ads."),
    gettext_noop("As each conversion is set at LinkedIn"),
    gettext_noop(
        "Create an app for a business at Meta for Developers and add the product “Marketing API” to it."
    ),
    gettext_noop(
        "Add the product “Facebook Login for Business” and enter the redirect address in its settings."
    ),
    gettext_noop("Copy the app ID and the app secret from “App settings”, “Basic”."),
    gettext_noop("Whoever signs in needs at least the role of an analyst in the ad account."),
    gettext_noop(
        "For ad accounts of others Meta wants App Review (Advanced Access) for ads_read and Business "
        "Verification. Ad accounts of people with a role in the app work without."
    ),
    gettext_noop("App ID"),
    gettext_noop("App secret"),
    gettext_noop("Purchases, leads and registrations that Meta credits to the ads."),
    gettext_noop("7 days after a click, 1 day after a view"),
    gettext_noop("7 days after a click"),
    gettext_noop("1 day after a click"),
    gettext_noop("28 days after a click, 1 day after a view"),
    gettext_noop(
        "Sign in with a business account and choose “Connect app”; Pinterest gives trial access first."
    ),
    gettext_noop("Open the app and add the redirect address below under “Redirect URIs”."),
    gettext_noop("Copy the app ID and the app secret key."),
    gettext_noop("Whoever signs in needs the role of an analyst in the ad account, or more."),
    gettext_noop("Trial access reads ad accounts, a thousand calls a day; ask for standard access for more."),
    gettext_noop("App secret key"),
    gettext_noop("Conversions that Pinterest's tag counted and credits to the ads."),
    gettext_noop("30 days after a click or an engagement, 1 day after a view"),
    gettext_noop("7 days after a click or an engagement, 1 day after a view"),
    gettext_noop("1 day after a click, an engagement or a view"),
    gettext_noop("60 days after a click, an engagement or a view"),
    gettext_noop("Sign in at the TikTok API for Business, register as a developer and make an app."),
    gettext_noop("Ask for the permissions “Ad Account Management” and “Reporting”; reading is enough."),
    gettext_noop("Enter the redirect address as the advertiser redirect URL."),
    gettext_noop("Copy the app ID and the secret."),
    gettext_noop("Whoever signs in needs to be an analyst of the ad account, or more."),
    gettext_noop("TikTok looks at the app before it may be used."),
    gettext_noop("Secret"),
    gettext_noop("What each ad group is optimized for, as TikTok credits it to the ads."),
    gettext_noop("As each ad group is set at TikTok"),
    gettext_noop("Sign in to X's developer console and make an app."),
    gettext_noop(
        "Ask for “Standard Access” to the Ads API with X's form for it; it wants the ID of the app."
    ),
    gettext_noop("Set up user authentication in the app; reading is enough."),
    gettext_noop("Add the redirect address as a callback URL, with the slash at its end."),
    gettext_noop("Copy the API key and the API key secret, not the client ID and secret of OAuth 2.0."),
    gettext_noop("Whoever signs in needs to be a campaign analyst of the ad account, or more."),
    gettext_noop("Nothing can be read before X has approved the app for the Ads API."),
    gettext_noop("API key"),
    gettext_noop("API key secret"),
    gettext_noop("Purchases, sign-ups, downloads, site visits and custom events that X credits to the ads."),
    gettext_noop("As each event is set at X, after an engagement or a view"),
    gettext_noop("As each event is set at X, after an engagement alone"),
)

_AD_PROBLEMS: Mapping[str, Promise] = {
    "reconnect": gettext_lazy(
        "%(network)s no longer accepts our access, so nothing is imported. Somebody has to sign in again."
    ),
    "program_error": gettext_lazy(
        "Something went wrong here, not at %(network)s. It is tried again next night; an operator finds the "
        "cause in the log."
    ),
    "limited": gettext_lazy("%(network)s asks to wait. It is tried again by itself."),
    "temporary": gettext_lazy(
        "%(network)s could not be reached, or its answer made no sense. It is tried again within the hour."
    ),
    "other_currency": gettext_lazy(
        "%(network)s now reports in another currency. Connect the ad account anew; nothing was imported."
    ),
    RejectReason.FORBIDDEN: gettext_lazy(
        "Whoever signed in may no longer read this ad account at %(network)s. Ask for the role there, or let "
        "somebody else sign in."
    ),
    RejectReason.NOT_FOUND: gettext_lazy("%(network)s does not know this ad account any more."),
    RejectReason.NOT_SUPPORTED: gettext_lazy(
        "%(network)s has changed its interface. This installation needs a newer version."
    ),
}
_AD_REFUSED = gettext_lazy(
    "%(network)s refused the report. What it said stands below; it is tried again next night."
)


def ad_problem(code: str, info: AdPlatformInfo) -> str:
    """Why the costs of an ad account were not imported, in the active language."""
    return str(_AD_PROBLEMS.get(code, _AD_REFUSED)) % {"network": info.name}


def ad_sign_in_problem(error: ConnectorError, info: AdPlatformInfo) -> str:
    """Why signing in did not work, in the active language."""
    name = {"network": info.name}
    if isinstance(error, NeedsReconnect):
        return _("%(network)s did not accept this sign-in. Check the keys of the app, and try again.") % name
    if isinstance(error, RateLimited):
        return _("%(network)s asks to wait before the next try. Nothing was changed.") % name
    if isinstance(error, Rejected) and error.reason is RejectReason.NOT_FOUND:
        return _("There is no ad account at %(network)s that this sign-in may read.") % name
    if isinstance(error, Rejected) and error.reason is RejectReason.FORBIDDEN:
        return _("Not everything was allowed at %(network)s that is needed to read costs.") % name
    if isinstance(error, Rejected):
        return _("%(network)s refused the sign-in. Check the app and its redirect address there.") % name
    return _("%(network)s could not be reached. Nothing was changed; please try again in a minute.") % name
