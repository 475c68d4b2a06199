"""Curves as a picture in SVG that needs nothing from outside: no fonts, no scripts, no styles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from flowtui import format as fmt
from flowtui.store.series_values import Column, Series
from flowtui.widgets import axis
from flowtui.widgets.cells import fit
from flowtui.widgets.chart import LARGEST, Window
from flowtui.widgets.curve import Curve, is_odd, others, stretches, window_of

WIDTH, PLOT_HEIGHT = 960.0, 420.0
TOP, RIGHT, MARGIN = 78.0, 40.0, 24.0
BELOW_AXIS, LINE_HEIGHT = 74.0, 22.0
DIGIT_WIDTH = 7.5
"""Of the labels' font, and a little more: the widest sans-serif fonts are the widest here too."""
TITLE_CELLS, KEY_CELLS = 76, 52
TICKS_ACROSS, TICKS_UP, LOG_TICKS_UP = 8, 7, 10
SMALLEST_RANGE = 1e-300
"""Below it the distance of ticks would not be a number in full precision."""
MARK_SPACING = 150.0
INK, QUIET, GRID, ATTENTION = "#1a1d21", "#5c6570", "#e6e9ed", "#b42318"

COLOURS = ("#0068b5", "#c8500a", "#008062", "#a83a86", "#8a6d00", "#5b5fc7", "#333b44", "#2a8fbd")
"""Dark enough on white to be read, and apart for those who see fewer colours."""
MARKS = (
    "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0Z",
    "M-3.6 -3.6H3.6V3.6H-3.6Z",
    "M0 -4.8L4.6 3.4H-4.6Z",
    "M0 -5.2L5.2 0L0 5.2L-5.2 0Z",
    "M0 4.8L4.6 -3.4H-4.6Z",
    "M-4 -4L4 4M-4 4L4 -4",
    "M0 -5V5M-5 0H5",
)
"""Stand along the curves; with as many colours as marks, the ninth curve would be the second."""

Pixels = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where the data lies in the picture."""

    window: Window
    left: float
    is_log: bool
    is_on_whole_steps: bool = True

    @property
    def right(self) -> float:
        return WIDTH - RIGHT

    @property
    def bottom(self) -> float:
        return TOP + PLOT_HEIGHT

    def x(self, step: float) -> float:
        share = _share(step, self.window.left, self.window.right)
        return self.left + share * (self.right - self.left)

    def y(self, scaled: float) -> float:
        """Return the height of a value, which is a logarithm already where the axis is."""
        return self.bottom - _share(scaled, self.window.bottom, self.window.top) * PLOT_HEIGHT


def _share(value: float, low: float, high: float) -> float:
    # Quarters, because the range itself may be wider than a float.
    whole = high / 4 - low / 4
    return min(max((value / 4 - low / 4) / whole, 0.0), 1.0) if whole > 0 else 0.5


def chart_svg(series: Sequence[Series], title: str, *, is_log: bool = False) -> str:
    """Return a picture of curves over steps as a document in SVG.

    Args:
        series: one curve each; none for an empty picture.
        title: stands over it.
        is_log: whether the vertical axis is logarithmic; values not above 0 are counted then.
    """
    curves = [Curve(one, is_log=is_log) for one in series]
    window = Window(0.0, 1.0, 0.0, 1.0)
    if series:
        window = window_of(Curve(series[0], is_log=is_log, others=others(series[1:])))
    ticks, labels = _ticks_up(window, is_log)
    gutter = max((len(label) for label in labels), default=0) * DIGIT_WIDTH
    is_on_whole_steps = all(one.is_on_whole_steps for one in series)
    plot = _Plot(window, MARGIN + gutter + 12, is_log, is_on_whole_steps)
    notes = _notes(curves)
    rows = len(series) + len(notes)
    height = plot.bottom + BELOW_AXIS + max(rows, 1) * LINE_HEIGHT
    parts = [
        *_heading(title, curves),
        *_grid(plot, ticks, labels),
        *_curves(plot, curves),
        *_odd_marks(plot, series),
        *_legend(plot, curves, notes),
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:g}" height="{height:g}" '
            f'viewBox="0 0 {WIDTH:g} {height:g}" font-family="sans-serif" font-size="13" '
            f'fill="{INK}" role="img">',
            f"<title>{_safe(title, TITLE_CELLS)}</title>",
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _safe(text: str, cells: int) -> str:
    """Return text that is harmless on a line and in XML, cut to a width."""
    return escape(fit(fmt.plain(text), cells).rstrip())


def _text(x: float, y: float, text: str, **attributes: str | int) -> str:
    """Return an element; the text is escaped already."""
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{text}</text>'


def _heading(title: str, curves: Sequence[Curve]) -> Iterator[str]:
    yield _text(MARGIN, 36, _safe(title, TITLE_CELLS), font_size=19, font_weight="bold")
    if not curves:
        yield _text(MARGIN, 58, "no metric", fill=QUIET)
        return
    start = min(curve.series.start for curve in curves)
    end = max(curve.series.end for curve in curves)
    words = [f"step {start:,}" if start == end else f"steps {start:,} to {end:,}"]
    words += ["part of the run"] if any(not curve.series.is_whole for curve in curves) else []
    words += ["logarithmic axis"] if curves[0].is_log else []
    yield _text(MARGIN, 58, " · ".join(words), fill=QUIET)


# Axes ----------------------------------------------------------------------------------------


def _ticks_up(window: Window, is_log: bool) -> tuple[list[float], list[str]]:
    """Return where the ticks of the vertical axis stand, scaled as it is, and what they say."""
    if not is_log:
        ticks = _even_ticks(window.bottom, window.top)
        return ticks, axis.labels(ticks)
    powers = axis.log_ticks(window.bottom, window.top, LOG_TICKS_UP)
    if len(powers) < 2 and window.top - window.bottom < 1:
        # Between two powers of ten, round numbers of an even axis say more.
        top = min(window.top, math.log10(LARGEST))
        even = [tick for tick in _even_ticks(10**window.bottom, 10**top) if tick > 0]
        return [math.log10(tick) for tick in even], axis.labels(even)
    return [math.log10(power) for power in powers], [fmt.number(power, 3) for power in powers]


def _even_ticks(low: float, high: float) -> list[float]:
    return [low, high] if high - low < SMALLEST_RANGE else axis.ticks(low, high, TICKS_UP)


def _grid(plot: _Plot, ticks: Sequence[float], labels: Sequence[str]) -> Iterator[str]:
    for tick, label in zip(ticks, labels, strict=True):
        y = plot.y(tick)
        yield f'<path d="M{plot.left:.1f} {y:.1f}H{plot.right:.1f}" stroke="{GRID}"/>'
        yield _text(plot.left - 10, y + 4.5, escape(label), text_anchor="end", fill=QUIET)
    across = axis.ticks(plot.window.left, plot.window.right, TICKS_ACROSS, plot.is_on_whole_steps)
    for tick, label in zip(across, axis.labels(across), strict=True):
        x = plot.x(tick)
        yield f'<path d="M{x:.1f} {plot.bottom:.1f}v6" stroke="{QUIET}"/>'
        yield _text(x, plot.bottom + 23, escape(label), text_anchor="middle", fill=QUIET)
    edges = f"M{plot.left:.1f} {TOP:.1f}V{plot.bottom:.1f}H{plot.right:.1f}"
    yield f'<path d="{edges}" fill="none" stroke="{QUIET}"/>'
    yield _text(plot.right, plot.bottom + 42, "step", text_anchor="end", fill=QUIET)


def _odd_marks(plot: _Plot, series: Sequence[Series]) -> Iterator[str]:
    """Yield a mark on the horizontal axis for each step, or few, with a NaN or an infinity."""
    for one in series:
        for column in filter(is_odd, one.columns):
            at = f"{plot.x(column.first.step):.1f} {plot.bottom:.1f}"
            said = f"{one.key}: {' · '.join(_odd_words(column))} at step {column.first.step:,}"
            tooltip = f"<title>{_safe(said, TITLE_CELLS)}</title>"
            yield f'<path d="M{at}l5 9h-10z" fill="{ATTENTION}">{tooltip}</path>'


# Curves --------------------------------------------------------------------------------------


def _look(index: int) -> tuple[str, str]:
    return COLOURS[index % len(COLOURS)], MARKS[index % len(MARKS)]


def _curves(plot: _Plot, curves: Sequence[Curve]) -> Iterator[str]:
    marked: list[Pixels] = []
    for index, curve in enumerate(curves):
        lines: list[Pixels] = [
            [(plot.x(step), plot.y(value)) for step, value in stretch]
            for stretch in stretches(curve)
        ]
        yield from _lines(lines, _look(index)[0])
        # Each curve's marks start elsewhere, so that those of curves that run together are seen.
        start = plot.left + MARK_SPACING * (0.25 + index % len(MARKS) / len(MARKS))
        marked.append(_spread([point for line in lines for point in line], start))
    if len(curves) > 1:
        # Over all lines: a noisy curve would hide them.
        for index, points in enumerate(marked):
            for x, y in points:
                yield _mark(x, y, index)


def _lines(lines: Sequence[Pixels], colour: str) -> Iterator[str]:
    yield f'<g fill="none" stroke="{colour}" stroke-width="1.6" stroke-linejoin="round">'
    for line in lines:
        if len(line) == 1:
            # A line of one point would not be seen.
            ((x, y),) = line
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}"/>'
        else:
            yield f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in line)}"/>'
    yield "</g>"


def _mark(x: float, y: float, index: int) -> str:
    colour, mark = _look(index)
    look = f'fill="#ffffff" stroke="{colour}" stroke-width="1.6"'
    return f'<path class="mark" d="{mark}" transform="translate({x:.1f} {y:.1f})" {look}/>'


def _spread(points: Pixels, start: float) -> Pixels:
    """Return some of the points, `MARK_SPACING` apart or more; the first if there are few."""
    chosen: Pixels = []
    after = start
    for x, y in points:
        if x >= after:
            chosen.append((x, y))
            after = x + MARK_SPACING
    return chosen or points[:1]


# Words ---------------------------------------------------------------------------------------


def _odd_words(of: Column | Series) -> list[str]:
    counts = (of.nan_count, "NaN"), (of.pos_inf_count, "Inf"), (of.neg_inf_count, "-Inf")
    return fmt.counted(counts)


def _legend(plot: _Plot, curves: Sequence[Curve], notes: Sequence[str]) -> Iterator[str]:
    """Yield a row for each curve under the axis, then the notes."""
    y = plot.bottom + BELOW_AXIS
    for index, curve in enumerate(curves):
        colour, _ = _look(index)
        line = f"M{MARGIN:.1f} {y - 4.5:.1f}h34"
        yield f'<path d="{line}" stroke="{colour}" stroke-width="1.6"/>'
        if len(curves) > 1:
            yield _mark(MARGIN + 17, y - 4.5, index)
        figures = f'<tspan dx="14" fill="{QUIET}">{escape(" · ".join(_figures(curve)))}</tspan>'
        odd = " · ".join(_odd_words(curve.series))
        if odd:
            figures += f'<tspan dx="14" fill="{ATTENTION}">▲ {escape(odd)}</tspan>'
        yield _text(MARGIN + 46, y, f"{_safe(curve.series.key, KEY_CELLS)}{figures}")
        y += LINE_HEIGHT
    for note in notes:
        yield _text(MARGIN, y, escape(note), fill=ATTENTION)
        y += LINE_HEIGHT


def _figures(curve: Curve) -> list[str]:
    series = curve.series
    low, high = series.minimum, series.maximum
    points = fmt.count(series.count, "point")
    if low is None or high is None:
        return [points, "none finite"]
    return [points, f"min {fmt.number(low.value)}", f"max {fmt.number(high.value)}"]


def _notes(curves: Sequence[Curve]) -> list[str]:
    """Return what the picture does not show as a line, and where it is marked."""
    notes = []
    if any(_odd_words(curve.series) for curve in curves):
        notes.append("▲ on the axis: NaN or infinite there")
    hidden = sum(curve.hidden_count for curve in curves)
    if hidden:
        # Of many points a column keeps its extremes, which are all that can be counted.
        is_thinned = any(curve.is_thinned for curve in curves)
        values = f"{'at least ' if is_thinned else ''}{fmt.count(hidden, 'value')}"
        notes.append(f"{values} not above 0: no place on a logarithmic axis")
    return notes
