"""What the command line, or a file of settings, asks for and cannot be given."""

from __future__ import annotations


class WrongUsage(Exception):
    """The command line asks for what there is not; `str()` says what there is."""
