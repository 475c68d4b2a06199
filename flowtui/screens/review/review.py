"""The review screen, in which items are judged one after the other with one key each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from textual import on
from textual.app import ComposeResult

from flowtui.screens.base import SHORT
from flowtui.screens.dialog import Dialog
from flowtui.screens.may_write import why_not_annotated
from flowtui.screens.review.queue import Item, ReviewSource
from flowtui.screens.review.view import ReviewView
from flowtui.store.annotations.values import Change
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.undo import UndoStack
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import CURVE_CLASSES, ROLE_CLASSES

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

WIDE_FROM = 120


class ReviewScreen(Dialog[str], Generic[Item]):
    """Shows a review on the whole terminal; dismisses with what was done, in words."""

    CSS_PATH = "review.tcss"
    COMPONENT_CLASSES = ROLE_CLASSES | CURVE_CLASSES
    AUTO_FOCUS = ""
    is_place = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_FROM, "-wide")]  # noqa: RUF012  # an instance's
    VERTICAL_BREAKPOINTS = SHORT

    def __init__(
        self, store: Store, run: OpenRun, source: ReviewSource[Item], undo: UndoStack[Change]
    ) -> None:
        """Make the screen.

        Args:
            store: The store of the run.
            run: The run whose spans or samples are judged.
            source: The source of the items to judge.
            undo: The undo stack of the tab, so that each can undo changes made in the other.
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
    flow: Host, store: Store, run: OpenRun, source: ReviewSource[Item], undo: UndoStack[Change]
) -> str:
    """Hold a review, and notify of what was done or why it cannot begin.

    To be awaited in a worker.

    Returns:
        What was done, in words; empty if the review could not begin.
    """
    reason = why_not_annotated(store, flow.options)
    if reason:
        flow.notify(reason, severity="warning", markup=False)
        return ""
    done = await flow.push_screen_wait(ReviewScreen(store, run, source, undo))
    flow.notify(done, title="Review", timeout=3, markup=False)
    return done
