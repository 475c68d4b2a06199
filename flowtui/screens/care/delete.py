"""The modal that asks before something is deleted: its name, or `delete`, is to be typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Label

from flowtui import format as fmt
from flowtui.screens.dialog import Dialog
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import ROLE_CLASSES

WORD = "delete"
NAME_CHARACTERS = 80
_LINES_AROUND = 8
"""The border, the keys with the line above them, the field, and the lines around it."""


class DeleteScreen(Dialog[bool]):
    """Dismisses with whether it was agreed to."""

    CSS_PATH = "delete.tcss"
    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "agree", "Delete", key_display="Enter", priority=True,
                tooltip="Delete it, once its name or `delete` is typed"),
        Binding("escape", "dismiss(False)", "Cancel", key_display="Esc",
                tooltip="Leave everything as it is"),
        Binding("down", "scroll_details(1)", "More", show=False,
                tooltip="What there is no room for"),
        Binding("up", "scroll_details(-1)", "Up", show=False, tooltip="Back up"),
    ]  # fmt: skip

    def __init__(self, question: str, name: str, details: Sequence[str]) -> None:
        """Make the screen.

        Args:
            question: What is asked, safe to show.
            name: The name that may be typed; empty where only `delete` is taken.
            details: Lines under the question, safe to show.
        """
        super().__init__()
        self._question = question
        self._typed_name = name.strip()
        self._details = details

    def compose(self) -> ComposeResult:
        shown = fmt.plain(self._typed_name, NAME_CHARACTERS)
        # A name that cannot be shown exactly cannot be typed either.
        words = f"{shown} or {WORD}" if self._typed_name and shown == self._typed_name else WORD
        with Vertical(classes="dialog ask"):
            with VerticalScroll(can_focus=False):
                yield Label(self._question, markup=False, classes="ask-question")
                for detail in self._details:
                    yield Label(detail, markup=False, classes="ask-detail")
            yield Label(f"Type {words} to go on:", markup=False, classes="delete-how")
            yield Input(placeholder=WORD, select_on_focus=False, compact=True)
            yield Label("", id="delete-note", markup=False)
            yield KeyLine()

    def on_resize(self, event: events.Resize) -> None:
        for text in self.query(VerticalScroll):
            text.styles.max_height = max(event.size.height * 9 // 10 - _LINES_AROUND, 1)

    def action_scroll_details(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    @on(Input.Changed)
    def forget_note(self) -> None:
        self.query_one("#delete-note", Label).update("")

    def action_agree(self) -> None:
        typed = self.query_one(Input).value.strip()
        if typed and typed in (self._typed_name, WORD):
            self.dismiss(True)
        else:
            self.query_one("#delete-note", Label).update(
                "this is neither its name nor the word" if typed else "nothing is typed yet"
            )
