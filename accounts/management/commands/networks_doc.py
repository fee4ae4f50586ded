"""``manage.py networks_doc``: docs/networks.md from what the registry of networks says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import translation

from accounts.network_wording import matrix, network_facts
from connectors.base import PlatformInfo
from connectors.registry import CONNECTORS

HEAD = """\
# What each network can do here

Written by `python manage.py networks_doc` from what the networks' files in `connectors/` say of themselves;
change it there. "Seen live" means that it has run against a real server of the network; everything else is
built from the network's documents and descriptions and tested against them, and against a stand-in.

"""


def document() -> str:
    """The whole file, in English."""
    with translation.override("en"):
        networks = [connector.INFO for connector in CONNECTORS.values()]
        parts = [HEAD.rstrip()]
        for title, rows in matrix(networks):
            table = [["", *(info.name for info in networks)], ["---", *(":-:" for _ in networks)]]
            table += [[label, *(_cell(cell) for cell in cells)] for label, cells in rows]
            parts.append(f"## {title}\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in table))
        parts += [_of_one(info) for info in networks]
    return "\n\n".join(parts) + "\n"


def _cell(cell: bool | str) -> str:
    if isinstance(cell, str):
        return cell
    return "✓" if cell else ""


def _of_one(info: PlatformInfo) -> str:
    lines = [f"## {info.name}", ""]
    if (Path(settings.BASE_DIR) / "docs" / "networks" / f"{info.key}.md").exists():
        lines += [f"More: [networks/{info.key}.md](networks/{info.key}.md).", ""]
    lines += [f"- {name}: {words}" for name, words in network_facts(info)]
    if info.scopes:
        lines.append(f"- Permissions: {', '.join(f'`{scope}`' for scope in info.scopes)}")
    return "\n".join(lines).replace("\xa0", " ")


class Command(BaseCommand):
    help = "Writes docs/networks.md from the registry of networks."

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.BASE_DIR) / "docs" / "networks.md"
        path.write_text(document(), encoding="utf-8")
        self.stdout.write(f"{path} written")
