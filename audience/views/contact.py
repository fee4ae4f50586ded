"""The page of one contact, and what can be written down there."""

from __future__ import annotations

import dataclasses
import json
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, load, requires
from accounts.permissions import Action, is_allowed
from audience.forms import ConsentForm, FactsForm, TakeFactForm
from audience.models import Contact, Identity, Purpose
from audience.selectors import profile as profiles
from audience.selectors.contacts import Person
from audience.selectors.timeline import FIELD_WORDS, activities_of, line_of
from audience.services.consents import record_consent
from audience.services.exports import note_contact_export
from audience.services.facts import Facts, change_facts
from audience.views.shown import REFUSALS, elsewhere, gone, loaded, open_path, refusal_sentence, rights
from core.htmx import render_page
from core.paging import page_of

LINES_PER_PAGE = 25
LINES_IN_PANE = 8


@requires(Action.VIEW_CONTACTS)
@require_safe
def contact(request: MemberRequest, contact_id: uuid.UUID) -> HttpResponse:
    found = loaded(request, Action.VIEW_CONTACTS, contact_id)
    return elsewhere(request, found) or _page(request, found)


def _page(
    request: MemberRequest, found: Contact, consent_form: ConsentForm | None = None, status: int = 200
) -> HttpResponse:
    person = profiles.profile(found)
    context: dict[str, Any] = {
        "contact": found,
        "person": person,
        "zone": found.brand.timezone,
        **rights(request),
    }
    if found.erased_at is not None:
        context["remains"] = profiles.remains_of(found)
        return render_page(request, "audience/erased.html", context)
    page = page_of(request, activities_of(found), size=LINES_PER_PAGE)
    context |= {
        "page": page,
        "lines": _lines(request, page.object_list),
        "purposes": profiles.purposes_of(found),
        "consent_form": consent_form or ConsentForm(person=person),
        "merged": [(row, _fact_words(row.facts)) for row in profiles.merged_into(found)],
    }
    return render_page(request, "audience/contact.html", context, status=status)


def _lines(request: MemberRequest, activities: Any) -> list[Any]:
    lines = (line_of(activity) for activity in activities)
    return [dataclasses.replace(line, path=open_path(request, line.path)) for line in lines]


def _fact_words(facts: Any) -> list[tuple[str, Any, str]]:
    return [(name, FIELD_WORDS[name], value) for name, value in facts]


@requires(Action.MANAGE_CONTACTS)
@require_http_methods(["GET", "POST"])
def facts(request: MemberRequest, contact_id: uuid.UUID) -> HttpResponse:
    found = loaded(request, Action.MANAGE_CONTACTS, contact_id)
    if away := gone(request, found):
        return away
    form = FactsForm(request.POST or None, initial=dataclasses.asdict(Facts.of(found)))
    if request.method == "POST" and form.is_valid():
        return _changed(request, found, form.facts())
    context = {"contact": found, "person": profiles.profile(found), "form": form}
    status = 422 if form.is_bound else 200
    return render_page(request, "audience/facts.html", context, partial="form", status=status)


def _changed(request: MemberRequest, found: Contact, wanted: Facts) -> HttpResponse:
    try:
        change_facts(contact=found, facts=wanted, actor=request.user, now=timezone.now())
    except REFUSALS as refusal:
        messages.error(request, refusal_sentence(refusal))
    else:
        messages.success(request, _("Saved."))
    return redirect("audience:contact", contact_id=found.pk)


@requires(Action.MANAGE_CONTACTS)
@require_POST
def take_fact(request: MemberRequest, contact_id: uuid.UUID) -> HttpResponse:
    """A fact of a merged contact becomes one of this contact; notes are added to its own."""
    found = loaded(request, Action.MANAGE_CONTACTS, contact_id)
    if away := gone(request, found):
        return away
    form = TakeFactForm(request.POST)
    if not form.is_valid():
        raise Http404
    name, merged = form.cleaned_data["field"], form.cleaned_data["merged"]
    offered = {row.contact.pk: dict(row.facts) for row in profiles.merged_into(found)}
    value = offered.get(merged, {}).get(name, "")
    if not value:  # taken over, or the merge undone, on another page
        return redirect("audience:contact", contact_id=found.pk)
    if name == "notes" and found.notes:
        value = f"{found.notes}\n\n{value}"
    taken: dict[str, Any] = {name: value}
    return _changed(request, found, dataclasses.replace(Facts.of(found), **taken))


@requires(Action.MANAGE_CONTACTS)
@require_POST
def consent(request: MemberRequest, contact_id: uuid.UUID) -> HttpResponse:
    found = loaded(request, Action.MANAGE_CONTACTS, contact_id)
    if away := gone(request, found):
        return away
    form = ConsentForm(request.POST, person=profiles.profile(found))
    if not form.is_valid():
        return _page(request, found, form, status=422)
    try:
        record_consent(
            identity=form.cleaned_data["identity"],
            purpose=Purpose(form.cleaned_data["purpose"]),
            is_granted=form.cleaned_data["is_granted"],
            source=form.cleaned_data["source"],
            actor=request.user,
            now=timezone.now(),
        )
    except REFUSALS as refusal:
        messages.error(request, refusal_sentence(refusal))
    else:
        messages.success(request, _("Recorded."))
    return redirect("audience:contact", contact_id=found.pk)


@requires(Action.MANAGE_CONTACTS)
@require_safe
def contact_export(request: MemberRequest, contact_id: uuid.UUID) -> HttpResponse:
    """What is kept about the person, as JSON, for their request of access."""
    found = loaded(request, Action.MANAGE_CONTACTS, contact_id)
    if away := gone(request, found):
        return away
    now = timezone.now()
    note_contact_export(contact=found, actor=request.user, now=now)
    content = json.dumps(profiles.everything_about(found, now=now), ensure_ascii=False, indent=2)
    response = HttpResponse(content, content_type="application/json; charset=utf-8")
    name = f"contact-{found.reference.removeprefix('#')}-{now:%Y-%m-%d}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


@requires(Action.VIEW)
@require_safe
def person_pane(request: MemberRequest, identity_id: uuid.UUID) -> HttpResponse:
    """A slot: who somebody is, for the app above that shows what they wrote. Empty for members who may not
    see contacts."""
    identity: Identity = load(
        request, Action.VIEW, Identity.objects.select_related("contact__brand"), identity_id
    )
    context: dict[str, Any] = {"is_shown": is_allowed(request.membership.role, Action.VIEW_CONTACTS)}
    if context["is_shown"]:
        found = identity.contact
        person: Person = profiles.profile(found)
        latest = list(activities_of(found)[: LINES_IN_PANE + 1])
        context |= {
            "contact": found,
            "person": person,
            "zone": found.brand.timezone,
            "purposes": [state for state in profiles.purposes_of(found) if state.latest],
            "lines": _lines(request, latest[:LINES_IN_PANE]),
            "has_more": len(latest) > LINES_IN_PANE,
        }
    return render_page(request, "audience/person_pane.html", context, partial="pane")
