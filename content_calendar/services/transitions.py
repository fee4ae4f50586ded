"""The one place that writes how far a post's approval has come."""

from __future__ import annotations

from typing import Any

from content_calendar.models import Approval, Post

A = Approval

# From each state, where it may go. In the words of what people do:
TABLE: dict[Approval, frozenset[Approval]] = {
    # submitted; approved by the one who wrote it; scheduled where no approval is asked
    A.DRAFT: frozenset({A.IN_REVIEW, A.READY, A.APPROVED}),
    # approved; sent back; taken back, changed or deleted; scheduled after the brand gave up its rule
    A.IN_REVIEW: frozenset({A.READY, A.CHANGES_ASKED, A.DRAFT, A.APPROVED}),
    # submitted again; approved after all; scheduled after the brand gave up its rule; restored
    A.CHANGES_ASKED: frozenset({A.IN_REVIEW, A.READY, A.APPROVED, A.DRAFT}),
    # scheduled; changed; submitted to a step that the brand has added
    A.READY: frozenset({A.APPROVED, A.DRAFT, A.IN_REVIEW}),
    # taken out of the schedule; changed, so that it asks again
    A.APPROVED: frozenset({A.DRAFT, A.READY, A.IN_REVIEW}),
}


class ApprovalNotPossible(Exception):
    """The post has come to another state meanwhile. ``state`` is where it stands."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


def move_approval(post: Post, to: Approval, **values: Any) -> None:
    """Bring a locked post to ``to`` and write ``values`` with it. To stay where it is is always possible.

    Raises ApprovalNotPossible. It is no save of the content: the post's version stays.
    """
    state = Approval(post.approval)
    if to is not state and to not in TABLE[state]:
        raise ApprovalNotPossible(state)
    if to is not state:
        values["approval"] = to
    if not values:
        return
    Post.objects.filter(pk=post.pk).update(**values)
    for name, value in values.items():
        setattr(post, name, value)
