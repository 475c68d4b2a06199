"""The encoding of what is printed, so that the terminal or program that reads it can take it."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Mapping

from flowtui.terminal.session import session

_STAND_INS = "flow-tui-stand-ins"


def suit(environ: Mapping[str, str]) -> None:
    """Print ASCII where the locale has no UTF-8, with the same stand-ins as the app draws."""
    # In the locale C Python would print UTF-8.
    encoding, errors = None, "replace"
    if not session(environ).is_utf8:
        codecs.register_error(_STAND_INS, _stand_in)
        encoding, errors = "ascii", _STAND_INS
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=encoding, errors=errors)


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    from flowtui.terminal.cell_diff import in_ascii

    assert isinstance(error, UnicodeEncodeError)
    return in_ascii(error.object[error.start : error.end]), error.end
