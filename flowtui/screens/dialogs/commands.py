"""The command palette: every action by name, and the themes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from flowtui.screens.dialog import Dialog
from flowtui.widgets.cells import Line, Piece, fit
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.paint import ROLE_CLASSES

NAME_CELLS = 24
"""Up to which width names make a column of their own; what is said of longer ones follows them."""
MEASURED = 500
"""Of how many commands, the first ones, the names are measured: there may be one for each run."""


@dataclass(frozen=True, slots=True)
class Command:
    """A named command of the palette."""

    name: str
    what: str
    """What the command does, in words."""
    run: Callable[[], object]
    """Carries the command out; an awaitable result is awaited."""


class CommandLines(VirtualList, can_focus=False):
    """The commands that match; a click runs one, and the line above keeps the focus."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Sequence[Command] = ()
        self._name_cells = 0

    def show_commands(self, commands: Sequence[Command]) -> None:
        """Show some commands, with the cursor on the first."""
        self._shown = commands
        cells = (cell_len(command.name) for command in commands[:MEASURED])
        self._name_cells = max((one for one in cells if one <= NAME_CELLS), default=0)
        self.cursor = 0
        self.resize_content()

    @property
    def command(self) -> Command | None:
        """The command under the cursor."""
        return self._shown[self.cursor] if self._shown else None

    @property
    def takes_keys(self) -> bool:
        return True

    @property
    def line_count(self) -> int:
        return len(self._shown)

    def line(self, index: int, width: int) -> Line:
        command = self._shown[index]
        cells = min(self._name_cells, width // 3)
        name = fit(command.name, max(cells, cell_len(command.name)))
        return [Piece(f" {name}"), Piece(f"  {command.what}", "muted")]

    def on_click(self, event: events.Click) -> None:
        # The handler of the base class, which comes next, chooses the line under the cursor.
        index = event.y + self.scroll_offset.y
        if index < self.line_count:
            self.cursor = index


class CommandsScreen(Dialog[Command | None]):
    """Lists commands under a line that narrows them: dismisses with a command, or None."""

    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "Input"
    gives_way = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move('move', 1)", "Move", key_display="↑↓", id="commands.down",
                priority=True, tooltip="To the next one"),
        Binding("up", "move('move', -1)", "Up", show=False, id="commands.up",
                tooltip="To the one above"),
        Binding("pagedown", "move('page', 1)", "Page down", show=False, id="commands.page_down",
                tooltip="One page on"),
        Binding("pageup", "move('page', -1)", "Page up", show=False, id="commands.page_up",
                tooltip="One page back"),
        Binding("enter", "choose", "Choose", key_display="Enter", priority=True,
                id="commands.choose", tooltip="Do what is under the cursor"),
        Binding("escape,ctrl+p", "dismiss(None)", "Close", key_display="Esc",
                id="commands.close", tooltip="Back to where you were"),
    ]  # fmt: skip

    def __init__(self, commands: Sequence[Command], title: str = "Commands") -> None:
        super().__init__()
        self._commands = commands
        self._dialog_title = title

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._dialog_title
            yield Input(placeholder="type to narrow", select_on_focus=False, compact=True)
            yield CommandLines()
            yield KeyLine()

    def on_mount(self) -> None:
        self._narrow("")

    @on(Input.Changed)
    def narrow(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    def _narrow(self, typed: str) -> None:
        """List the commands that contain every word typed, and first those that do in the name."""
        words = typed.lower().split()
        kept = [
            (not has_all(command.name, words), number)
            for number, command in enumerate(self._commands)
            if has_all(f"{command.name} {command.what}", words)
        ]
        # A screen that is closed while it opens has no widgets.
        for lines in self.query(CommandLines):
            lines.show_commands([self._commands[number] for _is_later, number in sorted(kept)])

    def action_move(self, how: str, by: int) -> None:
        lines = self.query_one(CommandLines)
        if how == "page":
            lines.action_page(by)
        else:
            lines.action_move(by)

    @on(VirtualList.Chosen)
    def action_choose(self) -> None:
        command = self.query_one(CommandLines).command
        if command is not None:
            self.dismiss(command)


def has_all(text: str, words: Sequence[str]) -> bool:
    """Say whether a text contains all of some words, given in lower case, in any order."""
    lowered = text.lower()
    return all(word in lowered for word in words)
