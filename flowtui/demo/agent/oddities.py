"""Traces that a viewer must survive: retries, deep, big, orphaned, unfinished, skewed."""

from __future__ import annotations

from datetime import datetime
from random import Random

from flowtui.demo.agent.dialects import MODEL, OtelGenAi, Traceloop
from flowtui.demo.agent.everyday import exception, turns_of
from flowtui.demo.agent.topics import Case
from flowtui.demo.agent.trace import DemoSpanKind, StatusCode, TraceBuilder

_TEAM = (
    "triage",
    "billing",
    "policy",
    "fraud-check",
    "legal",
    "translator",
    "editor",
    "reviewer",
    "fact-check",
    "tone",
    "summary",
    "escalation",
    "archive",
)
_REINDEXED_DOCUMENTS = 60
_CHUNKS_A_DOCUMENT = 8


def retries(rng: Random, at: datetime, case: Case) -> TraceBuilder:
    """Builds an agent whose tool fails twice, waits longer each time, and then answers."""
    trace = TraceBuilder(rng, at)
    dialect = OtelGenAi()
    turns = turns_of(case, rng)
    root = trace.span(
        "support-agent", 0, 9_800, kind=DemoSpanKind.SERVER, attributes=dialect.root(turns)
    )
    trace.span(
        f"chat {MODEL}",
        5,
        790,
        parent=root,
        kind=DemoSpanKind.CLIENT,
        attributes=dialect.chat(turns[0]),
    )
    start = 810.0
    for attempt, length in enumerate((2_000.0, 2_000.0, 310.0), 1):
        failed = attempt < 3
        trace.span(
            f"execute_tool {case.topic.tool}",
            start,
            length,
            parent=root,
            attributes={**dialect.tool(case), "retry.attempt": attempt},
            status=StatusCode.ERROR if failed else StatusCode.OK,
            message="timeout" if failed else None,
            events=[exception(trace, start + length)] if failed else (),
        )
        start += length + 400 * 2**attempt
    trace.span(
        f"chat {MODEL}",
        7_600,
        2_150,
        parent=root,
        kind=DemoSpanKind.CLIENT,
        attributes=dialect.chat(turns[1]),
    )
    return trace


def deep(rng: Random, at: datetime, case: Case) -> TraceBuilder:
    """Builds agents that hand over to each other, fifteen levels down, to one call of the model."""
    trace = TraceBuilder(rng, at)
    dialect = OtelGenAi()
    turn = turns_of(case, rng)[1]
    length = 6_400.0
    start = 0.0
    parent = trace.span("support-agent", start, length, attributes=dialect.root([turn]))
    for member in _TEAM:
        start, length = start + 60, length - 180
        parent = trace.span(
            f"invoke_agent {member}",
            start,
            length,
            parent=parent,
            attributes={**dialect.root([turn]), "gen_ai.agent.name": member},
        )
    trace.span(
        f"chat {MODEL}",
        start + 60,
        length - 180,
        parent=parent,
        kind=DemoSpanKind.CLIENT,
        attributes=dialect.chat(turn),
    )
    return trace


def big(rng: Random, at: datetime) -> TraceBuilder:
    """Builds the nightly re-indexing: 60 documents in parallel, 8 chunks each, some failing."""
    trace = TraceBuilder(rng, at)
    workflow = {
        "traceloop.span.kind": "workflow",
        "traceloop.workflow.name": "reindex",
        "traceloop.entity.name": "reindex",
    }
    root = trace.new_span_id()
    latest = 0.0
    for number in range(_REINDEXED_DOCUMENTS):
        # Six workers, so that bars overlap as they do in a real pool.
        start = 40 + number // 6 * 900 + number % 6 * 35
        length = _document(trace, rng, root, number, start)
        latest = max(latest, start + length)
    trace.span("reindex knowledge base", 0, latest + 60, span_id=root, attributes=workflow)
    return trace


def orphan(rng: Random, at: datetime, case: Case) -> TraceBuilder:
    """Builds a trace with one span whose parent was never logged."""
    trace = TraceBuilder(rng, at)
    dialect = Traceloop()
    turns = turns_of(case, rng)
    root = trace.span("support.workflow", 0, 2_300, attributes=dialect.root(turns))
    trace.span(f"chat {MODEL}", 8, 900, parent=root, attributes=dialect.chat(turns[0]))
    trace.span(
        f"{case.topic.tool}.tool",
        930,
        340,
        parent=trace.new_span_id(),
        attributes=dialect.tool(case),
    )
    trace.span(f"chat {MODEL}", 1_290, 980, parent=root, attributes=dialect.chat(turns[1]))
    return trace


def in_progress(rng: Random, at: datetime, case: Case) -> TraceBuilder:
    """Builds a trace whose root still runs, so that it has no row yet."""
    trace = TraceBuilder(rng, at)
    dialect = OtelGenAi()
    turns = turns_of(case, rng)
    root = trace.new_span_id()
    trace.span(
        f"chat {MODEL}",
        5,
        1_100,
        parent=root,
        kind=DemoSpanKind.CLIENT,
        attributes=dialect.chat(turns[0]),
    )
    trace.span(
        f"execute_tool {case.topic.tool}", 1_115, 260, parent=root, attributes=dialect.tool(case)
    )
    return trace


def skewed(rng: Random, at: datetime, case: Case) -> TraceBuilder:
    """Builds a trace whose tool ran on a host with a slow clock: it starts before its parent."""
    trace = TraceBuilder(rng, at)
    dialect = OtelGenAi()
    turns = turns_of(case, rng)
    root = trace.span("support-agent", 0, 2_600, attributes=dialect.root(turns))
    call = trace.span(
        f"execute_tool {case.topic.tool}",
        120,
        400,
        parent=root,
        kind=DemoSpanKind.CLIENT,
        attributes=dialect.tool(case),
    )
    trace.span(
        "POST /orders/lookup",
        120 - 480,
        360,
        parent=call,
        kind=DemoSpanKind.SERVER,
        attributes={"http.request.method": "POST", "http.response.status_code": 200},
    )
    trace.span(
        f"chat {MODEL}",
        560,
        2_000,
        parent=root,
        kind=DemoSpanKind.CLIENT,
        attributes=dialect.chat(turns[1]),
    )
    return trace


def _document(trace: TraceBuilder, rng: Random, root: str, number: int, start_ms: float) -> float:
    broken = number in (17, 41)
    path = f"kb/article-{number:03}.md"
    task = trace.new_span_id()
    trace.span(
        "fetch",
        start_ms + 2,
        rng.uniform(20, 90),
        parent=task,
        kind=DemoSpanKind.CLIENT,
        attributes={"http.request.method": "GET", "file.path": path},
    )
    at_ms = start_ms + 95
    for chunk in range(_CHUNKS_A_DOCUMENT):
        length = rng.uniform(30, 95)
        fails = broken and chunk == _CHUNKS_A_DOCUMENT - 1
        _chunk(trace, rng, task, chunk, at_ms, length, fails)
        at_ms += length + 2
    trace.span(
        "index document",
        start_ms,
        at_ms - start_ms,
        parent=root,
        span_id=task,
        attributes={"traceloop.span.kind": "task", "file.path": path},
        status=StatusCode.ERROR if broken else StatusCode.OK,
    )
    return at_ms - start_ms


def _chunk(
    trace: TraceBuilder,
    rng: Random,
    task: str,
    number: int,
    start_ms: float,
    length_ms: float,
    fails: bool,
) -> None:
    trace.span(
        "embed chunk",
        start_ms,
        length_ms,
        parent=task,
        kind=DemoSpanKind.CLIENT,
        attributes={
            "gen_ai.operation.name": "embeddings",
            "gen_ai.request.model": "embed-small-2",
            "gen_ai.usage.input_tokens": rng.randrange(180, 512),
            "chunk.index": number,
        },
        status=StatusCode.ERROR if fails else StatusCode.OK,
        message="rate limited" if fails else None,
        events=[exception(trace, start_ms + length_ms)] if fails else (),
    )
