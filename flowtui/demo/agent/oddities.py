"""Traces that a viewer must survive: retries, deep, big, orphaned, unfinished, skewed."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from random import Random

from flowtui.demo.agent.dialects import OTEL, Dialect
from flowtui.demo.agent.everyday import exception, turns_of
from flowtui.demo.agent.topics import MODEL, Case
from flowtui.demo.agent.trace import DemoSpanKind, StatusCode, TraceBuilder
from flowtui.demo.resources import filled, read_toml

_SHAPES = read_toml("traces.toml")
_REINDEXED_DOCUMENTS = 60
_CHUNKS_A_DOCUMENT = 8


def shaped(shape: str, rng: Random, at: datetime, case: Case) -> TraceBuilder:
    """Build a trace of one of the shapes in traces.toml that list their spans."""
    trace = TraceBuilder(rng, at)
    dialect = Dialect(_SHAPES[shape]["dialect"])
    turns = turns_of(case, rng)
    said = {
        "root": dialect.root(turns),
        "asks": dialect.chat(turns[0]),
        "answers": dialect.chat(turns[1]),
        "tool": dialect.tool(case),
    }
    # The id of a span that another names as its parent; one that is never logged has one as well.
    ids: defaultdict[str, str] = defaultdict(trace.new_span_id)
    for span in _SHAPES[shape]["spans"]:
        start, length, times_out = span["start"], span["length"], "times_out" in span
        span_id = trace.span(
            filled(span["name"], {"model": MODEL, "tool": case.topic.tool}),
            start,
            length,
            parent=ids[span["parent"]] if "parent" in span else None,
            kind=DemoSpanKind[span.get("kind", "INTERNAL")],
            attributes={**said.get(span.get("says"), {}), **span.get("more", {})},
            status=StatusCode.ERROR if times_out else StatusCode.OK,
            message="timeout" if times_out else None,
            events=[exception(trace, start + length)] if times_out else (),
        )
        if "id" in span:
            ids[span["id"]] = span_id
    return trace


def deep(rng: Random, at: datetime, case: Case) -> TraceBuilder:
    """Build agents that hand over to each other, fifteen levels down, to one call of the model."""
    trace = TraceBuilder(rng, at)
    turn = turns_of(case, rng)[1]
    length = 6_400.0
    start = 0.0
    parent = trace.span("support-agent", start, length, attributes=OTEL.root([turn]))
    for member in _SHAPES["deep"]["team"]:
        start, length = start + 60, length - 180
        parent = trace.span(
            f"invoke_agent {member}",
            start,
            length,
            parent=parent,
            attributes={**OTEL.root([turn]), "gen_ai.agent.name": member},
        )
    trace.span(
        f"chat {MODEL}",
        start + 60,
        length - 180,
        parent=parent,
        kind=DemoSpanKind.CLIENT,
        attributes=OTEL.chat(turn),
    )
    return trace


def big(rng: Random, at: datetime) -> TraceBuilder:
    """Build the nightly re-indexing: 60 documents in parallel, 8 chunks each, some failing."""
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
