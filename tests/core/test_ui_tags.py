"""Icons, times, numbers and form fields as templates print them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import pytest
from django import forms
from django.template import Context, Template
from django.utils import translation

from core.templatetags import ui

UTC = dt.UTC


def render(source: str, **context: object) -> str:
    return Template("{% load ui %}" + source).render(Context(context))


# --- icons ------------------------------------------------------------------------------------


def test_an_icon_without_a_label_is_hidden_from_screen_readers() -> None:
    printed = render('{% icon "calendar" %}')
    assert 'aria-hidden="true"' in printed
    assert "dist/icons.svg#calendar" in printed


def test_an_icon_with_a_label_is_an_image_of_that_name() -> None:
    printed = render('{% icon "calendar" label=label %}', label='<"plan">')
    assert 'role="img" aria-label="&lt;&quot;plan&quot;&gt;"' in printed
    assert "aria-hidden" not in printed


@dataclass(frozen=True)
class Network:
    name: str = "Sandbox"
    color: str = "#0f766e"
    icon: str = "flask"


def test_a_networks_sign_says_its_name_unless_the_name_stands_beside_it() -> None:
    assert 'aria-label="Sandbox"' in render("{% platform_icon network %}", network=Network())
    assert 'aria-hidden="true"' in render('{% platform_icon network label="" %}', network=Network())


# --- times ------------------------------------------------------------------------------------


def test_a_time_is_shown_on_the_clock_of_the_zone_it_is_asked_for() -> None:
    at = dt.datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    with translation.override("en"):
        printed = render('{% when at "Asia/Tokyo" "short" %}', at=at)
    assert ">Sun 29 Mar, 08:30</time>" in printed
    assert 'datetime="2026-03-28T23:30:00+00:00"' in printed
    assert 'title="29 Mar 2026, 08:30:00 (Asia/Tokyo)"' in printed


def test_a_time_follows_summer_time() -> None:
    before, after = dt.datetime(2026, 3, 29, 0, 59, tzinfo=UTC), dt.datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert ui.format_time(before, "Europe/Berlin", "time") == "01:59"
    assert ui.format_time(after, "Europe/Berlin", "time") == "03:00"


def test_a_japanese_date_is_written_the_japanese_way() -> None:
    with translation.override("ja"):
        printed = ui.format_time(dt.datetime(2026, 11, 22, 0, 5, tzinfo=UTC), "Asia/Tokyo", "short")
    assert printed == "11月22日(日) 09:05"


def test_a_language_without_formats_of_its_own_gets_the_english_ones() -> None:
    with translation.override("de"):
        assert ui.format_time(dt.datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "UTC", "time") == "03:04"


def test_an_unknown_time_is_a_dash() -> None:
    assert render('{% when at "UTC" %}', at=None) == "–"


@pytest.mark.parametrize(
    ("zone", "at", "shown"),
    [
        ("Asia/Tokyo", dt.datetime(2026, 1, 1, tzinfo=UTC), "UTC+9"),
        ("America/St_Johns", dt.datetime(2026, 1, 1, tzinfo=UTC), "UTC−3:30"),
        ("America/St_Johns", dt.datetime(2026, 7, 1, tzinfo=UTC), "UTC−2:30"),
        ("UTC", dt.datetime(2026, 1, 1, tzinfo=UTC), "UTC"),
    ],
)
def test_the_offset_of_a_zone_depends_on_the_day(zone: str, at: dt.datetime, shown: str) -> None:
    assert ui.offset(zone, at) == shown


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (12480, "12,480"),
        (1234.56, "1,234.6"),
        (Decimal("1234.50"), "1,234.50"),
        (Decimal("12.5000"), "12.5"),
        (Decimal("100.0000"), "100"),
        (Decimal("0.3125"), "0.3125"),
        (None, "–"),
    ],
)
def test_numbers_are_grouped_and_the_unknown_is_no_zero(value: ui.Number | None, shown: str) -> None:
    with translation.override("en"):
        assert ui.number(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(0.12345, "12.3%"), (0.0005, "0.1%"), (0, "0.0%"), (12.5, "1,250.0%"), (None, "–")]
)
def test_a_share_is_shown_per_cent(share: float | None, shown: str) -> None:
    with translation.override("en"):
        assert ui.percent(share) == shown


@pytest.mark.parametrize(("value", "shown"), [(12, "+12"), (-3, "−3"), (0, "±0"), (None, "–")])
def test_a_difference_has_its_sign(value: int | None, shown: str) -> None:
    assert ui.signed(value) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Hana Sato", "HS"),
        ("hana@example.com", "HE"),
        ("山田 太郎", "山"),
        ("@kamo", "K"),
        ("…", "?"),
        ("", "?"),
    ],
)
def test_initials_suit_the_script(name: str, shown: str) -> None:
    assert ui.initials(name) == shown


def test_the_table_of_a_chart_has_one_row_per_label() -> None:
    chart = {
        "labels": ["Mon", "Tue"],
        "series": [{"name": "a", "values": [1, None]}, {"name": "b", "values": [3, 4]}],
    }
    assert list(ui.chart_rows(chart)) == [("Mon", (1, 3)), ("Tue", (None, 4))]


def test_the_table_of_a_chart_prints_dates_as_people_write_them() -> None:
    chart = {"labels": ["2026-11-05"], "series": [{"name": "a", "values": [1]}]}
    with translation.override("en"):
        assert list(ui.chart_rows(chart)) == [("5 Nov 2026", (1,))]
    with translation.override("ja"):
        assert list(ui.chart_rows(chart)) == [("2026年11月5日", (1,))]


# --- forms ------------------------------------------------------------------------------------


class Survey(forms.Form):
    email = forms.EmailField(
        help_text="We never show it.", widget=forms.EmailInput({"placeholder": "E-mail"})
    )
    note = forms.CharField(required=False, widget=forms.Textarea)
    agree = forms.BooleanField()
    tone = forms.ChoiceField(choices=[("a", "Calm"), ("b", "Loud")], widget=forms.RadioSelect)
    secret = forms.CharField(widget=forms.HiddenInput, initial="x")


def test_a_form_prints_every_field_with_its_label() -> None:
    printed = str(Survey())
    for label in (
        'for="id_email">Email',
        'for="id_note">Note',
        'for="id_agree">Agree',
        "<legend",
        'for="id_tone_0">Calm',
    ):
        assert label in printed
    assert '<input type="hidden" name="secret" value="x"' in printed


def test_a_field_names_its_help_and_its_error_for_screen_readers() -> None:
    form = Survey({"email": "no address"})
    printed = form["email"].as_field_group()
    assert 'aria-describedby="id_email_helptext id_email_error"' in printed
    assert 'aria-invalid="true"' in printed
    assert 'id="id_email_helptext"' in printed
    assert 'id="id_email_error"' in printed
    assert "Enter a valid email address." in printed


def test_only_what_may_stay_empty_is_marked() -> None:
    with translation.override("en"):
        form = Survey()
        assert "(optional)" in form["note"].as_field_group()
        assert "(optional)" not in form["email"].as_field_group()


def test_a_placeholder_does_not_repeat_the_label() -> None:
    assert 'placeholder=""' in render("{% render_field form.email %}", form=Survey())


def test_further_attributes_reach_the_widget() -> None:
    printed = render('{% render_field form.note data_autogrow=True css="big" %}', form=Survey())
    assert "data-autogrow" in printed
    assert 'class="form-control big"' in printed


def test_errors_of_the_whole_form_come_first() -> None:
    form = Survey({"email": "a@example.com", "agree": "on", "tone": "a", "secret": "x"})
    assert form.is_valid()
    form.add_error(None, "The two do not go together.")
    printed = str(form)
    assert printed.index("The two do not go together.") < printed.index("id_email")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "–"),
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (89, "1 min"),
        (90, "2 min"),
        (3599, "1 h"),
        (5400, "1 h 30 min"),
        (Decimal("12000.5"), "3 h 20 min"),
        (4_000_000, "1,111 h 7 min"),
    ],
)
def test_a_length_of_time_is_rounded_to_what_people_say(seconds: int | None, shown: str) -> None:
    assert ui.duration(seconds) == shown
