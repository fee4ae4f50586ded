"""Sentences for why a report of a conversion or refund was refused."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from campaigns.reports import Problem, Refused

_SENTENCES: dict[Problem, Promise] = {
    Problem.MISSING: gettext_lazy("This field must not be empty."),
    Problem.TOO_LONG: gettext_lazy("This is longer than %(most)s characters."),
    Problem.UNREADABLE: gettext_lazy("This cannot be read."),
    Problem.CURRENCY_UNKNOWN: gettext_lazy("There is no such currency. Use an ISO 4217 code such as JPY."),
    Problem.CURRENCY_MISMATCH: gettext_lazy(
        "The amount is in %(given)s, and the brand counts in %(expected)s. Convert it first: amounts in "
        "several currencies cannot be added up."
    ),
    Problem.NEGATIVE: gettext_lazy("A value cannot be negative. Report a refund instead."),
    Problem.NOT_POSITIVE: gettext_lazy("A refund is more than nothing."),
    Problem.TOO_MANY_DECIMALS: gettext_lazy(
        "The amount has more decimals than %(currency)s has (%(decimals)s)."
    ),
    Problem.TOO_LARGE: gettext_lazy("The amount is larger than can be counted here."),
    Problem.IN_FUTURE: gettext_lazy("The time lies in the future."),
    Problem.TOO_OLD: gettext_lazy("The time lies more than two years back."),
    Problem.CAMPAIGN_UNKNOWN: gettext_lazy("The brand has no campaign with this code or name."),
    Problem.EMAIL_INVALID: gettext_lazy("This is no e-mail address."),
    Problem.NETWORK_UNKNOWN: gettext_lazy("This network is not known here. Known are: %(known)s."),
    Problem.NETWORK_MISSING: gettext_lazy("Say which network this id or handle belongs to."),
    Problem.DIFFERS: gettext_lazy(
        "This number was reported before, with something else in: %(fields)s. Nothing was changed."
    ),
    Problem.CONVERSION_UNKNOWN: gettext_lazy("There is no conversion of this kind with this number."),
    Problem.NOT_A_SALE: gettext_lazy("Only sales can be refunded."),
    Problem.EXCEEDS_VALUE: gettext_lazy(
        "The refund is larger than what remains of the sale (%(remains)s %(currency)s)."
    ),
}


_FIELDS: Mapping[str, Promise] = {
    "happened_at": gettext_lazy("time"),
    "value": gettext_lazy("value"),
    "amount": gettext_lazy("amount"),
    "currency": gettext_lazy("currency"),
    "campaign": gettext_lazy("campaign"),
    "click": gettext_lazy("click"),
    "person": gettext_lazy("person"),
}


def sentence(refused: Refused) -> str:
    """What is wrong and what to do, in the active language."""
    return problem_words(refused.problem, refused.facts)


def sentence_for_programs(refused: Refused) -> str:
    """The same in English, with fields called as the API calls them: programs log it, and whoever reads the
    log may speak any language."""
    with translation.override("en"):
        return str(_SENTENCES[refused.problem]) % refused.facts


def problem_words(problem: Problem, facts: Mapping[str, str]) -> str:
    """As ``sentence``, of a refusal that was kept."""
    if "fields" in facts:
        names = (str(_FIELDS.get(name, name)) for name in facts["fields"].split(", "))
        facts = {**facts, "fields": ", ".join(names)}
    return str(_SENTENCES[problem]) % facts
