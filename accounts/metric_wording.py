"""The words of metrics/ in the active language: names, explanations, units.

``metrics`` is pure Python and has English source strings only; the catalogue is filled from the calls
below, and a test fails when one is missing. Every app that shows a metric takes its words from here.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from metrics.registry import Metric, Side, Unit, UnknownMetric, metric

SOURCES = (
    gettext_noop("Followers"),
    gettext_noop("People who follow the account, as the network states it at that moment."),
    gettext_noop("One person who follows two accounts is counted on each of them."),
    gettext_noop("Net new followers"),
    gettext_noop("Net new"),
    gettext_noop("Followers won less followers lost in the period."),
    gettext_noop("Accounts without a count at the start of the period."),
    gettext_noop("Follower growth rate"),
    gettext_noop("Growth"),
    gettext_noop("Followers won less followers lost in the period, divided by the followers at its start."),
    gettext_noop("followers at the start"),
    gettext_noop("Following"),
    gettext_noop("Accounts that the account follows, as the network states it at that moment."),
    gettext_noop("Posts"),
    gettext_noop("Posts on the account, as the network states it at that moment, whoever made them."),
    gettext_noop("Published posts"),
    gettext_noop("Posts that were published in the period, one for each account."),
    gettext_noop("Replies, and posts that were made elsewhere."),
    gettext_noop("Posts per week"),
    gettext_noop("Posts published in the period, replies left out, divided by its length in weeks."),
    gettext_noop("weeks"),
    gettext_noop("Likes"),
    gettext_noop("Likes or favourites of the post so far."),
    gettext_noop("Numbers that a network does not tell, and posts that were made elsewhere."),
    gettext_noop("Comments"),
    gettext_noop("Replies to the post so far."),
    gettext_noop("Shares"),
    gettext_noop("Reposts or boosts of the post so far, without quotes."),
    gettext_noop("Quotes"),
    gettext_noop("Posts of others that quote the post so far."),
    gettext_noop("Saves"),
    gettext_noop("How often the post was saved or bookmarked so far."),
    gettext_noop("Impressions"),
    gettext_noop("How often the post was displayed so far. One person may be counted several times."),
    gettext_noop("Reach"),
    gettext_noop(
        "How many people, as the network tells them apart, saw the post so far. It is of one post "
        "on one network: whoever saw two posts would be counted twice in a sum."
    ),
    gettext_noop("Clicks at the network"),
    gettext_noop("Network clicks"),
    gettext_noop(
        "Clicks on the post or its links so far, as the network counts them: some count every "
        "click on it, others only those on links. They are not the clicks on tracked links, which are "
        "counted here."
    ),
    gettext_noop("Watch time"),
    gettext_noop(
        "How long everybody together watched the video of the post so far, as the network estimates it."
    ),
    gettext_noop("Engagements"),
    gettext_noop(
        "Likes, comments, shares, quotes and saves together; what a network does not tell is left "
        "out, so compare only posts of one network."
    ),
    gettext_noop("Engagement rate by followers"),
    gettext_noop("ER by followers"),
    gettext_noop("Engagements per post, divided by the followers that the account had when it was posted."),
    gettext_noop("followers at post time"),
    gettext_noop("Posts of which one side is not known."),
    gettext_noop("Engagement rate by reach"),
    gettext_noop("ER by reach"),
    gettext_noop("Engagements per post, divided by the people who saw it."),
    gettext_noop("reach of each post"),
    gettext_noop("Engagement rate by impressions"),
    gettext_noop("ER by impressions"),
    gettext_noop("Engagements divided by impressions."),
    gettext_noop("Virality rate"),
    gettext_noop("Virality"),
    gettext_noop("Shares divided by impressions: how often somebody who saw it passed it on."),
    gettext_noop("Messages received"),
    gettext_noop(
        "Comments, mentions, reviews and direct messages that people wrote to the brand in the period."
    ),
    gettext_noop("Needed an answer"),
    gettext_noop(
        "Times that somebody began to wait for an answer in the period: the first message that needs "
        "one, whatever follows before the answer."
    ),
    gettext_noop(
        "Waits that are still young: they are shown apart, as pending. And waits that needed no "
        "answer, or whose message was withdrawn."
    ),
    gettext_noop("Answered"),
    gettext_noop("Of those who began to wait in the period, how many got a public answer by a person."),
    gettext_noop(
        "Answers of automation, waits that needed no answer, and messages withdrawn by their author."
    ),
    gettext_noop("Response rate"),
    gettext_noop(
        "Answered waits divided by all that needed an answer and began in the period. Those still "
        "young are shown apart, as pending."
    ),
    gettext_noop("Response time, median"),
    gettext_noop(
        "From the first message that needed an answer to the next public answer of a person, in "
        "business hours: half of the waits were shorter."
    ),
    gettext_noop("Response time, 90th percentile"),
    gettext_noop(
        "From the first message that needed an answer to the next public answer of a person, in "
        "business hours: nine of ten waits were shorter."
    ),
    gettext_noop("Response time by the clock, median"),
    gettext_noop(
        "From the first message that needed an answer to the next public answer of a person, by the "
        "clock, nights and weekends included: half of the waits were shorter."
    ),
    gettext_noop("Clicks"),
    gettext_noop("Times that a person opened a tracked link."),
    gettext_noop("Link previews, crawlers and prefetching, which are counted apart."),
    gettext_noop("Click-through rate (CTR)"),
    gettext_noop("CTR"),
    gettext_noop("Clicks on tracked links in posts, divided by the impressions of those posts."),
    gettext_noop("Posts without a tracked link, and posts whose network tells no impressions."),
    gettext_noop("Spend"),
    gettext_noop(
        "All costs that were entered for the period: media, production, labour, tools, agency and "
        "influencers."
    ),
    gettext_noop("Costs that nobody entered."),
    gettext_noop("Media spend"),
    gettext_noop("The part of the costs that was paid for media: what ads cost."),
    gettext_noop("Budget pace"),
    gettext_noop(
        "Spend so far, divided by what the budget would have spent by now if it went out evenly over "
        "the flight. Below 90 % the campaign spends too slowly, above 110 % too fast."
    ),
    gettext_noop("expected spend"),
    gettext_noop("Leads"),
    gettext_noop(
        "Somebody left their contact or asked for something, as reported to us. "
        "Whoever does so twice counts twice."
    ),
    gettext_noop("What nobody reported to us."),
    gettext_noop("New customers"),
    gettext_noop("Customers"),
    gettext_noop("People who became customers in the period. Each is counted once, at the first sale."),
    gettext_noop("Sales to people whom we do not know."),
    gettext_noop("Sales"),
    gettext_noop("Sales that were reported to us, also those that were refunded later."),
    gettext_noop("Conversions"),
    gettext_noop("Leads and sales together."),
    gettext_noop("Conversion rate by clicks"),
    gettext_noop("Conversion rate"),
    gettext_noop("Conversions divided by clicks."),
    gettext_noop("Customers by leads"),
    gettext_noop("New customers divided by leads."),
    gettext_noop("Leads of this period who become customers later."),
    gettext_noop("Revenue"),
    gettext_noop("The value of sales in the period, less what was refunded of them."),
    gettext_noop("Gross margin"),
    gettext_noop("Margin"),
    gettext_noop(
        "What remains of revenue after the cost of the goods, by the margin that each campaign states."
    ),
    gettext_noop("Revenue of campaigns that state no margin."),
    gettext_noop("Cost per click (CPC)"),
    gettext_noop("CPC"),
    gettext_noop("Spend divided by clicks."),
    gettext_noop("Cost per 1,000 impressions (CPM)"),
    gettext_noop("CPM"),
    gettext_noop("Spend for a thousand impressions of the posts that carry tracked links."),
    gettext_noop("Cost per lead (CPL)"),
    gettext_noop("CPL"),
    gettext_noop("Spend divided by leads."),
    gettext_noop("Cost per conversion (CPA)"),
    gettext_noop("CPA"),
    gettext_noop("Spend divided by conversions: leads and sales together."),
    gettext_noop("Customer acquisition cost (CAC)"),
    gettext_noop("CAC"),
    gettext_noop("All costs divided by new customers."),
    gettext_noop("Return on ad spend (ROAS)"),
    gettext_noop("ROAS"),
    gettext_noop("Revenue divided by media spend, as a multiple."),
    gettext_noop("ROI on revenue"),
    gettext_noop("Revenue less all costs, divided by all costs."),
    gettext_noop("revenue less spend"),
    gettext_noop("ROI on margin"),
    gettext_noop("Gross margin less all costs, divided by all costs."),
    gettext_noop("gross margin less spend"),
)

_UNITS: Mapping[Unit, Promise] = {
    Unit.COUNT: gettext_lazy("count"),
    Unit.PERCENT: gettext_lazy("per cent"),
    Unit.PER_WEEK: gettext_lazy("per week"),
    Unit.MONEY: gettext_lazy("money"),
    Unit.DURATION: gettext_lazy("duration"),
    Unit.MULTIPLE: gettext_lazy("multiple"),
}
_SIDES: Mapping[Side, Promise] = {
    Side.OPERATIONS: gettext_lazy("Operations"),
    Side.MARKETING: gettext_lazy("Marketing"),
}


def metric_label(key: str | Metric, version: int | None = None) -> str:
    """The name of a metric, in the active language. Raises UnknownMetric."""
    return gettext(_of(key, version).label)


def metric_short(key: str | Metric, version: int | None = None) -> str:
    """The name of a metric above a column, in the active language. Raises UnknownMetric."""
    found = _of(key, version)
    return gettext(found.short or found.label)


def metric_description(key: str | Metric, version: int | None = None) -> str:
    """What a metric means, in the active language. Raises UnknownMetric."""
    return gettext(_of(key, version).description)


def metric_left_out(key: str | Metric, version: int | None = None) -> str:
    """What a metric does not hold, "" if nothing is known to be missing."""
    words = _of(key, version).left_out
    return gettext(words) if words else ""


def metric_side_words(numerator_or_denominator: str) -> str:
    """The name of one side of a ratio: that of the metric that stands there, or the words that do."""
    if not numerator_or_denominator:
        return ""
    try:
        return metric_label(numerator_or_denominator)
    except UnknownMetric:
        return gettext(numerator_or_denominator)


def unit_words(unit: Unit) -> str:
    return str(_UNITS[unit])


def layer_words(side: Side) -> str:
    return str(_SIDES[side])


def _of(key: str | Metric, version: int | None) -> Metric:
    return key if isinstance(key, Metric) else metric(key, version)
