"""The one way to ask in the background: a worker's thread asks, and the loop takes the answer."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from textual import on
from textual.dom import DOMNode
from textual.message import Message
from textual.message_pump import MessagePump
from textual.worker import (
    NoActiveWorker,
    Worker,
    WorkerCancelled,
    WorkerFailed,
    WorkerState,
    get_current_worker,
)

from flowtui import format as fmt
from flowtui.failures import Failure, NoLongerWanted
from flowtui.store.cancelling import cancelling

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

T = TypeVar("T")

WAITING_WORD_AFTER_S = 0.1
"""How long an answer may take before the screen says that it is waiting."""
REASON_CHARACTERS = 300
"""How much of a reason is shown in a corner of the screen."""


@dataclass
class Answered(Message, bubble=False):
    """Sent by a worker's thread to the node that asked, with a function that takes the answer."""

    worker: Worker[None] | None
    """The worker whose cancelling makes the answer unwanted; None if it is wanted in any case."""
    take: Callable[[], object]


class Pending(Generic[T]):
    """What was asked in a thread and is taken later, by who awaits it."""

    def __init__(self, worker: Worker[T | Failure | NoLongerWanted]) -> None:
        self._worker = worker

    async def answer(self) -> T:
        """Return the answer; who stops waiting for it ends the question.

        Raises:
            Failure: as the question did; also where flow-tui has a fault there, which is reported.
            NoLongerWanted: the node that asked is gone.
        """
        try:
            found = await self._worker.wait()
        except WorkerFailed as error:
            raise Failure(_fault(error.error)) from error
        except WorkerCancelled as error:
            raise NoLongerWanted from error
        except asyncio.CancelledError:
            self._worker.cancel()
            raise
        if isinstance(found, (Failure, NoLongerWanted)):
            raise found
        return found


class Asks(MessagePump):
    """A mixin for widgets and screens that ask, which stands before their Textual class.

    A question's reads of a store end when its answer is not wanted any more.
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
        """Ask a question in a thread, and return the worker that asks it.

        Args:
            question: Is called in a thread, and must not touch a widget.
            then: Is called on the loop with the answer, if that is still wanted: not if the worker
                was cancelled, another question has replaced this one, or this node has gone.
            failed: Is called on the loop with the reason of a failure; the default is `ask_failed`.
            group: The kind of question; a question replaces an earlier one of its group.
            replaces: Whether it replaces that one; if not, the answers of both are wanted.
            waiting: Is called once if the answer takes long.
            left: Is called if the question was cancelled. A caller that gives it learns of every
                end: an answer that came before the cancelling took effect goes to `then`.
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
        """Ask as `ask` does a question with several answers, each of which is taken as it comes."""

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
                reason = _fault(error)
                answer(lambda: (failed or self.ask_failed)(reason))
                raise

        worker: Worker[None] = _node(self).run_worker(
            work, thread=True, group=group, exclusive=replaces, exit_on_error=False
        )
        if waiting is not None:
            self.set_timer(WAITING_WORD_AFTER_S, lambda: None if worker.is_finished else waiting())
        return worker

    async def asked(self, question: Callable[[], T], *, is_write: bool = False) -> T:
        """Return the answer to a question; for what goes on step by step.

        Args:
            question: Is called in a thread, and touches no widget.
            is_write: Whether it writes, and is not to be ended when nobody waits any more.

        Raises:
            Failure, NoLongerWanted: as `Pending.answer` says.
        """
        return await self.begin(question, is_write=is_write).answer()

    def begin(self, question: Callable[[], T], *, is_write: bool = False) -> Pending[T]:
        """Have a question asked, as `asked` does, whose answer is awaited later."""
        return begin(_node(self), question, is_write=is_write)

    @contextmanager
    def failures_told(self) -> Iterator[None]:
        """Have `ask_failed` told of what fails inside, which then ends there."""
        try:
            yield
        except NoLongerWanted:
            return
        except Failure as error:
            self.ask_failed(str(error))

    def meanwhile(self, take: Callable[[], object]) -> None:
        """Have something done on the loop; for any thread, a question's as long as it is wanted."""
        try:
            worker = get_current_worker()
        except NoActiveWorker:
            worker = None
        self.post_message(Answered(worker, take))

    def ask_failed(self, reason: str) -> None:
        """Show in a corner of the screen why there is no answer."""
        cast("Host", self.app).notify(
            fmt.plain(reason, REASON_CHARACTERS), title="Not read", severity="error", markup=False
        )

    @on(Answered)
    async def take_answer(self, message: Answered) -> None:
        """Take an answer, unless it has become unwanted on its way here."""
        if message.worker is None or not message.worker.is_cancelled:
            taken = message.take()
            if inspect.isawaitable(taken):
                await taken

    @on(Worker.StateChanged)
    def report_failed_worker(self, event: Worker.StateChanged) -> None:
        """Report an unexpected error of a worker.

        Textual tells only the node that started the worker: the event does not bubble.
        """
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            cast("Host", self.app).report_bug(event.worker.error)


def begin(node: DOMNode, question: Callable[[], T], *, is_write: bool = False) -> Pending[T]:
    """Do what `Asks.begin` does for what belongs to the app and is no widget itself."""

    def work() -> T | Failure | NoLongerWanted:
        worker = get_current_worker()
        with nullcontext() if is_write else cancelling(lambda: worker.is_cancelled):
            try:
                return question()
            except (Failure, NoLongerWanted) as error:
                return error

    return Pending(node.run_worker(work, thread=True, group="asked", exit_on_error=False))


def _node(asks: Asks) -> DOMNode:
    # Whatever has this mixin is a node: the mixin alone has no workers.
    return cast("DOMNode", asks)


def _fault(error: BaseException) -> str:
    return f"There is an error in flow-tui itself ({type(error).__name__})"
