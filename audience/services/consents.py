"""What people agreed to. Statements are added and never changed: the latest one counts."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.models import User
from accounts.services.audit import record
from audience.models import ActivityKind, Consent, Identity, Purpose
from audience.services.activities import Happened, tell
from audience.services.locks import standing


def record_consent(
    *,
    identity: Identity,
    purpose: Purpose,
    is_granted: bool,
    source: str,
    actor: User,
    now: dt.datetime,
) -> Consent:
    """The person said yes or no to one purpose, as ``source`` tells. What was withdrawn stays withdrawn
    until it is given again. Raises AlreadyErased."""
    with transaction.atomic():
        contact = standing(Identity.objects.values_list("contact_id", flat=True).get(pk=identity.pk))
        consent = Consent.objects.create(
            identity=identity,
            purpose=purpose,
            is_granted=is_granted,
            source=source,
            recorded_by=actor,
            at=now,
        )
        line = Happened(
            identity.pk,
            ActivityKind.CONSENT,
            now,
            f"consent:{consent.pk}",
            detail={"purpose": purpose.value, "is_granted": is_granted},
        )
        tell(brand=contact.brand, happened=[line])
        record(
            organization=contact.brand.organization,
            actor=actor,
            action="contact.consent_given" if is_granted else "contact.consent_withdrawn",
            subject=contact,
            subject_name=contact.reference,
            detail={"brand": contact.brand.name},
            now=now,
        )
    return consent
