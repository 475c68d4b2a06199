"""The sections of a span about its error, tool, retrieval, model, tokens and evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flowtui import format as fmt
from flowtui.store.genai import (
    Evaluation,
    RetrievedDocument,
    SpanDetails,
    SpanException,
    Usage,
    evaluations,
    exceptions,
)  # fmt: skip
from flowtui.store.traces.tree import ERROR
from flowtui.store.traces.values import SpanDetail
from flowtui.store.values import JsonValue
from flowtui.widgets.cells import Role
from flowtui.widgets.documents.blocks import Block, Fact, Facts, Section, Text, Turn, Values
from flowtui.widgets.documents.conversation import value_blocks

TRACE_LINES = -6
"""How much of a stack trace is shown at first: its last lines, which say what happened."""
CONTENT_LINES = 3
Events = Sequence[Mapping[str, JsonValue]]


def error_section(detail: SpanDetail, events: Events) -> Section | None:
    """Return the status message, and each exception with the end of its stack trace."""
    raised = exceptions(events, detail.attributes)
    failed = detail.status_code == ERROR
    role: Role = "error" if failed else "attention"
    blocks: list[Block] = []
    status = detail.status_message
    if status and not any(status in (_said(e), e.message) for e in raised):
        blocks.append(Text(status, role))
    for exception in raised:
        blocks.append(Text(_said(exception), role))
        if exception.stacktrace:
            blocks.append(Text(exception.stacktrace.strip("\n"), "muted", peek=TRACE_LINES))
    if not blocks:
        return None
    return Section("error", "Error" if failed else "Exception", tuple(blocks), role=role)


def tool_section(found: SpanDetails) -> Section | None:
    """Return the tool that a span ran: its name, arguments and result."""
    tool = found.tool
    if tool is None:
        return None
    blocks: list[Block] = []
    if tool.description:
        blocks.append(Text(tool.description, "muted", peek=CONTENT_LINES))
    for name, value in (("arguments", tool.arguments), ("result", tool.result)):
        if value is not None:
            blocks.append(Turn(name, value_blocks(f"tool {name}", value), "muted"))
    note = "  ".join(word for word in (tool.name, tool.type, tool.call_id) if word)
    return Section("tool", "Tool", tuple(blocks), note)


def offer_section(found: SpanDetails) -> Section | None:
    """Return the tools that a model may call: their names, and folded their definitions."""
    offered = found.tools_offered
    if not offered:
        return None
    blocks = []
    for index, tool in enumerate(offered):
        about: list[Block] = []
        if tool.description:
            about.append(Text(tool.description, peek=CONTENT_LINES))
        if tool.definition is not None:
            about += value_blocks(f"offered {index}", tool.definition)
        blocks.append(Turn(tool.name, tuple(about), "text"))
    names = ", ".join(tool.name for tool in offered)
    return Section("tools", fmt.count(len(offered), "tool"), tuple(blocks), names, is_folded=True)


def retrieval_section(found: SpanDetails) -> Section | None:
    """Return the query, and the retrieved documents in their order, with their scores."""
    if found.retrieval_query is None and not found.documents:
        return None
    query = () if found.retrieval_query is None else (Fact("query", found.retrieval_query),)
    blocks: list[Block] = [Facts(query)] if query else []
    blocks += [_document(index, item) for index, item in enumerate(found.documents, 1)]
    note = fmt.count(len(found.documents), "document") if found.documents else ""
    return Section("retrieval", "Retrieval", tuple(blocks), note)


def model_section(found: SpanDetails) -> Section | None:
    """Return the model, its settings, and why it stopped."""
    answered = found.response_model if found.response_model != found.request_model else None
    texts = (
        ("provider", found.provider),
        ("model", found.request_model),
        ("answered by" if found.request_model else "model", answered),
        ("agent", found.agent_name),
        ("agent id", found.agent_id),
        ("workflow", found.workflow_name),
        ("conversation", found.conversation_id),
        ("user", found.user_id),
    )
    plain = {
        name: fmt.json_text(value)
        for name, value in found.parameters
        if name != "model" and not isinstance(value, (dict, list))
    }
    nested = {name: value for name, value in found.parameters if isinstance(value, (dict, list))}
    rows = [Fact(label, text) for label, text in (*texts, *plain.items()) if text]
    if found.finish_reasons:
        rows.append(Fact("finish", ", ".join(found.finish_reasons)))
    blocks: list[Block] = [Facts(tuple(rows))] if rows else []
    if nested:
        blocks.append(Values("parameters", nested))
    return Section("model", "Model", tuple(blocks)) if blocks else None


def token_section(usage: Usage | None) -> Section | None:
    """Return the tokens that the span itself used, in full numbers."""
    if usage is None:
        return None
    counts = (
        ("input", usage.input_tokens),
        ("  from cache", usage.cached_tokens),
        ("  to cache", usage.cache_creation_tokens),
        ("  audio", usage.input_audio_tokens),
        ("output", usage.output_tokens),
        ("  reasoning", usage.reasoning_tokens),
        ("  audio", usage.output_audio_tokens),
        ("total", usage.total),
    )
    known = [(label, f"{count:,}") for label, count in counts if count is not None]
    if usage.cost is not None:
        known.append(("cost", fmt.number(usage.cost)))
    numbers = fmt.aligned([text for _, text in known])
    widest = max(map(len, numbers), default=0)
    rows = tuple(
        Fact(label, f"{text:>{widest}}") for (label, _), text in zip(known, numbers, strict=True)
    )
    return Section("tokens", "Tokens", (Facts(rows),)) if rows else None


def evaluation_section(detail: SpanDetail, events: Events) -> Section | None:
    """Return the evaluations that the instrumentation recorded."""
    judged = evaluations(events, detail.attributes)
    if not judged:
        return None
    return Section("evaluations", "Evaluations", (Facts(tuple(map(_judgement, judged))),))


def _said(exception: SpanException) -> str:
    return ": ".join(part for part in (exception.type, exception.message) if part) or "no message"


def _document(index: int, document: RetrievedDocument) -> Turn:
    note = "" if document.score is None else f"score {fmt.number(document.score)}"
    content = document.content
    blocks = () if content is None else (Text(content, peek=CONTENT_LINES),)
    return Turn(f"{index}  {document.id or ''}".rstrip(), blocks, "text", note)


def _judgement(judged: Evaluation) -> Fact:
    score = None if judged.value is None else fmt.number(judged.value)
    facts = [fact for fact in (score, judged.label, judged.explanation) if fact]
    return Fact(judged.name or "no name", "   ".join(facts))
