"""Posts on their way through an approval in two steps: with colleagues, with the client, and sent back."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace

from content_calendar.content import MediaUse, Part
from content_calendar.models import ApprovalRule, Post, Review
from content_calendar.services import approval, review_links
from content_calendar.services.drafts import Draft, create_post, save_draft
from content_calendar.services.media import store_image
from smmapp.demo import approvals_ja, pictures
from smmapp.demo.plan import PEOPLE, DemoReview
from smmapp.demo.world import World

BRAND = "aozora"


def add_approvals(world: World) -> None:
    """The rule of the brand and what waits by it. Comes after everything that is scheduled without one."""
    if world.plan.key != BRAND:
        return
    owner, manager = (world.people[person.email] for person in PEOPLE[:2])
    began = world.now - dt.timedelta(days=2)
    approval.set_rules(brand=world.row, rule=ApprovalRule.BOTH, remind_after_h=24, actor=owner, now=began)
    posts = {plan: _submitted(world, plan, began) for plan in approvals_ja.REVIEWS}
    for plan, post in posts.items():
        if plan.is_for_client:
            version = Review.objects.open().get(post=post).version_id
            approval.approve(post=post, version_id=version, actor=owner, now=began + dt.timedelta(hours=1))
    link, _token = review_links.create_request(
        brand=world.row,
        posts=[post.pk for plan, post in posts.items() if plan.is_for_client],
        facts=review_links.LinkFacts(approvals_ja.CLIENT, "", approvals_ja.NOTE, 14, "ja"),
        actor=manager,
        now=began + dt.timedelta(hours=2),
    )
    answered_at = began + dt.timedelta(hours=20)
    review_links.note_opened(request=link, now=answered_at)
    for plan, post in posts.items():
        if not plan.answer:
            continue
        review_links.answer(
            request=link,
            post_id=post.pk,
            version_id=Review.objects.open().get(post=post).version_id,
            is_approved=False,
            client_name=approvals_ja.CLIENT,
            text=plan.answer,
            now=answered_at,
        )
        post.refresh_from_db()
        changed = replace(Draft.of_post(post), parts=(Part(plan.then),))
        save_draft(
            post=post,
            version=post.version,
            draft=changed,
            actor=manager,
            now=answered_at + dt.timedelta(hours=3),
        )


def _submitted(world: World, plan: DemoReview, now: dt.datetime) -> Post:
    manager = world.people[PEOPLE[1].email]
    media: tuple[MediaUse, ...] = ()
    if plan.piece.picture:
        if plan.piece.picture not in world.assets:
            world.assets[plan.piece.picture] = store_image(
                brand=world.row,
                upload=io.BytesIO(pictures.jpeg(plan.piece.picture)),
                name=f"{plan.piece.picture}.jpg",
                actor=manager,
                now=now,
            )
        media = (MediaUse(asset=world.assets[plan.piece.picture].pk, alt=plan.piece.alt),)
    draft = Draft(
        parts=(Part(plan.piece.text, media),),
        accounts=(world.accounts[0].row.pk,),
        planned_at=world.instant(plan.day, plan.time),
    )
    post = create_post(brand=world.row, author=manager, draft=draft, now=now - dt.timedelta(hours=1))
    approval.submit_for_review(post=post, actor=manager, now=now)
    return post
