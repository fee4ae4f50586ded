"""What stands around the demo's posts: labels, notes on the calendar, a filter that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.models import Membership
from content_calendar.models import LabelTone, Post
from content_calendar.services.filters import FilterFacts, add_filter
from content_calendar.services.labels import add_label
from content_calendar.services.notes import add_note
from smmapp.demo.plan import PEOPLE
from smmapp.demo.world import World


@dataclass(frozen=True, slots=True)
class DemoLabel:
    """``words``: posts with one of these in their text carry it."""

    name: str
    tone: LabelTone
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoNote:
    """On the days ``first`` to ``last`` from today."""

    text: str
    tone: LabelTone
    first: int
    last: int


LABELS: Mapping[str, tuple[DemoLabel, ...]] = {
    "aozora": (
        DemoLabel("豆の紹介", LabelTone.GREEN, ("豆", "焙煎")),
        DemoLabel("季節のメニュー", LabelTone.ORANGE, ("季節", "クリスマス", "冬")),
        DemoLabel("お知らせ", LabelTone.BLUE, ("営業", "お知らせ", "予約")),
    ),
    "nordlicht": (
        DemoLabel("Repair", LabelTone.GREEN, ("repair", "mend", "zip")),
        DemoLabel("Behind the scenes", LabelTone.PURPLE, ("workshop", "team")),
        DemoLabel("On the trail", LabelTone.BLUE, ("trail", "hike", "tent")),
    ),
}
NOTES: Mapping[str, tuple[DemoNote, ...]] = {
    "aozora": (
        DemoNote("新豆の入荷", LabelTone.GREEN, 2, 2),
        DemoNote("谷中の朝市に出店", LabelTone.YELLOW, 5, 6),
    ),
    "nordlicht": (
        DemoNote("Repair days in the workshop", LabelTone.GREEN, 3, 4),
        DemoNote("Photo shoot in the Harz", LabelTone.PURPLE, 8, 8),
    ),
}
FILTERS: Mapping[str, str] = {"aozora": "下書きだけ", "nordlicht": "Only drafts"}


def add_planning(world: World) -> None:
    """Labels on the posts they fit, notes on the coming days, the drafts of the brand as a filter."""
    key = world.plan.key
    owner = world.people[PEOPLE[0].email]
    membership = Membership.objects.get(user=owner)
    posts = list(Post.objects.for_brand(world.row))
    carried = []
    for plan in LABELS[key]:
        label = add_label(brand=world.row, name=plan.name, tone=plan.tone, now=world.now)
        carried += [
            Post.labels.through(post_id=post.pk, label_id=label.pk)
            for post in posts
            if any(word in _text(post) for word in plan.words)
        ]
    Post.labels.through.objects.bulk_create(carried)
    for note in NOTES[key]:
        add_note(
            brand=world.row,
            first=world.date(note.first),
            last=world.date(note.last),
            text=note.text,
            tone=note.tone,
            actor=owner,
            now=world.now,
        )
    query = f"brand={world.row.pk}&state=draft"
    facts = FilterFacts(name=FILTERS[key], query=query, is_shared=True)
    add_filter(membership=membership, facts=facts, now=world.now)


def _text(post: Post) -> str:
    return " ".join(part.get("text", "") for part in post.parts).lower()
