"""What threads have to say when they have ended, and where it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import on
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget
from textual.worker import get_current_worker

from flowtui import format as fmt
from flowtui.store.cancelling import cancelling
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.widgets.asking import Asks

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

TEXT_CHARACTERS = 300


@dataclass
class Notice(Message):
    """Sent when something in the background has ended, with a sentence about it."""

    title: str
    text: str
    is_bad: bool = False


def show_told(widget: Widget, told: Notice) -> None:
    """Say it in a corner of the screen."""
    widget.notify(
        fmt.plain(told.text, TEXT_CHARACTERS),
        title=told.title,
        severity="error" if told.is_bad else "information",
        markup=False,
    )


@contextmanager
def while_wanted() -> Iterator[None]:
    """Have what is read inside end when the worker that reads it is cancelled."""
    worker = get_current_worker()
    with cancelling(lambda: worker.is_cancelled):
        yield


def answered(ask: Callable[[], Message | None], failed: Callable[[str], Message]) -> Message | None:
    """Return what a worker's thread is to post: what a store answers, or why it does not.

    Args:
        ask: Asks the store; what it returns is posted as it is.
        failed: Makes the message of the reason.

    Returns:
        None where nobody waits for it any more, or `ask` has nothing to post.
    """
    worker = get_current_worker()
    try:
        with while_wanted():
            message = ask()
    except ReadCancelled:
        return None
    except StoreError as error:
        message = failed(str(error))
    return None if worker.is_cancelled else message


class GivesNotices(Asks, Container):
    """A container whose threads post `Notice`."""

    @property
    def _flow(self) -> Host:
        return cast("Host", self.app)

    def answer(self, ask: Callable[[], Message | None], title: str = "Not read") -> None:
        """Post what the store is asked for, or tell why it failed; runs in a worker's thread."""
        message = answered(ask, lambda reason: Notice(title, reason, is_bad=True))
        if message is not None:
            self.post_message(message)

    @on(Notice)
    def tell(self, message: Notice) -> None:
        message.stop()
        show_told(self, message)
