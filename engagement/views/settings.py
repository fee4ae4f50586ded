"""Saved replies, and how soon each brand answers."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, current_brand, load, requires
from accounts.models import Brand
from accounts.permissions import Action, is_allowed
from core.paging import page_of
from engagement.forms import PromiseForm, SavedReplyForm
from engagement.models import SavedReply
from engagement.selectors.promises import DEFAULT_MINUTES, hours_in_words
from engagement.services import settings as services
from engagement.services.settings import TitleTaken

# --- saved replies --------------------------------------------------------------------------------


@requires(Action.READ_INBOX)
@require_safe
def saved_replies(request: MemberRequest) -> HttpResponse:
    rows = SavedReply.objects.for_member(request.membership).select_related("brand", "created_by")
    if brand := current_brand(request):
        rows = rows.filter(brand=brand)
    context = {
        "page": page_of(request, rows.order_by("brand__name", "title", "pk")),
        "brand": brand,
        "may_answer": is_allowed(request.membership.role, Action.ANSWER),
    }
    return render(request, "engagement/saved_replies.html", context)


@requires(Action.ANSWER)
def saved_reply_create(request: MemberRequest) -> HttpResponse:
    form = SavedReplyForm(
        request.POST or None, membership=request.membership, initial={"brand": current_brand(request)}
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.save_reply(
                brand=form.cleaned_data["brand"],
                title=form.cleaned_data["title"],
                text=form.cleaned_data["text"],
                actor=request.user,
                now=timezone.now(),
            )
        except TitleTaken:
            form.add_error("title", _taken())
        else:
            messages.success(request, _("Saved."))
            return redirect("engagement:saved_replies")
    return _form_page(request, form, None)


@requires(Action.ANSWER)
def saved_reply_edit(request: MemberRequest, reply_id: uuid.UUID) -> HttpResponse:
    reply: SavedReply = load(request, Action.ANSWER, SavedReply.objects.select_related("brand"), reply_id)
    form = SavedReplyForm(
        request.POST or None,
        membership=request.membership,
        reply=reply,
        initial={"title": reply.title, "text": reply.text},
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.save_reply(
                brand=reply.brand,
                title=form.cleaned_data["title"],
                text=form.cleaned_data["text"],
                actor=request.user,
                now=timezone.now(),
                reply=reply,
            )
        except TitleTaken:
            form.add_error("title", _taken())
        else:
            messages.success(request, _("Saved."))
            return redirect("engagement:saved_replies")
    return _form_page(request, form, reply)


def _form_page(request: MemberRequest, form: SavedReplyForm, reply: SavedReply | None) -> HttpResponse:
    return render(request, "engagement/saved_reply_form.html", {"form": form, "reply": reply})


def _taken() -> str:
    return _("The brand has a saved reply of this title already.")


@requires(Action.ANSWER)
@require_POST
def saved_reply_delete(request: MemberRequest, reply_id: uuid.UUID) -> HttpResponse:
    reply: SavedReply = load(request, Action.ANSWER, SavedReply.objects, reply_id)
    services.delete_reply(reply=reply)
    messages.success(request, _("Deleted."))
    return redirect("engagement:saved_replies")


# --- how soon -------------------------------------------------------------------------------------


@requires(Action.MANAGE_BRANDS)
@require_safe
def promises(request: MemberRequest) -> HttpResponse:
    """How soon each brand answers, and in which hours."""
    return _promises_page(request)


@requires(Action.MANAGE_BRANDS)
@require_POST
def promise(request: MemberRequest, brand_id: uuid.UUID) -> HttpResponse:
    brand: Brand = load(request, Action.MANAGE_BRANDS, Brand.objects.select_related("organization"), brand_id)
    form = PromiseForm(request.POST, prefix=str(brand.pk))
    if not form.is_valid():
        return _promises_page(request, refused=(brand, form), status=422)
    services.promise_answers(brand=brand, minutes=form.minutes(), actor=request.user, now=timezone.now())
    messages.success(request, _("Saved. It holds for whoever writes from now on."))
    return redirect("engagement:promises")


def _promises_page(
    request: MemberRequest, *, refused: tuple[Brand, PromiseForm] | None = None, status: int = 200
) -> HttpResponse:
    brands = Brand.objects.for_member(request.membership).select_related("sla_policy").order_by("name")
    page = page_of(request, brands)
    rows = []
    for brand in page:
        policy = getattr(brand, "sla_policy", None)
        minutes = policy.answer_within_minutes if policy else DEFAULT_MINUTES
        form = PromiseForm(prefix=str(brand.pk), initial=PromiseForm.initial_of(minutes))
        if refused is not None and refused[0] == brand:
            form = refused[1]
        rows.append((brand, form, hours_in_words(brand)))
    return render(request, "engagement/promises.html", {"page": page, "rows": rows}, status=status)
