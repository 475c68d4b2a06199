"""What two people said about samples and spans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from flowtui.demo.agent.samples import DemoSample
from flowtui.demo.agent.topics import TEXTS
from flowtui.store.schema import EvalAnnotationRow, SpanAnnotationRow, SpanRow

REVIEWERS = ("ana", "sam")


def on_samples(
    rng: Random, samples: Sequence[DemoSample], at: datetime
) -> Iterator[EvalAnnotationRow]:
    """Review a quarter of the samples: feedback, and expectations for those that failed."""
    for place, sample in enumerate(rng.sample(samples, len(samples) // 4)):
        when = at + timedelta(minutes=place)
        for user in REVIEWERS[: 2 if place % 5 == 0 else 1] if place % 2 else REVIEWERS[1:]:
            yield _sample_feedback(rng, sample, user, when)
        if not sample.passed:
            yield from _sample_expectations(sample, when)


def on_spans(rng: Random, roots: Sequence[SpanRow], at: datetime) -> Iterator[SpanAnnotationRow]:
    """Review two thirds of the traces, at their roots."""
    for place, span in enumerate(rng.sample(roots, len(roots) * 2 // 3)):
        ids = {"trace_id": span.trace_id, "span_id": span.span_id}
        when = at + timedelta(minutes=place)
        # A trace without an error can still have a bad answer.
        good = span.status_code != 2 and rng.random() < 0.8
        yield SpanAnnotationRow(
            **ids,
            name="quality",
            kind="feedback",
            value=good,
            user=REVIEWERS[place % 2],
            rationale=rng.choice(TEXTS["praise" if good else "blame"]) or None,
            created_at=when,
        )
        if place % 3 == 0:
            yield SpanAnnotationRow(
                **ids,
                name="expected_tool_calls",
                kind="expectation",
                value=rng.choice((1, 2)),
                user=REVIEWERS[1],
                created_at=when,
            )
        if place % 4 == 0:
            yield SpanAnnotationRow(
                **ids,
                name="should_escalate",
                kind="expectation",
                value=not good,
                user=REVIEWERS[0],
                created_at=when,
            )


def _sample_feedback(
    rng: Random, sample: DemoSample, user: str, when: datetime
) -> EvalAnnotationRow:
    # People and scores disagree now and then; that is what one looks for.
    good = sample.passed if rng.random() < 0.9 else not sample.passed
    return EvalAnnotationRow(
        dataset_id=sample.row.dataset_id,
        eval_id=sample.row.id,
        name="quality",
        kind="feedback",
        value=good,
        user=user,
        rationale=rng.choice(TEXTS["praise" if good else "blame"]) or None,
        created_at=when,
    )


def _sample_expectations(sample: DemoSample, when: datetime) -> Iterator[EvalAnnotationRow]:
    expected: dict[str, str | int | bool] = {
        "expected_answer": sample.case.answer,
        "expected_tool_calls": 1,
        "should_escalate": sample.case.topic.key in ("refund", "warranty"),
    }
    for name, value in expected.items():
        yield EvalAnnotationRow(
            dataset_id=sample.row.dataset_id,
            eval_id=sample.row.id,
            name=name,
            kind="expectation",
            value=value,
            user=REVIEWERS[0],
            created_at=when,
        )
