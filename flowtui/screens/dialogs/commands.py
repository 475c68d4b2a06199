"""The command palette: every action by name, and the themes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from flowtui.screens.dialog import Dialog
from flowtui.screens.dialogs.choose import Choice, ChoiceLines
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.paint import ROLE_CLASSES


@dataclass(frozen=True, slots=True)
class Command:
    """Something that can be done, by name."""

    name: str
    what: str
    """It does, in words."""
    run: Callable[[], object]
    """Does it; what it returns is awaited if it can be."""


class CommandLines(ChoiceLines, can_focus=False):
    """The commands that are left; one click runs one, and typing goes on in the line above."""

    def __init__(self) -> None:
        super().__init__((" ", " "))

    @property
    def takes_keys(self) -> bool:
        return True

    def on_click(self, event: events.Click) -> None:
        # The list's own handler, which comes next, chooses what is under the cursor.
        self.cursor = event.y + self.scroll_offset.y


class CommandsScreen(Dialog[Command | None]):
    """Lists commands under a line that narrows them: dismisses with one, or None for nothing."""

    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "Input"
    gives_way = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move('move', 1)", "Move", key_display="↑↓", tooltip="To the next one"),
        Binding("up", "move('move', -1)", "Up", show=False, tooltip="To the one above"),
        Binding("pagedown", "move('page', 1)", "Page down", show=False, tooltip="One page on"),
        Binding("pageup", "move('page', -1)", "Page up", show=False, tooltip="One page back"),
        Binding("enter", "choose", "Do it", key_display="Enter", priority=True,
                tooltip="Do what is under the cursor"),
        Binding("escape,ctrl+p", "dismiss(None)", "Close", key_display="Esc",
                tooltip="Back to where you were"),
    ]  # fmt: skip

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__()
        self._commands = commands

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Commands"
            yield Input(placeholder="type to narrow", select_on_focus=False, compact=True)
            yield CommandLines()
            yield KeyLine()

    def on_mount(self) -> None:
        self._narrow("")

    @on(Input.Changed)
    def narrow(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    def _narrow(self, typed: str) -> None:
        """List the commands that have every word that is typed, those named so first."""
        words = typed.lower().split()
        kept = [
            (not has_all(command.name, words), number)
            for number, command in enumerate(self._commands)
            if has_all(f"{command.name} {command.what}", words)
        ]
        commands = [(number, self._commands[number]) for _is_later, number in sorted(kept)]
        choices = [Choice(str(number), one.name, one.what) for number, one in commands]
        # A screen that is closed while it starts has nothing on it.
        for lines in self.query(CommandLines):
            lines.show_choices(choices, ())
            lines.cursor = 0

    def action_move(self, how: str, by: int) -> None:
        lines = self.query_one(CommandLines)
        if how == "page":
            lines.action_page(by)
        else:
            lines.action_move(by)

    @on(VirtualList.Chosen)
    def action_choose(self) -> None:
        choice = self.query_one(CommandLines).choice
        if choice is not None:
            self.dismiss(self._commands[int(choice.key)])


def has_all(text: str, words: Sequence[str]) -> bool:
    """Say whether a text has all of some words, in any order; these are in lower case."""
    lowered = text.lower()
    return all(word in lowered for word in words)
