"""The one way to ask in the background: a thread is asked, and the loop takes its answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from textual import on
from textual.dom import DOMNode
from textual.message import Message
from textual.message_pump import MessagePump
from textual.worker import Worker, WorkerState, get_current_worker

from flowtui import format as fmt
from flowtui.failures import Failure, NoLongerWanted
from flowtui.store.cancelling import cancelling

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

T = TypeVar("T")

WAITING_WORD_AFTER_S = 0.1
"""How long an answer may take before it is said that something is waited for."""
REASON_CHARACTERS = 300


@dataclass
class Answered(Message, bubble=False):
    """Sent by a thread to the one who asked, with what takes the answer."""

    worker: Worker[None] | None
    """Whose end makes it unwanted; None where it is wanted in any case."""
    take: Callable[[], object]


class Asks(MessagePump):
    """Mixed into every widget and screen that asks, before its Textual class.

    Whatever a question reads of a store ends when its answer is not wanted any more.
    """

    def ask(
        self,
        question: Callable[[], T],
        then: Callable[[T], object],
        failed: Callable[[str], object] | None = None,
        *,
        group: str,
        replaces: bool = True,
        waiting: Callable[[], object] | None = None,
        left: Callable[[], object] | None = None,
    ) -> Worker[None]:
        """Have a question answered in a thread, and return the worker that waits for it.

        Args:
            question: Is called in a thread, and touches no widget.
            then: Is given the answer on the loop, unless it is not wanted any more by then: the
                worker was cancelled, another question took its place, or this node is gone.
            failed: Is given the reason on the loop where there is none; `ask_failed` unless given.
            group: What is asked for; questions of one group replace one another.
            replaces: Whether it does; else the answers of all are wanted.
            waiting: Is called once when the answer takes long.
            left: Is called where the question ended because nobody waited for it. Whoever gives
                it is told how it ended in any case, even with an answer that was left too late.
        """

        def answers() -> Iterable[T]:
            yield question()

        return self.ask_each(
            answers, then, failed, group=group, replaces=replaces, waiting=waiting, left=left
        )

    def ask_each(
        self,
        question: Callable[[], Iterable[T]],
        then: Callable[[T], object],
        failed: Callable[[str], object] | None = None,
        *,
        group: str,
        replaces: bool = True,
        waiting: Callable[[], object] | None = None,
        left: Callable[[], object] | None = None,
    ) -> Worker[None]:
        """Do what `ask` does with a question that has several answers, each taken as it comes."""

        def work() -> None:
            worker = get_current_worker()

            def answer(take: Callable[[], object]) -> None:
                if left is not None or not worker.is_cancelled:
                    self.post_message(Answered(None if left is not None else worker, take))

            try:
                with cancelling(lambda: worker.is_cancelled):
                    for one in question():
                        answer(lambda one=one: then(one))  # type: ignore[misc]
            except NoLongerWanted:
                if left is not None:
                    answer(left)
            except Failure as error:
                reason = str(error)
                answer(lambda: (failed or self.ask_failed)(reason))
            except Exception as error:
                reason = f"flow-tui has a fault here ({type(error).__name__})"
                answer(lambda: (failed or self.ask_failed)(reason))
                raise

        # Whatever has this mixin is a node: the mixin alone has no workers.
        node = cast("DOMNode", self)
        worker: Worker[None] = node.run_worker(
            work, thread=True, group=group, exclusive=replaces, exit_on_error=False
        )
        if waiting is not None:
            self.set_timer(WAITING_WORD_AFTER_S, lambda: None if worker.is_finished else waiting())
        return worker

    def meanwhile(self, take: Callable[[], object]) -> None:
        """Have something done on the loop; for questions that say how far they are."""
        self.post_message(Answered(get_current_worker(), take))

    def ask_failed(self, reason: str) -> None:
        """Say why there is no answer, in a corner of the screen."""
        cast("Host", self.app).notify(
            fmt.plain(reason, REASON_CHARACTERS), title="Not read", severity="error", markup=False
        )

    @on(Answered)
    async def take_answer(self, message: Answered) -> None:
        """Take an answer, which may have stopped to be wanted on its way here."""
        if message.worker is None or not message.worker.is_cancelled:
            taken = message.take()
            if inspect.isawaitable(taken):
                await taken

    @on(Worker.StateChanged)
    def report_failed_worker(self, event: Worker.StateChanged) -> None:
        """Report what a thread ended in that it should not have.

        Only the node that started a worker is told of its end: the message does not bubble.
        """
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            cast("Host", self.app).report_bug(event.worker.error)
