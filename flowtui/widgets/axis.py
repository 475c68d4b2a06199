"""Ticks of an axis: at round numbers, 1, 2 or 5 times a power of ten apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
