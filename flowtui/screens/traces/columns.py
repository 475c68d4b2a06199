"""The columns of the list of traces: their titles, and their cells for a trace."""

from __future__ import annotations

from flowtui import format as fmt
from flowtui.store.traces.values import Trace, TraceState, moment
from flowtui.widgets.cells import Piece, Role
from flowtui.widgets.lists.virtual_table import Cells, Column

COLUMNS = (
    Column("name", " trace", 24, stretch=1),
    Column("state", "state", 13),
    Column("duration", "duration", 10, "right"),
    Column("spans", "spans", 7, "right"),
    Column("errors", "errors", 7, "right"),
    Column("tokens", "tokens", 9, "right"),
    Column("start", "started", 19),
    Column("samples", "samples", 7, "right"),
    Column("annotations", "notes", 7, "right"),
    Column("id", "id", 8),
)
STATE_ROLES: dict[TraceState, Role] = {
    TraceState.OK: "ok",
    TraceState.ERROR: "error",
    TraceState.UNSET: "muted",
    TraceState.IN_PROGRESS: "accent",
}


def cells(trace: Trace) -> Cells:
    """Return the cells of a trace, one for each of `COLUMNS`."""
    tokens = None if trace.usage is None else trace.usage.total
    return (
        Piece(f" {fmt.plain(trace.root_name, 200)}"),
        Piece(fmt.trace_state(trace.state), STATE_ROLES[trace.state]),
        Piece(fmt.took(trace.start_ns, trace.end_ns)),
        Piece(f"{trace.span_count:,}"),
        Piece(f"✗ {trace.error_count:,}" if trace.error_count else "", "error"),
        Piece(fmt.tokens(tokens, trace.unread_count)),
        Piece(started(trace.start_ns), "muted"),
        Piece(f"{trace.sample_count:,}" if trace.sample_count else "", "muted"),
        Piece(f"✎ {trace.annotation_count:,}" if trace.annotation_count else "", "accent"),
        Piece(fmt.short_id(trace.trace_id), "muted"),
    )


def started(start_ns: int | None) -> str:
    """Return a time in Unix nanoseconds as local time to the second, or "" if there is no time."""
    start = moment(start_ns)
    return "" if start is None else f"{start.astimezone():%Y-%m-%d %H:%M:%S}"
