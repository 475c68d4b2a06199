"""Ticks of an axis of time: at round durations, or at round times of day."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time, timedelta, tzinfo
from fractions import Fraction

from flowtui import format as fmt
from flowtui.widgets.charts.ticks import Ticks, round_numbers, spacing

MINUTE, HOUR, DAY = 60, 3_600, 86_400
TIME_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(minutes * MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * HOUR for hours in (1, 2, 3, 6, 12)),
)
"""Possible distances of ticks in seconds; longer distances are whole days."""
CLOCK_DECIMALS, DURATION_DECIMALS = 6, 12
"""The most decimals of a second: as many as a datetime has, and those of a picosecond."""
NARROWEST_S = 1e-5
"""The narrowest range with times of day: floats of Unix seconds are a quarter of 1e-6 s apart."""
_UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (1, "s"))
_EPOCH = datetime(1970, 1, 1)
_MIDNIGHT = time()


def durations(low_s: float, high_s: float, at_most: int) -> Ticks:
    """Return ticks at round durations in a range of seconds."""
    found = time_ticks(low_s, high_s, at_most)
    return Ticks(tuple(found), tuple(duration_labels(found)))


def clock(low_s: float, high_s: float, at_most: int, zone: tzinfo | None = None) -> Ticks:
    """Return ticks at round times of day, as `clock_ticks` finds them."""
    found = clock_ticks(low_s, high_s, at_most, zone)
    return Ticks(tuple(found), tuple(clock_labels(found, zone)))


def time_ticks(low_s: float, high_s: float, at_most: int) -> list[float]:
    """Return round durations in a range of seconds, lowest first."""
    if not _is_range(low_s, high_s):
        return [low_s] if math.isfinite(low_s) else []
    if (parts := _parts_of_seconds(low_s, high_s, at_most)) is not None:
        return parts
    apart = _seconds_apart(low_s, high_s, at_most)
    first, last = math.ceil(low_s / apart), math.floor(high_s / apart)
    found = (float(index * apart) for index in range(first, last + 1))
    # The rounding of a quotient may lead past an end of the range.
    return [tick for tick in found if low_s <= tick <= high_s]


def duration_labels(values_s: Sequence[float]) -> list[str]:
    """Return durations as text, all in the same form.

    The form is `1 h 30 m` if two units are enough for each, else `1:05:30` with any number of
    hours. Parts of a second are decimals.
    """
    decimals = _decimals(values_s, DURATION_DECIMALS)
    split = [f"{abs(value):.{decimals}f}".partition(".") for value in values_s]
    worded = [_in_words(int(whole)) for whole, _, _ in split]
    shown = [" ".join(words) or "0" for words in worded]
    if decimals and all(int(whole) < MINUTE for whole, _, _ in split):
        shown = [f"{whole}.{parts} s" for whole, _, parts in split]
    elif decimals or any(len(words) > 2 for words in worded):
        shown = [f"{_with_colons(int(whole))}{dot}{parts}" for whole, dot, parts in split]
    return [
        f"-{text}" if value < 0 and any(char in "123456789" for char in text) else text
        for value, text in zip(values_s, shown, strict=True)
    ]


def clock_ticks(
    low_s: float, high_s: float, at_most: int, zone: tzinfo | None = None
) -> list[float]:
    """Return the moments in a range that are round times of day, lowest first.

    There are none if the range leaves the years of a datetime, or is too narrow for microseconds.

    Args:
        low_s: The lower end in Unix seconds.
        high_s: The upper end in Unix seconds.
        at_most: The highest number of moments.
        zone: The time zone; None for the local one.
    """
    if not _is_range(low_s, high_s):
        return []
    apart = _seconds_apart(low_s, high_s, at_most)
    try:
        if (parts := _parts_of_seconds(low_s, high_s, at_most)) is not None:
            # Outside the years of a datetime this fails, and there are no ticks.
            _wall_s(low_s, zone), _wall_s(high_s, zone)
            return parts if high_s - low_s >= NARROWEST_S else []
        low_wall_s, high_wall_s = _wall_s(low_s, zone), _wall_s(high_s, zone)
        # If the clock is set in this range, it shows times before or after those of the ends.
        change = abs(round(high_wall_s - low_wall_s - (high_s - low_s)))
        first = math.floor((low_wall_s - change) / apart)
        last = math.floor((high_wall_s + change) / apart)
        found = {at for index in range(first, last + 1) for at in _shown_at(index * apart, zone)}
    except (ValueError, OverflowError, OSError):
        return []
    return sorted(at for at in found if low_s <= at <= high_s)


def clock_labels(values_s: Sequence[float], zone: tzinfo | None = None) -> list[str]:
    """Return moments in Unix seconds as text: `14:05`, and a midnight as its date.

    If a clock is set back and shows a time twice, both labels have the name of their zone.
    """
    decimals = _decimals(values_s, CLOCK_DECIMALS)
    split = [divmod(round(value * 10**decimals), 10**decimals) for value in values_s]
    moments = [datetime.fromtimestamp(whole, zone) for whole, _ in split]
    parts = [f".{part:0{decimals}}" if decimals else "" for _, part in split]
    has_years = len({moment.year for moment in moments}) > 1
    has_seconds = bool(decimals) or any(moment.second for moment in moments)
    pattern = "%H:%M:%S" if has_seconds else "%H:%M"
    texts = [
        format(moment, pattern) + part if decimals or moment.time() != _MIDNIGHT
        else fmt.day(moment, has_years)
        for moment, part in zip(moments, parts, strict=True)
    ]  # fmt: skip
    again = {text for text, number_of in Counter(texts).items() if number_of > 1}
    return [
        f"{text} {moment.astimezone(zone):%Z}" if text in again else text
        for text, moment in zip(texts, moments, strict=True)
    ]


def _is_range(low: float, high: float) -> bool:
    return math.isfinite(low) and math.isfinite(high - low) and high > low


def _parts_of_seconds(low_s: float, high_s: float, at_most: int) -> list[float] | None:
    """Return round parts of seconds in a range; None if whole seconds are fine enough."""
    if high_s - low_s > max(at_most, 1) / 2:
        return None
    # A float has more precision for the difference to a large number than for that number.
    base_s = math.floor(low_s)
    low, high = Fraction(low_s) - base_s, Fraction(high_s) - base_s
    found = (base_s + float(part) for part in round_numbers(low, high, at_most))
    return [at for at in found if low_s <= at <= high_s]


def _decimals(values_s: Sequence[float], most: int) -> int:
    """Return how many decimals show round parts of a second in full."""
    for decimals in range(most):
        lost = ((value, abs(value - round(value, decimals))) for value in values_s)
        if all(part < max(1e-15, 4 * math.ulp(value)) for value, part in lost):
            return decimals
    return most


def _seconds_apart(low_s: float, high_s: float, at_most: int) -> int:
    rough = (high_s - low_s) / max(at_most, 1)
    # By rounding, a range may be a little wider than the sum of its parts.
    fitting = (apart for apart in TIME_STEPS if apart >= rough * 0.999)
    step, power = spacing(
        Fraction(low_s) / DAY, Fraction(high_s) / DAY, max(at_most, 1), whole=True
    )
    return next(fitting, step * 10**power * DAY)


def _wall_s(at_s: float, zone: tzinfo | None) -> float:
    """Return the time that a clock shows at a moment, as seconds since it showed 1970."""
    shown = datetime.fromtimestamp(at_s, zone).replace(tzinfo=None)
    return (shown - _EPOCH).total_seconds()


def _shown_at(wall_s: int, zone: tzinfo | None) -> list[float]:
    """Return when a clock shows a time: never if it is set forward over it, twice if set back."""
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
