"""The logs of errors in flow-tui itself."""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import flowtui
from flowtui import clock
from flowtui.widgets.remembered import state_directory

MOST_LOGS = 20
"""How many logs are kept; older ones are deleted."""
NOTIFY_AGAIN_AFTER_S = 5.0
"""How long a notification stays on the screen; before that it is not repeated."""
_PACKAGE = os.path.dirname(flowtui.__file__)

_Sameness = tuple[type[BaseException], tuple[str, int], tuple[str, int]]


class Crashes:
    """The errors of a session, each of which is logged once.

    Two errors are the same if they have the same type, were raised at the same place and came from
    the same line of flow-tui, whatever their messages say and whichever key led there.
    """

    def __init__(self) -> None:
        self._where: dict[_Sameness, str] = {}
        self._said_at_s: dict[_Sameness, float] = {}

    def note(self, error: BaseException) -> str:
        """Log an error unless it is known, and return a sentence about where its details are."""
        same = _sameness(error)
        if same not in self._where:
            self._where[same] = write_crash_log(error)
        return self._where[same]

    def is_news(self, error: BaseException, is_asked: bool) -> bool:
        """Say whether to notify the person of an error now, and note that it was done.

        Args:
            error: The error.
            is_asked: Whether a key led to it. A key is never left without an answer; an error that
                comes up by itself is shown once.
        """
        same, now_s = _sameness(error), time.monotonic()
        last_s = self._said_at_s.get(same)
        is_news = last_s is None or (is_asked and now_s - last_s >= NOTIFY_AGAIN_AFTER_S)
        if is_news:
            self._said_at_s[same] = now_s
        return is_news


def _sameness(error: BaseException) -> _Sameness:
    innermost = own = ("", 0)
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        innermost = (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
        if innermost[0].startswith(_PACKAGE):
            own = innermost
        trace = trace.tb_next
    return type(error), innermost, own


def crash_directory() -> Path:
    """Return the folder of the crash logs, which need not exist."""
    return state_directory() / "log"


def write_crash_log(error: BaseException) -> str:
    """Write an error with its traceback to a file of its own and return a sentence with its path.

    Only the user may read the file: an error's message may quote what is in a store.
    """
    directory = crash_directory()
    details = "".join(traceback.format_exception(error))
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A random part keeps the logs of the same moment apart, and mkstemp gives the mode 0600.
        began = f"crash-{clock.now():%Y%m%d-%H%M%S-%f}-"
        number, path = tempfile.mkstemp(".log", began, directory)
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as out:
            out.write(details)
    except OSError as failure:
        return f"Its details could not be written to {directory}: {failure.strerror}"
    _prune(directory)
    return f"Details are in {path}"


def _prune(directory: Path) -> None:
    """Delete all but the newest logs, whose names sort by the time of writing."""
    with suppress(OSError):
        for path in sorted(directory.glob("crash-*.log"))[:-MOST_LOGS]:
            path.unlink(missing_ok=True)
