"""What we say ourselves, in the reader's language, of what a network answered."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# Sentences with which connectors begin the ``detail`` of an error; the network's own words follow.
SAID = (
    gettext_noop("X lets self-serve apps answer only people who name this account or quote a post of it."),
    gettext_noop("This person takes no direct messages from this account."),
    gettext_noop(
        "The developer app may not do this: give it the permission “Read and write and Direct message” "
        "in the developer console of X, then connect the account again."
    ),
    gettext_noop(
        "The developer app has no credits left at X, or has spent what it may. Buy some in the developer "
        "console; what waits goes out by itself then."
    ),
    gettext_noop("LinkedIn lets this app write for the account, but not read what it wrote."),
    gettext_noop(
        "TikTok has not audited this developer app yet. Until then it posts only for private accounts, "
        "and only “Only me”: make the account private in TikTok, or have the app audited."
    ),
    gettext_noop(
        "The developer app has posted for as many accounts as TikTok allows it in a day. An app that "
        "TikTok has not audited may post for 5."
    ),
    gettext_noop(
        "TikTok fetches photos only from addresses that were verified for the developer app: add the "
        "address of this installation there under “URL properties”."
    ),
    gettext_noop("The account does not allow this choice of who can see the post any more: choose again."),
    gettext_noop("The account has posted as often by apps as TikTok allows in 24 hours."),
    gettext_noop("TikTok has banned the account from posting."),
    gettext_noop("The channel has uploaded as many videos as YouTube allows it in a day."),
    gettext_noop("The developer app has used up what Google allows it until midnight, Pacific time."),
    gettext_noop("The “YouTube Data API v3” is not switched on in the developer app's project."),
    gettext_noop(
        "YouTube tells neither shares nor watch time, because the “YouTube Analytics API” is not switched on "
        "in the developer app's project."
    ),
    gettext_noop(
        "YouTube does not let this account read how often its videos are shared and how long they are "
        "watched. Connect it again and allow that in Google's own dialogue."
    ),
    gettext_noop("This Google account has no YouTube channel."),
    gettext_noop("Comments are switched off for this video."),
    gettext_noop("YouTube does not take this title; the signs < and > are not allowed."),
    gettext_noop("YouTube does not take this description; the signs < and > are not allowed."),
)


def told(detail: str) -> tuple[str, str]:
    """Our own sentence in the active language, and the network's words; "" for what is not there."""
    for sentence in SAID:
        if detail.startswith(sentence):
            return _(sentence), detail.removeprefix(sentence).strip()
    return "", detail
