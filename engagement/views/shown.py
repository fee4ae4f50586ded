"""What the pages of the inbox have in common: whose conversations, with which filters, and the open one."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django_htmx.http import trigger_client_event

from accounts.access import MemberRequest, current_brand, load
from accounts.models import Brand, SocialAccount, User
from accounts.permissions import Action, is_allowed
from accounts.selectors import people_allowed
from campaigns.models import Campaign
from connectors.base import Capability, PlatformInfo
from core.htmx import render_page, wants_partial
from engagement.forms import inbox_filter, snooze_choices
from engagement.models import Conversation, Message, SavedReply
from engagement.selectors.checks import Fill, fill_of, limit_of
from engagement.selectors.inbox import Cursor, InboxFilter, Outline, count_open, outline, page_of_outline
from engagement.selectors.person import others_of
from engagement.selectors.thread import tag_of, thread_view
from engagement.selectors.unread import Unread, unread_of
from engagement.services.collection import has_inbox
from engagement.services.replies import obstacle_of

MOST_UNREAD = 3  # accounts whose inbox is not read that are named at once

# Parts of an address that say what is listed; others belong to one conversation.
LIST_PARTS = ("state", "whose", "network", "account", "kind", "q", "order")


def list_query(query: QueryDict) -> str:
    """The filters of an address, to be carried on to the next one; with "?" or empty."""
    kept = QueryDict(mutable=True)
    for name in LIST_PARTS:
        if value := query.get(name, ""):
            kept[name] = str(value)[:200]
    return f"?{kept.urlencode()}" if kept else ""


# --- the list -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    """The list that a request asks for, before its rows are read. ``tag`` is that of the answer."""

    brand: Brand | None
    wanted: InboxFilter
    outline: Outline
    open_count: int
    tag: str


def listed(request: MemberRequest, now: dt.datetime) -> Listed:
    wanted = inbox_filter(request.GET)
    brand = current_brand(request)
    found = outline(
        request.membership, brand, wanted, before=Cursor.parse(request.GET.get("before", "")), now=now
    )
    count = count_open(request.membership, brand)
    return Listed(brand, wanted, found, count, f"{found.tag}.{count}")


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: accounts whose network has an inbox."""

    accounts: list[tuple[SocialAccount, PlatformInfo]]

    @property
    def networks(self) -> list[PlatformInfo]:
        return list({info.key: info for _account, info in self.accounts}.values())

    @property
    def unread(self) -> list[Unread]:
        """The first of those that are not read, and why."""
        found = (unread_of(account, info) for account, info in self.accounts)
        return [one for one in found if one is not None][:MOST_UNREAD]

    @property
    def has_reviews(self) -> bool:
        return any(info.can(Capability.INBOX_REVIEWS) for _account, info in self.accounts)


def list_context(request: MemberRequest, shown: Listed, now: dt.datetime) -> dict[str, Any]:
    accounts = SocialAccount.objects.for_member(request.membership).connected()
    accounts = accounts.select_related("inbox_pull").order_by("platform", "handle")
    if shown.brand is not None:
        accounts = accounts.for_brand(shown.brand)
    role = request.membership.role
    return {
        "page": page_of_outline(shown.outline, now=now),
        "wanted": shown.wanted,
        "open_count": shown.open_count,
        "choices": Choices([(account, account.info) for account in accounts if has_inbox(account)]),
        "brand": shown.brand,
        "list_tag": shown.tag,
        "query": list_query(request.GET),
        "list_url": list_url(request, request.GET.get("before", "")),
        "older_url": list_url(request, str(shown.outline.older)) if shown.outline.older else "",
        "is_fragment": wants_partial(request),
        "now": now,
        "may_answer": is_allowed(role, Action.ANSWER),
        "may_connect": is_allowed(role, Action.CONNECT_ACCOUNTS),
    }


def list_url(request: MemberRequest, before: str) -> str:
    """The list with the filters of this address, after ``before``."""
    query = list_query(request.GET)
    if Cursor.parse(before) is not None:
        query += ("&" if query else "?") + urlencode({"before": before})
    return reverse("engagement:inbox") + query


# --- one conversation -----------------------------------------------------------------------------

_WITH = ("brand__organization", "brand__sla_policy", "account", "identity", "assignee", "delivery")


def loaded(request: MemberRequest, action: Action, conversation_id: uuid.UUID) -> Conversation:
    found: Conversation = load(request, action, Conversation.objects.select_related(*_WITH), conversation_id)
    return found


def loaded_message(request: MemberRequest, message_id: uuid.UUID) -> Message:
    """A message that somebody wants to do something with."""
    rows = Message.objects.select_related(
        *(f"conversation__{name}" for name in _WITH), "delivery", "author", "identity"
    )
    found: Message = load(request, Action.ANSWER, rows, message_id)
    return found


@dataclass(slots=True)
class Draft:
    """What stands in the answer's form, and what is said about it. ``seen`` None: all that is shown is seen
    with it."""

    text: str = ""
    to: uuid.UUID | None = None
    seen: int | None = None
    key: uuid.UUID = field(default_factory=uuid.uuid4)
    campaign: str = ""
    errors: list[str] = field(default_factory=list)
    newer: list[Message] = field(default_factory=list)
    wants: str = ""  # "reply", "done" or "snooze": what was refused because of ``newer``
    asks_done: bool = False  # whether to ask if whoever waits needs no answer
    note: str = ""
    note_errors: list[str] = field(default_factory=list)
    has_focus: bool = False


def campaigns_of(conversation: Conversation) -> QuerySet[Campaign]:
    """Those whose links an answer can carry."""
    return Campaign.objects.for_brand(conversation.brand).current().order_by("-starts_on", "name")


def colleagues_of(conversation: Conversation) -> QuerySet[User]:
    return people_allowed(brand=conversation.brand, action=Action.ANSWER).order_by("name", "email")


def desk_context(
    request: MemberRequest, conversation: Conversation, draft: Draft | None = None
) -> dict[str, Any]:
    """Everything of the middle and the right pane."""
    now = timezone.now()
    context = talk_context(request, conversation, now)
    talk, may_answer = context["talk"], context["may_answer"]
    draft = draft or _draft_asked_for(request, conversation)
    answered = (answered_message(conversation, draft.to) if draft.to else None) or talk.newest
    obstacle = obstacle_of(conversation, answered)
    if may_answer:
        saved = SavedReply.objects.filter(brand=conversation.brand_id).order_by("title")[:100]
        context |= {
            "campaigns": campaigns_of(conversation)[:100],
            "saved_replies": [(reply, filled(reply.text, answered)) for reply in saved],
            "fill": fill(conversation, draft.text),
        }
    return context | {
        "draft": draft,
        "answered": answered,
        "obstacle": obstacle,
        "others": others_of(conversation),
        "person_url": _person_url(request, conversation),
        "pane": "person" if request.GET.get("pane") == "person" else "talk",
    }


def talk_context(request: MemberRequest, conversation: Conversation, now: dt.datetime) -> dict[str, Any]:
    may_answer = is_allowed(request.membership.role, Action.ANSWER)
    return {
        "colleagues": colleagues_of(conversation) if may_answer else (),
        "snooze_choices": snooze_choices(conversation.brand.timezone, now) if may_answer else (),
        "conversation": conversation,
        "talk": thread_view(conversation, now=now),
        "talk_tag": talk_tag(request, conversation, now),
        "zone": conversation.brand.timezone,
        "may_answer": may_answer,
        "query": list_query(request.GET),
        "now": now,
    }


def talk_tag(request: MemberRequest, conversation: Conversation, now: dt.datetime) -> str:
    return f"{tag_of(conversation, now=now)}.{request.membership.role}.{request.LANGUAGE_CODE}"


def _draft_asked_for(request: MemberRequest, conversation: Conversation) -> Draft:
    """What an address asks for: whom to answer, with which saved reply."""
    draft = Draft(to=_uuid(request.GET.get("to", "")))
    if saved := _uuid(request.GET.get("saved", "")):
        reply = SavedReply.objects.filter(brand=conversation.brand_id, pk=saved).first()
        draft.text = filled(reply.text, answered_message(conversation, draft.to)) if reply else ""
    draft.has_focus = bool(draft.to or draft.text)
    return draft


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def answered_message(conversation: Conversation, wanted: uuid.UUID | None) -> Message | None:
    """The message that is to be answered: the one that was chosen, else the last one received."""
    rows = Message.objects.filter(conversation=conversation).answerable().select_related("identity")
    chosen = rows.filter(pk=wanted).first() if wanted else None
    return chosen or rows.order_by("-written_at", "-number").first()


def filled(text: str, answered: Message | None) -> str:
    """A saved reply for one person."""
    identity = answered.identity if answered else None
    return text.replace("{name}", str(identity) if identity else "")


def fill(conversation: Conversation, text: str) -> Fill:
    is_private = conversation.kind == "dm"
    return fill_of(text, limit_of(conversation.account.info, is_private=is_private))


def _person_url(request: MemberRequest, conversation: Conversation) -> str:
    """Who the person is comes from the app of the contacts, for members who may see them."""
    if conversation.identity is None or not is_allowed(request.membership.role, Action.VIEW_CONTACTS):
        return ""
    try:
        return reverse("audience:person_pane", args=[conversation.identity.pk])
    except NoReverseMatch:
        return ""


# --- answers to requests --------------------------------------------------------------------------


def desk(
    request: MemberRequest,
    conversation: Conversation,
    *,
    draft: Draft | None = None,
    said: str = "",
    level: str = "success",
    status: int = 200,
) -> HttpResponse:
    """After something was done: the two panes again for HTMX; for a form without scripts, the page.

    ``draft``: what was refused, with what it said; it is shown where it was written.
    """
    conversation = loaded(request, Action.READ_INBOX, conversation.pk)
    if wants_partial(request):
        response = render_page(
            request,
            "engagement/inbox.html",
            desk_context(request, conversation, draft),
            partial="desk",
            status=status,
        )
        trigger_client_event(response, "inbox:changed", {})
        if said:
            trigger_client_event(response, "toast", {"level": level, "text": said})
        return response
    if said:
        getattr(messages, level)(request, said)
    if draft is None:
        return redirect(
            f"{reverse('engagement:conversation', args=[conversation.pk])}{list_query(request.GET)}"
        )
    now = timezone.now()
    context = list_context(request, listed(request, now), now) | desk_context(request, conversation, draft)
    return render_page(request, "engagement/inbox.html", context, status=status)


def unchanged(tag: str) -> HttpResponse:
    response = HttpResponse(status=304)
    return tagged(response, tag)


def tagged(response: HttpResponse, tag: str) -> HttpResponse:
    """Polled parts carry their tag, so that most of the time the answer is 304."""
    response["ETag"] = f'"{tag}"'
    response["Cache-Control"] = "private, no-store"
    patch_vary_headers(response, ["HX-Request"])
    return response


def has_tag(request: MemberRequest, tag: str) -> bool:
    return wants_partial(request) and request.headers.get("If-None-Match") == f'"{tag}"'
