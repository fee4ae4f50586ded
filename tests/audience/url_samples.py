"""Arguments for tests/walk.py."""

from __future__ import annotations

from typing import Any

from audience.services.merging import merge_contacts
from audience.services.people import Met, meet
from tests.cast import World


def samples(world: World) -> dict[str, dict[str, Any]]:
    def met(remote_id: str) -> Any:
        return meet(brand=world.brand, met=Met("sandbox", remote_id, remote_id), now=world.now)

    walked, other = met("walked"), met("walked-too")
    merge_contacts(into=walked.contact, other=other.contact, actor=world.user, now=world.now)
    of_contact = ("contact", "facts", "take_fact", "consent", "merge", "erase", "contact_export")
    return {
        **{f"audience:{name}": {"contact_id": walked.contact_id} for name in of_contact},
        "audience:undo": {"contact_id": other.contact_id},
        "audience:person_pane": {"identity_id": walked.pk},
    }
