"""The modal that asks where to save a copy of a file or of a whole folder."""

from __future__ import annotations

import os
import shutil
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
from flowtui.store.natural import sort_key
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import ROLE_CLASSES

PATH_CHARACTERS = 300
MAX_LISTED = 8


@dataclass(frozen=True, slots=True)
class ToSave:
    """The file or folder to save."""

    name: str
    """The name, which is safe as a file name."""
    size_bytes: int
    file_count: int = 1
    is_folder: bool = False


class SaveScreen(Dialog[Path | None]):
    """A path to edit: dismisses with where to save, absolute, or None; copies nothing.

    The folder exists by then: the modal makes it, if the person agrees.
    """

    CSS_PATH = "save_files.tcss"
    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "Input"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "save", "Save", key_display="Enter", priority=True,
                id="save.save", tooltip="Save under this path"),
        Binding("tab", "complete", "Complete", key_display="Tab", priority=True,
                id="save.complete", tooltip="Complete the name of the folder or file"),
        Binding("escape", "dismiss(None)", "Cancel", key_display="Esc", id="dialog.close",
                tooltip="Save nothing"),
    ]  # fmt: skip

    def __init__(self, folder: Path, what: ToSave) -> None:
        super().__init__()
        self._what = what
        # A path that cannot be shown safely cannot be edited either.
        is_plain = fmt.plain(str(folder), PATH_CHARACTERS) == str(folder)
        home = person.home()
        place = fmt.path(folder, home, "~") if is_plain and folder != home else "~"
        self._path = f"{place}/{what.name}"
        self._asked: Path | None = None
        """The path whose folder the next Enter would make, or whose file it would overwrite."""

    def compose(self) -> ComposeResult:
        what = self._what
        files = f"{fmt.count(what.file_count, 'file')}, " if what.is_folder else ""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Save the folder" if what.is_folder else "Save"
            said = f"{fmt.plain(what.name, 200)}  {files}{fmt.size(what.size_bytes)}"
            yield Label(said, markup=False, classes="save-what")
            yield Input(self._path, select_on_focus=False, compact=True)
            yield Label("", id="save-note", markup=False)
            yield KeyLine()

    @on(Input.Changed)
    def forget_question(self) -> None:
        self._asked = None
        self._say("")

    def action_complete(self) -> None:
        field = self.query_one(Input)
        completed, others = completions(field.value)
        if completed != field.value:
            with self.prevent(Input.Changed):
                field.value = completed
            self._asked = None
            field.action_end()
        listed = "  ".join(fmt.plain(name, 60) for name in others[:MAX_LISTED])
        more = f"  … {len(others) - MAX_LISTED:,} more" if len(others) > MAX_LISTED else ""
        self._say(
            listed + more if len(others) > 1 else ("" if others else "no name begins with this")
        )

    def action_save(self) -> None:
        typed = self.query_one(Input).value.strip()
        try:
            path = Path(typed).expanduser().absolute()
        except RuntimeError:
            self._say("there is no user of this name")
            return
        if typed.endswith(os.sep) or (os.path.isdir(path) and not self._what.is_folder):
            path = path / self._what.name
        problem = _problem(typed, path, self._what)
        if problem:
            self._say(problem)
        elif question := _question(path):
            if path == self._asked:
                self._finish(path)
            else:
                self._asked = path
                self._say(question)
        else:
            self._finish(path)

    def _finish(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._say(f"the folder cannot be made: {error.strerror}")
            return
        self.dismiss(path)

    def _say(self, text: str) -> None:
        self.query_one("#save-note", Label).update(text)


def _question(path: Path) -> str:
    """Return what the person has to confirm before anything is saved; an empty text for nothing."""
    if os.path.lexists(path):
        return f"{fmt.plain(path.name, 100)} exists; Enter again overwrites it"
    if not os.path.isdir(path.parent):
        return f"no folder {fmt.plain(str(path.parent), PATH_CHARACTERS)} yet; Enter again makes it"
    return ""


def _problem(typed: str, path: Path, what: ToSave) -> str:
    """Return why nothing can be saved under a path; an empty text if it can."""
    if not typed or "\0" in typed:
        return "no file can have this name" if typed else "give a path"
    if what.is_folder and os.path.lexists(path):
        return "this exists: give the folder another name"
    if os.path.lexists(path) and not os.path.isfile(path):
        return "this exists and is not a file"
    above = path.parent
    while not os.path.lexists(above):
        above = above.parent
    if not os.path.isdir(above):
        return f"{fmt.plain(str(above), PATH_CHARACTERS)} is not a folder"
    if not os.access(above, os.W_OK | os.X_OK):
        return f"you may not write in {fmt.plain(str(above), PATH_CHARACTERS)}"
    free = shutil.disk_usage(above).free
    if what.size_bytes > free:
        return f"it takes {fmt.size(what.size_bytes)}, and only {fmt.size(free)} are free there"
    return ""


def completions(typed: str) -> tuple[str, list[str]]:
    """Return a path with its last name completed as far as it is unique, and all candidates."""
    above, slash, begun = typed.rpartition("/")
    try:
        folder = Path(f"{above}{slash}" or ".").expanduser()
        entries = sorted(os.scandir(folder), key=lambda entry: sort_key(entry.name))
    except (OSError, RuntimeError, ValueError):
        return typed, []
    names = [
        f"{entry.name}/" if entry.is_dir() else entry.name
        for entry in entries
        if entry.name.startswith(begun) and (begun or not entry.name.startswith("."))
    ]
    # A name that cannot be shown safely cannot be typed either.
    names = [name for name in names if fmt.plain(name, len(name)) == name]
    if not names:
        return typed, []
    # Of sorted names the first and the last share the shortest prefix.
    first, last = min(names), max(names)
    same = next((at for at, char in enumerate(first) if last[at : at + 1] != char), len(first))
    return f"{above}{slash}{first[:same]}", names
