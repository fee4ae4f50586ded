"""The sentence of each kind of notification, written when it is read, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import translation
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import NotificationKind

K = NotificationKind

_SENTENCES: dict[str, Promise] = {
    K.DELIVERY_FAILED: _("The post “%(excerpt)s” for %(account)s was not published. %(reason)s"),
    K.DELIVERY_UNCERTAIN: _(
        "It is not known whether the post “%(excerpt)s” appeared on %(account)s. Look there and tell us."
    ),
    K.DELIVERY_MISSED: _(
        "The post “%(excerpt)s” for %(account)s was not published in time. Decide what to do with it."
    ),
    K.POST_NOT_SCHEDULED: _(
        "The post “%(excerpt)s” of %(brand)s was made by itself, but could not be scheduled. It is a draft. "
        "%(reason)s"
    ),
    K.ACCOUNT_LOST: _(
        "%(network)s no longer accepts our connection to %(account)s. Posts for it wait until you reconnect."
    ),
    K.MEMBER_JOINED: _("%(member)s joined %(organization)s."),
    K.GOAL_OFF_TRACK: _("The goal “%(goal)s” is off track now. Look at what it needs from here on."),
    # What is told more exactly stands in _OF_APPROVALS.
    K.APPROVAL_WANTED: _("The post “%(excerpt)s” of %(brand)s waits for approval."),
    K.APPROVAL_ANSWERED: _("Somebody answered about the post “%(excerpt)s” of %(brand)s."),
    K.WEBHOOK_DISABLED: _(
        "The webhook “%(webhook)s” was switched off, because %(host)s did not take its messages for a day."
    ),
}
# What is told of an approval, by what it is about (``context["kind"]``).
_OF_APPROVALS: dict[tuple[str, str], Promise] = {
    (K.APPROVAL_WANTED, "internal"): _("The post “%(excerpt)s” of %(brand)s waits for your approval."),
    (K.APPROVAL_WANTED, "client"): _(
        "The post “%(excerpt)s” of %(brand)s waits for the client’s approval. Send a link, or ask the client."
    ),
    (K.APPROVAL_ANSWERED, "approved"): _(
        "%(person)s approved the post “%(excerpt)s” of %(brand)s. It is in the schedule."
    ),
    (K.APPROVAL_ANSWERED, "approved_unscheduled"): _(
        "%(person)s approved the post “%(excerpt)s” of %(brand)s. It can be scheduled now."
    ),
    (K.APPROVAL_ANSWERED, "changes"): _(
        "%(person)s asks for changes to the post “%(excerpt)s” of %(brand)s."
    ),
    (K.APPROVAL_ANSWERED, "comment"): _("%(person)s commented on the post “%(excerpt)s” of %(brand)s."),
}
# The same of what is no post, by the kind of the news and that of the delivery (``context["kind"]``).
_OF_ANSWERS: dict[tuple[str, str], Promise] = {
    (K.DELIVERY_FAILED, "comment"): _(
        "The post “%(excerpt)s” is published on %(account)s, but its first comment was not sent. %(reason)s"
    ),
    (K.DELIVERY_FAILED, "reply"): _("Your answer “%(excerpt)s” on %(account)s was not sent. %(reason)s"),
    (K.DELIVERY_FAILED, "dm"): _("Your message “%(excerpt)s” from %(account)s was not sent. %(reason)s"),
    (K.DELIVERY_FAILED, "moderation"): _(
        "A like, hide or deletion on %(account)s was not carried out. %(reason)s"
    ),
    (K.DELIVERY_UNCERTAIN, "reply"): _(
        "It is not known whether your answer “%(excerpt)s” appeared on %(account)s. Look there and tell us."
    ),
    (K.DELIVERY_UNCERTAIN, "dm"): _(
        "It is not known whether your message “%(excerpt)s” from %(account)s arrived. Look there and tell us."
    ),
    (K.DELIVERY_MISSED, "reply"): _(
        "Your answer “%(excerpt)s” on %(account)s was not sent in time. Decide what to do with it."
    ),
    (K.DELIVERY_MISSED, "dm"): _(
        "Your message “%(excerpt)s” from %(account)s was not sent in time. Decide what to do with it."
    ),
    (K.DELIVERY_MISSED, "moderation"): _(
        "A like, hide or deletion on %(account)s was not carried out in time."
    ),
}
# Nobody has to see these in the app. Every other kind says that something does not go out or will not, and
# is always shown there.
OPTIONAL_IN_APP = frozenset({K.MEMBER_JOINED, K.GOAL_OFF_TRACK, K.APPROVAL_WANTED, K.APPROVAL_ANSWERED})

# What programs are told of answers, messages and likes: it names nobody and quotes nothing.
_SUMMARIES_OF_ANSWERS: dict[tuple[str, str], str] = {
    (K.DELIVERY_FAILED, "comment"): (
        "A post on %(account)s is published, but its first comment was not sent. %(reason)s"
    ),
    (K.DELIVERY_FAILED, "reply"): "An answer on %(account)s was not sent. %(reason)s",
    (K.DELIVERY_FAILED, "dm"): "A message from %(account)s was not sent. %(reason)s",
    (K.DELIVERY_UNCERTAIN, "reply"): "It is not known whether an answer appeared on %(account)s.",
    (K.DELIVERY_UNCERTAIN, "dm"): "It is not known whether a message from %(account)s arrived.",
    (K.DELIVERY_MISSED, "reply"): "An answer on %(account)s was not sent in time.",
    (K.DELIVERY_MISSED, "dm"): "A message from %(account)s was not sent in time.",
}
_reasons: dict[str, Promise] = {}


class _Words(dict[str, Any]):
    """A sentence shows "…" for a word that an older notification does not have."""

    def __missing__(self, key: str) -> str:
        return "…"


def register_reasons(words: Mapping[str, Promise]) -> None:
    """Sentences of the codes that a kind may carry as ``context["error"]``; called in AppConfig.ready
    by the app whose codes they are, so that a reason too is read in the reader's language."""
    _reasons.update({str(code): reason for code, reason in words.items()})


def sentence(kind: str, context: Mapping[str, Any]) -> str:
    """What happened, in the active language.

    ``context`` holds the words of the kind: ``account`` (all about accounts and posts), ``kind`` (of what was
    sent, or of an approval), its ``excerpt`` and ``error`` (a code of ``register_reasons``), ``network``,
    ``days``, ``member``, ``organization``, ``goal``, ``webhook``, ``host``, ``brand``, ``count`` (of planned
    posts) and ``person`` (who answered).
    """
    words = _words_of(context)
    if kind == K.ACCOUNT_EXPIRING:
        days = int(context.get("days", 0))
        template = ngettext(
            "The connection to %(account)s ends in %(days)s day. Reconnect it in time.",
            "The connection to %(account)s ends in %(days)s days. Reconnect it in time.",
            days,
        )
        return template % words
    if kind == K.PREFLIGHT_PROBLEM:
        count = int(context.get("count", 0))
        template = ngettext(
            "%(count)s post of %(brand)s that is planned for the coming days will not go out as planned. "
            "Look why.",
            "%(count)s posts of %(brand)s that are planned for the coming days will not go out as planned. "
            "Look why.",
            count,
        )
        return template % words
    about = (kind, str(context.get("kind", "")))
    told = _OF_ANSWERS.get(about) or _OF_APPROVALS.get(about) or _SENTENCES[kind]
    return (str(told) % words).strip()


def summary(kind: str, context: Mapping[str, Any]) -> str:
    """The same for programs: always in English, and without words that were written to somebody."""
    with translation.override("en"):
        told = _SUMMARIES_OF_ANSWERS.get((kind, str(context.get("kind", ""))))
        return (told % _words_of(context)).strip() if told else sentence(kind, context)


def _words_of(context: Mapping[str, Any]) -> _Words:
    words = _Words(context)
    words["reason"] = str(_reasons.get(context.get("error", ""), ""))
    words["excerpt"] = Truncator(context.get("excerpt") or "…").chars(60)
    return words
