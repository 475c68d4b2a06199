"""The line that `/` opens: what is typed filters what is shown, as it is typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label

from flowtui.widgets.cells import Piece
from flowtui.widgets.frame import OneLine


class FilterLine(Widget):
    """An input with a note beside it. Posts `Changed` at each key and `Left` when it is done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear", key_display="Esc", tooltip="Show everything again"),
        Binding("down", "leave", "To the list", show=False, tooltip="Back to the list"),
    ]

    @dataclass
    class Changed(Message):
        """Sent by FilterLine when its text changes."""

        text: str

    @dataclass
    class Left(Message):
        """Sent by FilterLine when the list is to have the focus again."""

    def __init__(self, hint: str) -> None:
        super().__init__()
        self._hint = hint

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Label("/", markup=False)
            yield Input(placeholder=self._hint, select_on_focus=False)
            yield Label("", classes="filter-note", markup=False)
        yield OneLine(id="mistake")

    def open(self) -> None:
        """Show the line and type into it."""
        self.add_class("-open")
        self.query_one(Input).focus()

    def note(self, text: str) -> None:
        """Say how many match."""
        self.query_one(".filter-note", Label).update(text)

    def point_at(self, position: int | None, message: str = "") -> None:
        """Point at a mistake and say what was expected; at None, there is none."""
        self.set_class(position is not None, "-mistaken")
        if position is None:
            return
        self.note("")
        # The label and the padding stand before the text.
        caret = f"{' ' * (position + 3)}^ {message}"
        if len(caret) > self.size.width:
            caret = f" at {position + 1}: {message}"
        self.query_one("#mistake", OneLine).show([Piece(caret, "attention")])

    @property
    def text(self) -> str:
        return self.query_one(Input).value

    def action_clear(self) -> None:
        self.query_one(Input).value = ""
        self.remove_class("-open")
        self.post_message(self.Left())

    def action_leave(self) -> None:
        self.set_class(bool(self.text), "-open")
        self.post_message(self.Left())

    @on(Input.Changed)
    def pass_on(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    @on(Input.Submitted)
    def leave(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_leave()
