"""The one place that uses names which Textual keeps to itself.

What stands above says here what it needs, in names of its own. `test_private_names.py` names each
that is used and looks for any other, so that a new Textual fails there and nowhere else.
"""

from __future__ import annotations

import asyncio
import queue
import traceback
from collections.abc import Iterator
from types import CodeType

from textual._context import active_message_pump
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.css.stylesheet import Stylesheet
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.timer import Timer
from textual.widget import Widget


class InternalApp(App[None]):
    """An app that knows its driver, whether it ends, and what ended it."""

    @property
    def terminal_driver(self) -> Driver | None:
        """What the terminal is written to with; None before the start and after the end."""
        return self._driver

    @property
    def has_begun(self) -> bool:
        """Whether it has made its first screen, and takes messages."""
        return self._is_mounted

    @property
    def is_exiting(self) -> bool:
        """Whether it has been told to end."""
        return self._exit

    @property
    def is_told_why(self) -> bool:
        """Whether something is to be printed already when it has ended."""
        return bool(self._exit_renderables)

    def _handle_exception(self, error: Exception) -> None:
        if not self.survives(error):
            super()._handle_exception(error)

    def survives(self, error: Exception) -> bool:
        """Take note of an error that nothing has caught, and say whether the app goes on."""
        raise NotImplementedError

    def _fatal_error(self) -> None:
        self.end_by_error(self._exception)

    def end_by_error(self, error: BaseException | None) -> None:
        """End because of an error in the app itself; called while that is handled."""
        raise NotImplementedError


class InternalModal(ModalScreen[ScreenResultType]):
    """A modal that may be taken away with what is below it, and nobody waits for it then."""

    def on_unmount(self) -> None:
        for asked in self._result_callbacks:
            if asked is not None and asked.future is not None:
                asked.future.cancel()


class InternalDriver(LinuxDriver):
    """A driver whose threads and modes can be asked about, and whose steps can be changed."""

    @property
    def app(self) -> App[object]:
        return self._app

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    @property
    def is_app_running(self) -> bool:
        return self._app._running

    def terminal_size(self) -> tuple[int, int]:
        """Return columns and lines, as the terminal says now."""
        return self._get_terminal_size()

    # The thread that writes ------------------------------------------------------------------

    @property
    def is_writing(self) -> bool:
        """Whether the thread that writes to the terminal is there."""
        return self._writer_thread is not None and self._writer_thread.is_alive()

    @property
    def waiting_write_count(self) -> int:
        """How many writes wait for the terminal to take those before them."""
        return 0 if self._writer_thread is None else self._writer_thread._queue.qsize()

    def take_waiting_writes(self) -> Iterator[str]:
        """Yield the writes that wait, which are sent no more."""
        while self._writer_thread is not None:
            try:
                data = self._writer_thread._queue.get_nowait()
            except queue.Empty:
                return
            if data is not None:
                yield data

    # The thread that reads -------------------------------------------------------------------

    @property
    def is_reading(self) -> bool:
        """Whether the thread that reads from the terminal is there."""
        return self._key_thread is not None and self._key_thread.is_alive()

    # Modes -----------------------------------------------------------------------------------

    @property
    def has_mouse(self) -> bool:
        """Whether reports of the mouse were asked for."""
        return self._mouse

    @property
    def has_mouse_pixels(self) -> bool:
        """Whether these are in pixels."""
        return self._mouse_pixels

    def _enable_in_band_window_resize(self) -> None:
        self.ask_for_sizes()

    def ask_for_sizes(self) -> None:
        """Ask for a report of each new size."""
        super()._enable_in_band_window_resize()

    def ask_for_no_sizes(self) -> None:
        """Ask for no more reports of sizes."""
        self._disable_in_band_window_resize()

    def _disable_mouse_support(self) -> None:
        self.ask_for_no_mouse()

    def ask_for_no_mouse(self) -> None:
        """Ask for no more reports of the mouse."""
        super()._disable_mouse_support()

    # Signals ---------------------------------------------------------------------------------

    @property
    def is_lent(self) -> bool:
        """Whether the terminal is another program's for now, and given back by the app itself."""
        return not self._auto_restart

    def _sigtstp_application(self, *_: object) -> None:
        self.asked_to_stop()

    def asked_to_stop(self) -> None:
        """Take note of SIGTSTP; called between any two instructions of the main thread."""
        raise NotImplementedError

    def _sigcont_application(self, *_: object) -> None:
        self.gone_on_with()

    def gone_on_with(self) -> None:
        """Take note of SIGCONT; called between any two instructions of the main thread."""
        raise NotImplementedError


class InternalParser(XTermParser):
    """A parser of which can be seen whether it waits for more."""

    @property
    def has_begun_sequence(self) -> bool:
        """Whether what came so far may be the beginning of something."""
        return self._timeout_time is not None

    def end_sequence(self) -> None:
        """Have the next `tick` take what came so far as it is."""
        self._timeout_time = 0.0


class InternalStylesheet(Stylesheet):
    """A style sheet of which can be seen what it was parsed with."""

    @property
    def variables(self) -> dict[str, str]:
        return self._variables


_dispatch = MessagePump._dispatch_message


def go_on_after_errors() -> None:
    """Have a widget, a screen or the app take its next message where one has ended in an error.

    Textual ends the app then, and with it each loop of messages that an error has come up in.
    """
    MessagePump._dispatch_message = _dispatched  # type: ignore[assignment,method-assign]


async def _dispatched(pump: MessagePump, message: Message) -> None:
    try:
        await _dispatch(pump, message)
    except Exception as error:
        app = pump.app
        if not isinstance(app, InternalApp) or not app.survives(error):
            raise


def is_of_drawing(error: BaseException) -> bool:
    """Say whether an error came up while the screen was laid out or drawn."""
    return any(
        code in _codes(error)
        for code in (
            App._display.__code__,
            Screen._compositor_refresh.__code__,
            Screen._refresh_layout.__code__,
        )
    )


def broken_screen(error: BaseException) -> Screen[object] | None:
    """Return the screen that an error kept from getting its widgets; called while it is handled."""
    node = active_message_pump.get(None)
    is_composing = Widget._compose.__code__ in _codes(error)
    return node if is_composing and isinstance(node, Screen) else None


def _codes(error: BaseException) -> set[CodeType]:
    return {frame.f_code for frame, _line in traceback.walk_tb(error.__traceback__)}


def fires_late(timer: Timer) -> Timer:
    """Have a timer fire also where the machine stood still until its time had gone by.

    Textual leaves a time out that has gone by when it looks at the clock, the only one too.
    """
    timer._skip = False
    return timer
