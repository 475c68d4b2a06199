"""The only module that uses private names of Textual.

It gives each a public name of its own. `test_private_names.py` lists the private names and refuses
any other, so that a new Textual breaks that test and this module, and nothing else.
"""

from __future__ import annotations

import asyncio
import inspect
import queue
import traceback
from collections.abc import Iterator
from types import CodeType
from typing import Any

from textual._context import active_message_pump
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.css.stylesheet import Stylesheet
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Mount
from textual.keys import _character_to_key
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker, WorkerState
from textual.worker_manager import WorkerManager


class InternalApp(App[None]):
    """An app that knows its driver, whether it is ending, and which error ended it."""

    def __init__(self, **options: Any) -> None:
        _measure_before_each_layout()
        super().__init__(**options)
        self.told_workers = _Workers(self)

    @property
    def workers(self) -> WorkerManager:
        return self.told_workers

    @property
    def terminal_driver(self) -> Driver | None:
        """The driver that writes to the terminal; None before the start and after the end."""
        return self._driver

    @property
    def has_begun(self) -> bool:
        """Whether it has made its first screen and takes messages."""
        return self._is_mounted

    @property
    def is_exiting(self) -> bool:
        """Whether it has been told to end."""
        return self._exit

    @property
    def has_exit_message(self) -> bool:
        """Whether there is already something to print after the end."""
        return bool(self._exit_renderables)

    def _handle_exception(self, error: Exception) -> None:
        if not self.survives(error):
            super()._handle_exception(error)

    def survives(self, error: Exception) -> bool:
        """Handle an error that nothing has caught, and say whether the app goes on."""
        raise NotImplementedError

    def _fatal_error(self) -> None:
        self.end_by_error(self._exception)

    def end_by_error(self, error: BaseException | None) -> None:
        """End because of an error in the app itself; called while it is handled."""
        raise NotImplementedError


class _Workers(WorkerManager):
    """Workers that all tell of their end.

    Textual leaves one that is cancelled before its first step running, and who waits for it waits
    for ever.
    """

    def add_worker(self, worker: Worker[Any], start: bool = True, exclusive: bool = True) -> None:
        super().add_worker(worker, start, exclusive)

        def end(_: object) -> None:
            if not worker.is_finished:
                worker.state = WorkerState.CANCELLED
            if inspect.iscoroutine(worker._work):
                # One that never began would be warned of as forgotten.
                worker._work.close()

        if worker._task is not None:
            worker._task.add_done_callback(end)


class InternalModal(ModalScreen[ScreenResultType]):
    """A modal that may be removed together with the screens below it.

    Without this a worker that waits for its answer would wait for ever.
    """

    was_removed = False
    """Whether it is no longer on the screen, so that nobody waits for its answer."""

    def on_unmount(self) -> None:
        self.was_removed = True
        for asked in self._result_callbacks:
            if asked is not None and asked.future is not None:
                asked.future.cancel()


class InternalDriver(LinuxDriver):
    """A driver that makes its threads and modes readable, and its steps replaceable."""

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
        """Return the terminal's present number of columns and lines."""
        return self._get_terminal_size()

    # The thread that writes ------------------------------------------------------------------

    @property
    def is_writing(self) -> bool:
        """Whether the thread that writes to the terminal is alive."""
        return self._writer_thread is not None and self._writer_thread.is_alive()

    @property
    def waiting_write_count(self) -> int:
        """The number of writes that wait for the terminal."""
        return 0 if self._writer_thread is None else self._writer_thread._queue.qsize()

    def take_waiting_writes(self) -> Iterator[str]:
        """Remove and yield the writes that wait."""
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
        """Whether the thread that reads from the terminal is alive."""
        return self._key_thread is not None and self._key_thread.is_alive()

    # Modes -----------------------------------------------------------------------------------

    @property
    def has_mouse(self) -> bool:
        """Whether the terminal reports the mouse."""
        return self._mouse

    @property
    def has_mouse_pixels(self) -> bool:
        """Whether mouse reports are in pixels."""
        return self._mouse_pixels

    def _enable_in_band_window_resize(self) -> None:
        self.start_size_reports()

    def start_size_reports(self) -> None:
        """Ask the terminal to report each new size."""
        super()._enable_in_band_window_resize()

    def stop_size_reports(self) -> None:
        """Ask the terminal not to report sizes any more."""
        self._disable_in_band_window_resize()

    def _disable_mouse_support(self) -> None:
        self.stop_mouse_reports()

    def stop_mouse_reports(self) -> None:
        """Ask the terminal not to report the mouse any more."""
        super()._disable_mouse_support()

    # Signals ---------------------------------------------------------------------------------

    @property
    def is_lent(self) -> bool:
        """Whether another program has the terminal, which the app itself takes back afterwards."""
        return not self._auto_restart

    def _sigtstp_application(self, *_: object) -> None:
        self.handle_stop()

    def handle_stop(self) -> None:
        """Handle SIGTSTP; called between any two instructions of the main thread."""
        raise NotImplementedError

    def _sigcont_application(self, *_: object) -> None:
        self.handle_continue()

    def handle_continue(self) -> None:
        """Handle SIGCONT; called between any two instructions of the main thread."""
        raise NotImplementedError


class InternalParser(XTermParser):
    """A parser that says whether it waits for more characters."""

    @property
    def has_begun_sequence(self) -> bool:
        """Whether the last characters may be the beginning of a sequence."""
        return self._timeout_time is not None

    def end_sequence(self) -> None:
        """Make the next `tick` take the last characters as they are."""
        self._timeout_time = 0.0


class InternalStylesheet(Stylesheet):
    """A style sheet that shows the variables with which it was parsed."""

    @property
    def variables(self) -> dict[str, str]:
        return self._variables


_check_refresh = Widget._check_refresh


def _measure_before_each_layout() -> None:
    """Make a widget that asks for a layout be measured in it, whatever was measured before.

    Textual counts a change of a widget's size only while no earlier one waits. Where another widget
    has the screen laid out in between, the widget keeps the size of its earlier change.
    """
    Widget._check_refresh = _refresh_checked  # type: ignore[assignment,method-assign]


def _refresh_checked(widget: Widget) -> None:
    if widget._layout_required:
        widget._layout_updates += 1
    _check_refresh(widget)


_dispatch = MessagePump._dispatch_message


def continue_after_errors() -> None:
    """Make a widget, a screen or the app take its next message after one has ended in an error.

    Without this Textual ends the message loop in which the error came up, and with it the app.
    """
    MessagePump._dispatch_message = _dispatched  # type: ignore[assignment,method-assign]


async def _dispatched(pump: MessagePump, message: Message) -> None:
    if isinstance(message, Mount) and isinstance(pump, Widget) and is_leaving(pump):
        return
    try:
        await _dispatch(pump, message)
    except Exception as error:
        app = pump.app
        if not isinstance(app, InternalApp) or not app.survives(error):
            raise


def is_leaving(widget: Widget) -> bool:
    """Say whether a widget goes while it opens; some of its own widgets it then never gets."""
    return widget._pruning or widget._closing or widget.app._exit


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
    """Return the screen that an error kept from composing; called while the error is handled."""
    node = active_message_pump.get(None)
    is_composing = Widget._compose.__code__ in _codes(error)
    return node if is_composing and isinstance(node, Screen) else None


def _codes(error: BaseException) -> set[CodeType]:
    return {frame.f_code for frame, _line in traceback.walk_tb(error.__traceback__)}


def character_key(character: str) -> str:
    """Return the name of the key that types a character."""
    return _character_to_key(character)


def fires_late(timer: Timer) -> Timer:
    """Make a timer fire even if the machine stood still until its time was past.

    Textual skips a time that is past when it looks at the clock, even that of a timer with only
    one.
    """
    timer._skip = False
    return timer
