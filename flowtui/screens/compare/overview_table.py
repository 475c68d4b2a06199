"""The table of facts: what each run has, under the titles of the sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message

from flowtui import format as fmt
from flowtui.reports.comparison.fact_texts import (
    NO_NUMBER,
    by_kind,
    count_words,
    cut_apart,
    delta_text,
    figure_lines,
    figure_texts,
    pair_words,
    seen_rows,
    value_texts,
    whole_text,
)
from flowtui.store.compare.fact_values import Change, MetricFigures, Missing
from flowtui.store.compare.facts import FactKind, FactRow, FactTable, Sameness
from flowtui.store.compare.paths import Path
from flowtui.store.compare.run_set import LETTERS
from flowtui.told_apart import told_apart
from flowtui.widgets.cells import Line, Piece, Role
from flowtui.widgets.compare import letter_role
from flowtui.widgets.lists.virtual_list import width_beside_bar
from flowtui.widgets.lists.virtual_table import CACHED_ROWS, GAP, Cells, Column, VirtualTable

NAME_CELLS, VALUE_CELLS, DELTA_CELLS = 18, 12, 16
FITTED_CELLS = 10
MARK_CELLS = 2
"""The narrowest column of a run where there are no columns of differences."""
TIGHT = (8, 6)
"""The narrowest columns of names and of runs where nothing else has room."""
MANY_FROM = 100
"""Narrower tables show the baseline and one candidate, if not all runs fit with differences."""
NUMBER_CELLS = 11
"""How many cells the last value of a metric takes where the best stands beside it."""
SECTION_KEY, NOTE_KEY, PROBLEM_KEY = -1, -50, -100
"""The keys of lines that are no rows: counted down from these."""
MARKS = {Sameness.EQUAL: " ", Sameness.NOT_COMPARED: "?"}
CHANGE_ROLES: dict[Change, Role] = {
    Change.BETTER: "ok",
    Change.WORSE: "error",
    Change.CHANGED: "attention",
}
ABSENT_MARK = "–"
"""Stands for a value that a run does not have where there are many runs: the word would drown all
others."""
CHANGE_MARKS = {Change.BETTER: " ✓", Change.WORSE: " ✗", Change.CHANGED: " ≠"}


@dataclass(frozen=True, slots=True)
class FactLayout:
    """Which runs have a column, and whether each candidate has one for its differences."""

    indexes: tuple[int, ...]
    has_deltas: bool
    least: tuple[int, int] = (NAME_CELLS, VALUE_CELLS)
    """How wide the column of names and that of a run are at least."""

    @classmethod
    def of(cls, width: int, run_count: int, candidate: int) -> FactLayout:
        """Return the layout for a width in cells; `candidate` is the run that is looked at."""
        everyone = tuple(range(run_count))
        gap = len(GAP)
        with_deltas = run_count * (VALUE_CELLS + gap) + (run_count - 1) * (DELTA_CELLS + gap)
        if NAME_CELLS + with_deltas <= width:
            return cls(everyone, True)
        if width >= MANY_FROM and NAME_CELLS + run_count * (FITTED_CELLS + gap) <= width:
            return cls(everyone, False, (NAME_CELLS, FITTED_CELLS))
        if NAME_CELLS + 2 * (VALUE_CELLS + gap) + DELTA_CELLS + gap <= width:
            return cls((0, candidate), True)
        return cls((0, candidate), False, TIGHT)

    def columns(self, names: Sequence[str]) -> list[Column]:
        names_least, least = self.least
        made = [Column("name", "", names_least, stretch=1)]
        for index in self.indexes:
            letter = LETTERS[index]
            mark = Piece(f"{letter} ", letter_role(letter))
            made.append(Column(f"run-{index}", names[index], least, stretch=1, mark=mark))
            if self.has_deltas and index:
                made.append(Column(f"delta-{index}", f"{LETTERS[index]} − A", DELTA_CELLS))
        return made


class FactRows(VirtualTable):
    """Shows rows in sections; the cursor stays on its row whatever is read."""

    @dataclass
    class RunsInSight(Message):
        """Sent by FactRows when other runs than before have a column."""

    def __init__(self, names: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run_names = names
        self._run_layout = FactLayout((0, 1), True)
        self._candidate = 1
        self._numbers: dict[tuple[FactKind, Path], int] = {}
        """The key of each row that was ever shown."""
        self._rows: dict[int, FactRow] = {}
        self._headings: dict[int, Line] = {}
        self._labels: tuple[int, dict[int, str]] = (0, {})
        """A width in cells, and the names by key as they are shown in it."""

    # What the owner sets ---------------------------------------------------------------------

    def show_facts(
        self, rows: Sequence[FactRow], facts: FactTable, note: str = "", is_filtered: bool = False
    ) -> None:
        """Show rows.

        Args:
            rows: The rows to show, in order of their sections.
            facts: The whole table, whose rows are counted and whose problems are said.
            note: A sentence above the sections; empty for none.
            is_filtered: Whether sections without rows to show are left out.
        """
        shown: dict[int, FactRow] = {}
        headings = _titles(facts, note)
        keys = [key for key in headings if key <= NOTE_KEY]
        by_section = by_kind(rows)
        for index, kind in enumerate(FactKind):
            if SECTION_KEY - index not in headings or (is_filtered and kind not in by_section):
                continue
            keys.append(SECTION_KEY - index)
            for row in by_section.get(kind, ()):
                number = self._numbers.setdefault((row.kind, row.path), len(self._numbers))
                shown[number] = row
                keys.append(number)
        changed = [key for key, row in self._rows.items() if shown.get(key) is not row]
        if shown.keys() != self._rows.keys():
            self._labels = (0, {})
        self._rows, self._headings = shown, headings
        for key in changed:
            self._cells.pop(key, None)
        self.show_keys(keys)
        if not shown:
            self.cursor = 0
        elif self.row is None:
            below = (key for key in keys[self.cursor :] if key in shown)
            self.put_cursor(next(below, next(iter(shown))))

    def action_move(self, by: int) -> None:
        super().action_move(by)
        # Titles are passed over, except for those that stand above all rows.
        while self.row is None and 0 < self.cursor < self.line_count - 1:
            super().action_move(1 if by > 0 else -1)

    def action_move_to_end(self, last: bool) -> None:
        super().action_move_to_end(last)
        if last and self.row is None and self._rows:
            self.put_cursor(next(reversed(self._rows)))

    def put(self, rows: Sequence[FactRow]) -> None:
        """Show what some rows are now; those that are not shown are left out."""
        numbers = ((self._numbers.get((row.kind, row.path)), row) for row in rows)
        held = {key: row for key, row in numbers if key in self._rows and self._rows[key] != row}
        self._rows.update(held)
        self.fill({key: self._made(key, row) for key, row in held.items() if self.holds(key)})

    def look_at(self, candidate: int) -> None:
        """Show a candidate, if there is room for one only."""
        self._candidate = candidate
        self._lay_out()

    @property
    def pair(self) -> int | None:
        """The index of the candidate that is shown alone; None if all runs have a column."""
        indexes = self._run_layout.indexes
        return indexes[1] if len(indexes) < len(self._run_names) else None

    @property
    def row(self) -> FactRow | None:
        """The row under the cursor; None on a title."""
        return None if self.cursor_key is None else self._rows.get(self.cursor_key)

    def on_resize(self) -> None:
        # Textual calls the handler of the list too.
        self._lay_out()

    def _lay_out(self) -> None:
        if not self.line_width:
            return
        before, count = self._run_layout, len(self._run_names)
        self._run_layout = FactLayout.of(self.line_width, count, self._candidate)
        if self._run_layout != before:
            self.post_message(self.RunsInSight())
        self.set_columns(self._run_layout.columns([fmt.plain(n, 200) for n in self._run_names]))
        self._cells.clear()
        self.refresh()

    # Drawing ---------------------------------------------------------------------------------

    def _layout(self, width: int) -> list[tuple[Column, int]]:
        # Cells are made for a width, which must not change when a scroll bar comes.
        return super()._layout(min(width, width_beside_bar(self)))

    def line(self, index: int, width: int) -> Line:
        key = self._keys[index]
        if (heading := self._headings.get(key)) is not None:
            return heading
        if key not in self._cells:
            # All rows are in memory, so that none has to be asked for.
            self._cells[key] = self._made(key, self._rows[key])
            if len(self._cells) > CACHED_ROWS:
                self._cells.popitem(last=False)
        return super().line(index, width)

    def _made(self, key: int, row: FactRow) -> Cells:
        layout = self._run_layout
        widths = {column.key: cells for column, cells in self._layout(self.line_width)}
        role: Role = "muted" if row.sameness is Sameness.EQUAL else "text"
        mark = MARKS.get(row.sameness, "≠")
        pieces = [Piece(f" {mark} {self._label(key, widths['name'] - 3)}", role)]
        marked = 0 if layout.has_deltas else MARK_CELLS
        rooms = [widths.get(f"run-{index}", FITTED_CELLS) - marked for index in layout.indexes]
        texts = (
            metric_cells(row, layout.indexes, rooms)
            if row.kind is FactKind.METRICS
            else value_cells(row, layout.indexes, rooms)
        )
        for index, text in zip(layout.indexes, texts, strict=True):
            if layout.has_deltas:
                pieces.append(text)
                if index:
                    pieces.append(_delta_piece(row, index))
            elif row.cells[index] is Missing.ABSENT:
                pieces.append(Piece(ABSENT_MARK, "muted"))
            else:
                pieces.append(_marked(row, index, text) if index else text)
        return tuple(pieces)

    def _label(self, key: int, room: int) -> str:
        if self._labels[0] != room:
            sections: dict[FactKind, dict[int, str]] = {}
            for number, row in self._rows.items():
                sections.setdefault(row.kind, {})[number] = row.name
            found: dict[int, str] = {}
            for names in sections.values():
                found |= zip(names, told_apart(list(names.values()), room), strict=True)
            self._labels = room, found
        return self._labels[1].get(key, "")


def _titles(facts: FactTable, note: str) -> dict[int, Line]:
    """Return the lines that are no rows, by key, in order."""
    made: dict[int, Line] = {
        PROBLEM_KEY - index: [Piece(f" ▲ {fmt.plain(problem, 500)}", "attention")]
        for index, problem in enumerate(facts.problems)
    }
    if note:
        made[NOTE_KEY] = [Piece(f" {note}", "muted")]
    for index, kind in enumerate(FactKind):
        counts = facts.counts(kind)
        if counts.all:
            said = " · ".join(count_words(counts))
            role: Role = "muted" if counts.equal == counts.all else "title"
            made[SECTION_KEY - index] = [Piece(f" {kind}", role), Piece(f"  {said}", "muted")]
    return made


def metric_cells(row: FactRow, indexes: Sequence[int], rooms: Sequence[int]) -> list[Piece]:
    """Return the cells of a metric: its last value, and if there is room the best or its ends."""
    lines = figure_lines(row)
    is_roomy = min(rooms) >= NUMBER_CELLS + 2 + len("best ") + NUMBER_CELLS
    room = NUMBER_CELLS if is_roomy else min(rooms)
    texts = {line.what: figure_texts(line, NUMBER_CELLS if is_roomy else room) for line in lines}
    pieces: list[Piece] = []
    for index, cells in zip(indexes, rooms, strict=True):
        last = texts["last"][index]
        cell = row.cells[index]
        more = ""
        if is_roomy and isinstance(cell, MetricFigures):
            if cell.summary is None:
                more = "…"
            elif "best" in texts:
                more = f"best {texts['best'][index]}"
            elif texts["min"][index] != NO_NUMBER:
                more = f"{texts['min'][index]} … {texts['max'][index]}"
        text = f"{last:<{NUMBER_CELLS}}  {more}" if more else last
        if len(text) > cells:
            text = last
        pieces.append(Piece(text, _role(row, index)))
    return pieces


def value_cells(row: FactRow, indexes: Sequence[int], rooms: Sequence[int]) -> list[Piece]:
    """Return the cells of a row that is no metric; values that differ never read alike."""
    texts = value_texts(row)
    cut = cut_apart([texts[index] for index in indexes], rooms)
    return [Piece(text, _role(row, index)) for text, index in zip(cut, indexes, strict=True)]


def _role(row: FactRow, index: int) -> Role:
    cell = row.cells[index]
    if isinstance(cell, Missing):
        return "attention" if cell is Missing.UNREAD else "muted"
    if isinstance(cell, MetricFigures):
        value = None if cell.last is None else cell.last.value
        if value is None or value - value != 0:
            # NaN and infinities.
            return "attention"
    return "muted" if row.sameness is Sameness.EQUAL else "text"


def _delta_piece(row: FactRow, index: int) -> Piece:
    change = row.last_delta(index)
    if change is None or not delta_text(change):
        return Piece(pair_words(row, index), "muted")
    return Piece(delta_text(change, DELTA_CELLS), CHANGE_ROLES.get(change.change, "muted"))


def _marked(row: FactRow, index: int, piece: Piece) -> Piece:
    """Return a cell with a mark that says how it stands to the baseline's."""
    change = row.last_delta(index)
    if change is None:
        is_other = pair_words(row, index) == "changed"
        return Piece(f"{piece.text} ≠", "attention") if is_other else piece
    mark = CHANGE_MARKS.get(change.change, "")
    return Piece(f"{piece.text}{mark}", CHANGE_ROLES.get(change.change, piece.role))


def chosen_rows(facts: FactTable, needle: str, shows_all: bool) -> list[FactRow]:
    """Return the rows that differ, or all, whose name or a value has a text in it."""
    wanted = needle.strip().lower()
    return [
        row
        for row in seen_rows(facts, shows_all)
        if not wanted or wanted in row.name.lower() or _has(row, wanted)
    ]


def _has(row: FactRow, wanted: str) -> bool:
    if row.kind is FactKind.METRICS:
        texts = [text for line in figure_lines(row) for text in figure_texts(line)]
    else:
        texts = [*value_texts(row), *map(whole_text, row.cells)]
    return any(wanted in text.lower() for text in texts)
