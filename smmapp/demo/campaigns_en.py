"""The campaigns of the Berlin brand: one that runs, and the one in the three months before."""

from __future__ import annotations

from campaigns.models import CostKind, Objective
from smmapp.demo.plan import DemoCampaign, DemoLink, MediaCost, PlannedCost, Results, SpentCost

SHOP, WORKSHOP = 0, 1
SITE = "https://nordlicht-outdoor.example"

CAMPAIGNS = (
    # Today is day 45 of 90: 219 conversions on the way to 460, which is 15 % more than in the 90 days before.
    DemoCampaign(
        key="repair",
        name="Repair, don't replace",
        code="repair-dont-replace",
        objective=Objective.SALES,
        first=-44,
        days=90,
        margin="0.42",
        notes="A booked repair counts as a lead, a paid one (or a voucher, or a kit) as a sale.",
        targets={"conversions": "460", "revenue": "10000"},
        budget=(
            PlannedCost(CostKind.MEDIA, "Social ads", "4500"),
            PlannedCost(CostKind.PRODUCTION, "Pictures and the leaflet", "800"),
            PlannedCost(CostKind.LABOUR, "Posts and answers", hours="75", rate="28"),
            PlannedCost(CostKind.AGENCY, "Ad management", "1000"),
            PlannedCost(CostKind.INFLUENCER, "Two hikers with a blog", "600"),
        ),
        spent=(
            SpentCost("Pictures and the leaflet", 0, "540", note="Photographer, one day"),
            SpentCost("Pictures and the leaflet", 19, "238.40", note="Printing"),
            SpentCost("Posts and answers", 6, hours="7.5"),
            SpentCost("Posts and answers", 13, hours="6"),
            SpentCost("Posts and answers", 20, hours="6.5"),
            SpentCost("Posts and answers", 27, hours="5"),
            SpentCost("Posts and answers", 34, hours="6"),
            SpentCost("Posts and answers", 41, hours="5.5"),
            SpentCost("Two hikers with a blog", 10, "300", note="Wanderlena", platform="mastodon"),
        ),
        media=MediaCost("Social ads", "48.20", "ads-repair-{month}.csv", "utf-8-sig"),
        links=(
            DemoLink("profile", f"{SITE}/repair", 3.0, on=WORKSHOP),
            DemoLink("profile-shop", f"{SITE}/repair", 2.0, on=SHOP),
            DemoLink("wanderlena", f"{SITE}/repair/book", 2.5, platform="mastodon"),
            DemoLink("newsletter", f"{SITE}/repair", 2.0),
        ),
        results=Results(
            clicks=900,
            leads=138,
            from_leads=58,
            prices=(("18", 22), ("24", 14), ("65", 21), ("90", 16), ("120", 8)),
            refunds=(("24", "1"), ("65", "1")),
            numbers="R",
        ),
    ),
    DemoCampaign(
        key="light",
        name="Pack light",
        code="pack-light",
        objective=Objective.SALES,
        first=-134,
        days=90,
        margin="0.42",
        notes="The kit of eleven things. 400 conversions: the mark for the campaign that follows.",
        targets={"conversions": "380", "revenue": "18000"},
        budget=(
            PlannedCost(CostKind.MEDIA, "Social ads", "4200"),
            PlannedCost(CostKind.PRODUCTION, "Pictures on the trail", "900"),
            PlannedCost(CostKind.LABOUR, "Posts and answers", hours="60", rate="28"),
            PlannedCost(CostKind.TOOL, "Form for the packing list", "120"),
            PlannedCost(CostKind.AGENCY, "Ad management", "1000"),
            PlannedCost(CostKind.INFLUENCER, "A hiker with a blog", "500"),
        ),
        spent=(
            SpentCost("Pictures on the trail", 2, "884"),
            SpentCost("Form for the packing list", 0, "120"),
            SpentCost("Posts and answers", 12, hours="13"),
            SpentCost("Posts and answers", 30, hours="14.5"),
            SpentCost("Posts and answers", 55, hours="15"),
            SpentCost("Posts and answers", 82, hours="14"),
            SpentCost("Ad management", 30, "500"),
            SpentCost("Ad management", 60, "500"),
            SpentCost("A hiker with a blog", 25, "450", note="Trail talk", platform="bluesky"),
        ),
        media=MediaCost("Social ads", "46.10", "ads-light-{month}.csv", "utf-8-sig"),
        links=(
            DemoLink("profile", f"{SITE}/light", 4.0, on=SHOP),
            DemoLink("trail-talk", f"{SITE}/light/shelter", 2.0, platform="bluesky"),
            DemoLink("newsletter", f"{SITE}/light/list", 2.0),
        ),
        results=Results(
            clicks=1350,
            leads=236,
            from_leads=97,
            prices=(("49", 48), ("89", 41), ("149", 46), ("239", 29)),
            refunds=(
                ("49", "1"),
                ("89", "1"),
                ("149", "0.5"),
                ("49", "1"),
                ("239", "1"),
                ("89", "0.5"),
                ("149", "1"),
            ),
            numbers="L",
        ),
    ),
)

# Links that belong to no campaign.
LINKS = (
    DemoLink("profile", SITE, 3.0, on=SHOP),
    DemoLink("shop-window", f"{SITE}/visit", 1.0),
)
LONE_CLICKS = 700

# Who of those that wrote became a lead of which campaign, and how they are known there.
KNOWN_LEADS = {
    "repair": (
        ("Jana Vogt", "jana.vogt@mail.example"),
        ("Priya", "priya@inbox.example"),
        ("Lena", "lena@post.example"),
        ("Carla", "carla@mail.example"),
        ("Deniz", "deniz@inbox.example"),
    ),
    "light": (
        ("Felix Otto", "felix.otto@mail.example"),
        ("Wanderlena", "hello@wanderlena.example"),
        ("Deniz", "deniz@inbox.example"),
        ("Ruth", "ruth@scouts.example"),
        ("Jana Vogt", "jana.vogt@mail.example"),
        ("Erik", "erik@post.example"),
    ),
}
