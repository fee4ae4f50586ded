"""Merging contacts, taking them apart again, and erasing one: dialogs that are pages too."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, requires
from accounts.permissions import Action
from audience.forms import EraseForm, uuid_of, words_of
from audience.models import Contact
from audience.selectors import profile as profiles
from audience.selectors.contacts import people_of
from audience.selectors.timeline import FIELD_WORDS
from audience.services.erasing import erase_contact
from audience.services.merging import merge_contacts, undo_merge
from audience.views.shown import REFUSALS, gone, loaded, refusal_sentence
from core.htmx import render_page, wants_partial

MOST_FOUND = 8
# Which part of the template an htmx request puts where (the id of its target).
PARTS = {"contact-dialog": "dialog", "merge-body": "body", "merge-found": "found"}


def _part(request: MemberRequest) -> str:
    """The part of the template that was asked for, "" for the page."""
    htmx: Any = getattr(request, "htmx", None)
    return PARTS.get(htmx.target or "", "body") if wants_partial(request) else ""


@requires(Action.MANAGE_CONTACTS)
@require_http_methods(["GET", "POST"])
def merge(request: MemberRequest, contact_id: uuid.UUID) -> HttpResponse:
    """Search another contact, look at what would move (``?other=``), confirm."""
    found = loaded(request, Action.MANAGE_CONTACTS, contact_id)
    if away := gone(request, found):
        return away
    if request.method == "POST":
        return _merge(request, found)
    other_id = uuid_of(request.GET.get("other", ""))
    context: dict[str, Any] = {"contact": found, "zone": found.brand.timezone}
    if other_id is not None:
        other = get_object_or_404(
            Contact.objects.for_member(request.membership)
            .shown()
            .for_brand(found.brand)
            .exclude(pk=found.pk),
            pk=other_id,
        )
        preview = profiles.merge_preview(found, other)
        context |= {
            "person": preview.into,
            "preview": preview,
            "differing": [(FIELD_WORDS[name], *values) for name, *values in preview.differing],
        }
    else:
        context |= _searched(request, found)
    return render_page(request, "audience/merge.html", context, partial=_part(request))


def _searched(request: MemberRequest, found: Contact) -> dict[str, Any]:
    person = profiles.profile(found)
    text = words_of(request.GET)
    if text:
        rows = list(profiles.merge_candidates(request.membership, found, text)[: MOST_FOUND + 1])
    else:
        rows = profiles.alike(request.membership, person)
    return {
        "person": person,
        "text": text,
        "found": people_of(rows[:MOST_FOUND]),
        "has_more": len(rows) > MOST_FOUND,
    }


def _merge(request: MemberRequest, found: Contact) -> HttpResponse:
    other = loaded(
        request, Action.MANAGE_CONTACTS, uuid_of(request.POST.get("other", "")) or uuid.UUID(int=0)
    )
    try:
        merge_contacts(into=found, other=other, actor=request.user, now=timezone.now())
    except REFUSALS as refusal:
        messages.error(request, refusal_sentence(refusal))
    else:
        messages.success(request, _("Merged. Below, under “Merged contacts”, this can be undone."))
    return redirect("audience:contact", contact_id=found.pk)


@requires(Action.MANAGE_CONTACTS)
@require_POST
def undo(request: MemberRequest, contact_id: uuid.UUID) -> HttpResponse:
    """``contact_id`` was merged into another and gets its identities back."""
    found = loaded(request, Action.MANAGE_CONTACTS, contact_id)
    try:
        undo_merge(contact=found, actor=request.user, now=timezone.now())
    except REFUSALS as refusal:
        messages.error(request, refusal_sentence(refusal))
    else:
        messages.success(request, _("The merge is undone. This is the contact that was taken out again."))
    return redirect("audience:contact", contact_id=found.pk)


@requires(Action.ERASE_CONTACTS)
@require_http_methods(["GET", "POST"])
def erase(request: MemberRequest, contact_id: uuid.UUID) -> HttpResponse:
    found = loaded(request, Action.ERASE_CONTACTS, contact_id)
    if away := gone(request, found):
        return away
    person = profiles.profile(found)
    form = EraseForm(request.POST or None, expected=person.name)
    if request.method == "POST" and form.is_valid():
        try:
            erase_contact(contact=found, actor=request.user, now=timezone.now())
        except REFUSALS as refusal:
            messages.error(request, refusal_sentence(refusal))
        else:
            messages.success(request, _("The personal data are erased."))
        return redirect("audience:contact", contact_id=found.pk)
    context = {
        "contact": found,
        "person": person,
        "form": form,
        "merged": profiles.merged_into(found),
    }
    status = 422 if request.method == "POST" else 200
    return render_page(request, "audience/erase.html", context, partial="dialog", status=status)
