"""Work that blocks, done so that nobody has to wait for it longer than they want."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from flowtui.registry.errors import UploadCancelled
from flowtui.store.cancelling import Cancelled, is_left

T = TypeVar("T")
R = TypeVar("R")

CANCEL_CHECK_EVERY_S = 0.05


class _Outcome(Generic[T]):
    def __init__(self, value: T | None, error: BaseException | None) -> None:
        self._value = value
        self._error = error

    def get(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # with no error there is a value


def interruptible(
    ask: Callable[[], T],
    cancelled: Cancelled = is_left,
    on_late: Callable[[T], None] | None = None,
    on_left: Callable[[threading.Thread], None] | None = None,
) -> T:
    """Return the answer of a call that blocks, or leave the call when it is cancelled.

    A thread that waits for a network cannot be stopped, only left. It is a daemon, so that it does
    not keep the program from ending.

    Args:
        ask: What blocks.
        cancelled: Asked twenty times a second; who waits for this thread's answer unless given.
        on_late: Takes, in that thread, an answer that came after it was cancelled.
        on_left: Takes the thread when it is left.

    Raises:
        UploadCancelled: It was cancelled.
        Whatever `ask` raises.
    """
    lock = threading.Lock()
    answered: queue.SimpleQueue[_Outcome[T]] = queue.SimpleQueue()
    was_left = False

    def work() -> None:
        try:
            value = ask()
        except BaseException as error:
            answered.put(_Outcome[T](None, error))
            return
        with lock:
            if not was_left:
                answered.put(_Outcome(value, None))
                return
        if on_late is not None:
            on_late(value)

    thread = threading.Thread(target=work, daemon=True, name="flow-tui-upload")
    thread.start()
    while True:
        try:
            return answered.get(timeout=CANCEL_CHECK_EVERY_S).get()
        except queue.Empty:
            if not cancelled():
                continue
        with lock:
            was_left = True
            if answered.empty():
                if on_left is not None:
                    on_left(thread)
                raise UploadCancelled("the upload was cancelled")


def each(
    items: Sequence[R],
    work: Callable[[R, Cancelled], None],
    thread_count: int,
    cancelled: Cancelled,
) -> None:
    """Do some work with each of several items, a few at a time.

    After a failure nothing new is begun and what is under way is asked to end.

    Args:
        items: In the order in which they are begun.
        work: Takes an item, and what says whether it must end.
        thread_count: How many items are worked on at a time.
        cancelled: Says whether everything must end.

    Raises:
        UploadCancelled: It was cancelled.
        The first failure of `work`.
    """
    waiting = queue.SimpleQueue[R]()
    for item in items:
        waiting.put(item)
    outcomes: queue.SimpleQueue[_Outcome[None]] = queue.SimpleQueue()
    stopped = threading.Event()

    def must_end() -> bool:
        return stopped.is_set() or cancelled()

    def take() -> None:
        error: BaseException | None = None
        try:
            while not must_end():
                work(waiting.get_nowait(), must_end)
        except queue.Empty:
            pass
        except BaseException as failure:
            error = failure
        outcomes.put(_Outcome(None, error))

    count = min(thread_count, len(items))
    for _ in range(count):
        threading.Thread(target=take, daemon=True, name="flow-tui-part").start()
    try:
        for _ in range(count):
            outcomes.get().get()
    finally:
        stopped.set()
    if cancelled():
        raise UploadCancelled("the upload was cancelled")
