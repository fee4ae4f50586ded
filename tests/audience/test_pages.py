"""The pages of contacts, as people of every role use them."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.access import BRAND_KEY
from accounts.models import AuditEntry, Brand, Membership, User
from audience.models import ActivityKind, Consent, Contact, Purpose, Stage
from audience.selectors.contacts import person_of
from audience.services.activities import Happened, tell
from audience.services.consents import record_consent
from audience.services.erasing import erase_contact
from audience.services.facts import Facts, change_facts
from audience.services.merging import merge_contacts
from audience.services.people import Met, mark_stage, meet
from tests.audience.conftest import LATER, NOW, Meeting

SignIn = Callable[[User], Client]
LIST = "/audience/"


def url(name: str, contact: Contact) -> str:
    return reverse(f"audience:{name}", args=[contact.pk])


def names(response: Any) -> list[str]:
    return [person.name for person in response.context["people"]]


def said(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def text(response: Any) -> str:
    """What is read on the page, without the tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode()))


# --- the list ---------------------------------------------------------------------------------


def test_the_list_shows_whoever_was_seen_last_first(sign_in: SignIn, met: Meeting, responder: User) -> None:
    met("early", "Early Bird", now=NOW)
    met("late", "Late Bird", now=LATER)
    assert names(sign_in(responder).get(LIST)) == ["Late Bird", "Early Bird"]


def test_an_empty_list_says_what_to_do(sign_in: SignIn, responder: User, brand: Brand) -> None:
    client = sign_in(responder)
    assert "Connect the accounts on which people write to you" in text(client.get(LIST))
    assert "No contact matches" in text(client.get(f"{LIST}?q=nobody"))


@pytest.mark.parametrize("few", [1000, 0], ids=["what few have", "what many have"])
@pytest.mark.parametrize(
    ("searched", "found"),
    [
        ("hanako", ["Hanako Mori"]),
        ("MORI", ["Hanako Mori"]),
        ("ｈａｎａｋｏ", ["Hanako Mori"]),
        ("@hanako", ["Hanako Mori"]),
        ("ana mori", ["Hanako Mori"]),
        ("mori@example", ["Hanako Mori"]),
        ("太郎", ["山田 太郎"]),
        ("田", ["山田 太郎"]),
        ("郎太", []),
        ("anan", []),  # its pairs are all there, but not in this order
        ("%", []),
        ("nobody", []),
        ("\x00", ["Hanako Mori", "山田 太郎"]),
    ],
)
def test_a_piece_of_a_name_is_found_in_any_script(
    sign_in: SignIn,
    hanako: Contact,
    taro: Contact,
    responder: User,
    searched: str,
    found: list[str],
    few: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("audience.selectors.contacts._FEW", few)
    facts = Facts(email="h.mori@example.com")
    change_facts(contact=hanako, facts=facts, actor=responder, now=NOW)
    assert sorted(names(sign_in(responder).get(LIST, {"q": searched}))) == found


def test_the_filters_narrow_the_list(sign_in: SignIn, met: Meeting, taro: Contact, responder: User) -> None:
    hanako = met("hanako", "Hanako Mori")
    mark_stage(identity=hanako, stage=Stage.CUSTOMER, now=NOW)
    consent(hanako.contact, responder, is_granted=True)
    client = sign_in(responder)
    for query in ("stage=customer", "network=sandbox", "consent=newsletter", "stage=customer&q=mori"):
        assert names(client.get(f"{LIST}?{query}")) == ["Hanako Mori"], query
    assert names(client.get(f"{LIST}?network=bluesky")) == ["山田 太郎"]
    assert names(client.get(f"{LIST}?consent=messages")) == []
    assert len(names(client.get(f"{LIST}?stage=nonsense&consent=nonsense"))) == 2


def test_a_withdrawn_consent_is_not_found(sign_in: SignIn, hanako: Contact, responder: User) -> None:
    consent(hanako, responder, is_granted=True)
    consent(hanako, responder, is_granted=False, at=LATER)
    page = sign_in(responder).get(f"{LIST}?consent=newsletter")
    assert names(page) == []
    assert names(sign_in(responder).get(LIST)) == ["Hanako Mori"]


def consent(contact: Contact, actor: User, *, is_granted: bool, at: Any = NOW) -> Consent:
    return record_consent(
        identity=contact.identities.all()[0],
        purpose=Purpose.NEWSLETTER,
        is_granted=is_granted,
        source="Form at the counter",
        actor=actor,
        now=at,
    )


def test_merged_and_erased_contacts_are_not_listed(
    sign_in: SignIn, hanako: Contact, taro: Contact, met: Meeting, admin: User
) -> None:
    merge_contacts(into=hanako, other=taro, actor=admin, now=NOW)
    erase_contact(contact=met("third").contact, actor=admin, now=NOW)
    assert names(sign_in(admin).get(LIST)) == ["Hanako Mori"]


def test_the_brand_switcher_decides_whose_people_are_shown(
    sign_in: SignIn, hanako: Contact, met: Meeting, other_brand: Brand, responder: User
) -> None:
    met("tea", "Tea Lover", brand=other_brand)
    client = sign_in(responder)
    assert sorted(names(client.get(LIST))) == ["Hanako Mori", "Tea Lover"]
    session = client.session
    session[BRAND_KEY] = str(other_brand.pk)
    session.save()
    assert names(client.get(LIST)) == ["Tea Lover"]


def test_the_list_is_paged_in_a_fixed_number_of_queries(
    sign_in: SignIn, met: Meeting, responder: User
) -> None:
    client = sign_in(responder)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(LIST).status_code == 200
        return len(captured)

    met("p0")
    queries()  # the first one asks for more, which is kept
    few = queries()
    for number in range(1, 55):
        met(f"p{number}")
    assert queries() == few
    assert len(names(client.get(LIST))) == 50
    assert len(names(client.get(f"{LIST}?page=2"))) == 5


def test_htmx_gets_the_rows_alone(sign_in: SignIn, hanako: Contact, responder: User) -> None:
    part = sign_in(responder).get(LIST, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="rows">')
    assert "Hanako Mori" in part


# --- as a file --------------------------------------------------------------------------------


def rows_of_file(response: Any) -> list[str]:
    content = b"".join(response)
    assert content.startswith(b"\xef\xbb\xbf")
    return content.decode("utf-8-sig").splitlines()


def test_the_export_honours_the_filters_and_is_written_down(
    sign_in: SignIn, hanako: Contact, taro: Contact, marketer: User, responder: User
) -> None:
    facts = Facts(name="山田 太郎", email="taro@example.com", phone="+81 3", notes="=1+1", stage=Stage.LEAD)
    change_facts(contact=taro, facts=facts, actor=responder, now=NOW)
    consent(taro, responder, is_granted=True)
    response = sign_in(marketer).get("/audience/export/?q=太郎")
    assert response["Content-Disposition"].startswith('attachment; filename="contacts-')
    assert rows_of_file(response) == [
        "Name,Accounts,E-mail address,Phone,Stage,Agrees to,First seen,Last seen,Time zone,Brand,Notes",
        (
            "山田 太郎,Bluesky: @taro,taro@example.com,'+81 3,Lead,Newsletter and offers by e-mail,"
            "2026-03-29 01:30,2026-03-29 01:30,Europe/Berlin,Harbour Coffee,'=1+1"
        ),
    ]
    entry = AuditEntry.objects.get(action="contact.list_exported")
    assert (entry.actor, entry.detail) == (marketer, {"contacts": 1})


def test_a_handle_is_no_formula(sign_in: SignIn, met: Meeting, responder: User) -> None:
    met("evil", '=HYPERLINK("http://evil.example")')
    (_header, row) = rows_of_file(sign_in(responder).get("/audience/export/"))
    assert row.startswith("\"'=HYPERLINK(")
    assert ",Sandbox: @evil," in row


def test_everything_about_a_person_can_be_given_to_them(
    sign_in: SignIn, hanako: Contact, taro: Contact, responder: User
) -> None:
    change_facts(contact=taro, facts=Facts(notes="Likes tea"), actor=responder, now=NOW)
    consent(hanako, responder, is_granted=True)
    merge_contacts(into=hanako, other=taro, actor=responder, now=LATER)
    response = sign_in(responder).get(url("contact_export", hanako))
    assert response["Content-Type"].startswith("application/json")
    assert "attachment" in response["Content-Disposition"]
    told = json.loads(response.content)
    assert told["name"] == "Hanako Mori"
    assert {record["notes"] for record in told["records"]} == {"", "Likes tea"}
    assert {one["remote_id"] for one in told["identities"]} == {"id-hanako", "id-taro"}
    assert [one["source"] for one in told["consents"]] == ["Form at the counter"]
    assert [one["kind"] for one in told["activities"]] == ["changed", "consent", "merged"]
    entry = AuditEntry.objects.get(action="contact.exported")
    assert (entry.subject_name, entry.actor) == (hanako.reference, responder)


# --- the page of one --------------------------------------------------------------------------


def test_a_page_shows_what_is_known(sign_in: SignIn, hanako: Contact, responder: User) -> None:
    facts = Facts(email="hanako@example.com", phone="03-1234", notes="Likes light roast")
    change_facts(contact=hanako, facts=facts, actor=responder, now=NOW)
    consent(hanako, responder, is_granted=True)
    shown = text(sign_in(responder).get(url("contact", hanako)))
    for words in (
        "Hanako Mori",
        "hanako@example.com",
        "03-1234",
        "Likes light roast",
        "@hanako",
        "Agrees",
        "Form at the counter",
        hanako.reference,
    ):
        assert words in shown


@pytest.mark.parametrize(
    ("kind", "detail", "sentence"),
    [
        (ActivityKind.COMMENT, {"platform": "bluesky"}, "Commented on Bluesky"),
        (ActivityKind.COMMENT, {}, "Commented on Sandbox"),
        (ActivityKind.MENTION, {"platform": "mastodon"}, "Mentioned the brand on Mastodon"),
        (ActivityKind.MESSAGE, {"platform": "gone"}, "Wrote a direct message"),
        (ActivityKind.REVIEW, {"platform": "bluesky"}, "Wrote a review on Bluesky"),
        (ActivityKind.REVIEW, {"platform": "gone"}, "Wrote a review"),
        (ActivityKind.ANSWERED, {}, "Got an answer on Sandbox"),
        (ActivityKind.CLICK, {"platform": "bluesky"}, "Clicked a link on Bluesky"),
        (ActivityKind.LEAD, {}, "Became a lead"),
        (ActivityKind.LEAD, {"amount": "50", "currency": "EUR"}, "Became a lead, worth €50.00"),
        (ActivityKind.SALE, {"amount": "3000", "currency": "JPY"}, "Bought for ¥3,000"),
        (ActivityKind.SALE, {"amount": "odd", "currency": "JPY"}, "Bought something"),
        (ActivityKind.REFUND, {"amount": "12.5", "currency": "EUR"}, "Got €12.50 back"),
        (ActivityKind.CONSENT, {"purpose": "messages", "is_granted": True}, "Agreed: Direct messages"),
        (ActivityKind.CONSENT, {"purpose": "messages"}, "Withdrew consent: Direct messages"),
        (ActivityKind.MERGED, {"identities": 1}, "Merged with another contact"),
        (ActivityKind.MERGED, {"undone": True}, "A merge was undone"),
        (ActivityKind.CHANGED, {"fields": ["name", "email"]}, "Facts changed: name, e-mail address"),
        (ActivityKind.CHANGED, {}, "Facts changed"),
    ],
)
def test_every_kind_of_activity_is_a_sentence(
    sign_in: SignIn,
    brand: Brand,
    met: Meeting,
    responder: User,
    kind: ActivityKind,
    detail: dict[str, Any],
    sentence: str,
) -> None:
    hanako = met()
    tell(brand=brand, happened=[Happened(hanako.pk, kind, NOW, "one", summary="Quoted words", detail=detail)])
    (line,) = sign_in(responder).get(url("contact", hanako.contact)).context["lines"]
    assert (line.text, line.quote) == (sentence, "Quoted words")
    assert line.icon


def test_no_kind_of_activity_is_without_a_sentence() -> None:
    from audience.selectors.timeline import _LOOKS, _SENTENCES

    assert set(_SENTENCES) == set(_LOOKS) == set(ActivityKind)


def test_a_line_links_only_where_the_reader_may_go(
    sign_in: SignIn, brand: Brand, met: Meeting, responder: User, admin: User
) -> None:
    hanako = met()
    paths = ["/settings/people/", "/nowhere/", "//evil.example/", "https://evil.example/", ""]
    paths[0] = reverse("accounts:member_list")
    happened = [
        Happened(hanako.pk, ActivityKind.COMMENT, NOW, str(number), path=path)
        for number, path in enumerate(paths)
    ]
    tell(brand=brand, happened=happened)
    shown = {
        user: {line.path for line in sign_in(user).get(url("contact", hanako.contact)).context["lines"]}
        for user in (responder, admin)
    }
    assert shown == {responder: {""}, admin: {"", paths[0]}}


def test_the_timeline_is_paged(sign_in: SignIn, brand: Brand, met: Meeting, responder: User) -> None:
    hanako = met()
    happened = [Happened(hanako.pk, ActivityKind.COMMENT, NOW, f"m:{number}") for number in range(30)]
    tell(brand=brand, happened=happened)
    client = sign_in(responder)
    assert len(client.get(url("contact", hanako.contact)).context["lines"]) == 25
    assert len(client.get(url("contact", hanako.contact) + "?page=2").context["lines"]) == 5


def test_a_merged_contacts_address_leads_to_its_target(
    sign_in: SignIn, met: Meeting, responder: User
) -> None:
    a, b, c = (met(name).contact for name in ("a", "b", "c"))
    merge_contacts(into=b, other=a, actor=responder, now=NOW)
    merge_contacts(into=c, other=b, actor=responder, now=NOW)
    client = sign_in(responder)
    for name in ("contact", "facts", "merge", "contact_export"):
        response = client.get(url(name, a))
        assert (response.status_code, response["Location"]) == (302, url("contact", c)), name


def test_a_marketer_reads_and_does_not_write(sign_in: SignIn, hanako: Contact, marketer: User) -> None:
    client = sign_in(marketer)
    shown = client.get(url("contact", hanako)).content.decode()
    for name in ("facts", "merge", "erase", "contact_export", "consent"):
        assert url(name, hanako) not in shown
    for name in ("facts", "merge", "erase", "consent", "take_fact", "undo"):
        assert client.post(url(name, hanako), {"name": "Other"}).status_code == 403
    hanako.refresh_from_db()
    assert hanako.name == ""


def test_a_creator_sees_no_contacts(sign_in: SignIn, hanako: Contact, creator: User) -> None:
    client = sign_in(creator)
    assert client.get(LIST).status_code == 403
    assert client.get(url("contact", hanako)).status_code == 403


def test_a_member_of_another_brand_finds_nobody(
    sign_in: SignIn, hanako: Contact, other_brand: Brand, responder: User
) -> None:
    membership = Membership.objects.get(user=responder)
    membership.has_all_brands = False
    membership.save()
    membership.brands.add(other_brand)
    client = sign_in(responder)
    assert names(client.get(LIST)) == []
    assert client.get(url("contact", hanako)).status_code == 404
    assert client.post(url("facts", hanako), {"stage": "none", "name": "Mine"}).status_code == 404
    assert rows_of_file(client.get("/audience/export/"))[1:] == []


# --- writing down -----------------------------------------------------------------------------


def test_facts_are_changed_on_the_page(sign_in: SignIn, hanako: Contact, responder: User) -> None:
    client = sign_in(responder)
    assert client.get(url("facts", hanako)).status_code == 200
    values = {"name": "森 花子", "email": "h@example.com", "phone": "", "notes": "", "stage": "lead"}
    response = client.post(url("facts", hanako), values)
    assert response.status_code == 302
    hanako.refresh_from_db()
    assert Facts.of(hanako) == Facts("森 花子", "h@example.com", "", "", Stage.LEAD)
    assert names(client.get(f"{LIST}?q=花子")) == ["森 花子"]


def test_facts_that_are_none_are_refused(sign_in: SignIn, hanako: Contact, responder: User) -> None:
    values = {"name": "x" * 256, "email": "no address", "stage": "king"}
    response = sign_in(responder).post(url("facts", hanako), values)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"name", "email", "stage"}
    hanako.refresh_from_db()
    assert Facts.of(hanako) == Facts()


def test_a_consent_is_recorded_on_the_page(sign_in: SignIn, hanako: Contact, responder: User) -> None:
    client = sign_in(responder)
    identity = hanako.identities.get()
    values = {
        "purpose": "newsletter",
        "is_granted": "yes",
        "source": "Form at the counter",
        "identity": identity.pk,
    }
    assert client.post(url("consent", hanako), values).status_code == 302
    given = Consent.objects.get()
    assert (given.identity, given.is_granted, given.recorded_by) == (identity, True, responder)
    assert client.post(url("consent", hanako), values | {"is_granted": "no"}).status_code == 302
    assert Consent.objects.filter(is_granted=False).count() == 1
    assert "1 earlier statement" in text(client.get(url("contact", hanako)))


def test_a_consent_needs_its_source_and_an_account_of_the_contact(
    sign_in: SignIn, hanako: Contact, taro: Contact, responder: User
) -> None:
    values = {
        "purpose": "newsletter",
        "is_granted": "yes",
        "source": " ",
        "identity": taro.identities.get().pk,
    }
    response = sign_in(responder).post(url("consent", hanako), values)
    assert response.status_code == 422
    assert set(response.context["consent_form"].errors) == {"source", "identity"}
    assert not Consent.objects.exists()


# --- merging ----------------------------------------------------------------------------------


def test_people_who_are_called_alike_are_proposed(sign_in: SignIn, met: Meeting, responder: User) -> None:
    here = met("hanako.bsky.example", "Hanako M", platform="bluesky").contact
    there = met("hanako", "花ちゃん", platform="mastodon").contact
    met("taro")
    response = sign_in(responder).get(url("merge", here))
    assert [person.contact for person in response.context["found"]] == [there]


def test_the_search_offers_contacts_of_the_same_brand_alone(
    sign_in: SignIn, hanako: Contact, taro: Contact, met: Meeting, other_brand: Brand, responder: User
) -> None:
    met("taro", "山田 太郎", brand=other_brand)
    response = sign_in(responder).get(url("merge", hanako) + "?q=山田")
    assert [person.contact for person in response.context["found"]] == [taro]


def test_the_preview_says_what_moves(
    sign_in: SignIn, brand: Brand, met: Meeting, taro: Contact, responder: User
) -> None:
    hanako = met("hanako", "Hanako Mori")
    mark_stage(identity=taro.identities.get(), stage=Stage.CUSTOMER, now=NOW)
    tell(
        brand=brand,
        happened=[Happened(taro.identities.get().pk, ActivityKind.SALE, NOW, f"s:{n}") for n in range(3)],
    )
    response = sign_in(responder).get(f"{url('merge', hanako.contact)}?other={taro.pk}")
    shown = text(response)
    assert "1 account moves to Hanako Mori." in shown
    assert "3 lines of the timeline come along." in shown
    assert "The stage becomes the further of both: Customer." in shown
    assert Contact.objects.filter(merged_into__isnull=False).count() == 0


@pytest.mark.parametrize(
    ("target", "begins"),
    [
        ("contact-dialog", "<dialog"),
        ("merge-body", '<div id="merge-body">'),
        ("merge-found", '<div id="merge-found">'),
    ],
)
def test_each_part_of_the_dialog_can_be_asked_for(
    sign_in: SignIn, hanako: Contact, responder: User, target: str, begins: str
) -> None:
    headers = {"HX-Request": "true", "HX-Target": target}
    assert (
        sign_in(responder)
        .get(url("merge", hanako), headers=headers)
        .content.decode()
        .strip()
        .startswith(begins)
    )


def test_contacts_are_merged_and_taken_apart_on_the_page(
    sign_in: SignIn, hanako: Contact, taro: Contact, responder: User
) -> None:
    client = sign_in(responder)
    response = client.post(url("merge", hanako), {"other": taro.pk}, follow=True)
    assert "Merged." in text(response)
    taro.refresh_from_db()
    assert taro.merged_into == hanako
    ((row, _facts),) = response.context["merged"]
    assert row.contact == taro
    response = client.post(url("undo", taro), follow=True)
    assert response.redirect_chain == [(url("contact", taro), 302)]
    taro.refresh_from_db()
    assert taro.merged_into is None


def test_a_merge_over_brands_or_with_nobody_is_refused(
    sign_in: SignIn, hanako: Contact, met: Meeting, other_brand: Brand, responder: User
) -> None:
    client = sign_in(responder)
    tea = met("tea", brand=other_brand).contact
    response = client.post(url("merge", hanako), {"other": tea.pk})
    assert "different brands" in said(response)
    assert "itself" in said(client.post(url("merge", hanako), {"other": hanako.pk}))
    assert client.post(url("merge", hanako), {"other": "nonsense"}).status_code == 404
    assert client.get(f"{url('merge', hanako)}?other={tea.pk}").status_code == 404
    assert not Contact.objects.filter(merged_into__isnull=False).exists()


def test_facts_of_a_merged_contact_are_taken_over_one_by_one(
    sign_in: SignIn, hanako: Contact, taro: Contact, responder: User
) -> None:
    change_facts(contact=hanako, facts=Facts(notes="Ours"), actor=responder, now=NOW)
    theirs = Facts(email="t@example.com", phone="03", notes="Theirs")
    change_facts(contact=taro, facts=theirs, actor=responder, now=NOW)
    merge_contacts(into=hanako, other=taro, actor=responder, now=NOW)
    client = sign_in(responder)
    for field in ("email", "notes"):
        client.post(url("take_fact", hanako), {"merged": taro.pk, "field": field})
    hanako.refresh_from_db()
    assert Facts.of(hanako) == Facts(email="t@example.com", notes="Ours\n\nTheirs")
    assert client.post(url("take_fact", hanako), {"merged": taro.pk, "field": "stage"}).status_code == 404
    ((_row, facts),) = client.get(url("contact", hanako)).context["merged"]
    assert {field for field, _label, _value in facts} == {"phone", "notes"}


# --- erasing ----------------------------------------------------------------------------------


def test_only_owner_and_admin_erase(sign_in: SignIn, hanako: Contact, manager: User, admin: User) -> None:
    assert url("erase", hanako) not in sign_in(manager).get(url("contact", hanako)).content.decode()
    assert sign_in(manager).post(url("erase", hanako), {"name": "Hanako Mori"}).status_code == 403
    hanako.refresh_from_db()
    assert hanako.erased_at is None
    assert url("erase", hanako) in sign_in(admin).get(url("contact", hanako)).content.decode()


def test_erasing_needs_the_name(sign_in: SignIn, hanako: Contact, admin: User) -> None:
    client = sign_in(admin)
    assert client.post(url("erase", hanako), {"name": "Hanako"}).status_code == 422
    assert not Contact.objects.filter(erased_at__isnull=False).exists()
    response = client.post(url("erase", hanako), {"name": " hanako  MORI"}, follow=True)
    hanako.refresh_from_db()
    assert hanako.erased_at is not None
    assert "The personal data of this contact are gone." in text(response)
    assert "Hanako" not in text(response)


def test_an_erased_contact_only_shows_what_is_left(
    sign_in: SignIn, brand: Brand, met: Meeting, admin: User
) -> None:
    hanako = met("hanako", "Hanako Mori")
    tell(brand=brand, happened=[Happened(hanako.pk, ActivityKind.COMMENT, NOW, "m:1", summary="Lovely")])
    erase_contact(contact=hanako.contact, actor=admin, now=LATER)
    client = sign_in(admin)
    page = client.get(url("contact", hanako.contact))
    assert page.context["remains"].activities == ((ActivityKind.COMMENT, 1),)
    for name in ("facts", "merge", "erase", "contact_export"):
        assert client.get(url(name, hanako.contact))["Location"] == url("contact", hanako.contact)
    assert not AuditEntry.objects.filter(action="contact.exported").exists()


def test_the_part_of_an_erased_person_that_was_merged_leads_to_the_rest(
    sign_in: SignIn, hanako: Contact, taro: Contact, admin: User
) -> None:
    merge_contacts(into=hanako, other=taro, actor=admin, now=NOW)
    erase_contact(contact=hanako, actor=admin, now=LATER)
    assert sign_in(admin).get(url("contact", taro))["Location"] == url("contact", hanako)


# --- the slot beside the inbox ----------------------------------------------------------------


def test_the_pane_shows_who_somebody_is(sign_in: SignIn, brand: Brand, met: Meeting, responder: User) -> None:
    hanako = met("hanako", "Hanako Mori")
    consent(hanako.contact, responder, is_granted=True)
    happened = [
        Happened(
            hanako.pk,
            ActivityKind.COMMENT,
            NOW + dt.timedelta(minutes=n),
            f"m:{n}",
            summary=f"Words {n}",
        )
        for n in range(12)
    ]
    tell(brand=brand, happened=happened)
    path = reverse("audience:person_pane", args=[hanako.pk])
    response = sign_in(responder).get(path, headers={"HX-Request": "true"})
    assert len(response.context["lines"]) == 8
    shown = response.content.decode()
    assert shown.lstrip().startswith('<section class="person-pane"')
    for words in ("Hanako Mori", "@hanako", "Newsletter", "Words 11", url("contact", hanako.contact)):
        assert words in shown


def test_the_pane_is_empty_for_who_may_not_see_contacts(sign_in: SignIn, met: Meeting, creator: User) -> None:
    hanako = met("hanako", "Hanako Mori")
    response = sign_in(creator).get(
        reverse("audience:person_pane", args=[hanako.pk]), headers={"HX-Request": "true"}
    )
    assert response.status_code == 200
    assert response.content.strip() == b""


def test_the_pane_of_somebody_erased_has_no_name(sign_in: SignIn, met: Meeting, admin: User) -> None:
    hanako = met("hanako", "Hanako Mori")
    erase_contact(contact=hanako.contact, actor=admin, now=NOW)
    response = sign_in(admin).get(reverse("audience:person_pane", args=[hanako.pk]))
    assert "Hanako" not in text(response)
    assert "Erased" in text(response)


# --- names ------------------------------------------------------------------------------------


def test_a_contact_is_called_by_the_best_name_there_is(brand: Brand, met: Meeting, responder: User) -> None:
    def called(met: Met) -> str:
        return person_of(meet(brand=brand, met=met, now=NOW).contact).name

    assert called(Met("sandbox", "1", "hanako", "Hanako")) == "Hanako"
    assert called(Met("sandbox", "2", "hanako")) == "@hanako"
    assert called(Met("email", "h@example.com")) == "h@example.com"
    assert called(Met("sandbox", "3")) == "Somebody"
    named = met("4")
    change_facts(contact=named.contact, facts=Facts(name="Hana-chan"), actor=responder, now=NOW)
    assert person_of(Contact.objects.get(pk=named.contact_id)).name == "Hana-chan"


def test_every_account_shows_how_it_is_written(sign_in: SignIn, brand: Brand, responder: User) -> None:
    met = Met("email", "hanako@example.com", display_name="Hanako Mori")
    identity = meet(brand=brand, met=met, now=NOW)
    client = sign_in(responder)
    for path in (url("contact", identity.contact), reverse("audience:person_pane", args=[identity.pk])):
        assert "hanako@example.com" in text(client.get(path)), path
