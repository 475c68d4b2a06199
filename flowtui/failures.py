"""The two ways in which what was begun does not come to its end, whatever it was."""

from __future__ import annotations


class Failure(Exception):
    """It failed in a way that a person can be told of: `str()` says what, where and what to do."""


class NoLongerWanted(Exception):
    """Nobody waits for it any more; nothing is to be said."""
