"""What is kept of an error in flow-tui itself."""

from __future__ import annotations

import traceback
from pathlib import Path

from flowtui import clock, person


def write_crash_log(error: BaseException) -> str:
    """Write an error with its traceback to a file of its own and say where that is."""
    path = Path(f"crash-{clock.now():%Y%m%d-%H%M%S-%f}.log")
    details = "".join(traceback.format_exception(error))
    try:
        path = person.folder("log") / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(details, "utf-8", "backslashreplace")
    except OSError as failure:
        return f"Its details could not be written to {path}: {failure.strerror}"
    return f"Details are in {path}"
