"""Spans as the rows that the SDK's own exporter writes (exp.db: spans).

Besides the span's attributes, its row keeps where it comes from: the attributes of the resource as
one object under `otel.resource`, and name, version and attributes of the instrumentation scope
under `otel.scope`. So names of the resource can never be taken for the span's. Where a span itself
has an attribute of one of these two names, underscores are added to ours until it is free.
"""

from __future__ import annotations

import json

from flowtui.store.genai.kinds import SpanKind, span_kind
from flowtui.store.otlp.items import RESOURCE, SCOPE, OtlpSpan

Row = tuple[str | int | None, ...]

COLUMNS = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "kind",
    "dfs_span_type",
    "start_time_unix_nano",
    "end_time_unix_nano",
    "status_code",
    "status_message",
    "attributes",
    "events",
    "links",
    "trace_flags",
)
"""The columns of a row in their order; created_at is the moment of writing, as for the SDK."""

# As json.dumps, without the search for cycles, which decoded values cannot have.
_encoded = json.JSONEncoder(check_circular=False).encode
_LONG = slice(COLUMNS.index("attributes"), COLUMNS.index("trace_flags"))
_TYPES = {
    SpanKind.CHAT: 1,
    SpanKind.AGENT: 2,
    SpanKind.TOOL: 3,
    SpanKind.EMBEDDER: 4,
    SpanKind.RERANKER: 5,
}


def row(span: OtlpSpan) -> Row:
    """Return a span's row, in the order of `COLUMNS`."""
    return (
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        span.name,
        span.kind,
        span_type(span),
        span.start_ns,
        span.end_ns,
        span.status_code,
        span.status_message,
        _attributes(span),
        _encoded(span.events) if span.events else None,
        _encoded(span.links) if span.links else None,
        span.trace_flags,
    )


def span_type(span: OtlpSpan) -> int:
    """Return the dfs_span_type of a span: the SDK's guess or, where it has none, that of `genai`.

    The SDK knows gen_ai.operation.name and, before it, llm.request.type; a kind that it has no
    number for is 0.
    """
    attributes = span.attributes
    operation = attributes.get("gen_ai.operation.name")
    if operation == "chat" or attributes.get("llm.request.type") == "chat":
        # Most spans are of this kind, and both guesses agree on it.
        return _TYPES[SpanKind.CHAT]
    return _TYPES.get(span_kind(attributes, 0), 0)


def size_chars(values: Row) -> int:
    """Return the length of those texts of a row that can be long."""
    return sum(len(value) for value in values[_LONG] if isinstance(value, str))


def _attributes(span: OtlpSpan) -> str | None:
    own, origin = span.attributes, span.origin
    if RESOURCE in own or SCOPE in own:
        merged = dict(own)
        for name, value in origin.values.items():
            while name in merged:
                name += "_"
            merged[name] = value
        return _encoded(merged)
    if not own:
        return f"{{{origin.json_members}}}" if origin.values else None
    text = _encoded(own)
    return f"{text[:-1]}, {origin.json_members}}}" if origin.values else text
