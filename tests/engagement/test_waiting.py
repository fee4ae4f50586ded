"""Who waited, from when until when: the pure part."""

from __future__ import annotations

import datetime as dt
import uuid

from hypothesis import given
from hypothesis import strategies as st

from engagement.models import EpisodeEnd
from engagement.waiting import Answered, Asked, Dismissed, Episode, episodes
from tests.engagement.conftest import MINUTE, NOON


def at(minutes: int) -> dt.datetime:
    return NOON + minutes * MINUTE


def name(letter: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, letter)


def asked(letter: str, minutes: int, number: int = 1, **given: int) -> Asked:
    withdrawn = given.get("withdrawn")
    return Asked(
        name(letter),
        number,
        at(minutes),
        at(given.get("waits_from", minutes)),
        at(withdrawn) if withdrawn is not None else None,
    )


def answered(letter: str, minutes: int, covers: int | None = None) -> Answered:
    return Answered(name(letter), at(minutes), covers)


def test_nobody_waits_where_nobody_asked() -> None:
    assert episodes([]) == []
    assert episodes([answered("a", 1)]) == []


def test_the_first_question_begins_and_the_next_answer_ends() -> None:
    played = episodes([asked("q", 0), asked("r", 5, 2), answered("a", 8, 2), answered("b", 9, 3)])
    assert played == [Episode(name("q"), at(0), at(8), EpisodeEnd.ANSWERED, name("a"))]


def test_without_an_answer_it_is_open() -> None:
    assert episodes([asked("q", 0)]) == [Episode(name("q"), at(0))]


def test_a_question_after_the_answer_begins_another() -> None:
    played = episodes([asked("q", 0), answered("a", 5, 1), asked("r", 7, 3)])
    assert [(one.started_at, one.ended_at) for one in played] == [(at(0), at(5)), (at(7), None)]


def test_what_the_author_of_the_answer_had_not_seen_goes_on_waiting() -> None:
    """It was written a moment before the answer went out, and arrived after it."""
    played = episodes([asked("q", 0), answered("a", 5, covers=1), asked("r", 4, number=3)])
    assert [(one.opened_by, one.started_at, one.ended_at) for one in played] == [
        (name("q"), at(0), at(5)),
        (name("r"), at(4), None),
    ]


def test_an_answer_written_elsewhere_ends_everything_before_it() -> None:
    played = episodes([asked("q", 0), asked("r", 4, number=3), answered("a", 5)])
    assert [(one.opened_by, one.ended_at) for one in played] == [(name("q"), at(5))]


def test_what_was_answered_before_its_waiting_began_to_count_is_no_episode() -> None:
    """Written and answered before the account was connected."""
    assert episodes([asked("q", 0, waits_from=60), answered("a", 30)]) == []


def test_somebody_decides_that_no_answer_is_needed() -> None:
    played = episodes([asked("q", 0), Dismissed(at(5), covers=1), asked("r", 6, 2)])
    assert [(one.ended_how, one.covers) for one in played] == [(EpisodeEnd.NO_ANSWER_NEEDED, 1), (None, None)]


def test_the_decision_does_not_cover_what_came_in_unseen() -> None:
    played = episodes([asked("q", 0), asked("r", 4, number=2), Dismissed(at(5), covers=1)])
    assert [(one.opened_by, one.ended_how) for one in played] == [
        (name("q"), EpisodeEnd.NO_ANSWER_NEEDED),
        (name("r"), None),
    ]


def test_a_question_that_its_author_deletes_is_withdrawn() -> None:
    (only,) = episodes([asked("q", 0, withdrawn=5)])
    assert (only.ended_at, only.ended_how) == (at(5), EpisodeEnd.WITHDRAWN)


def test_as_long_as_another_question_is_there_somebody_waits() -> None:
    played = episodes([asked("q", 0, withdrawn=5), asked("r", 3, 2)])
    assert played == [Episode(name("r"), at(3))]


def test_deleting_a_question_after_its_answer_changes_nothing() -> None:
    played = episodes([asked("q", 0, withdrawn=9), answered("a", 5, 1)])
    assert [one.ended_how for one in played] == [EpisodeEnd.ANSWERED]


# --- properties -----------------------------------------------------------------------------------

minutes = st.integers(0, 60)
questions = st.builds(
    lambda number, minute, wait, gone: Asked(
        uuid.uuid5(uuid.NAMESPACE_OID, f"q{number}"),
        number,
        at(minute),
        at(minute + wait),
        at(minute + gone) if gone is not None else None,
    ),
    st.integers(1, 30),
    minutes,
    st.sampled_from([0, 0, 0, 10]),
    st.sampled_from([None, None, 0, 7]),
)
replies = st.builds(
    lambda number, minute, covers: Answered(uuid.uuid5(uuid.NAMESPACE_OID, f"a{number}"), at(minute), covers),
    st.integers(1, 30),
    minutes,
    st.none() | st.integers(0, 30),
)
decisions = st.builds(lambda minute, covers: Dismissed(at(minute), covers), minutes, st.integers(0, 30))
histories = st.lists(
    questions | replies | decisions,
    max_size=12,
    unique_by=lambda event: getattr(event, "id", (event.at, getattr(event, "covers", 0))),
)


@given(histories, st.randoms())
def test_the_order_in_which_things_are_learnt_does_not_matter(
    history: list[Asked | Answered | Dismissed], chance: object
) -> None:
    # Events of the same kind at the same instant have no order in time either.
    moments = [(type(event), event.at) for event in history]
    if len(set(moments)) == len(moments):
        shuffled = list(history)
        chance.shuffle(shuffled)  # type: ignore[attr-defined]
        assert episodes(shuffled) == episodes(history)


@given(histories)
def test_at_most_the_last_is_open_and_each_has_its_own_question(
    history: list[Asked | Answered | Dismissed],
) -> None:
    played = episodes(history)
    assert all(one.ended_at is not None for one in played[:-1])
    opened_by = [one.opened_by for one in played]
    assert len(opened_by) == len(set(opened_by))
    for one in played:
        assert one.ended_at is None or one.ended_at >= one.started_at
        assert (one.ended_how is EpisodeEnd.ANSWERED) is (one.ended_by is not None)


@given(histories)
def test_somebody_waits_at_the_end_exactly_if_a_question_is_neither_covered_nor_withdrawn(
    history: list[Asked | Answered | Dismissed],
) -> None:
    def is_settled(question: Asked) -> bool:
        if question.withdrawn_at is not None:
            return True
        return any(
            event.at >= question.at and (event.covers is None or question.number <= event.covers)
            for event in history
            if not isinstance(event, Asked)
        )

    waiting = [event for event in history if isinstance(event, Asked) and not is_settled(event)]
    played = episodes(history)
    assert bool(played and played[-1].ended_at is None) is bool(waiting)
