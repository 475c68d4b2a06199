"""What is shown where there is no store, until there is one."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Rule

from flowtui import format as fmt
from flowtui import person
from flowtui.sources.recognising import SeenRuns
from flowtui.store.values import StoreLocation
from flowtui.widgets.cells import Piece, justified
from flowtui.widgets.frame.frame import KeyLine, OneLine
from flowtui.widgets.frame.ways import ThreeWays
from flowtui.widgets.paint import CURVE_CLASSES, ROLE_CLASSES


class NoStoreScreen(Screen[None]):
    """Shows the place where a store was looked for, and how one is made."""

    COMPONENT_CLASSES = ROLE_CLASSES | CURVE_CLASSES
    AUTO_FOCUS = "ThreeWays"

    def __init__(self, where: StoreLocation, others: Sequence[SeenRuns] = ()) -> None:
        """Take the place, and the runs of other tools that are here already."""
        super().__init__()
        self._where = where
        self._others = others

    @property
    def _place(self) -> str:
        return fmt.plain(fmt.path(self._where.directory, person.home(), "~"))

    def compose(self) -> ComposeResult:
        yield OneLine(id="title")
        yield Rule()
        is_folder = self._where.directory.is_dir()
        problem = "is not a store of runs" if is_folder else "is not there yet"
        why = f"{self._place} {problem} ({self._where.source})."
        yield ThreeWays(self._where, why, others=self._others)
        yield KeyLine()

    def on_resize(self) -> None:
        left = [Piece(" flow-tui", "title"), Piece("  "), Piece("No store", "accent")]
        right = [Piece(self._place, "muted"), Piece(" ")]
        self.query_one("#title", OneLine).show(justified(left, right, self.size.width))
