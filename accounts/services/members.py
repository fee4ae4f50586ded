"""Who belongs to an organization, and how they come and go."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection

from allauth.account.models import EmailAddress
from django.db import transaction
from django.urls import reverse

from accounts.models import Brand, Invitation, Membership, NotificationKind, Organization, Role, User
from accounts.permissions import ALLOWED, Action, is_within
from accounts.selectors import is_last_owner
from accounts.services.audit import record
from accounts.services.notifications import notify

INVITATION_LIFETIME = dt.timedelta(days=7)


class NotAllowed(Exception):
    """The role or the brands in question reach further than those of the person who acts."""


class LastOwner(Exception):
    """The organization would be left without an owner."""


class AlreadyMember(Exception):
    """The invited person works in this organization already."""


class InvitationOver(Exception):
    """The invitation was accepted, revoked or has expired."""


class WrongPerson(Exception):
    """The invitation was sent to another address than the person's own."""


class AccountExists(Exception):
    """Somebody with the invited address has signed up already, and should sign in."""


# --- invitations ------------------------------------------------------------------------------


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def invite(
    *,
    inviter: Membership,
    email: str,
    role: str,
    brands: Collection[Brand] | None,
    now: dt.datetime,
) -> tuple[Invitation, str]:
    """An invitation and the secret of its link. ``brands`` None means all, also future ones.

    An older open invitation of the same address is replaced. Raises NotAllowed, AlreadyMember.
    """
    email = email.lower()
    organization = inviter.organization
    _check_reach(inviter, role, brands)
    if Membership.objects.filter(organization=organization, user__email=email, is_active=True).exists():
        raise AlreadyMember
    Invitation.objects.filter(organization=organization, email=email).pending().update(revoked_at=now)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organization=organization,
        email=email,
        role=role,
        has_all_brands=brands is None,
        token_hash=hash_of(token),
        invited_by=inviter.user,
        expires_at=now + INVITATION_LIFETIME,
    )
    invitation.brands.set(brands or [])
    record(
        organization=organization,
        actor=inviter.user,
        action="member.invited",
        subject=invitation,
        detail={"role": role, "brands": _names(brands)},
        now=now,
    )
    return invitation, token


@transaction.atomic
def renew_invitation(*, invitation: Invitation, actor: Membership, now: dt.datetime) -> str:
    """A fresh secret and a fresh week; the old link dies. Raises NotAllowed, InvitationOver."""
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    _check_reach(actor, invitation.role, _brands_of(invitation))
    if invitation.accepted_at or invitation.revoked_at:
        raise InvitationOver
    token = secrets.token_urlsafe(32)
    invitation.token_hash = hash_of(token)
    invitation.expires_at = now + INVITATION_LIFETIME
    invitation.save(update_fields=["token_hash", "expires_at"])
    record(
        organization=actor.organization,
        actor=actor.user,
        action="invitation.sent_again",
        subject=invitation,
        now=now,
    )
    return token


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, actor: Membership, now: dt.datetime) -> None:
    """Its link stops working. Raises NotAllowed, InvitationOver (accepted in the meantime)."""
    _check_reach(actor, invitation.role, _brands_of(invitation))
    if not Invitation.objects.filter(pk=invitation.pk).pending().update(revoked_at=now):
        raise InvitationOver
    record(
        organization=actor.organization,
        actor=actor.user,
        action="invitation.revoked",
        subject=invitation,
        now=now,
    )


def is_addressed_to(invitation: Invitation, user: User) -> bool:
    """Whether the invitation went to this person: the address they sign in with or another verified one."""
    if user.email.lower() == invitation.email.lower():
        return True
    verified = EmailAddress.objects.filter(user=user, email__iexact=invitation.email, verified=True)
    return bool(verified.exists())


@transaction.atomic
def accept_invitation(*, invitation: Invitation, user: User, now: dt.datetime) -> Membership:
    """Join. Somebody who was a member before comes back with the new role.

    Raises InvitationOver, WrongPerson.
    """
    invitation = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("organization")
        .get(pk=invitation.pk)
    )
    if not invitation.is_open(now):
        raise InvitationOver
    if not is_addressed_to(invitation, user):
        raise WrongPerson
    membership, _ = Membership.objects.update_or_create(
        organization=invitation.organization,
        user=user,
        defaults={"role": invitation.role, "has_all_brands": invitation.has_all_brands, "is_active": True},
    )
    membership.brands.set(invitation.brands.all())
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    record(
        organization=invitation.organization,
        actor=user,
        action="member.joined",
        subject=membership,
        detail={"role": membership.role},
        now=now,
    )
    _tell_of_joining(membership, now)
    return membership


@transaction.atomic
def sign_up_invited(*, invitation: Invitation, name: str, password: str, now: dt.datetime) -> Membership:
    """A new user for the invited address, which the link has proven. Raises AccountExists, InvitationOver."""
    email = invitation.email.lower()
    if User.objects.filter(email=email).exists():
        raise AccountExists
    user = User.objects.create_user(email, password, name=name)
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    return accept_invitation(invitation=invitation, user=user, now=now)


def _tell_of_joining(membership: Membership, now: dt.datetime) -> None:
    roles = [role for role, actions in ALLOWED.items() if Action.MANAGE_MEMBERS in actions]
    others = Membership.objects.filter(
        organization_id=membership.organization_id, is_active=True, role__in=roles
    ).exclude(pk=membership.pk)
    notify(
        organization=membership.organization,
        users=User.objects.filter(memberships__in=others),
        kind=NotificationKind.MEMBER_JOINED,
        context={"member": str(membership.user), "organization": membership.organization.name},
        url=reverse("accounts:member_list"),
        dedupe_key=f"member_joined:{membership.pk}:{now:%Y%m%d%H%M%S}",
        now=now,
    )


# --- members ----------------------------------------------------------------------------------


@transaction.atomic
def change_member(
    *,
    member: Membership,
    role: str,
    brands: Collection[Brand] | None,
    actor: Membership,
    now: dt.datetime,
) -> None:
    """Another role, other brands (None: all). Raises NotAllowed, LastOwner."""
    member = _lock(member)
    check_manages(actor, member)
    _check_reach(actor, role, brands)
    if role != Role.OWNER and is_last_owner(member):
        raise LastOwner
    before = {"role": member.role, "brands": _names(_brands_of(member))}
    member.role = role
    member.has_all_brands = brands is None or role == Role.OWNER
    member.save(update_fields=["role", "has_all_brands"])
    member.brands.set([] if member.has_all_brands else brands or [])
    after = {"role": member.role, "brands": _names(_brands_of(member))}
    if before != after:
        record(
            organization=member.organization,
            actor=actor.user,
            action="member.changed",
            subject=member,
            detail={"before": before, "after": after},
            now=now,
        )


@transaction.atomic
def deactivate_member(*, member: Membership, actor: Membership, now: dt.datetime) -> None:
    """The person no longer gets in; what they did stays. Raises NotAllowed, LastOwner."""
    member = _lock(member)
    check_manages(actor, member)
    if not member.is_active:
        return
    if is_last_owner(member):
        raise LastOwner
    member.is_active = False
    member.save(update_fields=["is_active"])
    Invitation.objects.filter(organization=member.organization, email=member.user.email).pending().update(
        revoked_at=now
    )
    record(
        organization=member.organization,
        actor=actor.user,
        action="member.deactivated",
        subject=member,
        now=now,
    )


@transaction.atomic
def reactivate_member(*, member: Membership, actor: Membership, now: dt.datetime) -> None:
    """The person gets in again, with the role they had. Raises NotAllowed."""
    member = _lock(member)
    check_manages(actor, member)
    if member.is_active:
        return
    member.is_active = True
    member.save(update_fields=["is_active"])
    record(
        organization=member.organization,
        actor=actor.user,
        action="member.reactivated",
        subject=member,
        now=now,
    )


def _lock(member: Membership) -> Membership:
    """The member as it is now; two people who change owners at once wait for each other."""
    Organization.objects.select_for_update().get(pk=member.organization_id)
    return Membership.objects.select_related("user", "organization").get(pk=member.pk)


# --- who may do what to whom ------------------------------------------------------------------


def manages(actor: Membership, member: Membership) -> bool:
    """Whether ``actor`` may change ``member``: neither role nor brands reach beyond the actor's own."""
    try:
        check_manages(actor, member)
    except NotAllowed:
        return False
    return True


def check_manages(actor: Membership, member: Membership) -> None:
    """Raises NotAllowed."""
    _check_reach(actor, member.role, _brands_of(member))


def _check_reach(actor: Membership, role: str, brands: Collection[Brand] | None) -> None:
    if not is_within(role, actor.role):
        raise NotAllowed
    if actor.has_all_brands:
        if brands and any(brand.organization_id != actor.organization_id for brand in brands):
            raise NotAllowed
        return
    if brands is None or not {brand.pk for brand in brands} <= set(actor.brands.values_list("pk", flat=True)):
        raise NotAllowed


def _brands_of(row: Membership | Invitation) -> Collection[Brand] | None:
    return None if row.has_all_brands else list(row.brands.all())


def _names(brands: Collection[Brand] | None) -> list[str] | str:
    return "all" if brands is None else sorted(brand.name for brand in brands)
