"""The composer's tools: what a button of the editor makes of the page, and whom a text can name."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, load, requires
from accounts.models import Brand, SocialAccount
from accounts.permissions import Action
from accounts.services.social import reload_choices
from accounts.wording import check_problem
from connectors.base import Capability, LinkCard
from connectors.errors import ConnectorError, Rejected
from connectors.link_preview import read_preview
from connectors.text import beside, find_links
from connectors.thread_text import split_thread
from content_calendar.content import Part
from content_calendar.forms import BASE, ComposerInput, apply_change
from content_calendar.models import Block, HashtagGroup, Snippet, Template
from content_calendar.selectors.checks import as_sent
from content_calendar.selectors.mentions import mentionable
from content_calendar.tool_forms import (
    from_template,
    part_of,
    with_card,
    with_card_error,
    with_error,
    with_thread,
    with_words,
)
from content_calendar.views.desk import Desk, choices_of
from outbox.errors import sentence

MOST_ACCOUNTS = 50


def changed(desk: Desk, given: ComposerInput, change: str) -> ComposerInput:
    """What stands on the page after ``change``: one of forms.apply_change, or

    ``hashtags|snippet:SCOPE.KEY:ID`` words of the brand at the end of a part; ``template:ID`` the whole post
    anew; ``split|number:SCOPE.KEY`` a part as a thread; ``card|nocard:SCOPE.KEY`` the link card as its page
    tells it, or none; ``choices:ACCOUNT`` what can be chosen of an account (its boards) read anew. One that
    does not fit the form leaves it as it is.
    """
    verb, _colon, target = change.partition(":")
    tool = _TOOLS.get(verb)
    return tool(desk, given, verb, target) if tool else apply_change(given, change)


def started_from(desk: Desk, given: ComposerInput, template: str) -> ComposerInput:
    """A new page that starts from a template, if the address names one."""
    return _from_template(desk, given, "template", template) if template else given


def brand_of_template(request: MemberRequest, template: str) -> Brand | None:
    try:
        pk = uuid.UUID(template)
    except ValueError:
        return None
    rows = Template.objects.for_member(request.membership).select_related("brand")
    row: Template | None = rows.filter(pk=pk).first()
    return row.brand if row else None


def _block(model: type[Block], brand: Brand, value: str) -> Any:
    """The brand's one of this id, None for what is not, or is no longer, there."""
    try:
        return model.objects.for_brand(brand).filter(pk=uuid.UUID(value)).first()
    except ValueError:
        return None


def _words(desk: Desk, given: ComposerInput, verb: str, target: str) -> ComposerInput:
    place, _colon, pk = target.rpartition(":")
    scope, _dot, key = place.partition(".")
    block = _block(HashtagGroup if verb == "hashtags" else Snippet, desk.brand, pk)
    return with_words(given, scope, key, block.words) if block else given


def _from_template(desk: Desk, given: ComposerInput, _verb: str, target: str) -> ComposerInput:
    template = _block(Template, desk.brand, target)
    if template is None:
        return given
    known = [choice.account.pk for choice in choices_of(desk.brand, ())]
    return from_template(given, template, known)


def _split(desk: Desk, given: ComposerInput, verb: str, target: str) -> ComposerInput:
    """By the tightest of the networks that the part goes to."""
    scope, _dot, key = target.partition(".")
    part = part_of(given, scope, key)
    if part is None or part.is_comment:
        return given
    accounts = [choice.account for choice in choices_of(desk.brand, given.accounts) if choice.is_chosen]
    limits = [
        beside(part.warning, account.info.text)
        for account in accounts
        if (str(account.pk) == scope or (scope == BASE and str(account.pk) not in given.scopes))
        and account.info.can(Capability.POST_THREAD)
    ]
    is_tracked = given.campaign is not None
    pieces = split_thread(
        part.text,
        limits,
        is_numbered=verb == "number",
        as_sent=lambda piece: as_sent((Part(piece),), is_tracked=is_tracked)[0].text,
    )
    return with_thread(given, scope, key, pieces) if len(pieces) > 1 else given


def _card(_desk: Desk, given: ComposerInput, verb: str, target: str) -> ComposerInput:
    """The page that the card, or else the text's first link, leads to is read now: guarded, and not for long.
    One that cannot be read changes nothing."""
    scope, _dot, key = target.partition(".")
    part = part_of(given, scope, key)
    if part is None or part.is_comment:
        return given
    if verb == "nocard":
        return with_card(given, scope, key, None)
    links = find_links(part.text, bare=True)
    url = part.link_card.url if part.link_card else links[0].url if links else ""
    if not url:
        return with_card_error(
            given, scope, key, _("Write a link into the text, or its address here, first.")
        )
    page = read_preview(url, platform="link preview")
    if not page.is_read:
        sentence = _(
            "%(url)s could not be read. Write title and description yourself, or leave the card out."
        )
        return with_card_error(given, scope, key, sentence % {"url": url})
    card = LinkCard(page.url, page.title, page.description, page.image_url)
    return with_card(given, scope, key, card)


def _choices(desk: Desk, given: ComposerInput, _verb: str, target: str) -> ComposerInput:
    account = next((one.account for one in choices_of(desk.brand, ()) if str(one.account.pk) == target), None)
    if account is None or not any(one.is_of_account for one in account.info.post_fields):
        return given
    try:
        reload_choices(account=account, now=timezone.now())
    except ConnectorError as error:
        words = sentence(error.reason) if isinstance(error, Rejected) else check_problem(error, account.info)
        return with_error(given, f"setting:{account.pk}", words)
    return given


_TOOLS: dict[str, Callable[[Desk, ComposerInput, str, str], ComposerInput]] = {
    "hashtags": _words,
    "snippet": _words,
    "template": _from_template,
    "split": _split,
    "number": _split,
    "card": _card,
    "nocard": _card,
    "choices": _choices,
}


@requires(Action.DRAFT_POSTS)
@require_safe
def mentions(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    """``?q=`` what was typed after the @; ``?account=`` (several) where the text goes. JSON: {"people":
    [{"handle", "name", "network", "icon"}]}."""
    brand: Brand = load(request, Action.DRAFT_POSTS, Brand.objects, brand_id)
    wanted = []
    for value in request.GET.getlist("account")[:MOST_ACCOUNTS]:
        try:
            wanted.append(uuid.UUID(value))
        except ValueError:
            continue
    accounts = list(SocialAccount.objects.for_brand(brand).connected().filter(pk__in=wanted))
    people = mentionable(brand, accounts, request.GET.get("q", "")[:100].replace("\x00", ""))
    rows = [
        {"handle": one.handle, "name": one.name, "network": one.info.name, "icon": one.info.icon}
        for one in people
    ]
    return JsonResponse({"people": rows})
