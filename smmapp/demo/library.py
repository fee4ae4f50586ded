"""The demo's media library: the pictures of the posts in folders, with names, tags and alternative texts."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

from content_calendar.models import MediaFolder
from content_calendar.services.library import Description, create_folder, describe
from content_calendar.services.media import store_image
from smmapp.demo import pictures
from smmapp.demo.plan import PEOPLE
from smmapp.demo.world import World


@dataclass(frozen=True, slots=True)
class Kept:
    """One picture of pictures.PAINTERS as the brand keeps it; ``focal`` in hundredths."""

    picture: str
    name: str
    alt: str
    tags: tuple[str, ...]
    folder: str
    focal: tuple[int, int] = (50, 50)


# The folders of each brand ("outer/inner"), then its pictures; one of them no post has used yet.
FOLDERS: Mapping[str, tuple[str, ...]] = {
    "aozora": ("店舗", "店舗/朝", "商品"),
    "nordlicht": ("Outdoors", "Outdoors/Mountains", "Products"),
}
KEPT: Mapping[str, tuple[Kept, ...]] = {
    "aozora": (
        Kept("sunrise", "朝の光", "海から昇る朝日", ("朝", "季節"), "朝", (50, 60)),
        Kept("cup", "本日の一杯", "木のテーブルに置かれたコーヒーカップ", ("コーヒー", "定番"), "商品"),
        Kept("beans", "焙煎したての豆", "焙煎したばかりのコーヒー豆", ("コーヒー", "素材"), "商品"),
        Kept("steam", "湯気", "湯気の立つカップ", ("コーヒー", "冬"), "店舗"),
    ),
    "nordlicht": (
        Kept("lake", "Lake at dawn", "A still lake below mountains", ("lake", "autumn"), "Mountains"),
        Kept("tent", "Tent at night", "A lit tent under stars", ("camping", "night"), "Outdoors", (50, 70)),
        Kept("forest", "Forest path", "A path through a pine forest", ("autumn",), "Outdoors"),
        Kept("patch", "Repaired seam", "A jacket with a sewn-on patch", ("repair",), "Products"),
    ),
}


def add_library(world: World) -> None:
    """After the posts, whose pictures are put in order here."""
    actor = world.people[PEOPLE[0].email]
    folders: dict[str, MediaFolder] = {}
    for path in FOLDERS[world.plan.key]:
        outer, _slash, inner = path.partition("/")
        folders[inner or outer] = create_folder(
            brand=world.row,
            name=inner or outer,
            parent=folders[outer] if inner else None,
            actor=actor,
            now=world.began_at,
        )
    for kept in KEPT[world.plan.key]:
        asset = world.assets.get(kept.picture) or store_image(
            brand=world.row,
            upload=io.BytesIO(pictures.jpeg(kept.picture)),
            name=f"{kept.picture}.jpg",
            actor=actor,
            now=world.now,
        )
        said = Description(
            name=kept.name,
            alt_text=kept.alt,
            tags=kept.tags,
            focal_x=kept.focal[0],
            focal_y=kept.focal[1],
            folder=folders[kept.folder].pk,
        )
        describe(asset=asset, said=said)
