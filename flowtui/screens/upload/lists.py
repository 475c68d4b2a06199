"""A list that typed letters narrow. The entry under its cursor is the chosen one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from flowtui import format as fmt
from flowtui.widgets.cells import Line, Piece, Role, clipped, width_of
from flowtui.widgets.lists.virtual_list import VirtualList

TITLE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class PlaceEntry:
    """An organization, orbit or collection in a list."""

    id: str
    title: str
    note: str = ""
    why_not: str = ""
    """Why it cannot be chosen; empty if it can be."""


class PickList(VirtualList, inherit_bindings=False):
    """Shows entries under a title. Posts `Picked` whenever the chosen entry changes.

    Typed letters narrow the list to the entries that contain them. The title shows the letters.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Move", key_display="↑↓", id="pick.down",
                tooltip="To the next one"),
        Binding("up", "move(-1)", "Up", show=False, id="pick.up", tooltip="To the one above"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="pick.page_down",
                tooltip="One page on"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="pick.page_up",
                tooltip="One page back"),
        Binding("home", "move_to_end(False)", "Top", show=False, id="pick.first",
                tooltip="To the first one"),
        Binding("end", "move_to_end(True)", "Bottom", show=False, id="pick.last",
                tooltip="To the last one"),
        Binding("enter,right", "app.focus_next", "Next", key_display="Enter",
                id="pick.next_list", tooltip="Take this one and go on"),
        Binding("left", "app.focus_previous", "Back", show=False, id="pick.previous_list",
                tooltip="To the previous list"),
        Binding("escape", "widen", "All", key_display="Esc", id="pick.widen",
                tooltip="Show all of them again"),
        Binding("backspace", "shorten", "Delete", show=False, id="pick.shorten",
                tooltip="Delete the last letter"),
    ]  # fmt: skip

    @dataclass
    class Picked(Message):
        """Sent by PickList when another entry is chosen, or when none is chosen any more."""

        pick_list: PickList

        @property
        def control(self) -> PickList:
            return self.pick_list

    @dataclass
    class Narrowed(Message):
        """Sent by PickList when the letters that narrow it have changed."""

        pick_list: PickList

        @property
        def control(self) -> PickList:
            return self.pick_list

    def __init__(self, title: str, *, id: str) -> None:
        super().__init__(id=id)
        self._title = title
        self._entries: Sequence[PlaceEntry] = ()
        self._shown: Sequence[PlaceEntry] = ()
        self._wanted = ""
        """The id of the entry to choose as soon as it is among the entries."""
        self._known: PlaceEntry | None = None
        self._note_text = ""
        self._more = False
        self.needle = ""

    @property
    def entry(self) -> PlaceEntry | None:
        """The chosen entry."""
        return self._shown[self.cursor] if self.cursor < len(self._shown) else None

    @property
    def is_at_end(self) -> bool:
        return self.cursor >= len(self._shown) - 1

    def want(self, entry_id: str) -> None:
        """Choose an entry as soon as it is among the entries."""
        self._wanted = entry_id

    def show_entries(
        self, entries: Sequence[PlaceEntry], note: str = "", more: bool = False
    ) -> None:
        """Show other entries; the chosen entry stays chosen if it is among them.

        Args:
            entries: The entries in their order.
            note: The text to show if there are no entries.
            more: Whether the registry has more entries than these.
        """
        kept = self._wanted or ("" if self.entry is None else self.entry.id)
        self._entries, self._note_text, self._more = entries, note, more
        if not entries:
            self.needle = self.needle if more else ""
        if any(one.id == self._wanted for one in entries):
            self._wanted = ""
        self._narrow(kept)

    def show_note(self, note: str) -> None:
        """Show a note in place of entries."""
        self._entries = self._shown = ()
        self._note_text, self.needle = note, ""
        self.resize_content(note)
        self._tell()

    def _narrow(self, kept: str) -> None:
        needle = self.needle.casefold()
        self._shown = [one for one in self._entries if needle in one.title.casefold()]
        ids = [one.id for one in self._shown]
        usable = [index for index, one in enumerate(self._shown) if not one.why_not]
        cursor = ids.index(kept) if kept in ids else usable[0] if usable else 0
        self.set_reactive(PickList.cursor, cursor)
        note = f"none of {len(self._entries):,} match" if self._entries else self._note_text
        self.resize_content(note)
        self.keep_cursor_in_sight()
        self._tell()

    def _tell(self) -> None:
        if self.entry != self._known:
            self._known = self.entry
            self.post_message(self.Picked(self))

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self._wanted = ""
        self._tell()

    # Typing ----------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        if event.is_printable and event.character is not None:
            event.stop()
            event.prevent_default()
            self._retype(self.needle + event.character)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action not in ("widen", "shorten") or bool(self.needle)

    def action_widen(self) -> None:
        self._retype("")

    def action_shorten(self) -> None:
        self._retype(self.needle[:-1])

    def _retype(self, needle: str) -> None:
        self.needle = needle
        self._narrow("" if self.entry is None else self.entry.id)
        self.refresh_bindings()
        self.post_message(self.Narrowed(self))

    # Drawing ---------------------------------------------------------------------------------

    @property
    def line_count(self) -> int:
        return len(self._shown)

    @property
    def header_height(self) -> int:
        return 1

    def header_lines(self, width: int) -> list[Line]:
        role: Role = "accent" if self.has_focus else "muted"
        title = Piece(self._title, role)
        if self.needle:
            typed = Piece(f"  {fmt.plain(self.needle, 60)}▏", "accent")
            return [clipped([title, typed], width)]
        hint = ""
        if self._more:
            hint = "  type to search"
        elif self.has_focus and len(self._entries) > 1:
            hint = "  type to filter"
        line = [title, Piece(hint, "muted")]
        return [line if width_of(line) <= width else [title]]

    def line(self, index: int, width: int) -> Line:
        entry = self._shown[index]
        is_chosen = index == self.cursor and not entry.why_not
        title: Role = "muted" if entry.why_not else "text"
        mark = Piece("● " if is_chosen else "  ", "accent")
        note = f"  {fmt.plain(entry.note, 60)}" if entry.note else ""
        line = [mark, Piece(fmt.plain(entry.title, TITLE_CHARACTERS), title)]
        whole = [*line, Piece(note, "muted")]
        # A reason why the entry cannot be chosen is shown even if it is cut; other notes are not.
        return whole if entry.why_not or width_of(whole) <= width else line
