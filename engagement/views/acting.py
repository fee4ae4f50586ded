"""What people do with a conversation: answer, note, assign, finish, let rest, like, hide and delete."""

from __future__ import annotations

import uuid

from django.forms import Form
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import MemberRequest, requires
from accounts.permissions import Action
from campaigns.services.links import placeholder
from connectors.base import ModerationAction
from core.htmx import render_page
from core.templatetags.ui import format_time
from engagement.forms import (
    AppearedForm,
    AssignForm,
    DoneForm,
    ModerateForm,
    NoteForm,
    ReplyForm,
    SeenForm,
    SnoozeForm,
)
from engagement.models import Conversation
from engagement.selectors.checks import explain, limit_of
from engagement.services import moderation, replies, triage
from engagement.services.replies import CannotAnswer, DoesNotFit, NewerMessages, NotWaiting, Obstacle
from engagement.services.triage import NotAColleague, NotInFuture, StillWaiting
from engagement.views.shown import (
    Draft,
    answered_message,
    campaigns_of,
    colleagues_of,
    desk,
    fill,
    loaded,
    loaded_message,
)
from outbox.services import NotPossible, answer_uncertain
from outbox.tasks import dispatch


def obstacle_words(obstacle: Obstacle) -> str:
    match obstacle:
        case Obstacle.NOTHING_LEFT:
            return _("Nothing was sent: what you answer is no longer at the network.")
        case Obstacle.NOT_SUPPORTED:
            return _("Nothing was sent: this network does not take answers of this kind from here.")
        case Obstacle.RECONNECT:
            return _("Nothing was sent: the account must be reconnected first.")


def words_of(form: Form) -> list[str]:
    """What is wrong with what was sent."""
    return [str(error) for errors in form.errors.values() for error in errors]


# --- answering ------------------------------------------------------------------------------------


@requires(Action.ANSWER)
@require_POST
def reply(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """Send what was written, unless somebody wrote meanwhile; a refused text stays in the form."""
    row = loaded(request, Action.ANSWER, conversation_id)
    form = ReplyForm(request.POST, campaigns=campaigns_of(row))
    draft = _draft(request)
    if not form.is_valid():
        draft.errors = words_of(form)
        return desk(request, row, draft=draft, status=422)
    answered = answered_message(row, form.cleaned_data["to"])
    is_done_after = request.POST.get("then") == "done"
    try:
        replies.send_reply(
            conversation=row,
            text=form.cleaned_data["text"],
            answered=answered,
            seen_number=form.cleaned_data["seen"],
            form_key=form.cleaned_data["key"],
            actor=request.user,
            now=timezone.now(),
            campaign=form.cleaned_data["campaign"],
            is_done_after=is_done_after,
        )
    except NewerMessages as refusal:
        draft.newer, draft.wants = refusal.messages, "reply"
        return desk(request, row, draft=draft, status=422)
    except DoesNotFit as refusal:
        info = row.account.info
        draft.errors = explain(refusal.problems, info, limit_of(info, is_private=row.kind == "dm"))
        return desk(request, row, draft=draft, status=422)
    except CannotAnswer as refusal:
        draft.errors = [obstacle_words(refusal.obstacle)]
        return desk(request, row, draft=draft, status=422)
    dispatch.delay_on_commit()
    return desk(request, row, said=_("On its way."))


def _draft(request: MemberRequest) -> Draft:
    """The answer's form as it was sent, to be shown again."""
    posted = request.POST
    draft = Draft(text=posted.get("text", ""), campaign=posted.get("campaign", ""), has_focus=True)
    seen = posted.get("seen", "")
    draft.seen = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else None
    for name in ("to", "key"):
        try:
            setattr(draft, name, uuid.UUID(posted.get(name, "")))
        except ValueError:
            continue
    return draft


@requires(Action.ANSWER)
@require_POST
def check(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """How full the answer is, as it would be sent: links of a campaign have their final length."""
    row = loaded(request, Action.ANSWER, conversation_id)
    draft = _draft(request)
    answered = answered_message(row, draft.to)
    text = draft.text.replace("\r\n", "\n")
    words, problems = text, []
    if answered is not None and text.strip():
        target = replies.target_of(row, answered)
        words = replies.with_address(text.strip(), target)
        words = placeholder(words) if draft.campaign else words
        problems = replies.problems_of(words, target, row.account)
    info = row.account.info
    return render_page(
        request,
        "engagement/count.html",
        {
            "conversation": row,
            "fill": fill(row, words),
            "errors": explain(problems, info, limit_of(info, is_private=row.kind == "dm")),
        },
        partial="count",
    )


@requires(Action.ANSWER)
@require_POST
def resend(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    """Send a stopped answer after all, by somebody who has seen the rest."""
    message = loaded_message(request, message_id)
    form = SeenForm(request.POST)
    try:
        replies.resend(
            message=message,
            seen_number=form.cleaned_data["seen"] if form.is_valid() else 0,
            actor=request.user,
            now=timezone.now(),
        )
    except NewerMessages:
        return _said(request, message.conversation, _("Somebody has written since. Read it, and send then."))
    except CannotAnswer as refusal:
        return _said(request, message.conversation, obstacle_words(refusal.obstacle))
    except NotWaiting:
        return _said(request, message.conversation, _("Nothing was changed: it is being sent, or was sent."))
    dispatch.delay_on_commit()
    return desk(request, message.conversation, said=_("On its way."))


@requires(Action.ANSWER)
@require_POST
def take_back(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    """A stopped answer becomes a text to be written anew."""
    message = loaded_message(request, message_id)
    try:
        text = replies.take_back(message=message, actor=request.user, now=timezone.now())
    except NotWaiting:
        return _said(request, message.conversation, _("Nothing was changed: it is being sent, or was sent."))
    return desk(request, message.conversation, draft=Draft(text=text, has_focus=True))


@requires(Action.ANSWER)
@require_POST
def appeared(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    """Somebody looked at the network whether an answer is there."""
    message = loaded_message(request, message_id)
    form = AppearedForm(request.POST)
    if not form.is_valid() or message.delivery is None:
        return _said(request, message.conversation, _("Choose yes or no."))
    did_appear = form.cleaned_data["did_appear"] == "yes"
    try:
        answer_uncertain(
            delivery=message.delivery, did_appear=did_appear, actor=request.user, now=timezone.now()
        )
    except NotPossible:
        return _said(request, message.conversation, _("Nothing was changed: its outcome is known by now."))
    dispatch.delay_on_commit()
    said = _("Noted: it did appear.") if did_appear else _("It is sent again now.")
    return desk(request, message.conversation, said=said)


@requires(Action.ANSWER)
@require_POST
def moderate(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    """Like, hide, take that back, or delete."""
    message = loaded_message(request, message_id)
    form = ModerateForm(request.POST)
    if not form.is_valid():
        return _said(request, message.conversation, _("There is no such action."))
    action: ModerationAction = form.cleaned_data["action"]
    try:
        moderation.moderate(message=message, action=action, actor=request.user, now=timezone.now())
    except moderation.NotPossibleHere:
        return _said(request, message.conversation, _("This cannot be done with this message any more."))
    dispatch.delay_on_commit()
    return desk(request, message.conversation)


def _said(request: MemberRequest, row: Conversation, words: str) -> HttpResponse:
    """Why nothing was done; the panes show what is true now."""
    return desk(request, row, said=words, level="error")


# --- among colleagues -----------------------------------------------------------------------------


@requires(Action.ANSWER)
@require_POST
def note(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    row = loaded(request, Action.ANSWER, conversation_id)
    form = NoteForm(request.POST)
    if not form.is_valid():
        draft = Draft(note=request.POST.get("text", ""), note_errors=words_of(form))
        return desk(request, row, draft=draft, status=422)
    triage.add_note(conversation=row, text=form.cleaned_data["text"], actor=request.user, now=timezone.now())
    return desk(request, row, said=_("Noted. Only colleagues see it."))


@requires(Action.ANSWER)
@require_POST
def assign(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    row = loaded(request, Action.ANSWER, conversation_id)
    form = AssignForm(request.POST, colleagues=colleagues_of(row))
    if not form.is_valid():
        return _said(request, row, _("This person does not answer for this brand."))
    assignee = form.cleaned_data["assignee"]
    try:
        triage.assign(conversation=row, assignee=assignee, actor=request.user, now=timezone.now())
    except NotAColleague:
        return _said(request, row, _("This person does not answer for this brand."))
    if assignee is None:
        return desk(request, row, said=_("Nobody is responsible any more."))
    return desk(request, row, said=_("%(person)s is responsible now.") % {"person": assignee})


@requires(Action.ANSWER)
@require_POST
def done(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """Finish it. Where somebody still waits, this is asked first."""
    row = loaded(request, Action.ANSWER, conversation_id)
    form = DoneForm(request.POST)
    if not form.is_valid():
        return _said(request, row, _("Open the conversation again."))
    try:
        triage.mark_done(
            conversation=row,
            seen_number=form.cleaned_data["seen"],
            without_answer=form.cleaned_data["without_answer"],
            now=timezone.now(),
        )
    except NewerMessages as refusal:
        draft = Draft(seen=form.cleaned_data["seen"], newer=refusal.messages, wants="done")
        return desk(request, row, draft=draft, status=422)
    except StillWaiting:
        return desk(request, row, draft=Draft(asks_done=True), status=422)
    return desk(request, row, said=_("Done."))


@requires(Action.ANSWER)
@require_POST
def reopen(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    row = loaded(request, Action.ANSWER, conversation_id)
    triage.reopen(conversation=row)
    return desk(request, row, said=_("Open again."))


@requires(Action.ANSWER)
@require_POST
def snooze(request: MemberRequest, conversation_id: uuid.UUID) -> HttpResponse:
    row = loaded(request, Action.ANSWER, conversation_id)
    zone = row.brand.timezone
    form = SnoozeForm(request.POST, zone=zone)
    if not form.is_valid():
        return _said(request, row, " ".join(words_of(form)))
    try:
        triage.snooze(
            conversation=row,
            until=form.cleaned_data["until"],
            seen_number=form.cleaned_data["seen"],
            now=timezone.now(),
        )
    except NotInFuture:
        return _said(request, row, _("This time is over. Choose a later one."))
    except NewerMessages as refusal:
        draft = Draft(seen=form.cleaned_data["seen"], newer=refusal.messages, wants="snooze")
        return desk(request, row, draft=draft, status=422)
    until = format_time(form.cleaned_data["until"], zone, "short")
    return desk(request, row, said=_("Out of sight until %(time)s.") % {"time": until})
