"""A curve with its axes, legend and crosshair, as lines of pieces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from flowtui import format as fmt
from flowtui.store.steps import Step
from flowtui.widgets import axis
from flowtui.widgets.cells import Line, Piece, Role, clipped, fit, justified, width_of
from flowtui.widgets.chart import EMPTY_CELLS, Window, blended, canvas
from flowtui.widgets.curve import (
    Curve,
    Other,
    XAxis,
    cell_of,
    is_odd,
    smooth_stretches,
    smoothed_at,
    stretches,
    window_of,
)

LABEL_CELLS = 9
AROUND = 4
"""Lines that are not the canvas: title, axis, its labels, what is under the crosshair."""
CELLS_A_LABEL = 12
LINES_A_LABEL = 3
LINES_A_DOT = 4
"""How far apart the dots of the crosshair stand."""
CELLS_A_MARK = 18
"""How far apart the marks of another curve stand."""
MAX_LEGEND_LINES = 3


@dataclass(frozen=True, slots=True)
class Drawn:
    """The part of a curve's lines that stays while the crosshair moves."""

    window: Window
    canvas: list[Line]


def drawn(curve: Curve, width: int, height: int) -> Drawn | None:
    """Return the canvas of a curve, None where there is no room for one."""
    columns, rows = _canvas_size(curve, width, height)
    if columns < 4 or rows < 2:
        return None
    window = window_of(curve)
    return Drawn(window, blended(_layers(curve, columns, rows, window), columns))


def _canvas_size(curve: Curve, width: int, height: int) -> tuple[int, int]:
    return width - LABEL_CELLS - 1, height - AROUND - len(_legend(curve, width))


def curve_lines(curve: Curve, width: int, height: int, known: Drawn | None = None) -> list[Line]:
    """Return `height` lines of at most `width` cells that show a curve.

    Args:
        curve: what is shown.
        width: in cells.
        height: in lines.
        known: its canvas at this size, if it was drawn before.
    """
    columns, rows = _canvas_size(curve, width, height)
    # Values at the crosshair may take the legend to one line more, or less.
    fits = known is not None and len(known.canvas) == rows
    canvas_of = known if fits else drawn(curve, width, height)
    if canvas_of is None:
        return [_title(curve, width), _under_crosshair(curve, width)][:height]
    window = canvas_of.window
    across, crossed = _crosshair(curve, window, columns, rows)
    labels = _row_labels(curve, window, rows)
    ticks = _ticks(curve, window, columns)
    return [
        _title(curve, width),
        *(
            _row(labels.get(index), cells, across if index in crossed else None)
            for index, cells in enumerate(canvas_of.canvas)
        ),
        _axis_line(curve, window, columns, [tick for tick, _ in ticks]),
        _axis_labels(ticks, window, columns),
        _under_crosshair(curve, width),
        *_legend(curve, width),
    ]


def _crosshair(
    curve: Curve, window: Window, columns: int, rows: int
) -> tuple[int | None, set[int]]:
    """Return the column of the crosshair, and the rows that show it.

    It is a dotted line: each cell of it is bytes on the wire at every step.
    """
    point = curve.crosshair
    if point is None:
        return None, set()
    crossed = set(range(0, rows, LINES_A_DOT))
    if curve.is_drawn(point.value):
        crossed.add(_row_of(curve.scaled(point.value), window, rows))
    return cell_of(curve.x(point), window, columns), crossed


def _row_of(scaled: float, window: Window, rows: int) -> int:
    """Return the row of cells, from the top, that a value on the vertical axis falls into."""
    tall = window.top / 2 - window.bottom / 2
    share = (scaled / 2 - window.bottom / 2) / tall
    return rows - 1 - min(max(int(share * rows), 0), rows - 1)


def _layers(
    curve: Curve, columns: int, rows: int, window: Window
) -> list[tuple[Sequence[str], Role]]:
    """Return the canvases of all lines, the one that is on top first."""
    layers: list[tuple[Sequence[str], Role]] = []
    if smooth := smooth_stretches(curve):
        layers.append((canvas(smooth, columns, rows, window, curve.marker), "accent"))
    raw: Role = "muted" if smooth else "text"
    layers.append((canvas(stretches(curve), columns, rows, window, curve.marker), raw))
    for index, other in enumerate(curve.others):
        lines = canvas(stretches(curve, other.series), columns, rows, window, curve.marker)
        layers.append((_marked(lines, other.mark, index), other.role))
    return layers


def _marked(lines: list[str], mark: str, index: int) -> list[str]:
    """Return a canvas with a mark on its line every now and then."""
    marked = [list(line) for line in lines]
    width = len(lines[0]) if lines else 0
    start = (CELLS_A_MARK // 3 * (index + 1)) % CELLS_A_MARK
    for column in range(start, width, CELLS_A_MARK):
        row = next((row for row in marked if row[column] not in EMPTY_CELLS), None)
        if row is not None:
            row[column] = mark
    return ["".join(line) for line in marked]


# Axes ----------------------------------------------------------------------------------------


def _row_labels(curve: Curve, window: Window, rows: int) -> dict[int, str]:
    at_most = max(rows // LINES_A_LABEL, 2)
    if curve.is_log:
        ticks = axis.log_ticks(window.bottom, window.top, at_most)
        texts = [fmt.number(tick, 3) for tick in ticks]
    else:
        ticks = axis.ticks(window.bottom, window.top, at_most)
        texts = axis.labels(ticks)
    return {
        _row_of(curve.scaled(tick), window, rows): text
        for tick, text in zip(ticks, texts, strict=True)
    }


def _row(label: str | None, cells: Line, across: int | None) -> Line:
    edge = "│" if label is None else "┤"
    start = [Piece(f"{(label or '')[:LABEL_CELLS]:>{LABEL_CELLS}}", "muted"), Piece(edge, "muted")]
    return [*start, *(cells if across is None else _crossed(cells, across))]


def _crossed(cells: Line, across: int) -> list[Piece]:
    """Return a row of the canvas with the crosshair in one of its cells."""
    pieces: list[Piece] = []
    left = 0
    for piece in cells:
        # The canvas has one cell a character.
        inside = across - left
        left += len(piece.text)
        if not 0 <= inside < len(piece.text):
            pieces.append(piece)
            continue
        middle = piece.text[inside]
        pieces += [
            Piece(piece.text[:inside], piece.role),
            Piece("┊" if middle in EMPTY_CELLS else middle, "accent"),
            Piece(piece.text[inside + 1 :], piece.role),
        ]
    return [piece for piece in pieces if piece.text]


def _ticks(curve: Curve, window: Window, columns: int) -> list[tuple[float, str]]:
    at_most = max(columns // CELLS_A_LABEL, 1)
    if curve.x_axis is XAxis.ELAPSED:
        ticks = axis.time_ticks(window.left, window.right, at_most)
        labels = axis.duration_labels(ticks)
    elif curve.x_axis is XAxis.CLOCK:
        ticks = axis.clock_ticks(window.left, window.right, at_most)
        labels = axis.clock_labels(ticks)
    else:
        ticks = axis.ticks(window.left, window.right, at_most, curve.is_on_whole_steps)
        labels = axis.labels(ticks)
    return list(zip(ticks, labels, strict=True))


def _axis_line(curve: Curve, window: Window, columns: int, ticks: Sequence[float]) -> Line:
    """Return the horizontal axis, marked where a NaN or an infinity is."""
    odd = {
        cell_of(curve.x(column.first), window, columns)
        for column in curve.series.columns
        if is_odd(column)
    }
    ticked = {cell_of(tick, window, columns) for tick in ticks}
    pieces = [Piece(" " * LABEL_CELLS), Piece("└", "muted")]
    for cell in range(columns):
        role: Role = "attention" if cell in odd else "muted"
        text = "▲" if cell in odd else "┬" if cell in ticked else "─"
        if pieces[-1].role == role:
            pieces[-1] = Piece(pieces[-1].text + text, role)
        else:
            pieces.append(Piece(text, role))
    return pieces


def _axis_labels(ticks: Sequence[tuple[float, str]], window: Window, columns: int) -> Line:
    line = [" "] * (columns + LABEL_CELLS + 1)
    for tick, text in ticks:
        cell = cell_of(tick, window, columns)
        if cell is not None:
            start = min(LABEL_CELLS + 1 + cell - len(text) // 2, len(line) - len(text))
            if all(char == " " for char in line[max(start - 1, 0) : start + len(text) + 1]):
                line[start : start + len(text)] = text
    return [Piece("".join(line), "muted")]


# Words ---------------------------------------------------------------------------------------


def _title(curve: Curve, width: int) -> Line:
    series = curve.series
    # What the columns left out may hide as well; only what was read point by point is known.
    least = "at least " if curve.is_thinned else ""
    odd = fmt.odd_points(series.nan_count, series.inf_count, series.unreadable_count)
    hidden = fmt.counted(
        ((curve.hidden_count, "not above 0"), (curve.timeless_count, "without a time"))
    )
    odd += [f"{least}{text}" for text in hidden]
    left = [
        Piece(" "),
        Piece(fmt.plain(series.key, 200), "title"),
        Piece(f"   {fmt.count(series.count, 'point')}", "muted"),
        Piece(f"  ▲ {' · '.join(odd)}" if odd else "", "attention"),
    ]
    if curve.view is not None:
        left[2:] = [Piece("   reading…", "muted")]
    return justified(left, [*_how(curve), Piece(" ")], width)


def _how(curve: Curve) -> list[Piece]:
    """Return how the curve is shown, where that is not what one would expect."""
    words = []
    if not curve.series.is_whole:
        words.append("part")
    if curve.x_axis is not XAxis.STEP:
        words.append(f"x {curve.x_axis}")
    if curve.is_log:
        words.append("y log")
    pieces = [Piece("  ".join(words), "muted")]
    if curve.follows:
        pieces.append(Piece("  ● following", "ok"))
    elif curve.new_count:
        pieces.append(Piece(f"  {curve.new_count:,} new ▸ End", "attention"))
    return pieces


def _under_crosshair(curve: Curve, width: int) -> Line:
    point = curve.crosshair
    if point is None:
        return []
    role: Role = "text" if math.isfinite(point.value) else "attention"
    pieces = [
        Piece(" step ", "muted"),
        Piece(f"{point.step:,}", "accent"),
        Piece("   "),
        Piece(fmt.exact(point.value), role),
        *_smoothed_pieces(curve, point.step),
    ]
    start = curve.series.first.logged_at
    if point.logged_at is not None:
        when = f"{point.logged_at.astimezone():%H:%M:%S}"
        if start is not None:
            when = f"{fmt.duration((point.logged_at - start).total_seconds())} in · {when}"
        pieces.append(Piece(f"   {when}", "muted"))
    for name, best in (("min", curve.series.minimum), ("max", curve.series.maximum)):
        if best is not None:
            pieces.append(
                Piece(f"   {name} {fmt.number(best.value)} @ {_near(best.step)}", "muted")
            )
    return clipped(pieces, width)


def _near(step: Step) -> str:
    """Return a step that is not under the crosshair: in full it may take all the line."""
    return f"{step:,}" if isinstance(step, int) else f"{step:,.6g}"


def _smoothed_pieces(curve: Curve, step: Step) -> list[Piece]:
    if curve.smoothed is None:
        return []
    point = smoothed_at(curve.smoothed, step)
    if point is None:
        return []
    # Between the points that the smoothed line keeps, its last one is named for what it is.
    where = "" if point.step == step else f" @ {_near(point.step)}"
    value = f"   ema {curve.smoothed.weight:g} {fmt.number(point.value)}{where}"
    return [Piece(value, "accent")]


def _legend(curve: Curve, width: int) -> list[Line]:
    """Return the other curves, each with its mark and its value at the crosshair."""
    lines: list[list[Piece]] = []
    for other in curve.others:
        entry = _entry(curve, other)
        if not lines or width_of([*lines[-1], *entry]) > width:
            lines.append([])
        lines[-1] += entry
    if len(lines) > MAX_LEGEND_LINES:
        more = len(curve.others)
        lines = [*lines[: MAX_LEGEND_LINES - 1], [Piece(f" … {more} curves in all", "muted")]]
    return [clipped(line, width) for line in lines]


def _entry(curve: Curve, other: Other) -> list[Piece]:
    point = other.at_crosshair
    name = fmt.plain(other.series.key, 60)
    pieces = [Piece(f" {other.mark} {fit(name, min(len(name), 40))} ", other.role)]
    if point is None:
        return [*pieces, Piece("no point here  ", "muted")]
    pieces.append(Piece(fmt.number(point.value)))
    if curve.crosshair is None or point.step != curve.crosshair.step:
        pieces.append(Piece(f" @ {_near(point.step)}", "muted"))
    return [*pieces, Piece("  ")]
