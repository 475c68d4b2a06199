"""The review queue: every item comes once, and what became of each adds up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.screens.review.queue import Question, ReviewOutcome, ReviewQueue, question_of
from flowtui.store.annotations.values import AnnotationKind, AnnotationName, ValueType
from flowtui.store.errors import InvalidAnnotation

STEPS = st.sampled_from(["answer", "skip", "back", "gone", "elsewhere", "undo"])


def do(queue: ReviewQueue, step: str) -> None:
    if step == "back":
        queue.back()
    elif queue.is_over:
        return
    elif step == "answer":
        queue.answer()
    elif step == "skip":
        queue.skip()
    elif step == "undo":
        queue.settle(queue.place, False)
    else:
        queue.pass_over(ReviewOutcome.GONE if step == "gone" else ReviewOutcome.ELSEWHERE)


@given(st.integers(0, 12), st.lists(STEPS, max_size=60))
def test_whatever_is_done_the_review_ends_when_nothing_is_open(
    total: int, steps: list[str]
) -> None:
    queue = ReviewQueue(total)
    for step in steps:
        do(queue, step)
        assert 0 <= queue.place <= total
        assert sum(queue.counts.values()) <= total
        if queue.is_over:
            assert sum(queue.counts.values()) == total
    for _ in range(2 * total + 1):
        if not queue.is_over:
            queue.skip()
    assert queue.is_over
    assert sum(queue.counts.values()) == total


@given(st.lists(st.booleans(), max_size=30))
def test_each_item_is_judged_once_in_order(answers: list[bool]) -> None:
    queue = ReviewQueue(len(answers))
    seen = []
    for is_answered in answers:
        seen.append(queue.place)
        queue.answer() if is_answered else queue.skip()
    assert seen == list(range(len(answers)))
    assert queue.is_over
    assert queue.counts[ReviewOutcome.ANSWERED] == sum(answers)
    skipped = [place for place, is_answered in enumerate(answers) if not is_answered]
    queue.reopen_skipped()
    again = []
    for _ in skipped:
        again.append(queue.place)
        queue.answer()
    assert again == skipped
    assert queue.counts[ReviewOutcome.ANSWERED] == len(answers)


def test_back_passes_what_there_is_nothing_to_judge_about() -> None:
    queue = ReviewQueue(4)
    queue.answer()
    queue.pass_over(ReviewOutcome.GONE)
    assert queue.place == 2
    assert queue.back()
    assert queue.place == 0
    assert not queue.back()
    assert queue.place == 0


def test_an_answer_on_the_way_back_leads_to_the_first_open_item() -> None:
    queue = ReviewQueue(5)
    for _ in range(3):
        queue.answer()
    queue.back()
    queue.back()
    assert queue.outcome is ReviewOutcome.ANSWERED
    queue.answer()
    assert queue.place == 3


def test_going_on_from_an_answered_item_is_no_skip() -> None:
    queue = ReviewQueue(5)
    queue.answer()
    queue.answer()
    queue.back()
    queue.back()
    queue.skip()
    assert queue.place == 1
    assert queue.counts[ReviewOutcome.SKIPPED] == 0


def test_an_undone_answer_is_open_again_and_comes_before_the_end() -> None:
    queue = ReviewQueue(3)
    for _ in range(3):
        queue.answer()
    queue.go_to(1)
    queue.settle(1, False)
    assert queue.outcome is None
    queue.back()
    queue.answer()
    assert queue.place == 1


def test_what_is_open_before_is_found_from_the_last_item() -> None:
    queue = ReviewQueue(3)
    queue.answer()
    queue.answer()
    queue.settle(0, False)
    assert queue.next_open == 0
    queue.answer()
    assert queue.place == 0
    assert not queue.is_over


def test_an_empty_queue_is_over() -> None:
    assert ReviewQueue(0).is_over
    assert ReviewQueue(0).next_open is None


def test_the_question_is_the_last_one_that_can_be_asked() -> None:
    odd = AnnotationName("odd", "remark", "bool", 1)
    score = AnnotationName("score", "expectation", "int", 1)
    expected = Question("score", AnnotationKind.EXPECTATION, ValueType.INT)
    assert question_of([odd, score], "quality") == expected
    assert question_of([odd], "quality") == Question("quality")


@pytest.mark.parametrize(
    ("value_type", "text", "value"),
    [(ValueType.INT, " -12 ", -12), (ValueType.STRING, " as typed ", " as typed ")],
)
def test_a_typed_answer_has_the_type_that_is_asked_for(
    value_type: ValueType, text: str, value: object
) -> None:
    question = Question("quality", AnnotationKind.EXPECTATION, value_type)
    assert question.typed_value(text) == value


@pytest.mark.parametrize(
    ("value_type", "text"), [(ValueType.INT, ""), (ValueType.INT, "4.5"), (ValueType.STRING, "")]
)
def test_a_text_that_is_no_answer_is_refused(value_type: ValueType, text: str) -> None:
    question = Question("quality", AnnotationKind.EXPECTATION, value_type)
    with pytest.raises(InvalidAnnotation):
        question.typed_value(text)
