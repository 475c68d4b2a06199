"""The fields of the annotation form: a choice of words, a text, and a text that is only shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Label, TextArea

from flowtui import format as fmt
from flowtui.widgets.cells import Piece, Role
from flowtui.widgets.frame.frame import OneLine

EDITABLE_CHARACTERS = 100_000
"""How long a text may be to be edited."""


@dataclass(frozen=True, slots=True)
class Option:
    """One of the options of a `OneOf`."""

    key: str
    label: str
    letters: str
    """The letters whose keys choose it."""
    role: Role = "text"


class OneOf(OneLine, can_focus=True):
    """Shows a few options, of which one is chosen. Posts `Changed` when another one is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space,right",
            "shift(1)",
            "Change",
            key_display="Space",
            id="field.next_value",
            tooltip="Choose the next one",
        ),
        Binding(
            "left",
            "shift(-1)",
            "Change back",
            show=False,
            id="field.previous_value",
            tooltip="Choose the previous one",
        ),
    ]

    chosen: reactive[str] = reactive("", init=False, repaint=False)

    @dataclass
    class Changed(Message):
        """Sent by OneOf when another option is chosen."""

        one_of: OneOf
        key: str

        @property
        def control(self) -> OneOf:
            return self.one_of

    def __init__(self, options: Sequence[Option], chosen: str, *, id: str) -> None:
        super().__init__(id=id)
        self._options = options
        self.set_reactive(OneOf.chosen, chosen)

    def on_mount(self) -> None:
        self._fill()

    def on_focus(self) -> None:
        self._fill()

    def on_blur(self) -> None:
        self._fill()

    def watch_chosen(self, chosen: str) -> None:
        self._fill()
        self.post_message(self.Changed(self, chosen))

    def _fill(self) -> None:
        pieces: list[Piece] = []
        for option in self._options:
            is_chosen = option.key == self.chosen
            mark: Role = "accent" if is_chosen and self.has_focus else "muted"
            label: Role = option.role if is_chosen else "muted"
            pieces += [
                Piece("    " if pieces else ""),
                Piece("(•) " if is_chosen else "( ) ", mark),
                Piece(option.label, label),
            ]
        self.show(pieces)

    def action_shift(self, by: int) -> None:
        keys = [option.key for option in self._options]
        self.chosen = keys[(keys.index(self.chosen) + by) % len(keys)]

    def on_key(self, event: events.Key) -> None:
        for option in self._options:
            if event.character is not None and event.character.lower() in option.letters:
                event.stop()
                self.chosen = option.key

    def on_click(self, event: events.Click) -> None:
        end = 0
        for option in self._options:
            end += len("(•) ") + cell_len(option.label) + 4
            if event.x < end:
                self.chosen = option.key
                return


def fixed(text: str) -> Label:
    """Return a text that is only shown."""
    return Label(fmt.plain(text, 200), markup=False, classes="fixed")


def area(text: str, id: str) -> TextArea:
    """Return a field for several lines, read-only if its text cannot be edited here."""
    is_editable = can_be_edited(text)
    shown = text if is_editable else "\n".join(fmt.plain_lines(text))
    made = TextArea(
        shown,
        id=id,
        compact=True,
        soft_wrap=True,
        tab_behavior="focus",
        show_line_numbers=False,
        highlight_cursor_line=False,
        read_only=not is_editable,
    )
    made.move_cursor(made.document.end)
    if not is_editable:
        made.tooltip = "This text cannot be shown exactly, so it cannot be edited here."
    return made


def can_be_edited(text: str) -> bool:
    """Return whether an input can show a text exactly, so that editing keeps what is not typed."""
    lines = text.replace("\t", " ").split("\n")
    is_safe = all(fmt.plain(line, EDITABLE_CHARACTERS) == line for line in lines)
    return len(text) <= EDITABLE_CHARACTERS and is_safe
