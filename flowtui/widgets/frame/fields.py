"""Labelled values, one under the other, as on the card of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from flowtui.widgets.cells import Line, Piece, Role, clipped
from flowtui.widgets.lists.virtual_list import VirtualList


class Field(NamedTuple):
    """One labelled value, which may take several lines."""

    name: str
    """The name in code; `label` is what is shown."""
    label: str
    lines: Sequence[Line]
    raw: str = ""
    """The full value, which copying copies."""
    is_wide: bool = False
    """Whether it has no label, and takes the whole width."""


@dataclass(frozen=True, slots=True)
class _Placed:
    owner: Field
    line: Line = field(default_factory=tuple)
    is_first: bool = True


class Fields(VirtualList):
    """Shows fields under a title; the cursor marks a field, Enter chooses it."""

    def __init__(self, title: str, label_cells: int, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.title = title
        self._label_cells = label_cells
        self._placed: list[_Placed] = []

    def show_fields(self, fields: Sequence[Field]) -> None:
        """Show these fields in place of the present ones, and draw only the lines that change."""
        placed = [
            _Placed(owner, line, index == 0)
            for owner in fields
            for index, line in enumerate(owner.lines)
        ]
        old, self._placed = self._placed, placed
        if len(old) != len(placed):
            self.set_reactive(Fields.cursor, self.validate_cursor(self.cursor))
            self.resize_content()
            return
        for index, (before, after) in enumerate(zip(old, placed, strict=True)):
            if before != after:
                self.refresh_index(index)

    @property
    def field(self) -> Field | None:
        """The field under the cursor."""
        return self._placed[self.cursor].owner if self.cursor < len(self._placed) else None

    @property
    def line_count(self) -> int:
        return len(self._placed)

    @property
    def header_height(self) -> int:
        return 1

    def header_lines(self, width: int) -> list[Line]:
        role: Role = "accent" if self.has_focus else "title"
        return [[Piece(" "), Piece(self.title, role)]]

    def line(self, index: int, width: int) -> Line:
        placed = self._placed[index]
        label = placed.owner.label if placed.is_first else ""
        indent = "" if placed.owner.is_wide else f"{label:<{self._label_cells}}"
        return clipped([Piece(f" {indent}", "muted"), *placed.line], width)
