"""Ticks of an axis: at round numbers, 1, 2 or 5 times a power of ten apart, or round times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, time, timedelta, tzinfo

from flowtui import format as fmt

STEPS = (1, 2, 5, 10)


def spacing(low: float, high: float, at_most: int, whole: bool = False) -> float:
    """Return how far apart ticks stand so that at most so many lie in a range.

    Args:
        low: the lower end.
        high: the upper end, above it.
        at_most: at least 1.
        whole: only whole numbers, for steps.
    """
    # Halves, because the range itself may be wider than a float.
    rough = (high / 2 - low / 2) / max(at_most, 1) * 2
    if rough <= 0 or not math.isfinite(rough):
        return rough if math.isfinite(rough) and rough > 0 else 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    chosen = next((step * power for step in STEPS if step * power >= rough * 0.999), 10 * power)
    return max(chosen, 1.0) if whole else chosen


def ticks(low: float, high: float, at_most: int, whole: bool = False) -> list[float]:
    """Return the round numbers in a range, lowest first."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low] if math.isfinite(low) else []
    apart = spacing(low, high, at_most, whole)
    if not math.isfinite(apart):
        return [low, high]
    first = math.ceil(low / apart)
    last = math.floor(high / apart)
    return [index * apart for index in range(first, min(last, first + 10 * at_most) + 1)]


SMALLEST_POWER, LARGEST_POWER = -307, 308
"""Powers of ten that are floats in full precision."""


def log_ticks(low: float, high: float, at_most: int) -> list[float]:
    """Return powers of ten in a range, and 2 and 5 times them if there is room.

    Args:
        low: the lower end, as its logarithm to the base of ten.
        high: the upper end, the same.
        at_most: how many.
    """
    first = max(math.floor(low), SMALLEST_POWER)
    last = min(math.ceil(high), LARGEST_POWER)
    every = max(math.ceil((last - first) / max(at_most, 1)), 1)
    factors = (1, 2, 5) if (last - first) * 3 <= at_most else (1,)
    made = [(factor, power) for power in range(first, last + 1, every) for factor in factors]
    return [
        factor * 10.0**power
        for factor, power in made
        if low <= power + math.log10(factor) <= high and power < LARGEST_POWER
    ]


def labels(values: Sequence[float]) -> list[str]:
    """Return ticks as text, all with as many decimals as tell them apart."""
    if len(values) > 1:
        apart = abs(values[1] - values[0])
        largest = max(abs(value) for value in values)
        if apart > 0 and apart >= 1e-4 and largest < 1e7:
            decimals = max(-math.floor(math.log10(apart)), 0)
            return [f"{value + 0.0:,.{decimals}f}" for value in values]
    return [fmt.number(value, 3) for value in values]


MINUTE, HOUR, DAY = 60, 3_600, 86_400
TIME_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(minutes * MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * HOUR for hours in (1, 2, 3, 6, 12)),
)
"""Seconds that ticks of time stand apart; more than these are whole days."""
_UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (1, "s"))
_EPOCH = datetime(1970, 1, 1)
_MIDNIGHT = time()


def time_ticks(low_s: float, high_s: float, at_most: int) -> list[float]:
    """Return round durations in a range of seconds, lowest first."""
    if not _is_range(low_s, high_s):
        return ticks(low_s, high_s, at_most)
    apart = _seconds_apart(low_s, high_s, at_most)
    first, last = math.ceil(low_s / apart), math.floor(high_s / apart)
    found = (float(index * apart) for index in range(first, last + 1))
    # A quotient may be rounded over the end of the range.
    return [tick for tick in found if low_s <= tick <= high_s]


def duration_labels(values_s: Sequence[float]) -> list[str]:
    """Return durations of whole seconds as text, all in one manner.

    In words while two of them say it, `1 h 30 m`; else as `1:05:30`, whose hours may be any
    number.
    """
    worded = [_in_words(round(abs(value))) for value in values_s]
    shown = [" ".join(words) or "0" for words in worded]
    if any(len(words) > 2 for words in worded):
        shown = [_with_colons(round(abs(value))) for value in values_s]
    return [
        f"-{text}" if round(value) < 0 else text
        for value, text in zip(values_s, shown, strict=True)
    ]


def clock_ticks(
    low_s: float, high_s: float, at_most: int, zone: tzinfo | None = None
) -> list[float]:
    """Return moments in a range that are round on a wall clock, lowest first.

    There are none if the range reaches beyond the years that a date can have.

    Args:
        low_s: the lower end, in Unix seconds.
        high_s: the upper end, the same.
        at_most: how many.
        zone: whose clock; local unless one is given.
    """
    if not _is_range(low_s, high_s):
        return []
    apart = _seconds_apart(low_s, high_s, at_most)
    try:
        low_wall_s, high_wall_s = _wall_s(low_s, zone), _wall_s(high_s, zone)
        # A clock that is set meanwhile shows times before those of the ends, or after them.
        change = abs(round(high_wall_s - low_wall_s - (high_s - low_s)))
        first = math.floor((low_wall_s - change) / apart)
        last = math.floor((high_wall_s + change) / apart)
        found = {at for index in range(first, last + 1) for at in _shown_at(index * apart, zone)}
    except (ValueError, OverflowError, OSError):
        return []
    return sorted(at for at in found if low_s <= at <= high_s)


def clock_labels(values_s: Sequence[float], zone: tzinfo | None = None) -> list[str]:
    """Return moments in Unix seconds as text: `14:05`, a midnight as its date."""
    moments = [datetime.fromtimestamp(value, zone) for value in values_s]
    pattern = "%H:%M:%S" if any(moment.second for moment in moments) else "%H:%M"
    has_years = len({moment.year for moment in moments}) > 1
    return [
        format(moment, pattern) if moment.time() != _MIDNIGHT else _date(moment, has_years)
        for moment in moments
    ]


def _date(moment: datetime, has_year: bool) -> str:
    return f"{moment.day} {moment:%b}" + (f" {moment.year}" if has_year else "")


def _is_range(low: float, high: float) -> bool:
    return math.isfinite(low) and math.isfinite(high - low) and high > low


def _seconds_apart(low_s: float, high_s: float, at_most: int) -> int:
    rough = (high_s - low_s) / max(at_most, 1)
    # A range may be wider than a sum of its parts by a rounding.
    fitting = (apart for apart in TIME_STEPS if apart >= rough * 0.999)
    days = spacing(low_s / DAY, high_s / DAY, at_most, whole=True)
    return next(fitting, round(days) * DAY)


def _wall_s(at_s: float, zone: tzinfo | None) -> float:
    """Return what a clock shows at a moment, as seconds since it showed 1970."""
    shown = datetime.fromtimestamp(at_s, zone).replace(tzinfo=None)
    return (shown - _EPOCH).total_seconds()


def _shown_at(wall_s: int, zone: tzinfo | None) -> list[float]:
    """Return when a clock shows a time: never where it is set forward over it, twice if back."""
    shown = _EPOCH + timedelta(seconds=wall_s)
    moments = [shown.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1)]
    return [at for at in moments if datetime.fromtimestamp(at, zone).replace(tzinfo=None) == shown]


def _in_words(seconds: int) -> list[str]:
    words = []
    for size, unit in _UNITS:
        number_of, seconds = divmod(seconds, size)
        if number_of:
            words.append(f"{number_of:,} {unit}")
    return words


def _with_colons(seconds: int) -> str:
    minutes, second = divmod(seconds, MINUTE)
    hours, minute = divmod(minutes, MINUTE)
    return f"{hours}:{minute:02}:{second:02}"
