"""What happens by itself: clicks told to timelines, long imports, files cleaned away."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from accounts.models import Brand, User
from campaigns.models import AdAccount, CsvImport
from campaigns.services import ad_accounts, ad_imports, attribution, clicks, conversion_imports, imports
from campaigns.services.attribution import AlreadyRunning, Parameters


@shared_task
def follow_clicks(**kwargs: Any) -> None:
    """Beat: clicks on personal links go into the timelines of their people."""
    while clicks.tell_clicks() == clicks.BATCH:
        pass


# --- imports ----------------------------------------------------------------------------------


@shared_task
def check_import(*, import_id: str, **kwargs: Any) -> None:
    batch = CsvImport.objects.get(pk=import_id)
    imports.check(batch=batch, progress=_teller(batch))


@shared_task
def carry_out_import(*, import_id: str, actor_id: int, **kwargs: Any) -> None:
    batch = CsvImport.objects.get(pk=import_id)
    imports.carry_out(
        batch=batch,
        actor=User.objects.filter(pk=actor_id).first(),
        now=timezone.now(),
        progress=_teller(batch),
    )


@shared_task
def check_conversions(*, import_id: str, **kwargs: Any) -> None:
    batch = CsvImport.objects.get(pk=import_id)
    conversion_imports.check(batch=batch, now=timezone.now(), progress=_teller(batch))


@shared_task
def carry_out_conversions(*, import_id: str, actor_id: int, **kwargs: Any) -> None:
    batch = CsvImport.objects.get(pk=import_id)
    conversion_imports.carry_out(
        batch=batch,
        actor=User.objects.filter(pk=actor_id).first(),
        now=timezone.now(),
        progress=_teller(batch),
    )


@shared_task
def clean_imports(**kwargs: Any) -> None:
    """Beat: uploaded files that nobody decided about."""
    imports.clean(now=timezone.now())


def rows_done(batch: CsvImport) -> int:
    """How far the work on a file has come, of what is done with it now; 0 when nobody knows."""
    return int(cache.get(_key(batch), 0))


def _teller(batch: CsvImport) -> Callable[[int], None]:
    """Progress is only looked at: it lies in the cache, apart from the transaction that it tells of."""
    key = _key(batch)

    def tell(rows: int) -> None:
        cache.set(key, rows, timeout=3600)

    return tell


def _key(batch: CsvImport) -> str:
    """The import does not begin where the dry run ended."""
    return f"campaigns.import:{batch.pk}:{batch.state}"


# --- ad accounts ------------------------------------------------------------------------------

MOST_AT_ONCE = 50  # ad accounts of one sign-in in one task


@shared_task
def import_ad_spend(**kwargs: Any) -> None:
    """Beat: ad accounts whose night is over, or whose costs somebody asked for; one task for each sign-in."""
    for credential_id in ad_imports.due_credentials(timezone.now()):
        import_ad_accounts.delay(credential_id=str(credential_id))


@shared_task
def import_ad_accounts(*, credential_id: str, **kwargs: Any) -> None:
    """What is due of one sign-in, one after the other."""
    for _one in range(MOST_AT_ONCE):
        claim = ad_imports.claim(credential_id=uuid.UUID(credential_id), now=timezone.now())
        if claim is None:
            return
        ad_imports.carry_out(claim=claim, clock=timezone.now, progress=_ads_teller(claim.account))


@shared_task
def clean_ad_sign_ins(**kwargs: Any) -> None:
    """Beat: sign-ins that nothing was chosen from."""
    ad_accounts.clean(now=timezone.now())


@shared_task
def watch_ad_sign_ins(**kwargs: Any) -> None:
    """Beat, every few hours: access that ends soon is told to those who can sign in again."""
    ad_accounts.warn_of_ending(now=timezone.now())


def ad_rows_read(account: AdAccount) -> int:
    """How many rows of a report have come so far, of the import under way."""
    return int(cache.get(_ads_key(account), 0))


def _ads_teller(account: AdAccount) -> Callable[[int], None]:
    key = _ads_key(account)

    def tell(rows: int) -> None:
        cache.set(key, rows, timeout=3600)

    return tell


def _ads_key(account: AdAccount) -> str:
    return f"campaigns.ad_import:{account.pk}:{account.import_fence}"


# --- attribution ------------------------------------------------------------------------------


@shared_task
def run_attributions(**kwargs: Any) -> None:
    """Beat: calculates anew where something came since the latest runs, and lets go of old ones."""
    for brand in attribution.brands_to_run():
        run_attribution.delay(brand_id=str(brand.pk))
    attribution.prune_runs()


@shared_task
def run_attribution(
    *, brand_id: str, lookback_days: int | None = None, half_life_days: str | None = None, **kwargs: Any
) -> None:
    """Without parameters: those that were used last."""
    chosen = Parameters(lookback_days, Decimal(half_life_days)) if lookback_days and half_life_days else None
    # Whoever asked sees the result of the one that is under way.
    with contextlib.suppress(AlreadyRunning):
        attribution.run_attribution(brand=Brand.every.get(pk=brand_id), now=timezone.now(), parameters=chosen)
