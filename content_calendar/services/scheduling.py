"""Giving a post its time: schedule, change in the schedule, move, publish now, take back."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.models import SocialAccount, User
from accounts.services.audit import record
from campaigns.services.links import LinkUse, links_to, short_url
from connectors.base import Capability, Json
from content_calendar.answers import Answers, addresses_of, sent_answers, with_other_addresses
from content_calendar.content import Parts, addresses_in, asset_ids, parts_from_json, with_addresses
from content_calendar.models import Approval, ApprovalRule, KeptBecause, MediaAsset, Post, Rendition, Variant
from content_calendar.selectors.approval import (
    Content,
    content_of,
    fingerprint,
    fingerprint_of,
    missing_steps,
    rule_of,
)
from content_calendar.selectors.checks import AccountCheck, as_sent, check_content, sendable
from content_calendar.selectors.states import LIVE_STATES, UNDER_WAY_STATES
from content_calendar.services import reviews
from content_calendar.services.drafts import (
    AlreadySending,
    Draft,
    lock_version,
    still_meant,
    write_content,
)
from content_calendar.services.media import rendition_for
from content_calendar.services.transitions import move_approval
from content_calendar.services.videos import sent_rate, video_for
from outbox.missed import MissedRule
from outbox.models import Delivery, DeliveryKind, DeliveryState, MissedPolicy
from outbox.payloads import MediaContent, PartContent, freeze_post
from outbox.selectors import missed_rule_of
from outbox.services.scheduling import (
    cancel_delivery,
    change_missed_rule,
    has_begun,
    move_delivery,
    replace_payload,
    retry_delivery,
    schedule_delivery,
)
from outbox.services.transitions import NotPossible

_OVER = (None, DeliveryState.CANCELLED)


class NoAccountChosen(Exception):
    """A post without an account cannot be scheduled."""


class InThePast(Exception):
    """The time is over."""


class OnlyATemplate(Exception):
    """A series or an evergreen pool makes its posts from this one; it is not sent itself."""


class NotReady(Exception):
    """At least one account's network would refuse the content, or the account is not connected."""

    def __init__(self, checks: list[AccountCheck]) -> None:
        super().__init__(", ".join(str(check.account) for check in checks))
        self.checks = checks  # only those with issues


class NothingToMove(Exception):
    """Nothing of the post is waiting any more: it is published, or a person must decide first."""


def schedule_post(*, post: Post, at: dt.datetime, actor: User, now: dt.datetime) -> Post:
    """Put the post in the schedule of all its accounts for ``at`` (aware), its content frozen; deliveries
    that are there already and have not begun get the new content and time.

    Raises NoAccountChosen, InThePast, NotReady, AlreadySending, OnlyATemplate, reviews.ApprovalMissing. All
    or nothing.
    """
    if at < now:
        raise InThePast
    with transaction.atomic():
        row = _lock(post)
        _refuse_template(row)
        _schedule(row, at=at, actor=actor, now=now, approved=_approved(row))
        _audit(row, "post.scheduled", actor, now, at=at)
    return row


def publish_now(*, post: Post, actor: User, now: dt.datetime) -> Post:
    """Due at once. Raises NoAccountChosen, NotReady, AlreadySending, OnlyATemplate,
    reviews.ApprovalMissing."""
    with transaction.atomic():
        row = _lock(post)
        _refuse_template(row)
        _schedule(row, at=now, actor=actor, now=now, approved=_approved(row))
        _audit(row, "post.published_now", actor, now, at=now)
    return row


def update_scheduled(
    *,
    post: Post,
    version: int,
    draft: Draft,
    actor: User,
    now: dt.datetime,
    edited_in: str = "",
) -> Post:
    """Change a post that stands in the schedule: its content is frozen anew, accounts that were added are
    scheduled, those taken off are cancelled, and a new ``draft.planned_at`` moves it. What is published
    already stays as it went out.

    Where the brand asks for an approval, other content asks for it again: nothing is sent until it is there,
    and the post comes back in review; what a colleague saves who may approve alone is approved with it.

    Raises EditConflict, AlreadySending, NoAccountChosen, InThePast, NotReady, AccountUnknown,
    CampaignUnknown, LabelUnknown, MediaUnknown.
    """
    with transaction.atomic():
        row = lock_version(post=post, version=version, edited_in=edited_in)
        at = draft.planned_at or row.planned_at
        if at is None:
            raise InThePast
        is_moved = at != row.planned_at
        if is_moved and at < now:
            raise InThePast
        for variant in row.variants.select_related("delivery"):
            delivery = variant.delivery
            if delivery is None or delivery.state in (DeliveryState.CANCELLED, DeliveryState.SENT):
                continue
            if delivery.state in UNDER_WAY_STATES:
                raise AlreadySending
            if variant.account_id not in draft.accounts:
                _cancel_unbegun(delivery, actor=actor, now=now)
        before, content = row.campaign_id, content_of(row)
        is_live = row.variants.filter(delivery__state__in=LIVE_STATES).exists()
        write_content(post=row, draft=replace(draft, planned_at=at), edited_in=edited_in, now=now)
        is_changed = fingerprint(content) != fingerprint_of(row)
        if is_live and (is_changed or row.approval != Approval.APPROVED):
            approved = _approved_anew(row, content, actor=actor, now=now)
        else:
            approved = _approved(row)
        if approved is not None:
            chosen = draft.accounts
            _schedule(row, at=at, actor=actor, now=now, moves=is_moved, approved=approved, chosen=chosen)
        moved_to = {"campaign": str(row.campaign or "")} if row.campaign_id != before else {}
        _audit(row, "post.changed", actor, now, at=at, **moved_to)
    return row


def _is_scheduled(post: Post) -> bool:
    return (
        post.approval == Approval.APPROVED and post.variants.filter(delivery__state__in=LIVE_STATES).exists()
    )


def _approved(post: Post) -> str:
    """With which approval the post may be scheduled, "" where none is asked. What stands in the schedule
    keeps the one that it came with, whatever the brand asks for since. Raises reviews.ApprovalMissing."""
    return post.approved_fingerprint if _is_scheduled(post) else reviews.require_approval(post)


def _approved_anew(post: Post, before: Content, *, actor: User, now: dt.datetime) -> str | None:
    """The approval of what a scheduled post says now, None when it has to be asked for: then nothing of it is
    in the schedule any more, and somebody has been asked."""
    reviews.keep_what_another_wrote(post=post, before=before, actor=actor, now=now)
    rule, mark = rule_of(post.brand_id), fingerprint_of(post)
    if rule is ApprovalRule.NONE:
        return ""
    if not missing_steps(post, rule, mark):
        return mark
    if reviews.approves_by_saving(post, actor):
        reviews.record_own_approval(post=post, actor=actor, now=now)
        return mark
    for delivery in _deliveries(post):
        if delivery.state not in (DeliveryState.CANCELLED, DeliveryState.SENT):
            _cancel_unbegun(delivery, actor=actor, now=now)
    move_approval(post, Approval.IN_REVIEW, approved_fingerprint="")
    reviews.open_review(post=post, actor=actor, now=now)
    return None


def move_post(*, post: Post, at: dt.datetime, actor: User, now: dt.datetime) -> Post:
    """Another time: for a draft the planned one, for a scheduled post that of every delivery that can still
    move (failed and missed ones are scheduled again).

    Raises InThePast, AlreadySending, NothingToMove.
    """
    if at < now:
        raise InThePast
    with transaction.atomic():
        row = _lock(post)
        deliveries = [d for d in _deliveries(row) if d.state != DeliveryState.CANCELLED]
        waiting = [d for d in deliveries if d.state != DeliveryState.SENT]
        if deliveries and not waiting:
            raise NothingToMove
        if any(d.state in UNDER_WAY_STATES for d in waiting):
            raise AlreadySending
        for delivery in waiting:
            _move(delivery, at=at, actor=actor, now=now)
        _write(row, planned_at=at, updated_at=now)
        if deliveries:
            _audit(row, "post.moved", actor, now, at=at)
    return row


def unschedule(*, post: Post, actor: User, now: dt.datetime) -> Post:
    """Back to the drafts (or approved, where that still holds), its time kept as a plan.

    Raises AlreadySending once a part went out or is on its way, NothingToMove for a draft.
    """
    with transaction.atomic():
        row = _lock(post)
        deliveries = [d for d in _deliveries(row) if d.state != DeliveryState.CANCELLED]
        if not deliveries:
            raise NothingToMove
        for delivery in deliveries:
            if delivery.state == DeliveryState.SENT or delivery.state in UNDER_WAY_STATES:
                raise AlreadySending
            _cancel_unbegun(delivery, actor=actor, now=now)
        _leave_schedule(row, now=now)
        _audit(row, "post.unscheduled", actor, now)
    return row


def cancel_variant(*, variant: Variant, actor: User, now: dt.datetime) -> Variant:
    """Do not send the post on this account. Raises AlreadySending."""
    with transaction.atomic():
        row = _lock(variant.post)
        if variant.delivery is not None:
            if variant.delivery.state in UNDER_WAY_STATES:
                raise AlreadySending
            _tried(cancel_delivery, delivery=variant.delivery, actor=actor, now=now)
        if not row.variants.filter(delivery__state__in=LIVE_STATES).exists():
            _leave_schedule(row, now=now)
        _audit(row, "post.cancelled_on_account", actor, now, account=str(variant.account))
    return variant


def _lock(post: Post) -> Post:
    rows = Post.objects.select_for_update(of=("self",))
    return rows.select_related("brand__organization", "campaign").get(pk=post.pk)


def _deliveries(post: Post) -> list[Delivery]:
    return list(Delivery.objects.filter(variant__post=post).defer("payload"))


def _write(post: Post, **values: Any) -> None:
    Post.objects.filter(pk=post.pk).update(version=F("version") + 1, edited_in="", **values)
    for name, value in values.items():
        setattr(post, name, value)
    post.version += 1
    post.edited_in = ""


def _leave_schedule(post: Post, *, now: dt.datetime) -> None:
    move_approval(post, reviews.resting_state(post), approved_fingerprint="")
    _write(post, updated_at=now)


def _tried(service: Any, **arguments: Any) -> None:
    try:
        service(**arguments)
    except NotPossible as refusal:
        raise AlreadySending from refusal


def _cancel_unbegun(delivery: Delivery, *, actor: User, now: dt.datetime) -> None:
    """Off the schedule, to be scheduled again perhaps: only where nothing appeared yet."""
    if has_begun(delivery):
        raise AlreadySending
    _tried(cancel_delivery, delivery=delivery, actor=actor, now=now)


def _refuse_template(post: Post) -> None:
    if post.is_template:
        raise OnlyATemplate


def _schedule(
    post: Post,
    *,
    at: dt.datetime,
    actor: User,
    now: dt.datetime,
    approved: str,
    moves: bool = True,
    chosen: Collection[uuid.UUID] = (),
) -> None:
    """Every variant of a locked post into the schedule, with its content as it stands now; one whose account
    was taken off only if that is among the ``chosen``. ``approved``: as of ``_approved``."""
    rows = list(post.variants.select_related("account__brand", "delivery"))
    meant = still_meant(post, rows)
    variants = [variant for variant in rows if variant in meant or variant.account_id in chosen]
    open_variants = [v for v in variants if v.delivery is None or v.delivery.state != DeliveryState.SENT]
    if not variants:
        raise NoAccountChosen
    if not open_variants:
        raise AlreadySending
    if any(v.delivery is not None and v.delivery.state in UNDER_WAY_STATES for v in open_variants):
        raise AlreadySending
    # A thread that was given up in its middle: another delivery would publish its beginning twice.
    if any(
        v.delivery is not None and v.delivery.state == DeliveryState.CANCELLED and has_begun(v.delivery)
        for v in open_variants
    ):
        raise AlreadySending
    contents = {
        v.pk: sendable(parts_from_json(v.parts if v.parts is not None else post.parts), v.account.info)
        for v in open_variants
    }
    assets = _assets(post, *contents.values())
    is_tracked = post.campaign_id is not None
    checks = [
        check_content(v.account, as_sent(contents[v.pk], is_tracked=is_tracked), assets, v.settings)
        for v in open_variants
    ]
    if refused := [check for check in checks if not check.is_ready]:
        raise NotReady(refused)
    needs_time = any(v.delivery is None or v.delivery.state in _OVER for v in open_variants)
    if needs_time and at < now:
        raise InThePast
    rule = post.missed_rule or missed_rule_of(post.brand)
    for variant in open_variants:
        delivery = variant.delivery
        is_new = delivery is None or delivery.state in _OVER
        # Links name what carries them, so a delivery that is still to come has its id already.
        carrier = Delivery(kind=DeliveryKind.POST) if delivery is None or is_new else delivery
        parts, settings = tracked(
            post,
            variant.account,
            contents[variant.pk],
            variant.settings,
            carrier=carrier,
            actor=actor,
            now=now,
        )
        payload = frozen_payload(account=variant.account, parts=parts, assets=assets, settings=settings)
        if delivery is None or is_new:
            variant.delivery = schedule_delivery(
                account=variant.account,
                payload=payload,
                due_at=at,
                actor=actor,
                now=now,
                missed_policy=rule.policy,
                missed_after_s=rule.after_s,
                delivery_id=carrier.pk,
            )
            variant.save(update_fields=["delivery"])
            continue
        if payload != delivery.payload:
            _tried(replace_payload, delivery=delivery, payload=payload, actor=actor, now=now)
        if rule != MissedRule(MissedPolicy(delivery.missed_policy), delivery.missed_after_s):
            _change_rule(delivery, rule=rule, actor=actor, now=now)
        if moves:
            _move(delivery, at=at, actor=actor, now=now)
    reviews.withdraw_open(post=post, now=now, actor=actor)
    reviews.keep_version(post=post, because=KeptBecause.SCHEDULED, actor=actor, now=now)
    move_approval(post, Approval.APPROVED, approved_fingerprint=approved)
    _write(post, planned_at=at, updated_at=now)


def tracked(
    post: Post,
    account: SocialAccount,
    parts: Parts,
    settings: Answers,
    *,
    carrier: Delivery,
    actor: User,
    now: dt.datetime,
) -> tuple[Parts, Answers]:
    """The parts with tracked links of the post's campaign in their words and cards, and what is said besides
    with them as its addresses; the same ones when the content is frozen again. As they are without a
    campaign."""
    campaign = post.campaign
    if campaign is None:
        return parts, settings
    use = LinkUse(post.brand, campaign, account, delivery=carrier)
    wanted = dict.fromkeys((*addresses_in(parts), *addresses_of(account.info, settings)))
    links = links_to(list(wanted), use=use, actor=actor, now=now)
    short = {url: short_url(link) for url, link in links.items()}
    return with_addresses(parts, short), with_other_addresses(account.info, settings, short)


def _change_rule(delivery: Delivery, *, rule: MissedRule, actor: User, now: dt.datetime) -> None:
    """What has begun is brought to its end however late it is: no rule is asked any more."""
    if not has_begun(delivery):
        _tried(change_missed_rule, delivery=delivery, rule=rule, actor=actor, now=now)


def _move(delivery: Delivery, *, at: dt.datetime, actor: User, now: dt.datetime) -> None:
    if delivery.state in (DeliveryState.FAILED, DeliveryState.MISSED):
        _tried(retry_delivery, delivery=delivery, actor=actor, now=now)
    if delivery.due_at != at or delivery.state in (DeliveryState.FAILED, DeliveryState.MISSED):
        _tried(move_delivery, delivery=delivery, due_at=at, actor=actor, now=now)


def _assets(post: Post, *contents: Parts) -> dict[Any, MediaAsset]:
    return MediaAsset.objects.filter(brand=post.brand_id).in_bulk(list(asset_ids(*contents)))


def frozen_payload(
    *,
    account: SocialAccount,
    parts: Parts,
    assets: dict[Any, MediaAsset],
    settings: Answers | None = None,
) -> Json:
    """What will be sent, whatever happens to the post afterwards; images and videos as the network takes
    them. A video's file may still be made: the delivery waits for it (services.sending)."""
    limit, videos = account.info.images, account.info.videos
    frozen = []
    for part in parts:
        media = []
        for use in part.media:
            asset = assets[use.asset]
            file: MediaAsset | Rendition
            if asset.is_video:
                # Checked before: a network that takes none was refused.
                file = video_for(asset=asset, limit=videos) if videos is not None else asset
            else:
                file = rendition_for(asset=asset, limit=limit)
            media.append(
                MediaContent(
                    asset=str(asset.pk),
                    storage_key=file.storage_key,
                    mime_type=file.mime_type,
                    size=file.size,
                    width=file.width,
                    height=file.height,
                    alt_text=use.alt,
                    duration_s=asset.duration_s,
                    frame_rate=sent_rate(asset, videos) if asset.is_video else 0.0,
                    focal_x=asset.focal_x,
                    focal_y=asset.focal_y,
                    cover_key=asset.thumbnail_key
                    if asset.is_video and videos is not None and videos.takes_cover
                    else "",
                )
            )
        frozen.append(
            PartContent(
                part.text,
                tuple(media),
                part.link_card,
                is_comment=part.is_comment,
                warning=part.warning if account.info.can(Capability.CONTENT_WARNING) else "",
                is_sensitive=part.is_sensitive and account.info.can(Capability.SENSITIVE_MEDIA),
            )
        )
    has_video = any(assets[use.asset].is_video for part in parts for use in part.media)
    said = sent_answers(account.info, settings or {}, has_video=has_video)
    return freeze_post(frozen, language=account.brand.locale, settings=said)


def _audit(post: Post, action: str, actor: User, now: dt.datetime, **detail: Any) -> None:
    at = detail.get("at")
    record(
        organization=post.brand.organization,
        actor=actor,
        action=action,
        subject=post,
        detail={**detail, "at": at.isoformat()} if at else detail,
        now=now,
    )
