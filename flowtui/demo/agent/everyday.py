"""Traces of the usual shapes: answer with a tool, answer from documents, chat with events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from random import Random

from flowtui.demo.agent.dialects import OPENINFERENCE, OTEL, DemoTurn, Dialect
from flowtui.demo.agent.topics import MODEL, SYSTEM, TOPICS, Case
from flowtui.demo.agent.trace import DemoSpanKind, StatusCode, TraceBuilder
from flowtui.demo.resources import read_text
from flowtui.store.schema import SpanRow

_TOOL_TRACEBACK = read_text("tool_traceback.txt")


def turns_of(case: Case, rng: Random) -> tuple[DemoTurn, DemoTurn]:
    """Make the two calls of the model that a question usually takes."""
    first = rng.randrange(380, 720)
    return (
        DemoTurn(case, True, first, rng.randrange(18, 60), cached_tokens=256),
        DemoTurn(case, False, first + rng.randrange(60, 260), rng.randrange(40, 170)),
    )


def answer_with_tool(
    rng: Random, at: datetime, case: Case, dialect: Dialect, *, fails: bool = False
) -> TraceBuilder:
    """Build agent, model, tool, model; where it fails, the trace ends with the tool's timeout."""
    trace = TraceBuilder(rng, at)
    turns = turns_of(case, rng)
    think, look, write = rng.uniform(400, 1_400), rng.uniform(60, 700), rng.uniform(600, 2_600)
    if fails:
        look = 4_000.0
    total = think + look + (0 if fails else write) + 24
    root = trace.span(
        "support-agent",
        0,
        total,
        kind=DemoSpanKind.SERVER,
        attributes=dialect.root(turns[:1] if fails else turns),
        status=StatusCode.ERROR if fails else StatusCode.OK,
        message=f"tool {case.topic.tool} timed out" if fails else None,
    )
    trace.span(
        f"chat {MODEL}",
        6,
        think,
        parent=root,
        kind=DemoSpanKind.CLIENT,
        attributes=dialect.chat(turns[0]),
    )
    _tool_span(trace, dialect, case, root, think + 10, look, fails)
    if not fails:
        at_ms = think + look + 14
        trace.span(
            f"chat {MODEL}",
            at_ms,
            write,
            parent=root,
            kind=DemoSpanKind.CLIENT,
            attributes=dialect.chat(turns[1]),
            events=[trace.event("first_token", at_ms + write * 0.3, tokens=1)],
        )
    return trace


def answer_from_documents(rng: Random, at: datetime, case: Case) -> TraceBuilder:
    """Build chain, retriever with an embedding, reranker, model, in OpenInference's words."""
    trace = TraceBuilder(rng, at)
    dialect = OPENINFERENCE
    turn = turns_of(case, rng)[1]
    search, rank, write = rng.uniform(90, 260), rng.uniform(40, 120), rng.uniform(700, 2_200)
    chain = {**dialect.root([turn]), "openinference.span.kind": "CHAIN"}
    root = trace.span("answer_from_documents", 0, search + rank + write + 12, attributes=chain)
    retriever = trace.span("retrieve", 2, search, parent=root, attributes=_documents(case, rng))
    trace.span(
        "embed query",
        4,
        search * 0.4,
        parent=retriever,
        kind=DemoSpanKind.CLIENT,
        attributes={
            "openinference.span.kind": "EMBEDDING",
            "gen_ai.operation.name": "embeddings",
            "embedding.model_name": "embed-small-2",
            "embedding.embeddings.0.embedding.text": case.question,
            "llm.token_count.prompt": len(case.question) // 4,
        },
    )
    trace.span(
        "rerank",
        search + 4,
        rank,
        parent=root,
        attributes={"openinference.span.kind": "RERANKER", "reranker.model_name": "rerank-1"},
    )
    start = search + rank + 8
    trace.span(
        f"chat {MODEL}",
        start,
        write,
        parent=root,
        kind=DemoSpanKind.CLIENT,
        attributes=dialect.chat(turn),
    )
    return trace


def chat_with_events(
    rng: Random, at: datetime, case: Case, before: SpanRow, score: float
) -> TraceBuilder:
    """Build an older chat: content in events, a judgement, a link to the trace before it."""
    trace = TraceBuilder(rng, at)
    turn = turns_of(case, rng)[1]
    usage = {
        "gen_ai.usage.input_tokens": turn.input_tokens,
        "gen_ai.usage.output_tokens": turn.output_tokens,
    }
    length = rng.uniform(900, 2_400)
    root = trace.span(
        "conversation turn",
        0,
        length + 30,
        kind=DemoSpanKind.SERVER,
        attributes=OTEL.root([turn]),
        links=[trace.link(before, "previous turn of the conversation")],
    )
    trace.span(
        f"chat {MODEL}",
        4,
        length,
        parent=root,
        kind=DemoSpanKind.CLIENT,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "example-ai",
            "gen_ai.request.model": MODEL,
            **usage,
        },
        events=_message_events(trace, case, length, score),
    )
    return trace


def exception(trace: TraceBuilder, at_ms: float) -> dict[str, object]:
    """Make the event of a tool that timed out, with its stack trace."""
    return trace.event(
        "exception",
        at_ms,
        exception__type="agent.errors.ToolTimeout",
        exception__message="orders.internal did not answer in 4.0 s",
        exception__stacktrace=_TOOL_TRACEBACK,
        exception__escaped=False,
    )


def _tool_span(
    trace: TraceBuilder,
    dialect: Dialect,
    case: Case,
    parent: str,
    start_ms: float,
    length_ms: float,
    fails: bool,
) -> None:
    attributes = dialect.tool(case)
    events: Sequence[dict[str, object]] = ()
    if fails:
        attributes["error.type"] = "agent.errors.ToolTimeout"
        events = [exception(trace, start_ms + length_ms)]
    trace.span(
        f"execute_tool {case.topic.tool}",
        start_ms,
        length_ms,
        parent=parent,
        attributes=attributes,
        status=StatusCode.ERROR if fails else StatusCode.OK,
        message="timeout" if fails else None,
        events=events,
    )


def _documents(case: Case, rng: Random) -> dict[str, object]:
    found: dict[str, object] = {
        "openinference.span.kind": "RETRIEVER",
        "input.value": case.question,
        "retrieval.query": json.dumps({"top_k": 3}),
    }
    others = [topic for topic in TOPICS if topic is not case.topic]
    for place, topic in enumerate([case.topic, *rng.sample(others, 2)]):
        document = f"retrieval.documents.{place}.document"
        found[f"{document}.id"] = f"kb/{topic.key}.md"
        found[f"{document}.content"] = topic.document
        found[f"{document}.score"] = round(0.91 - 0.17 * place - rng.uniform(0, 0.05), 4)
    return found


def _message_events(
    trace: TraceBuilder, case: Case, length_ms: float, score: float
) -> list[dict[str, object]]:
    return [
        trace.event("gen_ai.system.message", 4, content=SYSTEM, role="system"),
        trace.event("gen_ai.user.message", 5, content=case.question, role="user"),
        trace.event("gen_ai.choice", length_ms, index=0, content=case.answer, finish_reason="stop"),
        trace.event(
            "gen_ai.evaluation.result",
            length_ms + 1,
            gen_ai__evaluation__name="helpfulness",
            gen_ai__evaluation__score__value=score,
            gen_ai__evaluation__score__label="pass" if score >= 0.5 else "fail",
            gen_ai__evaluation__explanation="Answers the question and names the next step.",
        ),
    ]
