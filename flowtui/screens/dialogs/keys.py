"""The modal that lists the keys of the present screen, as the bindings declare them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical
from textual.dom import DOMNode
from textual.keys import format_key
from textual.screen import Screen

from flowtui.screens.dialog import Dialog
from flowtui.widgets.cells import Line, Piece, fit
from flowtui.widgets.frame.declared import as_declared
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.paint import ROLE_CLASSES

KEY_CELLS = 18
NAME_CELLS = 16


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
        self._lines: list[KeyRow | str] = []
        place = ""
        for row in rows:
            if row.where != place:
                self._lines += ["", row.where] if place else [row.where]
                place = row.where
            self._lines.append(row)

    def on_mount(self) -> None:
        self.resize_content()

    @property
    def line_count(self) -> int:
        return len(self._lines)

    def line(self, index: int, width: int) -> Line:
        row = self._lines[index]
        if isinstance(row, str):
            return [Piece(f" {row}", "title")]
        return [
            Piece(f" {fit(row.keys, KEY_CELLS)}", "accent"),
            Piece(fit(row.name, NAME_CELLS)),
            Piece(row.what, "muted"),
        ]


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
