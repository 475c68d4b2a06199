"""The two ways in which work of any kind ends before it is done."""

from __future__ import annotations


class Failure(Exception):
    """Work failed for a reason that a person can be told: `str()` says what and what to do."""


class NoLongerWanted(Exception):
    """Nobody waits for the answer any more, so nothing is said about it."""
