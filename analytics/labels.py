"""The names and explanations of metrics/ in the active language.

``metrics`` is pure Python and has English source strings only; the catalogue is filled from the calls
below, and a test fails when one is missing.
"""

from __future__ import annotations

from django.utils.translation import gettext, gettext_noop

from metrics.registry import Metric

SOURCES = (
    gettext_noop("Followers"),
    gettext_noop("People who follow the account, as the network states it at that moment."),
    gettext_noop("Following"),
    gettext_noop("Accounts that the account follows, as the network states it at that moment."),
    gettext_noop("Posts"),
    gettext_noop("Posts on the account, as the network states it at that moment, whoever made them."),
    gettext_noop("Likes"),
    gettext_noop("Likes or favourites of the post so far."),
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
    gettext_noop("Engagements"),
    gettext_noop(
        "Likes, comments, shares, quotes and saves together; what a network does not tell is left out, "
        "so compare only posts of one network."
    ),
    gettext_noop("Engagement rate by followers"),
    gettext_noop("Engagements per post, divided by the followers that the account had when it was posted."),
    gettext_noop("Engagement rate by impressions"),
    gettext_noop("Engagements divided by impressions."),
    gettext_noop("Posts per week"),
    gettext_noop("Posts published in the period, replies left out, divided by its length in weeks."),
    gettext_noop("Follower growth rate"),
    gettext_noop("Followers won less followers lost in the period, divided by the followers at its start."),
)


def label(metric: Metric) -> str:
    return gettext(metric.label)


def description(metric: Metric) -> str:
    return gettext(metric.description)
