"""Which metrics the grid shows, and in which order."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from flowtui.store.errors import FilterError
from flowtui.store.metrics.listing import telling_first
from flowtui.store.values import LoggedPoint

NAME_CHARACTERS = 300
"""So much of a name is searched by a regular expression, which cannot be stopped."""


class NameFilter:
    """A typed filter over names: part of one in any case, or a regular expression in slashes."""

    def __init__(self, text: str = "") -> None:
        """Take what was typed; the closing slash of an expression may still be missing.

        Raises:
            FilterError: It is no regular expression.
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
    """Return metrics by name, those that tell most about a run first; or by their last change.

    Metrics of one prefix stand together when they are shown; the prefixes come in this order.
    """
    names = telling_first(points)
    return sorted(names, key=lambda key: _age(points[key])) if by_change else names


def _age(point: LoggedPoint | None) -> float:
    """Return a number that is the lower, the later a point was logged."""
    return math.inf if point is None or point.logged_at is None else -point.logged_at.timestamp()
