"""Puts both runs together: metrics, traces, samples, annotations, attachments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from statistics import fmean

from flowtui.demo.resources import filled, read_text
from flowtui.demo.scene import Scene, chance
from flowtui.demo.versions.judging import reviews, sample
from flowtui.demo.versions.tickets import TEXTS, VERSIONS, AgentVersion, Ticket, tickets
from flowtui.demo.versions.tracing import TracedAnswer, traced
from flowtui.store.schema import LinkRow, MetricRow

_SECONDS_A_TICKET = 3.8


def add_runs(scene: Scene) -> None:
    """Add the completed runs "support-agent-v4" and "support-agent-v5"."""
    asked = list(tickets(chance("versions/tickets"), scene.ago(days=4)))
    for version in VERSIONS:
        _add_run(scene, version, asked)


def _add_run(scene: Scene, version: AgentVersion, asked: Sequence[Ticket]) -> None:
    run = scene.start(version.run)
    start = run.created_at
    ended_at = start + timedelta(seconds=version.duration)
    times = [start + timedelta(seconds=_SECONDS_A_TICKET * ticket.number) for ticket in asked]
    rng = chance(f"versions/{version.run}")
    answers = [traced(rng, at, ticket, version) for at, ticket in zip(times, asked, strict=True)]
    samples = [
        sample(ticket, version, answer, at)
        for ticket, answer, at in zip(asked, answers, times, strict=True)
    ]
    with scene.writer.experiment(run.id) as experiment:
        experiment.params(run.params)
        experiment.metrics(_points(asked, answers, times, version))
        experiment.spans(row for answer in answers for row in answer.trace.rows())
        experiment.evals(samples)
        experiment.links(
            LinkRow(
                dataset_id=row.dataset_id,
                eval_id=row.id,
                trace_id=answer.trace.trace_id,
                created_at=row.created_at,
            )
            for row, answer in zip(samples, answers, strict=True)
        )
        experiment.eval_annotations(reviews(asked, version, ended_at + timedelta(hours=3)))
        for name, text in _files(version).items():
            experiment.attachment(name, text.encode(), start)
        report = _report(asked, answers, version)
        experiment.attachment("reports/report.md", report.encode(), ended_at)
    scene.writer.end_run(run.id, status="completed", duration=version.duration)


def _points(
    asked: Sequence[Ticket],
    answers: Sequence[TracedAnswer],
    times: Sequence[datetime],
    version: AgentVersion,
) -> Iterator[MetricRow]:
    right, cost_usd = 0, 0.0
    for step, (ticket, answer, at) in enumerate(zip(asked, answers, times, strict=True)):
        right += ticket.is_right(version)
        cost_usd += answer.cost_usd
        yield "eval/pass_rate", round(right / (step + 1), 5), step, at
        yield "latency/seconds", round(answer.length_ms / 1_000, 3), step, at
        yield "tokens/input", answer.input_tokens, step, at
        yield "tokens/output", answer.output_tokens, step, at
        yield "cost/total_usd", round(cost_usd, 6), step, at


def _files(version: AgentVersion) -> dict[str, str]:
    """Return what the run attached as it began, by name."""
    values = {"limit": version.limit, "retrieves": str(version.retrieves).lower()}
    files = {
        "config.yaml": filled(read_text("versions/config.yaml"), values),
        "prompts/plan.md": f"# Plan\n\n{TEXTS['plan']}\n",
        "prompts/answer.md": f"# Answer\n\n{version.answer_prompt}\n",
    }
    if version.retrieves:
        policies = "".join(f"- {topic['policy']}\n" for topic in TEXTS["topics"])
        files["prompts/policies.md"] = f"# Policies\n\n{policies}"
    return files


def _report(asked: Sequence[Ticket], answers: Sequence[TracedAnswer], version: AgentVersion) -> str:
    counts = Counter(ticket.topic["key"] for ticket in asked)
    right = Counter(ticket.topic["key"] for ticket in asked if ticket.is_right(version))
    seconds = fmean(answer.length_ms for answer in answers) / 1_000
    cents = fmean(answer.cost_usd for answer in answers) * 100
    values = {
        "run": version.run,
        "dataset": TEXTS["dataset"],
        "changes": version.changes,
        "passed": right.total(),
        "count": counts.total(),
        "topics": "\n".join(f"| {key} | {right[key]} | {count} |" for key, count in counts.items()),
        "seconds": f"{seconds:.2f}",
        "cents": f"{cents:.2f}",
    }
    return str(filled(read_text("versions/report.md"), values))
