"""The line at the bottom for a filter, which works as it is typed, or for a command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from flowtui import format as fmt
from flowtui.store.errors import FilterError
from flowtui.store.values import JsonValue
from flowtui.widgets.asking import Asks
from flowtui.widgets.cells import wrapped

if TYPE_CHECKING:
    from textual.widgets import Input


HISTORY_KEPT = 50
"""How many entered texts are remembered under one name."""


def entered(history: str) -> list[str]:
    """Return the texts that were entered under a name, the most recent last."""
    from flowtui.widgets import remembered

    kept = remembered.get(f"history.{history}")
    return [text for text in kept if isinstance(text, str)] if isinstance(kept, list) else []


def remember_entered(history: str, text: str) -> None:
    """Remember a text as the most recent one."""
    from flowtui.widgets import remembered

    if text.strip():
        others: list[JsonValue] = [one for one in entered(history) if one != text]
        remembered.put(f"history.{history}", [*others, text][-HISTORY_KEPT:])


class FilterLine(Asks, Widget):
    """An input with a note beside it.

    Posts `Changed` at each key, `Entered` on Enter, and `Left` when the list gets the focus again.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, since the input's own binding is not shown.
        Binding(
            "enter",
            "enter",
            "Done",
            key_display="Enter",
            priority=True,
            id="filter.enter",
            tooltip="Keep the text, and go on with what it finds",
        ),
        Binding(
            "escape",
            "clear",
            "Clear",
            key_display="Esc",
            id="filter.clear",
            tooltip="Show everything again",
        ),
        Binding(
            "down",
            "leave",
            "To the list",
            show=False,
            id="filter.leave",
            tooltip="Back to the list",
        ),
        Binding(
            "up",
            "recall",
            "Recall",
            show=False,
            id="filter.recall",
            tooltip="Recall an earlier text",
        ),
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
        """Sent by FilterLine when the list should get the focus again."""

        line: FilterLine

        @property
        def control(self) -> FilterLine:
            return self.line

    def __init__(
        self, hint: str, *, label: str = "/", history: str = "", id: str | None = None
    ) -> None:
        """Make the line.

        Args:
            hint: The text of the line while it is empty.
            label: The text before the line.
            history: The name under which entered texts are remembered; empty for none.
            id: The widget's id.
        """
        super().__init__(id=id)
        self._hint = hint
        self._label = label
        self._history = history
        self._recalled = 0
        """How far back in the history the text is; 0 for one that was typed."""
        self._remarks: Sequence[str] = ()
        self.names: Sequence[str] = ()
        """The names that complete a word; the right arrow takes the suggestion."""
        self.names_of: Callable[[], Sequence[str]] | None = None
        """Reads these names in a thread when the line is first opened without any."""

    @property
    def _input(self) -> Input | None:
        """The input, which is made when the line is first opened: most visits never need it."""
        found = self.query("Input")
        return cast("Input", found.first()) if found else None

    async def open(self, text: str, *, is_typed: bool = True) -> None:
        """Show the line with a filter, and give it the focus if `is_typed`."""
        self.add_class("-open")
        field = self._input
        if field is None:
            # Input is a large module: imported above, it would delay the start.
            from textual.widgets import Input, Label

            from flowtui.widgets.frame.completion import WordSuggester

            suggester = WordSuggester(lambda: self.names)
            field = Input(placeholder=self._hint, select_on_focus=False, suggester=suggester)
            note = Label("", classes="filter-note", markup=False)
            row = Horizontal(Label(self._label, markup=False), field, note)
            await self.mount(row, Static("", id="mistake", markup=False))
        field.value = text
        self._recalled = 0
        if is_typed:
            field.focus()
        if self.names_of is not None and not self.names:
            # A failure is ignored: a filter can be typed without suggestions.
            self.ask(self.names_of, self._offer, lambda _: None, group="names")

    def _offer(self, names: Sequence[str]) -> None:
        self.names = names

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def note(self, text: str) -> None:
        """Show how many records match, or another short note."""
        self.query_one(".filter-note", Static).update(text)

    def point_at(self, position: int | None, message: str = "") -> None:
        """Point at a mistake and say what was expected; None removes the pointer."""
        self.set_class(position is not None, "-mistaken")
        if position is None:
            self.remark(self._remarks)
            return
        self.note("")
        # Label and padding take three cells before the text.
        caret = f"{' ' * (position + 3)}^ {message}"
        if len(caret) > self.size.width:
            # A message in one line would be cut, and with it what was expected.
            text = f"at {position + 1}: {message}"
            caret = "\n".join(f" {line}" for line in wrapped(text, max(self.size.width - 2, 10)))
        self.query_one("#mistake", Static).update(caret)

    @property
    def is_mistaken(self) -> bool:
        """Whether the line is open and its text has a mistake."""
        return self.has_class("-mistaken") and self.has_class("-open")

    def remark(self, remarks: Sequence[str]) -> None:
        """Show remarks about the filter below the line."""
        self._remarks = remarks
        if not self.query("#mistake") or self.has_class("-mistaken"):
            return
        self.set_class(bool(remarks), "-remarked")
        if remarks:
            width = max(self.size.width - 2, 10)
            lines = [line for text in remarks for line in wrapped(fmt.plain(text, 500), width)]
            self.query_one("#mistake", Static).update("\n".join(f" {line}" for line in lines))

    def is_taken(self, take: Callable[[str], None]) -> bool:
        """Say whether a function takes the text without a FilterError; if not, point at that."""
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

    async def action_enter(self) -> None:
        if (field := self._input) is not None:
            await field.action_submit()

    def action_clear(self) -> None:
        """Empty the filter and close the line."""
        if self._input is not None:
            self._input.value = ""
        self.remark(())
        self.remove_class("-open")
        self.post_message(self.Left(self))

    def close(self) -> None:
        """Hide the line, whatever text it has."""
        self.remove_class("-open")

    def action_leave(self) -> None:
        self.set_class(bool(self.text), "-open")
        self.post_message(self.Left(self))

    def action_recall(self) -> None:
        """Replace the text by the one that was entered before it."""
        if self._input is None or not self._history:
            return
        kept = entered(self._history)
        if self._recalled < len(kept):
            self._recalled += 1
            self._input.value = kept[-self._recalled]
            self._input.action_end()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._history:
            remember_entered(self._history, event.value)
        self._recalled = 0
        self.post_message(self.Entered(self, event.value))
        self.action_leave()
