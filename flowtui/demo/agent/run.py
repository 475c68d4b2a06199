"""Puts the agent run together: metrics, traces, eval sets, annotations, attachments."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from flowtui.demo.agent import everyday, files, oddities, reviews, samples
from flowtui.demo.agent.dialects import DIALECTS
from flowtui.demo.agent.samples import DemoSample
from flowtui.demo.agent.topics import TOPICS, case
from flowtui.demo.agent.trace import TraceBuilder
from flowtui.demo.scene import Scene, chance
from flowtui.store.schema import LinkRow, MetricRow, SpanRow

_LINKED_SAMPLES = 28
_FAILING = {9, 22}
"""The linked samples whose tool times out."""


def add_run(scene: Scene) -> None:
    """Add the completed run "support-agent-v3"."""
    scene.group("agents")
    run = scene.start("support-agent-v3")
    created_at = run.created_at
    easy = samples.faq(chance("agent/faq"), created_at)
    difficult = samples.hard(chance("agent/hard"), created_at + timedelta(minutes=14))
    linked = [*easy[: _LINKED_SAMPLES // 2], *difficult[: _LINKED_SAMPLES // 2]]
    answers = list(_answers(linked))
    others = list(_others(created_at, answers[0]))
    roots = [row for trace in (*answers, *others) for row in trace.rows() if not row.parent_span_id]
    with scene.writer.experiment(run.id) as experiment:
        experiment.params(run.params)
        experiment.metrics(_points(created_at, [*easy, *difficult]))
        experiment.spans(row for trace in (*answers, *others) for row in trace.rows())
        experiment.evals(sample.row for sample in (*easy, *difficult))
        experiment.links(_links(linked, answers))
        reviewed_at = created_at + timedelta(hours=20)
        rng = chance("agent/annotations")
        experiment.eval_annotations(reviews.on_samples(rng, [*easy, *difficult], reviewed_at))
        experiment.span_annotations(reviews.on_spans(rng, roots, reviewed_at))
        for name, data in files.made(created_at, reviewed_at, [*easy, *difficult]).items():
            experiment.attachment(name, data, created_at)
    scene.writer.end_run(run.id, status="completed", duration=1_574.206)


def _answers(linked: Sequence[DemoSample]) -> Iterator[TraceBuilder]:
    """Make one trace for each linked sample, the dialects in turn."""
    rng = chance("agent/answers")
    for place, sample in enumerate(linked):
        at = sample.row.created_at
        assert at is not None
        dialect = DIALECTS[place % len(DIALECTS)]
        yield everyday.answer_with_tool(rng, at, sample.case, dialect, fails=place in _FAILING)


def _others(created_at: datetime, first: TraceBuilder) -> Iterator[TraceBuilder]:
    rng = chance("agent/others")

    def later(minutes: float) -> datetime:
        return created_at + timedelta(minutes=minutes)

    for number in range(6):
        topic = TOPICS[number % len(TOPICS)]
        yield everyday.answer_from_documents(rng, later(2 + number), case(topic, rng))
    before: SpanRow = first.rows()[-1]
    for number in range(5):
        topic = TOPICS[(number + 2) % len(TOPICS)]
        score = round(rng.uniform(0.3, 1.0), 2)
        trace = everyday.chat_with_events(rng, later(9 + number), case(topic, rng), before, score)
        before = trace.rows()[-1]
        yield trace
    yield oddities.shaped("retries", rng, later(15), case(TOPICS[0], rng))
    yield oddities.shaped("retries", rng, later(16), case(TOPICS[2], rng))
    yield oddities.deep(rng, later(17), case(TOPICS[4], rng))
    yield oddities.big(rng, later(18))
    yield oddities.shaped("orphan", rng, later(20), case(TOPICS[1], rng))
    yield oddities.shaped("skewed", rng, later(21), case(TOPICS[0], rng))
    yield oddities.shaped("in_progress", rng, later(26), case(TOPICS[5], rng))


def _links(linked: Sequence[DemoSample], answers: Sequence[TraceBuilder]) -> Iterator[LinkRow]:
    for sample, trace in zip(linked, answers, strict=True):
        yield LinkRow(
            dataset_id=sample.row.dataset_id,
            eval_id=sample.row.id,
            trace_id=trace.trace_id,
            created_at=sample.row.created_at,
        )


def _points(start: datetime, judged: Sequence[DemoSample]) -> Iterator[MetricRow]:
    rng = chance("agent/curves")
    passed = 0
    for step, sample in enumerate(judged):
        at = start + timedelta(seconds=3 * step)
        passed += sample.passed
        yield "eval/pass_rate", round(passed / (step + 1), 5), step, at
        yield "latency/seconds", round(rng.lognormvariate(0.5, 0.4), 3), step, at
        yield "tokens/input", rng.randrange(800, 1_700), step, at
        yield "tokens/output", rng.randrange(60, 230), step, at
        yield (
            "cost/total_usd",
            round(0.0021 * (step + 1) + 0.0004 * math.sin(step / 9), 5),
            step,
            at,
        )
