"""The line at the bottom that is typed into: a filter that works as it is typed, or a command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from flowtui import format as fmt
from flowtui.store.errors import FilterError
from flowtui.widgets.cells import Piece
from flowtui.widgets.frame import OneLine

if TYPE_CHECKING:
    from textual.widgets import Input


class FilterLine(Widget):
    """An input with a note beside it.

    Posts `Changed` at each key, `Entered` on Enter, and `Left` when it is done.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear", key_display="Esc", tooltip="Show everything again"),
        Binding("down", "leave", "To the list", show=False, tooltip="Back to the list"),
    ]

    @dataclass
    class Changed(Message):
        """Sent by FilterLine when its text changes."""

        line: FilterLine
        text: str

        @property
        def control(self) -> FilterLine:
            return self.line

    @dataclass
    class Entered(Message):
        """Sent by FilterLine on Enter."""

        line: FilterLine
        text: str

        @property
        def control(self) -> FilterLine:
            return self.line

    @dataclass
    class Left(Message):
        """Sent by FilterLine when the list is to have the focus again."""

    def __init__(self, hint: str, *, label: str = "/", id: str | None = None) -> None:
        super().__init__(id=id)
        self._hint = hint
        self._label = label

    @property
    def _input(self) -> Input | None:
        """What is typed into; made when the line is first opened, for most visits never."""
        found = self.query("Input")
        return cast("Input", found.first()) if found else None

    async def open(self, text: str) -> None:
        """Show the line with a filter, and type into it."""
        self.add_class("-open")
        field = self._input
        if field is None:
            # An input is a large module, and a start needs none.
            from textual.widgets import Input, Label

            field = Input(placeholder=self._hint, select_on_focus=False)
            note = Label("", classes="filter-note", markup=False)
            row = Horizontal(Label(self._label, markup=False), field, note)
            await self.mount(row, OneLine(id="mistake"))
        field.value = text
        field.focus()

    def note(self, text: str) -> None:
        """Say how many match."""
        self.query_one(".filter-note", Static).update(text)

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

    def is_taken(self, take: Callable[[str], None]) -> bool:
        """Have what is typed taken; point at its mistake, and say so, if it has one."""
        try:
            take(self.text)
        except FilterError as error:
            self.point_at(error.position, fmt.plain(str(error)))
            return False
        self.point_at(None)
        return True

    @property
    def text(self) -> str:
        return "" if self._input is None else self._input.value

    def action_clear(self) -> None:
        """Empty the filter and close the line."""
        if self._input is not None:
            self._input.value = ""
        self.remove_class("-open")
        self.post_message(self.Left())

    def action_leave(self) -> None:
        self.set_class(bool(self.text), "-open")
        self.post_message(self.Left())

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Entered(self, event.value))
        self.action_leave()
