from __future__ import annotations

import pytest

from accounts.models import SocialAccount
from audience.models import Identity
from core.handles import at


@pytest.mark.parametrize(
    ("handle", "shown"),
    [
        ("harbour.coffee", "@harbour.coffee"),
        ("Harbour Events", "Harbour Events"),  # a Page without a username
        ("港のコーヒー", "@港のコーヒー"),
        ("", "@"),
    ],
)
def test_a_name_is_not_written_as_a_handle(handle: str, shown: str) -> None:
    assert at(handle) == shown
    assert str(SocialAccount(handle=handle)) == shown
    if handle:
        assert Identity(handle=handle).address == shown
