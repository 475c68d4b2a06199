"""What is kept of errors in flow-tui itself."""

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
"""Those before the last so many are deleted."""
SAY_AGAIN_AFTER_S = 5.0
"""So long a message in a corner of the screen stays there."""
_PACKAGE = os.path.dirname(flowtui.__file__)

_Sameness = tuple[type[BaseException], tuple[str, int], tuple[str, int]]


class Crashes:
    """The errors that a session met, each of which is written down once.

    One is the same as another if it is of the same type and was raised at the same place, from the
    same line of flow-tui, whatever its words say and whichever key led there.
    """

    def __init__(self) -> None:
        self._where: dict[_Sameness, str] = {}
        self._said_at_s: dict[_Sameness, float] = {}

    def note(self, error: BaseException) -> str:
        """Write an error down unless it is known, and say where its details are."""
        same = _sameness(error)
        if same not in self._where:
            self._where[same] = write_crash_log(error)
        return self._where[same]

    def is_news(self, error: BaseException, is_asked: bool) -> bool:
        """Say whether a person is to be told of an error now, who then was.

        Args:
            error: what happened.
            is_asked: whether it is what came of a key, which is never left without an answer; what
                happens by itself is told once.
        """
        same, now_s = _sameness(error), time.monotonic()
        last_s = self._said_at_s.get(same)
        is_news = last_s is None or (is_asked and now_s - last_s >= SAY_AGAIN_AFTER_S)
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
    """Return the folder where crash logs are; it need not be there."""
    return state_directory() / "log"


def write_crash_log(error: BaseException) -> str:
    """Write an error with its traceback to a file of its own and say where that is.

    Only the user may read it: an error's words may quote what is in a store.
    """
    directory = crash_directory()
    details = "".join(traceback.format_exception(error))
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The random part keeps apart what happens at the same time, and the mode is 0600.
        began = f"crash-{clock.now():%Y%m%d-%H%M%S-%f}-"
        number, path = tempfile.mkstemp(".log", began, directory)
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as out:
            out.write(details)
    except OSError as failure:
        return f"Its details could not be written to {directory}: {failure.strerror}"
    _prune(directory)
    return f"Details are in {path}"


def _prune(directory: Path) -> None:
    """Delete all logs but the last; their names say when they were written."""
    with suppress(OSError):
        for path in sorted(directory.glob("crash-*.log"))[:-MOST_LOGS]:
            path.unlink(missing_ok=True)
