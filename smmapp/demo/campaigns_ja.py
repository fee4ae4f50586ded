"""The campaigns of the Tokyo brand: one that runs, one that is over, one to come."""

from __future__ import annotations

from campaigns.models import CostKind, Objective
from smmapp.demo.plan import DemoCampaign, DemoLink, MediaCost, PlannedCost, Results, SpentCost

SHOP, ONLINE = 0, 1
SITE = "https://aozora-coffee.example"

CAMPAIGNS = (
    # Today is day 45 of 90: about 430 of 1,000 leads, about a tenth of them customers at about ¥48,000.
    DemoCampaign(
        key="gift",
        name="ギフト定期便",
        code="gift-teikibin",
        objective=Objective.LEADS,
        first=-44,
        days=90,
        margin="0.5",
        notes="資料請求と診断をリードとして数えます。1,000件のうち1割の成約が目標。法人は佐藤さんがDMで対応。",
        targets={"leads": "1000", "customers": "100", "revenue": "4800000"},
        budget=(
            PlannedCost(CostKind.MEDIA, "SNS広告", "1350000"),
            PlannedCost(CostKind.PRODUCTION, "撮影とカードの制作", "400000"),
            PlannedCost(CostKind.LABOUR, "運用とDM対応", hours="120", rate="3500"),
            PlannedCost(CostKind.AGENCY, "広告運用の代行", "480000"),
            PlannedCost(CostKind.INFLUENCER, "コーヒー好きの紹介者3名", "350000"),
        ),
        spent=(
            SpentCost("撮影とカードの制作", 1, "198000", note="商品撮影"),
            SpentCost("撮影とカードの制作", 12, "82500", note="カードの印刷"),
            SpentCost("運用とDM対応", 4, hours="14", note="1週目"),
            SpentCost("運用とDM対応", 11, hours="10.5", note="2週目"),
            SpentCost("運用とDM対応", 18, hours="9", note="3週目"),
            SpentCost("運用とDM対応", 25, hours="10", note="4週目"),
            SpentCost("運用とDM対応", 32, hours="9.5", note="5週目"),
            SpentCost("運用とDM対応", 39, hours="9", note="6週目"),
            SpentCost("広告運用の代行", 29, "160000", note="1か月目の請求"),
            SpentCost("コーヒー好きの紹介者3名", 16, "120000", note="みきさん", platform="bluesky"),
            SpentCost("コーヒー好きの紹介者3名", 34, "60000", note="豆と暮らす", platform="mastodon"),
        ),
        media=MediaCost("SNS広告", "14950", "広告費_ギフト定期便_{month}.csv", "cp932"),
        links=(
            DemoLink("profile", f"{SITE}/gift", 4.0, on=ONLINE),
            DemoLink("profile-shop", f"{SITE}/gift", 2.0, on=SHOP),
            DemoLink("miki", f"{SITE}/gift/shindan", 3.0, platform="bluesky"),
            DemoLink("mame-to-kurasu", f"{SITE}/gift/guide", 2.0, platform="mastodon"),
            DemoLink("mail-magazine", f"{SITE}/gift", 2.2),
        ),
        results=Results(
            clicks=2450,
            leads=430,
            from_leads=42,
            prices=(("22200", 12), ("43200", 21), ("68400", 6), ("136800", 3)),
            refunds=(("22200", "1"), ("43200", "0.5")),
            numbers="G",
        ),
    ),
    DemoCampaign(
        key="first",
        name="はじめての定期便",
        code="hajimete-teikibin",
        objective=Objective.SALES,
        first=-160,
        days=40,
        margin="0.45",
        notes="初回の送料を無料に。目標の成約140件は達成。次は贈り物の需要を試す。",
        targets={"leads": "300", "sales": "140"},
        budget=(
            PlannedCost(CostKind.MEDIA, "SNS広告", "380000"),
            PlannedCost(CostKind.PRODUCTION, "撮影", "120000"),
            PlannedCost(CostKind.LABOUR, "運用", hours="60", rate="3500"),
            PlannedCost(CostKind.TOOL, "フォームの利用料", "30000"),
            PlannedCost(CostKind.INFLUENCER, "紹介者", "60000"),
        ),
        spent=(
            SpentCost("撮影", 0, "118800", note="定期便の箱と豆"),
            SpentCost("フォームの利用料", 0, "30000"),
            SpentCost("運用", 6, hours="16"),
            SpentCost("運用", 13, hours="12"),
            SpentCost("運用", 20, hours="11"),
            SpentCost("運用", 27, hours="10"),
            SpentCost("運用", 36, hours="9"),
            SpentCost("紹介者", 15, "55000", note="友の喫茶", platform="mastodon"),
        ),
        media=MediaCost("SNS広告", "9300", "広告費_定期便_{month}.csv", "cp932"),
        links=(
            DemoLink("profile", f"{SITE}/teikibin", 3.0, on=ONLINE),
            DemoLink("mail-magazine", f"{SITE}/teikibin", 1.5),
            DemoLink("tomo-no-kissa", f"{SITE}/teikibin", 1.5, platform="mastodon"),
        ),
        results=Results(
            clicks=1150,
            leads=340,
            from_leads=86,
            prices=(("3980", 45), ("5980", 59), ("11940", 44)),
            refunds=(("3980", "1"), ("5980", "1"), ("11940", "0.5")),
            numbers="T",
        ),
    ),
    DemoCampaign(
        key="morning",
        name="朝の一杯",
        code="asa-no-ippai",
        objective=Objective.AWARENESS,
        first=20,
        days=30,
        margin="0.6",
        notes="朝の来店を増やす。店のアカウントを中心に、写真と短い文で。",
        targets={"impressions": "200000", "clicks": "1500"},
        budget=(
            PlannedCost(CostKind.MEDIA, "SNS広告（近隣）", "250000"),
            PlannedCost(CostKind.PRODUCTION, "朝の撮影", "90000"),
            PlannedCost(CostKind.LABOUR, "運用", hours="40", rate="3500"),
        ),
    ),
)

# Links that belong to no campaign.
LINKS = (
    DemoLink("profile", SITE, 3.0, on=SHOP),
    DemoLink("shop-card", f"{SITE}/access", 1.0),
)
LONE_CLICKS = 900

# Who of those that wrote became a lead of which campaign, and how they are known there.
KNOWN_LEADS = {
    "gift": (
        ("中村 優子", "nakamura.yuko@mail.example"),
        ("森田 里香", "rika.morita@post.example"),
        ("ことり", "kotori@inbox.example"),
        ("陽菜", "hina@mail.example"),
        ("田口", "taguchi@taguchi-shoji.example"),
        ("ゆず", "yuzu@post.example"),
        ("佐々木", "sasaki.k@mail.example"),
        ("Kaori", "kaori@inbox.example"),
    ),
    "first": (
        ("さくら", "sakura@mail.example"),
        ("小林 誠", "makoto.kobayashi@post.example"),
        ("佐々木", "sasaki.k@mail.example"),
        ("nao", "nao@inbox.example"),
        ("はる", "haru@mail.example"),
        ("中村 優子", "nakamura.yuko@mail.example"),
    ),
}
