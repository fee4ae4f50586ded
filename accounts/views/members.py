"""People: who is here, who is invited, and coming in by an invitation."""

from __future__ import annotations

import uuid
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import selectors, tasks
from accounts.access import (
    BRAND_KEY,
    ORGANIZATION_KEY,
    MemberRequest,
    current_brand,
    load,
    public,
    requires,
)
from accounts.forms import InvitedSignUpForm, InviteForm, MemberForm
from accounts.models import Invitation, Membership, User
from accounts.permissions import Action
from accounts.services import members
from accounts.services.members import (
    AccountExists,
    AlreadyMember,
    InvitationOver,
    LastOwner,
    NotAllowed,
    WrongPerson,
)
from accounts.views.organization import tabs
from core.crypto import encrypt_json
from core.paging import page_of

LINK_KEY = "invitation_link"  # shown once, to the person who invited


@requires(Action.MANAGE_MEMBERS)
@require_GET
def member_list(request: MemberRequest) -> HttpResponse:
    me = request.membership
    page = page_of(request, selectors.members_of(request.organization))
    now = timezone.now()
    context = {
        "page": page,
        "rows": [(member, members.manages(me, member)) for member in page],
        "invitations": [
            (invitation, invitation.is_open(now))
            for invitation in selectors.open_invitations(request.organization)
        ],
        "link": request.session.pop(LINK_KEY, None),
        "zone": selectors.zone_of(me, current_brand(request)),
        "tabs": tabs(request, "member_list"),
    }
    return render(request, "accounts/member_list.html", context)


@requires(Action.MANAGE_MEMBERS)
def member_invite(request: MemberRequest) -> HttpResponse:
    form = InviteForm(request.POST or None, giver=request.membership)
    if request.method == "POST" and form.is_valid():
        try:
            invitation, token = members.invite(
                inviter=request.membership,
                email=form.cleaned_data["email"],
                role=form.cleaned_data["role"],
                brands=form.chosen_brands(),
                now=timezone.now(),
            )
        except AlreadyMember:
            form.add_error("email", _("This person works here already."))
        else:
            _send(request, invitation, token)
            return redirect("accounts:member_list")
    return render(
        request, "accounts/member_invite.html", {"form": form, "tabs": tabs(request, "member_list")}
    )


@requires(Action.MANAGE_MEMBERS)
@require_POST
def invitation_resend(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    invitation = load(request, Action.MANAGE_MEMBERS, Invitation.objects, pk)
    try:
        token = members.renew_invitation(invitation=invitation, actor=request.membership, now=timezone.now())
    except NotAllowed:
        raise PermissionDenied from None
    except InvitationOver:
        messages.error(request, _("This invitation was accepted or revoked in the meantime."))
    else:
        _send(request, invitation, token)
    return redirect("accounts:member_list")


def _send(request: MemberRequest, invitation: Invitation, token: str) -> None:
    """Mail the link, and show it once, for those who would rather hand it over themselves."""
    path = reverse("accounts:invitation", args=[token])
    tasks.send_invitation.delay_on_commit(
        invitation_id=str(invitation.pk),
        sealed_path=encrypt_json({"path": path}),  # the link opens a door: it does not lie about in Redis
        language=translation.get_language(),
    )
    request.session[LINK_KEY] = {"email": invitation.email, "url": f"{settings.BASE_URL}{path}"}
    messages.success(request, _("The invitation for %(email)s is on its way.") % {"email": invitation.email})


@requires(Action.MANAGE_MEMBERS)
@require_POST
def invitation_revoke(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    invitation = load(request, Action.MANAGE_MEMBERS, Invitation.objects, pk)
    try:
        members.revoke_invitation(invitation=invitation, actor=request.membership, now=timezone.now())
    except NotAllowed:
        raise PermissionDenied from None
    except InvitationOver:
        messages.error(request, _("This invitation was accepted or revoked in the meantime."))
    else:
        messages.success(
            request, _("The invitation for %(email)s no longer works.") % {"email": invitation.email}
        )
    return redirect("accounts:member_list")


@requires(Action.MANAGE_MEMBERS)
def member_edit(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    member: Membership = load(request, Action.MANAGE_MEMBERS, Membership.objects, pk)
    if not members.manages(request.membership, member):
        raise PermissionDenied
    form = MemberForm(request.POST or None, giver=request.membership, initial=MemberForm.initial_of(member))
    if request.method == "POST" and form.is_valid():
        try:
            members.change_member(
                member=member,
                role=form.cleaned_data["role"],
                brands=form.chosen_brands(),
                actor=request.membership,
                now=timezone.now(),
            )
        except LastOwner:
            form.add_error("role", _last_owner())
        else:
            messages.success(request, _("Saved."))
            return redirect(
                "accounts:member_list" if member.pk != request.membership.pk else "accounts:settings"
            )
    context = {"form": form, "member": member, "tabs": tabs(request, "member_list")}
    return render(request, "accounts/member_form.html", context)


@requires(Action.MANAGE_MEMBERS)
@require_POST
def member_deactivate(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    member = load(request, Action.MANAGE_MEMBERS, Membership.objects, pk)
    try:
        members.deactivate_member(member=member, actor=request.membership, now=timezone.now())
    except NotAllowed:
        raise PermissionDenied from None
    except LastOwner:
        messages.error(request, _last_owner())
        return redirect("accounts:member_list")
    if member.pk == request.membership.pk:
        messages.success(
            request, _("You have left %(organization)s.") % {"organization": request.organization}
        )
        return redirect("/")
    messages.success(
        request, _("%(person)s no longer gets in. You can undo this in the list.") % {"person": member.user}
    )
    return redirect("accounts:member_list")


@requires(Action.MANAGE_MEMBERS)
@require_POST
def member_reactivate(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    member = load(request, Action.MANAGE_MEMBERS, Membership.objects, pk)
    try:
        members.reactivate_member(member=member, actor=request.membership, now=timezone.now())
    except NotAllowed:
        raise PermissionDenied from None
    messages.success(request, _("%(person)s gets in again.") % {"person": member.user})
    return redirect("accounts:member_list")


def _last_owner() -> str:
    return _("The organization needs at least one owner. Make somebody else an owner first.")


# --- coming in --------------------------------------------------------------------------------


@public
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the link of an invitation: join, sign in to join, or sign up."""
    now = timezone.now()
    found = (
        Invitation.objects.filter(token_hash=members.hash_of(token))
        .select_related("organization", "invited_by")
        .first()
    )
    if found is None:
        return _invitation_page(request, None, state="unknown", status=404)
    if not found.is_open(now):
        state = "accepted" if found.accepted_at else "revoked" if found.revoked_at else "expired"
        return _invitation_page(request, found, state=state, status=410)
    if request.user.is_authenticated:
        return _join(request, found)
    if User.objects.filter(email__iexact=found.email).exists():
        return _invitation_page(request, found, state="sign_in")
    return _sign_up(request, found)


def _join(request: HttpRequest, found: Invitation) -> HttpResponse:
    user = cast(User, request.user)
    if not members.is_addressed_to(found, user):
        return _invitation_page(request, found, state="wrong_person")
    if request.method != "POST":
        return _invitation_page(request, found, state="join")
    try:
        membership = members.accept_invitation(invitation=found, user=user, now=timezone.now())
    except (InvitationOver, WrongPerson):  # somebody was quicker
        return _invitation_page(request, found, state="revoked", status=410)
    return _enter(request, membership)


def _sign_up(request: HttpRequest, found: Invitation) -> HttpResponse:
    form = InvitedSignUpForm(request.POST or None, email=found.email)
    if request.method == "POST" and form.is_valid():
        try:
            membership = members.sign_up_invited(
                invitation=found,
                name=form.cleaned_data["name"],
                password=form.cleaned_data["password"],
                now=timezone.now(),
            )
        except AccountExists:
            return _invitation_page(request, found, state="sign_in")
        except InvitationOver:
            return _invitation_page(request, found, state="revoked", status=410)
        login(request, membership.user, backend="django.contrib.auth.backends.ModelBackend")
        return _enter(request, membership)
    return _invitation_page(request, found, state="sign_up", form=form)


def _enter(request: HttpRequest, membership: Membership) -> HttpResponse:
    request.session[ORGANIZATION_KEY] = str(membership.organization_id)
    request.session.pop(BRAND_KEY, None)
    messages.success(request, _("Welcome to %(organization)s.") % {"organization": membership.organization})
    return redirect("/")


def _invitation_page(
    request: HttpRequest,
    found: Invitation | None,
    *,
    state: str,
    form: InvitedSignUpForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"invitation": found, "state": state, "form": form}
    return render(request, "accounts/invitation.html", context, status=status)
