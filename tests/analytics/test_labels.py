from __future__ import annotations

from analytics.labels import SOURCES
from metrics.registry import METRICS


def test_every_name_and_explanation_of_a_metric_can_be_translated() -> None:
    wanted = {text for m in METRICS for text in (m.label, m.description)}
    assert wanted == set(SOURCES)
