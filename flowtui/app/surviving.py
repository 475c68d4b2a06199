"""An error in flow-tui itself ends no more than what it came up in.

It is told, its details are kept, the screen stays, and the key that led to it can be tried again.
Only where the screen cannot be laid out or drawn is there nothing to go on with.
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
from flowtui.terminal.textual_private import broken_screen, go_on_after_errors, is_of_drawing
from flowtui.widgets.host import Host


class Surviving(Host):
    """An app that goes on after an error, as long as it can draw."""

    def __init__(self, **options: object) -> None:
        go_on_after_errors()
        super().__init__(**options)  # type: ignore[arg-type]  # handed through as they are
        self._crashes = Crashes()
        self._mode_before = ""
        """The tab, or the list, that was shown before the present one."""

    @property
    def is_over(self) -> bool:
        """Whether the app ends, and has no screen for what is still on its way."""
        return self.is_exiting or not self.screen_stack

    async def make_tab_again(self, tab: str) -> None:
        """Have a tab, or the list, that is not shown made anew when it is."""
        raise NotImplementedError

    def switch_mode(self, mode: str) -> AwaitMount:
        before = self.current_mode
        try:
            shown = super().switch_mode(mode)
        except Exception:
            # It could not be made. Textual has told the one that is still shown that it is not.
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
            # Whoever leaves is not told of what can be done no more; a log is there all the same.
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
        """Leave a screen that has nothing on it."""
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
        """Say so when a background read ends in an error that it did not expect."""
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
        # Textual would print every frame's variables, and with them raw text from the store.
        error = sys.exc_info()[1] or error or RuntimeError("unknown")
        if self.is_told_why:
            # What follows from the first error would only hide it.
            return
        summary = fmt.plain(f"{type(error).__name__}: {error}", 300)
        where = self._crashes.note(error)
        self.panic(Text(f"flow-tui: stopped by an error in itself: {summary}\n{where}"))
