"""The goals of the Tokyo brand, and what is believed to drive what."""

from __future__ import annotations

from analytics.models import Evidence
from metrics.goals import GoalKind
from smmapp.demo.plan import DemoDriver, DemoGoal

SHOP = 0
KENJI, YUI, MARCO = "kenji@example.com", "yui@example.com", "marco@example.com"

GOALS = (
    # Worked example 1: 4,200 followers, 1,000 more in 30 days, today is day 10 at about 4,500.
    DemoGoal(
        "followers",
        "1か月でフォロワーを1,000人増やす",
        GoalKind.DELTA,
        "followers",
        -9,
        30,
        "1000",
        on=SHOP,
        owner=KENJI,
    ),
    DemoGoal(
        "posts",
        "店のアカウントで週5回投稿する",
        GoalKind.RATIO,
        "posting_frequency",
        -9,
        30,
        "5",
        on=SHOP,
        owner=KENJI,
    ),
    DemoGoal(
        "answers",
        "問い合わせに90分以内で答える（中央値）",
        GoalKind.AT_MOST,
        "response_time_median",
        -44,
        90,
        "5400",
        owner=YUI,
    ),
    # Worked example 2: 1,000 leads from social in three months, a tenth of them become customers.
    DemoGoal(
        "clicks",
        "ギフト定期便のリンクを5,600回開いてもらう",
        GoalKind.CUMULATIVE,
        "clicks",
        -44,
        90,
        "5600",
        campaign="gift",
        owner=MARCO,
    ),
    DemoGoal(
        "leads",
        "SNSから3か月で1,000件のリード",
        GoalKind.CUMULATIVE,
        "leads",
        -44,
        90,
        "1000",
        campaign="gift",
        owner=MARCO,
    ),
    DemoGoal(
        "customers",
        "リードの1割が顧客になる",
        GoalKind.RATIO,
        "lead_to_customer_rate",
        -44,
        90,
        "0.10",
        campaign="gift",
        owner=MARCO,
    ),
    DemoGoal(
        "revenue",
        "ギフト定期便で480万円を売り上げる",
        GoalKind.CUMULATIVE,
        "revenue",
        -44,
        90,
        "4800000",
        campaign="gift",
        owner=MARCO,
    ),
    DemoGoal(
        "first",
        "はじめての定期便：40日で140件の成約",
        GoalKind.CUMULATIVE,
        "sales",
        -160,
        40,
        "140",
        campaign="first",
        owner=MARCO,
    ),
)

DRIVERS = (
    DemoDriver(
        "posts",
        "followers",
        "32",
        Evidence.CORRELATION,
        "投稿の多い週ほどフォロワーが増えている（過去6か月）。",
    ),
    DemoDriver(
        "followers",
        "clicks",
        "1.4",
        Evidence.ASSUMPTION,
        "新しいフォロワーの半分が、月に3回ほどリンクを開くと見込む。",
    ),
    DemoDriver(
        "answers",
        "leads",
        "",
        Evidence.ASSUMPTION,
        "早く答えた会話ほど資料請求につながる、という感触。率はまだ決めない。",
    ),
    DemoDriver(
        "clicks",
        "leads",
        "0.18",
        Evidence.EXPERIMENT,
        "申し込みページの2案を2週間ずつ試した。質問を6つに減らした案で18%。",
    ),
    DemoDriver(
        "leads",
        "customers",
        "0.10",
        Evidence.ASSUMPTION,
        "「はじめての定期便」では25%だったが、贈り物は検討が長い。",
    ),
    DemoDriver("customers", "revenue", "48000", Evidence.CORRELATION, "これまでの平均単価。"),
)
