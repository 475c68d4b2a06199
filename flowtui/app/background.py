"""The jobs in the background of a session: an upload and a receiver of spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowtui.app.key_queue import OPENING
from flowtui.widgets.frame.frame import JobMark, UploadMark

if TYPE_CHECKING:
    from flowtui.screens.alarm.flow import Alarms
    from flowtui.screens.collect.flow import Collector
    from flowtui.screens.dialogs.confirm import ConfirmScreen
    from flowtui.screens.upload.flow import Uploads
    from flowtui.store.open_run import OpenRun
    from flowtui.store.store import Store
    from flowtui.store.values import Run
    from flowtui.widgets.host import Host


class Background:
    """Makes the upload and the receiver when they are first wanted, and ends both together."""

    def __init__(self, app: Host) -> None:
        self._app = app
        self._uploads: Uploads | None = None
        self._collector: Collector | None = None
        self._alarms: Alarms | None = None
        self._question: ConfirmScreen | None = None
        """The last dialog that asked whether to leave."""
        self._is_leaving = False

    @property
    def upload(self) -> UploadMark | None:
        """What the frame says about the upload."""
        return None if self._uploads is None else self._uploads.mark

    @property
    def collect(self) -> JobMark | None:
        """What the frame says about the receiver."""
        return None if self._collector is None else self._collector.mark

    @property
    def alarm(self) -> JobMark | None:
        """What the frame says about what is watched."""
        return None if self._alarms is None else self._alarms.mark

    @property
    def is_uploading(self) -> bool:
        return self._uploads is not None and self._uploads.is_running

    @property
    def is_collecting(self) -> bool:
        return self._collector is not None and self._collector.is_running

    def open_upload(self, store: Store, run: OpenRun | None) -> None:
        """Show the upload that is under way, or ask what to upload of a run."""
        if self._uploads is None:
            from flowtui.screens.upload.flow import Uploads

            self._uploads = Uploads(self._app)
        self._app.run_worker(self._uploads.open(store, run), group=OPENING)

    def retry_upload(self) -> None:
        if self._uploads is not None:
            self._app.run_worker(self._uploads.retry())

    def end_upload(self) -> None:
        if self._uploads is not None:
            self._app.run_worker(self._uploads.end())

    def open_collector(self, store: Store, run: OpenRun) -> None:
        """Show the receiver that runs, or start one for a run."""
        if self._collector is None:
            from flowtui.screens.collect.flow import Collector

            self._collector = Collector(self._app)
        self._app.run_worker(self._collector.open(store, run), group=OPENING)

    def open_alarm(self, store: Store, run: OpenRun) -> None:
        """Ask what to tell of a run or, if one is watched, whether to stop."""
        if self._alarms is None:
            from flowtui.screens.alarm.flow import Alarms

            self._alarms = Alarms(self._app)
        self._app.run_worker(self._alarms.open(store, run), group=OPENING)

    def look(self) -> None:
        """Look at the run that is watched, if there is one."""
        if self._alarms is not None:
            self._alarms.look()

    async def may_open(self, run: Run) -> bool:
        """Ask for consent if opening a run ends the receiver of another one; needs a worker."""
        return self._collector is None or await self._collector.may_end_for_another_run(run.id)

    def quit(self) -> None:
        """Leave the app; ask first if a job is running, or if something typed is not saved."""
        has_jobs = self.is_uploading or self.is_collecting
        is_asking = self._question in self._app.screen_stack
        # Whoever asks again to leave has seen that what was typed is lost.
        if not has_jobs and (is_asking or not self._unsaved):
            self._app.exit()
        elif not is_asking and not self._is_leaving:
            # A question that was left open on another tab is not in sight: ask again here.
            self._question = self._leave_screen()
            self._app.run_worker(self._leave(self._question), group=OPENING)

    @property
    def _unsaved(self) -> str:
        """What the dialogs that are open ask before one leaves them."""
        from flowtui.screens.dialog import Dialog

        open_ones = [one for one in self._app.screen_stack if isinstance(one, Dialog)]
        return next((one.unsaved for one in reversed(open_ones) if one.unsaved), "")

    async def _leave(self, question: ConfirmScreen) -> None:
        if not await self._app.push_screen_wait(question):
            return
        self._is_leaving = True
        if self._collector is not None:
            await self._collector.end()
        if self._uploads is not None:
            await self._uploads.end_for_good()
        self._app.exit()

    def _leave_screen(self) -> ConfirmScreen:
        from flowtui.screens.dialogs.confirm import ConfirmScreen

        unsaved = self._unsaved
        if not (self.is_uploading or self.is_collecting):
            return ConfirmScreen(unsaved)
        from flowtui.screens.upload.progress import LeaveScreen

        questions, details = [unsaved] if unsaved else [], []
        if self._uploads is not None and self.is_uploading:
            questions.append("An upload is under way.")
            details += self._uploads.details
        if self._collector is not None and self.is_collecting:
            questions.append("Spans are being collected.")
            details += self._collector.details
        is_both = self.is_uploading and self.is_collecting
        questions.append("End both and quit?" if is_both else "End it and quit?")
        return LeaveScreen(" ".join(questions), details)

    def close(self) -> None:
        """End both jobs at once, within about half a second."""
        # The receiver ends while the upload tells the registry.
        if self._collector is not None:
            self._collector.stop()
        if self._uploads is not None:
            self._uploads.close()
        if self._collector is not None:
            self._collector.close()
