"""The flow behind the key C: starting a receiver, showing it, and ending it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from flowtui import format as fmt
from flowtui.collector.listening import PORT, CollectFailed, Listening
from flowtui.jobs.receiver import Receiver, ReceiverPhase, ReceiverRequest, mark
from flowtui.screens.collect.screen import CollectScreen
from flowtui.screens.dialogs.confirm import ConfirmScreen
from flowtui.screens.may_write import why_not_collected
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.widgets.frame.frame import JobMark

if TYPE_CHECKING:
    from flowtui.widgets.host import Host, Options

END_PATIENCE_S = 2.0
"""How long the app waits for a receiver to write what it has received, and to end."""
CLOSE_S = 0.3
"""How long it waits for the receiver when the app itself ends."""
_TITLE = "Nothing is collected"


class Collector:
    """The one receiver that a session has at a time, and the screens around it."""

    def __init__(self, app: Host) -> None:
        self._app = app
        self._receiver: Receiver | None = None
        self._is_asking = False

    @property
    def mark(self) -> JobMark | None:
        """What the frame says about the receiver."""
        return None if self._receiver is None else mark(self._receiver.state)

    @property
    def is_running(self) -> bool:
        return self._receiver is not None

    @property
    def details(self) -> list[str]:
        """Lines that describe the receiver, for a question about ending it."""
        if self._receiver is None:
            return []
        name = fmt.plain(self._receiver.request.run.name, 100)
        return [f"spans into {name}", "  ".join(mark(self._receiver.state).words)]

    async def open(self, store: Store, run: OpenRun) -> None:
        """Show the receiver that runs, or start one for a run."""
        if self._is_asking:
            return
        self._is_asking = True
        try:
            if self._receiver is None:
                self._start_if_allowed(store, run)
            elif await self._app.push_screen_wait(CollectScreen(self._receiver)):
                await self.end()
        finally:
            self._is_asking = False

    def _start_if_allowed(self, store: Store, run: OpenRun) -> None:
        refusal = why_not(store, self._app.options)
        if refusal:
            self._app.notify(fmt.plain(refusal, 300), title=_TITLE, markup=False)
            return
        self._start(ReceiverRequest(run, store.directory, PORT))

    def _start(self, wanted: ReceiverRequest) -> None:
        was = ReceiverPhase.STARTING

        def changed() -> None:
            nonlocal was
            before, was = was, receiver.state.phase
            if was is ReceiverPhase.LISTENING and before is ReceiverPhase.STARTING:
                where = fmt.plain(receiver.state.environment[0].partition("=")[2], 100)
                self._app.notify(where, title="Collecting; C: more", markup=False)
            if was is ReceiverPhase.OVER:
                self._take_end(receiver)
            self._app.show_frame()

        receiver = Receiver(wanted, changed)
        self._receiver = receiver
        self._app.show_frame()

    def _take_end(self, receiver: Receiver) -> None:
        """Notify the person of how the receiver ended."""
        self._receiver = None
        state = receiver.state
        if state.is_port_taken and receiver.request.port:
            self._app.run_worker(self._offer_free_port(receiver.request))
            return
        text = f"{fmt.count(state.tally.received, 'span')} into {receiver.request.run.name}"
        if not state.problem:
            self._app.notify(fmt.plain(text, 300), title="Collecting ended", markup=False)
        elif not state.environment:
            self._app.notify(state.problem, title=_TITLE, severity="error", markup=False)
        else:
            text = f"{state.problem}\n{fmt.plain(text, 300)}"
            self._app.notify(text, title="Collecting ended", severity="error", markup=False)

    async def _offer_free_port(self, wanted: ReceiverRequest) -> None:
        question = ConfirmScreen(
            f"Port {wanted.port} is taken. Listen on a free one?",
            ["Exporters need the new port: C shows it."],
        )
        if await self._app.push_screen_wait(question) and self._receiver is None:
            self._start(ReceiverRequest(wanted.run, wanted.directory, 0))

    async def may_end_for_another_run(self, run_id: str) -> bool:
        """Ask whether to stop collecting so that another run can be opened; if so, stop it."""
        receiver = self._receiver
        if receiver is None or receiver.request.run.id == run_id:
            return True
        question = ConfirmScreen("Stop collecting, and open the other run?", self.details)
        if not await self._app.push_screen_wait(question):
            return False
        await self.end()
        return True

    async def end(self) -> None:
        """Stop the receiver, and wait a moment until it has written what it has received."""
        if (receiver := self._receiver) is not None:
            receiver.stop()
            with suppress(TimeoutError):
                await asyncio.wait_for(receiver.over.wait(), END_PATIENCE_S)

    def stop(self) -> None:
        """Tell the receiver to end, without waiting for it."""
        if self._receiver is not None:
            self._receiver.stop()

    def close(self) -> None:
        """End it for good, within less than a second."""
        if self._receiver is not None:
            self._receiver.close(CLOSE_S)


def why_not(store: Store, options: Options) -> str:
    """Return why nothing can be collected into the runs of a store; nothing if it can."""
    if reason := why_not_collected(store, options):
        return reason
    try:
        Listening().check()
    except CollectFailed as failed:
        return str(failed)
    return ""
