"""Many posts at once: choosing what to do, its preview, doing it, and taking it back."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, current_brand, load, requires
from accounts.models import SocialAccount
from accounts.permissions import Action
from accounts.selectors import zone_of
from campaigns.selectors.campaigns import choosable
from content_calendar.bulk_forms import BulkForm, EditManyForm, MoveManyForm, PlainForm, ReplaceForm
from content_calendar.models import UNDO_FOR, BulkAction, BulkKind, BulkOutcome, Label, Post
from content_calendar.selectors.bulk import ActionShown, Piece, actions_of, changes_of, pieces
from content_calendar.selectors.posts import PostRow, row_of
from content_calendar.services import bulk
from content_calendar.services.bulk import (
    MOST_POSTS,
    ChangedMeanwhile,
    NotAllowed,
    NothingChanges,
    Outcome,
    Refusals,
    UndoTooLate,
    WordsNotFound,
)
from content_calendar.services.changes import Edit, Move, NoTimeYet, Replace, Wish
from content_calendar.services.drafts import AccountUnknown, Draft, MediaUnknown
from content_calendar.views.places import back_to
from content_calendar.views.refusals import REFUSALS, refusal_sentence
from content_calendar.views.shown import MOST_CAMPAIGNS, MOST_LABELS, may
from core.ids import uuid7
from core.paging import page_of
from outbox.missed import MissedRule, sentence_of
from outbox.models import QuietPeriod

_OWN = (ChangedMeanwhile, NotAllowed, NothingChanges, NoTimeYet, AccountUnknown, MediaUnknown)


def _sentence(refusal: Exception) -> str:
    match refusal:
        case ChangedMeanwhile():
            return _("Somebody has changed or deleted this post meanwhile.")
        case NotAllowed():
            return _("Only those who publish can change what is scheduled.")
        case WordsNotFound():
            return _("These words do not stand in it.")
        case NothingChanges():
            return _("It is like that already.")
        case NoTimeYet():
            return _("It has no time yet: say both a day and a time.")
        case AccountUnknown():
            return _("An account is not connected any more.")
        case MediaUnknown():
            return _("An image is not there any more.")
        case _:
            return refusal_sentence(refusal)


TOLD = Refusals(kinds=(*_OWN, *REFUSALS), sentence=_sentence)


# --- what is asked ------------------------------------------------------------------------------


@requires(Action.DRAFT_POSTS)
@require_POST
def change_many(request: MemberRequest) -> HttpResponse:
    """``kind`` and the chosen ``post`` ids; with ``step=preview`` and the fields of the kind, what they would
    do. Nothing is changed."""
    kind = _kind(request)
    ids = list(dict.fromkeys(_uuids(request.POST.getlist("post"))))
    if len(ids) > MOST_POSTS:
        messages.error(request, _("At most %(most)s posts can be changed at once.") % {"most": MOST_POSTS})
        return redirect(back_to(request, "content_calendar:posts"))
    posts = list(Post.objects.for_member(request.membership).filter(pk__in=ids).select_related("brand"))
    if not posts:
        messages.error(request, _("Choose at least one post first."))
        return redirect(back_to(request, "content_calendar:posts"))
    present = {post.pk for post in posts}
    ids = [pk for pk in ids if pk in present]
    is_asked = kind in _PLAIN or request.POST.get("step") == "preview"
    form = _form(request, kind, posts, is_bound=is_asked)
    outcomes: list[_Row] = []
    if is_asked and form.is_valid():
        wish = form.wish()
        told = bulk.preview(
            posts=ids,
            wish=wish,
            actor=request.user,
            may_publish=may(request)["may_publish"],
            refusals=TOLD,
            now=timezone.now(),
        )
        outcomes = _rows(told, wish)
    context = {
        "kind": kind,
        "form": form,
        "posts": posts,
        "ids": ids,
        "has_several_brands": len({post.brand_id for post in posts}) > 1,
        "rows": outcomes,
        "possible": [row for row in outcomes if not row.refusal],
        "refused": [row for row in outcomes if row.refusal],
        "leaving": sum(row.leaves_schedule for row in outcomes),
        "title": _title(kind, len(posts)),
        "button": _title(kind, sum(not row.refusal for row in outcomes)),
        "given": _given(request, form),
        "action_id": uuid7(),
        "next": back_to(request, "content_calendar:posts"),
        "is_plain": kind in _PLAIN,
    }
    status = 422 if is_asked and form.errors else 200
    return render(request, "content_calendar/change_many.html", context, status=status)


@requires(Action.DRAFT_POSTS)
@require_POST
def change_many_apply(request: MemberRequest) -> HttpResponse:
    """What the preview showed, to the ``shown`` posts ("id.version")."""
    kind = _kind(request)
    versions = _versions(request.POST.getlist("shown"))
    rows = Post.objects.for_member(request.membership) | Post.objects.deleted(request.membership)
    found = {post.pk: post for post in rows.filter(pk__in=versions).select_related("brand")}
    shown = [(found[pk], version) for pk, version in versions.items() if pk in found][:MOST_POSTS]
    action_id = next(_uuids([request.POST.get("action", "")]), None)
    form = _form(request, kind, [post for post, _version in shown], is_bound=True)
    if not shown or action_id is None or not form.is_valid():
        messages.error(request, _("Nothing was changed. Choose the posts again."))
        return redirect(back_to(request, "content_calendar:posts"))
    action = bulk.carry_out(
        action_id=action_id,
        organization=request.organization,
        shown=shown,
        wish=form.wish(),
        actor=request.user,
        may_publish=may(request)["may_publish"],
        refusals=TOLD,
        now=timezone.now(),
    )
    there = back_to(request, "content_calendar:posts")
    return redirect(f"{there}{'&' if '?' in there else '?'}changed={action.pk}")


_PLAIN = (BulkKind.SCHEDULE, BulkKind.UNSCHEDULE, BulkKind.DELETE)


def _kind(request: MemberRequest) -> BulkKind:
    try:
        return BulkKind(request.POST.get("kind", ""))
    except ValueError as error:
        raise Http404 from error


def _uuids(values: Iterable[str]) -> Iterator[uuid.UUID]:
    for value in values:
        try:
            yield uuid.UUID(value)
        except ValueError:
            continue


def _versions(values: Iterable[str]) -> dict[uuid.UUID, int]:
    found: dict[uuid.UUID, int] = {}
    for value in values:
        pk, _dot, version = value.partition(".")
        if version.isascii() and version.isdigit() and len(version) < 9:
            found |= dict.fromkeys(_uuids([pk]), int(version))
    return found


def _form(request: MemberRequest, kind: BulkKind, posts: Sequence[Post], *, is_bound: bool) -> BulkForm:
    given = request.POST if is_bound else None
    if kind is BulkKind.MOVE:
        return MoveManyForm(given)
    if kind is BulkKind.REPLACE:
        return ReplaceForm(given)
    if kind in _PLAIN:
        return PlainForm(given, kind=kind)
    brands = {post.brand_id: post.brand for post in posts}
    if len(brands) != 1:  # campaigns, labels and accounts belong to one
        return EditManyForm(given, campaigns=(), labels=(), accounts=())
    brand = next(iter(brands.values()))
    return EditManyForm(
        given,
        campaigns=list(choosable(brand)[:MOST_CAMPAIGNS]),
        labels=list(Label.objects.for_brand(brand).order_by("name")[:MOST_LABELS]),
        accounts=list(SocialAccount.objects.for_brand(brand).connected().order_by("platform", "handle")),
    )


def _given(request: MemberRequest, form: BulkForm) -> list[tuple[str, str]]:
    """What was asked, to be sent again with the yes."""
    return [(name, value) for name in form.fields for value in request.POST.getlist(name)]


# --- what it would do ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    """One fact that changes."""

    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class _Row:
    """One post of a preview."""

    row: PostRow
    version: int
    refusal: str
    moved: tuple[Any, Any] | None = None  # from, to
    is_quiet: bool = False
    leaves_schedule: bool = False
    lines: tuple[_Line, ...] = ()
    texts: tuple[tuple[Piece, ...], ...] = ()


def _rows(outcomes: Sequence[Outcome], wish: Wish) -> list[_Row]:
    names = _Names(outcomes) if isinstance(wish, Edit) else None
    quiet = _quiet(outcomes) if isinstance(wish, Move) else []
    rows = []
    for one in outcomes:
        row, after = row_of(one.post), one.after
        if after is None:
            rows.append(_Row(row, one.post.version, one.reason))
            continue
        moved = (one.before.planned_at, after.planned_at) if isinstance(wish, Move) else None
        rows.append(
            _Row(
                row,
                one.post.version,
                "",
                moved=moved,
                is_quiet=any(
                    p.brand_id == one.post.brand_id and p.starts_at <= after.planned_at < p.ends_at
                    for p in quiet
                    if after.planned_at is not None
                ),
                leaves_schedule=one.leaves_schedule,
                lines=names.lines(one.before, after) if names else (),
                texts=_texts(one.before, wish) if isinstance(wish, Replace) else (),
            )
        )
    return rows


def _quiet(outcomes: Sequence[Outcome]) -> list[QuietPeriod]:
    times = [one.after.planned_at for one in outcomes if one.after and one.after.planned_at]
    if not times:
        return []
    brands = {one.post.brand_id for one in outcomes}
    return list(
        QuietPeriod.objects.filter(brand__in=brands, starts_at__lte=max(times), ends_at__gt=min(times))
    )


def _texts(before: Draft, wish: Replace) -> tuple[tuple[Piece, ...], ...]:
    """Every text in which something is found, each once."""
    texts = [part.text for parts in (before.parts, *before.own_parts.values()) for part in parts]
    found = [text for text in dict.fromkeys(texts) if wish.pattern.search(text)]
    return tuple(pieces(text, wish.pattern, wish.by) for text in found)


class _Names:
    """The facts of posts in words; what they name is read once for all of them."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        drafts = [one.before for one in outcomes] + [one.after for one in outcomes if one.after]
        brands = {one.post.brand_id for one in outcomes}
        campaigns = {draft.campaign for draft in drafts if draft.campaign}
        self._campaigns = {
            pk: one.name
            for brand in {one.post.brand for one in outcomes}
            for pk, one in choosable(brand).in_bulk(list(campaigns)).items()
        } | {one.post.campaign_id: one.post.campaign.name for one in outcomes if one.post.campaign}
        self._labels = dict(Label.objects.filter(brand__in=brands).values_list("pk", "name"))
        self._accounts = {one.pk: one.handle for one in SocialAccount.objects.filter(brand__in=brands)}

    def lines(self, before: Draft, after: Draft) -> tuple[_Line, ...]:
        lines = [
            _Line(
                _("Campaign"),
                self._campaigns.get(before.campaign, "") if before.campaign else "",
                self._campaigns.get(after.campaign, "") if after.campaign else "",
            ),
            _Line(_("Labels"), _listed(before.labels, self._labels), _listed(after.labels, self._labels)),
            _Line(
                _("Accounts"),
                _listed(before.accounts, self._accounts),
                _listed(after.accounts, self._accounts),
            ),
            _Line(_("If it cannot go out on time"), _rule(before.missed), _rule(after.missed)),
        ]
        return tuple(line for line in lines if line.before != line.after)


def _listed(ids: Iterable[uuid.UUID], names: dict[uuid.UUID, str]) -> str:
    return ", ".join(sorted(names[pk] for pk in ids if pk in names))


def _rule(rule: MissedRule | None) -> str:
    return sentence_of(rule) if rule else _("What the brand does")


def _title(kind: BulkKind, n: int) -> str:
    words = {
        BulkKind.MOVE: ngettext("Move %(n)s post", "Move %(n)s posts", n),
        BulkKind.EDIT: ngettext("Edit %(n)s post", "Edit %(n)s posts", n),
        BulkKind.REPLACE: ngettext("Replace words in %(n)s post", "Replace words in %(n)s posts", n),
        BulkKind.SCHEDULE: ngettext("Schedule %(n)s post", "Schedule %(n)s posts", n),
        BulkKind.UNSCHEDULE: ngettext("Unschedule %(n)s post", "Unschedule %(n)s posts", n),
        BulkKind.DELETE: ngettext("Delete %(n)s post", "Delete %(n)s posts", n),
    }
    return words[kind] % {"n": n}


# --- what was done ------------------------------------------------------------------------------


def _said(kind: BulkKind, n: int) -> str:
    words = {
        BulkKind.MOVE: ngettext("%(n)s post was moved", "%(n)s posts were moved", n),
        BulkKind.EDIT: ngettext("%(n)s post was edited", "%(n)s posts were edited", n),
        BulkKind.REPLACE: ngettext(
            "Words were replaced in %(n)s post", "Words were replaced in %(n)s posts", n
        ),
        BulkKind.SCHEDULE: ngettext("%(n)s post was scheduled", "%(n)s posts were scheduled", n),
        BulkKind.UNSCHEDULE: ngettext("%(n)s post was unscheduled", "%(n)s posts were unscheduled", n),
        BulkKind.DELETE: ngettext("%(n)s post was deleted", "%(n)s posts were deleted", n),
    }
    return words[kind] % {"n": n}


def _shown(action: Any) -> ActionShown:
    """An action of ``actions_of``."""
    return ActionShown(
        action=action,
        said=_said(BulkKind(action.kind), action.done_count),
        can_be_undone=bool(action.done_count) and action.can_be_undone(timezone.now()),
        until=action.created_at + UNDO_FOR,
    )


def changed_action(request: MemberRequest) -> ActionShown | None:
    """The change of which the page that the member comes back to tells (``?changed=``)."""
    pk = next(_uuids([request.GET.get("changed", "")]), None)
    action = actions_of(request.membership).filter(pk=pk).first() if pk else None
    return _shown(action) if action else None


@requires(Action.VIEW)
@require_safe
def changes(request: MemberRequest) -> HttpResponse:
    """The latest changes of many posts at once, and single moves."""
    page = page_of(request, actions_of(request.membership))
    rows = [_shown(action) for action in page]
    context = {"page": page, "rows": rows, "zone": _zone(request), **may(request)}
    return render(request, "content_calendar/changes.html", context)


def _zone(request: MemberRequest) -> str:
    """A change may be of several brands: its time is of none of them."""
    return zone_of(request.membership, current_brand(request))


@requires(Action.VIEW)
@require_safe
def changes_detail(request: MemberRequest, action_id: uuid.UUID) -> HttpResponse:
    action: BulkAction = load(request, Action.VIEW, BulkAction.objects, action_id)
    counted = actions_of(request.membership).get(pk=action.pk)
    context = {
        "shown": _shown(counted),
        "changes": changes_of(action),
        "zone": _zone(request),
        **may(request),
    }
    return render(request, "content_calendar/changes_detail.html", context)


@requires(Action.DRAFT_POSTS)
@require_POST
def changes_undo(request: MemberRequest, action_id: uuid.UUID) -> HttpResponse:
    action: BulkAction = load(request, Action.DRAFT_POSTS, BulkAction.objects, action_id)
    wants_json = "application/json" in request.headers.get("Accept", "")
    try:
        bulk.undo(
            action=action,
            actor=request.user,
            may_publish=may(request)["may_publish"],
            refusals=TOLD,
            now=timezone.now(),
        )
    except UndoTooLate:
        said = _("This cannot be taken back any more: a day has passed, or it was taken back already.")
        if wants_json:
            return JsonResponse({"error": said}, status=422)
        messages.error(request, said)
        return redirect("content_calendar:changes_detail", action_id=action.pk)
    left = action.changes.filter(outcome=BulkOutcome.LEFT).count()
    said = _("Taken back.")
    if left:
        said = ngettext(
            "Taken back, but %(n)s post was left as it is.",
            "Taken back, but %(n)s posts were left as they are.",
            left,
        ) % {"n": left}
    if wants_json:
        return JsonResponse({"message": said})
    messages.success(request, said)
    return redirect("content_calendar:changes_detail", action_id=action.pk)
