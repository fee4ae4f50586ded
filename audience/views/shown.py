"""What the views of contacts share: rights, refusals in words, and where a contact that is gone leads."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from accounts.access import MemberRequest, load
from accounts.permissions import Action, is_allowed
from audience.models import Contact
from audience.selectors.families import end_of_chain
from audience.services.locks import AlreadyErased, AlreadyMerged
from audience.services.merging import NotMerged, OtherBrand, SameContact

REFUSALS = (AlreadyErased, AlreadyMerged, NotMerged, OtherBrand, SameContact)


def refusal_sentence(refusal: Exception) -> str:
    match refusal:
        case AlreadyErased():
            return _("Nothing was changed: the personal data of this contact have been erased.")
        case AlreadyMerged():
            return _(
                "Nothing was changed: this contact was merged into another meanwhile. Go on with that one."
            )
        case NotMerged():
            return _("Nothing was changed: this merge has been undone already.")
        case OtherBrand():
            return _("Contacts of different brands cannot be merged: each brand knows its own people.")
        case SameContact():
            return _("A contact cannot be merged with itself. Choose another one.")
        case _:
            raise refusal


def rights(request: MemberRequest) -> dict[str, bool]:
    role = request.membership.role
    return {
        "may_manage": is_allowed(role, Action.MANAGE_CONTACTS),
        "may_erase": is_allowed(role, Action.ERASE_CONTACTS),
    }


def loaded(request: MemberRequest, action: Action, contact_id: uuid.UUID) -> Contact:
    contact: Contact = load(request, action, Contact.objects.select_related("brand"), contact_id)
    return contact


def elsewhere(request: MemberRequest, contact: Contact) -> HttpResponse | None:
    """Where to go instead: a merged contact leads to the one it became a part of."""
    if contact.merged_into_id is not None:
        return redirect("audience:contact", contact_id=end_of_chain(contact).pk)
    return None


def gone(request: MemberRequest, contact: Contact) -> HttpResponse | None:
    """As ``elsewhere``, for what can be done with standing contacts only."""
    if contact.merged_into_id is None and contact.erased_at is not None:
        messages.error(request, refusal_sentence(AlreadyErased()))
        return redirect("audience:contact", contact_id=contact.pk)
    return elsewhere(request, contact)


def open_path(request: MemberRequest, path: str) -> str:
    """The path of a page of ours if this member may open it, else "": no link leads to a refusal."""
    if not path.startswith("/") or path.startswith("//"):
        return ""
    try:
        view = resolve(path.partition("?")[0].partition("#")[0]).func
    except Resolver404:
        return ""
    action = getattr(view, "required_action", None)
    return path if action is None or is_allowed(request.membership.role, action) else ""
