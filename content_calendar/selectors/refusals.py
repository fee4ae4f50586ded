"""Why a post that was made by itself could not be scheduled, in words for a list and a mail; its page says
more."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# By the name of the refusal.
SENTENCES: dict[str, Promise] = {
    "NotReady": gettext_lazy(
        "A network would refuse it as it is, or an account must be reconnected. Its page says which."
    ),
    "NoAccountChosen": gettext_lazy("None of its accounts is connected any more."),
    "MediaUnknown": gettext_lazy("One of its images is no longer there."),
    "ImageBroken": gettext_lazy("One of its images cannot be read any more."),
    "MediaRefused": gettext_lazy("One of its images could not be made small enough for a network."),
    "NotAllowed": gettext_lazy(
        "Whoever set it up may no longer publish. Save the series or the pool again, so that it runs in your "
        "name."
    ),
    "ApprovalMissing": gettext_lazy("It needs an approval first."),
    "InThePast": gettext_lazy("Its time was over."),
}


def refusal_words(name: str) -> str:
    """The sentence of a refusal, "" for none."""
    if not name:
        return ""
    return str(SENTENCES.get(name, _("It could not be scheduled. Schedule it on its page to see why.")))
