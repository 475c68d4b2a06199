"""The error of a command line or a settings file that asks for what does not exist."""

from __future__ import annotations

from flowtui.failures import Failure


class WrongUsage(Failure):
    """The command line asks for what does not exist; `str()` says what does."""
