"""Networks that can be asked before anything is sent: would they take what is planned?"""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from accounts.connecting import can_be_asked, connector_for
from accounts.models import AccountStatus, SocialAccount
from accounts.services.social import mark_needs_reconnect
from connectors.errors import ConnectorError, NeedsReconnect, Rejected
from content_calendar.models import PreflightCode as Code
from content_calendar.selectors.preflight import Finding, content_problems
from outbox.models import Delivery
from outbox.payloads import thaw

logger = logging.getLogger(__name__)

MOST_ASKED = 50  # posts of one account in one check, the next ones first
ASKED_FOR_S = 20.0  # of a check: the rest of it, and whatever else its worker has to do, must not wait


def ask_networks(
    *, deliveries: Iterable[Delivery], now: dt.datetime, asked_for_s: float = ASKED_FOR_S
) -> list[Finding]:
    """What the networks answer of deliveries in which we see nothing wrong ourselves, those that go out first
    asked first, for no longer than ``asked_for_s``. That one could not be asked is a finding as well. Must be
    called outside a transaction."""
    until = time.monotonic() + asked_for_s
    able = [
        one
        for one in deliveries
        if one.account.status == AccountStatus.ACTIVE and can_be_asked(one.account.platform)
    ]
    if not able:
        return []
    # What is known to fail, or whose files are still made, is not worth a call.
    unready = {finding.delivery.pk for finding in content_problems(able)}
    by_account: dict[uuid.UUID, list[Delivery]] = defaultdict(list)
    for delivery in able:
        if delivery.pk not in unready:
            by_account[delivery.account_id].append(delivery)
    return [one for rows in by_account.values() for one in _of_account(rows[0].account, rows, now, until)]


def _of_account(
    account: SocialAccount, rows: Sequence[Delivery], now: dt.datetime, until: float
) -> Iterator[Finding]:
    try:
        connector = connector_for(account)
        for number, delivery in enumerate(rows[:MOST_ASKED]):
            if time.monotonic() > until:
                yield from (Finding(one, Code.NOT_ASKED, {"slow": True}) for one in rows[number:])
                return
            payload = thaw(delivery.payload, served_days=connector.info.media_served_days)
            try:
                connector.dry_run(payload)
            except Rejected as error:
                yield Finding(delivery, Code.REFUSED, {"reason": str(error.reason), "words": error.detail})
            except NeedsReconnect:
                raise
            except ConnectorError:
                # One that is down or asks to wait is not asked about the others.
                yield from (Finding(one, Code.NOT_ASKED) for one in rows[number:])
                return
            except Exception:
                logger.exception("%s was not asked about a post", account.platform)
                yield Finding(delivery, Code.NOT_ASKED)
    except NeedsReconnect as error:
        mark_needs_reconnect(account=account, detail=error.detail, now=now)
        return
    yield from (Finding(one, Code.NOT_ASKED, {"most": MOST_ASKED}) for one in rows[MOST_ASKED:])
