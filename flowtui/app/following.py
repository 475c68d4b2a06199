"""The program that this session was started with: its console, its mark, and the end."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from textual.screen import Screen

from flowtui import format as fmt
from flowtui.app.key_queue import OPENING
from flowtui.launch.link import ProgramLink
from flowtui.widgets.frame.frame import TABS, JobMark

if TYPE_CHECKING:
    from collections.abc import Callable

    from flowtui.screens.console.leaving import ProgramLeaveScreen
    from flowtui.screens.console.screen import ConsoleScreen
    from flowtui.store.open_run import OpenRun
    from flowtui.store.store import Store
    from flowtui.widgets.host import Host

CONSOLE = "console"
"""The mode of its console."""


class Following:
    """Follows one program; all is called in the thread of the app's loop."""

    def __init__(self, app: Host, link: ProgramLink, store: Store, run: OpenRun) -> None:
        """Take the program and its run."""
        self._app = app
        self._link = link
        self._store, self._run = store, run
        self._back_to = TABS[0]
        self._told_run = ""
        """The id of the run of which the person was told."""
        self._shown: JobMark | None = None
        """The mark that the frame has."""
        self._question: ProgramLeaveScreen | None = None
        self.screen: ConsoleScreen | None = None
        """The console, once it was shown."""

    @property
    def is_running(self) -> bool:
        return self._link.is_running

    @property
    def mark(self) -> JobMark:
        """What the frame says about the program."""
        from flowtui.screens.console.screen import standing_of

        said, _ = standing_of(self._link)
        is_failed = said.startswith("✗")
        return JobMark((said, "ctrl+t"), is_failed)

    def start(self) -> None:
        """Begin to be told of changes; the loop runs."""
        loop = asyncio.get_running_loop()
        self._app.add_mode(CONSOLE, self._make)

        def changed() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._changed)

        self._link.changed = changed
        self._changed()

    def _make(self) -> Screen[None]:
        from flowtui.screens.console.screen import ConsoleScreen

        self.screen = ConsoleScreen(self._store, self._run, self._link, self._leave_console)
        return self.screen

    def _changed(self) -> None:
        now = self._link.state.run
        if now is not None and now.run_id != self._run.id and now.run_id != self._told_run:
            self._told_run = now.run_id
            self._app.notify(
                f"The program has a run of its own now: {fmt.plain(now.name, 100)}"
                f" ({fmt.short_id(now.run_id)}) in {fmt.plain(str(now.directory))}.",
                timeout=20, markup=False,
            )  # fmt: skip
        # Most changes are of the output alone.
        if self._app.is_running and self.mark != self._shown:
            self._shown = self.mark
            self._app.show_frame()

    async def toggle(self) -> None:
        """Show the console, or go back from it to where somebody came from."""
        if self._app.current_mode == CONSOLE:
            await self._leave_console()
        else:
            self._back_to = self._app.current_mode
            await self._app.switch_mode(CONSOLE)

    async def _leave_console(self) -> None:
        await self._app.switch_mode(self._back_to)

    # How it ends -----------------------------------------------------------------------------

    def ask_to_leave(self, leave: Callable[[], None]) -> None:
        """Ask what becomes of the program that runs, and leave with it or without.

        Who asks again to leave while this is asked leaves it running.
        """
        if self._question is not None and self._question in self._app.screen_stack:
            leave()
        else:
            self._app.run_worker(self._ask(leave), group=OPENING)

    async def _ask(self, leave: Callable[[], None]) -> None:
        from flowtui.screens.console.leaving import ProgramLeaveScreen

        self._question = ProgramLeaveScreen(
            "The program is running. Leave it running, or stop it?",
            [f"flow-tui run --attach {self._run.id[:8]} comes back to it."],
        )
        answer = await self._app.push_screen_wait(self._question)
        if answer == "stop":
            self._link.end(signal.SIGTERM)
        if answer:
            leave()

    def close(self) -> None:
        """Be told no more; the program goes on."""
        self._link.changed = lambda: None
