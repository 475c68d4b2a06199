"""The line that sums a trace up."""

from __future__ import annotations

from flowtui import format as fmt
from flowtui.screens.traces.columns import started
from flowtui.screens.traces.reading import ReadTrace
from flowtui.store.genai import Usage
from flowtui.store.traces.tree import SpanTree
from flowtui.widgets.cells import Line, Piece, justified


def summary(trace: ReadTrace, place: str, width: int) -> Line:
    """Return name, time, spans, errors, tokens and cost, and at the right the place in the list.

    Args:
        trace: The trace as it was read.
        place: The place in the list, such as `trace 3 of 30`.
        width: The width of the line in cells.
    """
    tree = trace.tree
    pieces = [Piece(f" {_name(tree)}  ", "title"), Piece(_facts(tree))]
    if tree.error_count:
        pieces.insert(2, Piece(f" · ✗ {tree.error_count:,}", "error"))
    if tree.usage is not None and (used := _used(tree.usage)):
        pieces.append(Piece(f" · {used}"))
    if tree.spans.said is None:
        pieces.append(Piece(" · reading attributes…", "muted"))
    if tree.unread_count:
        unread = f" · ▲ {fmt.count(tree.unread_count, 'span')} too long to read"
        pieces.append(Piece(unread, "attention"))
    if trace.samples:
        pieces.append(Piece(f" · {fmt.count(len(trace.samples), 'sample')}"))
    if tree.start_ns is not None:
        pieces.append(Piece(f" · {started(tree.start_ns)}", "muted"))
    notes = tree.annotation_count
    right = [Piece(f"{place} ", "muted"), Piece(f" ✎ {notes:,} " if notes else "", "accent")]
    return justified(pieces, right, width)


def _name(tree: SpanTree) -> str:
    named = (tree[root].span for root in tree.roots)
    span = next((span for span in named if span is not None), None)
    return "no root yet" if span is None else fmt.plain(span.name, 80) or "(no name)"


def _facts(tree: SpanTree) -> str:
    has_ended = tree.duration_ns is not None
    took = fmt.took(tree.start_ns, tree.end_ns if has_ended else None)
    parts = [took, fmt.count(tree.span_count, "span")]
    if len(tree.roots) > 1:
        parts.append(f"{len(tree.roots):,} roots")
    return " · ".join(parts)


def _used(usage: Usage) -> str:
    tokens = [
        f"{number:,} {word}"
        for number, word in ((usage.input_tokens, "in"), (usage.output_tokens, "out"))
        if number is not None
    ]
    parts = [f"tokens {' '.join(tokens)}"] if tokens else []
    if not tokens and usage.total is not None:
        parts.append(f"tokens {usage.total:,}")
    if usage.cost is not None:
        parts.append(f"cost {fmt.number(usage.cost, 3)}")
    return " · ".join(parts)
