"""Questions that the apps above ask about a person, whatever contacts were merged."""

from __future__ import annotations

from uuid import UUID

from audience.models import Consent, Identity, Purpose


def identities_with(identity: Identity) -> list[UUID]:
    """All identities of the same contact, this one among them."""
    contact = Identity.objects.filter(pk=identity.pk).values("contact_id")  # merged since it was read?
    return list(Identity.objects.filter(contact_id__in=contact).order_by("pk").values_list("pk", flat=True))


def has_consented(identity: Identity, purpose: Purpose) -> bool:
    """Whether the latest statement of this person about the purpose is a yes. No statement is a no, and of
    two at the same moment the no counts."""
    contact = Identity.objects.filter(pk=identity.pk).values("contact_id")
    latest = (
        Consent.objects.filter(identity__contact_id__in=contact, purpose=purpose)
        .order_by("-at", "is_granted")
        .values_list("is_granted", flat=True)
        .first()
    )
    return bool(latest)
