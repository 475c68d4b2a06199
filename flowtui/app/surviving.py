"""An error in flow-tui itself ends only the action or the read in which it came up.

The person is notified, the details are logged, the screen stays, and the key that led to the error
can be tried again. Only an error of layout or drawing ends the app: it would come up in each frame.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from rich.text import Text
from textual import events, on
from textual.actions import ActionParseResult
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import AwaitMount
from textual.worker import Worker, WorkerFailed, WorkerState

from flowtui import format as fmt
from flowtui.app.crash import Crashes
from flowtui.screens.dialog import Dialog
from flowtui.terminal.textual_private import broken_screen, continue_after_errors, is_of_drawing
from flowtui.widgets.host import Host


class Surviving(Host):
    """An app that goes on after an error, as long as it can draw."""

    def __init__(self, **options: object) -> None:
        continue_after_errors()
        super().__init__(**options)
        self._crashes = Crashes()
        self._mode_before = ""
        """The mode (a tab, or the list of runs) before the present one."""

    @property
    def is_over(self) -> bool:
        """Whether the app is ending, and has no screen for events that still arrive."""
        return self.is_exiting or not self.screen_stack

    async def make_tab_again(self, tab: str) -> None:
        """Make a tab, or the list of runs, anew when it is shown next; it must be hidden now."""
        raise NotImplementedError

    def switch_mode(self, mode: str) -> AwaitMount:
        before = self.current_mode
        try:
            shown = super().switch_mode(mode)
        except Exception:
            # The new screen could not be made, but Textual has already suspended the present one.
            self.screen.post_message(events.ScreenResume())
            raise
        if mode != before:
            self._mode_before = before
        return shown

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except Exception as error:
            if not self.survives(error, is_asked=True):
                raise
            return True

    def survives(self, error: BaseException, *, is_asked: bool = False) -> bool:
        if isinstance(error, WorkerFailed):
            error = error.error
        if self.is_exiting:
            # A person who leaves can do nothing about it any more; the log is enough.
            self._crashes.note(error)
            return True
        if self.is_over or not self.has_begun or is_of_drawing(error):
            return False
        screen = broken_screen(error)
        if screen is not None:
            if not (isinstance(screen, Dialog) or self._mode_before):
                return False
            self.call_later(self._leave_broken, screen)
        self.report_bug(error, is_asked=is_asked)
        return True

    async def _leave_broken(self, screen: Screen[object]) -> None:
        """Leave a screen whose widgets could not be made."""
        if screen is not self.screen:
            return
        if isinstance(screen, Dialog):
            screen.dismiss(None)
            return
        tab = self.current_mode
        await self.switch_mode(self._mode_before)
        await self.make_tab_again(tab)

    @on(Worker.StateChanged)
    def report_failed_worker(self, event: Worker.StateChanged) -> None:
        """Report an error that a worker did not expect."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.report_bug(event.worker.error)

    def report_bug(self, error: BaseException, *, is_asked: bool = False) -> None:
        where = self._crashes.note(error)
        if self._crashes.is_news(error, is_asked):
            self.notify(
                f"{type(error).__name__}: {fmt.plain(str(error), 200)}\n{fmt.plain(where)}",
                title="Something is wrong in flow-tui",
                severity="error",
                markup=False,
            )

    def end_by_error(self, error: BaseException | None) -> None:
        # Textual would print the variables of every frame, and with them raw text from the store.
        error = sys.exc_info()[1] or error or RuntimeError("unknown")
        if self.has_exit_message:
            # Later errors follow from the first one, and would hide it.
            return
        summary = fmt.plain(f"{type(error).__name__}: {error}", 300)
        where = self._crashes.note(error)
        self.panic(Text(f"flow-tui: stopped by an error in itself: {summary}\n{where}"))
