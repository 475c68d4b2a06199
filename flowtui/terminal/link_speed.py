"""How fast the link to the person's terminal is, and what is done more seldom on a slow one."""

from __future__ import annotations

QUERY = "\x1b[?2026$p"
"""Asks a terminal whether it draws frames whole; all that answer do so at once."""
SLOW_ROUND_TRIP_S = 0.15
SLOW_TICKS = 3
"""On a slow link only one of so many ticks does anything."""


class LinkSpeed:
    """Knows whether the link is slow: because it was said, or because an answer took its time."""

    def __init__(self, is_slow: bool) -> None:
        self.is_slow = is_slow
        self._ticks = 0

    def answered(self, round_trip_s: float) -> None:
        """Take note of how long it took from a query to its answer."""
        self.is_slow |= round_trip_s > SLOW_ROUND_TRIP_S

    def is_due(self) -> bool:
        """Count a tick, and say whether it is one that does something."""
        self._ticks += 1
        return not self.is_slow or self._ticks % SLOW_TICKS == 0
