"""The goals of the Berlin brand, and what is believed to drive what."""

from __future__ import annotations

from analytics.models import Evidence
from metrics.goals import GoalKind
from smmapp.demo.plan import DemoDriver, DemoGoal

WORKSHOP = 1
HANA, KENJI, SOFIA, MARCO = "demo@example.com", "kenji@example.com", "sofia@example.com", "marco@example.com"

GOALS = (
    # Worked example 3: 15 % more conversions than in the three months before, which is 460 after 400.
    DemoGoal(
        "conversions",
        "+15 % conversions from social campaigns",
        GoalKind.PERCENT_CHANGE,
        "conversions",
        -44,
        90,
        "15",
        owner=MARCO,
    ),
    DemoGoal(
        "posts",
        "Three posts a week from the workshop",
        GoalKind.RATIO,
        "posting_frequency",
        -44,
        90,
        "3",
        on=WORKSHOP,
        owner=SOFIA,
    ),
    DemoGoal("answers", "Answer nine in ten", GoalKind.RATIO, "response_rate", -44, 90, "0.9", owner=HANA),
    DemoGoal(
        "clicks",
        "1,900 clicks for the repair campaign",
        GoalKind.CUMULATIVE,
        "clicks",
        -44,
        90,
        "1900",
        campaign="repair",
        owner=MARCO,
    ),
    DemoGoal(
        "revenue",
        "10,000 € from repairs, kits and vouchers",
        GoalKind.CUMULATIVE,
        "revenue",
        -44,
        90,
        "10000",
        campaign="repair",
        owner=MARCO,
    ),
    DemoGoal(
        "spend",
        "Keep the campaign within 9,000 €",
        GoalKind.AT_MOST,
        "spend",
        -44,
        90,
        "9000",
        campaign="repair",
        owner=KENJI,
    ),
)

DRIVERS = (
    DemoDriver(
        "posts",
        "clicks",
        "60",
        Evidence.CORRELATION,
        "Weeks with two workshop posts had about 120 clicks.",
    ),
    DemoDriver(
        "answers",
        "conversions",
        "",
        Evidence.ASSUMPTION,
        "Somebody who got a price within the day books. No rate yet.",
    ),
    DemoDriver(
        "clicks",
        "conversions",
        "0.25",
        Evidence.EXPERIMENT,
        "Booking form with the price first against price last, two weeks each: 25 % against 17 %.",
    ),
    DemoDriver(
        "conversions",
        "revenue",
        "22",
        Evidence.ASSUMPTION,
        "A booking that becomes a paid repair, averaged over both.",
    ),
)
