from __future__ import annotations

import pytest

from accounts.metric_wording import (
    SOURCES,
    layer_words,
    metric_description,
    metric_label,
    metric_left_out,
    metric_short,
    metric_side_words,
    unit_words,
)
from metrics.registry import METRICS, Side, Unit, UnknownMetric


def test_every_word_of_a_metric_can_be_translated() -> None:
    known = {m.key for m in METRICS}
    wanted = {text for m in METRICS for text in (m.label, m.short, m.description, m.left_out) if text}
    wanted |= {side for m in METRICS for side in (m.numerator, m.denominator) if side and side not in known}
    assert wanted == set(SOURCES)


def test_every_unit_and_side_has_a_word() -> None:
    assert all(unit_words(unit) for unit in Unit)
    assert [layer_words(side) for side in Side] == ["Operations", "Marketing"]


def test_words_are_found_by_key_and_by_definition() -> None:
    assert metric_label("cpl") == "Cost per lead (CPL)"
    assert metric_description("cpl", 1) == "Spend divided by leads."
    assert metric_left_out("cpl") == "Costs that nobody entered."
    assert metric_left_out("posts") == ""
    assert (metric_short("cpl"), metric_short("leads")) == ("CPL", "Leads")
    with pytest.raises(UnknownMetric):
        metric_label("luck")


def test_a_side_of_a_ratio_is_named_by_its_metric_or_by_its_own_words() -> None:
    assert metric_side_words("spend") == "Spend"
    assert metric_side_words("weeks") == "weeks"
    assert metric_side_words("") == ""
