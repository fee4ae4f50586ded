from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from metrics.document import markdown
from metrics.registry import METRICS, Kind, UnknownMetric, latest, metric

ROOT = Path(__file__).resolve().parents[2]


def test_a_key_and_version_stand_for_one_definition() -> None:
    names = [(m.key, m.version) for m in METRICS]
    assert len(names) == len(set(names))


def test_a_definition_cannot_be_changed_in_place() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        metric("likes").version = 2  # type: ignore[misc]


def test_the_newest_version_is_given_unless_one_is_named() -> None:
    assert metric("engagements") is metric("engagements", 1)
    with pytest.raises(UnknownMetric):
        metric("engagements", 99)
    with pytest.raises(UnknownMetric):
        metric("luck")


def test_only_ratios_have_a_numerator_and_a_denominator() -> None:
    for m in METRICS:
        assert (m.kind is Kind.RATIO) == bool(m.numerator) == bool(m.denominator), m.key


def test_ratios_and_levels_are_never_summed() -> None:
    assert not [m.key for m in METRICS if m.is_additive and m.kind is not Kind.FLOW]


def test_the_name_of_an_engagement_rate_says_its_denominator() -> None:
    rates = [m for m in METRICS if m.key.startswith("engagement_rate")]
    assert len(rates) == 3
    for m in rates:
        assert " by " in m.label
        assert "_by_" in m.key


def test_parts_of_a_sum_are_metrics_themselves() -> None:
    known = {m.key for m in METRICS}
    for m in METRICS:
        assert set(m.parts) <= known


def test_latest_names_every_key_once() -> None:
    assert sorted(m.key for m in latest()) == sorted({m.key for m in METRICS})


def test_the_document_is_current() -> None:
    document = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert document == markdown(), "run: python -m metrics > docs/metrics.md"
