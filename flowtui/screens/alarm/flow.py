"""The flow behind the key !: asking what to tell of a run, watching it, and telling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowtui import format as fmt
from flowtui.failures import Failure, NoLongerWanted
from flowtui.screens.alarm.screen import AlarmScreen
from flowtui.screens.dialogs.confirm import ConfirmScreen
from flowtui.store.open_run import OpenRun
from flowtui.store.run_alarm import RunAlarm
from flowtui.store.store import Store
from flowtui.terminal.notifying import notice
from flowtui.widgets.asking import begin
from flowtui.widgets.frame.frame import JobMark

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

MARK_CHARS = 30


class Alarms:
    """The one run that a session watches at a time, whichever run is open."""

    def __init__(self, app: Host) -> None:
        self._app = app
        self._alarm: RunAlarm | None = None
        self._is_looking = False
        self._is_asking = False

    @property
    def mark(self) -> JobMark | None:
        """What the frame says about what is watched."""
        if self._alarm is None:
            return None
        what = fmt.plain(self._alarm.text, MARK_CHARS) or "until its end"
        return JobMark(("◷ !", what))

    async def open(self, store: Store, run: OpenRun) -> None:
        """Ask what to tell of a run or, if one is watched, whether to stop."""
        if self._is_asking:
            return
        self._is_asking = True
        try:
            if self._alarm is not None:
                await self._may_stop(self._alarm)
                return
            text = await self._app.push_screen_wait(AlarmScreen(run.name))
            if text is not None:
                from flowtui.store.filters import run_condition

                condition = run_condition(text) if text else None
                self._alarm = RunAlarm(store, run, condition, text)
                self._app.show_frame()
                self.look()
        finally:
            self._is_asking = False

    async def _may_stop(self, alarm: RunAlarm) -> None:
        name = fmt.plain(alarm.run.name, 100)
        question = f"You will be told of {name}. Stop watching it?"
        details = [fmt.plain(alarm.text, 300)] if alarm.text else []
        if await self._app.push_screen_wait(ConfirmScreen(question, details)):
            self._alarm = None
            self._app.show_frame()

    def look(self) -> None:
        """Look at the run, unless such a look is under way; to be called every second."""
        if self._alarm is not None and not self._is_looking:
            self._is_looking = True
            self._app.run_worker(self._look(self._alarm), group="alarm")

    async def _look(self, alarm: RunAlarm) -> None:
        try:
            news = await begin(self._app, alarm.news).answer()
        except (Failure, NoLongerWanted):
            # A run that cannot be read now is looked at again; its own tab says why it cannot.
            return
        finally:
            self._is_looking = False
        if alarm is not self._alarm:
            return
        for text in news:
            self._tell(alarm.run.name, text)
        if alarm.is_over:
            self._alarm = None
            self._app.show_frame()

    def _tell(self, name: str, text: str) -> None:
        self._app.notify(fmt.plain(text, 300), title=fmt.plain(name, 100), timeout=30, markup=False)
        self._app.send_notice(notice(name, text, self._app.session))
