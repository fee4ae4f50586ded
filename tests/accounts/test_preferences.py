"""How people want to be told: kinds, the mail of the day, quiet hours, and the way out of every mail."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import re
import threading
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts import selectors
from accounts.models import (
    MailChoice,
    MailTimes,
    Notification,
    NotificationKind,
    NotificationPreference,
    Organization,
    User,
)
from accounts.news import OPTIONAL_IN_APP
from accounts.selectors import Wish
from accounts.services import mails
from accounts.services.mails import DIGEST, send_digest, send_mail_of, unsubscribe_token
from accounts.services.notifications import claim_digests, claim_mails, notify
from accounts.services.preferences import TimesFacts, save_preferences, stop_mails

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
LOST, JOINED = NotificationKind.ACCOUNT_LOST, NotificationKind.MEMBER_JOINED
TIMES = TimesFacts("Asia/Tokyo", dt.time(8), None, None)


def wish(user: User, kind: NotificationKind, choice: str, *, in_app: bool = True, **times: Any) -> None:
    facts = TimesFacts(**{name: getattr(TIMES, name) for name in TimesFacts.__dataclass_fields__} | times)
    save_preferences(user=user, wishes={kind: Wish(in_app, choice)}, times=facts)


def tell(organization: Organization, *users: User, kind: NotificationKind = LOST, key: str = "1") -> int:
    return notify(
        organization=organization,
        users=users,
        kind=kind,
        context={"account": "@harbour", "network": "Bluesky", "member": "Ren", "organization": "Harbour"},
        url="/accounts/1/",
        dedupe_key=f"{kind}:{key}",
        now=NOW,
    )


def send_all(now: dt.datetime) -> list[bool]:
    sent = [send_mail_of(notification_id=pk, now=now) for pk in claim_mails(now=now)]
    return sent + [send_digest(notification_ids=ids, now=now) for ids in claim_digests(now=now)]


# --- in the app and by mail -------------------------------------------------------------------


@pytest.mark.django_db
def test_whoever_never_said_is_told_in_the_app_and_by_mail_at_once(
    organization: Organization, owner: User
) -> None:
    assert set(selectors.wishes_by_kind(owner).values()) == {Wish(True, MailChoice.NOW)}
    tell(organization, owner)
    assert selectors.unread_count(owner) == 1
    assert send_all(NOW) == [True]


def test_never_by_mail_is_still_shown(organization: Organization, owner: User) -> None:
    wish(owner, LOST, MailChoice.NEVER)
    assert tell(organization, owner) == 1
    assert send_all(NOW + 48 * HOUR) == []
    assert selectors.unread_count(owner) == 1


def test_what_is_serious_is_shown_whatever_somebody_wishes(organization: Organization, owner: User) -> None:
    wish(owner, LOST, MailChoice.NEVER, in_app=False)
    NotificationPreference.objects.update(in_app=False)  # as an older version may have kept it
    tell(organization, owner)
    assert list(selectors.notifications_of(owner)) == [Notification.objects.get()]


def test_by_mail_alone_is_not_shown_and_not_counted(
    organization: Organization, owner: User, sign_in: Any
) -> None:
    wish(owner, JOINED, MailChoice.NOW, in_app=False)
    assert tell(organization, owner, kind=JOINED) == 1
    assert selectors.unread_count(owner) == 0
    assert list(selectors.notifications_of(owner)) == []
    assert "Ren joined" not in sign_in(owner).get(reverse("shell:notifications")).content.decode()
    assert send_all(NOW) == [True]


def test_neither_way_is_no_row_at_all(organization: Organization, owner: User, admin: User) -> None:
    wish(owner, JOINED, MailChoice.NEVER, in_app=False)
    assert tell(organization, owner, admin, kind=JOINED) == 1
    assert Notification.objects.get().user == admin


def test_a_wish_is_for_its_kind_and_its_person(organization: Organization, owner: User, admin: User) -> None:
    wish(owner, LOST, MailChoice.NEVER)
    tell(organization, owner, admin)
    tell(organization, owner, kind=JOINED)
    assert send_all(NOW) == [True, True]
    assert sorted(message.to[0] for message in mail.outbox) == [admin.email, owner.email]


def test_who_stops_a_kind_gets_no_mail_that_was_waiting(organization: Organization, owner: User) -> None:
    tell(organization, owner)
    (claimed,) = claim_mails(now=NOW)  # a worker has it in hand
    wish(owner, LOST, MailChoice.NEVER)
    assert send_mail_of(notification_id=claimed, now=NOW) is False
    assert mail.outbox == []
    assert claim_mails(now=NOW + 24 * HOUR) == []


# --- the mail of the day ----------------------------------------------------------------------


def test_news_of_a_day_comes_in_one_mail_at_the_time_of_the_person(
    organization: Organization, owner: User
) -> None:
    wish(owner, LOST, MailChoice.DAILY)  # 8:00 in Tokyo is 23:00 UTC
    tell(organization, owner, key="1")
    tell(organization, owner, key="2")
    assert send_all(NOW.replace(hour=22, minute=59)) == []
    assert send_all(NOW.replace(hour=23)) == [True]
    assert send_all(NOW + 24 * HOUR) == []
    (message,) = mail.outbox
    assert message.body.count("Bluesky no longer accepts our connection to @harbour") == 2
    assert message.body.count("/accounts/1/") == 2
    assert message.subject == "2 notifications of the day"
    assert selectors.unread_count(owner) == 2
    assert Notification.objects.filter(mailed_at=NOW.replace(hour=23)).count() == 2


def test_each_person_has_a_mail_of_their_own(organization: Organization, owner: User, admin: User) -> None:
    wish(owner, LOST, MailChoice.DAILY)
    wish(admin, LOST, MailChoice.DAILY)
    tell(organization, owner, admin)
    assert send_all(NOW + 24 * HOUR) == [True, True]
    assert {message.to[0] for message in mail.outbox} == {owner.email, admin.email}


def test_a_long_day_names_the_first_and_counts_the_rest(organization: Organization, owner: User) -> None:
    wish(owner, LOST, MailChoice.DAILY)
    for number in range(mails.DIGEST_LINES + 3):
        tell(organization, owner, key=str(number))
    assert send_all(NOW + 24 * HOUR) == [True]
    assert mail.outbox[0].body.count("@harbour") == mails.DIGEST_LINES
    assert "3 more stand in the app" in mail.outbox[0].body


def test_kinds_that_were_stopped_meanwhile_are_left_out(organization: Organization, owner: User) -> None:
    for kind in (LOST, JOINED):
        wish(owner, kind, MailChoice.DAILY)
        tell(organization, owner, kind=kind)
    ((*claimed,),) = claim_digests(now=NOW + 24 * HOUR)
    wish(owner, JOINED, MailChoice.NEVER)
    assert send_digest(notification_ids=claimed, now=NOW + 24 * HOUR)
    assert "Ren joined" not in mail.outbox[0].body
    assert not Notification.objects.filter(mail_at__isnull=False).exists()


def test_a_mail_of_the_day_that_fails_is_tried_again_as_a_whole(
    organization: Organization, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any) -> None:
        raise ConnectionRefusedError

    wish(owner, LOST, MailChoice.DAILY)
    tell(organization, owner, key="1")
    tell(organization, owner, key="2")
    later = NOW + 24 * HOUR
    with monkeypatch.context() as down:
        down.setattr(mails, "_post", refuse)
        assert send_all(later) == [False]
    assert send_all(later) == []
    assert send_all(later + dt.timedelta(minutes=5)) == [True]
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_two_ticks_never_make_two_mails_of_one_day(organization: Organization, owner: User) -> None:
    wish(owner, LOST, MailChoice.DAILY)
    for key in "12":
        tell(organization, owner, key=key)
    other: list[Any] = []

    def claim_elsewhere() -> None:
        other.extend(claim_digests(now=NOW + 24 * HOUR))
        connection.close()

    with transaction.atomic():
        mine = claim_digests(now=NOW + 24 * HOUR)
        thread = threading.Thread(target=claim_elsewhere)
        thread.start()
        thread.join()
    assert [len(ids) for ids in mine] == [2]
    assert other == []


@pytest.mark.parametrize(
    ("zone", "at", "now", "then"),
    [
        ("UTC", "08:00", "2026-11-22T07:59Z", "2026-11-22T08:00Z"),
        ("UTC", "08:00", "2026-11-22T08:00Z", "2026-11-23T08:00Z"),
        # Berlin puts its clocks forward over 2:30: the mail comes when the gap ends.
        ("Europe/Berlin", "02:30", "2026-03-28T22:00Z", "2026-03-29T01:00Z"),
        # It puts them back: 2:30 comes twice, the mail once.
        ("Europe/Berlin", "02:30", "2026-10-24T22:00Z", "2026-10-25T00:30Z"),
        ("Europe/Berlin", "02:30", "2026-10-25T00:30Z", "2026-10-26T01:30Z"),
        ("Australia/Lord_Howe", "08:00", "2026-01-01T00:00Z", "2026-01-01T21:00Z"),
    ],
)
def test_the_next_mail_of_the_day_is_at_a_wall_time(zone: str, at: str, now: str, then: str) -> None:
    times = MailTimes(timezone=zone, digest_at=dt.time.fromisoformat(at))
    assert times.next_digest(dt.datetime.fromisoformat(now)) == dt.datetime.fromisoformat(then)


# --- quiet hours ------------------------------------------------------------------------------


def test_mails_at_once_wait_for_the_end_of_quiet_hours(organization: Organization, owner: User) -> None:
    # 17:00 to 21:00 in Tokyo is 8:00 to 12:00 UTC.
    wish(owner, LOST, MailChoice.NOW, quiet_from=dt.time(17), quiet_until=dt.time(21))
    tell(organization, owner)
    assert selectors.unread_count(owner) == 1
    assert send_all(NOW) == [False]
    assert send_all(NOW.replace(hour=11, minute=59)) == []
    assert send_all(NOW.replace(hour=12)) == [True]
    assert len(mail.outbox) == 1
    assert Notification.objects.get().mail_failures == 0


@pytest.mark.parametrize(
    ("begins", "ends", "now", "until"),
    [
        ("22:00", "07:00", "2026-11-22T21:59", None),
        ("22:00", "07:00", "2026-11-22T22:00", "2026-11-23T07:00"),
        ("22:00", "07:00", "2026-11-23T06:59", "2026-11-23T07:00"),
        ("22:00", "07:00", "2026-11-23T07:00", None),
        ("12:00", "13:00", "2026-11-22T12:30", "2026-11-22T13:00"),
        ("12:00", "13:00", "2026-11-22T13:00", None),
    ],
)
def test_quiet_hours_may_go_over_midnight(begins: str, ends: str, now: str, until: str | None) -> None:
    times = MailTimes(quiet_from=dt.time.fromisoformat(begins), quiet_until=dt.time.fromisoformat(ends))
    end = times.quiet_end(dt.datetime.fromisoformat(now + "+00:00"))
    assert end == (dt.datetime.fromisoformat(until + "+00:00") if until else None)


CLOCKS = st.integers(0, 24 * 60 - 1).map(lambda minute: dt.time(*divmod(minute, 60)))


@given(
    zone=st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    minutes=st.integers(0, 2 * 366 * 24 * 60),
    begins=CLOCKS,
    ends=CLOCKS,
)
def test_quiet_hours_end_soon_and_never_in_the_past(
    zone: str, minutes: int, begins: dt.time, ends: dt.time
) -> None:
    now = NOW + dt.timedelta(minutes=minutes)
    times = MailTimes(timezone=zone, quiet_from=begins, quiet_until=ends, digest_at=begins)
    end = times.quiet_end(now)
    assert end is None or now < end <= now + dt.timedelta(hours=25)
    assert now < times.next_digest(now) <= now + dt.timedelta(hours=26)


def test_quiet_hours_have_two_ends_in_the_database_too(owner: User) -> None:
    for ends in ((dt.time(22), None), (None, dt.time(7)), (dt.time(7), dt.time(7))):
        with pytest.raises(IntegrityError), transaction.atomic():
            MailTimes.objects.create(user=owner, quiet_from=ends[0], quiet_until=ends[1])


# --- the way out ------------------------------------------------------------------------------


def link_in(message: Any) -> str:
    raw = email.message_from_bytes(message.message().as_bytes(), policy=email.policy.default)
    assert raw["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    (link,) = re.fullmatch(r"<(https?://\S+)>", str(raw["List-Unsubscribe"]).strip()).groups()  # type: ignore[union-attr]
    return str(link)


def path_in(message: Any) -> str:
    return "/" + link_in(message).split("/", 3)[3]


def test_one_click_stops_one_kind_without_signing_in(
    organization: Organization, owner: User, admin: User
) -> None:
    tell(organization, owner)
    send_all(NOW)
    assert link_in(mail.outbox[0]) in mail.outbox[0].body
    # As mail programs do it: no cookie, no token of a form.
    client = Client(enforce_csrf_checks=True)
    answer = client.post(path_in(mail.outbox[0]), {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert selectors.wishes_by_kind(owner)[LOST] == Wish(True, MailChoice.NEVER)
    assert selectors.wishes_by_kind(owner)[JOINED] == Wish(True, MailChoice.NOW)
    assert selectors.wishes_by_kind(admin)[LOST] == Wish(True, MailChoice.NOW)
    tell(organization, owner, key="2")
    assert send_all(NOW) == []
    assert selectors.unread_count(owner) == 2


def test_opening_the_link_asks_and_changes_nothing(organization: Organization, owner: User) -> None:
    tell(organization, owner)
    send_all(NOW)
    page = Client().get(path_in(mail.outbox[0]))
    assert "Stop these mails?" in page.content.decode()
    assert not NotificationPreference.objects.exists()


def test_the_link_of_a_mail_of_the_day_stops_what_came_with_it(
    organization: Organization, owner: User
) -> None:
    wish(owner, LOST, MailChoice.DAILY)
    tell(organization, owner)
    send_all(NOW + 24 * HOUR)
    tell(organization, owner, key="waits")
    Client().post(path_in(mail.outbox[0]))
    assert selectors.wishes_by_kind(owner)[LOST].mail == MailChoice.NEVER
    assert selectors.wishes_by_kind(owner)[JOINED].mail == MailChoice.NOW
    assert send_all(NOW + 72 * HOUR) == []


def test_stopping_keeps_what_is_chosen_for_the_app(owner: User) -> None:
    wish(owner, JOINED, MailChoice.NOW, in_app=False)
    stop_mails(user=owner, stops=JOINED)
    assert selectors.wishes_by_kind(owner)[JOINED] == Wish(False, MailChoice.NEVER)


@pytest.mark.parametrize("change", ["x", "", "a:b:c"])
def test_a_link_that_is_not_ours_stops_nothing(owner: User, change: str) -> None:
    token = unsubscribe_token(owner, LOST)[:-2] + change if change else unsubscribe_token(owner, "nonsense")
    answer = Client().post(reverse("accounts:unsubscribe", args=[token]))
    assert answer.status_code == 404
    assert not NotificationPreference.objects.exists()


def test_a_link_of_somebody_who_is_gone_says_so(owner: User) -> None:
    path = reverse("accounts:unsubscribe", args=[unsubscribe_token(owner, DIGEST)])
    owner.delete()
    assert Client().post(path).status_code == 404


# --- the page ---------------------------------------------------------------------------------


def entered(**changes: Any) -> dict[str, Any]:
    chosen: dict[str, Any] = {"timezone": "tokyo", "digest_at": "07:30", "quiet_from": "", "quiet_until": ""}
    for kind in NotificationKind:
        chosen[f"mail-{kind}"] = MailChoice.NOW
    for kind in OPTIONAL_IN_APP:
        chosen[f"app-{kind}"] = "on"
    return {name: value for name, value in (chosen | changes).items() if value is not None}


def test_the_page_keeps_what_is_chosen(sign_in: Any, viewer: User) -> None:
    client, page = sign_in(viewer), reverse("accounts:notification_preferences")
    chosen = entered(
        **{f"mail-{LOST}": "daily", f"app-{JOINED}": None, "quiet_from": "22:00", "quiet_until": "07:00"}
    )
    assert client.post(page, chosen).status_code == 302
    wishes = selectors.wishes_by_kind(viewer)
    assert wishes[LOST] == Wish(True, MailChoice.DAILY)
    assert wishes[JOINED] == Wish(False, MailChoice.NOW)
    times = MailTimes.objects.get(user=viewer)
    assert (times.timezone, times.digest_at) == ("Asia/Tokyo", dt.time(7, 30))
    assert (times.quiet_from, times.quiet_until) == (dt.time(22), dt.time(7))
    form = client.get(page).context["form"]
    assert form.initial[f"mail-{LOST}"] == "daily"
    assert form.initial["quiet_from"] == "22:00"


def test_the_page_offers_the_zone_of_the_brand_first(sign_in: Any, viewer: User, brand: Any) -> None:
    form = sign_in(viewer).get(reverse("accounts:notification_preferences")).context["form"]
    assert form.initial["timezone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("timezone", "Atlantis"),
        ("digest_at", ""),
        ("digest_at", "25:00"),
        ("quiet_until", {"quiet_from": "22:00"}),
        ("quiet_from", {"quiet_until": "22:00"}),
        ("quiet_until", {"quiet_from": "22:00", "quiet_until": "22:00"}),
        (f"mail-{LOST}", "sometimes"),
        (f"mail-{LOST}", None),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(sign_in: Any, viewer: User, field: str, given: Any) -> None:
    changes = given if isinstance(given, dict) else {field: given}
    answer = sign_in(viewer).post(reverse("accounts:notification_preferences"), entered(**changes))
    assert answer.status_code == 200
    assert field in answer.context["form"].errors
    assert not NotificationPreference.objects.exists()
    assert not MailTimes.objects.exists()


def test_the_page_has_no_box_for_what_is_always_shown(sign_in: Any, viewer: User) -> None:
    text = sign_in(viewer).get(reverse("accounts:notification_preferences")).content.decode()
    assert f'name="app-{JOINED}"' in text
    assert f'name="app-{LOST}"' not in text
    sign_in(viewer).post(reverse("accounts:notification_preferences"), entered(**{f"app-{LOST}": None}))
    assert selectors.wishes_by_kind(viewer)[LOST].in_app
