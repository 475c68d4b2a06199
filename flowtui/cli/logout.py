"""Whether the system ends what a person left running when they log out."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from contextlib import suppress

from flowtui import person

REMEDY = (
    "loginctl enable-linger, and systemd-run --user --scope flow-tui run -- PROGRAM, keep it going"
)
_ASK = (
    *("busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1"),
    *("org.freedesktop.login1.Manager", "KillUserProcesses", "KillOnlyUsers", "KillExcludeUsers"),
)
_ASK_S = 2.0


def told_by_logind() -> str:
    """Return what systemd-logind says, a line for each setting; empty where there is none."""
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(_ASK, capture_output=True, text=True, timeout=_ASK_S, check=False)
        return done.stdout if done.returncode == 0 else ""
    return ""


def ends_processes(user: str | None = None, told: Callable[[], str] = told_by_logind) -> bool:
    """Say whether the processes of a user end with their session, as far as is known.

    Args:
        user: Whose; None for the person.
        told: Returns the settings of systemd-logind, as `busctl` prints them.
    """
    lines = told().splitlines()
    if len(lines) != 3:
        return False
    kills, only, excluded = (shlex.split(line) for line in lines)
    name = user or person.name()
    if kills[1:] != ["true"] or name in excluded[2:]:
        return False
    return not only[2:] or name in only[2:]
