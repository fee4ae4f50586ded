"""The one way into a view: who is asking, for which organization, and may they?

``@requires(Action.X)`` on every view that needs a member, ``@signed_in`` or ``@public`` on the few that
do not; a test walks all URLs and refuses a view with none of them. Objects come from ``load``: 404 for
strangers, so that nobody learns what exists elsewhere; 403 for members whose role is too low.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from accounts.models import Brand, Membership, Organization, User
from accounts.permissions import Action, is_allowed

ORGANIZATION_KEY = "organization_id"
BRAND_KEY = "brand_id"

P = ParamSpec("P")
M_co = TypeVar("M_co", bound=models.Model, covariant=True)


class MemberRequest(HttpRequest):
    """A request behind ``@requires``: somebody who is signed in and belongs to an organization."""

    user: User
    membership: Membership
    organization: Organization


class MemberScoped(Protocol[M_co]):
    """A queryset that knows what one member may see."""

    def for_member(self, membership: Membership) -> models.QuerySet[M_co]: ...


View = Callable[Concatenate[MemberRequest, P], HttpResponseBase]


def public(view: Callable[P, HttpResponseBase]) -> Callable[P, HttpResponseBase]:
    """Marks a view that anybody may call."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def signed_in(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Marks a view for anybody who is signed in, member of an organization or not yet."""

    @functools.wraps(view)
    def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _sign_in(request)
        return view(request, *args, **kwargs)

    inner.is_personal = True  # type: ignore[attr-defined]
    return inner


def requires(action: Action) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]]:
    """Lets members through whose role allows ``action``; others get the sign-in page, 403, or set-up."""

    def decorate(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @functools.wraps(view)
        def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _sign_in(request)
            membership = current_membership(request)
            if membership is None:
                return redirect("accounts:organization_create")
            member_request = cast(MemberRequest, request)
            member_request.membership = membership
            member_request.organization = membership.organization
            if not is_allowed(membership.role, action):
                raise PermissionDenied
            return view(member_request, *args, **kwargs)

        inner.required_action = action  # type: ignore[attr-defined]
        return inner

    return decorate


def _sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in and come back; a fragment request sends the whole browser there."""
    response = redirect_to_login(request.get_full_path())
    if request.headers.get("HX-Request"):
        page = HttpResponse(status=204)
        page["HX-Redirect"] = redirect_to_login(request.headers.get("HX-Current-URL", "/")).url
        return page
    return response


def current_membership(request: HttpRequest) -> Membership | None:
    """The membership that the session chose, else the person's first; None for a person of no organization.

    Read once per request.
    """
    if hasattr(request, "_membership"):
        return cast("Membership | None", request._membership)
    memberships = (
        Membership.objects.filter(user=cast(User, request.user), is_active=True)
        .select_related("organization")
        .order_by("created_at")
    )
    chosen = request.session.get(ORGANIZATION_KEY)
    found = list(memberships)
    membership = next((m for m in found if str(m.organization_id) == chosen), found[0] if found else None)
    request._membership = membership  # type: ignore[attr-defined]
    return membership


def current_brand(request: MemberRequest) -> Brand | None:
    """The brand that the switcher shows, None for all of them. Read once per request."""
    if not hasattr(request, "_brand"):
        chosen = request.session.get(BRAND_KEY)
        brands = Brand.objects.for_member(request.membership)
        request._brand = brands.filter(pk=chosen).first() if chosen else None  # type: ignore[attr-defined]
    return cast("Brand | None", request._brand)  # type: ignore[attr-defined]


def load(request: MemberRequest, action: Action, rows: Any, pk: uuid.UUID | str) -> Any:
    """The object ``pk`` of ``rows`` (a queryset or manager with ``for_member``) for this member.

    An object of another of the person's organizations switches the session to that one, so that links
    in mails and notifications work. Raises Http404 for strangers, PermissionDenied for too low a role.
    """
    found = rows.for_member(request.membership).filter(pk=pk).first()
    if found is None:
        others = (
            Membership.objects.filter(user=request.user, is_active=True)
            .exclude(pk=request.membership.pk)
            .select_related("organization")
        )
        for membership in others:
            found = rows.for_member(membership).filter(pk=pk).first()
            if found is not None:
                switch_organization(request, membership)
                break
        else:
            raise Http404
    if not is_allowed(request.membership.role, action):
        raise PermissionDenied
    return found


def switch_organization(request: MemberRequest, membership: Membership) -> None:
    """From here on the session works for this organization, all of its brands shown."""
    request.session[ORGANIZATION_KEY] = str(membership.organization_id)
    request.session.pop(BRAND_KEY, None)
    request.membership = membership
    request.organization = membership.organization
    request._membership = membership  # type: ignore[attr-defined]
    if hasattr(request, "_brand"):
        del request._brand
