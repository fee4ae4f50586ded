from __future__ import annotations

from django.urls import path

from audience.views import contact, contacts, merging

app_name = "audience"

urlpatterns = [
    path("", contacts.contacts, name="contacts"),
    path("export/", contacts.export, name="export"),
    path("people/<uuid:identity_id>/", contact.person_pane, name="person_pane"),
    path("<uuid:contact_id>/", contact.contact, name="contact"),
    path("<uuid:contact_id>/facts/", contact.facts, name="facts"),
    path("<uuid:contact_id>/facts/take/", contact.take_fact, name="take_fact"),
    path("<uuid:contact_id>/consent/", contact.consent, name="consent"),
    path("<uuid:contact_id>/merge/", merging.merge, name="merge"),
    path("<uuid:contact_id>/undo/", merging.undo, name="undo"),
    path("<uuid:contact_id>/erase/", merging.erase, name="erase"),
    path("<uuid:contact_id>/export/", contact.contact_export, name="contact_export"),
]
