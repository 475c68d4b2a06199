"""What the Metrics tabs of a run and of a comparison share: the grid, and a metric in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from flowtui import format as fmt
from flowtui.screens.base import StoreScreen
from flowtui.screens.metrics.names import NameFilter, ordered
from flowtui.screens.metrics.zoom import MetricZoom
from flowtui.store.errors import FilterError
from flowtui.store.values import Kind, LoggedPoint
from flowtui.terminal import session
from flowtui.widgets.charts.chart import BLOCKS, BRAILLE
from flowtui.widgets.charts.curve import Look
from flowtui.widgets.charts.grid import ChartGrid
from flowtui.widgets.charts.grid_layout import CardGroup, grouped, neighbour_key
from flowtui.widgets.frame.filter_line import FilterLine

GRID_ACTIONS = ("filter", "sort", "pin", "fold_all")


class ChartsScreen(StoreScreen):
    """A screen with a grid of small charts, of which each is shown in full when it is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", id="metrics.filter",
                tooltip="Filter the metrics by part of a name, or a /regular expression/"),
        Binding("s", "sort", "Sort", id="metrics.sort",
                tooltip="Sort by name, or by last change"),
        Binding("p", "pin", "Pin", id="metrics.pin",
                tooltip="Keep the metric at the top, or release it"),
        Binding("z", "fold_all", "Fold all", show=False, id="metrics.fold_all",
                tooltip="Fold all groups, or unfold them"),
        Binding("b", "toggle_marker", "Blocks", show=False, id="metrics.blocks",
                tooltip="Draw with blocks if the font has no braille, or with braille again"),
        Binding("o", "toggle_log", "Log y", show=False, id="metrics.log",
                tooltip="Logarithmic values in all charts, or linear again"),
        Binding("percent_sign", "toggle_outliers", "Outliers", key_display="%", show=False,
                id="metrics.outliers",
                tooltip="Leave the extreme percent of the values at each end out of the axis"),
    ]  # fmt: skip
    none_logged: str
    """What is said if there are no metrics."""

    _points: Mapping[str, LoggedPoint | None]
    """The last point of every metric; None for one without steps."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self._points = {}
        self._filter = NameFilter()
        self._by_change = False
        self._order: list[str] = []
        """All names in the order of the grid."""
        self._fitting: list[str] = []
        """Those of them that the filter lets through."""
        self._why_none = ""
        self._was_read = False
        self._pinned: set[str] = set()
        self._folded: set[str] = set()
        self._in_sight: tuple[str, ...] = ()
        self._marker = BRAILLE
        self._look = Look()

    def on_mount(self) -> None:
        if self.is_composed:
            self.zoom.display = False
            self.set_focus(self.grid)
            if not session.has_braille(self.flow.session):
                self.action_toggle_marker()

    @property
    def grid(self) -> ChartGrid:
        return self.query_one(ChartGrid)

    @property
    def zoom(self) -> MetricZoom:
        return self.query_one(MetricZoom)

    # Reading ---------------------------------------------------------------------------------

    def read_charts(
        self,
        points: Mapping[str, LoggedPoint | None],
        read_chart: Callable[[str, int], Callable[[], object] | None],
    ) -> Iterator[Callable[[], object]]:
        """Read, in a thread, what the zoom shows, or else the charts that are in sight.

        Args:
            points: The last point of every metric.
            read_chart: Takes a metric and the number of columns of its small chart, and returns the
                function that shows it; None if there is nothing to show.
        """
        if self.zoom.is_open:
            yield from self.zoom.read(points)
            return
        columns = self.grid.columns
        for key in self._in_sight:
            # The person may have scrolled on, or zoomed into one of them, meanwhile.
            if key not in points or key not in self._in_sight or self.zoom.is_open:
                continue
            show = read_chart(key, columns)
            if show is not None:
                yield show

    @property
    def has_content(self) -> bool:
        return self._was_read

    def show_reading(self) -> None:
        if not self._was_read and self.is_composed:
            self.grid.show_metrics((), {}, "reading…")

    # Showing ---------------------------------------------------------------------------------

    def show_points(self, points: Mapping[str, LoggedPoint | None]) -> None:
        """Show these metrics, with the last point of each."""
        self._was_read = True
        is_same = self._points.keys() == points.keys()
        self._points = points
        if not is_same:
            self._put_in_order()
        self._fill()

    def _put_in_order(self) -> None:
        self._order = ordered(self._points, self._by_change)
        self._why_none = ""
        try:
            self._fitting = self._filter.of(self._order)
        except FilterError as error:
            self._fitting, self._why_none = [], f"✗ {fmt.plain(str(error))}"

    def _fill(self) -> None:
        note = fmt.none_match(len(self._points), "metric") if self._points else self.none_logged
        note = self._why_none or note
        self.grid.show_metrics(self._groups(), self._points, note)

    def _groups(self) -> list[CardGroup]:
        return grouped(self._fitting, self._pinned, self._folded)

    def show_failure(self, reason: str) -> None:
        self._was_read = True
        text = fmt.unread(reason)
        if self.zoom.is_open:
            self.zoom.show_failure(text)
        else:
            self.grid.show_metrics((), {}, text)

    # The grid --------------------------------------------------------------------------------

    @on(ChartGrid.CardsNeeded)
    def read_cards(self, event: ChartGrid.CardsNeeded) -> None:
        self._in_sight = event.keys
        self.want({Kind.METRICS})

    @on(ChartGrid.FoldWanted)
    def fold_group(self, event: ChartGrid.FoldWanted) -> None:
        self._folded ^= {event.group}
        self._fill()

    def action_fold_all(self) -> None:
        names = {group.name for group in self._groups()}
        self._folded = set() if names <= self._folded else names
        self._fill()

    def action_pin(self) -> None:
        if (key := self.grid.key) is not None:
            self._pinned ^= {key}
            self._fill()

    def action_sort(self) -> None:
        self._by_change = not self._by_change
        self._put_in_order()
        self._fill()
        if groups := self._groups():
            self.grid.put_cursor(groups[0].keys[0])
        how = "last change, newest first" if self._by_change else "name"
        self.notify(f"Metrics are sorted by {how}.", timeout=2)

    async def action_filter(self) -> None:
        await self.query_one("#names", FilterLine).open(self._filter.text)

    @on(FilterLine.Changed, "#names")
    def filter_names(self, event: FilterLine.Changed) -> None:
        if not event.line.is_taken(self._take_filter):
            return
        self._fill()
        event.line.note(f"{len(self._fitting):,} of {len(self._points):,}" if event.text else "")

    def _take_filter(self, text: str) -> None:
        wanted = NameFilter(text)
        self._fitting = wanted.of(self._order)
        self._filter, self._why_none = wanted, ""

    @on(FilterLine.Left)
    def leave_line(self) -> None:
        self.grid.focus()

    def action_toggle_marker(self) -> None:
        self._marker = BLOCKS if self._marker == BRAILLE else BRAILLE
        self.grid.use_marker(self._marker)
        self.zoom.use_marker(self._marker)

    def action_toggle_log(self) -> None:
        self._use_look(replace(self._look, is_log=not self._look.is_log))

    def action_toggle_outliers(self) -> None:
        self._use_look(replace(self._look, leaves_out=not self._look.leaves_out))

    def _use_look(self, look: Look) -> None:
        self._look = look
        self.grid.use_look(look)
        self.zoom.use_look(look)

    # One metric ------------------------------------------------------------------------------

    @on(ChartGrid.Chosen)
    def zoom_in(self, event: ChartGrid.Chosen) -> None:
        self.grid.display = False
        self.zoom.display = True
        self.zoom.open(event.key, self._order)

    @on(MetricZoom.StepWanted)
    def step_metric(self, event: MetricZoom.StepWanted) -> None:
        self.zoom.open(neighbour_key(self._groups(), event.key, event.by), self._order)

    @on(MetricZoom.ReadWanted)
    def read_zoom(self) -> None:
        self.want({Kind.METRICS})

    @on(MetricZoom.Left)
    def zoom_out(self, event: MetricZoom.Left) -> None:
        self.zoom.display = False
        self.grid.display = True
        self.set_focus(self.grid)
        self.grid.put_cursor(event.key)
        self.want({Kind.METRICS})

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Before the screen is composed there is no zoom.
        zooms = self.query(MetricZoom)
        if action in GRID_ACTIONS and zooms and zooms.first().is_open:
            return False
        return super().check_action(action, parameters)
