from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Brand, Invitation, Membership, Notification, Organization, Role, User
from accounts.services import members
from accounts.services.invitations import send_invitation
from tests.cast import PASSWORD, make_member, make_user

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


def member_of(user: User) -> Membership:
    return user.memberships.get()


def invite(inviter: User, email: str = "new@example.com", role: str = Role.CREATOR) -> tuple[Invitation, str]:
    return members.invite(inviter=member_of(inviter), email=email, role=role, brands=None, now=timezone.now())


def link(token: str) -> str:
    return reverse("accounts:invitation", args=[token])


# --- inviting ---------------------------------------------------------------------------------


def test_an_invitation_shows_its_link_once_and_keeps_only_a_hash(sign_in: Any, admin: User) -> None:
    client = sign_in(admin)
    client.post(
        reverse("accounts:member_invite"),
        {"email": "New@Example.com", "role": "creator", "has_all_brands": "on"},
    )
    invitation = Invitation.objects.get()
    assert invitation.email == "new@example.com"
    page = client.get(reverse("accounts:member_list"))
    token = page.context["link"]["url"].rstrip("/").rpartition("/")[2]
    assert members.hash_of(token) == invitation.token_hash
    assert client.get(reverse("accounts:member_list")).context["link"] is None


def test_the_mail_of_an_invitation_holds_its_link(admin: User) -> None:
    invitation, token = invite(admin)
    now = timezone.now()
    assert send_invitation(invitation_id=invitation.pk, path=link(token), language="en", now=now)
    (message,) = mail.outbox
    assert message.to == ["new@example.com"]
    assert link(token) in message.body


def test_no_mail_is_sent_for_an_invitation_that_was_revoked_meanwhile(admin: User) -> None:
    invitation, token = invite(admin)
    members.revoke_invitation(invitation=invitation, actor=member_of(admin), now=timezone.now())
    now = timezone.now()
    assert not send_invitation(invitation_id=invitation.pk, path=link(token), language="en", now=now)
    assert mail.outbox == []


def test_somebody_who_is_here_is_not_invited(sign_in: Any, admin: User, creator: User) -> None:
    answer = sign_in(admin).post(
        reverse("accounts:member_invite"), {"email": creator.email, "role": "viewer", "has_all_brands": "on"}
    )
    assert "email" in answer.context["form"].errors
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("role", [Role.OWNER])
def test_nobody_invites_to_a_role_above_their_own(sign_in: Any, admin: User, role: Role) -> None:
    answer = sign_in(admin).post(
        reverse("accounts:member_invite"), {"email": "x@example.com", "role": role, "has_all_brands": "on"}
    )
    assert "role" in answer.context["form"].errors
    with pytest.raises(members.NotAllowed):
        invite(admin, role=role)
    assert not Invitation.objects.exists()


def test_whoever_sees_some_brands_gives_no_others(
    sign_in: Any, admin: User, brand: Brand, other_brand: Brand
) -> None:
    mine = member_of(admin)
    Membership.objects.filter(pk=mine.pk).update(has_all_brands=False)
    mine.brands.add(brand)
    for brands in ({"brands": [other_brand.pk]}, {"has_all_brands": "on"}):
        answer = sign_in(admin).post(
            reverse("accounts:member_invite"), {"email": "x@example.com", "role": "viewer", **brands}
        )
        assert "brands" in answer.context["form"].errors
    for given in (None, [other_brand]):
        with pytest.raises(members.NotAllowed):
            members.invite(
                inviter=member_of(admin), email="x@example.com", role=Role.VIEWER, brands=given, now=NOW
            )
    assert not Invitation.objects.exists()


def test_a_brand_of_another_organization_cannot_be_given(
    admin: User, other_organization: Organization
) -> None:
    foreign = Brand.objects.create(organization=other_organization, name="Foreign")
    with pytest.raises(members.NotAllowed):
        members.invite(
            inviter=member_of(admin), email="x@example.com", role=Role.VIEWER, brands=[foreign], now=NOW
        )


# --- accepting --------------------------------------------------------------------------------


def test_somebody_new_signs_up_by_the_link(admin: User, client: Client) -> None:
    _invitation, token = invite(admin)
    answer = client.post(link(token), {"name": "Nele", "password": PASSWORD})
    assert answer.status_code == 302
    user = User.objects.get(email="new@example.com")
    assert (user.name, member_of(user).role) == ("Nele", Role.CREATOR)
    assert EmailAddress.objects.get(user=user).verified
    assert client.get("/").status_code == 200
    assert Notification.objects.get().user == admin


def test_a_weak_password_is_refused_at_the_field(admin: User, client: Client) -> None:
    _invitation, token = invite(admin)
    answer = client.post(link(token), {"name": "Nele", "password": "12345"})
    assert "password" in answer.context["form"].errors
    assert not User.objects.filter(email="new@example.com").exists()


def test_an_existing_user_signs_in_and_joins(sign_in: Any, admin: User, stranger: User) -> None:
    _invitation, token = invite(admin, stranger.email)
    anonymous = Client().get(link(token))
    assert anonymous.context["state"] == "sign_in"
    client = sign_in(stranger)
    assert client.get(link(token)).context["state"] == "join"
    client.post(link(token))
    assert Membership.objects.filter(user=stranger).count() == 2
    assert client.get(reverse("accounts:settings")).context["request"].organization.name == "Harbour Foods"


def test_an_invitation_serves_only_the_person_it_was_sent_to(
    sign_in: Any, admin: User, stranger: User
) -> None:
    _invitation, token = invite(admin)
    answer = sign_in(stranger).post(link(token))
    assert answer.context["state"] == "wrong_person"
    assert Membership.objects.filter(user=stranger).count() == 1


def test_a_link_works_once(admin: User, client: Client) -> None:
    _invitation, token = invite(admin)
    client.post(link(token), {"name": "Nele", "password": PASSWORD})
    again = Client().post(link(token), {"name": "Eve", "password": PASSWORD})
    assert (again.status_code, again.context["state"]) == (410, "accepted")
    assert User.objects.filter(email="new@example.com").count() == 1


@pytest.mark.parametrize("change", ["revoked", "expired", "unknown"])
def test_a_dead_link_says_why(admin: User, client: Client, change: str) -> None:
    invitation, token = invite(admin)
    if change == "revoked":
        members.revoke_invitation(invitation=invitation, actor=member_of(admin), now=timezone.now())
    elif change == "expired":
        Invitation.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    else:
        token = "guessed"
    answer = client.post(link(token), {"name": "Nele", "password": PASSWORD})
    assert (answer.status_code, answer.context["state"]) == (404 if change == "unknown" else 410, change)
    assert not User.objects.filter(email="new@example.com").exists()


def test_sending_again_kills_the_old_link(sign_in: Any, admin: User, client: Client) -> None:
    invitation, token = invite(admin)
    sign_in(admin).post(reverse("accounts:invitation_resend", args=[invitation.pk]))
    assert Client().get(link(token)).status_code == 404


def test_an_admin_cannot_touch_the_invitation_of_an_owner(sign_in: Any, admin: User, owner: User) -> None:
    invitation, token = invite(owner, role=Role.OWNER)
    for name in ("invitation_resend", "invitation_revoke"):
        assert sign_in(admin).post(reverse(f"accounts:{name}", args=[invitation.pk])).status_code == 403
    assert Client().get(link(token)).status_code == 200


# --- changing ---------------------------------------------------------------------------------


def test_a_role_and_brands_are_changed(sign_in: Any, admin: User, creator: User, brand: Brand) -> None:
    member = member_of(creator)
    sign_in(admin).post(
        reverse("accounts:member_edit", args=[member.pk]), {"role": "manager", "brands": [brand.pk]}
    )
    member.refresh_from_db()
    assert (member.role, member.has_all_brands, list(member.brands.all())) == ("manager", False, [brand])


def test_an_admin_cannot_change_an_owner(sign_in: Any, admin: User, owner: User) -> None:
    member = member_of(owner)
    client = sign_in(admin)
    assert client.get(reverse("accounts:member_edit", args=[member.pk])).status_code == 403
    assert client.post(reverse("accounts:member_deactivate", args=[member.pk])).status_code == 403
    member.refresh_from_db()
    assert member.is_active


def test_the_last_owner_cannot_leave_or_step_down(sign_in: Any, owner: User, admin: User) -> None:
    member = member_of(owner)
    client = sign_in(owner)
    client.post(reverse("accounts:member_deactivate", args=[member.pk]))
    answer = client.post(
        reverse("accounts:member_edit", args=[member.pk]), {"role": "admin", "has_all_brands": "on"}
    )
    assert "role" in answer.context["form"].errors
    member.refresh_from_db()
    assert (member.is_active, member.role) == (True, Role.OWNER)


def test_a_deactivated_owner_does_not_count(owner: User, organization: Organization) -> None:
    second = member_of(make_member(organization, "second", Role.OWNER))
    members.deactivate_member(member=second, actor=member_of(owner), now=NOW)
    with pytest.raises(members.LastOwner):
        members.deactivate_member(member=member_of(owner), actor=member_of(owner), now=NOW)


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_at_once_leave_one(owner: User, organization: Organization) -> None:
    first, second = member_of(owner), member_of(make_member(organization, "second", Role.OWNER))
    start = threading.Barrier(2)
    errors: list[Exception] = []

    def remove(member: Membership, actor: Membership) -> None:
        start.wait()
        try:
            members.deactivate_member(member=member, actor=actor, now=NOW)
        except members.LastOwner as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 1
    assert Membership.objects.filter(role=Role.OWNER, is_active=True).count() == 1


def test_deactivation_is_undone_and_closes_open_invitations(sign_in: Any, admin: User, creator: User) -> None:
    member = member_of(creator)
    client = sign_in(admin)
    client.post(reverse("accounts:member_deactivate", args=[member.pk]))
    assert not Membership.objects.get(pk=member.pk).is_active
    client.post(reverse("accounts:member_reactivate", args=[member.pk]))
    assert Membership.objects.get(pk=member.pk).is_active


def test_somebody_who_left_comes_back_by_a_new_invitation(admin: User, creator: User) -> None:
    member = member_of(creator)
    members.deactivate_member(member=member, actor=member_of(admin), now=NOW)
    invitation, _token = invite(admin, creator.email, Role.VIEWER)
    members.accept_invitation(invitation=invitation, user=creator, now=timezone.now())
    member.refresh_from_db()
    assert (member.is_active, member.role) == (True, Role.VIEWER)


def test_a_person_of_two_organizations_follows_a_link_into_the_other(
    sign_in: Any, organization: Organization, other_organization: Organization, brand: Brand
) -> None:
    user = make_user("both")
    Membership.objects.create(organization=other_organization, user=user, role=Role.OWNER)
    Membership.objects.create(organization=organization, user=user, role=Role.ADMIN)
    client = sign_in(user)
    assert client.get(reverse("accounts:brand_edit", args=[brand.pk])).status_code == 200
    assert client.get(reverse("accounts:settings")).context["request"].organization == organization
