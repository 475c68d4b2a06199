"""How two files differ: line by line, by path, as two pictures, or by their sizes and contents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.worker import Worker

from flowtui import format as fmt
from flowtui.previews.values import Request
from flowtui.screens.attachments.comparing import FileComparison, FileEnd, compare, verdict
from flowtui.store.compare.files import FileDigests
from flowtui.told_apart import told_apart
from flowtui.widgets.asking import Asks
from flowtui.widgets.cells import Piece, Role, clipped
from flowtui.widgets.compare import letter_role
from flowtui.widgets.documents.picture import PicturePane
from flowtui.widgets.documents.text_lines import TextLines
from flowtui.widgets.frame.frame import HidesKeys, OneLine
from flowtui.widgets.lists.virtual_list import VirtualList

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

AROUND_LINES = 8
"""How many lines of the screen are not the content's."""
TOLD_EVERY_BYTES = 8_000_000


class FileDifference(HidesKeys, Asks, Vertical):
    """Shows how two files differ. The owner calls `open`; Esc posts `Left`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Files", key_display="Esc", id="difference.leave",
                tooltip="End what is being read, or go back to the files"),
        Binding("n", "go_to_change(1)", "Next", key_display="n N", id="difference.next",
                tooltip="To the next change"),
        Binding("N", "go_to_change(-1)", "Before", show=False, id="difference.before",
                tooltip="To the change before"),
        Binding("y", "copy", "Copy", show=False, id="difference.copy",
                tooltip="Copy the line under the cursor"),
    ]  # fmt: skip

    @dataclass
    class Left(Message):
        """Sent by FileDifference when the files are to be shown again."""

    @dataclass
    class Compared(Message):
        """Sent by FileDifference when it is known whether the two files are equal."""

    def __init__(self, digests: FileDigests, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._digests = digests
        self._ends: tuple[FileEnd, FileEnd] | None = None
        self._found: FileComparison | None = None
        self._verdict = ""
        self._progress = ""
        self._reader: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        yield OneLine(id="difference-title")
        yield OneLine(id="difference-words")
        yield TextLines(id="difference-lines")
        with Horizontal(id="difference-pictures"):
            yield PicturePane(id="picture-before")
            yield PicturePane(id="picture-after")

    @property
    def _flow(self) -> Host:
        return cast("Host", self.app)

    @property
    def _lines(self) -> TextLines:
        return self.query_one(TextLines)

    @property
    def current(self) -> VirtualList:
        """The pane that takes the keys."""
        has_pictures = self._found is not None and self._found.pictures is not None
        return self.query_one("#picture-before", PicturePane) if has_pictures else self._lines

    @property
    def is_open(self) -> bool:
        return self._ends is not None

    # Showing ---------------------------------------------------------------------------------

    def open(self, one: FileEnd, other: FileEnd) -> None:
        """Show how two files differ, the one before the other."""
        self._ends = one, other
        self._found = None
        self._verdict = self._progress = ""
        self._show_panes()
        self._lines.show_note("reading…")
        self._show_words()
        width = max(self.app.size.width // 2 - 1, 8)
        request = Request(width=width, height=max(self.app.size.height - AROUND_LINES, 4))
        question = partial(compare, one, other, request)
        self.ask(question, self._show, self._show_failure, group="difference")
        self._reader = self.ask(
            partial(self._read_verdict, one, other),
            self._show_verdict,
            self._show_verdict,
            group="verdict",
            left=partial(self._show_verdict, "contents were not compared: left with Esc"),
        )

    def _read_verdict(self, one: FileEnd, other: FileEnd) -> str:
        next_told = TOLD_EVERY_BYTES

        def told(done: int, total: int) -> None:
            nonlocal next_told
            if done >= next_told and done < total:
                next_told = done + TOLD_EVERY_BYTES
                self.meanwhile(partial(self._show_progress, done, total))

        return verdict(one, other, self._digests, told)

    def _show_progress(self, done: int, total: int) -> None:
        share = done * 100 // max(total, 1)
        self._progress = f"comparing contents: {share} % of {fmt.size(total)} · Esc ends it"
        self._show_words()

    def _show_verdict(self, text: str) -> None:
        self._reader = None
        self._verdict, self._progress = text, ""
        self._show_words()
        self.post_message(self.Compared())

    def _show(self, found: FileComparison) -> None:
        had_focus = self.has_focus_within
        here = self._flow.session
        if found.pictures is not None and (here.is_monochrome or not here.is_utf8):
            said = "This terminal has no colours or no half blocks, so it cannot show pictures."
            found = replace(found, pictures=None, note=said)
        self._found = found
        self._show_panes()
        if found.pictures is not None:
            for pane, picture in zip(self.query(PicturePane), found.pictures, strict=True):
                pane.show(picture)
        elif found.difference is None:
            self._lines.show_note(found.note)
        elif not found.difference.lines:
            self._lines.show_note(
                "Nothing to show: both are empty."
                if not any(found.sizes)
                else "What is shown of them is the same."
            )
        else:
            self._lines.show_lines(found.difference.lines, first=None, end_note="", is_new=True)
            if found.difference.changes:
                self._lines.cursor = found.difference.changes[0]
        self._show_words()
        self.refresh_bindings()
        if had_focus:
            self.current.focus()

    def _show_failure(self, reason: str) -> None:
        self._lines.show_note(f"✗ {fmt.plain(reason, 500)}")

    def _show_panes(self) -> None:
        has_pictures = self._found is not None and self._found.pictures is not None
        self._lines.display = not has_pictures
        self.query_one("#difference-pictures").display = has_pictures

    def _show_words(self) -> None:
        if self._ends is None or not self.size.width:
            return
        width = self.size.width
        names = told_apart([end.name for end in self._ends], max(width // 2 - 6, 8))
        title: list[Piece] = []
        for end, name in zip(self._ends, names, strict=True):
            title += [
                Piece(f" {end.letter}", letter_role(end.letter)),
                Piece(f" {name}  ", "title"),
            ]
        self.query_one("#difference-title", OneLine).show(clipped(title, width))
        self.query_one("#difference-words", OneLine).show(clipped(self._words(), width))

    def _words(self) -> list[Piece]:
        pieces = [Piece(" ")]
        if self._progress:
            pieces.append(Piece(self._progress, "accent"))
        elif self._verdict:
            is_equal = self._verdict.startswith("=")
            role: Role = "ok" if is_equal else "attention"
            pieces.append(Piece(fmt.plain(self._verdict, 300), role))
        else:
            pieces.append(Piece("comparing…", "muted"))
        found = self._found
        if found is not None:
            said = [found.note] if found.difference is not None or found.pictures else []
            if found.difference is not None:
                said = [found.difference.words, found.difference.note, *said]
            if found.pictures is not None:
                sizes = [f"{one.source_width:,} × {one.source_height:,}" for one in found.pictures]
                said = [" and ".join(dict.fromkeys(sizes))]
            pieces += [Piece(f"   {words}", "muted") for words in said if words]
        return pieces

    def on_resize(self) -> None:
        self._show_words()

    def hides(self, action: str) -> bool:
        difference = None if self._found is None else self._found.difference
        return action == "go_to_change(1)" and not (difference and difference.changes)

    # Actions ---------------------------------------------------------------------------------

    def action_leave(self) -> None:
        if self._reader is not None and self._progress:
            self._reader.cancel()
            return
        self.workers.cancel_group(self, "difference")
        self.workers.cancel_group(self, "verdict")
        self._ends = None
        self.post_message(self.Left())

    def action_go_to_change(self, by: int) -> None:
        found = self._found
        if found is None or found.difference is None or not found.difference.changes:
            return
        changes, at = found.difference.changes, self._lines.cursor
        if by > 0:
            target = next((change for change in changes if change > at), changes[0])
        else:
            target = next((change for change in reversed(changes) if change < at), changes[-1])
        self._lines.cursor = target

    def action_copy(self) -> None:
        if text := self._lines.copy_text:
            self._flow.copy(text.strip())
