"""The conversation of a session as sections of a document: one for each of its traces."""

from __future__ import annotations

from flowtui import format as fmt
from flowtui.store.annotations.values import SpanTarget
from flowtui.store.traces.session import SessionTurn, SessionTurns
from flowtui.store.traces.values import TraceState, moment
from flowtui.widgets.documents.blocks import Section, Text
from flowtui.widgets.documents.bounded_blocks import bounded_sections
from flowtui.widgets.documents.conversation import conversation_blocks

SILENT = "No span of this trace says what was asked or answered."
UNREAD = "▲ A span of this trace is too long to be read here: t opens it."


def session_sections(found: SessionTurns) -> tuple[Section, ...]:
    """Return a section for each trace of a session, in the order of time.

    Enter on its heading follows it to the trace.
    """
    sections = list(map(_section, found.turns))
    if rest := found.trace_count - len(found.turns):
        more = f"… {fmt.count(rest, 'later trace')} of this session, which only the list shows"
        sections.append(Section("more", "", (Text(more, "muted"),)))
    return bounded_sections(sections)


def _section(turn: SessionTurn) -> Section:
    trace = turn.trace
    blocks = conversation_blocks(turn.said)
    notes = (Text(UNREAD, "attention"),) if turn.is_unread else ()
    silent = () if blocks or notes else (Text(SILENT, "muted"),)
    start = moment(trace.start_ns)
    facts = [
        "" if start is None else fmt.when(start),
        fmt.took(trace.start_ns, trace.end_ns),
        fmt.trace_state(trace.state) if trace.state is not TraceState.OK else "",
    ]
    return Section(
        trace.trace_id,
        trace.root_name or "(no name)",
        (*blocks, *notes, *silent),
        note=" · ".join(filter(None, facts)),
        role="error" if trace.state is TraceState.ERROR else "title",
        target=SpanTarget(trace.trace_id, ""),
    )
