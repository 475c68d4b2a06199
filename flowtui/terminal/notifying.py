"""Notices of the person's own desktop, which terminals show even when they are not in sight."""

from __future__ import annotations

import re

from flowtui import format as fmt
from flowtui.terminal.session import Session

BELL = "\a"
MOST_CHARS = 200
_TAKES_777 = re.compile(r"rxvt|foot")
"""Types of terminals that know OSC 777; the others that show notices know OSC 9."""


def notice(title: str, text: str, here: Session) -> str:
    """Return what to send to the terminal: a bell, and a notice where it may show one.

    A terminal that knows neither ignores it. tmux passes it on where `allow-passthrough` is on.

    Args:
        title: What it is of.
        text: What has come.
        here: The session.
    """
    if not here.has_clipboard:
        # Such terminals write out control strings that they do not know.
        return BELL
    # A semicolon separates the fields of OSC 777.
    said, of = (fmt.plain(one, MOST_CHARS).replace(";", ",") for one in (text, title))
    known = f"777;notify;{of};{said}" if _TAKES_777.match(here.term) else f"9;{of}: {said}"
    sequence = f"\x1b]{known}\x1b\\"
    if here.is_tmux:
        return f"{BELL}\x1bPtmux;{sequence.replace(chr(27), 2 * chr(27))}\x1b\\"
    if here.is_screen:
        return f"{BELL}\x1bP\x1b]{known}\x07\x1b\\"
    return BELL + sequence
