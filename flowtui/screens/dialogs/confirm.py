"""Modals that ask before something is done that cannot be undone easily."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label

from flowtui.screens.dialog import Dialog
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import ROLE_CLASSES

Answer = TypeVar("Answer")


class _AskScreen(Dialog[Answer]):
    """A question with details under it; the keys of a subclass are the answers."""

    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = ""

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
            yield Label(self._question, markup=False, classes="ask-question")
            for detail in self._details:
                yield Label(detail, markup=False, classes="ask-detail")
            yield KeyLine()


class ConfirmScreen(_AskScreen[bool]):
    """Asks a yes-or-no question: dismisses with whether the answer was yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes", tooltip="Do it"),
        Binding("n,escape", "dismiss(False)", "No", key_display="n Esc",
                tooltip="Leave everything as it is"),
    ]  # fmt: skip


class ConflictScreen(_AskScreen[Literal["overwrite", "skip", ""]]):
    """Asks what to do when another person's change prevents an undo."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "dismiss('overwrite')", "Overwrite",
                tooltip="Undo, and overwrite what is there now"),
        Binding("s", "dismiss('skip')", "Skip", tooltip="Keep what is there now; u goes on"),
        Binding("escape", "dismiss('')", "Cancel", key_display="Esc",
                tooltip="Leave everything as it is"),
    ]  # fmt: skip
