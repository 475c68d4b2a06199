"""Answers to a span's tool calls that other spans of its trace hold (exp.db: spans).

A model's answer ends with calls, and what they gave stands elsewhere: in the spans of the tools,
and in what the next call of the model was told.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flowtui.store.annotations.values import SpanTarget
from flowtui.store.database import table_columns
from flowtui.store.genai import (
    Part,
    SpanKind,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
    UnknownPart,
    details,
    exceptions,
    messages,
    paired_calls,
)
from flowtui.store.genai.fields import nested
from flowtui.store.genai.messages import numbered_name
from flowtui.store.traces import details as span_details
from flowtui.store.traces.columns import Spans
from flowtui.store.traces.values import SpanDetail
from flowtui.store.values import JsonValue

LATER_SPANS = 500
"""In how many of the spans that begin after one its answers are looked for."""
READ_SPANS = 20
"""How many of these are read in full."""
_LOOKED_UP_CALLS = 16
_FAILED = 2


@dataclass(frozen=True, slots=True)
class FoundAnswer:
    """What a tool answered, or why it failed, and the span that says so."""

    span: SpanTarget
    span_name: str
    result: JsonValue
    problem: str | None = None


def answers(
    connection: sqlite3.Connection, spans: Spans, row: int, calls: Sequence[ToolCall]
) -> list[FoundAnswer | None]:
    """Return the answer to each call of a span, None where no later span is seen to have it.

    A call is known by its id. Tools that run under the same parent and name no call are known by
    their name and arguments, each for one call.

    Args:
        connection: A connection to exp.db.
        spans: The spans of the trace.
        row: The row of the span in them.
        calls: Its calls that nothing answers in the span itself.
    """
    search = _Search(calls)
    parents = {spans.ids[row], spans.parent_ids[row]} - {None}
    rows = range(row + 1, min(row + 1 + LATER_SPANS, len(spans)))
    naming = _naming(connection, spans, rows, search.ids)
    beside = {
        at
        for at in rows
        if spans.parent_ids[at] in parents and spans.genai_kind(at) is SpanKind.TOOL
    }
    # A tool's own span says more of its run than what repeats its answer.
    wanted = sorted(naming | beside, key=lambda at: (spans.genai_kind(at) is not SpanKind.TOOL, at))
    del wanted[READ_SPANS:]
    found = span_details.details(connection, spans.trace_id, [spans.ids[at] for at in wanted])
    for at in wanted:
        if (detail := found.get(spans.ids[at])) is not None:
            search.look_into(detail, at in beside)
    return search.found


def _naming(
    connection: sqlite3.Connection, spans: Spans, rows: range, ids: Sequence[str]
) -> frozenset[int]:
    """Return the rows of spans in whose text one of some ids occurs."""
    if not rows or not ids:
        return frozenset()
    by_rowid = {spans.rowids[at]: at for at in rows}
    present = table_columns(connection, "spans")
    has_one = [
        f"instr({column}, ?{number})"
        for column in ("attributes", "events")
        if column in present
        for number in range(1, len(ids) + 1)
    ]
    if not has_one:
        return frozenset()
    within = ", ".join(map(str, by_rowid))
    found = connection.execute(
        f"select rowid from spans where rowid in ({within}) and ({' or '.join(has_one)})",
        list(ids),
    )
    return frozenset(by_rowid[rowid] for (rowid,) in found)


class _Search:
    """Some calls, and the answers that were found to them."""

    def __init__(self, calls: Sequence[ToolCall]) -> None:
        self.found: list[FoundAnswer | None] = [None] * len(calls)
        self._calls = calls[:_LOOKED_UP_CALLS]

    @property
    def ids(self) -> list[str]:
        """The ids to look for in stored JSON, which escapes other characters in several ways."""
        ids = (call.id for call in self._calls)
        return list(dict.fromkeys(id_ for id_ in ids if id_ and id_.isascii()))

    def look_into(self, detail: SpanDetail, is_beside: bool) -> None:
        """Take what a span says of calls that have no answer yet."""
        tool = details(detail.attributes).tool
        if tool is None:
            self._look_into_chat(detail)
            return
        answer = _of_run(detail, tool)
        if answer is None:
            return
        for at, call in self._open():
            is_its = (
                call.id == tool.call_id
                if tool.call_id is not None
                else is_beside and (call.name, call.arguments) == (tool.name, tool.arguments)
            )
            if is_its:
                self.found[at] = answer
                return

    def _look_into_chat(self, detail: SpanDetail) -> None:
        chat = messages(detail.attributes, detail.raw_events)
        pairs = paired_calls(chat)
        paired = {id(result) for _, result in pairs}
        alone = [
            part
            for message in (*chat.input, *chat.output)
            for part in message.parts
            if isinstance(part, ToolResult) and id(part) not in paired
        ]
        span = SpanTarget(detail.trace_id, detail.span_id)
        for at, call in self._open():
            told = [result for other, result in pairs if other == call and result is not None]
            if call.id is not None and numbered_name(call.id) != call.name:
                told += [result for result in alone if result.id == call.id]
            if told:
                # Calls whose ids repeat from turn to turn: the last is the newest.
                self.found[at] = FoundAnswer(span, detail.name, told[-1].result)

    def _open(self) -> Iterator[tuple[int, ToolCall]]:
        for at, call in enumerate(self._calls):
            if self.found[at] is None:
                yield at, call


def _of_run(detail: SpanDetail, tool: Tool) -> FoundAnswer | None:
    """Return what the run of a tool gave; None while it runs."""
    result, problem = tool.result, None
    if result is None:
        # Strands tells it in an event.
        said = messages({}, detail.raw_events).output
        result = next((_value(part) for message in said for part in message.parts), None)
    if result is None:
        if detail.status_code != _FAILED:
            return None
        raised = exceptions(detail.raw_events, detail.attributes)
        told = (detail.status_message, *(one.message or one.type for one in raised))
        problem = next((text for text in told if text), "the span does not say why")
    span = SpanTarget(detail.trace_id, detail.span_id)
    return FoundAnswer(span, detail.name, result, problem)


def _value(part: Part) -> JsonValue:
    match part:
        case TextPart(text=text):
            return nested(text)
        case ToolResult(result=result):
            return result
        case UnknownPart(raw=raw):
            return raw
    return None
