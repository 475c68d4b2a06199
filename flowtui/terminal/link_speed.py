"""How fast the link to the person's terminal is, and how seldom a slow one is used."""

from __future__ import annotations

QUERY = "\x1b[?2026$p"
"""Asks a terminal whether it has synchronized output; a terminal that answers does so at once."""
SLOW_ROUND_TRIP_S = 0.15
"""A link whose answers take longer than this is slow."""
SLOW_TICKS = 3
"""On a slow link only every third tick does anything."""


class LinkSpeed:
    """Knows whether the link is slow, because an option says so or because an answer was late."""

    def __init__(self, is_slow: bool) -> None:
        self.is_slow = is_slow
        self._ticks = 0

    def answered(self, round_trip_s: float) -> None:
        """Note how long an answer took after its query."""
        self.is_slow |= round_trip_s > SLOW_ROUND_TRIP_S

    def is_due(self) -> bool:
        """Count a tick, and say whether it should do anything."""
        self._ticks += 1
        return not self.is_slow or self._ticks % SLOW_TICKS == 0
