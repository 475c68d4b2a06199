"""Which metrics the grid shows, and in which order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from time import process_time

from flowtui.store.errors import FilterError, PatternTooSlow
from flowtui.store.metrics.listing import telling_first
from flowtui.store.values import LoggedPoint


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
        self._pattern = ""
        if len(text) > 1 and text.startswith("/"):
            from flowtui.store.filters.functions import IGNORING_CASE, PatternError, compile_pattern

            body = text[1:].removesuffix("/")
            try:
                compile_pattern(body)
                self._pattern = IGNORING_CASE + body
            except PatternError as error:
                raise FilterError(str(error), error.offset + 1) from None

    def of(self, names: Iterable[str]) -> list[str]:
        """Return the names that fit, in their order.

        Raises:
            FilterError: the expression takes so long on them that the keys would wait.
        """
        if not self._pattern:
            return [name for name in names if self._needle in name.casefold()]
        from flowtui.store.filters.functions import SEARCH_S, found_in

        fitting = []
        until_s = process_time() + SEARCH_S
        try:
            for name in names:
                # A time of nothing would be none.
                if found_in(self._pattern, name, max(until_s - process_time(), 0.001)):
                    fitting.append(name)
        except PatternTooSlow as error:
            raise FilterError(str(error), 0) from None
        return fitting


def ordered(points: Mapping[str, LoggedPoint | None], by_change: bool) -> list[str]:
    """Return metrics by name, with the most informative first, or by their last change.

    The grid groups metrics by prefix, and takes the prefixes in this order.
    """
    names = telling_first(points)
    return sorted(names, key=lambda key: _age(points[key])) if by_change else names


def _age(point: LoggedPoint | None) -> float:
    """Return a number that is lower for a point that was logged later."""
    return math.inf if point is None or point.logged_at is None else -point.logged_at.timestamp()
