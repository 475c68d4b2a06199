"""The output of the program that was started, and what is typed to it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import ClassVar

from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.failures import Failure
from flowtui.launch.folder import LaunchState
from flowtui.launch.link import ProgramLink
from flowtui.screens.base import TabScreen
from flowtui.screens.console.reading import ConsoleReader
from flowtui.screens.console.typed import typed
from flowtui.screens.may_write import why_not_written
from flowtui.store.attachments.writing import keep_file
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.widgets.cells import Line, Piece, Role, clipped
from flowtui.widgets.documents.text_lines import TextLines
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.frame.frame import OneLine
from flowtui.widgets.paint import CURVE_CLASSES, ROLE_CLASSES

READ_EVERY_S = 0.1
"""How often output that comes all the time is shown."""
PAUSE = 4
"""How many times as long as a read the pause after it is."""
INTERRUPT = "ctrl+c"
LEAVE = "ctrl+t"
NAME_CHARACTERS = 60
KEPT_AS = "console.log"


class ConsoleScreen(TabScreen):
    """Shows the end of the output, and follows it while the cursor is on its last line."""

    CSS_PATH = "screen.tcss"
    COMPONENT_CLASSES = ROLE_CLASSES | CURVE_CLASSES
    tab = "console"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "type", "Type to it", id="console.type",
                tooltip="Type to the program, as at its terminal; ctrl+t ends it"),
        Binding("slash", "filter", "Find", key_display="/", id="console.find",
                tooltip="Find a text in the lines that are held"),
        Binding("n", "next_match(1)", "Next match", show=False, id="console.next",
                tooltip="The next line with the text"),
        Binding("N", "next_match(-1)", "Previous match", show=False, id="console.previous",
                tooltip="The previous line with the text"),
        Binding("w", "keep", "Keep", id="console.keep",
                tooltip="Keep the output as the attachment console.log"),
        Binding("y", "copy", "Copy", id="console.copy", tooltip="Copy the line"),
        Binding("escape", "leave", "Back", id="console.leave", key_display="Esc",
                tooltip="Back to the tabs"),
    ]  # fmt: skip

    def __init__(
        self, store: Store, run: OpenRun, link: ProgramLink, leave: Callable[[], Awaitable[object]]
    ) -> None:
        """Make the screen.

        Args:
            store: The store of the open run.
            run: The open run.
            link: The program.
            leave: Shows the tab from which somebody came here.
        """
        super().__init__(store, run)
        self._link = link
        self._leave_console = leave
        self._output = ConsoleReader(link.folder.output)
        self._lines: tuple[Line, ...] = ()
        self._shown_bytes = -1
        self._dropped = 0
        self._is_reading_output = False
        self._next_read_s = 0.0
        """Before that time nothing is read, by the monotonic clock: keys need time, too."""
        self._is_typing = False
        self._was_running = link.is_running
        self._needle = ""

    def compose_tab(self) -> Iterable[Widget]:
        yield OneLine(id="console-state")
        yield TextLines()
        yield FilterLine("a text in the output", id="console-find")

    def on_mount(self) -> None:
        super().on_mount()
        if self.is_composed:
            self._pane.focus()
            self.set_interval(READ_EVERY_S, self.look)
            self.look()

    def on_resize(self) -> None:
        if self.is_composed:
            self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """Give the program's terminal the size of the pane."""
        for pane in self.query(TextLines):
            if pane.size.height and pane.size.width > 1:
                self._link.resize(pane.size.height, pane.size.width - 1)
        self.show_state()

    @property
    def _pane(self) -> TextLines:
        return self.query_one(TextLines)

    # What is shown ---------------------------------------------------------------------------

    def look(self) -> None:
        """Read what has been put out since the last look, while this is in sight."""
        if not self.is_current:
            return
        self.show_state()
        is_new = self._link.state.output_bytes != self._shown_bytes
        is_due = time.monotonic() >= self._next_read_s
        if is_new and is_due and not self._is_reading_output:
            self._is_reading_output = True
            size = self._link.state.output_bytes
            self.ask(
                self._read_output,
                lambda lines: self._show(size, lines),
                self._show_problem,
                group="console",
            )

    def _read_output(self) -> tuple[Line, ...]:
        begun_s = time.monotonic()
        try:
            return self._output.read()
        except OSError as error:
            raise Failure(f"the output cannot be read: {error.strerror or error}") from error
        finally:
            now_s = time.monotonic()
            self._next_read_s = now_s + PAUSE * (now_s - begun_s)

    def _show_problem(self, reason: str) -> None:
        self._is_reading_output = False
        self._shown_bytes = self._link.state.output_bytes
        self._pane.show_note(f"✗ {fmt.plain(reason)}")

    def _show(self, size: int, lines: tuple[Line, ...]) -> None:
        self._is_reading_output = False
        if not self.is_composed:
            return
        pane = self._pane
        is_first = self._shown_bytes < 0
        is_at_end = pane.cursor >= len(self._lines) - 1
        gone = self._output.dropped - self._dropped
        self._shown_bytes, self._lines, self._dropped = size, lines, self._output.dropped
        if not lines:
            pane.show_note("The program has put out nothing yet.")
            return
        pane.show_lines(lines, first=None, end_note="", is_new=is_first)
        if is_first or is_at_end:
            pane.action_move_to_end(True)
        elif gone:
            pane.cursor = max(pane.cursor - gone, 0)

    def show_state(self) -> None:
        """Show how it stands with the program."""
        for line in self.query("#console-state").results(OneLine):
            if line.size.width:
                line.show(clipped(self._state_line(), line.size.width))
        if self._link.is_running != self._was_running:
            self._was_running = self._link.is_running
            self.refresh_bindings()

    def _state_line(self) -> list[Piece]:
        state = self._link.state
        name = fmt.plain(shlex.join(state.words), NAME_CHARACTERS)
        said, role = standing_of(self._link)
        pieces = [Piece(f" {said}", role), Piece(f"  {name}")]
        if self._is_typing and self._link.is_running:
            pieces.append(Piece(f"  keys go to the program; {LEAVE} ends that", "attention"))
        size = f"  {fmt.size(state.output_bytes)} of output"
        if self._output.dropped or self._output.left_out_bytes:
            size += f", the last {len(self._lines):,} lines are here"
        pieces.append(Piece(size, "muted"))
        if state.lost_bytes:
            pieces.append(Piece(f"  {fmt.size(state.lost_bytes)} not kept: disk full", "error"))
        if state.trouble:
            pieces.append(Piece(f"  spans: {fmt.plain(state.trouble, 200)}", "error"))
        return pieces

    # What is typed ---------------------------------------------------------------------------

    def take_key(self, event: events.Key) -> bool:
        """Hand a key on to the program, and say whether it was for that."""
        if not self._link.is_running:
            self._is_typing = False
            return False
        if event.key == INTERRUPT and not self._is_finding:
            self._link.type(b"\x03")
            return True
        if not self._is_typing:
            return False
        if event.key == LEAVE:
            self._is_typing = False
            self.show_state()
        elif data := typed(event.key, event.character):
            self._link.type(data)
        return True

    def on_paste(self, event: events.Paste) -> None:
        if self._is_typing:
            self._link.type(event.text.replace("\r\n", "\r").replace("\n", "\r").encode())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "type":
            return self._link.is_running and not self._is_finding
        if action == "next_match":
            return bool(self._needle) and not self._is_finding
        return super().check_action(action, parameters)

    def action_type(self) -> None:
        self._is_typing = True
        self._pane.action_move_to_end(True)
        self.show_state()

    async def action_leave(self) -> None:  # type: ignore[override]  # an action may be either
        await self._leave_console()

    def action_copy(self) -> None:
        if self._pane.copy_text:
            self.flow.copy(self._pane.copy_text)

    @work
    async def action_keep(self) -> None:
        if refusal := why_not_written(self.store, self.flow.options):
            self.notify(refusal, title="Not kept", severity="warning", markup=False)
            return
        run, output = self.run, self._link.folder.output
        keep = partial(keep_file, run.database, run.files.folder, KEPT_AS, output)
        try:
            name = await self.asked(keep, is_write=True)
        except Failure as failure:
            said = fmt.plain(str(failure))
            self.notify(said, title="Not kept", severity="error", markup=False)
        else:
            self.notify(f"kept as the attachment {name}", markup=False)

    # Search ----------------------------------------------------------------------------------

    @property
    def _is_finding(self) -> bool:
        return self.query_one(FilterLine).has_focus_within if self.is_composed else False

    async def action_filter(self) -> None:
        await self.query_one(FilterLine).open(self._needle)

    @on(FilterLine.Changed)
    def find(self, event: FilterLine.Changed) -> None:
        event.stop()
        self._needle = event.text
        count = len(self._matches())
        self.refresh_bindings()
        event.line.note(f"{fmt.count(count, 'line')} of {len(self._lines):,}" if event.text else "")

    @on(FilterLine.Entered)
    def go_to_match(self, event: FilterLine.Entered) -> None:
        event.stop()
        self.action_next_match(-1)
        self._pane.focus()

    @on(FilterLine.Left)
    def leave_line(self, event: FilterLine.Left) -> None:
        event.stop()
        self._pane.focus()

    def action_next_match(self, by: int) -> None:
        found = self._matches()
        cursor = self._pane.cursor
        if by > 0:
            further = [index for index in found if index > cursor] or found[:1]
            chosen = further[:1]
        else:
            further = [index for index in found if index < cursor] or found[-1:]
            chosen = further[-1:]
        for index in chosen:
            self._pane.cursor = index

    def _matches(self) -> list[int]:
        needle = self._needle.lower()
        if not needle:
            return []
        return [
            index
            for index, line in enumerate(self._lines)
            if needle in "".join(piece.text for piece in line).lower()
        ]


def standing_of(link: ProgramLink) -> tuple[str, Role]:
    """Return how it stands with a program, as a glyph and a word or two, and its role."""
    state: LaunchState = link.state
    if link.is_lost:
        return "✗ its supervisor is gone", "error"
    if state.code is None:
        return "▶ running", "accent"
    if state.code == 0:
        return "✓ exit 0", "ok"
    return f"✗ exit {state.code}", "error"
