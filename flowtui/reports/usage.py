"""What the command line, or a file of settings, asks for and cannot be given."""

from __future__ import annotations

from collections.abc import Iterable

from flowtui.failures import Failure
from flowtui.store.errors import StoreError


class WrongUsage(Failure):
    """The command line asks for what there is not; `str()` says what there is."""


class PrintedInPart(StoreError):
    """What was asked for is printed, but for what could not be read; `str()` says why."""


def raise_if_in_part(reasons: Iterable[str]) -> None:
    """Raise where there are reasons why a part of what was printed is missing.

    Raises:
        PrintedInPart: with the first of them, and how many more there are.
    """
    first, *rest = *reasons, ""
    if first:
        more = f"; and {len(rest) - 1:,} more" if len(rest) > 1 else ""
        raise PrintedInPart(f"{first}{more}")
