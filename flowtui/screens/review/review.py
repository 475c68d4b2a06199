"""The review: judging one thing after the other, with one key each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from textual import on
from textual.app import ComposeResult

from flowtui.screens.base import SHORT
from flowtui.screens.dialog import Dialog
from flowtui.screens.may_write import why_not_annotated
from flowtui.screens.review.queue import Item, ReviewSource
from flowtui.screens.review.view import ReviewView
from flowtui.store.annotations.undo import UndoStack
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import CURVE_CLASSES, ROLE_CLASSES

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

WIDE_FROM = 120


class ReviewScreen(Dialog[str], Generic[Item]):
    """Fills the terminal with a review; dismisses with what was done, in words."""

    CSS_PATH = "review.tcss"
    COMPONENT_CLASSES = ROLE_CLASSES | CURVE_CLASSES
    AUTO_FOCUS = ""
    is_place = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_FROM, "-wide")]  # noqa: RUF012  # an instance's
    VERTICAL_BREAKPOINTS = SHORT

    def __init__(
        self, store: Store, run: OpenRun, source: ReviewSource[Item], undo: UndoStack
    ) -> None:
        """Make the screen.

        Args:
            store: where the run is.
            run: whose spans or samples are judged.
            source: what is judged.
            undo: what was done on the tab, which can undo what is done here too.
        """
        super().__init__()
        self._view = ReviewView(store, run, source, undo)

    def compose(self) -> ComposeResult:
        yield self._view
        yield KeyLine()

    @property
    def unsaved(self) -> str:
        return self._view.unsaved

    @on(ReviewView.Left)
    def leave(self, event: ReviewView.Left) -> None:
        self.dismiss(event.words)


async def review(
    flow: Host, store: Store, run: OpenRun, source: ReviewSource[Item], undo: UndoStack
) -> str:
    """Have things judged one after the other, and say what was done, or why it cannot be.

    To be awaited in a worker. Returns what was done, nothing if it could not begin.
    """
    reason = why_not_annotated(store, flow.options)
    if reason:
        flow.notify(reason, severity="warning", markup=False)
        return ""
    done = await flow.push_screen_wait(ReviewScreen(store, run, source, undo))
    flow.notify(done, title="Review", timeout=3, markup=False)
    return done
