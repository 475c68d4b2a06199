"""The columns of the list of traces: their titles, and their cells for a trace."""

from __future__ import annotations

from collections.abc import Sequence

from flowtui import format as fmt
from flowtui.store.traces.values import Trace, TraceState, moment
from flowtui.widgets.cells import Piece, Role
from flowtui.widgets.lists.virtual_table import Cells, Column

SAID_CHARACTERS = 400
"""How many characters of a text are kept: more than the widest column shows."""
UNSAID = "▲ too long to read here"
_COLUMNS = {
    column.key: column
    for column in (
        Column("name", " trace", 14, stretch=1),
        Column("input", "input", 21, stretch=4),
        Column("output", "output", 17, stretch=4),
        Column("state", "state", 13),
        Column("duration", "duration", 10, "right"),
        Column("tokens", "tokens", 8, "right"),
        Column("errors", "✗", 4, "right"),
        Column("start", "started", 11),
        Column("annotations", "✎", 4, "right"),
        Column("spans", "spans", 7, "right"),
        Column("samples", "samples", 7, "right"),
        Column("id", "id", 8),
    )
}
_NARROW = ("name", "input", "state", "duration", "tokens", "errors", "output")
"""The first columns of a table that has no room for two texts."""
BOTH_FROM, WHOLE_FROM = 110, 150
"""From how many cells on a table has the output beside the input, and a time in full."""
_NARROWED = {"state": Column("state", "state", 9)}
_WHOLE = {"start": Column("start", "started", 19)}
SORT_TITLES = {
    **{key: column.title.strip() for key, column in _COLUMNS.items()},
    "errors": "errors",
    "annotations": "annotations",
}
STATE_ROLES: dict[TraceState, Role] = {
    TraceState.OK: "ok",
    TraceState.ERROR: "error",
    TraceState.UNSET: "muted",
    TraceState.IN_PROGRESS: "accent",
}


def columns(width: int) -> list[Column]:
    """Return the columns for a table of this many cells, the most telling first."""
    if width < BOTH_FROM:
        rest = (key for key in _COLUMNS if key not in _NARROW)
        return [{**_COLUMNS, **_NARROWED}[key] for key in (*_NARROW, *rest)]
    whole = _WHOLE if width >= WHOLE_FROM else {}
    return list({**_COLUMNS, **whole}.values())


def cells(trace: Trace, shown: Sequence[Column]) -> Cells:
    """Return the cells of a trace in these columns."""
    return tuple(_cell(trace, column) for column in shown)


def _cell(trace: Trace, column: Column) -> Piece:
    match column.key:
        case "name":
            return Piece(f" {fmt.plain(trace.root_name, 200)}")
        case "input":
            return said(trace.input, trace.is_unsaid)
        case "output":
            return said(trace.output, trace.is_unsaid)
        case "state":
            return Piece(fmt.trace_state(trace.state), STATE_ROLES[trace.state])
        case "duration":
            return Piece(fmt.took(trace.start_ns, trace.end_ns))
        case "tokens":
            total = None if trace.usage is None else trace.usage.total
            return Piece(fmt.tokens(total, trace.unread_count))
        case "errors":
            return Piece(f"✗ {trace.error_count:,}" if trace.error_count else "", "error")
        case "start":
            start = started(trace.start_ns)
            return Piece(start if column.width == len(start) else start[5:-3], "muted")
        case "annotations":
            count = trace.annotation_count
            return Piece(f"✎ {count:,}" if count else "", "accent")
        case "spans":
            return Piece(f"{trace.span_count:,}")
        case "samples":
            return Piece(f"{trace.sample_count:,}" if trace.sample_count else "", "muted")
    return Piece(fmt.short_id(trace.trace_id), "muted")


def said(text: str | None, is_unsaid: bool) -> Piece:
    """Return what was asked or answered on one line."""
    if text is None:
        return Piece(UNSAID, "attention") if is_unsaid else Piece("")
    return Piece(fmt.one_line(text, SAID_CHARACTERS))


def started(start_ns: int | None) -> str:
    """Return a time in Unix nanoseconds as local time to the second, or "" if there is no time."""
    start = moment(start_ns)
    return "" if start is None else f"{start.astimezone():%Y-%m-%d %H:%M:%S}"
