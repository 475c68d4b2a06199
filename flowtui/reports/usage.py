"""What the command line, or a file of settings, asks for and cannot be given."""

from __future__ import annotations

from flowtui.failures import Failure


class WrongUsage(Failure):
    """The command line asks for what there is not; `str()` says what there is."""
