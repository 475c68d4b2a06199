"""A tree of JSON values as lines of a document, with long texts below their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import islice

from rich.cells import cell_len

from flowtui import format as fmt
from flowtui.store.bounded_json import under
from flowtui.store.values import JsonValue
from flowtui.widgets.cells import Line, Piece, Role, fit
from flowtui.widgets.documents.blocks import Values
from flowtui.widgets.documents.runs import (
    GROWTH,
    SHOWN_CHARS,
    SHOWN_ITEMS,
    Folds,
    Key,
    LineRun,
    Spot,
    body,
    cut_note,
    more,
    room,
)  # fmt: skip
from flowtui.widgets.trees.value_tree import MAX_KEY_SHARE, ValueRow, names_of

LEVEL_CELLS = 2
MAX_LEVEL_SHARE = 4
"""Indents take at most the width divided by this."""
MAX_LABEL_CHARS = 200


class ValueRuns:
    """Lays out one block of values for one width."""

    def __init__(self, block: Values, key: Key, indent: int, width: int, folds: Folds) -> None:
        self._block = block
        self._key = key
        self._indent = indent
        self._width = width
        self._folds = folds

    def runs(self) -> Iterator[LineRun]:
        """Yield the lines of all values that no fold hides."""
        rows = list(self._rows())
        # If no value can fold, no name needs room for the mark of a fold.
        self._mark_cells = LEVEL_CELLS if any(row.is_branch for row, _ in rows) else 0
        widths = (self._left(row) + cell_len(_label(row)) for row, rest in rows if not rest)
        longest = int((self._width - self._indent) * MAX_KEY_SHARE)
        self._key_cells = min(max(widths, default=0), longest)
        self._room = room(self._width, self._indent + self._key_cells + LEVEL_CELLS)
        if not self._mark_cells and any(self._is_long(row) for row, rest in rows if not rest):
            self._mark_cells = LEVEL_CELLS
            self._key_cells += LEVEL_CELLS
            self._room = max(self._room - LEVEL_CELLS, 1)
        self._names = names_of(
            (row for row, rest in rows if not rest),
            lambda row: self._key_cells - self._level(row) - self._mark_cells,
        )
        for row, rest in rows:
            if rest:
                yield self._rest(row, rest)
            else:
                yield from self._value(row)

    def _rows(self) -> Iterator[tuple[ValueRow, int]]:
        """Yield (row, 0) for each value, and (parent, number of values left out) where some are."""
        pending: list[Iterator[tuple[ValueRow, int]]] = [
            self._inside(ValueRow((), dict(self._block.values)))
        ]
        while pending:
            found = next(pending[-1], None)
            if found is None:
                pending.pop()
                continue
            yield found
            row, rest = found
            if not rest and row.is_branch and self._is_open(row):
                pending.append(self._inside(row))

    def _inside(self, row: ValueRow) -> Iterator[tuple[ValueRow, int]]:
        limit = self._folds.shown.get(self._key_of(row), SHOWN_ITEMS)
        for name, value in islice(items_of(row.value), limit):
            yield ValueRow((*row.path, name), value), 0
        count = len(row.value) if isinstance(row.value, (dict, list)) else 0
        if count > limit:
            yield row, count - limit

    def _value(self, row: ValueRow) -> Iterator[LineRun]:
        is_long = self._is_long(row)
        can_fold = row.is_branch or is_long
        is_open = can_fold and self._is_open(row)
        mark = ("▾ " if is_open else "▸ ") if can_fold else " " * self._mark_cells
        name = fit(f"{' ' * self._level(row)}{mark}{self._names[row.path]}", self._key_cells)
        head = [Piece(f"{' ' * self._indent}{name}  ", "muted")]
        spot = Spot(
            self._key_of(row), row.value, self._source(row), is_open if can_fold else None,
            target=self._block.targets.get(row.path),
        )  # fmt: skip
        if self._block.wraps_texts and isinstance(row.value, str):
            yield from self._text(row, spot, row.value, self._key_cells + LEVEL_CELLS, head)
            return
        shown, role = self._shown(row, is_long and is_open)
        yield LineRun(spot, [shown], role, head=head)
        if is_long and is_open and isinstance(row.value, str):
            yield from self._text(row, spot, row.value, self._left(row))

    def _text(
        self, row: ValueRow, spot: Spot, text: str, left: int, head: Line = ()
    ) -> Iterator[LineRun]:
        indent = self._indent + left
        limit = self._folds.shown.get(spot.key, SHOWN_CHARS)
        yield from body(spot, text, limit, self._width, indent, head=head)
        full = self._full_chars(row)
        if full is not None and limit >= len(text):
            yield cut_note(spot, len(text), full, indent)

    def _rest(self, row: ValueRow, rest: int) -> LineRun:
        key = self._key_of(row)
        limit = self._folds.shown.get(key, SHOWN_ITEMS)
        source = self._source(row) if row.path else None
        growing = Spot(key, row.value, source, grows_to=limit * GROWTH)
        indent = self._indent + (self._left(row) if row.path else 0)
        return more(growing, f"… {fmt.count(rest, 'more value')}", indent, self._width)

    def _shown(self, row: ValueRow, is_below: bool) -> tuple[str, Role]:
        value = row.value
        if row.is_branch and isinstance(value, (dict, list)):
            pair = "{}" if isinstance(value, dict) else "[]"
            return f"{pair[0]}{len(value):,}{pair[1]}", "muted"
        if isinstance(value, str):
            if is_below:
                return fmt.count(self._full_chars(row) or len(value), "character"), "muted"
            return fit(fmt.plain(value[: self._room + 1]), self._room).rstrip(), "text"
        return fmt.json_text(value, self._room), "muted" if value is None else "text"

    def _full_chars(self, row: ValueRow) -> int | None:
        """Return the length of a stored text that the block holds only in part."""
        first, *rest = row.path
        return self._block.cut.get(reduce(under, rest, str(first))) if self._block.cut else None

    def _is_long(self, row: ValueRow) -> bool:
        value = row.value
        if not isinstance(value, str) or self._block.wraps_texts:
            return False
        return "\n" in value or len(value) > self._room or cell_len(value) > self._room

    def _is_open(self, row: ValueRow) -> bool:
        default = row.is_branch and row.depth < self._block.open_levels
        return self._folds.are_open.get(self._key_of(row), default)

    def _key_of(self, row: ValueRow) -> Key:
        return (*self._key, *row.path)

    def _source(self, row: ValueRow) -> str | None:
        return str(row.path[0]) if self._block.are_attributes else None

    def _level(self, row: ValueRow) -> int:
        return min(LEVEL_CELLS * row.depth, (self._width - self._indent) // MAX_LEVEL_SHARE)

    def _left(self, row: ValueRow) -> int:
        return self._level(row) + self._mark_cells


def items_of(value: JsonValue) -> Iterable[tuple[str | int, JsonValue]]:
    """Return the values directly inside an object or list, by name or index."""
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _label(row: ValueRow) -> str:
    name = row.path[-1]
    return fmt.plain(name, MAX_LABEL_CHARS) if isinstance(name, str) else str(name)
