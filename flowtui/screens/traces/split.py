"""The tree of a trace with the span beside it or below it: who gets how much of the room."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.geometry import Size
from textual.widget import Widget

from flowtui.screens.traces.span_pane import SpanPane
from flowtui.store.open_run import OpenRun
from flowtui.store.values import JsonValue
from flowtui.widgets import remembered
from flowtui.widgets.frame.pane_line import PaneLine
from flowtui.widgets.trees.span_row import FIXED_CELLS
from flowtui.widgets.trees.span_tree import SpanLines

Way = Literal["beside", "below"]

KEY = "trace split"
STEP = 0.05
"""By which share of the room one key moves the split."""
LEAST_CELLS, LEAST_LINES = 30, 4
"""What is left of either part, however far the split is moved."""
DETAIL_CELLS, DETAIL_SHARE = 44, 0.4
"""How wide a span is beside its tree, if nobody has moved the split."""
LEAST_DETAIL_CELLS = 38
"""How wide it still is where the names of the tree are long."""
BARS_CELLS = 20
"""How much room of its bars a tree gives up last, after the names of its spans."""
FRAME_LINES = 6
"""How many lines of the screen are neither the tree's nor the span's."""
SHORT_SHARE = 0.4
"""A tree that takes no more of the height is short: the span goes below it."""


class TraceSplit(Container):
    """Shows the tree and the span. A narrow screen has no room for them side by side.

    Its owner says with `take_tree` which trace it is about. The split, and which way it goes, are
    remembered for all traces; until they are chosen, they are as the trace fits.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("less_than_sign", "move_split(-1)", "Smaller tree", key_display="<", show=False,
                id="trace.split_back", tooltip="Move the split: more room for the span"),
        Binding("greater_than_sign", "move_split(1)", "Larger tree", key_display=">", show=False,
                id="trace.split_on", tooltip="Move the split: more room for the tree"),
        Binding("vertical_line", "turn_split", "Turn", key_display="|", show=False,
                id="trace.turn",
                tooltip="The span below the tree, or beside it (one of both on a narrow screen)"),
    ]  # fmt: skip

    def __init__(self, run: OpenRun) -> None:
        super().__init__(id="trace-split")
        self._run = run
        self._is_short = False
        self._decided_at: Size | None = None
        """The size of the screen for which it was found out whether the tree is short."""

    def compose(self) -> Iterable[Widget]:
        with Container(id="trace-panes"):
            yield SpanLines(id="spans")
            yield SpanPane(self._run, id="span")
        yield PaneLine(["Spans", "Detail", "Annotations"])

    @property
    def _lines(self) -> SpanLines:
        return self.query_one(SpanLines)

    def take_tree(self, *, is_new: bool) -> None:
        """Make room for the tree that is shown now; a new one may turn the split."""
        if is_new:
            self._decide()
        self._arrange()

    def on_resize(self) -> None:
        if self._decided_at not in (None, self.app.size):
            self._decide()
        self._arrange()

    def _decide(self) -> None:
        """Find out whether the tree is short on this screen.

        What takes room from the tree for a while, as a line to type into, must not turn it; nor
        must a trace that grows, or a size that is not the last one of a layout.
        """
        self._decided_at = self.app.size
        room = self.app.size.height - FRAME_LINES
        self._is_short = self._lines.whole_height <= SHORT_SHARE * room

    # Where the split is ----------------------------------------------------------------------

    @property
    def _fitting_way(self) -> Way:
        return "below" if self._is_short else "beside"

    @property
    def way(self) -> Way:
        """Where the span is, as it was last chosen or as the trace fits."""
        match _kept().get("way"):
            case "beside":
                return "beside"
            case "below":
                return "below"
        return self._fitting_way

    @property
    def shows_one(self) -> bool:
        """Whether there is no room for both."""
        return self.screen.has_class("-narrow") and self.way == "beside"

    @property
    def _room(self) -> tuple[int, int]:
        """How many cells or lines there are to divide, and how many each part gets at least."""
        if self.way == "beside":
            return self.size.width, LEAST_CELLS
        return self.size.height, LEAST_LINES

    @property
    def _tree_size(self) -> int:
        """How many cells or lines the tree gets."""
        room, least = self._room
        share = _kept().get(self.way)
        if isinstance(share, float) and 0 < share < 1:
            size = round(share * room)
        elif self.way == "below":
            size = min(self._lines.whole_height, room // 2)
        else:
            names = FIXED_CELLS + self._lines.name_cells + BARS_CELLS
            size = room - max(DETAIL_CELLS, round(DETAIL_SHARE * room))
            size = max(size, min(names, room - LEAST_DETAIL_CELLS))
        return max(min(size, room - least), min(least, room))

    def _arrange(self) -> None:
        if not self.size.width or not self.size.height:
            return
        self.set_class(self.shows_one, "-one")
        self.set_class(self.way == "below", "-below")
        styles = self._lines.styles
        styles.width = self._tree_size if self.way == "beside" and not self.shows_one else "1fr"
        styles.height = self._tree_size if self.way == "below" else "1fr"

    # Moving it -------------------------------------------------------------------------------

    def action_move_split(self, by: int) -> None:
        if self.shows_one:
            self.notify("One pane is shown; | shows both.", timeout=2)
            return
        room, least = self._room
        size = self._tree_size + by * max(round(STEP * room), 1)
        if least <= size <= room - least:
            _keep(self.way, size / room)
            self._arrange()

    def action_turn_split(self) -> None:
        turned: Way = "beside" if self.way == "below" else "below"
        _keep("way", None if turned == self._fitting_way else turned)
        self._arrange()


def _kept() -> dict[str, JsonValue]:
    kept = remembered.get(KEY)
    return kept if isinstance(kept, dict) else {}


def _keep(name: str, value: JsonValue) -> None:
    kept = {key: one for key, one in _kept().items() if key != name}
    if value is not None:
        kept[name] = value
    remembered.put(KEY, kept or None)
