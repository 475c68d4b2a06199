"""The modal that lists the keys of the present screen, as the bindings declare them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical
from textual.dom import DOMNode
from textual.keys import format_key
from textual.screen import Screen

from flowtui.screens.dialog import Dialog
from flowtui.widgets.cells import Line, Piece, fit, wrapped
from flowtui.widgets.frame.declared import as_declared
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.lists.virtual_list import VirtualList, width_beside_bar
from flowtui.widgets.lists.virtual_table import GAP
from flowtui.widgets.paint import ROLE_CLASSES

KEY_CELLS = 18
NAME_CELLS = 16
LEAST_CELLS = 24
"""How much room there is for what a key does, at least."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One action and the keys that start it."""

    keys: str
    name: str
    what: str
    where: str


PLACES = ("in the focused pane", "on this screen", "everywhere")
KEY_NAMES = {
    "down": "↓", "up": "↑", "left": "←", "right": "→", "pagedown": "PgDn", "pageup": "PgUp",
    "home": "Home", "end": "End", "enter": "Enter", "escape": "Esc", "tab": "Tab",
    "space": "Space",
}  # fmt: skip


def key_rows(bindings: Iterable[ActiveBinding]) -> list[KeyRow]:
    """Return one row for each action, grouped by where its keys work, the focused pane first.

    Bindings without a tooltip are Textual's own, and are left out.
    """
    grouped: dict[tuple[str, str], list[ActiveBinding]] = {}
    for active in as_declared(bindings):
        if active.binding.tooltip and not active.binding.system:
            action = active.binding.action.removeprefix("app.")
            grouped.setdefault((_place(active.node), action), []).append(active)
    rows = [
        KeyRow(
            keys="  ".join(dict.fromkeys(key_name(active.binding.key) for active in actives)),
            name=actives[0].binding.description,
            what=actives[0].binding.tooltip,
            where=place,
        )
        for (place, _action), actives in grouped.items()
    ]
    return sorted(rows, key=lambda row: PLACES.index(row.where))


def key_name(key: str) -> str:
    """Return a key as it is printed on a keyboard."""
    *modifiers, base = key.split("+")
    names = [modifier.title() for modifier in modifiers]
    return "+".join([*names, KEY_NAMES.get(base) or format_key(base)])


def _place(node: DOMNode) -> str:
    if node is node.app:
        return PLACES[2]
    return PLACES[1] if isinstance(node, Screen) else PLACES[0]


class KeyRows(VirtualList):
    """Shows key rows under the name of the place where they work."""

    opens = False

    def __init__(self, rows: Sequence[KeyRow]) -> None:
        super().__init__()
        self._rows = rows
        self._lines: list[Line] = []

    def on_resize(self) -> None:
        self._lay_out(width_beside_bar(self))
        self.resize_content()
        super().on_resize()

    def _lay_out(self, width: int) -> None:
        """Make the lines: a row takes as many as what it says in full."""
        key_cells = min(max((cell_len(row.keys) for row in self._rows), default=0), KEY_CELLS)
        name_cells = min(max((cell_len(row.name) for row in self._rows), default=0), NAME_CELLS)
        indent = 1 + key_cells + name_cells + 2 * len(GAP)
        has_room = width - indent - 1 >= LEAST_CELLS
        indent = indent if has_room else 3
        self._lines = []
        place = ""
        for row in self._rows:
            if row.where != place:
                title = [Piece(f" {row.where}", "title")]
                self._lines += [[], title] if place else [title]
                place = row.where
            head = [
                Piece(f" {fit(row.keys, key_cells)}{GAP}", "accent"),
                Piece(f"{fit(row.name, name_cells)}{GAP}"),
            ]
            said = [Piece(text, "muted") for text in wrapped(row.what, width - indent - 1)]
            # Where there is no room beside its name, what a key does stands below that.
            self._lines.append([*head, *(said[:1] if has_room else ())])
            blank = Piece(" " * indent)
            self._lines += [[blank, text] for text in said[1 if has_room else 0 :]]

    @property
    def line_count(self) -> int:
        return len(self._lines)

    def line(self, index: int, width: int) -> Line:
        return self._lines[index]


class KeysScreen(Dialog[None]):
    """Shows the keys of the screen under it."""

    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "KeyRows"
    gives_way = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Close", key_display="Esc",
                id="keys.close", tooltip="Back to where you were"),
    ]  # fmt: skip

    def __init__(self, bindings: Iterable[ActiveBinding]) -> None:
        super().__init__()
        self._rows = key_rows(bindings)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Keys"
            yield KeyRows(self._rows)
            yield KeyLine()
