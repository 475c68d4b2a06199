"""The table of the attachments of compared runs: a row a path, and a column a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import on

from flowtui import format as fmt
from flowtui.store.compare.files import ComparedFile, FileSameness, HeldFile
from flowtui.store.compare.run_set import LETTERS
from flowtui.told_apart import told_apart
from flowtui.widgets.cells import Piece, Role, fit
from flowtui.widgets.compare import letter_role
from flowtui.widgets.lists.virtual_list import width_beside_bar
from flowtui.widgets.lists.virtual_table import GAP, Cells, Column, VirtualTable

STATE_CELLS, PATH_CELLS, SIZE_CELLS = 15, 20, 12
MARKS: Mapping[FileSameness, tuple[str, Role]] = {
    FileSameness.EQUAL: ("= equal", "muted"),
    FileSameness.DIFFERS: ("≠ differs", "attention"),
    FileSameness.ONLY_IN_SOME: ("only in", "attention"),
    FileSameness.NOT_COMPARED: ("? not compared", "muted"),
    FileSameness.UNREADABLE: ("✗ unreadable", "error"),
}
SHORT_MARKS = {FileSameness.EQUAL: "=", FileSameness.DIFFERS: "≠", FileSameness.NOT_COMPARED: "?"}


def shown_files(files: Sequence[ComparedFile], shows_all: bool, needle: str) -> list[ComparedFile]:
    """Return the files that are seen: those that are not known to be equal, or all."""
    from flowtui.screens.attachments.files import path_matches

    return [
        one
        for one in files
        if (shows_all or one.sameness is not FileSameness.EQUAL) and path_matches(one.path, needle)
    ]


def state_words(one: ComparedFile) -> str:
    """Return in which way files stand to each other, as `only in A C`."""
    if one.sameness is FileSameness.ONLY_IN_SOME:
        return f"only in {' '.join(one.letters)}"
    return MARKS[one.sameness][0]


class CompareRows(VirtualTable):
    """Shows files that were joined by path."""

    def __init__(self, names: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run_names = names
        self._files: Sequence[ComparedFile] = ()
        self._candidate = 1

    def show_files(self, files: Sequence[ComparedFile], note: str) -> None:
        """Show files, with the cursor on its path as long as that is among them."""
        held = self.file
        self._files = files
        self._lay_out()
        self.show_keys(range(len(files)))
        if held is not None:
            place = next((at for at, one in enumerate(files) if one.path == held.path), None)
            if place is not None:
                self.put_cursor(place)
        self._fill()
        if not files:
            self.resize_content(note)

    def look_at(self, candidate: int) -> None:
        """Show the candidate with this place among the runs, where there is no room for all."""
        self._candidate = candidate
        self._lay_out()
        self._fill()

    @property
    def file(self) -> ComparedFile | None:
        """The files under the cursor."""
        return self._files[self.cursor] if self.cursor < len(self._files) else None

    def on_resize(self) -> None:
        self._lay_out()
        self._fill()

    def _runs(self) -> list[int]:
        """Return the places of the runs that have a column."""
        everyone = list(range(len(self._run_names)))
        room = width_beside_bar(self) - STATE_CELLS - PATH_CELLS - 2 * len(GAP)
        fits = len(everyone) * (SIZE_CELLS + len(GAP)) <= room
        return everyone if fits else [0, self._candidate]

    def _lay_out(self) -> None:
        columns = [
            Column("state", "", STATE_CELLS), Column("path", "path", PATH_CELLS, stretch=1)
        ]  # fmt: skip
        for index in self._runs():
            letter = LETTERS[index]
            mark = Piece(f"{letter} ", letter_role(letter))
            name = fmt.plain(self._run_names[index], 200)
            columns.append(Column(f"run-{index}", name, SIZE_CELLS, "right", mark=mark))
        self.set_columns(columns)

    @on(VirtualTable.RowsNeeded)
    def fill_rows(self, event: VirtualTable.RowsNeeded) -> None:
        event.stop()
        self._fill(event.keys)

    def _fill(self, keys: Sequence[int] | None = None) -> None:
        keys = self.keys_in_sight(1) if keys is None else keys
        shown = [(key, self._files[key]) for key in keys if key < len(self._files)]
        rooms = max(
            width_beside_bar(self) - STATE_CELLS - len(self._runs()) * (SIZE_CELLS + 2) - 4,
            PATH_CELLS,
        )
        names = told_apart([one.path for _, one in shown], rooms)
        self.fill(
            {key: self._cells_of(one, name) for (key, one), name in zip(shown, names, strict=True)}
        )

    def _cells_of(self, one: ComparedFile, name: str) -> Cells:
        role = MARKS[one.sameness][1]
        cells = [Piece(fit(f" {state_words(one)}", STATE_CELLS), role), Piece(name)]
        for index in self._runs():
            cells.append(self._run_cell(one, one.held[index], index))
        return tuple(cells)

    def _run_cell(self, one: ComparedFile, held: HeldFile | None, index: int) -> Piece:
        if held is None:
            unread = one.is_unread[index] if one.is_unread else False
            return Piece("unread" if unread else "–", "muted")
        if held.problem:
            return Piece("✗ missing" if held.attachment.is_missing else "✗ refused", "error")
        size = "" if held.size_bytes is None else fmt.size(held.size_bytes)
        against = one.against_baseline(index) if index else None
        mark = SHORT_MARKS.get(against, "") if against is not None else ""
        role: Role = "attention" if against is FileSameness.DIFFERS else "text"
        return Piece(f"{mark} {size}".strip(), role)
