"""The error of a command line or a settings file that asks for what does not exist."""

from __future__ import annotations

from collections.abc import Iterable

from flowtui.failures import Failure
from flowtui.store.errors import StoreError


class WrongUsage(Failure):
    """The command line asks for what does not exist; `str()` says what does."""


class PrintedInPart(StoreError):
    """The output lacks what could not be read; `str()` says what and why."""


def raise_if_in_part(reasons: Iterable[str]) -> None:
    """Raise if there are reasons why a part of the output is missing.

    Raises:
        PrintedInPart: The first of the reasons, and how many more there are.
    """
    first, *rest = *reasons, ""
    if first:
        more = f"; and {len(rest) - 1:,} more" if len(rest) > 1 else ""
        raise PrintedInPart(f"{first}{more}")
