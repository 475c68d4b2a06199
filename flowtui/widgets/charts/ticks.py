"""Ticks at round numbers: 1, 2 or 5 times a power of ten apart, with labels that all differ.

Ticks are decimal numbers until they get a place, so that each label is exact: with floats two could
read alike, or show rounding noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

STEPS = (1, 2, 5, 10)
"""Distances of ticks, times a power of ten."""
FEWEST = 2
"""The least number of ticks; with fewer an axis does not show its scale."""
FINER = (1, 2, 5)
"""How many times finer than asked for ticks may be to reach that number; 5 is always enough."""
FLOATS_APART = 8
"""Ticks that are fewer floats apart than this are placed only on floats."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """The ticks of an axis, lowest first."""

    places: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    offset: str = ""
    """The number that is to be added to each label; empty if the labels are whole."""

    @property
    def cells(self) -> int:
        """The width of the widest label."""
        return max(map(len, self.labels), default=0)

    def placed(self, place: Callable[[float], float]) -> Ticks:
        """Return the same labels at other places."""
        return replace(self, places=tuple(map(place, self.places)))


def even(
    low: float | Fraction, high: float | Fraction, at_most: int, cells: int, whole: bool = False
) -> Ticks:
    """Return ticks at round numbers in a range; none if the range is empty.

    If labels that differ would be too long, they are relative to an offset.

    Args:
        low: The lower end.
        high: The upper end.
        at_most: The highest number of parts into which the ticks divide the range.
        cells: The greatest width of a label, 11 or more; with up to twenty parts all labels fit.
        whole: Whether only whole numbers count, as for steps, if there are any in the range.
    """
    numbers = _numbers(low, high, at_most, whole)
    if not numbers:
        return Ticks()
    labels, offset = _labels(numbers, cells)
    return Ticks(tuple(map(float, numbers)), tuple(labels), offset)


def _numbers(
    low: float | Fraction, high: float | Fraction, at_most: int, whole: bool = False
) -> list[Decimal]:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        return []
    # A float counts as the decimal that it is written as: otherwise 0.1 would lie beside its tick.
    return round_numbers(Fraction(str(low)), Fraction(str(high)), at_most, whole)


def upward(bottom: float, top: float, is_log: bool, at_most: int, cells: int) -> Ticks:
    """Return the ticks of a vertical axis; on a logarithmic one ends and places are logarithms."""
    if not is_log:
        return even(bottom, top, at_most, cells)
    powers = list(_powers(bottom, top, at_most))
    if len(powers) >= FEWEST or top - bottom >= 1:
        labels, _ = _labels([Decimal(factor).scaleb(power) for factor, power in powers], cells)
        places = (power + math.log10(factor) for factor, power in powers)
        return Ticks(tuple(places), tuple(labels))
    # Between two powers of ten, the round numbers of a linear axis are more useful.
    numbers = _numbers(10**bottom, 10 ** min(top, _LARGEST), at_most)
    if any(number <= 0 for number in numbers):
        return Ticks()
    # The ends are rounded to floats, which are far apart among the smallest.
    within = {
        number: height
        for number in numbers
        if bottom - _ROUNDING <= (height := float(number.log10())) <= top + _ROUNDING
    }
    if not within:
        return Ticks()
    labels, offset = _labels(list(within), cells)
    return Ticks(tuple(within.values()), tuple(labels), offset)


_LARGEST = math.log10(1.797e308)
_ROUNDING = 1e-9
"""How far a logarithm may lie beyond an end of its axis and still count as that end."""


def _powers(low: float, high: float, at_most: int) -> Iterator[tuple[int, int]]:
    """Yield powers of ten in a range, and 2 and 5 times these if there is room, as two numbers."""
    first, last = math.floor(low), math.ceil(high)
    every = max(math.ceil((last - first) / max(at_most, 1)), 1)
    factors = (1, 2, 5) if (last - first) * 3 <= at_most else (1,)
    for power in range(first, last + 1, every):
        for factor in factors:
            if low <= power + math.log10(factor) <= high:
                yield factor, power


def round_numbers(
    low: Fraction, high: Fraction, at_most: int, whole: bool = False
) -> list[Decimal]:
    """Return round numbers in a range, lowest first; its ends if there are none.

    No two of them are the same float.
    """
    found: list[Decimal] = []
    for finer in FINER:
        step, power = spacing(low, high, finer * max(at_most, 1), whole)
        apart = step * Fraction(10) ** power
        multiples = range(math.ceil(low / apart), math.floor(high / apart) + 1)
        found = [_times_ten(index * step, power) for index in multiples]
        if apart < FLOATS_APART * Fraction(math.ulp(max(abs(low), abs(high)))):
            found = [number for number in found if Decimal(float(number)) == number]
        if len(found) >= FEWEST:
            return found
    # Floats may be so far apart that no float in the range is a round number.
    ends = [Decimal(repr(float(end))) for end in (low, high)]
    if whole and any(end != end.to_integral_value() for end in ends):
        return found or round_numbers(low, high, at_most)
    return ends


def spacing(low: Fraction, high: Fraction, at_most: int, whole: bool = False) -> tuple[int, int]:
    """Return the distance of round numbers that divide a range into at most `at_most` parts.

    The distance is a number of `STEPS` and the exponent of the power of ten that it multiplies.
    """
    rough = (high - low) / at_most
    power = len(str(rough.numerator)) - len(str(rough.denominator))
    if rough < Fraction(10) ** power:
        power -= 1
    if whole and power < 0:
        return 1, 0
    # By rounding, a range may be a little wider than the one it was made from.
    least = rough / Fraction(10) ** power * Fraction(999, 1000)
    step = next(step for step in STEPS if step >= least)
    return (1, power + 1) if step == STEPS[-1] else (step, power)


def _times_ten(whole: int, power: int) -> Decimal:
    return Decimal((int(whole < 0), tuple(map(int, str(abs(whole)))), power))


# Labels --------------------------------------------------------------------------------------


def _labels(numbers: Sequence[Decimal], cells: int) -> tuple[list[str], str]:
    """Return exact labels, and the offset that is to be added to each.

    They fit in `cells` unless there are hundreds: then a label is too wide, but never cut.
    """
    if (whole := _in_full(numbers, cells)) is not None:
        return whole, ""
    nearest, farthest = min(numbers, key=abs), max(numbers, key=abs)
    # Without the offset, numbers are as large as their range; a single one is its last digit.
    size = numbers[-1] - numbers[0] or Decimal(1).scaleb(_exponent(nearest))
    unit = Decimal(1).scaleb(size.adjusted() + 1)
    inner = nearest // unit * unit
    outer = inner + unit.copy_sign(nearest)
    bases = [base.normalize() for base in (inner, outer) if base and abs(base) <= abs(farthest)]
    if not bases:
        return [_in_powers(number) for number in numbers], ""
    base = min(bases, key=lambda base: len(base.as_tuple().digits))
    rest = [number - base for number in numbers]
    labels = _in_full(rest, cells) or [_in_powers(number) for number in rest]
    return labels, min(_fixed(base), _in_powers(base), key=len)


def _in_full(numbers: Sequence[Decimal], cells: int) -> list[str] | None:
    """Return numbers with all their digits, in the same form, if there is room for them."""
    largest = max(map(abs, numbers), default=Decimal(0))
    is_tiny = largest < Decimal("0.001") and any(_exponent(number) < -4 for number in numbers)
    for form in (_in_powers,) if is_tiny else (_fixed, _in_powers):
        # A large power of ten would be very long in this form.
        if form is _fixed and not -cells < largest.adjusted() < cells:
            continue
        labels = [form(number) for number in numbers]
        if max(map(len, labels), default=0) <= cells:
            return labels
    return None


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent


def _fixed(number: Decimal) -> str:
    return f"{number:,f}"


def _in_powers(number: Decimal) -> str:
    if not number:
        return "0"
    head, *tail = map(str, number.as_tuple().digits)
    sign = "-" if number < 0 else ""
    return f"{sign}{head}.{''.join(tail).rstrip('0') or '0'}e{number.adjusted():+03}"
