"""What becomes of a worker's error that its widget did not expect."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual import on
from textual.message_pump import MessagePump
from textual.worker import Worker, WorkerState

if TYPE_CHECKING:
    from flowtui.widgets.host import Host


class ReportsWorkers(MessagePump):
    """Mixed into every widget and screen that has workers, before its Textual class.

    Only the node that started a worker is told of its end: `Worker.StateChanged` does not bubble.
    """

    @on(Worker.StateChanged)
    def report_failed_worker(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            cast("Host", self.app).report_bug(event.worker.error)
