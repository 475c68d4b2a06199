"""The modal that asks before something is deleted: its name, or `delete`, is to be typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Label

from flowtui import format as fmt
from flowtui.screens.dialogs.confirm import AskScreen

WORD = "delete"
NAME_CHARACTERS = 80


class DeleteScreen(AskScreen[bool]):
    """Dismisses with whether it was agreed to."""

    CSS_PATH = "delete.tcss"
    AUTO_FOCUS = "Input"
    lines_below = 4, 3
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "agree", "Delete", key_display="Enter", priority=True,
                id="delete.agree", tooltip="Delete it, once its name or `delete` is typed"),
        Binding("escape", "dismiss(False)", "Cancel", key_display="Esc",
                id="dialog.close", tooltip="Leave everything as it is"),
        # The field has bindings of its own for these keys.
        Binding("down", "scroll_details(1)", "More", key_display="↓", priority=True,
                id="delete.down", tooltip="What there is no room for"),
        Binding("up", "scroll_details(-1)", "Up", show=False, priority=True, id="delete.up",
                tooltip="Back up"),
    ]  # fmt: skip

    def __init__(self, question: str, name: str, details: Sequence[str]) -> None:
        """Make the screen.

        Args:
            question: What is asked, safe to show.
            name: The name that may be typed; empty where only `delete` is taken.
            details: Lines under the question, safe to show.
        """
        super().__init__(question, details)
        known = name.strip()
        # A name that cannot be shown exactly cannot be typed either.
        is_plain = bool(known) and fmt.plain(known, NAME_CHARACTERS) == known
        self._words = (known, WORD) if is_plain and known != WORD else (WORD,)

    def compose_answer(self) -> ComposeResult:
        # The question has the name, which may be too long for this line.
        how = "or its name" if len(self._words) > 1 else "to go on"
        yield Label(f"Type {WORD} {how}:", markup=False, classes="delete-how")
        yield Input(select_on_focus=False, compact=True)
        yield Label("", id="delete-note", markup=False)

    @on(Input.Changed)
    def forget_note(self) -> None:
        self.query_one("#delete-note", Label).update("")

    def action_agree(self) -> None:
        if self.query_one(Input).value.strip() in self._words:
            self.dismiss(True)
        else:
            self.query_one("#delete-note", Label).update(
                f"type {' or '.join(reversed(self._words))}"
            )
