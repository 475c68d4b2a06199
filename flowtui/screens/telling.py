"""What threads have to say when they have ended, and where it is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import on
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.widgets.workers import ReportsWorkers

if TYPE_CHECKING:
    from flowtui.app import FlowApp

TEXT_CHARACTERS = 300


@dataclass
class Told(Message):
    """Sent when something in the background has ended, with a sentence about it."""

    title: str
    text: str
    is_bad: bool = False


def show_told(widget: Widget, told: Told) -> None:
    """Say it in a corner of the screen."""
    widget.notify(
        fmt.plain(told.text, TEXT_CHARACTERS),
        title=told.title,
        severity="error" if told.is_bad else "information",
        markup=False,
    )


class Tells(ReportsWorkers, Container):
    """A container whose threads post `Told`."""

    @property
    def _flow(self) -> FlowApp:
        return cast("FlowApp", self.app)

    @on(Told)
    def tell(self, message: Told) -> None:
        message.stop()
        show_told(self, message)
