"""The keys that work where one is, as the bindings say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen

from flowtui.widgets.cells import Line, Piece, fit
from flowtui.widgets.frame import KeyLine
from flowtui.widgets.lines import Lines

KEY_CELLS = 18
NAME_CELLS = 18


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One action and the keys that start it."""

    keys: str
    name: str
    what: str
    where: str


def key_rows(bindings: Iterable[ActiveBinding]) -> list[KeyRow]:
    """Return a row an action, in the order of the places that answer to the keys."""
    grouped: dict[tuple[str, str], list[ActiveBinding]] = {}
    for active in bindings:
        if active.binding.description and not active.binding.system:
            grouped.setdefault((_where(active.node), active.binding.action), []).append(active)
    return [
        KeyRow(
            keys="  ".join(dict.fromkeys(_key(active) for active in actives)),
            name=actives[0].binding.description,
            what=actives[0].binding.tooltip or actives[0].binding.description,
            where=where,
        )
        for (where, _action), actives in grouped.items()
    ]


def _key(active: ActiveBinding) -> str:
    shown = active.node.app.get_key_display(active.binding)
    return {"down": "↓", "up": "↑", "left": "←", "right": "→"}.get(shown, shown)


def _where(node: DOMNode) -> str:
    if node is node.app:
        return "everywhere"
    return "on this screen" if isinstance(node, Screen) else "in the focused pane"


class KeyRows(Lines):
    """Shows key rows under the name of the place where they work."""

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


class KeysScreen(ModalScreen[None]):
    """Shows the keys of the screen under it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Close", key_display="Esc",
                tooltip="Back to where you were"),
    ]  # fmt: skip

    def __init__(self, bindings: Iterable[ActiveBinding]) -> None:
        super().__init__()
        self._rows = key_rows(bindings)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Keys"
            yield KeyRows(self._rows)
            yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(KeyRows).focus()
