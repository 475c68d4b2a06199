"""Parses what a terminal sends (keys, mouse, pastes, answers), however late and glued together.

After a link was stuck, keys arrive all at once. Textual alone would then take Esc and the key after
it for one key with Alt, and would type answers to another program's queries as if they were keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import inf
from time import monotonic
from typing import Protocol, runtime_checkable

from textual import constants, events
from textual.message import Message

from flowtui.terminal.textual_private import InternalParser

PARTIAL_TIMEOUT_S = 1.0
"""How long the rest of an incomplete report or answer may take to arrive."""
WORD_KEYS = "bdf\x08\x7f"
"""Keys that move or delete by words in a field when typed with Alt."""
PASTE_PAUSE_S = 3.0
"""After how long without more of a paste it is given up, because the link has lost its end."""
_KEY_PAUSE_S = 0.3
"""After such a pause, a chunk no longer than a key may be a key and no part of a paste."""
_KEY_CHARACTERS = 8
_REST_S = 60.0
"""How long the rest of a paste that was given up may still come."""
_PASTE_BEGINS, _PASTE_ENDS = "\x1b[200~", "\x1b[201~"
_CTRL_C = "\x03"
_PIECE = re.compile(
    r"(?P<paste>\x1b\[200~)"
    # Device, keyboard, cursor, colours: flow-tui asks for none of them, but the program that ran
    # before it may have.
    r"|(?P<unasked>\x1b\[(?:[?>=][\d;]*[a-zA-Z]|[\d;]+[cnx])"
    r"|\x1b\]\d+;[^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[\d>!$+][^\x07\x1b]*\x1b\\)"
    r"|\x1b_G(?P<graphics>[^\x07\x1b]*)\x1b\\"
    r"|(?P<known>\x1b\[M[\s\S]{3}|\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[ -~])"
    r"|(?P<partial>\x1b(?:\[[0-?]*[ -/]*|\[M[\s\S]{0,2}|O|\]\d+;[^\x07\x1b]*\x1b?"
    r"|P[\d>!$+][^\x07\x1b]*\x1b?|_(?:G[^\x07\x1b]*\x1b?)?)?\Z)"
    r"|\x1b(?P<after>.)"
    r"|(?P<text>[^\x1b]+)",
    re.DOTALL,
)
_TYPED = ("\x1b", "\x1b[", "\x1bO", "\x1b_")
"""Beginnings of sequences that a person may also have typed, if nothing more comes."""


class GraphicsAnswered(Message):
    """Sent by a terminal that has kitty's graphics protocol, and was asked for a part of it."""

    def __init__(self, answer: str) -> None:
        super().__init__()
        self.has_it = answer.rpartition(";")[2] == "OK"


@runtime_checkable
class TakesText(Protocol):
    """Textual's Input and TextArea, recognised without importing either, for a faster start."""

    cursor_blink: bool


@runtime_checkable
class TakesKeys(Protocol):
    """A screen that hands keys on to another program."""

    def take_key(self, event: events.Key) -> bool:
        """Take a key before any binding does, and say whether it was taken."""
        ...


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
        self._came_at_s = 0.0
        """When anything last came since that paste began."""
        self._pasted_at_s = 0.0
        """When something last came that surely belonged to it."""
        self._given_up_at_s = -inf
        """When the last paste was given up whose end never came."""

    @property
    def is_waiting(self) -> bool:
        """Whether the meaning of the last characters depends on what comes next, if anything."""
        return bool(self._held)

    def feed(self, data: str) -> Iterator[Message]:
        """Yield what more characters mean; an empty text ends the input."""
        if not data:
            yield from super().feed("")
            return
        if self._pasted is not None:
            self._note_pasted(data)
        held, self._held = self._held, ""
        data = held + data
        if self._pasted is None:
            data = self._without_rest(data)
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
                self._came_at_s = self._pasted_at_s = monotonic()
            elif piece["partial"]:
                self._held = piece["partial"]
                # What is typed meanwhile must not keep half an answer alive.
                if piece.start() > 0 or held in ("", *_TYPED):
                    self._held_since_s = monotonic()
            elif piece["graphics"] is not None:
                yield GraphicsAnswered(piece["graphics"])
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
            if monotonic() - self._pasted_at_s >= PASTE_PAUSE_S:
                self._give_up_paste()
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

    def _note_pasted(self, data: str) -> None:
        """Note that a paste goes on, unless what came looks like a key of somebody who waits."""
        paused_s = monotonic() - self._came_at_s
        self._came_at_s = monotonic()
        if paused_s < _KEY_PAUSE_S or len(data) > _KEY_CHARACTERS:
            self._pasted_at_s = self._came_at_s
        elif data == _CTRL_C:
            self._give_up_paste()

    def _without_rest(self, data: str) -> str:
        """Return what came without the rest of a paste that was given up, or lost its beginning.

        Half a paste is no text that anybody meant, and must not act as keys.
        """
        before, end, after = data.partition(_PASTE_ENDS)
        if end and _PASTE_BEGINS not in before:
            self._given_up_at_s = -inf
            return after
        is_due = monotonic() - self._given_up_at_s < _REST_S
        is_rest = is_due and len(data) > _KEY_CHARACTERS and not data.startswith("\x1b")
        return "" if is_rest else data

    def _give_up_paste(self) -> None:
        self._pasted, self._held = None, ""
        self._given_up_at_s = monotonic()

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
