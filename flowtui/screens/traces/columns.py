"""The columns of the list of traces: their titles, and their cells for a trace."""

from __future__ import annotations

from collections.abc import Sequence

from flowtui import format as fmt
from flowtui.screens import judgements
from flowtui.store.traces.values import Trace, TraceState, moment
from flowtui.widgets.cells import Piece, Role
from flowtui.widgets.lists.detail_strip import StripPart
from flowtui.widgets.lists.virtual_table import GAP, Cells, Column

SAID_CHARACTERS = 400
"""How many characters of a text are kept: more than the widest column shows."""
STRIP_CHARACTERS = 2_000
"""How many characters of a text the strip below the list has room for."""
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
_NARROWED = {"input": Column("input", "input", 18, stretch=4)}
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


def columns(width: int, judged: Sequence[str] = ()) -> list[Column]:
    """Return the columns for a table of this many cells, the most telling first.

    Args:
        width: The width in cells.
        judged: The fields of what people said; as many as there is room for stand beside the
            output, the others come last.
    """
    said = [judgements.column(field) for field in judged]
    if width < BOTH_FROM:
        rest = (key for key in _COLUMNS if key not in _NARROW)
        return [*({**_COLUMNS, **_NARROWED}[key] for key in (*_NARROW, *rest)), *said]
    whole = _WHOLE if width >= WHOLE_FROM else {}
    shown = list({**_COLUMNS, **whole}.values())
    at, room, count = shown.index(_COLUMNS["state"]), width - BOTH_FROM, 0
    while count < len(said) and said[count].width + len(GAP) <= room:
        room -= said[count].width + len(GAP)
        count += 1
    return [*shown[:at], *said[:count], *shown[at:], *said[count:]]


def cells(trace: Trace, shown: Sequence[Column]) -> Cells:
    """Return the cells of a trace in these columns."""
    return tuple(_cell(trace, column) for column in shown)


def sort_title(field: str) -> str:
    """Return what a column is called in the list of orders."""
    return SORT_TITLES[field] if field in SORT_TITLES else judgements.title(field)


def _cell(trace: Trace, column: Column) -> Piece:
    if judgements.is_judgement(column.key):
        return judgements.piece(trace.judgements, column.key)
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


def trace_parts(trace: Trace) -> list[StripPart]:
    """Return what the strip below the list says of a trace: what was asked, and answered."""
    found = []
    for label, text in (("input", trace.input), ("output", trace.output)):
        if text is not None:
            found.append(StripPart(label, fmt.one_line(text, STRIP_CHARACTERS)))
        elif trace.is_unsaid:
            found.append(StripPart(label, UNSAID, "attention"))
    if trace.judgements:
        notes = (f"{judgements.title(field)} {judgements.text(said)}"
                 for field, said in trace.judgements.items())  # fmt: skip
        found.append(StripPart("verdicts", "   ".join(notes)))
    return found or [StripPart("", "No span says what was asked or answered.", "muted")]


def said(text: str | None, is_unsaid: bool) -> Piece:
    """Return what was asked or answered on one line."""
    if text is None:
        return Piece(UNSAID, "attention") if is_unsaid else Piece("")
    return Piece(fmt.one_line(text, SAID_CHARACTERS))


def started(start_ns: int | None) -> str:
    """Return a time in Unix nanoseconds as local time to the second, or "" if there is no time."""
    start = moment(start_ns)
    return "" if start is None else f"{start.astimezone():%Y-%m-%d %H:%M:%S}"
