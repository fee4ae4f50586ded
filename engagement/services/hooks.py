"""What networks tell by themselves: kept as it came, worked through once, and never needed.

1. ``receive`` keeps a genuine call and commits before the network gets its answer. The same call again is the
   same row.
2. ``work_through`` reads the events of a call. Each is noted once by its id, in the transaction in which it
   is acted on: a call that was worked through half, or comes again in another form, does nothing twice.
3. What goes missing costs nothing but time: inboxes and posts under way are asked about all the same.

The words of a call are forgotten KEPT_FOR after it came, the ids of its events REMEMBERED_FOR.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import secrets
import uuid
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest, Least

from accounts.connecting import connector_for
from accounts.hooks import HookSource, events_of
from accounts.models import AppRegistration, SocialAccount
from accounts.services.offers import forget_offers_of
from accounts.services.social import TAKEN_BACK, disconnect, mark_needs_reconnect
from connectors.base import Capability, InboxItem, WebhookEvent, WebhookKind
from connectors.errors import ConnectorError, RateLimited, Rejected, RejectReason
from engagement.models import DeletionRequest, InboxPull, NetworkCall, NetworkEvent
from engagement.services.collection import BUSY_INTERVAL
from engagement.services.intake import take_page
from outbox.services.processing import ask_now
from outbox.services.rates import Lane, block_until
from outbox.services.usage import heeding

logger = logging.getLogger(__name__)

KEPT_FOR = dt.timedelta(days=3)
REMEMBERED_FOR = dt.timedelta(days=30)
DELETIONS_KEPT_FOR = dt.timedelta(days=365)
FIRST_BACKOFF = dt.timedelta(seconds=30)
MOST_TRIES = 8
LEASE = dt.timedelta(minutes=2)  # of a call that is being worked through
BATCH = 200


# --- receiving ------------------------------------------------------------------------------------


def receive(
    *, source: HookSource, body: bytes, is_deletion: bool, now: dt.datetime
) -> tuple[uuid.UUID, bool]:
    """Keep a genuine call. Returns its id, and whether it is new."""
    digest = hashlib.sha256(body).hexdigest()
    known = NetworkCall.objects.filter(app=source.app, account=source.account, digest=digest)
    known = known.filter(is_deletion=is_deletion)
    with transaction.atomic():
        call = NetworkCall(
            app=source.app,
            account=source.account,
            platform=source.platform,
            is_deletion=is_deletion,
            digest=digest,
            body=body,
            received_at=now,
            next_at=now,
        )
        NetworkCall.objects.bulk_create([call], ignore_conflicts=True)
        kept: uuid.UUID = known.values_list("pk", flat=True).get()
    return kept, kept == call.pk


def request_of_deletion(*, source: HookSource, body: bytes, now: dt.datetime) -> str:
    """Note a genuine request; returns the code under which its page tells what became of it. The same request
    again has the same code. Raises Rejected(INVALID)."""
    events = events_of(source.platform, body, is_deletion=True)
    if not any(one.kind is WebhookKind.FORGET and one.account_id for one in events):
        raise Rejected(RejectReason.INVALID, "a request of deletion without a person")
    request, _is_new = DeletionRequest.objects.get_or_create(
        digest=_digest_of_request(source.app, body),
        defaults={"code": secrets.token_urlsafe(32), "platform": source.platform, "requested_at": now},
    )
    return request.code


def _digest_of_request(app: AppRegistration | None, body: bytes) -> str:
    """An id of a person is short enough to be guessed: of each app another hash, and of the whole request."""
    return hashlib.sha256(f"{app.pk if app else ''}:".encode() + body).hexdigest()


# --- working through ------------------------------------------------------------------------------


def due_calls(*, now: dt.datetime) -> list[uuid.UUID]:
    """Calls that nobody has worked through yet: their worker died, or something did not work. Each is told
    once in FIRST_BACKOFF, however long the queue is."""
    with transaction.atomic():
        rows = NetworkCall.objects.filter(next_at__lte=now - FIRST_BACKOFF).order_by("next_at")
        locked = rows.select_for_update(skip_locked=True)
        found = list(locked.values_list("pk", flat=True)[:BATCH])
        NetworkCall.objects.filter(pk__in=found).update(next_at=now)
    return found


def work_through(*, call_id: uuid.UUID, now: dt.datetime) -> bool:
    """Act on the events of a call; returns whether an inbox is to be read now. What fails is tried again
    later, with growing pauses; what cannot be read is given up at once."""
    call = _claim(call_id, now)
    if call is None:
        return False
    try:
        events = events_of(call.platform, bytes(call.body), is_deletion=call.is_deletion)
        nudged = _act_on_all(call, events, now)
    except Rejected as error:
        NetworkCall.objects.filter(pk=call.pk).update(next_at=None, error=error.detail)
        return False
    except Exception as error:
        logger.exception("a call of %s was not worked through", call.platform)
        tries = call.tries + 1
        again = now + FIRST_BACKOFF * (1 << tries) if tries < MOST_TRIES else None
        NetworkCall.objects.filter(pk=call.pk).update(next_at=again, tries=tries, error=type(error).__name__)
        return False
    NetworkCall.objects.filter(pk=call.pk).update(next_at=None, error="")
    return bool(nudged)


def _act_on_all(call: NetworkCall, events: Iterable[WebhookEvent], now: dt.datetime) -> int:
    """How many make an inbox be read now. One that fails does not keep the others from being acted on; it is
    raised at the end."""
    nudged, failed = 0, None
    for event in events:
        try:
            nudged += _act(call, event, now)
        except Exception as error:
            logger.exception("an event of %s in call %s was not acted on", call.platform, call.pk)
            failed = error
    if failed is not None:
        raise failed
    return nudged


def _claim(call_id: uuid.UUID, now: dt.datetime) -> NetworkCall | None:
    """The call, for this worker alone until LEASE is over; None when it is done, or another's."""
    with transaction.atomic():
        call = (
            NetworkCall.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(pk=call_id, next_at__lte=now)
            .select_related("app", "account")
            .first()
        )
        if call is not None:
            NetworkCall.objects.filter(pk=call.pk).update(next_at=now + LEASE)
    return call


def _act(call: NetworkCall, event: WebhookEvent, now: dt.datetime) -> bool:
    """Whether an inbox is to be read now."""
    if NetworkEvent.objects.filter(app=call.app, account=call.account, event_id=event.event_id).exists():
        return False
    accounts = list(_about(call, event))
    # The network is asked outside the transaction: people's names, where it tells ids alone.
    items = {account.pk: _completed(account, event, now) for account in accounts if event.items}
    with transaction.atomic():
        _noted, is_new = NetworkEvent.objects.get_or_create(
            app=call.app, account=call.account, event_id=event.event_id, defaults={"happened_at": now}
        )
        if not is_new:  # another worker was faster
            return False
        match event.kind:
            case WebhookKind.INBOX if event.items:
                for account in accounts:
                    take_page(
                        account=account, items=items[account.pk], began_at=_began_at(account, now), now=now
                    )
            case WebhookKind.INBOX:
                return _read_soon([one for one in accounts if _can_any(one, event.needs)], now)
            case WebhookKind.PUBLICATION:
                for account in accounts:
                    ask_now(account=account, remote_id=event.remote_id, now=now)
            case WebhookKind.REVOKED:
                for account in accounts:
                    mark_needs_reconnect(account=account, detail=TAKEN_BACK, now=now)
            case WebhookKind.FORGET:
                _forget(call, accounts, now)
            case WebhookKind.OTHER:
                pass
    return False


def _read_soon(accounts: list[SocialAccount], now: dt.datetime) -> bool:
    """Whether an inbox is to be read now. One that was read lately waits as long as a busy one does, or as
    its network asks (it may charge for each look): who comments often must not use up what it allows us. One
    that could not be read waits for its own time."""
    waiting = InboxPull.objects.filter(next_at__gt=now, error="")
    for account in accounts:
        least = max(BUSY_INTERVAL, dt.timedelta(seconds=account.info.inbox_every_s))
        soonest = Greatest(Value(now), F("taken_at") + least)  # of a null the other
        waiting.filter(account=account).update(next_at=Least(F("next_at"), soonest))
    return InboxPull.objects.filter(account__in=accounts, next_at__lte=now).exists()


def _can_any(account: SocialAccount, needs: Collection[Capability]) -> bool:
    info = account.info
    return not needs or any(map(info.can, needs))


def _about(call: NetworkCall, event: WebhookEvent) -> QuerySet[SocialAccount]:
    """The accounts that an event is about: one may be connected with several brands. Only such as speak
    through the app that was called."""
    rows = SocialAccount.objects.connected().select_related("brand__organization", "brand__sla_policy")
    if call.account is not None:
        return rows.filter(pk=call.account.pk)
    rows = rows.filter(platform=call.platform, credential__app=call.app)
    if event.kind in (WebhookKind.REVOKED, WebhookKind.FORGET):
        # What was connected since is another permission than the one that was taken back.
        rows = rows.filter(connected_at__lte=call.received_at)
        return rows.filter(Q(options__person_id=event.account_id) | Q(remote_id=event.account_id))
    return rows.filter(Q(remote_id=event.account_id) | Q(options__hook_ids__contains=[event.account_id]))


def _completed(account: SocialAccount, event: WebhookEvent, now: dt.datetime) -> list[InboxItem]:
    try:
        with heeding(account, clock=lambda: now, is_reading=True):
            return list(connector_for(account).complete(event.items))
    except RateLimited as refusal:
        block_until(account=account, until=refusal.retry_at, of_app=refusal.of_app, lanes=(Lane.READING,))
    except ConnectorError:
        pass
    return list(event.items)  # a name is not worth losing a message for


def _began_at(account: SocialAccount, now: dt.datetime) -> dt.datetime:
    """When this inbox was first read; what a network tells by itself may come before any reading."""
    pull, _made = InboxPull.objects.get_or_create(
        account=account, defaults={"next_at": now, "began_at": now, "read_until": now}
    )
    return pull.began_at


def _forget(call: NetworkCall, accounts: list[SocialAccount], now: dt.datetime) -> None:
    """What we have by this person's permission: the access to the accounts that they connected."""
    for account in accounts:
        disconnect(account=account, actor=None, now=now)
    if call.app is not None:
        forget_offers_of(app=call.app)
    asked = DeletionRequest.objects.filter(digest=_digest_of_request(call.app, bytes(call.body)))
    asked.update(done_at=now, accounts=F("accounts") + len(accounts))


# --- forgetting -----------------------------------------------------------------------------------


def forget_old(*, now: dt.datetime) -> None:
    NetworkCall.objects.filter(received_at__lt=now - KEPT_FOR).delete()
    NetworkEvent.objects.filter(happened_at__lt=now - REMEMBERED_FOR).delete()
    DeletionRequest.objects.filter(requested_at__lt=now - DELETIONS_KEPT_FOR).delete()
