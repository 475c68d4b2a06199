"""The base of every screen over a store: reading in the background, and the common frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Rule
from textual.worker import Worker, WorkerState

from flowtui.screens.may_write import why_not_annotated, why_not_collected, why_not_uploaded
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.values import Kind
from flowtui.terminal.keyboard import TakesText
from flowtui.widgets.asking import Asks
from flowtui.widgets.frame.frame import (
    Frame,
    HidesKeys,
    KeyLine,
    RunLine,
    TabLine,
    counted_tabs,
)
from flowtui.widgets.paint import ROLE_CLASSES

if TYPE_CHECKING:
    from flowtui.store.annotations.values import Target
    from flowtui.widgets.host import Host

WRITES = {
    "upload": why_not_uploaded, "collect": why_not_collected, "review": why_not_annotated,
}  # fmt: skip
"""Why an action does nothing where nothing is written; its key is not shown there."""
KEY_PATIENCE_S = 0.5
"""How long a key may hold up the next one."""

SHORT = [(0, "-short"), (16, "")]
"""Vertical breakpoints: fewer lines have no room for panes one below the other."""


class StoreScreen(Asks, Screen[None]):
    """A screen that shows a store, with one read at a time.

    Subclasses say what to read in `read`, which runs in a thread. A request during a read waits for
    its end: if it replaced that read, frequent changes would never let a slow read finish. A screen
    that is not shown reads nothing until it is.
    """

    AUTO_FOCUS = ""
    COMPONENT_CLASSES = ROLE_CLASSES

    needs_records: ClassVar[frozenset[str]] = frozenset()
    """Actions on the records that it lists; while there are none, their keys are hidden."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self._has_records = True
        """Whether there are any records to list, as far as is known."""
        self._has_widgets = False
        self._wanted: set[Kind] = set()
        self._under_way: frozenset[Kind] = frozenset()
        self._reader: Worker[None] | None = None
        self._openers: set[Worker[None]] = set()
        self.has_failed = False
        """Whether the last read failed, so that reading again is offered."""
        self._fails_now = False

    @property
    def flow(self) -> Host:
        return cast("Host", self.app)

    @property
    def is_composed(self) -> bool:
        """Whether it has its widgets, which a screen that is closed while it opens never gets.

        Widgets inside others come last, and a screen may be asked for its keys before that. One
        that is being closed is not displayed, and loses its widgets one by one; where it is shown
        again after that, it begins anew.
        """
        return self._has_widgets and self.display and bool(self.query(KeyLine))

    async def mount_composed_widgets(self, widgets: list[Widget]) -> None:
        await super().mount_composed_widgets(widgets)
        self._has_widgets = True

    @property
    def has_content(self) -> bool:
        """Whether it shows what keys act on, even if more is still being read."""
        return self.is_composed

    @property
    def is_awaited(self) -> bool:
        """Whether keys have to wait, because what they act on is still being read."""
        is_late = self.is_opening or (self._is_reading and not self.has_content)
        # Keys that are typed into a field act on the field.
        return is_late and not isinstance(self.focused, TakesText)

    @property
    def is_opening(self) -> bool:
        """Whether a record that was chosen is not shown yet."""
        return bool(self._openers)

    @property
    def _is_reading(self) -> bool:
        return self._reader is not None or bool(self._wanted)

    def take_whether_any(self, has_records: bool) -> None:
        """Note whether there are any records to list, whatever the filter shows."""
        if has_records != self._has_records:
            self._has_records = has_records
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in self.needs_records and not self._has_records:
            return False
        # In a field the key of this action is a letter of the text.
        return not (action == "filter" and isinstance(self.focused, TakesText))

    def read(self, kinds: frozenset[Kind]) -> Iterator[Callable[[], object]]:
        """Read these kinds of record in a thread, and yield a function that shows each answer.

        Raises:
            StoreError: The read failed; `show_failure` is called with the reason.
        """
        raise NotImplementedError

    def show_reading(self) -> None:
        """Show that a read takes a while."""

    def show_failure(self, reason: str) -> None:
        """Show why the read failed, in the place of what was to be read."""
        raise NotImplementedError

    def want(self, kinds: Iterable[Kind]) -> None:
        """Read these kinds of record, now or when the screen is shown next."""
        self._wanted.update(kinds)
        if self._wanted and self.is_current and self._reader is None:
            self._under_way = frozenset(self._wanted)
            self._wanted.clear()
            self._fails_now = False
            self._reader = self.ask_each(
                partial(self.read, self._under_way),
                lambda show: show(),
                self._fail,
                group="store",
                waiting=self.show_reading,
            )

    def _fail(self, reason: str) -> None:
        self.show_failure(reason)
        self.offer_again()

    def offer_again(self) -> None:
        """Offer to read again, because a part of what is read now could not be read."""
        self._fails_now = True
        self._take_whether_failed()

    def _take_whether_failed(self) -> None:
        if self.has_failed != self._fails_now:
            self.has_failed = self._fails_now
            self.refresh_bindings()

    def open_with(self, worker: Worker[None]) -> None:
        """Make keys wait until this worker's answer, the record that was chosen, is shown."""
        self._openers.add(worker)

    def on_screen_resume(self) -> None:
        for line in self.query(KeyLine):
            line.fill()
        self.want(())

    def on_screen_suspend(self) -> None:
        for line in self.query(KeyLine):
            line.fill()
        if self._reader is not None:
            self._reader.cancel()
            self._wanted.update(self._under_way)

    @on(Worker.StateChanged)
    def go_on_reading(self, event: Worker.StateChanged) -> None:
        is_over = event.state not in (WorkerState.PENDING, WorkerState.RUNNING)
        if not is_over:
            return
        # This event comes after all answers of the worker.
        self._openers.discard(event.worker)
        if event.worker is self._reader:
            self._reader = None
            self._take_whether_failed()
            self.want(())


class TabScreen(HidesKeys, StoreScreen):
    """One tab of one run, with the frame that all tabs share."""

    tab: ClassVar[str]
    reads: ClassVar[frozenset[Kind]] = frozenset()
    """The kinds of record that the tab shows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape", "leave", "Runs", id="tab.leave", tooltip="Go back to the list of runs",
            key_display="Esc",
        )
    ]  # fmt: skip

    frame: reactive[Frame | None] = reactive(None, init=False, repaint=False)

    def __init__(self, store: Store, run: OpenRun) -> None:
        super().__init__(store)
        self.run = run

    def hides(self, action: str) -> bool:
        if action == "upload" and self.frame is not None and self.frame.upload is not None:
            return False
        return action in WRITES and bool(WRITES[action](self.store, self.flow.options))

    def compose(self) -> ComposeResult:
        yield RunLine()
        yield TabLine(self.tab)
        yield Rule()
        yield from self.compose_tab()
        yield KeyLine()

    def compose_tab(self) -> Iterable[Widget]:
        """Yield the widgets between the tab line and the key line."""
        raise NotImplementedError

    def on_mount(self) -> None:
        if self.is_composed:
            self.set_reactive(TabScreen.frame, self.flow.frame)
            self.watch_frame(self.frame)
            self.want(self.reads)

    def watch_frame(self, frame: Frame | None) -> None:
        # A frame that comes before its lines exist is shown once they do.
        if frame is not None and self.is_composed:
            self.query_one(RunLine).show_frame(frame)
            self.query_one(TabLine).show_words(counted_tabs(frame.counts))
            self.show_frame(frame)

    def show_frame(self, frame: Frame) -> None:
        """Show inside the tab what the frame says about the run."""

    def store_changed(self, kinds: frozenset[Kind]) -> None:
        """Read the changed kinds of record again, as far as the tab shows them."""
        self.want(kinds & self.reads)

    def follow(self, target: Target, back_to: str) -> None:
        """Show a record that another tab refers to; Esc then leads back to that tab."""

    def action_leave(self) -> None:
        self.flow.show_runs()

    @on(TabLine.Picked)
    def switch_tab(self, event: TabLine.Picked) -> None:
        self.flow.show_tab(event.tab)
