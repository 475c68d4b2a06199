"""A list of metrics: on each line the last, lowest and highest value, and a sparkline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from flowtui import format as fmt
from flowtui.store.metrics.listing import best, goal
from flowtui.store.values import MetricSummary, Point
from flowtui.told_apart import told_apart
from flowtui.widgets.cells import Line, Piece, Role, fit
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.step_text import are_near_log, parts_of_a_second, step_texts

VALUE_CELLS = 12
BEST_CELLS = 18
MIN_SPARK_CELLS = 12
MAX_SPARK_CELLS = 32
MIN_NAME_CELLS = 14
ODD_CELLS = 16
DIGITS, STEP_DIGITS = 4, 5


class MetricLine(NamedTuple):
    """What is known about a metric: first its last point, later also its summary."""

    key: str
    last: Point | None
    """The last point; None if no row of the metric has a step."""
    summary: MetricSummary | None = None
    """The summary of all points; None until they are read."""


class MetricList(VirtualList):
    """Shows metrics under a title and the titles of the columns."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.empty_text = ""
        self._metrics: Sequence[MetricLine] = ()
        self._numbers: dict[str, tuple[str, str, str]] = {}
        self._best_steps: dict[str, str] = {}
        self._longest_name = 0
        self._names: tuple[_Layout | None, list[str]] = (None, [])
        """The names as they are shown in a layout, cached with that layout."""

    def show_metrics(
        self, metrics: Sequence[MetricLine], empty_text: str, problem: str = ""
    ) -> None:
        """Show these metrics, and repaint only the lines that have changed.

        Args:
            metrics: The metrics in their order.
            empty_text: A hint beside the title if there are no metrics.
            problem: Why the metrics cannot be read; empty if they can be.
        """
        held = self.metric
        old, self._metrics = self._metrics, metrics
        self._names = (None, [])
        old_numbers, self._numbers = self._numbers, _numbers(metrics)
        old_steps, self._best_steps = self._best_steps, _best_steps(metrics)
        self.empty_text = empty_text
        names = (cell_len(fmt.plain(metric.key, 60)) for metric in metrics)
        self._longest_name = max(names, default=0)
        keys = [metric.key for metric in metrics]
        if not keys or keys != [metric.key for metric in old]:
            index = keys.index(held.key) if held is not None and held.key in keys else self.cursor
            self.set_reactive(MetricList.cursor, self.validate_cursor(index))
            self.resize_content(problem)
            return
        for index, (before, after) in enumerate(zip(old, metrics, strict=True)):
            key = after.key
            is_same = before == after and old_steps.get(key) == self._best_steps.get(key)
            if not is_same or old_numbers[key] != self._numbers[key]:
                self.refresh_index(index)

    def _layout(self, width: int) -> _Layout:
        return _Layout.of(width, self._longest_name)

    @property
    def metric(self) -> MetricLine | None:
        """The metric under the cursor."""
        return self._metrics[self.cursor] if self.cursor < len(self._metrics) else None

    @property
    def line_count(self) -> int:
        return len(self._metrics)

    @property
    def header_height(self) -> int:
        return 1

    def header_lines(self, width: int) -> list[Line]:
        layout = self._layout(width)
        role: Role = "accent" if self.has_focus else "title"
        count = f" {len(self._metrics):,}" if self._metrics else f"  {self.empty_text}"
        room = layout.name - 1 - len("Metrics")
        pieces = [Piece(" "), Piece("Metrics", role), Piece(fit(count, max(room, 0)), "muted")]
        if not self._metrics:
            return [[Piece(" "), Piece("Metrics", role), Piece(count, "muted")]]
        heads = ["last"]
        if layout.has_extremes:
            heads += ["min", "max"]
        pieces += [Piece(fit(head, VALUE_CELLS, "right"), "muted") for head in heads]
        if layout.has_best:
            pieces.append(Piece(f"  {fit('best @ step', BEST_CELLS)}", "muted"))
        return [pieces]

    def _named(self, layout: _Layout) -> list[str]:
        if self._names[0] != layout:
            rooms = [layout.name - 1 - len(_mark(metric, layout)) for metric in self._metrics]
            labels = told_apart([metric.key for metric in self._metrics], rooms)
            self._names = layout, labels
        return self._names[1]

    def line(self, index: int, width: int) -> Line:
        metric = self._metrics[index]
        layout = self._layout(width)
        odd = _odd_pieces(metric.summary)
        mark = _mark(metric, layout)
        name = self._named(layout)[index]
        pieces = [
            Piece(" "),
            Piece(fit(name, layout.name - 1 - len(mark))),
            Piece(mark, "attention"),
        ]
        last, low, high = self._numbers[metric.key]
        best_value = high if goal(metric.key) == "max" else low
        if metric.last is not None and high.startswith("min+") and not layout.has_extremes:
            # Without the column of the extreme, a distance from that extreme cannot be understood.
            last, best_value = fmt.number(metric.last.value, DIGITS, cells=VALUE_CELLS - 1), ""
        is_finite = metric.last is not None and math.isfinite(metric.last.value)
        role: Role = "text" if is_finite else "attention"
        pieces.append(Piece(fit(last, VALUE_CELLS, "right"), role))
        if layout.has_extremes:
            pieces += [Piece(fit(text, VALUE_CELLS, "right")) for text in (low, high)]
        if layout.has_best:
            value = "" if layout.has_extremes else best_value.strip()
            pieces += _best_pieces(metric.summary, value, self._best_steps.get(metric.key, ""))
        if layout.spark:
            pieces += _spark_pieces(metric.summary, layout.spark)
        return [*pieces, *odd] if layout.has_odd else pieces


class _Layout(NamedTuple):
    """The columns for which there is room; in narrow lists the least important are left out."""

    name: int
    has_extremes: bool
    has_best: bool
    spark: int
    has_odd: bool

    @classmethod
    def of(cls, width: int, longest_name: int) -> _Layout:
        room = width - MIN_NAME_CELLS - VALUE_CELLS

        def take(cells: int) -> int:
            nonlocal room
            taken = cells if room >= cells else 0
            room -= taken
            return taken

        spark = take(MIN_SPARK_CELLS + 2)
        best = take(BEST_CELLS + 2)
        extremes = take(2 * VALUE_CELLS)
        more_name = min(room, max(longest_name + 2 - MIN_NAME_CELLS, 0))
        room -= more_name
        odd = take(ODD_CELLS)
        more_spark = min(room, MAX_SPARK_CELLS - MIN_SPARK_CELLS) if spark else 0
        return cls(
            name=MIN_NAME_CELLS + more_name,
            has_extremes=bool(extremes),
            has_best=bool(best),
            spark=max(spark - 2, 0) + more_spark,
            has_odd=bool(odd),
        )


def _mark(metric: MetricLine, layout: _Layout) -> str:
    """Return the mark of a metric with odd points, if there is no room for their number."""
    return " ▲" if not layout.has_odd and _odd_pieces(metric.summary) else ""


def _numbers(metrics: Sequence[MetricLine]) -> dict[str, tuple[str, str, str]]:
    """Return the texts (last, minimum, maximum) by key, with each column aligned by its points."""
    columns = map(_column, zip(*map(_figures, metrics), strict=True))
    return {
        metric.key: (last, low, high)
        for metric, last, low, high in zip(metrics, *columns, strict=True)
    }


def _figures(metric: MetricLine) -> tuple[str, str, str]:
    """Return the last, lowest and highest value of a metric, with enough digits to differ."""
    summary = metric.summary
    last = "broken" if metric.last is None else fmt.number(metric.last.value, DIGITS)
    if summary is None:
        return last, "…", "…"
    low, high = summary.minimum, summary.maximum
    if metric.last is None or low is None or high is None:
        return last, "none", "none"
    return fmt.extremes(metric.last.value, low.value, high.value, DIGITS, VALUE_CELLS - 1)


def _column(numbers: Sequence[str]) -> Sequence[str]:
    """Return numbers aligned by their points, or unchanged if that is too wide."""
    on_point = fmt.aligned(numbers)
    fits = max(map(len, on_point), default=0) < VALUE_CELLS
    return on_point if fits else numbers


def _best_pieces(summary: MetricSummary | None, value: str, step: str) -> list[Piece]:
    """Return the best point: its value, or `min` or `max`, and its step."""
    point = None if summary is None else best(summary)
    if summary is None or point is None:
        return [Piece(" " * (BEST_CELLS + 2))]
    what = value or goal(summary.key) or ""
    if len(f"{what} @ {step}") > BEST_CELLS:
        # The step of the best point is more useful than its value, which other columns may show.
        what = goal(summary.key) or ""
    if len(f"{what} @ {step}") > BEST_CELLS:
        step = fmt.number(point.step, cells=BEST_CELLS - len(f"{what} @ "))
    return [Piece(f"  {fit(f'{what} @ {step}', BEST_CELLS)}", "muted")]


def _best_steps(metrics: Sequence[MetricLine]) -> dict[str, str]:
    """Return the step at which each metric was best, by key; different steps differ as text."""
    steps = {}
    texts: dict[str, str] = {}
    for metric in metrics:
        point = None if metric.summary is None else best(metric.summary)
        if point is None:
            continue
        ends = [end for end in (metric.summary and metric.summary.first, metric.last) if end]
        among = [end.step for end in ends]
        parts = parts_of_a_second([*among, point.step])
        if parts is not None and are_near_log(ends, parts):
            (texts[metric.key],) = step_texts([point.step], parts, among)
        else:
            steps[metric.key] = point.step
    numbers = step_texts(list(steps.values()), digits=STEP_DIGITS)
    return texts | dict(zip(steps, numbers, strict=True))


def _spark_pieces(summary: MetricSummary | None, cells: int) -> list[Piece]:
    bars = fmt.sparkline(summary.buckets, cells) if summary is not None else []
    pieces = [Piece("  ")]
    run, run_role = "", "curve-1"
    for bar, is_spike in bars:
        role = "attention" if is_spike else "curve-1"
        if role != run_role:
            pieces.append(Piece(run, run_role))  # type: ignore[arg-type]  # one of two roles
            run, run_role = "", role
        run += bar
    pieces.append(Piece(run + " " * (cells - len(bars)), run_role))  # type: ignore[arg-type]  # the same
    return pieces


def _odd_pieces(summary: MetricSummary | None) -> list[Piece]:
    if summary is None:
        return []
    odd = fmt.odd_points(summary.nan_count, summary.inf_count, summary.unreadable_count)
    return [Piece(f"  ▲ {' '.join(odd)}", "attention")] if odd else []
