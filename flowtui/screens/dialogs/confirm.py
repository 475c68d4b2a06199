"""Modals that ask before something is done that cannot be undone easily."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Label

from flowtui.screens.dialog import LOW_BELOW, Dialog
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import ROLE_CLASSES

Answer = TypeVar("Answer")
_LINES_AROUND = 4
"""The border, and the keys with the line above them, which few lines leave out."""


class AskScreen(Dialog[Answer]):
    """A question with details under it; the keys of a subclass are the answers.

    Details that do not fit are scrolled, and the answers stay in sight.
    """

    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_details(1)", "More", key_display="↓",
                id="question.down", tooltip="What there is no room for"),
        Binding("up,k", "scroll_details(-1)", "Up", show=False, id="question.up",
                tooltip="Back up"),
    ]  # fmt: skip

    lines_below: ClassVar[tuple[int, int]] = 0, 0
    """How many lines `compose_answer` takes, and how many in a terminal of few."""

    def __init__(self, question: str, details: Sequence[str] = ()) -> None:
        """Make the screen.

        Args:
            question: The question.
            details: Lines under it that are safe to show; long ones are wrapped.
        """
        super().__init__()
        self._question = question
        self._details = details

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog ask"):
            with VerticalScroll(can_focus=False):
                yield Label(self._question, markup=False, classes="ask-question")
                for detail in self._details:
                    yield Label(detail, markup=False, classes="ask-detail")
            yield from self.compose_answer()
            yield KeyLine()

    def compose_answer(self) -> ComposeResult:
        """Yield what an answer takes beside keys, which stays in sight too."""
        yield from ()

    def on_resize(self, event: events.Resize) -> None:
        is_low = event.size.height < LOW_BELOW
        taken = _LINES_AROUND - is_low + self.lines_below[is_low]
        for text in self.query(VerticalScroll):
            text.styles.max_height = max(event.size.height * 9 // 10 - taken, 1)
        self.call_after_refresh(self.refresh_bindings)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        is_scrolled = any(text.max_scroll_y for text in self.query(VerticalScroll))
        return action != "scroll_details" or is_scrolled

    def action_scroll_details(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)


class ConfirmScreen(AskScreen[bool]):
    """Asks a yes-or-no question: dismisses with whether the answer was yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes", id="question.yes", tooltip="Do it"),
        Binding("n,escape", "dismiss(False)", "No", key_display="n Esc",
                id="question.no", tooltip="Leave everything as it is"),
    ]  # fmt: skip


class ConflictScreen(AskScreen[Literal["overwrite", "skip", ""]]):
    """Asks what to do when another person's change prevents an undo."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "dismiss('overwrite')", "Overwrite",
                id="conflict.overwrite", tooltip="Undo, and overwrite what is there now"),
        Binding("s", "dismiss('skip')", "Skip", id="conflict.skip",
                tooltip="Keep what is there now; u goes on"),
        Binding("escape", "dismiss('')", "Cancel", key_display="Esc",
                id="dialog.close", tooltip="Leave everything as it is"),
    ]  # fmt: skip
