"""The columns of the lists in a comparison's Traces: titles, orders, and cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from flowtui import format as fmt
from flowtui.screens.traces.columns import STATE_ROLES
from flowtui.store.compare.spans import SpanChange, SpanTotals
from flowtui.store.compare.traces import TracePair
from flowtui.store.traces.values import Trace
from flowtui.widgets.cells import Piece
from flowtui.widgets.compare import change_of_duration
from flowtui.widgets.lists.virtual_table import Cells, Column
from flowtui.widgets.trees.span_marks import MARKS

ABSENT = "–"


class NameOrder(NamedTuple):
    """An order of the names of spans, the largest change first."""

    name: str
    key: Callable[[SpanChange], float]


def _by(value: Callable[[SpanTotals], float | None]) -> Callable[[SpanChange], float]:
    def key(change: SpanChange) -> float:
        one = None if change.baseline is None else value(change.baseline)
        other = None if change.candidate is None else value(change.candidate)
        return -abs((other or 0) - (one or 0))

    return key


ORDERS = (
    NameOrder("change of all time", _by(lambda totals: totals.total_ns)),
    NameOrder("change of count", _by(lambda totals: totals.count)),
    NameOrder("change of errors", _by(lambda totals: totals.error_count)),
    NameOrder("change of p50", _by(lambda totals: totals.percentile_ns(0.5))),
    NameOrder("change of p95", _by(lambda totals: totals.percentile_ns(0.95))),
    NameOrder("change of tokens", _by(lambda totals: totals.tokens)),
    NameOrder("change of cost", _by(lambda totals: totals.cost)),
)


def name_columns(letter: str) -> list[Column]:
    """Return the columns of the names of spans; the changes are those of the candidate."""
    return [
        Column("name", " name", 20, stretch=1),
        Column("count", f"count A→{letter}", 11, "right"),
        Column("errors", "errors", 9, "right"),
        Column("p50", "p50", 18, "right"),
        Column("p50Δ", "Δ", 9, "right"),
        Column("p95", "p95", 18, "right"),
        Column("p95Δ", "Δ", 9, "right"),
        Column("tokens", "tokens", 17, "right"),
        Column("cost", "cost $", 15, "right"),
    ]


def name_cells(change: SpanChange) -> Cells:
    """Return the cells of the spans of a name, one for each of `name_columns`."""
    one, other = change.baseline, change.candidate
    glyph = MARKS[change.kind].text
    durations = [
        piece
        for share in (0.5, 0.95)
        for piece in _duration_pair(
            None if one is None else one.percentile_ns(share),
            None if other is None else other.percentile_ns(share),
        )
    ]
    return (
        Piece(f" {glyph} {fmt.plain(change.name, 200) or '(no name)'}"),
        _counts(one.count if one else None, other.count if other else None),
        _errors(one.error_count if one else None, other.error_count if other else None),
        *durations,
        _pair(_tokens(one), _tokens(other)),
        _pair(_cost(one), _cost(other)),
    )


def pair_columns(letter: str) -> list[Column]:
    """Return the columns of the traces in pairs."""
    return [
        Column("name", " trace", 24, stretch=1),
        Column("state", f"state A→{letter}", 11),
        Column("duration", "duration", 17, "right"),
        Column("durationΔ", "Δ", 9, "right"),
        Column("spans", "spans", 9, "right"),
        Column("errors", "errors", 9, "right"),
        Column("tokens", "tokens", 15, "right"),
    ]


def pair_cells(pair: TracePair, one: Trace | None, other: Trace | None, letter: str) -> Cells:
    """Return the cells of a pair of traces, one for each of `pair_columns`.

    Args:
        pair: The pair.
        one: The baseline's trace, None if it has none, or it is gone.
        other: The candidate's.
        letter: The candidate's.
    """
    either = pair.baseline or pair.candidate
    assert either is not None
    name = fmt.plain(either.name, 200)
    if (sample := pair.sample) is not None:
        name = f"{fmt.plain(sample.dataset_id, 60)}/{fmt.plain(sample.eval_id, 100)}  {name}"
    if pair.candidate is None or pair.baseline is None:
        state = Piece(f"only in {'A' if pair.candidate is None else letter}", "attention")
    else:
        state = _states(one, other)
    return (
        Piece(f" {name}"),
        state,
        *_duration_pair(one.duration_ns if one else None, other.duration_ns if other else None),
        _counts(one.span_count if one else None, other.span_count if other else None),
        _errors(one.error_count if one else None, other.error_count if other else None),
        _pair(_trace_tokens(one), _trace_tokens(other)),
    )


def _states(one: Trace | None, other: Trace | None) -> Piece:
    if one is None or other is None:
        return Piece("gone", "attention")
    before, after = fmt.trace_state(one.state), fmt.trace_state(other.state)
    if before == after:
        return Piece(before, STATE_ROLES[one.state])
    # Only the glyphs, each of which has its word where they agree.
    return Piece(f"{before[:1]} → {after}", STATE_ROLES[other.state])


def _duration_pair(one: int | None, other: int | None) -> tuple[Piece, Piece]:
    """Return two durations in nanoseconds, and by how much they differ."""
    texts = ["" if ns is None else fmt.duration(ns / 1e9) for ns in (one, other)]
    change = "" if one is None or other is None else change_of_duration(other - one)
    return _pair(*texts), Piece(change, "muted")


def _pair(before: str, after: str) -> Piece:
    """Return two values as one cell; what one run lacks is a dash."""
    if before == after:
        return Piece(before, "muted")
    return Piece(f"{before or ABSENT} → {after or ABSENT}")


def _counts(one: int | None, other: int | None) -> Piece:
    return _pair(*("" if number is None else f"{number:,}" for number in (one, other)))


def _errors(one: int | None, other: int | None) -> Piece:
    """Return how many failed, as an error where it is more than before; nothing for none."""
    if not one and not other:
        return Piece("")
    counts = _counts(one, other)
    return Piece(counts.text, "error" if (other or 0) > (one or 0) else counts.role)


def _tokens(totals: SpanTotals | None) -> str:
    return "" if totals is None else fmt.tokens(totals.tokens, totals.unread_count)


def _trace_tokens(trace: Trace | None) -> str:
    if trace is None:
        return ""
    return fmt.tokens(None if trace.usage is None else trace.usage.total, trace.unread_count)


def _cost(totals: SpanTotals | None) -> str:
    return "" if totals is None or totals.cost is None else fmt.number(totals.cost, 4)
