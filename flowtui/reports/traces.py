"""The traces of a run and the spans of one as text and JSON, for scripts and pipes.

The documents are described in docs/json.md and stable. JSON is written as it is read: a list of
any length takes no memory, and a trace what the skeletons of its spans take. Times are ISO 8601
in UTC and, to the last digit, Unix nanoseconds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TextIO

from flowtui import format as fmt
from flowtui.reports.annotation_cells import annotation_document
from flowtui.reports.runs import Document, dumps, table, time_text
from flowtui.store import cancelling
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.decoding import as_sql
from flowtui.store.errors import StoreError
from flowtui.store.genai import Usage
from flowtui.store.open_run import OpenRun
from flowtui.store.traces import details as span_details
from flowtui.store.traces import listing as trace_rows
from flowtui.store.traces import spans as span_rows
from flowtui.store.traces.columns import Spans
from flowtui.store.traces.groups import TraceGroup
from flowtui.store.traces.layout import NONE, laid_out
from flowtui.store.traces.times import sortable
from flowtui.store.traces.values import Span, SpanDetail, SpanEvent, SpanLink, Trace, moment

PAGE_TRACES = 200
PAGE_SPANS = 100
NEAR_MATCHES_SHOWN = 5
SAID_CHARS_PRINTED = 60
INDENT_LEVELS = 40
"""How many levels are indented; deeper ones are not, so that a line still shows its span."""
_STATUS_WORDS = {0: "unset", 1: "ok", 2: "error"}


def print_trace(run: OpenRun, word: str, as_json: bool = False) -> None:
    """Print one trace with its spans, each below its parent.

    Args:
        run: The run.
        word: The id of a trace, or how it begins.
        as_json: Whether to print one document, its spans nested under `spans` and `children`.

    Raises:
        StoreError: No trace, or more than one, begins with the word.
        DatabaseError: The run's database cannot be read.
    """
    trace = _resolved(run, word)
    if as_json:
        write_trace(run, trace, sys.stdout)
        return
    spans = run.ask(span_rows.spans, trace.trace_id)
    lines = (_span_line(depth, spans[row]) for depth, row in depth_first(spans))
    for line in chain(traces_text([trace]), [""], lines):
        print(line)


def write_trace(run: OpenRun, trace: Trace, out: TextIO) -> int:
    """Write one trace as a JSON document, its spans nested, and return how many they are.

    The nesting is written by hand: a document of a thousand levels is beyond `json.dumps`.

    Raises:
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    spans = run.ask(span_rows.spans, trace.trace_id)
    steps = list(depth_first(spans))
    notes = run.ask(annotation_rows.of_trace, trace.trace_id)
    head = dumps(trace_document(trace)).removesuffix("\n}")
    out.write(f'{head},\n  "spans": [')
    depth = -1
    for start in range(0, len(steps), PAGE_SPANS):
        cancelling.check()
        page = steps[start : start + PAGE_SPANS]
        ids = [spans.ids[row] for _, row in page]
        details = run.ask(span_details.details, trace.trace_id, ids, whole=True)
        for level, row in page:
            span = spans[row]
            if level <= depth:
                out.write("]}" * (depth - level + 1) + ",")
            found = span_document(span, details.get(span.span_id))
            found["annotations"] = [annotation_document(n) for n in notes.get(span.span_id, ())]
            document = dumps(found).removesuffix("\n}")
            out.write(f'\n{document},\n  "children": [')
            depth = level
    out.write("]}" * (depth + 1) + "\n  ]\n}\n")
    return len(steps)


def trace_document(trace: Trace) -> Document:
    """Return a trace as `flow-tui traces --json` lists it."""
    return {
        "trace_id": trace.trace_id,
        "name": trace.root_name,
        "input": trace.input,
        "output": trace.output,
        "state": trace.state.value,
        **_times(trace.start_ns, trace.end_ns, trace.duration_ns),
        "span_count": trace.span_count,
        "error_count": trace.error_count,
        "usage": _usage(trace.usage),
        "unread_span_count": trace.unread_count,
        "sample_count": trace.sample_count,
        "annotation_count": trace.annotation_count,
    }


def group_document(by: str, group: TraceGroup) -> Document:
    """Return a group of traces, as it is copied."""
    return {
        by: group.value,
        "trace_count": len(group.keys),
        "failed_trace_count": group.error_count,
        "p50_ns": group.middle_ns,
        "p95_ns": group.high_ns,
        "usage": _usage(group.usage),
        "unread_span_count": group.unread_count,
        "last_started_at": time_text(moment(group.last_ns)),
    }


def span_document(span: Span, detail: SpanDetail | None) -> Document:
    """Return a span with everything that is stored of it, without its children."""
    document: Document = {
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "name": span.name,
        "kind": span.kind,
        "genai_kind": span.genai_kind.value,
        **_times(span.start_ns, span.end_ns, span.duration_ns),
        "status": _STATUS_WORDS.get(span.status_code, span.status_code),
        "usage": _usage(span.usage),
        "annotation_count": span.annotation_count,
    }
    if detail is not None:
        document |= {
            "status_message": detail.status_message,
            "attributes": detail.attributes,
            "events": [_event(event) for event in detail.events],
            "links": [_link(link) for link in detail.links],
            "problems": list(detail.problems),
            "unparsed": detail.unparsed,
        }
    return document


def traces_text(
    traces: Sequence[Trace], more: str = "", values: Sequence[str] = ()
) -> Iterator[str]:
    """Yield a table of traces, a line a trace.

    Args:
        traces: In order.
        more: The head of a further column; empty for none.
        values: The value of each trace in that column.
    """
    heads = (
        "trace",
        "name",
        "input",
        "output",
        "state",
        "started",
        "duration",
        "spans",
        "errors",
        "tokens",
    )
    last = ("samples", "annotations", *([fmt.plain(more, 60)] if more else []))
    rows: list[Sequence[str]] = [(*heads, *last)]
    for trace, value in zip(traces, values or [""] * len(traces), strict=True):
        started = moment(trace.start_ns)
        rows.append(
            (
                fmt.plain(trace.trace_id, 32),
                fmt.plain(trace.root_name, 60),
                _said(trace.input, trace.is_unsaid),
                _said(trace.output, trace.is_unsaid),
                fmt.trace_state(trace.state),
                "" if started is None else fmt.when_short(started),
                fmt.took(trace.start_ns, trace.end_ns),
                f"{trace.span_count:,}",
                _some(trace.error_count),
                fmt.tokens(None if trace.usage is None else trace.usage.total, trace.unread_count),
                _some(trace.sample_count),
                _some(trace.annotation_count),
                *([fmt.one_line(value, SAID_CHARS_PRINTED)] if more else []),
            )
        )
    return table(rows)


def depth_first(spans: Spans) -> Iterator[tuple[int, int]]:
    """Yield (depth, row) of each span, each right below its parent.

    A span whose parent is not there is a root; a ring of parents is cut at its first span. A record
    that only announces a span counts like any other.
    """
    layout = laid_out(spans.ids, spans.parent_ids, [sortable(start) for start in spans.starts])
    above = 0
    for row, depth in zip(layout.rows, layout.depths, strict=True):
        if depth == 0:
            above = 1 if row == NONE else 0
        if row != NONE:
            yield depth - above, row


def _pages(run: OpenRun, keys: Sequence[int]) -> Iterator[Trace]:
    for start in range(0, len(keys), PAGE_TRACES):
        page = keys[start : start + PAGE_TRACES]
        by_key = run.ask(trace_rows.at, page)
        yield from (by_key[key] for key in page if key in by_key)


def trace_by_id(run: OpenRun, trace_id: str) -> Trace | None:
    """Return the trace with an id, None if there is none.

    Raises:
        DatabaseError: The run's database cannot be read.
    """
    return next(_pages(run, _keys_of(run, _IS_IT, trace_id)), None)


_IS_IT = "trace.trace_id = cast(:word as text)"
_BEGINS = "substr(trace.trace_id, 1, length(cast(:word as text))) = cast(:word as text)"


def _keys_of(run: OpenRun, sql: str, word: str) -> Sequence[int]:
    from flowtui.store.filters import Condition

    return run.ask(trace_rows.ordered, Condition(sql, {"word": as_sql(word)}))


def _resolved(run: OpenRun, word: str) -> Trace:
    keys = _keys_of(run, _IS_IT, word)
    if word and not keys:
        keys = _keys_of(run, _BEGINS, word)
    found = list(_pages(run, keys[:NEAR_MATCHES_SHOWN]))
    if not found:
        raise StoreError(f"no trace {word!r} in the run {run.name!r}")
    if len(keys) > 1:
        ids = ", ".join(trace.trace_id for trace in found)
        raise StoreError(f"{fmt.count(len(keys), 'trace')} begin with {word!r}: {ids}")
    return found[0]


def _span_line(depth: int, span: Span) -> str:
    facts = [
        "" if span.genai_kind == "other" else span.genai_kind,
        fmt.took(span.begun_ns, span.ended_ns),
        "" if span.usage is None or not span.usage.total else f"{span.usage.total:,} tokens",
        "error" if span.status_code == 2 else "",
        f"{fmt.count(span.annotation_count, 'annotation')}" if span.annotation_count else "",
    ]
    indent = "  " * min(depth, INDENT_LEVELS)
    name = fmt.plain(span.name, 200)
    return f"  {indent}{name}  {'  '.join(fact for fact in facts if fact)}  {_short(span)}"


def _short(span: Span) -> str:
    return fmt.plain(span.span_id, 16)


def _said(text: str | None, is_unsaid: bool) -> str:
    unread = "(too long to read here)" if is_unsaid else ""
    return unread if text is None else fmt.one_line(text, SAID_CHARS_PRINTED)


def _some(count: int) -> str:
    return f"{count:,}" if count else ""


def _usage(usage: Usage | None) -> Document | None:
    if usage is None:
        return None
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total,
        "cached_tokens": usage.cached_tokens,
        "cache_creation_tokens": usage.cache_creation_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "input_audio_tokens": usage.input_audio_tokens,
        "output_audio_tokens": usage.output_audio_tokens,
        "cost": usage.cost,
    }


def _times(start_ns: int | None, end_ns: int | None, duration_ns: int | None) -> Document:
    return {
        "started_at": time_text(moment(start_ns)),
        "start_ns": start_ns,
        "end_ns": end_ns,
        "duration_ns": duration_ns,
    }


def _event(event: SpanEvent) -> Document:
    return {
        "name": event.name,
        "timestamp_ns": event.timestamp_ns,
        "attributes": event.attributes,
    }


def _link(link: SpanLink) -> Document:
    return {
        "trace_id": link.trace_id,
        "span_id": link.span_id,
        "attributes": link.attributes,
    }
