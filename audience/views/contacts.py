"""The list of contacts, and the same as a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import MemberRequest, current_brand, requires
from accounts.models import Brand
from accounts.permissions import Action
from audience.forms import contact_filter
from audience.models import Purpose, Stage
from audience.selectors.contacts import (
    Person,
    contacts_of,
    every_person,
    filter_choices,
    people_of,
)
from audience.services.exports import note_list_export
from audience.views.shown import rights
from core.csv_writing import csv_response
from core.htmx import render_page
from core.paging import page_of
from core.time import to_local


def _brand(request: MemberRequest) -> Brand | None:
    """The chosen brand; the only one where there is one only."""
    brands = Brand.objects.for_member(request.membership)[:2]
    return brands[0] if len(brands) == 1 else current_brand(request)


@requires(Action.VIEW_CONTACTS)
@require_safe
def contacts(request: MemberRequest) -> HttpResponse:
    brand = _brand(request)
    wanted = contact_filter(request.GET)
    page = page_of(request, contacts_of(request.membership, brand, wanted))
    context = {
        "brand": brand,
        "wanted": wanted,
        "choices": filter_choices(request.membership, brand),
        "page": page,
        "people": people_of(list(page.object_list)),
        **rights(request),
    }
    return render_page(request, "audience/contacts.html", context, partial="rows")


@requires(Action.VIEW_CONTACTS)
@require_safe
def export(request: MemberRequest) -> HttpResponseBase:
    """Every contact that the filters leave, written down in the audit log."""
    rows = contacts_of(request.membership, _brand(request), contact_filter(request.GET))
    now = timezone.now()
    note_list_export(organization=request.organization, contacts=rows.count(), actor=request.user, now=now)
    header = [
        _("Name"),
        _("Accounts"),
        _("E-mail address"),
        _("Phone"),
        _("Stage"),
        _("Agrees to"),
        _("First seen"),
        _("Last seen"),
        _("Time zone"),
        _("Brand"),
        _("Notes"),
    ]
    stages = {stage.value: str(stage.label) for stage in Stage}
    purposes = {purpose: str(purpose.label) for purpose in Purpose}
    return csv_response(f"contacts-{now:%Y-%m-%d}", header, _lines(every_person(rows), stages, purposes))


def _lines(
    people: Iterable[Person], stages: Mapping[str, str], purposes: Mapping[Purpose, str]
) -> Iterator[list[str]]:
    for person in people:
        contact = person.contact
        zone = contact.brand.timezone
        yield [
            person.name,
            "; ".join(f"{place.name}: {one.address or person.name}" for one, place in person.identities),
            contact.email,
            contact.phone,
            stages[contact.stage],
            "; ".join(purposes[purpose] for purpose in person.agreed),
            f"{to_local(contact.first_seen_at, zone):%Y-%m-%d %H:%M}",
            f"{to_local(contact.last_seen_at, zone):%Y-%m-%d %H:%M}",
            zone,
            contact.brand.name,
            contact.notes,
        ]
