"""Content that posts are made from again and again: a draft, kept as JSON beside its template."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from django.db.models import F

from accounts.models import Brand, SocialAccount, User
from campaigns.selectors.campaigns import choosable
from content_calendar.content import asset_ids, parts_from_json, parts_to_json
from content_calendar.models import Label, MediaAsset, Post
from content_calendar.selectors.states import LIVE_STATES
from content_calendar.services.drafts import Draft, create_post, duplicate_post
from outbox.missed import rule_of


def kept(draft: Draft) -> dict[str, Any]:
    """Everything of a draft but its time."""
    return {
        "parts": parts_to_json(draft.parts),
        "accounts": [str(pk) for pk in draft.accounts],
        "own": {str(pk): parts_to_json(parts) for pk, parts in draft.own_parts.items()},
        "campaign": str(draft.campaign) if draft.campaign else "",
        "missed": draft.missed.key if draft.missed else "",
        "labels": [str(pk) for pk in draft.labels],
        "settings": {str(pk): dict(answers) for pk, answers in draft.settings.items()},
    }


def draft_from(content: Mapping[str, Any], brand: Brand, *, planned_at: dt.datetime) -> Draft:
    """A draft of kept content, without the accounts, labels and campaign that are gone meanwhile. Images that
    are gone stay named: what went out without them would not be what somebody wrote."""
    chosen = [uuid.UUID(pk) for pk in content.get("accounts", ())]
    known = set(
        SocialAccount.objects.for_brand(brand).connected().filter(pk__in=chosen).values_list("pk", flat=True)
    )
    labels = [uuid.UUID(pk) for pk in content.get("labels", ())]
    campaign = uuid.UUID(content["campaign"]) if content.get("campaign") else None
    if campaign is not None and not choosable(brand).filter(pk=campaign).exists():
        campaign = None
    return Draft(
        parts=parts_from_json(content.get("parts", ())),
        accounts=tuple(pk for pk in chosen if pk in known),
        own_parts={
            uuid.UUID(pk): parts_from_json(parts)
            for pk, parts in content.get("own", {}).items()
            if uuid.UUID(pk) in known
        },
        planned_at=planned_at,
        campaign=campaign,
        missed=rule_of(content.get("missed", "")),
        labels=tuple(Label.objects.for_brand(brand).filter(pk__in=labels).values_list("pk", flat=True))
        if labels
        else (),
        settings={
            uuid.UUID(pk): answers
            for pk, answers in content.get("settings", {}).items()
            if uuid.UUID(pk) in known
        },
    )


def without_lost_media(draft: Draft, brand: Brand) -> Draft:
    """The draft without the images that are gone."""
    used = asset_ids(draft.parts, *draft.own_parts.values())
    known: Collection[uuid.UUID] = set(
        MediaAsset.objects.filter(brand=brand, pk__in=used).values_list("pk", flat=True)
    )

    def still(parts: Any) -> Any:
        return tuple(
            replace(part, media=tuple(use for use in part.media if use.asset in known)) for part in parts
        )

    own = {pk: still(parts) for pk, parts in draft.own_parts.items()}
    return replace(draft, parts=still(draft.parts), own_parts=own)


def template_from(*, post: Post, actor: User, now: dt.datetime) -> Post:
    """A template with the content of a post: a plain draft becomes it, of anything else a copy does."""
    is_draft = not post.is_template and not post.variants.filter(delivery__state__in=LIVE_STATES).exists()
    template = post if is_draft else duplicate_post(post=post, actor=actor, now=now)
    return _as_template(template, now)


def new_template(*, brand: Brand, author: User, draft: Draft, now: dt.datetime) -> Post:
    """A template of its own. Raises as ``create_post``."""
    return _as_template(create_post(brand=brand, author=author, draft=draft, now=now), now)


def _as_template(post: Post, now: dt.datetime) -> Post:
    Post.objects.filter(pk=post.pk).update(
        is_template=True, planned_at=None, updated_at=now, edited_in="", version=F("version") + 1
    )
    post.refresh_from_db()
    return post
