"""Puts the agent run together: parameters, metrics, traces, eval sets, annotations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from flowtui.demo.agent import everyday, oddities, reviews, samples
from flowtui.demo.agent.dialects import DIALECTS, MODEL, SYSTEM
from flowtui.demo.agent.samples import DemoSample
from flowtui.demo.agent.topics import TOPICS, case
from flowtui.demo.agent.trace import TraceBuilder
from flowtui.demo.scene import Scene, chance
from flowtui.store.schema import LinkRow, MetricRow, ParamValue, SpanRow

_PARAMS: dict[str, ParamValue] = {
    "model": MODEL,
    "temperature": 0.2,
    "max_turns": 8,
    "max_output_tokens": 600,
    "system_prompt": SYSTEM,
    "tools": sorted({topic.tool for topic in TOPICS}),
    "retrieval": {"index": "kb-2", "top_k": 3, "rerank": {"model": "rerank-1", "keep": 2}},
    "retries": {"attempts": 3, "backoff_s": [0.8, 1.6]},
    "stream": True,
    "judge": "large-chat-4",
}

_LINKED_SAMPLES = 28
_FAILING = {9, 22}
"""The linked samples whose tool times out."""


def add_run(scene: Scene) -> None:
    """Adds the completed run "support-agent-v3"."""
    created_at = scene.ago(days=3, hours=5)
    scene.writer.group(
        "agents",
        description="Customer support, from the first prompt to production.",
        tags=["support", "llm"],
        created_at=scene.ago(days=30),
    )
    run_id = scene.start(
        "support-agent-v3",
        group="agents",
        created_at=created_at,
        tags=["agent", "eval", "v3", "日本語"],
        description="Third prompt, with order tools; judged on faq_v1 and hard_v2.",
        source="evaluate.py",
    )
    easy = samples.faq(chance("agent/faq"), created_at)
    difficult = samples.hard(chance("agent/hard"), created_at + timedelta(minutes=14))
    linked = [*easy[: _LINKED_SAMPLES // 2], *difficult[: _LINKED_SAMPLES // 2]]
    answers = list(_answers(linked))
    others = list(_others(created_at, answers[0]))
    roots = [row for trace in (*answers, *others) for row in trace.rows() if not row.parent_span_id]
    with scene.writer.experiment(run_id) as experiment:
        experiment.params(_PARAMS)
        experiment.metrics(_points(created_at, [*easy, *difficult]))
        experiment.spans(row for trace in (*answers, *others) for row in trace.rows())
        experiment.evals(sample.row for sample in (*easy, *difficult))
        experiment.links(_links(linked, answers))
        reviewed_at = created_at + timedelta(hours=20)
        rng = chance("agent/annotations")
        experiment.eval_annotations(reviews.on_samples(rng, [*easy, *difficult], reviewed_at))
        experiment.span_annotations(reviews.on_spans(rng, roots, reviewed_at))
        experiment.attachment("prompts/system.md", f"# System\n\n{SYSTEM}\n".encode(), created_at)
    scene.writer.end_run(run_id, status="completed", duration=1_574.206)


def _answers(linked: Sequence[DemoSample]) -> Iterator[TraceBuilder]:
    """Makes one trace for each linked sample, the dialects in turn."""
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
    yield oddities.retries(rng, later(15), case(TOPICS[0], rng))
    yield oddities.retries(rng, later(16), case(TOPICS[2], rng))
    yield oddities.deep(rng, later(17), case(TOPICS[4], rng))
    yield oddities.big(rng, later(18))
    yield oddities.orphan(rng, later(20), case(TOPICS[1], rng))
    yield oddities.skewed(rng, later(21), case(TOPICS[0], rng))
    yield oddities.in_progress(rng, later(26), case(TOPICS[5], rng))


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
