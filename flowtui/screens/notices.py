"""Notices of workers that have ended, and the containers that show them."""

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
    """Sent when a worker has ended, with a sentence about it."""

    title: str
    text: str
    is_bad: bool = False


def show_notice(widget: Widget, notice: Notice) -> None:
    """Show a notice in a corner of the screen."""
    widget.notify(
        fmt.plain(notice.text, TEXT_CHARACTERS),
        title=notice.title,
        severity="error" if notice.is_bad else "information",
        markup=False,
    )


@contextmanager
def while_wanted() -> Iterator[None]:
    """End every read inside the block when the present worker is cancelled."""
    worker = get_current_worker()
    with cancelling(lambda: worker.is_cancelled):
        yield


def answered(ask: Callable[[], Message | None], failed: Callable[[str], Message]) -> Message | None:
    """Return the message that a worker's thread should post: an answer, or why there is none.

    Args:
        ask: Asks the store and returns the message.
        failed: Makes a message from the reason of a failure.

    Returns:
        The message; None if nobody waits for it any more, or `ask` returned None.
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
    """A container whose workers post `Notice`s, which it shows."""

    @property
    def _flow(self) -> Host:
        return cast("Host", self.app)

    def answer(self, ask: Callable[[], Message | None], title: str = "Not read") -> None:
        """Post the answer of the store, or a notice of its failure; runs in a worker's thread."""
        message = answered(ask, lambda reason: Notice(title, reason, is_bad=True))
        if message is not None:
            self.post_message(message)

    @on(Notice)
    def tell(self, message: Notice) -> None:
        message.stop()
        show_notice(self, message)
