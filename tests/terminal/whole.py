"""What must hold of a terminal that is left: it is as it was."""

from __future__ import annotations

import re

from tests.terminal.terminal import Terminal

OFF_AT_THE_END = ("1000", "1002", "1003", "1004", "1006", "1015", "1016", "1049", "2004", "2048")
"""Private modes: mouse, focus, alternate screen, bracketed paste, resize reports."""
ON_AT_THE_END = ("7", "25")
"""Line wrap, and a visible cursor."""


def assert_whole(terminal: Terminal) -> None:
    """Check that whoever uses the terminal next finds nothing of the app on it."""
    assert terminal.attributes() == terminal.attributes_before
    raw = terminal.raw.decode()
    assert_modes_given_back(raw)
    # Colours are reset while the app's own screen is still shown, and nothing is drawn after it.
    _before, _, after = raw.rpartition("\x1b[?1049l")
    styles = re.findall(r"\x1b\[([\d;]*)m", raw)
    assert styles[-1] in ("", "0")
    assert re.sub(r"\x1b\[[?<\d;]*[a-zA-Z]", "", after).strip() == "", f"then came {after!r}"


def assert_modes_given_back(raw: str) -> None:
    """Check that the modes of a terminal that was sent this are as they were before."""
    last = dict(re.findall(r"\x1b\[\?(\d+)([hl])", raw))
    modes = [mode for mode in OFF_AT_THE_END if last.get(mode, "l") != "l"]
    modes += [mode for mode in ON_AT_THE_END if last.get(mode, "h") != "h"]
    assert modes == [], f"left as they are not to be: {modes}; at the end came {raw[-300:]!r}"
    assert raw.count("\x1b[<u") >= raw.count("\x1b[>") > 0
