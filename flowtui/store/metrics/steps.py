"""Steps: numbers, whole or real, whatever SQLite stores them as (exp.db: dynamic_metrics.step).

The SDK hands on what it is given. A float is REAL, a numpy integer its bytes, and text that is not
a number stays text. A step is any finite number; anything else has no place on an axis.
"""

from __future__ import annotations

import math
import re
import struct
import sys
from dataclasses import dataclass
from typing import NamedTuple

Step = int | float

LOWEST, HIGHEST = -sys.float_info.max, sys.float_info.max
"""Every finite number is between them and, in SQLite, only numbers are."""
IS_STEP = "step between -1.7976931348623157e308 and 1.7976931348623157e308"
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1

_INTEGERS = {1: "<b", 2: "<h", 4: "<i", 8: "<q"}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
LONGEST_NUMBER = 1_000
"""How many characters a number may have; a longer text is not looked at."""
FLOAT32_FROM, FLOAT32_TO = 1e-12, 1e9
"""Four bytes that are a float32 of this size would be an integer beyond 700 million."""


class Decoded(NamedTuple):
    """What a stored step stands for."""

    step: Step | None
    is_float32: bool = False
    """Whether four bytes were taken for a float32, because as an integer they would be huge."""


def decoded(stored: object) -> Decoded:
    """Return the step that a stored value stands for, None if it is not a finite number.

    Bytes are integers of numpy, little-endian; four of them may be a float32.
    """
    if isinstance(stored, int):
        return Decoded(stored)
    if isinstance(stored, float):
        return Decoded(stored if math.isfinite(stored) else None)
    if isinstance(stored, str):
        return Decoded(_of_text(stored))
    if not isinstance(stored, bytes) or len(stored) not in _INTEGERS:
        return Decoded(None)
    if len(stored) == 4:
        (real,) = struct.unpack("<f", stored)
        if FLOAT32_FROM <= abs(real) <= FLOAT32_TO:
            return Decoded(_shortest(real), is_float32=True)
    (whole,) = struct.unpack(_INTEGERS[len(stored)], stored)
    return Decoded(int(whole))


def _of_text(text: str) -> Step | None:
    word = text.strip(" \t\n\r\f\v")
    if len(word) > LONGEST_NUMBER or _NUMBER.fullmatch(word) is None:
        return None
    if word.lstrip("+-").isdecimal() and _MIN_INTEGER <= int(word) <= _MAX_INTEGER:
        return int(word)
    return _finite(float(word))


def _finite(number: float) -> Step | None:
    """Return a number as SQLite stores it beside integers: a whole one as an integer."""
    if not math.isfinite(number):
        return None
    is_whole = abs(number) < 2**53 and number == int(number)
    return int(number) if is_whole else number


def _shortest(real: float) -> Step:
    """Return the shortest double that rounds to a float32: 0.1, not 0.10000000149011612."""
    digits = next(
        digits for digits in range(6, 18) if _as_float32(float(f"{real:.{digits}g}")) == real
    )
    number = _finite(float(f"{real:.{digits}g}"))
    assert number is not None
    return number


def _as_float32(real: float) -> float:
    (rounded,) = struct.unpack("<f", struct.pack("<f", real))
    return float(rounded)


class Typed(NamedTuple):
    """A step as a person typed it."""

    step: Step
    within: float
    """How far from it a step that reads like this may be: half a unit of the last digit typed."""


def typed(word: str) -> Typed | None:
    """Return the step that a person typed, thousands marked or not; None if it is not one."""
    digits = word.strip().replace(",", "").replace("_", "")
    step = _of_text(digits)
    if step is None:
        return None
    mantissa, _, exponent = digits.lower().partition("e")
    last_digit = int(exponent or 0) - len(mantissa.partition(".")[2])
    return Typed(step, float(f"5e{last_digit - 1}"))


# Neighbours ----------------------------------------------------------------------------------


def at_least(step: Step) -> Step:
    """Return the lowest number that SQLite can hold and that is not below a step."""
    if isinstance(step, float) or _MIN_INTEGER <= step <= _MAX_INTEGER:
        return step
    if step > HIGHEST:
        return math.inf
    near = float(max(step, int(LOWEST)))
    return near if near >= step else math.nextafter(near, math.inf)


def at_most(step: Step) -> Step:
    """Return the highest number that SQLite can hold and that is not above a step."""
    if step == _MIN_INTEGER:
        return step
    # It is not an integer that SQLite can hold, though its negative is one.
    return float(step) if step == -_MIN_INTEGER else -at_least(-step)


def above(step: Step) -> Step:
    """Return the next number that SQLite can hold after a step.

    Between two integers there are floats, and beyond 2**53 there are integers between two floats;
    only there is it an integer.
    """
    if step >= HIGHEST:
        return math.inf
    if step < LOWEST:
        return LOWEST
    near = float(step)
    real = near if near > step else math.nextafter(near, math.inf)
    whole = math.floor(step) + 1
    return whole if _MIN_INTEGER <= whole <= _MAX_INTEGER and whole < real else real


def below(step: Step) -> Step:
    """Return the last number that SQLite can hold before a step, as `above` does."""
    if step <= LOWEST:
        return -math.inf
    if step > HIGHEST:
        return HIGHEST
    near = float(step)
    real = near if near < step else math.nextafter(near, -math.inf)
    whole = math.ceil(step) - 1
    return whole if _MIN_INTEGER <= whole <= _MAX_INTEGER and whole > real else real


def reach(end: Step) -> Step:
    """Return how far a range reaches: one that ends with a whole step reaches to the next."""
    return below(end + 1) if isinstance(end, int) else end


def share(step: Step, start: Step, end: Step) -> float:
    """Return where a step is between two others, 0 to 1; the range may be wider than a float."""
    return (step / 2 - start / 2) / (end / 2 - start / 2)


# Ranges in equal parts -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WholeGrid:
    """Whole steps from `origin` in equal parts; in Python's integers, which do not overflow.

    A step between two whole ones belongs to the one before it.
    """

    origin: int
    length: int
    parts: int

    def bounds(self, index: int) -> tuple[Step, Step]:
        """Return the first and last step of a part."""
        start = self.origin + index * self.length // self.parts
        return start, self.origin + (index + 1) * self.length // self.parts - 1

    def index(self, step: Step) -> int:
        return ((math.floor(step) - self.origin + 1) * self.parts - 1) // self.length


@dataclass(frozen=True, slots=True)
class RealGrid:
    """Steps from `origin` in equally wide parts, as far as floats can tell them apart."""

    origin: Step
    half_width: float
    """Half the width of a part; the whole width may be more than a float holds."""
    parts: int
    end: Step | None = None
    """The last step of the last part; None if it ends like the others."""

    def start(self, index: int) -> Step:
        if index <= 0:
            return self.origin
        return max(self.origin, (self.origin / 2 + index * self.half_width) * 2)

    def bounds(self, index: int) -> tuple[Step, Step]:
        """Return the first and last number of a part."""
        is_last = self.end is not None and index >= self.parts - 1
        end = self.end if self.end is not None and is_last else below(self.start(index + 1))
        return self.start(index), end

    def index(self, step: Step) -> int:
        low, high = 0, self.parts
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.start(middle) <= step else (low, middle)
        return low


Grid = WholeGrid | RealGrid


def grid(start: Step, end: Step, parts: int, has_fractions: bool = False) -> Grid:
    """Return a range in `parts` equal parts, in fewer if there are fewer whole steps."""
    if has_fractions or isinstance(start, float) or isinstance(end, float):
        return RealGrid(start, (end / 2 - start / 2) / parts, parts, end)
    length = end - start + 1
    return WholeGrid(start, length, min(parts, length))


def growing_grid(start: Step, end: Step, parts: int, has_fractions: bool) -> Grid:
    """Return a range in parts a power of two wide, the smallest one that covers its end.

    The parts of a longer range are as wide, or each consists of several of these.
    """
    if not has_fractions and isinstance(start, int):
        width = 1 << ((math.floor(end) - start) // parts).bit_length()
        return WholeGrid(start, width * parts, parts)
    least = max((end / 2 - start / 2) / parts, math.ulp(float(start)) / 4, sys.float_info.min)
    made = RealGrid(start, math.ldexp(1.0, math.frexp(least)[1] - 1), parts)
    while made.start(parts) <= end:
        made = RealGrid(start, made.half_width * 2, parts)
    return made
