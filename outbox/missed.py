"""What becomes of a post that could not go out on time: published up to a limit, then a person is asked, or
it is skipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from outbox.models import MissedPolicy

MINUTE, HOUR, DAY = 60, 3600, 86400
# What people choose from, in seconds.
LIMITS = (5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY)


@dataclass(frozen=True, slots=True)
class MissedRule:
    """Published while it is no more than ``after_s`` seconds late; what comes then says ``policy``."""

    policy: MissedPolicy
    after_s: int

    @property
    def key(self) -> str:
        """How a form and a receipt name it: ``ask:86400``."""
        return f"{self.policy.value}:{self.after_s}"


# Where neither the post nor its brand says anything.
STANDARD = MissedRule(MissedPolicy.ASK, DAY)
CHOICES: dict[str, MissedRule] = {
    rule.key: rule for rule in (MissedRule(policy, limit) for policy in MissedPolicy for limit in LIMITS)
}
GROUPS: dict[MissedPolicy, Promise] = {
    MissedPolicy.ASK: gettext_lazy("Ask me when it is later than that"),
    MissedPolicy.SKIP: gettext_lazy("Skip it when it is later than that"),
}


def length(seconds: int) -> str:
    """A limit in words: 15 minutes, 1 hour, 3 days."""
    if seconds % DAY == 0 and seconds > DAY:
        days = seconds // DAY
        return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}
    if seconds % HOUR == 0:
        hours = seconds // HOUR
        return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}
    minutes = seconds // MINUTE
    return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}


def sentence_of(rule: MissedRule) -> str:
    """The rule as a post page and a receipt say it."""
    late = {"length": length(rule.after_s)}
    if rule.policy is MissedPolicy.SKIP:
        return _("If late: published up to %(length)s after its time, then skipped") % late
    return _("If late: published up to %(length)s after its time, then you are asked") % late


def choice_words(rule: MissedRule) -> str:
    """The rule as a list to choose from says it."""
    late = {"length": length(rule.after_s)}
    if rule.policy is MissedPolicy.SKIP:
        return _("Publish it up to %(length)s late, then skip it") % late
    return _("Publish it up to %(length)s late, then ask me") % late


def rule_of(value: Any) -> MissedRule | None:
    """The rule that a receipt line names, None where it names none."""
    policy, _colon, seconds = str(value or "").partition(":")
    if policy not in MissedPolicy.values or not (seconds.isascii() and seconds.isdigit()):
        return None
    return MissedRule(MissedPolicy(policy), int(seconds))
