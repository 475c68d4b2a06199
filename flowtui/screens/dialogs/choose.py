"""Modals to choose one item of a list, or several."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from flowtui import format as fmt
from flowtui.screens.dialog import Dialog
from flowtui.told_apart import told_apart
from flowtui.widgets.cells import Line, Piece
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.paint import ROLE_CLASSES

MARK_CELLS = 3

MOST_LINES = 16
"""How many choices are in sight at once; the list scrolls to the others."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One item to choose."""

    key: str
    title: str
    note: str = ""


class ChoiceLines(VirtualList):
    """Shows choices, each with a mark if it is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "choose",
            "Choose",
            key_display="Enter",
            id="choose.take",
            tooltip="Choose this one",
        ),
    ]

    def __init__(self, marks: tuple[str, str]) -> None:
        super().__init__()
        self._choices: Sequence[Choice] = ()
        self._chosen: Collection[str] = ()
        self._marks = marks
        self._names: tuple[int, list[str]] = (0, [])
        """A width in cells, and the titles as they are shown in it, in order."""

    def show_choices(self, choices: Sequence[Choice], chosen: Collection[str]) -> None:
        self._choices, self._chosen = choices, chosen
        self._names = (0, [])
        self.set_reactive(ChoiceLines.cursor, self.validate_cursor(self.cursor))
        self.resize_content()

    @property
    def choice(self) -> Choice | None:
        """The choice under the cursor."""
        return self._choices[self.cursor] if self.cursor < len(self._choices) else None

    @property
    def line_count(self) -> int:
        return len(self._choices)

    def line(self, index: int, width: int) -> Line:
        choice = self._choices[index]
        mark = self._marks[choice.key in self._chosen]
        if self._names[0] != width:
            rooms = [width - MARK_CELLS - cell_len(_note(one)) for one in self._choices]
            self._names = width, told_apart([one.title for one in self._choices], rooms)
        return [
            Piece(f" {mark} ", "accent"),
            Piece(self._names[1][index]),
            Piece(_note(choice), "muted"),
        ]


def _note(choice: Choice) -> str:
    return f"  {fmt.plain(choice.note, 60)}"


class _ChooseScreen(Dialog[list[str] | None]):
    """A list of choices under a line that narrows it as a person types."""

    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "ChoiceLines"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel", key_display="Esc",
                id="dialog.close", tooltip="Leave everything as it is"),
        Binding("down", "focus_list", "To the list", show=False, id="choose.list",
                tooltip="To the list"),
    ]  # fmt: skip
    marks: ClassVar[tuple[str, str]]

    def __init__(self, title: str, choices: Sequence[Choice], chosen: Sequence[str]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._chosen = list(chosen)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self._title)
            yield Input(placeholder="type to narrow", select_on_focus=False, compact=True)
            yield ChoiceLines(self.marks)
            yield KeyLine()

    def on_mount(self) -> None:
        # A screen that is closed while it opens has no widgets.
        for lines in self.query(ChoiceLines):
            lines.show_choices(self._choices, self._chosen)
            keys = [choice.key for choice in self._choices]
            if self._chosen and self._chosen[0] in keys:
                lines.cursor = keys.index(self._chosen[0])

    @on(Input.Changed)
    def narrow(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    @on(Input.Submitted)
    def action_focus_list(self) -> None:
        self.query_one(ChoiceLines).focus()

    def _narrow(self, needle: str) -> None:
        lowered = needle.lower()
        found = [choice for choice in self._choices if lowered in choice.title.lower()]
        self.query_one(ChoiceLines).show_choices(found, self._chosen)


class ChooseScreen(_ChooseScreen):
    """Chooses one item: dismisses with a list that holds it, or None for no choice."""

    marks = (" ", "●")

    def on_mount(self) -> None:
        super().on_mount()
        self.on_resize()

    def on_resize(self) -> None:
        # The dialog takes nine tenths of the screen at most, and its frame and two lines are four.
        room = self.app.size.height * 9 // 10 - 4
        for lines in self.query(ChoiceLines):
            # The height of all choices, even while fewer are listed: otherwise the dialog would
            # jump as a person types.
            lines.styles.height = max(1, min(len(self._choices), MOST_LINES, room))

    @on(VirtualList.Chosen)
    def choose(self) -> None:
        choice = self.query_one(ChoiceLines).choice
        self.dismiss(None if choice is None else [choice.key])


class OrderScreen(ChooseScreen):
    """Chooses the column to sort by; choosing the present column again reverses the order."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "s", "reverse", "Reverse", id="choose.reverse", tooltip="Reverse the present order"
        ),
    ]

    def action_reverse(self) -> None:
        self.dismiss(self._chosen[:1])


async def chosen_order(
    app: App[None],
    choices: Sequence[Choice],
    current: tuple[str, bool],
    falls: Callable[[str], bool],
) -> tuple[str, bool] | None:
    """Ask for the column to sort a list by.

    Args:
        app: The app that shows the question.
        choices: The columns.
        current: The present column, and whether it is sorted downwards; if it is chosen again, the
            direction is reversed.
        falls: Says whether a column is sorted downwards at first.

    Returns:
        The column and whether it is sorted downwards; None for no change.
    """
    chosen = await app.push_screen_wait(OrderScreen("Sort by", choices, [current[0]]))
    if not chosen:
        return None
    column = chosen[0]
    return column, not current[1] if column == current[0] else falls(column)


class ColumnsScreen(_ChooseScreen):
    """Chooses several items, in order: dismisses with their keys, or None for no change.

    `is_reset` says afterwards whether a person wants the default columns; then there are no keys.
    """

    marks = ("☐", "☑")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "toggle_choice", "Show or hide", key_display="Space",
                id="columns.toggle", tooltip="Show this column, or hide it"),
        Binding("enter", "apply", "Apply", key_display="Enter", priority=True,
                id="columns.apply", tooltip="Show the marked columns"),
        Binding("shift+up,K", "shift(-1)", "Earlier", key_display="K", id="columns.earlier",
                tooltip="Further left"),
        Binding("shift+down,J", "shift(1)", "Later", key_display="J", id="columns.later",
                tooltip="Further right"),
        Binding("0", "reset", "Default", id="columns.reset",
                tooltip="Go back to the default columns"),
    ]  # fmt: skip

    def __init__(self, title: str, choices: Sequence[Choice], chosen: Sequence[str]) -> None:
        super().__init__(title, choices, chosen)
        self.is_reset = False

    def action_reset(self) -> None:
        self.is_reset = True
        self.dismiss([])

    def action_toggle_choice(self) -> None:
        lines = self.query_one(ChoiceLines)
        choice = lines.choice
        if choice is None:
            return
        if choice.key in self._chosen:
            self._chosen.remove(choice.key)
        else:
            self._chosen.append(choice.key)
        # The list of lines holds the same list of chosen keys, so its mark is new too.
        lines.refresh_index(lines.cursor)

    def action_shift(self, by: int) -> None:
        lines = self.query_one(ChoiceLines)
        choice = lines.choice
        if choice is None or self.query_one(Input).value:
            return
        ordered = list(self._choices)
        old = ordered.index(choice)
        new = max(0, min(old + by, len(ordered) - 1))
        ordered.insert(new, ordered.pop(old))
        self._choices = ordered
        lines.show_choices(ordered, self._chosen)
        lines.cursor = new

    def action_apply(self) -> None:
        self.dismiss([choice.key for choice in self._choices if choice.key in self._chosen])
