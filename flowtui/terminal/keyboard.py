"""Parses what a terminal sends (keys, mouse, pastes, answers), however late and glued together.

After a link was stuck, keys arrive all at once. Textual alone would then take Esc and the key after
it for one key with Alt, and would type answers to another program's queries as if they were keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Protocol, runtime_checkable

from textual import constants, events
from textual.message import Message

from flowtui.terminal.textual_private import InternalParser

PARTIAL_TIMEOUT_S = 1.0
"""How long the rest of an incomplete report or answer may take to arrive."""
WORD_KEYS = "bdf\x08\x7f"
"""Keys that move or delete by words in a field when typed with Alt."""
_PASTE_ENDS = "\x1b[201~"
_PIECE = re.compile(
    r"(?P<paste>\x1b\[200~)"
    # Device, keyboard, cursor, colours: flow-tui asks for none of them, but the program that ran
    # before it may have.
    r"|(?P<unasked>\x1b\[(?:[?>=][\d;]*[a-zA-Z]|[\d;]+[cnx])"
    r"|\x1b\]\d+;[^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[\d>!$+][^\x07\x1b]*\x1b\\)"
    r"|(?P<known>\x1b\[M[\s\S]{3}|\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[ -~])"
    r"|(?P<partial>\x1b(?:\[[0-?]*[ -/]*|\[M[\s\S]{0,2}|O|\]\d+;[^\x07\x1b]*\x1b?"
    r"|P[\d>!$+][^\x07\x1b]*\x1b?)?\Z)"
    r"|\x1b(?P<after>.)"
    r"|(?P<text>[^\x1b]+)",
    re.DOTALL,
)
_TYPED = ("\x1b", "\x1b[", "\x1bO")
"""Beginnings of sequences that a person may also have typed, if nothing more comes."""


@runtime_checkable
class TakesText(Protocol):
    """Textual's Input and TextArea, recognised without importing either, for a faster start."""

    cursor_blink: bool


class Keyboard(InternalParser):
    """Textual's parser, given only whole sequences that have one meaning."""

    def __init__(self, is_typing: Callable[[], bool]) -> None:
        """Take a function that says whether the widget with the focus takes text."""
        super().__init__()
        self._is_typing = is_typing
        self._held = ""
        """The part of an incomplete sequence that has come."""
        self._held_since_s = 0.0
        self._pasted: str | None = None
        """The part of an unfinished paste that has come."""

    @property
    def is_waiting(self) -> bool:
        """Whether the meaning of the last characters depends on what comes next, if anything."""
        return bool(self._held)

    def feed(self, data: str) -> Iterator[Message]:
        """Yield what more characters mean; an empty text ends the input."""
        if not data:
            yield from super().feed("")
            return
        data, self._held = self._held + data, ""
        place = 0
        while place < len(data):
            if self._pasted is not None:
                place = self._paste_on(data, place)
                if self._pasted is not None and place < len(data):
                    yield events.Paste(self._pasted.replace("\x00", ""))
                    self._pasted = None
                    place += len(_PASTE_ENDS)
                continue
            piece = _PIECE.match(data, place)
            assert piece is not None
            place = piece.end()
            if piece["paste"]:
                self._pasted = ""
            elif piece["partial"]:
                self._held, self._held_since_s = piece["partial"], monotonic()
            elif after := piece["after"]:
                if after in WORD_KEYS and self._is_typing():
                    yield from super().feed(piece[0])
                else:
                    yield _escape()
                    place -= len(after)
            elif piece["known"]:
                yield from self._sequence(piece["known"])
            elif piece["text"]:
                yield from super().feed(piece["text"])

    def tick(self) -> Iterator[Message]:
        """Yield what held characters mean now that nothing has come for a while."""
        if self._pasted is not None:
            return
        waited_s = monotonic() - self._held_since_s
        if self._held in _TYPED and waited_s >= constants.ESCAPE_DELAY:
            rest, self._held = self._held[1:], ""
            yield _escape()
            if rest:
                yield from super().feed(rest)
        elif waited_s >= PARTIAL_TIMEOUT_S:
            self._held = ""
        yield from super().tick()

    def _sequence(self, sequence: str) -> Iterator[Message]:
        """Yield what a whole sequence means; drop an unknown one, which Textual would type."""
        yield from super().feed(sequence)
        # The Linux console's function keys have one character after this sequence.
        if not self.has_begun_sequence or sequence == "\x1b[[":
            return
        self.end_sequence()
        typed = list(super().tick())
        if len(sequence) == len("\x1b[x"):
            yield _escape()
            yield from typed

    def _paste_on(self, data: str, place: int) -> int:
        """Take the text of a paste; return where its end marker begins, or the data's length."""
        assert self._pasted is not None
        end = data.find(_PASTE_ENDS, place)
        if end >= 0:
            self._pasted += data[place:end]
            return end
        cut = next(n for n in range(len(_PASTE_ENDS) - 1, -1, -1)
                   if data.endswith(_PASTE_ENDS[:n], place))  # fmt: skip
        self._pasted += data[place : len(data) - cut]
        self._held, self._held_since_s = data[len(data) - cut :], monotonic()
        return len(data)


def _escape() -> events.Key:
    return events.Key("escape", "\x1b")
