from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, name_of, text_of

FOLDER = ROOT / "docs" / "adr"
ADRS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


def test_numbers_have_no_gap_and_none_is_given_twice() -> None:
    assert [path.name[:5] for path in ADRS] == [f"{number:04}-" for number in range(1, len(ADRS) + 1)]


def test_the_list_has_each_decision_with_its_title() -> None:
    listed = re.findall(
        r"^\| \[(\d{4})\]\((\S+)\) \| (.+) \|$", text_of(FOLDER / "README.md"), flags=re.MULTILINE
    )
    titles = [text_of(path).split("\n", 1)[0] for path in ADRS]
    assert [f"# {number}: {title}" for number, _, title in listed] == titles
    assert [name for _, name, _ in listed] == [path.name for path in ADRS]


@pytest.mark.parametrize("adr", ADRS, ids=name_of)
def test_a_decision_is_half_a_page_in_four_parts(adr: Path) -> None:
    text = text_of(adr)
    assert re.findall(r"^\*\*(\w+)\.\*\* \S", text, flags=re.MULTILINE) == [
        "Context",
        "Decision",
        "Why",
        "Consequences",
    ]
    assert len(text.split()) < 350
