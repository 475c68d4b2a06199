"""Text that is handed to another program: the clipboard, or the person's pager."""

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
    """Send text to the clipboard, and notify the person of the outcome.

    Args:
        app: The app that shows the notification.
        text: The whole text, as it is stored.
        session: What this terminal can do.
        write: Sends a control sequence to the terminal.
    """
    try:
        done = terminal.copy(text, session, write)
    except terminal.CopyFailed as error:
        app.notify(str(error), title="Not copied", severity="warning", markup=False)
        return
    app.notify(fmt.plain(text, 60), title=done, timeout=2, markup=False)


def page(app: App[None], text: str) -> None:
    """Show a text in the person's pager; the app waits until that ends.

    Args:
        app: The app, whose terminal the pager gets.
        text: Safe lines, which any pager may show as they are.
    """
    try:
        words = pager.command(os.environ)
        with app.suspend():
            pager.show(text, words)
    except (pager.PagerFailed, SuspendNotSupported) as error:
        reason = NOT_LENT if isinstance(error, SuspendNotSupported) else str(error)
        app.notify(fmt.plain(reason, 300), title="No pager", severity="warning", markup=False)
