"""Textual's driver for Unix terminals, with fewer bytes on the wire (see thrift.py).

It also stands in ASCII for every other character where the locale has no UTF-8.
"""

from __future__ import annotations

import os

from textual.drivers.linux_driver import LinuxDriver

from flowtui.terminal import session
from flowtui.thrift import Thrift


class ThriftyDriver(LinuxDriver):
    """Sends a terminal only what changes something on it."""

    # LinuxDriver asks for every movement of the mouse; nothing here needs more than drags.
    _ANY_MOTION = "\x1b[?1003h"
    _DRAGS = "\x1b[?1002h"

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]  # handed through as they are
        here = session(os.environ)
        self._thrift = Thrift(self._get_terminal_size, here.is_utf8, here.is_monochrome)

    def write(self, data: str) -> None:
        if filtered := self._thrift.filter(data.replace(self._ANY_MOTION, self._DRAGS)):
            self._put(filtered)

    def forget(self) -> None:
        """Send everything again from now on: another program may have written on the screen."""
        self._thrift.forget()

    def _put(self, data: str) -> None:
        # The writer dies with its terminal; what is put on its queue would then wait for ever.
        if self._writer_thread is not None and self._writer_thread.is_alive():
            super().write(data)

    def _sigcont_application(self, *_: object) -> None:
        # The kernel also sends this to a process whose terminal hangs up: nothing to resume then.
        if self._must_signal_resume:
            super()._sigcont_application()

    def stop_application_mode(self) -> None:
        self._put(self._thrift.reset())
        super().stop_application_mode()

    def _disable_mouse_support(self) -> None:
        super()._disable_mouse_support()
        if self._mouse:
            self.write("\x1b[?1002l")
