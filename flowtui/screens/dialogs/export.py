"""The modal that asks for the format and the path of an export."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label

from flowtui import format as fmt
from flowtui import person
from flowtui.screens.dialog import Dialog
from flowtui.screens.dialogs.choose import Choice, ChoiceLines
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.paint import ROLE_CLASSES

PATH_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format of an export."""

    key: str
    title: str
    suffix: str
    """The suffix of the file name, without the dot."""


@dataclass(frozen=True, slots=True)
class Export:
    """The chosen format and file; an existing file may be overwritten."""

    format_key: str
    path: Path
    """The absolute path."""


class ExportScreen(Dialog[Export | None]):
    """Formats over a path to edit: dismisses with an `Export`, or None; writes nothing."""

    CSS_PATH = "export.tcss"
    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "Input"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel", key_display="Esc", id="dialog.close",
                tooltip="Save nothing"),
        Binding("enter", "save", "Save", key_display="Enter", priority=True,
                id="export.save", tooltip="Save under this path"),
        # Priority: otherwise a widget around the list would take these keys to scroll.
        Binding("down", "shift_format(1)", "Format", key_display="↑↓", priority=True,
                id="export.next_format", tooltip="Choose the next format"),
        Binding("up", "shift_format(-1)", "Previous format", show=False, priority=True,
                id="export.previous_format", tooltip="Choose the previous format"),
    ]  # fmt: skip

    def __init__(self, folder: Path, stem: str, formats: Sequence[ExportFormat]) -> None:
        """Make the screen.

        Args:
            folder: The folder to propose.
            stem: The stem of the file name to propose, as `saving.file_stem` makes it.
            formats: At least one format; the first is proposed.
        """
        super().__init__()
        self._formats = formats
        self._format = formats[0]
        # A path that cannot be shown safely cannot be edited either.
        is_plain = fmt.plain(str(folder), PATH_CHARACTERS) == str(folder)
        home = person.home()
        place = fmt.path(folder, home, "~") if is_plain and folder != home else "~"
        self._path = f"{place}/{stem}.{self._format.suffix}"
        self._asked: Path | None = None
        """The file that the next Enter would overwrite."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Export"
            lines = ChoiceLines(("○", "●"))
            # The screen has the keys, so that a person can type and choose without changing focus.
            lines.can_focus = False
            yield lines
            yield Input(self._path, select_on_focus=False, compact=True)
            yield Label("", id="export-note", markup=False)
            yield KeyLine()

    def on_mount(self) -> None:
        # A screen that is closed while it opens has no widgets.
        for lines in self.query(ChoiceLines):
            lines.styles.height = len(self._formats)
            self._show_formats(lines)

    def _show_formats(self, lines: ChoiceLines) -> None:
        choices = [Choice(one.key, one.title, f".{one.suffix}") for one in self._formats]
        lines.show_choices(choices, [self._format.key])

    def action_shift_format(self, by: int) -> None:
        self.query_one(ChoiceLines).action_move(by)

    @on(VirtualList.CursorMoved)
    def take_format(self, event: VirtualList.CursorMoved) -> None:
        old, self._format = self._format, self._formats[event.index]
        self._show_formats(self.query_one(ChoiceLines))
        field = self.query_one(Input)
        # A suffix other than the format's was typed by the person, and stays.
        if field.value.endswith(f".{old.suffix}"):
            field.value = f"{field.value.removesuffix(old.suffix)}{self._format.suffix}"
            field.action_end()

    @on(Input.Changed)
    def forget_question(self) -> None:
        self._asked = None
        self._say("")

    def action_save(self) -> None:
        try:
            path = Path(self.query_one(Input).value.strip()).expanduser().absolute()
        except RuntimeError:
            self._say("there is no user of this name")
            return
        problem = self._problem(path)
        if problem:
            self._say(problem)
        elif os.path.lexists(path) and path != self._asked:
            self._asked = path
            self._say("exists; Enter again overwrites")
        else:
            self.dismiss(Export(self._format.key, path))

    def _problem(self, path: Path) -> str:
        """Return why nothing can be saved under a path; an empty text if it can."""
        # On impossible names the functions of os.path return False where those of Path raise.
        typed = self.query_one(Input).value.strip()
        if not typed or typed.endswith(os.sep) or os.path.isdir(path):
            return "this is a folder: add a name" if typed else "give a path"
        if "\0" in typed:
            return "no file can have this name"
        if not os.path.isdir(path.parent):
            return f"no such folder: {fmt.plain(str(path.parent), PATH_CHARACTERS)}"
        if os.path.exists(path) and not os.path.isfile(path):
            return "this is not a file"
        return ""

    def _say(self, text: str) -> None:
        self.query_one("#export-note", Label).update(text)
