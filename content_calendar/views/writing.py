"""Pages of what a brand keeps to write with: templates, hashtag groups, snippets."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, current_brand, load, requires
from accounts.permissions import Action
from content_calendar.models import Block, HashtagGroup, Snippet, Template
from content_calendar.services import writing
from content_calendar.views.shown import may
from content_calendar.writing_forms import BlockForm, HashtagGroupForm, SnippetForm, TemplateForm
from core.paging import page_of


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the three, as addresses and pages name it."""

    key: str
    model: type[Block]
    form: type[BlockForm]
    title: Promise
    new: Promise
    lead: Promise
    empty: Promise
    icon: str


KINDS = {
    kind.key: kind
    for kind in (
        Kind(
            "templates",
            Template,
            TemplateForm,
            gettext_lazy("Templates"),
            gettext_lazy("New post"),
            gettext_lazy("Whole posts to start from: their text, accounts and labels."),
            gettext_lazy("Write a post and choose “Keep as a template” below it."),
            icon="template",
        ),
        Kind(
            "hashtags",
            HashtagGroup,
            HashtagGroupForm,
            gettext_lazy("Hashtag groups"),
            gettext_lazy("New hashtag group"),
            gettext_lazy("Hashtags that go together, put into a post with one click."),
            gettext_lazy("Put the hashtags that you use together into a group."),
            icon="hash",
        ),
        Kind(
            "snippets",
            Snippet,
            SnippetForm,
            gettext_lazy("Snippets"),
            gettext_lazy("New snippet"),
            gettext_lazy("Pieces of text that come up again and again: opening hours, a closing line."),
            gettext_lazy("Write once what you write every week."),
            icon="blockquote",
        ),
    )
}


@requires(Action.VIEW)
@require_safe
def blocks(request: MemberRequest, kind: str) -> HttpResponse:
    shown = KINDS[kind]
    rows = shown.model.objects.for_member(request.membership).select_related("brand")
    if brand := current_brand(request):
        rows = rows.filter(brand=brand)
    context = {
        "kind": shown,
        "kinds": KINDS.values(),
        "page": page_of(request, rows.order_by("brand__name", "name", "pk")),
        "brand": brand,
        **may(request),
    }
    return render(request, "content_calendar/blocks.html", context)


@requires(Action.DRAFT_POSTS)
def block_new(request: MemberRequest, kind: str) -> HttpResponse:
    shown = KINDS[kind]
    if shown.model is Template:
        return redirect("content_calendar:compose")
    form = shown.form(
        request.POST or None, membership=request.membership, initial={"brand": current_brand(request)}
    )
    return _form_page(request, shown, form, None)


@requires(Action.DRAFT_POSTS)
def block(request: MemberRequest, kind: str, block_id: uuid.UUID) -> HttpResponse:
    shown = KINDS[kind]
    row: Any = load(request, Action.DRAFT_POSTS, shown.model.objects.select_related("brand"), block_id)
    initial = {"name": row.name, "text": row.words, "tags": row.words}
    form = shown.form(request.POST or None, membership=request.membership, block=row, initial=initial)
    return _form_page(request, shown, form, row)


@requires(Action.DRAFT_POSTS)
@require_POST
def block_delete(request: MemberRequest, kind: str, block_id: uuid.UUID) -> HttpResponse:
    shown = KINDS[kind]
    row: Any = load(request, Action.DRAFT_POSTS, shown.model.objects, block_id)
    writing.delete_block(block=row)
    messages.success(request, _("Deleted."))
    return redirect(f"content_calendar:{shown.key}")


def _form_page(request: MemberRequest, kind: Kind, form: BlockForm, row: Any) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            _save(request, kind, form, row)
        except writing.NameTaken:
            form.add_error("name", _("The brand has one of this name already."))
        else:
            messages.success(request, _("Saved."))
            return redirect(f"content_calendar:{kind.key}")
    status = 422 if form.errors else 200
    # Not "block": inside of a template's block that is the block itself.
    context = {"kind": kind, "form": form, "kept": row}
    return render(request, "content_calendar/block_form.html", context, status=status)


def _save(request: MemberRequest, kind: Kind, form: BlockForm, row: Any) -> None:
    values = form.cleaned_data
    brand = row.brand if row is not None else values["brand"]
    common: dict[str, Any] = {"name": values["name"], "actor": request.user, "now": timezone.now()}
    if kind.model is HashtagGroup:
        writing.save_group(brand=brand, tags=values["tags"], group=row, **common)
    elif kind.model is Snippet:
        writing.save_snippet(brand=brand, text=values["text"], snippet=row, **common)
    else:
        writing.rename_template(template=row, **common)
