"""Writing posts: drafts, their variants, copies, deletion and its undo."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.models import Brand, SocialAccount, User
from accounts.services.audit import record
from campaigns.selectors.campaigns import choosable
from content_calendar.answers import AnswersByAccount, kept_answers
from content_calendar.content import Part, Parts, asset_ids, parts_from_json, parts_to_json
from content_calendar.models import Approval, Label, MediaAsset, Post, Variant
from content_calendar.selectors.approval import content_of
from content_calendar.selectors.states import LIVE_STATES, UNDER_WAY_STATES
from content_calendar.services import reviews
from content_calendar.services.library import note_usages
from content_calendar.services.transitions import move_approval
from outbox.missed import MissedRule
from outbox.models import DeliveryState
from outbox.services.scheduling import cancel_delivery, has_begun
from outbox.services.transitions import NotPossible


class EditConflict(Exception):
    """Somebody else saved the post meanwhile. Nothing was written; ``post`` is how it stands now."""

    def __init__(self, post: Post) -> None:
        super().__init__(f"{post.pk} is at version {post.version}")
        self.post = post


class PostTaken(Exception):
    """The id belongs to another post, perhaps of another organization."""


class AccountUnknown(Exception):
    """An account was chosen that is not the brand's."""


class MediaUnknown(Exception):
    """An image was used that is not the brand's."""


class CampaignUnknown(Exception):
    """A campaign was chosen that is not the brand's, or was archived meanwhile."""


class LabelUnknown(Exception):
    """A label was chosen that is not the brand's, or was deleted meanwhile."""


class AlreadyScheduled(Exception):
    """The post stands in the schedule: change it there, or take it back to the drafts first."""


class AlreadySending(Exception):
    """A part of the post is on its way or published: it can no longer be changed."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that a composer page holds. ``own_parts`` has the accounts with words of their own,
    ``settings`` those of which something is said besides (content_calendar.answers)."""

    parts: Parts = (Part(),)
    accounts: tuple[uuid.UUID, ...] = ()
    own_parts: Mapping[uuid.UUID, Parts] = field(default_factory=dict)
    planned_at: dt.datetime | None = None
    campaign: uuid.UUID | None = None
    missed: MissedRule | None = None  # None: what the brand does
    labels: tuple[uuid.UUID, ...] = ()
    settings: AnswersByAccount = field(default_factory=dict)

    @classmethod
    def of_post(cls, post: Post) -> Draft:
        """What is saved, without the accounts that were taken off. Two queries; ``variants`` with their
        deliveries and ``labels`` may be prefetched."""
        rows = post.variants.all()
        if "variants" not in getattr(post, "_prefetched_objects_cache", {}):
            rows = rows.select_related("delivery")
        # In the order in which they were chosen, whatever order the database has them in.
        variants = still_meant(post, sorted(rows, key=lambda variant: variant.pk))
        return cls(
            parts=parts_from_json(post.parts) or (Part(),),
            accounts=tuple(v.account_id for v in variants),
            own_parts={v.account_id: parts_from_json(v.parts) for v in variants if v.parts is not None},
            planned_at=post.planned_at,
            campaign=post.campaign_id,
            missed=post.missed_rule,
            labels=tuple(label.pk for label in post.labels.all()),
            settings={v.account_id: v.settings for v in variants if v.settings},
        )


def still_meant(post: Post, variants: Iterable[Variant]) -> list[Variant]:
    """Without those of accounts on which the post is not to be sent: taken off, while it stands in the
    schedule of another or has gone out there. Of a post in no schedule, and of one that left it to be
    approved again, all are meant."""
    rows = list(variants)
    if post.approval != Approval.APPROVED or not any(_is_live(variant) for variant in rows):
        return rows
    return [variant for variant in rows if variant.delivery is None or _is_live(variant)]


def create_post(
    *,
    brand: Brand,
    author: User,
    draft: Draft,
    now: dt.datetime,
    post_id: uuid.UUID | None = None,
    edited_in: str = "",
) -> Post:
    """A new draft. ``post_id`` is chosen by the page that writes it, so that a repeated request makes one
    post; ``edited_in`` names that page.

    Raises PostTaken, AccountUnknown, CampaignUnknown, LabelUnknown, MediaUnknown.
    """
    with transaction.atomic():
        _check_media(brand, draft)
        _check_campaign(brand, draft, present=None)
        post = Post(
            brand=brand,
            author=author,
            campaign_id=draft.campaign,
            parts=parts_to_json(draft.parts),
            planned_at=draft.planned_at,
            missed_policy=draft.missed.policy if draft.missed else "",
            missed_after_s=draft.missed.after_s if draft.missed else None,
            edited_in=edited_in,
            edited_by=author,
            created_at=now,
            updated_at=now,
        )
        if post_id is not None:
            post.pk = post_id
        try:
            with transaction.atomic():
                post.save(force_insert=True)
        except IntegrityError as error:
            raise PostTaken from error
        set_variants(post=post, draft=draft)
        set_labels(post=post, labels=draft.labels)
        note_usages(post=post)
    return post


def save_draft(
    *,
    post: Post,
    version: int,
    draft: Draft,
    now: dt.datetime,
    edited_in: str = "",
    actor: User | None = None,
) -> Post:
    """Save what the composer holds over version ``version`` of the post. Other content than what was
    submitted or approved takes the post back to the drafts (see services.reviews).

    Raises EditConflict when somebody else has saved since, AlreadyScheduled when the post is in the
    schedule, AccountUnknown, CampaignUnknown, LabelUnknown, MediaUnknown. Nothing is written then.
    """
    with transaction.atomic():
        row = lock_version(post=post, version=version, edited_in=edited_in)
        if row.variants.filter(delivery__state__in=LIVE_STATES).exists():
            raise AlreadyScheduled
        before = content_of(row)
        write_content(post=row, draft=draft, edited_in=edited_in, now=now)
        reviews.after_saving(post=row, before=before, actor=actor, now=now)
    return row


def lock_version(*, post: Post, version: int, edited_in: str) -> Post:
    """The row, locked, if the page that asks knows its content. Raises EditConflict."""
    row = Post.objects.select_for_update(of=("self",)).select_related("brand").get(pk=post.pk)
    is_same_page = bool(edited_in) and row.edited_in == edited_in
    if row.version != version and not is_same_page:
        raise EditConflict(row)
    return row


def write_content(*, post: Post, draft: Draft, edited_in: str, now: dt.datetime) -> None:
    """Put the draft's content on a locked post. Raises AccountUnknown, CampaignUnknown, LabelUnknown,
    MediaUnknown."""
    _check_media(post.brand, draft)
    _check_campaign(post.brand, draft, present=post.campaign_id)
    post.parts = parts_to_json(draft.parts)
    post.campaign_id = draft.campaign
    post.planned_at = draft.planned_at
    post.missed_policy = draft.missed.policy if draft.missed else ""
    post.missed_after_s = draft.missed.after_s if draft.missed else None
    post.edited_in = edited_in
    post.updated_at = now
    Post.objects.filter(pk=post.pk).update(
        parts=post.parts,
        planned_at=post.planned_at,
        campaign_id=post.campaign_id,
        missed_policy=post.missed_policy,
        missed_after_s=post.missed_after_s,
        edited_in=edited_in,
        updated_at=now,
        version=F("version") + 1,
    )
    post.version += 1
    set_variants(post=post, draft=draft)
    set_labels(post=post, labels=draft.labels)
    note_usages(post=post)


def set_labels(*, post: Post, labels: Collection[uuid.UUID]) -> None:
    """Give the post these labels and no others. Raises LabelUnknown."""
    if not labels:
        post.labels.clear()
        return
    known = list(Label.objects.for_brand(post.brand).filter(pk__in=labels))
    if len(known) != len(set(labels)):
        raise LabelUnknown
    post.labels.set(known)


def change_labels(*, post: Post, labels: Collection[uuid.UUID], now: dt.datetime) -> None:
    """Other labels for a post in any state: they are no part of what is sent. Raises LabelUnknown."""
    with transaction.atomic():
        set_labels(post=post, labels=labels)
        Post.objects.filter(pk=post.pk).update(version=F("version") + 1, edited_in="", updated_at=now)


def set_variants(*, post: Post, draft: Draft) -> list[Variant]:
    """Where the post goes, the words that differ there and what is said besides. Accounts that are not named
    lose their variant, unless something of it has gone out or is in the schedule. Raises AccountUnknown."""
    wanted = list(dict.fromkeys(draft.accounts))
    present = {variant.account_id: variant for variant in post.variants.select_related("account", "delivery")}
    fresh = [pk for pk in wanted if pk not in present]
    known: dict[uuid.UUID, SocialAccount] = {}
    if fresh:
        known = SocialAccount.objects.for_brand(post.brand).connected().in_bulk(fresh)
        if len(known) != len(fresh):
            raise AccountUnknown
    for account_id, variant in present.items():
        # What was given up in its middle stays known: chosen again, its beginning would appear twice.
        if account_id not in wanted and not (
            _is_live(variant) or (variant.delivery is not None and has_begun(variant.delivery))
        ):
            variant.delete()
    kept = []
    for account_id in wanted:
        own = draft.own_parts.get(account_id)
        parts = parts_to_json(own) if own is not None else None
        kept_variant = present.get(account_id)
        info = (kept_variant.account if kept_variant else known[account_id]).info
        settings = kept_answers(info, draft.settings.get(account_id, {}))
        if kept_variant is None:
            kept_variant = Variant.objects.create(
                post=post, account_id=account_id, parts=parts, settings=settings
            )
        elif (kept_variant.parts, kept_variant.settings) != (parts, settings):
            kept_variant.parts, kept_variant.settings = parts, settings
            kept_variant.save(update_fields=["parts", "settings"])
        kept.append(kept_variant)
    return kept


def _is_live(variant: Variant) -> bool:
    return variant.delivery is not None and variant.delivery.state in LIVE_STATES


def _check_media(brand: Brand, draft: Draft) -> None:
    used = asset_ids(draft.parts, *draft.own_parts.values())
    if not used:
        return
    # Locked, so that nobody deletes one before this is saved (services.library.delete_assets).
    rows = MediaAsset.objects.filter(brand=brand, pk__in=used).select_for_update(no_key=True)
    if len(rows.order_by("pk").values_list("pk", flat=True)) != len(used):
        raise MediaUnknown


def _check_campaign(brand: Brand, draft: Draft, *, present: uuid.UUID | None) -> None:
    """A campaign that the post is in already may stay, archived or not."""
    if draft.campaign is None or draft.campaign == present:
        return
    if not choosable(brand).filter(pk=draft.campaign).exists():
        raise CampaignUnknown


def duplicate_post(*, post: Post, actor: User, now: dt.datetime) -> Post:
    """A new draft with the same content, accounts and (unless it is archived) campaign, without a time."""
    draft = replace(Draft.of_post(post), planned_at=None)
    if draft.campaign and not choosable(post.brand).filter(pk=draft.campaign).exists():
        draft = replace(draft, campaign=None)
    still_there = set(
        SocialAccount.objects.for_brand(post.brand)
        .connected()
        .filter(pk__in=draft.accounts)
        .values_list("pk", flat=True)
    )
    draft = replace(draft, accounts=tuple(pk for pk in draft.accounts if pk in still_there))
    return create_post(brand=post.brand, author=actor, draft=draft, now=now)


def delete_post(*, post: Post, actor: User, now: dt.datetime) -> Post:
    """Put the post away; what is still in its schedule is cancelled. What was published stays on the
    networks. Raises AlreadySending while something of it is on its way."""
    with transaction.atomic():
        row = (
            Post.objects.select_for_update(of=("self",)).select_related("brand__organization").get(pk=post.pk)
        )
        for variant in row.variants.select_related("delivery"):
            delivery = variant.delivery
            if delivery is None or delivery.state in (DeliveryState.CANCELLED, DeliveryState.SENT):
                continue
            if delivery.state in UNDER_WAY_STATES:
                raise AlreadySending
            try:
                cancel_delivery(delivery=delivery, actor=actor, now=now)
            except NotPossible as refusal:
                raise AlreadySending from refusal
        if reviews.withdraw_open(post=row, now=now, actor=actor):
            move_approval(row, Approval.DRAFT)
        Post.objects.filter(pk=row.pk).update(deleted_at=now, version=F("version") + 1, edited_in="")
        row.deleted_at = now
        record(
            organization=row.brand.organization,
            actor=actor,
            action="post.deleted",
            subject=row,
            detail={"excerpt": row.excerpt},
            now=now,
        )
    return row


def restore_post(*, post: Post, actor: User, now: dt.datetime) -> Post:
    """Undo a deletion. What was cancelled stays cancelled: the post comes back as a draft (or approved, where
    that still holds), with its time."""
    with transaction.atomic():
        row = (
            Post.objects.select_for_update(of=("self",)).select_related("brand__organization").get(pk=post.pk)
        )
        if row.deleted_at is None:
            return row
        is_live = row.variants.filter(delivery__state__in=LIVE_STATES).exists()
        row.deleted_at = None
        Post.objects.filter(pk=row.pk).update(deleted_at=None, updated_at=now, version=F("version") + 1)
        if row.approval == Approval.APPROVED and not is_live:
            move_approval(row, reviews.resting_state(row))
        record(
            organization=row.brand.organization,
            actor=actor,
            action="post.restored",
            subject=row,
            detail={"excerpt": row.excerpt},
            now=now,
        )
    return row
