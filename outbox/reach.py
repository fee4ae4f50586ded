"""What was found when this installation last asked its own public address."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_KEY = "outbox.reach"


class Finding(enum.StrEnum):
    REACHED = "reached"
    NOT_SET = "not_set"
    NO_HOST = "no_host"
    PRIVATE = "private"
    NO_ANSWER = "no_answer"
    OTHER_ANSWER = "other_answer"
    REDIRECTED = "redirected"


SENTENCES: dict[Finding, Promise] = {
    Finding.REACHED: _("Files can be fetched from %(url)s."),
    Finding.NOT_SET: _(
        "This installation has no public HTTPS address, so networks that fetch files themselves (Instagram, "
        "Threads and others) get no images or videos. Set SMM_BASE_URL or SMM_PUBLIC_MEDIA_URL."
    ),
    Finding.NO_HOST: _("The name of %(url)s leads to no server."),
    Finding.PRIVATE: _(
        "Seen from here, %(url)s leads to a private address. Networks can only fetch files if the name leads "
        "to a public one for them."
    ),
    Finding.NO_ANSWER: _(
        "%(url)s did not answer, or its certificate is not valid. If only this server cannot reach its own "
        "address, networks may reach it all the same."
    ),
    Finding.OTHER_ANSWER: _(
        "Something else than this installation answers at %(url)s. The proxy in front must hand on "
        "/media/public/."
    ),
    Finding.REDIRECTED: _("%(url)s sends on to another address, which not every network follows."),
}


@dataclass(frozen=True, slots=True)
class Reach:
    """``detail``: what was told by the network code or the server, for whoever mends it."""

    finding: Finding
    checked_at: dt.datetime
    detail: str = ""

    @property
    def is_good(self) -> bool:
        return self.finding is Finding.REACHED

    @property
    def sentence(self) -> str:
        """In the active language."""
        return str(SENTENCES[self.finding]) % {"url": settings.PUBLIC_MEDIA_URL}


def keep_reach(reach: Reach) -> None:
    cache.set(_KEY, [str(reach.finding), reach.checked_at.isoformat(), reach.detail], timeout=None)


def last_reach() -> Reach | None:
    """None when nobody has asked, or Redis was emptied since."""
    kept = cache.get(_KEY)
    return Reach(Finding(kept[0]), dt.datetime.fromisoformat(kept[1]), kept[2]) if kept else None
