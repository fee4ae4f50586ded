"""What the demo's brands keep to write with: hashtag groups, snippets, a template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from content_calendar.content import Part
from content_calendar.services.drafts import Draft
from content_calendar.services.writing import save_group, save_snippet, save_template
from smmapp.demo.plan import PEOPLE
from smmapp.demo.world import World


@dataclass(frozen=True, slots=True)
class Words:
    """``template``: its name, its text and its first comment."""

    groups: tuple[tuple[str, tuple[str, ...]], ...]
    snippets: tuple[tuple[str, str], ...]
    template: tuple[str, str, str]


WORDS: Mapping[str, Words] = {
    "aozora": Words(
        groups=(
            ("毎朝のコーヒー", ("コーヒー", "朝コーヒー", "自家焙煎", "コーヒーのある暮らし")),
            ("お店", ("喫茶店", "カフェ巡り", "青空珈琲")),
        ),
        snippets=(
            ("営業時間", "営業時間：平日 8:00〜18:00、土日祝 9:00〜18:00"),
            ("定期便の案内", "定期便はいつでもお休み・再開できます。"),
        ),
        template=(
            "今月の豆",
            "今月の豆は【産地】です。\n\n味わい：\n焙煎度：\nおすすめの淹れ方：",
            "定期便の方には、今週の便からお届けします。",
        ),
    ),
    "nordlicht": Words(
        groups=(
            ("On the trail", ("hiking", "outdoors", "trailnotes")),
            ("Repair", ("repair", "visiblemending", "madetolast")),
        ),
        snippets=(
            ("Opening hours", "The shop is open Tuesday to Saturday, 10 to 6."),
            ("Repair promise", "If it can be mended, we mend it."),
        ),
        template=(
            "Workshop question of the week",
            "This week's question from the workshop: [question]\n\nThe short answer: [answer]",
            "Got another one? Ask it here, we answer on Friday.",
        ),
    ),
}


def add_writing(world: World) -> None:
    words, actor = WORDS[world.plan.key], world.people[PEOPLE[1].email]
    for name, tags in words.groups:
        save_group(brand=world.row, name=name, tags=tags, actor=actor, now=world.now)
    for name, text in words.snippets:
        save_snippet(brand=world.row, name=name, text=text, actor=actor, now=world.now)
    name, text, comment = words.template
    draft = Draft(parts=(Part(text), Part(comment, is_comment=True)), accounts=(world.accounts[0].row.pk,))
    save_template(brand=world.row, name=name, draft=draft, actor=actor, now=world.now)
