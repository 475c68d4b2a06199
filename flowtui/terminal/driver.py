"""Textual's driver for Unix terminals, with fewer bytes on the wire (see cell_diff.py).

It also replaces characters by ASCII where the locale has no UTF-8, draws no faster than the
terminal takes bytes, and reads all the terminal's answers, which the shell would take for keys.
"""

from __future__ import annotations

import os
import select
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Callable, Iterator
from time import monotonic
from typing import TYPE_CHECKING

from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from flowtui.terminal import job
from flowtui.terminal.cell_diff import CellDiff
from flowtui.terminal.keyboard import GraphicsAnswered, Keyboard, TakesText
from flowtui.terminal.link_speed import QUERY
from flowtui.terminal.placeholders import QUERY as PLACEHOLDERS_QUERY
from flowtui.terminal.session import session
from flowtui.terminal.shutdown import BELOW_ALL, restore_also
from flowtui.terminal.textual_private import InternalDriver

if TYPE_CHECKING:
    from flowtui.terminal.placeholders import PlacedPicture

INPUT_TIMEOUT_S = 0.1
"""How long one wait for input lasts before the thread checks whether to end; as in Textual."""
ESCAPE_TIMEOUT_S = 0.02
"""How long one wait lasts after Esc, which is a key or, if more comes soon, begins a sequence."""
ANSWER_TIMEOUT_S = 4.0
"""How long the end waits for the answer of a terminal that has answered before."""
FIRST_ANSWER_TIMEOUT_S = 0.6
"""How long the end waits for the answer of a terminal that has never answered."""
MAX_WAITING_WRITES = 6
"""How many writes, two frames' worth, may wait for the terminal before frames are skipped."""
NEXT_PIECE_S = 0.005
"""How long after a piece of a picture the next one is sent at the earliest: keys come between."""
CATCH_UP_EVERY_S = 0.03
"""How often a driver that has skipped frames checks whether the terminal takes bytes again."""


class DiffDriver(InternalDriver):
    """Sends a terminal only what changes its screen."""

    # LinuxDriver asks for every movement of the mouse, which over a slow link delays the keys;
    # nothing here needs more than drags.
    _ANY_MOTION = "\x1b[?1003h"
    _DRAGS = "\x1b[?1002h"
    _FRAME_BEGINS, _FRAME_ENDS = "\x1b[?2026h", "\x1b[?2026l"

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]  # handed through as they are
        here = session(os.environ)
        self._cell_diff = CellDiff(self.terminal_size, here.is_utf8, here.is_monochrome)
        self._asked: deque[float] = deque()
        """When each query was sent that has no answer yet, by the monotonic clock."""
        self.round_trip_s = 0.0
        """How long the last answer took; 0 before the first."""
        self._is_in_frame = self._is_skipping = self._is_behind = False
        self._is_frame_sent = False
        """Whether the beginning of the frame at hand was sent."""
        self._is_input_ending = False
        self._picture: PlacedPicture | None = None
        """The picture that the terminal has, or is being sent."""
        self._picture_then: PlacedPicture | None = None
        """The one that it had when it was lent or stopped."""
        self._unsent: deque[str] = deque()
        self._has_placeholders = False
        self._with_placeholders: Callable[[], object] | None = None
        """What is to be done once the terminal has answered that it has them; None before it is
        asked. Only the last picture is shown, and many terminals never answer."""
        restore_also(lambda: "" if self._picture is None else self._picture.removal)

    # What goes to the terminal ---------------------------------------------------------------

    def write(self, data: str) -> None:
        data = data.replace(self._ANY_MOTION, self._DRAGS)
        if QUERY in data:
            self._asked.append(monotonic())
        if data == self._FRAME_BEGINS or not self._is_in_frame:
            self._is_skipping = self._is_clogged()
        if data == self._FRAME_BEGINS:
            # It is sent with what comes first: in many frames nothing has changed.
            self._is_in_frame, filtered = True, ""
        elif data == self._FRAME_ENDS:
            filtered = data if self._is_frame_sent else ""
            self._is_in_frame = self._is_frame_sent = False
        elif self._is_skipping:
            filtered = self._cell_diff.skip(data)
            self._catch_up_later()
        else:
            filtered = self._cell_diff.filter(data)
            if filtered and self._is_in_frame and not self._is_frame_sent:
                self._is_frame_sent = True
                self._put(self._FRAME_BEGINS)
        if filtered:
            self._put(filtered)

    def forget(self) -> None:
        """Send everything from now on, as after another program has written on the screen."""
        self._cell_diff.forget()

    def _is_clogged(self) -> bool:
        return self.waiting_write_count >= MAX_WAITING_WRITES

    def _catch_up_later(self) -> None:
        """Draw the present screen once the terminal takes bytes again."""
        if not self._is_behind:
            self._is_behind = True
            self.loop.call_later(CATCH_UP_EVERY_S, self._catch_up)

    def _catch_up(self) -> None:
        if not self.is_writing:
            return
        if self.waiting_write_count:
            self.loop.call_later(CATCH_UP_EVERY_S, self._catch_up)
            return
        self._is_behind = False
        if self.is_app_running and self.app.screen_stack:
            self.app.screen.refresh()

    def _put(self, data: str) -> None:
        # The writer's thread dies with its terminal: a full queue would then block for ever.
        if self.is_writing:
            super().write(data)

    # Pictures in cells -----------------------------------------------------------------------

    def with_placeholders(self, then: Callable[[], object]) -> None:
        """Call a function if the terminal has placeholders: at once, or when it has said so."""
        if self._has_placeholders:
            then()
            return
        if self._with_placeholders is None:
            self.write(PLACEHOLDERS_QUERY)
        self._with_placeholders = then

    def _take_placeholders(self) -> None:
        then, self._with_placeholders = self._with_placeholders, None
        self._has_placeholders = True
        if then is not None:
            then()

    def place_picture(self, picture: PlacedPicture, then: Callable[[], object]) -> None:
        """Send a picture in place of the one before, and call `then` when all of it is sent."""
        self.remove_picture()
        self._picture, self._unsent = picture, deque(picture.pieces)
        self._send_picture(picture, then)

    def _send_picture(self, picture: PlacedPicture, then: Callable[[], object]) -> None:
        if picture is not self._picture or not self.is_writing:
            return
        if not self.waiting_write_count:
            self.write(self._unsent.popleft())
        if self._unsent:
            self.loop.call_later(NEXT_PIECE_S, self._send_picture, picture, then)
        else:
            then()

    def remove_picture(self) -> None:
        """Make the terminal forget the picture, if it has one."""
        picture, self._picture, self._picture_then = self._picture, None, None
        if picture is None:
            return
        if 0 < len(self._unsent) < len(picture.pieces):
            self.write(picture.breaking_off)
        self._unsent.clear()
        self.write(picture.removal)

    def _draw_again(self) -> None:
        self.forget()
        if self.app.screen_stack:
            self.app.screen.refresh()

    # What comes from it ----------------------------------------------------------------------

    def run_input_thread(self) -> None:
        """Hand on what is typed until input is disabled, in whole sequences unlike Textual."""
        keyboard = Keyboard(self._is_typing)
        # Without "replace", a key typed on a terminal with another encoding would end the thread.
        decode = getincrementaldecoder("utf-8")("replace").decode
        while not self.exit_event.is_set():
            patience_s = ESCAPE_TIMEOUT_S if keyboard.is_waiting else INPUT_TIMEOUT_S
            if (data := self._read(patience_s)) is None:
                return
            for message in self._meant(keyboard, decode(data)):
                self.process_message(message)
        while self._asked and self._may_answer():
            if (data := self._read(INPUT_TIMEOUT_S)) is None:
                return
            for message in self._meant(keyboard, decode(data)):
                self._note_answer(message)

    def _read(self, patience_s: float) -> bytes | None:
        """Return what has come within a time, which may be nothing; None at the end of input."""
        try:
            ready, _, _ = select.select([self.fileno], [], [], patience_s)
            return (os.read(self.fileno, 4096) or None) if ready else b""
        except OSError:
            return None

    @staticmethod
    def _meant(keyboard: Keyboard, text: str) -> Iterator[Message]:
        if text:
            yield from keyboard.feed(text)
        yield from keyboard.tick()

    def _is_typing(self) -> bool:
        return isinstance(self.app.focused, TakesText)

    def process_message(self, message: Message) -> None:
        if isinstance(message, GraphicsAnswered):
            if message.has_it:
                self.loop.call_soon_threadsafe(self.app.call_later, self._take_placeholders)
            return
        self._note_answer(message)
        super().process_message(message)

    def _may_answer(self) -> bool:
        """Say whether an answer may still come; some terminals never give one."""
        within_s = ANSWER_TIMEOUT_S if self.round_trip_s else FIRST_ANSWER_TIMEOUT_S
        if not self._asked:
            return self.round_trip_s > 0
        return monotonic() - self._asked[-1] < within_s

    def _note_answer(self, message: Message) -> None:
        if isinstance(message, TerminalSupportsSynchronizedOutput) and self._asked:
            self.round_trip_s = monotonic() - self._asked.popleft()

    # How it stops, and goes on ---------------------------------------------------------------

    def handle_stop(self) -> None:
        if self.is_lent:
            # The program that has the terminal restores it in its own way.
            job.stop()
        else:
            # Later, or the stop would come in the middle of a frame.
            self.loop.call_soon_threadsafe(self.app.call_later, self.app.action_suspend_process)

    def stop_job(self) -> bool:
        """Suspend this job until the shell continues it.

        Returns:
            Whether there is a shell that did.
        """
        self.suspend_application_mode()
        is_stopped = job.stop()
        job.wait_for_terminal(self.fileno)
        self.resume_application_mode()
        return is_stopped

    def handle_continue(self) -> None:
        # SIGSTOP gives no chance to restore the terminal, and the shell has since drawn on it and
        # set its modes. The kernel also sends SIGCONT when the terminal hangs up.
        if self.is_reading and not self.is_lent:
            self.loop.call_soon_threadsafe(self.app.call_later, self.take_terminal_again)

    def take_terminal_again(self) -> None:
        """Set up the terminal again after another program has used it."""
        try:
            os.tcgetpgrp(self.fileno)
        except OSError:
            return
        job.wait_for_terminal(self.fileno)
        # The answer to the query at the end of input has no line end: in the shell's modes, which
        # read whole lines, it would never arrive.
        job.read_by_character(self.fileno)
        self.suspend_application_mode()
        self.resume_application_mode()

    def resume_application_mode(self) -> None:
        super().resume_application_mode()
        if self._picture_then is not None:
            # The terminal has forgotten it, and its cells are on the screen.
            self.place_picture(self._picture_then, self._draw_again)
        if self.app.screen_stack:
            self.app.screen.refresh()

    # How it ends -----------------------------------------------------------------------------

    def stop_application_mode(self) -> None:
        picture = self._picture
        self.remove_picture()
        self._picture_then = picture
        self._drop_drawings()
        # On a terminal without an alternate screen, what was drawn stays above the prompt.
        self._put(f"{self._cell_diff.reset()}{BELOW_ALL}")
        super().stop_application_mode()

    def _drop_drawings(self) -> None:
        """Drop the frames that wait: the screen is being left, so nobody would see them."""
        waiting = list(self.take_waiting_writes())
        self._cell_diff.forget()
        for data in waiting:
            if kept := self._cell_diff.skip(data):
                self._put(kept)

    def disable_input(self) -> None:
        self._is_input_ending = True
        super().disable_input()
        self._is_input_ending = False
        # An answer that has just been read may have switched these reports on again.
        self.stop_size_reports()

    def start_size_reports(self) -> None:
        super().start_size_reports()
        # The terminal reports its size at once. If the query that ends input was sent before, this
        # report could come after its answer, and the shell would take it for keys.
        if self._is_input_ending:
            self.write(QUERY)

    def stop_mouse_reports(self) -> None:
        super().stop_mouse_reports()
        if self.has_mouse:
            self.write("\x1b[?1002l")
        if self.has_mouse_pixels:
            self.write("\x1b[?1016l")
        # Input is read until the answer to this query comes: then no report is under way any more
        # that the shell could take for keys.
        if self.is_reading and not self.exit_event.is_set() and self._may_answer():
            self.write(QUERY)
