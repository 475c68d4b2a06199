"""The curves of several runs over each other: letters at their ends, bands, and their legend."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from flowtui import format as fmt
from flowtui.store.metrics.steps import Step
from flowtui.store.metrics.values import FoldedPoint
from flowtui.store.values import LoggedPoint, Point
from flowtui.told_apart import told_apart
from flowtui.widgets.cells import Line, Piece, Role, clipped, fit, width_of
from flowtui.widgets.charts import raster
from flowtui.widgets.charts.chart import BRAILLE, EMPTY_CELLS, Window, canvas
from flowtui.widgets.charts.curve import (
    BY_STEP,
    Curve,
    LostCurve,
    Overlay,
    XAxis,
    parts_of_a_second,
)
from flowtui.widgets.charts.placing import CurvePlaces, smooth_stretches, stretches
from flowtui.widgets.step_text import step_texts

ENTRY_CELLS = 38
"""How much room an entry of the legend needs at least, where there are several on a line."""
MIN_NAME_CELLS = 6
AWAY = (0, -1, 1, -2, 2)
"""How many lines from the end of its curve a letter may stand, where others are nearer."""

Layer = tuple[Sequence[str], Role]


def run_layers(curve: Curve, columns: int, rows: int, window: Window) -> list[Layer]:
    """Return the canvases of all runs' curves, with the top one first."""
    lines: list[Layer] = []
    behind: list[Layer] = []
    ends: list[tuple[str, Role, tuple[int, int]]] = []
    for of in curve.overlays:
        raw = stretches(curve, of.series)
        smooth = smooth_stretches(curve, of.smoothed, of.series)
        drawn = canvas(smooth or raw, columns, rows, window, curve.marker)
        lines.append((drawn, of.role))
        if smooth:
            behind.append((canvas(raw, columns, rows, window, curve.marker), "muted"))
        if of.band:
            behind.append((_band(curve, of, columns, rows, window), of.role))
        end = _end(drawn)
        if end is not None:
            ends.append((of.letters[:1], of.role, end))
    return [*_letters(ends, columns, rows), *lines, *behind]


def _end(drawn: Sequence[str]) -> tuple[int, int] | None:
    """Return the row and the column where a curve ends, None if nothing of it is drawn."""
    lengths = [len(line.rstrip("".join(EMPTY_CELLS))) for line in drawn]
    longest = max(lengths, default=0)
    return (lengths.index(longest), longest - 1) if longest else None


def _letters(
    ends: Sequence[tuple[str, Role, tuple[int, int]]], columns: int, rows: int
) -> Iterator[Layer]:
    """Yield a canvas for each letter, at the end of its curve or as near as others leave room."""
    taken: set[tuple[int, int]] = set()
    for letter, role, (row, column) in sorted(ends, key=lambda end: end[2]):
        beside = min(column + 1, columns - 1)
        places = (
            (row + away, beside - left)
            for left in range(columns)
            for away in AWAY
            if 0 <= row + away < rows and left <= beside
        )
        place = next((place for place in places if place not in taken), None)
        if place is None:
            continue
        taken.add(place)
        blank = " " * columns
        cells = [blank] * rows
        cells[place[0]] = blank[: place[1]] + letter + blank[place[1] + 1 :]
        yield cells, role


def _band(curve: Curve, of: Overlay, columns: int, rows: int, window: Window) -> list[str]:
    """Return a canvas with sparse dots between the lowest and the highest value of several runs."""
    marker = raster.BRAILLE if curve.marker == BRAILLE else raster.QUADRANTS
    place = CurvePlaces(curve, of.series)
    edges: list[tuple[float, float, float]] = []
    for part in of.band:
        for step in dict.fromkeys((part.start, part.end)):
            x = place(Point(step, part.low))
            low, high = (_height(curve, value, window) for value in (part.low, part.high))
            if x is not None:
                edges.append((x, low, high))
    xs = [x for x, _, _ in edges]
    cells = [[0] * columns for _ in range(rows)]
    wide, tall = columns * raster.COLUMNS, rows * marker.rows
    for dot in range(0, wide, 2):
        x = window.left + (window.right - window.left) * (dot + 0.5) / wide
        index = bisect_right(xs, x)
        if not 0 < index < len(xs):
            continue
        (left, *lows), (right, *highs) = edges[index - 1], edges[index]
        part_of = (x - left) / (right - left) if right > left else 0.0
        low, high = (one + (two - one) * part_of for one, two in zip(lows, highs, strict=True))
        for height in range(math.ceil(low * (tall - 1)), math.floor(high * (tall - 1)) + 1):
            # Every second dot, so that it does not look like a line.
            if 0 <= height < tall and (height + dot // 2) % 2 == 0:
                row, inside = divmod(tall - 1 - height, marker.rows)
                cells[row][dot // raster.COLUMNS] |= marker.bits[dot % raster.COLUMNS][inside]
    return ["".join(marker.glyphs[bits] for bits in row) for row in cells]


def _height(curve: Curve, value: float, window: Window) -> float:
    """Return the place of a value as a share of the canvas's height."""
    scaled = curve.scaled(value) if curve.is_drawn(value) else window.bottom
    share = (scaled / 2 - window.bottom / 2) / (window.top / 2 - window.bottom / 2)
    return min(max(share, 0.0), 1.0)


# Words ---------------------------------------------------------------------------------------


def run_place(curve: Curve, point: LoggedPoint) -> list[Piece]:
    """Return whose point the crosshair is on, and where, on an axis that is not of steps."""
    guide = curve.guide
    if guide is None:
        return []
    of = [Piece(" of ", "muted"), Piece(guide.letters, guide.role)]
    x = curve.x(point, guide.series)
    if curve.x_axis is XAxis.SHARE and x is not None:
        return [*of, Piece(f"   {fmt.number(x, 3)} % of the run", "muted")]
    if curve.x_axis is XAxis.ELAPSED and x is not None:
        return [*of, Piece(f"   {fmt.duration(x)} in", "muted")]
    if point.logged_at is not None and curve.x_axis is XAxis.CLOCK:
        return [*of, Piece(f"   {fmt.when(point.logged_at)}", "muted")]
    return of


def run_legend(curve: Curve, width: int) -> list[Line]:
    """Return the runs in columns, each with its letters and its value at the crosshair.

    Below them is a line for each run that cannot be read, with the reason.
    """
    overlays = curve.overlays
    on_a_line = max(min(width // ENTRY_CELLS, len(overlays)), 1)
    cells = width // on_a_line
    values = [of.at_crosshair.value for of in overlays if of.at_crosshair is not None]
    texts = dict(zip(values, fmt.distinct(values), strict=True))
    steps = _step_texts(curve)
    tails = [_tail(curve, of, texts, steps) for of in overlays]
    heads = [[Piece(f" {of.letters} ", of.role)] for of in overlays]
    rooms = [
        max(cells - width_of(head) - width_of(tail) - 2, MIN_NAME_CELLS)
        for head, tail in zip(heads, tails, strict=True)
    ]
    names = told_apart([of.text or of.series.key for of in overlays], rooms)
    entries = [
        clipped([*head, Piece(fit(name, room) + " "), *tail], cells)
        for head, name, room, tail in zip(heads, names, rooms, tails, strict=True)
    ]
    lines: list[Line] = []
    for start in range(0, len(entries), on_a_line):
        line: list[Piece] = []
        for entry in entries[start : start + on_a_line]:
            line += [*entry, Piece(" " * (cells - width_of(entry)))]
        lines.append(line)
    return [*lines, *(_lost_line(lost, width) for lost in curve.lost)]


def _lost_line(lost: LostCurve, width: int) -> Line:
    name = fmt.plain(lost.text, ENTRY_CELLS // 2)
    head = [Piece(f" {lost.letters} ", lost.role), Piece(f"{name}  ")]
    return clipped([*head, Piece(f"✗ {fmt.plain(lost.why, 300)}", "attention")], width)


def _tail(
    curve: Curve, of: Overlay, texts: Mapping[float, str], steps: Mapping[Step, str]
) -> list[Piece]:
    """Return the value of a run at the crosshair, and at which step that is."""
    point = of.at_crosshair
    if of.problem:
        return [Piece("✗ cannot be read", "attention")]
    if point is None:
        odd = fmt.odd_points(of.series.nan_count, of.series.inf_count, of.series.unreadable_count)
        said = "…" if curve.crosshair is not None and not odd else " ".join(odd)
        return [Piece(said, "muted")]
    is_sound = math.isfinite(point.value)
    value = texts.get(point.value) or fmt.number(point.value)
    pieces = [Piece(value, "text" if is_sound else "attention")]
    held = curve.crosshair
    if held is None or point.step != held.step or curve.x_axis not in BY_STEP:
        pieces.append(Piece(f" @ {steps[point.step]}", "muted"))
    if isinstance(point, FoldedPoint) and point.run_count > 1:
        if math.isfinite(point.low):
            low, high = fmt.distinct([point.low, point.high], 3)
            pieces.append(Piece(f" {low}…{high}", "muted"))
        if odd := fmt.odd_points(point.nan_count, point.inf_count, 0):
            pieces.append(Piece(f" {' '.join(odd)}", "attention"))
    if isinstance(point, FoldedPoint) and point.run_count < len(of.letters):
        pieces.append(Piece(f" {point.run_count} of {len(of.letters)}", "attention"))
    return pieces


def _step_texts(curve: Curve) -> dict[Step, str]:
    crossed = [of.at_crosshair for of in curve.overlays]
    steps = [point.step for point in crossed if point is not None]
    parts = parts_of_a_second(curve.all_series) if curve.x_axis is XAxis.STEP_TIME else None
    ends = [point.step for point in curve.ends]
    return dict(zip(steps, step_texts(steps, parts, ends), strict=True))
