"""What this terminal session can do: SSH, multiplexers, text, colours, the clipboard."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable, Mapping
from typing import NamedTuple

from flowtui.failures import Failure

OSC52_LIMIT_BYTES = 74_994
"""How much xterm takes in one sequence; many terminals silently drop a longer one."""
TMUX_TIMEOUT_S = 2.0
"""How long a tmux command may take."""
_TRUECOLOR = re.compile(
    r"xterm-kitty|kitty|foot|alacritty|(xterm-)?ghostty|wezterm|contour|mintty|.*-direct", re.ASCII
)
"""Terminal types (TERM), or their beginnings, that have 24-bit colours."""
_NO_CLIPBOARD = re.compile(
    r"linux|vt\d|ansi|pcansi|cons25|wsvt25|sun|cygwin|eterm|putty|dumb|$", re.ASCII
)
"""Terminal types, or their beginnings, that take no text for a clipboard."""
_SCREEN = "screen."
"""How the terminal types of GNU screen may begin, and never those of tmux."""


class Session(NamedTuple):
    """Facts about the terminal session, read from the environment."""

    term: str
    is_ssh: bool
    is_tmux: bool
    is_screen: bool
    is_utf8: bool
    locale_variable: str
    """The variable that `is_utf8` was read from; LC_CTYPE if none is set."""
    promises_truecolor: bool
    """Whether COLORTERM says that there are 24-bit colours."""
    is_monochrome: bool
    """Whether NO_COLOR is set, to any value."""
    has_display: bool

    @property
    def is_dumb(self) -> bool:
        return self.term in ("", "dumb")

    @property
    def has_clipboard(self) -> bool:
        """Whether a text can be sent to the person's clipboard."""
        return self.is_tmux or not _NO_CLIPBOARD.match(self.term)

    @property
    def is_behind_another(self) -> bool:
        """Whether tmux or screen runs between here and the terminal, on another machine."""
        is_here = self.is_tmux or self.is_screen
        return not is_here and self.term.startswith(("tmux", "screen"))

    @property
    def draws_for_screen(self) -> bool:
        """Whether what is drawn goes to GNU screen, on this machine or another."""
        return self.is_screen or self.term.startswith(_SCREEN)

    @property
    def has_mouse(self) -> bool:
        """Whether a program can take the mouse and leave Esc a key.

        While it has the mouse, GNU screen (4.9) holds Esc back until the next key.
        """
        return not self.draws_for_screen

    @property
    def is_truecolor(self) -> bool:
        """Whether 24-bit colours are drawn as they are sent.

        The variable that promises them is that of the terminal around screen, which itself takes
        the parts of such a colour for codes of their own.
        """
        is_promised = self.promises_truecolor and not self.draws_for_screen
        return is_promised or bool(_TRUECOLOR.match(self.term))

    @property
    def has_few_colors(self) -> bool:
        """Whether the terminal says that it has no more than sixteen colours."""
        return not self.is_truecolor and "256" not in self.term and not self.is_tmux


def session(environ: Mapping[str, str]) -> Session:
    """Return what an environment says about its terminal session."""
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    locale_variable = next((name for name in names if environ.get(name)), "LC_CTYPE")
    locale = environ.get(locale_variable, "")
    term = environ.get("TERM", "")
    return Session(
        term=term,
        is_ssh=any(name in environ for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")),
        is_tmux="TMUX" in environ,
        # In tmux that runs in screen both have set their variables.
        is_screen="STY" in environ and not term.startswith("tmux"),
        is_utf8=locale.partition("@")[0].upper().replace("-", "").endswith("UTF8"),
        locale_variable=locale_variable,
        promises_truecolor=environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"),
        is_monochrome="NO_COLOR" in environ,
        has_display=bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")),
    )


def has_braille(here: Session) -> bool:
    """Say whether the terminal's font is likely to have braille; the Linux console's has none."""
    return here.is_utf8 and here.term != "linux"


class CopyFailed(Failure):
    """Text did not reach a clipboard; `str()` says why and what would help."""


def copy(text: str, here: Session, write: Callable[[str], None]) -> str:
    """Send text to the clipboard of the person's own machine.

    Args:
        text: The text, as it is stored.
        here: The session.
        write: Sends a control sequence to the terminal.

    Returns:
        What was done with the text; the terminal does not say whether it took it.

    Raises:
        CopyFailed: The session has no clipboard, or copying failed.
    """
    if here.is_tmux:
        return _copy_with_tmux(text)
    if not here.has_clipboard:
        kind = f"of type {here.term}" if here.term else "without a type (TERM)"
        raise CopyFailed(f"A terminal {kind} has no clipboard that a program can write to.")
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    if len(encoded) > OSC52_LIMIT_BYTES:
        raise CopyFailed(
            f"{len(text):,} characters are more than a terminal takes. Save them to a file instead."
        )
    sequence = f"\x1b]52;c;{encoded}\x07"
    # GNU screen passes a sequence on only if it is wrapped like this.
    write(f"\x1bP{sequence}\x1b\\" if here.is_screen else sequence)
    if here.is_behind_another:
        # tmux on another machine cannot be asked from here.
        return "Sent to tmux or screen, for the clipboard"
    return "Sent to the terminal's clipboard"


def _copy_with_tmux(text: str) -> str:
    # By default tmux drops a program's clipboard sequence; its own command always works.
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],
            input=text.encode("utf-8", "replace"),
            capture_output=True,
            timeout=TMUX_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CopyFailed(f"tmux did not take it: {_why(error)}") from error
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip()
        raise CopyFailed(f"tmux did not take it: {reason or f'it ended with {done.returncode}'}.")
    return "Copied with tmux"


def _why(error: OSError | subprocess.TimeoutExpired) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"it did not answer within {error.timeout:g} s."
    if isinstance(error, FileNotFoundError):
        return "its command is not on the PATH."
    return f"{error.strerror or error}."
