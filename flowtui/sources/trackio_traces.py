"""Trackio's traces: messages as OpenAI has them, and spans where the program told of any.

Source: trackio/trace.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from flowtui.sources.json_values import (
    as_json,
    filled,
    mapping,
    nanoseconds,
    number,
    sequence,
    text,
)
from flowtui.sources.records import SourceBatch
from flowtui.sources.span_drafts import CLIENT, SpanDraft, rows, trace_id
from flowtui.sources.trackio_values import RowAt
from flowtui.store.values import JsonValue

_OPERATIONS = {"generation": "chat", "tool": "execute_tool"}
_USAGE = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
    "total_tokens": "llm.token_count.total",
}
_FAILED = ("error", "failed", "failure")
_MOST_SPANS = 50_000
_MILLISECONDS_FROM = 1e11
"""A time above this is not one of seconds, which would be in the year 5138."""
_LAST_NS = 2**62


def take_trace(
    row_id: str, name: str, given: Mapping[str, JsonValue], where: RowAt, batch: SourceBatch
) -> None:
    """Add the spans of a trace to a batch.

    Args:
        row_id: What is its own among all traces of the run.
        name: What it is called.
        given: Its messages, metadata and spans.
        where: When and at which step it was logged.
        batch: The batch.
    """
    told = list(map(mapping, sequence(given.get("spans"))))
    if len(told) > _MOST_SPANS:
        batch.left_out[f"spans of a trace past {_MOST_SPANS:,}"] += len(told) - _MOST_SPANS
        del told[_MOST_SPANS:]
    metadata = mapping(given.get("metadata"))
    at_ns = int(where.at.timestamp()) * 1_000_000_000
    root = SpanDraft("trace", name, at_ns)
    root.attributes["trackio.step"] = where.step
    drafts = [_draft(span, place, root) for place, span in enumerate(told)]
    by_id = {text(span.get("id")): draft for span, draft in zip(told, drafts, strict=True)}
    for span, draft in zip(told, drafts, strict=True):
        parent = by_id.get(text(span.get("parent_id")))
        draft.parent = root if parent is None or parent is draft else parent
    starts = [draft.start_ns for draft in drafts if draft.start_ns]
    root.start_ns = min(starts, default=at_ns)
    took_ms = number(metadata.get("duration_ms")) or number(metadata.get("latency_ms"))
    ends = [draft.end_ns for draft in drafts]
    root.end_ns = max([*ends, _after(root.start_ns, took_ms)])
    for span, draft in zip(told, drafts, strict=True):
        if not draft.start_ns:
            # Without any time it begins with its trace.
            draft.start_ns = root.start_ns
            took_ms = number(span.get("duration_ms"))
            draft.end_ns = 0 if took_ms is None else _after(draft.start_ns, took_ms)
    _tell(root, given, metadata, has_spans=bool(told))
    trace = trace_id("trackio", row_id)
    batch.spans += rows(trace, [root, *drafts], root.end_ns)


def _tell(
    root: SpanDraft,
    given: Mapping[str, JsonValue],
    metadata: Mapping[str, JsonValue],
    *,
    has_spans: bool,
) -> None:
    said = list(sequence(given.get("messages")))
    answer = [said.pop()] if said and mapping(said[-1]).get("role") == "assistant" else []
    root.attributes["gen_ai.operation.name"] = "invoke_agent"
    if said:
        root.attributes["gen_ai.input.messages"] = as_json(said)
    if answer:
        root.attributes["gen_ai.output.messages"] = as_json(answer)
    if session := text(metadata.get("session_id")):
        root.attributes["gen_ai.conversation.id"] = session
    cost = number(metadata.get("cost_usd"))
    if cost is not None and not has_spans:
        root.attributes["llm.cost.total"] = cost
    for key, value in metadata.items():
        root.attributes[f"metadata.{key}"] = _flat(value)
    if text(metadata.get("status")).lower() in _FAILED:
        root.message = text(metadata.get("status"))


def _draft(span: Mapping[str, JsonValue], place: int, root: SpanDraft) -> SpanDraft:
    kind = text(span.get("kind"))
    start_ns, end_ns = _ns(span.get("start_time")), _ns(span.get("end_time"))
    took_ms = number(span.get("duration_ms"))
    if not end_ns and start_ns:
        end_ns = _after(start_ns, took_ms)
    elif not start_ns and end_ns:
        start_ns = _after(end_ns, None if took_ms is None else -took_ms)
    name = text(span.get("name")) or kind or "span"
    draft = SpanDraft(text(span.get("id")) or f"{place}", name, start_ns, end_ns, root)
    said: dict[str, JsonValue] = {"trackio.span.kind": kind}
    if kind in _OPERATIONS:
        said["gen_ai.operation.name"] = _OPERATIONS[kind]
    else:
        said["openinference.span.kind"] = "CHAIN"
    if kind == "tool":
        said["gen_ai.tool.name"] = name
        said["gen_ai.tool.call.arguments"] = _flat(span.get("input"))
        said["gen_ai.tool.call.result"] = _flat(span.get("output"))
    else:
        draft.kind = CLIENT if kind == "generation" else draft.kind
        said["input.value"] = _flat(span.get("input"))
        said["output.value"] = _flat(span.get("output"))
    said["gen_ai.request.model"] = text(span.get("model"))
    said["llm.cost.total"] = number(span.get("cost_usd"))
    for counted, value in mapping(span.get("usage")).items():
        said[_USAGE.get(counted, f"trackio.usage.{counted}")] = _flat(value)
    for key, value in mapping(span.get("metadata")).items():
        said[f"metadata.{key}"] = _flat(value)
    draft.attributes |= filled(said)
    error = span.get("error")
    if error or text(span.get("status")).lower() in _FAILED:
        message = error if isinstance(error, str) else as_json(error) if error else "it failed"
        draft.fail(text(message), draft.end_ns or draft.start_ns or root.start_ns)
    return draft


def _flat(value: JsonValue) -> JsonValue:
    return as_json(value) if isinstance(value, (list, dict)) else value


def _after(start_ns: int, took_ms: float | None) -> int:
    if took_ms is None or not -1e15 < took_ms < 1e12:
        return start_ns
    return min(max(start_ns + int(took_ms * 1e6), 0), _LAST_NS)


def _ns(value: JsonValue) -> int:
    """Return a time as nanoseconds since 1970, 0 where there is none.

    Numbers are seconds, or milliseconds where they are large.
    """
    seconds = number(value)
    if seconds is None:
        return nanoseconds(value) or 0
    if not 0 < seconds < 1e14:
        return 0
    return min(int(seconds * (1e6 if seconds > _MILLISECONDS_FROM else 1e9)), _LAST_NS)
