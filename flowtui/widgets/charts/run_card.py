"""One metric of several runs as a small chart: a curve a run, and the last value of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flowtui import format as fmt
from flowtui.store.metrics.values import FoldedPoint
from flowtui.widgets.cells import Line, Piece, Role, clipped, fit, width_of, wrapped
from flowtui.widgets.charts.card import (
    AROUND,
    GAP_CELLS,
    MIN_NAME_CELLS,
    Card,
    look_words,
    name_of,
    unseen,
)
from flowtui.widgets.charts.chart import BRAILLE, blended
from flowtui.widgets.charts.curve import PLAIN, Curve, Look, LostCurve, Overlay, XAxis, x_axes
from flowtui.widgets.charts.outside import beyond_layers
from flowtui.widgets.charts.placing import window_of
from flowtui.widgets.charts.run_curves import run_layers

DIGITS = 4


@dataclass(frozen=True, slots=True)
class RunCurves:
    """What the chart of one metric shows of several runs."""

    curves: tuple[Overlay, ...]
    note: str = ""
    """Which of the runs have the metric, where not all of them do."""
    waiting: str = "…"
    """What stands in the place of the curves where there are none."""
    lost: tuple[LostCurve, ...] = ()
    """The curves that cannot be read."""


def run_card_lines(
    card: Card,
    width: int,
    height: int,
    marker: str = BRAILLE,
    x_axis: XAxis | None = None,
    look: Look = PLAIN,
) -> list[Line]:
    """Return `height` lines of at most `width` cells, of which the last is blank.

    Args:
        card: The metric, with the curve of each run.
        width: The width in cells.
        height: The height in lines.
        marker: BRAILLE or BLOCKS.
        x_axis: The horizontal axis; None for the default of these curves.
        look: How the values are placed on the vertical axis.
    """
    cells, rows = width - GAP_CELLS, height - AROUND
    curve = None
    if card.curves:
        curve = run_curve(card.curves, marker, x_axis, look)
        curve = replace(curve, is_growing=card.is_growing)
    return [
        _title(card, cells, curve),
        *_canvas(card, cells, rows, curve),
        *_last(card, cells),
    ]


def _title(card: Card, width: int, curve: Curve | None) -> Line:
    series = [of.series for of in card.curves]
    odd = fmt.odd_points(
        sum(one.nan_count for one in series),
        sum(one.inf_count for one in series),
        sum(one.unreadable_count for one in series),
    )
    words = [card.note] if card.note else []
    if curve is not None:
        odd += unseen(curve)
        words += look_words(curve.look)
    said = f" ▲ {' '.join(odd)}" if odd else ""
    note = f"  {' · '.join(words)}" if words else ""
    if len(said) + len(note) > width - MIN_NAME_CELLS:
        said = " ▲" if odd else ""
    room = max(width - len(said) - len(note) - 1, 1)
    name = name_of(card, room)
    right = " " * max(room - width_of([Piece(name)]), 0)
    pieces = [
        Piece(" "), Piece(name, "title"), Piece(said, "attention"), Piece(right),
        Piece(note, "muted"),
    ]  # fmt: skip
    return clipped(pieces, width)


def _canvas(card: Card, width: int, rows: int, curve: Curve | None) -> list[Line]:
    if curve is None or width < 4:
        notes = wrapped(card.waiting, max(width - 1, 10))[: max(rows, 0)]
        lines: list[Line] = [[Piece(f" {note}", "muted")] for note in notes]
        return [*lines, *([[]] * (rows - len(lines)))]
    window = window_of(curve)
    layers = [
        *beyond_layers(curve, window, width - 1, rows),
        *run_layers(curve, width - 1, rows, window),
    ]
    return [[Piece(" "), *line] for line in blended(layers, width - 1)]


def run_curve(
    curves: Sequence[Overlay], marker: str, x_axis: XAxis | None, look: Look = PLAIN
) -> Curve:
    """Return the curves of several runs, at least one, over the same axes."""
    first, *others = curves
    axes = x_axes([of.series for of in curves], of_runs=True)
    return Curve(
        first.series,
        first=first,
        others=tuple(others),
        marker=marker,
        look=look,
        x_axis=x_axis if x_axis in axes else axes[0],
    )


def _last(card: Card, width: int) -> list[Line]:
    """Return the last value of each run, as far as there is room; and a blank line.

    A run that cannot be read is said in its place.
    """
    values = [of.series.last.value for of in card.curves]
    texts = fmt.distinct(values, DIGITS)
    entries = [(lost.letters, _lost_entry(lost)) for lost in card.lost]
    for of, value, text in zip(card.curves, values, texts, strict=True):
        role: Role = "text" if math.isfinite(value) else "attention"
        last = of.series.last
        entry = [Piece(f" {of.letters}", of.role), Piece(f" {text} ", role)]
        if isinstance(last, FoldedPoint) and last.run_count < len(of.letters):
            entry.append(Piece(f"{last.run_count} of {len(of.letters)} ", "attention"))
        entries.append((of.letters, entry))
    pieces: list[Piece] = []
    left = len(entries)
    for _, entry in sorted(entries, key=lambda named: named[0]):
        more = f" +{left - 1} more" if left > 1 else ""
        if width_of([*pieces, *entry]) + len(more) > width and pieces:
            pieces.append(Piece(fit(f" +{left} more", len(f" +{left} more")), "muted"))
            break
        pieces += entry
        left -= 1
    return [clipped(pieces, width), []]


def _lost_entry(lost: LostCurve) -> list[Piece]:
    return [Piece(f" {lost.letters}", lost.role), Piece(" ✗ ", "attention")]
