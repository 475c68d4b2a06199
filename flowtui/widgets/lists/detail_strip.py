"""The strip below a list, which shows in full width what the cursor is on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.widgets import remembered
from flowtui.widgets.asking import Asks
from flowtui.widgets.cells import Line, Piece, Role, fit, wrapped
from flowtui.widgets.paint import RoleStyles

KEY = "strip"
OPEN_FROM_LINES = 36
"""From how many lines of the screen on it is open, if nobody has opened or closed it."""
LINES = 7
"""Its height without the rule above it, where the screen has room for that."""
REST_S = 0.15
"""How long the cursor rests on a row before the strip is about it."""
LABEL_CELLS = 11


@dataclass(frozen=True, slots=True)
class StripPart:
    """What the strip says about one thing, with a label before it."""

    label: str
    text: str
    """Safe to show; it is wrapped, and cut where there is no room."""
    role: Role = "text"


Question = Callable[[], Sequence[StripPart]]
"""What is asked in a thread about the row under the cursor."""


class DetailStrip(Asks, Widget):
    """Shows parts about the row under the cursor, in as many lines whatever there is to say.

    Its owner calls `look` when the cursor has moved or the row was read, `allow` to hide it where
    there is no list, and `settle` when the size of the screen has changed.
    """

    DEFAULT_CSS = "DetailStrip { height: 8; border-top: solid $panel; }"

    def __init__(self, question: Callable[[], Question | None]) -> None:
        """Take a function that is called after a rest, and says what to ask; None for nothing."""
        super().__init__(id="strip")
        self._question = question
        self._parts: Sequence[StripPart] = ()
        self._palette = RoleStyles(self)
        self._timer: Timer | None = None
        self._is_allowed = True

    def on_mount(self) -> None:
        self.settle()

    @property
    def is_open(self) -> bool:
        """Whether it is open, as it was last left or as there is room."""
        kept = remembered.get(KEY)
        return kept if isinstance(kept, bool) else self.app.size.height >= OPEN_FROM_LINES

    def toggle(self) -> None:
        """Open it, or close it; remembered for all lists."""
        remembered.put(KEY, not self.is_open)
        self.settle()

    def allow(self, is_allowed: bool) -> None:
        """Show it if it is open, or hide it because there is no list."""
        self._is_allowed = is_allowed
        self.settle()

    def settle(self) -> None:
        """Take the height that there is room for, or none."""
        self.styles.height = min(LINES, max(self.app.size.height // 4, 2)) + 1
        was_shown, self.display = self.display, self._is_allowed and self.is_open
        if self.display and not was_shown:
            self.look()

    def look(self) -> None:
        """Read after a short rest what the cursor is on now."""
        if self._timer is not None:
            self._timer.stop()
        if self.display:
            self._timer = self.set_timer(REST_S, self._read)

    def _read(self) -> None:
        question = self._question() if self.display else None
        if question is None:
            self.show(())
        else:
            self.ask(question, self.show, self._show_failure, group="strip")

    def _show_failure(self, reason: str) -> None:
        self.show([StripPart("", f"✗ {fmt.plain(reason)}", "error")])

    def show(self, parts: Sequence[StripPart]) -> None:
        """Show these parts in the place of the present ones."""
        if parts != self._parts:
            self._parts = parts
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        lines = strip_lines(self._parts, width, height)
        return self._palette.strip(lines[y] if y < len(lines) else [], width)

    def notify_style_update(self) -> None:
        self._palette.clear()
        super().notify_style_update()


def strip_lines(parts: Sequence[StripPart], width: int, height: int) -> list[Line]:
    """Return the lines of parts: one for each, and what room is left for those that come first."""
    room = max(width - LABEL_CELLS - 1, 10)
    texts = [wrapped(part.text, room) for part in parts[:height]]
    shares = [1] * len(texts)
    left = height - len(texts)
    # In turns: a long question must not take the room of its answer.
    while left > 0 and any(share < len(text) for share, text in zip(shares, texts, strict=True)):
        for at, text in enumerate(texts):
            if left > 0 and shares[at] < len(text):
                shares[at] += 1
                left -= 1
    found: list[Line] = []
    for part, text, share in zip(parts, texts, shares, strict=False):
        for at, line in enumerate(text[:share]):
            label = fit(f" {part.label}" if at == 0 else "", LABEL_CELLS)
            is_cut = at == share - 1 and len(text) > share
            shown = fit(f"{line}…", room).rstrip() if is_cut else line
            found.append([Piece(label, "muted"), Piece(shown, part.role)])
    return found
