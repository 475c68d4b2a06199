"""Text that leaves the app for another program: the clipboard, and the person's pager."""

from __future__ import annotations

import os
from collections.abc import Callable

from textual.app import App, SuspendNotSupported

from flowtui import format as fmt
from flowtui.terminal import pager
from flowtui.terminal import session as terminal

NOT_LENT = "This terminal cannot be lent to another program."


def copy(
    app: App[None], text: str, session: terminal.Session, write: Callable[[str], None]
) -> None:
    """Send text to the clipboard, and say how that went.

    Args:
        app: says it.
        text: whole, as it is stored.
        session: what this terminal can do.
        write: sends to the terminal.
    """
    try:
        done = terminal.copy(text, session, write)
    except terminal.CopyFailed as error:
        app.notify(str(error), title="Not copied", severity="warning", markup=False)
        return
    app.notify(fmt.plain(text, 60), title=done, timeout=2, markup=False)


def page(app: App[None], text: str) -> None:
    """Show a text in the person's pager; the app stands still until that is left.

    Args:
        app: gives its terminal away.
        text: safe lines, which any pager may show as they are.
    """
    try:
        words = pager.command(os.environ)
        with app.suspend():
            pager.show(text, words)
    except (pager.PagerFailed, SuspendNotSupported) as error:
        reason = NOT_LENT if isinstance(error, SuspendNotSupported) else str(error)
        app.notify(fmt.plain(reason, 300), title="No pager", severity="warning", markup=False)
