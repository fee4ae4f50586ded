"""What a brand does with late posts that say nothing themselves."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.models import Brand, User
from accounts.services.audit import record
from outbox.missed import MINUTE, MissedRule
from outbox.models import SendingRules
from outbox.selectors import missed_rule_of


def set_missed_rule(*, brand: Brand, rule: MissedRule, actor: User, now: dt.datetime) -> None:
    """The brand's default from now on. What is scheduled keeps the rule that it was scheduled with."""
    with transaction.atomic():
        before = missed_rule_of(Brand.objects.select_for_update().get(pk=brand.pk))
        if before == rule:
            return
        values = {"missed_policy": rule.policy, "missed_after_s": rule.after_s}
        SendingRules.objects.update_or_create(brand=brand, defaults=values)
        record(
            organization=brand.organization,
            actor=actor,
            action="sending.rules_changed",
            subject=brand,
            detail={
                "late_minutes": [before.after_s // MINUTE, rule.after_s // MINUTE],
                "if_later": [before.policy.value, rule.policy.value],
            },
            now=now,
        )
