"""The name field of the annotation form, with completion from the names in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from flowtui import format as fmt
from flowtui.store.annotations.values import AnnotationName
from flowtui.widgets.cells import Line, Piece, Role, clipped
from flowtui.widgets.frame.frame import OneLine

NAME_CHARACTERS = 200
TYPE_WORDS = {"string": "text", "int": "integer", "bool": "boolean"}


class _NameSuggester(Suggester):
    """Suggests the rest of a name in use."""

    def __init__(self, field: NameField) -> None:
        super().__init__(use_cache=False)
        self._field = field

    async def get_suggestion(self, value: str) -> str | None:
        completion = self._field.completion
        return None if completion is None else completion.name


class _NameInput(Input):
    """The input of the field, with keys that take and pick names in use."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "tab",
            "take",
            "Take name",
            key_display="Tab",
            id="name.take",
            tooltip="Take the suggested name",
        ),
        Binding(
            "down",
            "pick(1)",
            "Names",
            key_display="↓",
            id="name.next",
            tooltip="To the names in use",
        ),
        Binding(
            "up",
            "pick(-1)",
            "Back",
            show=False,
            id="name.previous",
            tooltip="Back through the names in use",
        ),
    ]

    def __init__(self, field: NameField) -> None:
        super().__init__(
            placeholder="type, or ↓ for one in use",
            suggester=_NameSuggester(field),
            select_on_focus=False,
            compact=True,
            id="name",
        )
        self._field = field

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # If there is no name to take, Tab goes to the next field.
        if action == "take":
            return self._field.completion is not None
        return action != "pick" or self._field.has_matches

    def action_take(self) -> None:
        self._field.take()

    def action_pick(self, by: int) -> None:
        self._field.pick(by)

    def action_cursor_right(self, select: bool = False) -> None:
        is_at_end = self.cursor_position >= len(self.value)
        if is_at_end and not select and self._field.completion is not None:
            self._field.take()
        else:
            super().action_cursor_right(select)


class NameField(Vertical):
    """An input, and below it the names in use that match what is typed.

    Tab and the right arrow take the suggested name. The down arrow goes through the matching
    names, and Enter takes the marked one. Posts `Taken` when a name is taken, and `Done` if Enter
    is pressed while no name is marked.
    """

    @dataclass
    class Taken(Message):
        """Sent by NameField when a name in use is taken."""

        name: AnnotationName

    @dataclass
    class Done(Message):
        """Sent by NameField on Enter when no name is marked: the typed name is complete."""

    def __init__(self) -> None:
        super().__init__()
        self._names: Sequence[AnnotationName] = ()
        self._matches: Sequence[AnnotationName] = ()
        self._picked: int | None = None

    def compose(self) -> ComposeResult:
        yield _NameInput(self)
        yield OneLine(id="names")

    @property
    def text(self) -> str:
        return self.query_one(Input).value

    @property
    def has_matches(self) -> bool:
        return bool(self._matches)

    @property
    def completion(self) -> AnnotationName | None:
        """The name to take: the marked one, or the first that begins with the typed text."""
        if self._picked is not None:
            return self._matches[self._picked]
        typed = self.text
        if not typed or any(one.name == typed for one in self._matches):
            return None
        # The case must be the same, because the input shows only the rest of the name.
        return next((one for one in self._matches if one.name.startswith(typed)), None)

    def show_names(self, names: Sequence[AnnotationName]) -> None:
        """Offer these names, in this order."""
        # A name that cannot be shown exactly is not offered: taking it would change it.
        shown = [one for one in names if fmt.plain(one.name, NAME_CHARACTERS) == one.name]
        self._names = [one for one in shown if one.name.strip()]
        self._narrow()

    def take(self) -> None:
        """Take the marked or suggested name."""
        name = self.completion
        if name is not None:
            field = self.query_one(Input)
            with field.prevent(Input.Changed):
                field.value = name.name
            field.action_end()
            self._narrow()
            self.post_message(self.Taken(name))

    def pick(self, by: int) -> None:
        """Move the mark by a number of names; moved before the first, it marks no name."""
        held = -1 if self._picked is None else self._picked
        picked = min(held + by, len(self._matches) - 1)
        self._picked = picked if picked >= 0 else None
        self._fill()

    @on(Input.Changed)
    def _narrow(self) -> None:
        self._picked = None
        typed = self.text.casefold()
        begun = [one for one in self._names if one.name.casefold().startswith(typed)]
        within = [one for one in self._names if typed in one.name.casefold() and one not in begun]
        self._matches = [*begun, *within]
        self._fill()

    @on(Input.Submitted)
    def _enter(self, event: Input.Submitted) -> None:
        event.stop()
        if self._picked is not None:
            self.take()
        else:
            self.post_message(self.Done())

    def on_resize(self) -> None:
        self._fill()

    def _fill(self) -> None:
        line = self.query_one("#names", OneLine)
        line.show(self._line(max(line.size.width, 1)))
        self.query_one(Input).refresh_bindings()

    def _line(self, width: int) -> Line:
        if self._names and not self._matches:
            return [Piece("a new name", "muted")]
        # The marked name stays in sight, however many stand before it.
        first = max((self._picked or 0) - 1, 0)
        pieces: list[Piece] = [Piece("… ", "muted")] if first else []
        for index, one in enumerate(self._matches[first:], start=first):
            role: Role = "accent" if index == self._picked else "muted"
            is_twice = sum(other.name == one.name for other in self._names) > 1
            word = f" ({TYPE_WORDS.get(one.value_type, one.value_type)})" if is_twice else ""
            pieces += [Piece(one.name + word, role), Piece(" · ", "muted")]
            if sum(cell_len(piece.text) for piece in pieces) > width:
                break
        return clipped(pieces[:-1] if pieces else pieces, width)
