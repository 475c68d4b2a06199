"""A tree of named JSON values, such as parameters: one on each line, nested values folded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from flowtui import format as fmt
from flowtui.store.values import JsonValue
from flowtui.told_apart import told_apart
from flowtui.widgets.cells import Line, Piece, Role, fit, justified
from flowtui.widgets.lists.virtual_list import VirtualList

Path = tuple[str | int, ...]
MIN_KEY_CELLS = 12
MAX_KEY_SHARE = 0.5
MARK_CELLS = 2


class Entry(NamedTuple):
    """A named value of the first level."""

    key: str
    value: JsonValue
    note: str = ""
    """The type of the value, or another short note."""
    problem: str | None = None
    """What is wrong with the value; None if nothing is."""


class ValueRow(NamedTuple):
    """A visible line of a tree of values."""

    path: Path
    value: JsonValue
    note: str = ""
    problem: str | None = None

    @property
    def depth(self) -> int:
        return len(self.path) - 1

    @property
    def is_branch(self) -> bool:
        return isinstance(self.value, (dict, list)) and bool(self.value)


def visible_rows(entries: Sequence[Entry], unfolded: frozenset[Path]) -> list[ValueRow]:
    """Return the lines of a tree in which only the branches in `unfolded` are unfolded."""
    rows: list[ValueRow] = []
    for entry in entries:
        row = ValueRow((entry.key,), entry.value, entry.note, entry.problem)
        pending = [row]
        while pending:
            row = pending.pop()
            rows.append(row)
            if row.is_branch and row.path in unfolded:
                pending += reversed(
                    [ValueRow((*row.path, key), item) for key, item in _items(row.value)]
                )
    return rows


def matching(entries: Sequence[Entry], needle: str) -> list[Entry]:
    """Return the entries that contain a text in the key or the value, in upper or lower case."""
    lowered = needle.lower()
    return [
        entry
        for entry in entries
        if lowered in entry.key.lower() or lowered in _searchable(entry.value).lower()
    ]


def _searchable(value: JsonValue) -> str:
    return value if isinstance(value, str) else fmt.json_text(value, limit=100_000)


def _items(value: JsonValue) -> Iterator[tuple[str | int, JsonValue]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


class ValueTree(VirtualList):
    """Shows entries as a tree of lines under a title."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "right,l",
            "unfold",
            "Unfold",
            show=False,
            id="move.right",
            tooltip="Unfold a nested value",
        ),
        Binding(
            "left,h",
            "fold",
            "Fold",
            show=False,
            id="move.left",
            tooltip="Fold the value, or go to its parent",
        ),
    ]

    def __init__(self, title: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.title = title
        self.empty_text = ""
        self._problem = ""
        self._entries: Sequence[Entry] = ()
        self._unfolded: frozenset[Path] = frozenset()
        self._rows: list[ValueRow] = []
        self._key_cells = MIN_KEY_CELLS
        self._names: tuple[int, dict[Path, str]] = (0, {})
        """The names as they are shown, by path, cached with the width they are made for."""

    def show_entries(self, entries: Sequence[Entry], empty_text: str, problem: str = "") -> None:
        """Show these values, and keep the folds and the cursor.

        Args:
            entries: The values in their order.
            empty_text: A hint beside the title if there are no values.
            problem: Why the values cannot be read; empty if they can be.
        """
        self.empty_text = empty_text
        self._problem = problem
        self._entries = entries
        self._lay_out()

    @property
    def row(self) -> ValueRow | None:
        """The line under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def _lay_out(self) -> None:
        held = self.row
        self._names = (0, {})
        self._rows = visible_rows(self._entries, self._unfolded)
        widths = (2 * row.depth + MARK_CELLS + cell_len(_label(row)) for row in self._rows)
        self._key_cells = max(widths, default=MIN_KEY_CELLS)
        if held is not None:
            paths = [row.path for row in self._rows]
            if held.path in paths:
                self.set_reactive(ValueTree.cursor, paths.index(held.path))
        self.set_reactive(ValueTree.cursor, self.validate_cursor(self.cursor))
        self.resize_content(self._problem)

    @property
    def line_count(self) -> int:
        return len(self._rows)

    @property
    def header_height(self) -> int:
        return 1

    def header_lines(self, width: int) -> list[Line]:
        role: Role = "accent" if self.has_focus else "title"
        note = f" {len(self._entries):,}" if self._entries else f"  {self.empty_text}"
        return [[Piece(" "), Piece(self.title, role), Piece(note, "muted")]]

    def line(self, index: int, width: int) -> Line:
        row = self._rows[index]
        mark = " "
        if row.is_branch:
            mark = "▾" if row.path in self._unfolded else "▸"
        cells = max(MIN_KEY_CELLS, min(self._key_cells, int(width * MAX_KEY_SHARE)))
        key = fit(f"{_indent(row, cells)}{mark} {self._read_as(row, cells)}", cells)
        if row.problem is not None:
            note = Piece(f"▲ {fmt.plain(row.problem)} ", "attention")
        else:
            note = Piece(f"{fmt.plain(row.note, 20)} ", "muted")
        text, role = _shown(row, width)
        name_role: Role = "muted" if row.depth else "text"
        return justified([Piece(f" {key}  ", name_role), Piece(text, role)], [note], width)

    def _read_as(self, row: ValueRow, cells: int) -> str:
        if self._names[0] != cells:
            self._names = (
                cells,
                names_of(self._rows, lambda row: cells - len(_indent(row, cells)) - MARK_CELLS),
            )
        return self._names[1][row.path]

    def action_choose(self) -> None:
        row = self.row
        if row is not None and row.is_branch:
            self._set_unfolded(row, row.path not in self._unfolded)
        else:
            super().action_choose()

    def action_unfold(self) -> None:
        if self.row is not None and self.row.is_branch:
            self._set_unfolded(self.row, True)

    def action_fold(self) -> None:
        row = self.row
        if row is None:
            return
        if row.path in self._unfolded:
            self._set_unfolded(row, False)
        elif row.depth:
            paths = [other.path for other in self._rows]
            self.cursor = paths.index(row.path[:-1])

    def _set_unfolded(self, row: ValueRow, unfolded: bool) -> None:
        change = {row.path}
        self._unfolded = self._unfolded | change if unfolded else self._unfolded - change
        self._lay_out()


def names_of(rows: Iterable[ValueRow], room_of: Callable[[ValueRow], int]) -> dict[Path, str]:
    """Return the names of rows by path, cut so that they still differ within their parent.

    Args:
        rows: The rows of a tree.
        room_of: Returns the width for the name of a row in cells.
    """
    beside: dict[Path, list[ValueRow]] = {}
    for row in rows:
        beside.setdefault(row.path[:-1], []).append(row)
    found: dict[Path, str] = {}
    for listed in beside.values():
        names = [str(row.path[-1]) for row in listed]
        labels = told_apart(names, list(map(room_of, listed)))
        found |= zip((row.path for row in listed), labels, strict=True)
    return found


def _indent(row: ValueRow, cells: int) -> str:
    return "  " * min(row.depth, cells // 4)


def _label(row: ValueRow) -> str:
    key = row.path[-1]
    return fmt.plain(key, 200) if isinstance(key, str) else str(key)


def _shown(row: ValueRow, width: int) -> tuple[str, Role]:
    if row.is_branch and isinstance(row.value, dict):
        return f"{{{len(row.value)}}}", "muted"
    if row.is_branch and isinstance(row.value, list):
        return f"[{len(row.value)}]", "muted"
    return fmt.json_text(row.value, width), "muted" if row.value is None else "text"
