"""Textual's driver for Unix terminals, with fewer bytes on the wire (see thrift.py).

It also stands in ASCII for every other character where the locale has no UTF-8, draws no more than
the terminal takes, and leaves no answer of the terminal to whoever reads next.
"""

from __future__ import annotations

import os
import select
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Iterator
from time import monotonic

from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from flowtui.terminal import job
from flowtui.terminal.cell_diff import CellDiff
from flowtui.terminal.keyboard import Keyboard, TakesText
from flowtui.terminal.link_speed import QUERY
from flowtui.terminal.session import session
from flowtui.terminal.shutdown import BELOW_ALL
from flowtui.terminal.textual_private import InternalDriver

LOOK_EVERY_S = 0.1
"""How often it is looked whether the app still reads keys; Textual's own pace."""
ESCAPE_EVERY_S = 0.02
"""How often it is looked whether more has come after Esc, which many sequences begin with."""
ANSWER_WITHIN_S, FIRST_ANSWER_WITHIN_S = 4.0, 0.6
"""How late an answer may come that is waited for at the end, and if none ever came."""
MOST_WAITING = 6
"""So many writes that wait are two frames: the terminal takes less than is drawn."""
CATCH_UP_EVERY_S = 0.03


class DiffDriver(InternalDriver):
    """Sends a terminal only what changes something on it."""

    # LinuxDriver asks for every movement of the mouse; nothing here needs more than drags.
    _ANY_MOTION = "\x1b[?1003h"
    _DRAGS = "\x1b[?1002h"
    _FRAME_BEGINS, _FRAME_ENDS = "\x1b[?2026h", "\x1b[?2026l"

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]  # handed through as they are
        here = session(os.environ)
        self._cell_diff = CellDiff(self.terminal_size, here.is_utf8, here.is_monochrome)
        self._asked: deque[float] = deque()
        """When questions were sent that the terminal has not answered, by the monotonic clock."""
        self.round_trip_s = 0.0
        """How long the last answer took."""
        self._is_in_frame = self._is_skipping = self._is_behind = False
        self._is_input_ending = False

    # What goes to the terminal ---------------------------------------------------------------

    def write(self, data: str) -> None:
        data = data.replace(self._ANY_MOTION, self._DRAGS)
        if QUERY in data:
            self._asked.append(monotonic())
        if data == self._FRAME_BEGINS or not self._is_in_frame:
            self._is_skipping = self._is_clogged()
        self._is_in_frame = data == self._FRAME_BEGINS or (
            self._is_in_frame and data != self._FRAME_ENDS
        )
        if not self._is_skipping:
            filtered = self._cell_diff.filter(data)
        elif data in (self._FRAME_BEGINS, self._FRAME_ENDS):
            filtered = ""
        else:
            filtered = self._cell_diff.skip(data)
            self._catch_up_later()
        if filtered:
            self._put(filtered)

    def forget(self) -> None:
        """Send everything again from now on: another program may have written on the screen."""
        self._cell_diff.forget()

    def _is_clogged(self) -> bool:
        return self.waiting_write_count >= MOST_WAITING

    def _catch_up_later(self) -> None:
        """Have what was skipped drawn when the terminal takes bytes again, as it looks by then."""
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
        # The writer dies with its terminal; what is put on its queue would then wait for ever.
        if self.is_writing:
            super().write(data)

    # What comes from it ----------------------------------------------------------------------

    def run_input_thread(self) -> None:
        """Hand on what is typed until input is disabled; unlike Textual's, in whole sequences."""
        keyboard = Keyboard(self._is_typing)
        # What is typed where the terminal has another encoding than UTF-8 is no reason to end.
        decode = getincrementaldecoder("utf-8")("replace").decode
        while not self.exit_event.is_set():
            patience_s = ESCAPE_EVERY_S if keyboard.is_waiting else LOOK_EVERY_S
            if (data := self._read(patience_s)) is None:
                return
            for message in self._meant(keyboard, decode(data)):
                self.process_message(message)
        while self._asked and self._may_answer():
            if (data := self._read(LOOK_EVERY_S)) is None:
                return
            for message in self._meant(keyboard, decode(data)):
                self._note_answer(message)

    def _read(self, patience_s: float) -> bytes | None:
        """Return what has come, nothing after a while; None if nothing can come any more."""
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
        self._note_answer(message)
        super().process_message(message)

    def _may_answer(self) -> bool:
        """Whether an answer may still come; some terminals never give one."""
        within_s = ANSWER_WITHIN_S if self.round_trip_s else FIRST_ANSWER_WITHIN_S
        if not self._asked:
            return self.round_trip_s > 0
        return monotonic() - self._asked[-1] < within_s

    def _note_answer(self, message: Message) -> None:
        if isinstance(message, TerminalSupportsSynchronizedOutput) and self._asked:
            self.round_trip_s = monotonic() - self._asked.popleft()

    # How it stops, and goes on ---------------------------------------------------------------

    def asked_to_stop(self) -> None:
        if self.is_lent:
            # The program that has it gives it back in its own way.
            job.stop()
        else:
            # Not in the middle of what is drawn now.
            self.loop.call_soon_threadsafe(self.app.call_later, self.app.action_suspend_process)

    def stop_job(self) -> bool:
        """Give the terminal to the shell until that goes on with this job.

        Returns:
            Whether there is a shell that did.
        """
        self.suspend_application_mode()
        is_stopped = job.stop()
        job.wait_for_terminal(self.fileno)
        self.resume_application_mode()
        return is_stopped

    def gone_on_with(self) -> None:
        # What stopped it without a word (SIGSTOP) left the terminal to others: drawn on by a shell,
        # and with its modes. The kernel also sends this when the terminal hangs up.
        if self.is_reading and not self.is_lent:
            self.loop.call_soon_threadsafe(self.app.call_later, self.take_terminal_again)

    def take_terminal_again(self) -> None:
        """Begin anew on a terminal that somebody else had meanwhile."""
        try:
            os.tcgetpgrp(self.fileno)
        except OSError:
            return
        job.wait_for_terminal(self.fileno)
        # An answer to what input ends with has no end of line, for which the shell's modes wait.
        job.read_by_character(self.fileno)
        self.suspend_application_mode()
        self.resume_application_mode()

    def resume_application_mode(self) -> None:
        super().resume_application_mode()
        if self.app.screen_stack:
            self.app.screen.refresh()

    # How it ends -----------------------------------------------------------------------------

    def stop_application_mode(self) -> None:
        self._drop_drawings()
        # Where there is no other screen to come back to, what was drawn stays above the prompt.
        self._put(f"{self._cell_diff.reset()}{BELOW_ALL}")
        super().stop_application_mode()

    def _drop_drawings(self) -> None:
        """Send nothing more of what nobody will see: the screen is left now."""
        waiting = list(self.take_waiting_writes())
        self._cell_diff.forget()
        for data in waiting:
            if kept := self._cell_diff.skip(data):
                self._put(kept)

    def disable_input(self) -> None:
        self._is_input_ending = True
        super().disable_input()
        self._is_input_ending = False
        # An answer that came until now has switched its reports on once more; no other is read.
        self.ask_for_no_sizes()

    def ask_for_sizes(self) -> None:
        super().ask_for_sizes()
        # The terminal reports its size at once: if what ends input has asked by now, that report
        # may come after its answer. Written first and looked at then, none is missed.
        if self._is_input_ending:
            self.write(QUERY)

    def ask_for_no_mouse(self) -> None:
        super().ask_for_no_mouse()
        if self.has_mouse:
            self.write("\x1b[?1002l")
        if self.has_mouse_pixels:
            self.write("\x1b[?1016l")
        # Input is read until the answer to this comes: then nothing is under way any more that a
        # shell would take for typed.
        if self.is_reading and not self.exit_event.is_set() and self._may_answer():
            self.write(QUERY)
