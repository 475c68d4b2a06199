"""One record in full: a document of foldable sections, laid out once and drawn as far as seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from flowtui.widgets.cells import Line
from flowtui.widgets.documents.blocks import Section, copied
from flowtui.widgets.documents.layout import laid_out
from flowtui.widgets.documents.runs import (
    GROWTH,
    SHOWN_CHARS,
    SHOWN_ITEMS,
    Folds,
    Key,
    RunLayout,
    Spot,
)  # fmt: skip
from flowtui.widgets.documents.search import Match, line_of, marked, matches, pattern_of
from flowtui.widgets.lists.virtual_list import VirtualList, width_beside_bar

MIN_CELLS = 20
MAX_SKIPPED = 1_000
"""How many further matches on the same line one step of a search skips."""


class Document(VirtualList):
    """Shows sections; folds last from one document to the next, cursor and scroll for one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "right,l",
            "unfold",
            "Unfold",
            show=False,
            id="move.right",
            tooltip="Unfold it, or show more of it",
        ),
        Binding(
            "left,h",
            "fold",
            "Fold",
            show=False,
            id="move.left",
            tooltip="Fold it, or go to what contains it",
        ),
        Binding(
            "z",
            "fold_all",
            "Fold all",
            show=False,
            id="document.fold_all",
            tooltip="Fold or unfold all sections",
        ),
    ]

    @dataclass
    class Followed(Message):
        """Sent by a document when a link is followed with Enter."""

        document: Document
        target: object

        @property
        def control(self) -> Document:
            return self.document

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._identity: object = None
        self._sections: tuple[Section, ...] = ()
        self._folds = Folds()
        self._laid = RunLayout(())
        self._laid_width = 0
        self._pattern: re.Pattern[str] | None = None
        self._matches: list[Match] = []
        self._match = -1

    def show(self, identity: object, sections: Sequence[Section]) -> None:
        """Show sections; cursor and scroll stay if the identity does.

        Args:
            identity: Identifies the record.
            sections: At least one section; each has a key of its own.
        """
        shown = tuple(sections)
        is_same = identity == self._identity and bool(self._sections)
        if is_same and shown == self._sections:
            return
        self._identity, self._sections = identity, shown
        if is_same:
            self._lay_out(self._held())
            self._matches = [] if self._pattern is None else matches(shown, self._pattern)
            self._match = min(self._match, len(self._matches) - 1)
            return
        self._folds.shown.clear()
        self._pattern, self._matches, self._match = None, [], -1
        self._lay_out(None)
        self.scroll_to(y=0, animate=False, force=True, immediate=True)

    def go_to_section(self, key: str) -> None:
        """Put the first line of a section at the top, with the cursor on it, if there is one."""
        if (line := self._laid.first_line(key)) is not None:
            self.scroll_to(y=line, animate=False, force=True, immediate=True)
            self.cursor = line

    def show_note(self, text: str) -> None:
        """Show a sentence in place of sections, which says why there are none."""
        self._identity, self._sections = None, ()
        self._laid = RunLayout(())
        self._pattern, self._matches, self._match = None, [], -1
        self.set_reactive(VirtualList.cursor, 0)
        self.resize_content(text)

    @property
    def copy_text(self) -> str:
        """The whole text under the cursor: a message, a value as JSON, or a section."""
        spot = self._spot
        return "" if spot is None else copied(spot.content)

    @property
    def section_key(self) -> str | None:
        """The key of the section that the cursor is in."""
        return None if self._spot is None else str(self._spot.key[0])

    @property
    def source(self) -> str | None:
        """The attribute that holds what is under the cursor, if there is one."""
        return None if self._spot is None else self._spot.source

    # Search ----------------------------------------------------------------------------------

    def find(self, needle: str) -> int:
        """Mark a text wherever it occurs, in any case; an empty text marks nothing.

        Returns:
            How often it occurs in the whole document, folded parts included.
        """
        self._pattern = pattern_of(needle) if needle else None
        self._matches = [] if self._pattern is None else matches(self._sections, self._pattern)
        self._match = -1
        self.refresh()
        return len(self._matches)

    def find_next(self, direction: int = 1) -> int | None:
        """Go to the next or previous line with a match, and wrap around at the ends.

        Returns:
            The number of the match, from 0; None if there is none.
        """
        count = len(self._matches)
        at = -1 if self._match < 0 and direction > 0 else max(self._match, 0)
        for _ in range(min(count, MAX_SKIPPED)):
            at = (at + direction) % count
            is_first, self._match = self._match < 0, at
            line = self._revealed(self._matches[at])
            if line is not None and (line != self.cursor or is_first):
                self.cursor = line
                break
        return self._match if count else None

    def _revealed(self, match: Match) -> int | None:
        """Unfold what hides a match, and return its line."""
        folds = self._folds
        hidden = [key for key in match.opens if folds.are_open.get(key) is not True]
        folds.are_open.update(dict.fromkeys(hidden, True))
        has_grown = [self._grown(key, size, key == match.key) for key, size in match.grows]
        if hidden or any(has_grown):
            self._lay_out(self._held())
        for _, run in self._laid.placed(match.key):
            if match.text is not None and run.spot.is_open is False:
                folds.are_open[match.key] = True
                self._lay_out(self._held())
                break
        return line_of(self._laid, match)

    def _grown(self, key: Key, size: int, is_text: bool) -> bool:
        at_first = SHOWN_CHARS if is_text else SHOWN_ITEMS
        shown = self._folds.shown.get(key)
        if size <= (shown or 0):
            return False
        needed = at_first
        while needed < size:
            needed *= GROWTH
        self._folds.shown[key] = needed
        return True

    # Lines -----------------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        return self._laid.line_count

    def line(self, index: int, width: int) -> Line:
        run, at = self._laid.at(index)
        line, pattern = run.line(at), self._pattern
        if pattern is None:
            return line
        return [part for piece in line for part in marked(piece, pattern)]

    def on_resize(self) -> None:
        if self._sections and self._laid_width != self._text_width:
            self._lay_out(self._held())

    @property
    def _text_width(self) -> int:
        return max(width_beside_bar(self), MIN_CELLS)

    @property
    def _spot(self) -> Spot | None:
        if self.cursor >= self.line_count:
            return None
        return self._laid.at(self.cursor)[0].spot

    def _held(self) -> tuple[Key, int] | None:
        """Return the key of what the cursor is on, and on which of its lines."""
        spot = self._spot
        if spot is None:
            return None
        first, _ = next(self._laid.placed(spot.key))
        return spot.key, self.cursor - first

    def _lay_out(self, held: tuple[Key, int] | None) -> None:
        """Lay everything out, and keep the cursor on what it was on and at its place on screen."""
        self._laid_width = self._text_width
        self._laid = laid_out(self._sections, self._laid_width, self._folds)
        below_top = self.cursor - round(self.scroll_y)
        cursor = 0
        if held is not None:
            key, down = held
            placed = list(self._laid.placed(key))
            cursor = self.cursor
            if placed:
                last = placed[-1][0] + len(placed[-1][1].lines) - 1
                cursor = min(placed[0][0] + down, last)
        self.set_reactive(VirtualList.cursor, self.validate_cursor(cursor))
        self.resize_content()
        if held is not None:
            top = max(self.cursor - below_top, 0)
            self.scroll_to(y=top, animate=False, force=True, immediate=True)
            self.keep_cursor_in_sight()

    # Folds -----------------------------------------------------------------------------------

    def action_choose(self) -> None:
        spot = self._spot
        if spot is not None and spot.target is not None:
            self.post_message(self.Followed(self, spot.target))
        elif spot is not None and spot.grows_to is not None:
            self._grow(spot)
        elif spot is not None and spot.is_open is not None:
            self._set_open(spot.key, not spot.is_open)
        else:
            super().action_choose()

    def action_unfold(self) -> None:
        spot = self._spot
        if spot is None:
            return
        if spot.grows_to is not None:
            self._grow(spot)
        elif spot.is_open is False:
            self._set_open(spot.key, True)

    def action_fold(self) -> None:
        spot = self._spot
        if spot is None:
            return
        if spot.is_open:
            self._set_open(spot.key, False)
        elif self._folds.shown.pop(spot.key, None) is not None:
            self._lay_out((spot.key, 0))
        else:
            self._go_up(spot.key)

    def action_fold_all(self) -> None:
        titled = [section for section in self._sections if section.title]
        are_open = [self._stands_open(section) for section in titled]
        self._folds.are_open.update({(section.key,): not any(are_open) for section in titled})
        spot = self._spot
        self._lay_out(self._held() if spot is None or not any(are_open) else (spot.key[:1], 0))

    def _stands_open(self, section: Section) -> bool:
        return self._folds.are_open.get((section.key,), not section.is_folded)

    def _grow(self, spot: Spot) -> None:
        if spot.grows_to is None:
            return
        self._folds.shown[spot.key] = spot.grows_to
        # The cursor stays on its line, where the new text begins.
        self._lay_out(self._held())

    def _set_open(self, key: Key, is_open: bool) -> None:
        self._folds.are_open[key] = is_open
        self._lay_out(self._held() if is_open else (key, 0))

    def _go_up(self, key: Key) -> None:
        for length in range(len(key) - 1, 0, -1):
            found = next(self._laid.placed(key[:length]), None)
            if found is not None:
                self.cursor = found[0]
                return
