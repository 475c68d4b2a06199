"""Which metrics the grid shows, and in which order."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from flowtui.store.errors import FilterError
from flowtui.store.metrics.listing import telling_first
from flowtui.store.values import LoggedPoint

NAME_CHARACTERS = 300
"""How much of a name a regular expression searches; a search cannot be interrupted."""


class NameFilter:
    """A filter over names: part of a name in any case, or a regular expression in slashes."""

    def __init__(self, text: str = "") -> None:
        """Parse what was typed; the closing slash of an expression may still be missing.

        Raises:
            FilterError: The text between the slashes is not a regular expression.
        """
        self.text = text
        # A slash alone is the beginning of an expression.
        self._needle = "" if text == "/" else text.casefold()
        self._pattern: re.Pattern[str] | None = None
        if len(text) > 1 and text.startswith("/"):
            from flowtui.store.filters.functions import PatternError, compile_pattern

            body = text[1:].removesuffix("/")
            try:
                compile_pattern(body)
                self._pattern = re.compile(body, re.IGNORECASE)
            except PatternError as error:
                raise FilterError(str(error), error.offset + 1) from None

    def fits(self, name: str) -> bool:
        if self._pattern is not None:
            return self._pattern.search(name[:NAME_CHARACTERS]) is not None
        return self._needle in name.casefold()


def ordered(points: Mapping[str, LoggedPoint | None], by_change: bool) -> list[str]:
    """Return metrics by name, with the most informative first, or by their last change.

    The grid groups metrics by prefix, and takes the prefixes in this order.
    """
    names = telling_first(points)
    return sorted(names, key=lambda key: _age(points[key])) if by_change else names


def _age(point: LoggedPoint | None) -> float:
    """Return a number that is lower for a point that was logged later."""
    return math.inf if point is None or point.logged_at is None else -point.logged_at.timestamp()
