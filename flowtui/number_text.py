"""Numbers to text, so that none reads as a number that it is not.

Two promises: numbers that are shown together and differ read differently (`distinct`, `extremes`),
and a number that is not all, none or a round one does not read as if it were (`number`,
`percent`), as far as there is room.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise

NUMBER_CELLS = 12
"""The longest number, `-1.2345e-308`."""
ROOM_TO_TELL = 11
"""How many cells a number may take to be told from a rounder one. That is ten digits: more than the
eight of a 32-bit float, and as much as a column holds beside the gap to the next."""
MOST_DIGITS = 20
"""As many digits as the largest whole numbers of a database have; 17 tell any two floats apart."""


def number(
    value: float, digits: int = 5, keep_zeros: bool = False, cells: int | None = None
) -> str:
    """Return a number with its significant digits, thousands marked: `0.0003`, `3.0e-12`.

    What is not a round number does not read as one, `0.999998` and not `1`, unless it is as near
    to it as a 32-bit float can be, or its digits take more than `ROOM_TO_TELL` cells.

    Args:
        value: Whole numbers keep all their digits, up to 20 of them.
        digits: How many significant digits.
        keep_zeros: Keep all `digits`, zeros too, so that numbers of one size stand in line.
        cells: The most cells that it may take, with fewer digits if need be; 7 hold any float.
    """
    if isinstance(value, int):
        return _whole(value, digits, cells)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    if value == 0:
        return "0"
    text = _rounded(value, digits, keep_zeros)
    # Zeros that are kept show how far it was rounded, except after a whole number.
    if _digits_in(text) <= max(digits - 2, 1) and not (keep_zeros and not _is_whole(text)):
        text = _told_apart(value, text, digits, min(cells or ROOM_TO_TELL, ROOM_TO_TELL))
    if cells is None or len(text) <= cells:
        return text
    return _powers_in(Decimal(value), digits, cells)


def _rounded(value: float, digits: int, keep_zeros: bool = False) -> str:
    magnitude = math.floor(math.log10(abs(value)))
    decimals = max(digits - 1 - magnitude, 0)
    text = f"{value:,.{decimals}f}"
    if "." in text and not keep_zeros:
        text = text.rstrip("0").rstrip(".")
    is_small = magnitude < -4 or (magnitude < -2 and len(text) > len("-0.0003"))
    # A number may be rounded up to one digit more than it has.
    is_large = magnitude >= 9 or (not decimals and len(text) > NUMBER_CELLS)
    return _powers(value, digits) if is_small or is_large else text


def _powers(value: float | Decimal, digits: int) -> str:
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    head, _, tail = mantissa.partition(".")
    return f"{head}.{tail.rstrip('0') or '0'}e{int(exponent):+03}"


def _powers_in(value: Decimal, digits: int, cells: int) -> str:
    """Return a number as its power of ten, with fewer digits where it would be too long."""
    texts = (_powers(value, fewer) for fewer in range(digits, 1, -1))
    shortest = _powers(value, 1).replace(".0", "")
    return next((text for text in texts if len(text) <= cells), shortest)


def _whole(value: int, digits: int, cells: int | None) -> str:
    text = f"{value:,}" if abs(value) < 10**15 else _powers(Decimal(value), digits)
    if abs(value) < 10**MOST_DIGITS and Decimal(text.replace(",", "")) != value:
        text = f"{value:,}"
    if cells is None or len(text) <= cells:
        return text
    return _powers_in(Decimal(value), min(MOST_DIGITS, cells), cells)


def _digits_in(text: str) -> int:
    """Return how many significant digits a number shows, without the zeros at its ends."""
    mantissa = text.partition("e")[0]
    return len(mantissa.replace(",", "").replace(".", "").lstrip("-").strip("0"))


def _is_whole(text: str) -> bool:
    return float(text.replace(",", "")).is_integer()


def _told_apart(value: float, text: str, digits: int, cells: int) -> str:
    """Return a number that was rounded with as many digits as show that it was."""
    shown = float(text.replace(",", ""))
    if shown == value or _as_32_bits(shown) == value:
        return text
    for more in range(digits + 1, cells + 1):
        longer = _rounded(value, more)
        if len(longer) > cells:
            break
        if float(longer.replace(",", "")) != shown:
            return longer
    return text


def _as_32_bits(value: float) -> float:
    """Return a number as a 32-bit float holds it; many are logged by way of one."""
    if abs(value) > LARGEST_32_BITS:
        return value
    (as_32_bits,) = _FLOAT_32.unpack(_FLOAT_32.pack(value))
    return float(as_32_bits)


_FLOAT_32 = struct.Struct("f")
LARGEST_32_BITS = 3.4e38


def with_decimals(value: float, decimals: int, cells: int) -> str:
    """Return a number with `decimals`, or with more where it would read as a whole number.

    Args:
        value: Finite.
        decimals: Of all numbers of a column.
        cells: The most that it may take with more decimals; without room it reads `<1.000`.
    """
    text = f"{value:,.{decimals}f}"
    if not _is_whole(text) or (not decimals and _digits_in(text) > 1):
        return text
    shown = float(text.replace(",", ""))
    if value == shown or _as_32_bits(shown) == value:
        return text
    if shown == 0:
        return number(value, 2)
    longer = (f"{value:,.{more}f}" for more in range(decimals + 1, cells))
    told = (one for one in longer if float(one.replace(",", "")) != shown)
    found = next(told, None)
    if found is not None and len(found) <= cells:
        return found
    # There is no room for the digits that tell it from a round number, so a sign does.
    return f"{'<' if value < shown else '>'}{text}"


def distinct(values: Sequence[float], digits: int = 5, cells: int | None = None) -> list[str]:
    """Return numbers that are shown together, with as many digits as tell different ones apart.

    With `cells`, those for which there is no room may still read alike.
    """
    texts = [number(value, digits, cells=cells) for value in values]
    # All NaNs read alike, so they count as one of the different values.
    different = {value if value == value else None for value in values}
    if len(set(texts)) >= len(different):
        return texts
    for more in range(_digits_apart(different, digits), MOST_DIGITS + 1):
        texts = [number(value, more, cells=cells) for value in values]
        if len(set(texts)) >= len(different):
            break
    return texts


def _digits_apart(values: Iterable[float | None], digits: int) -> int:
    """Return about how many digits tell numbers apart where `digits` do not."""
    finite = sorted(value for value in values if value is not None and math.isfinite(value))
    needed = digits
    for left, right in pairwise(finite):
        # In eighths, because a difference may be larger than the largest float.
        apart = right / 8 - left / 8
        if apart > 0:
            largest = max(abs(left), abs(right)) / 8
            needed = max(needed, math.floor(math.log10(largest) - math.log10(apart)))
    return min(needed + 1, MOST_DIGITS)


def extremes(last: float, low: float, high: float, digits: int, cells: int) -> tuple[str, str, str]:
    """Return the last, lowest and highest value of a metric; those that differ read differently.

    Where there is no room for the digits that differ, the text says by how much: `min+0.001`.

    Args:
        last: Any number.
        low: Finite, as `high` is.
        high: Not below `low`.
        digits: How many significant digits, where these suffice.
        cells: The most that each may take, 10 or more.
    """
    values = (last, low, high) if math.isfinite(last) else (low, high)
    texts = distinct(values, digits)
    if max(map(len, texts)) > cells:
        texts = distinct(values, digits, cells)
    said = dict(zip(values, texts, strict=True))
    if len(set(texts)) < len(said):
        room = cells - len("min+")
        said = {low: number(low, digits, cells=cells), high: f"min+{_apart(high - low, room)}"}
        if low < last < high:
            above, below = last - low, high - last
            is_low = above <= below
            said[last] = f"min+{_apart(above, room)}" if is_low else f"max-{_apart(below, room)}"
    return said.get(last) or number(last), said[low], said[high]


def _apart(difference: float, cells: int) -> str:
    return number(difference, 2, cells=cells)


def percent(share: float, decimals: int = 0) -> str:
    """Return a share of 1 as `83 %`; only all of it reads `100 %`, and only none of it `0 %`.

    Args:
        share: From 0 to 1.
        decimals: How many the percentage has, where these suffice.
    """
    for more in range(decimals, MOST_DIGITS):
        text = f"{100 * share:.{more}f}"
        if share in (0, 1) or float(text) not in (0, 100):
            return f"{text} %"
    return f"{number(100 * share, 2)} %"


def exact(value: float) -> str:
    """Return a number in full precision."""
    return repr(value) if math.isfinite(value) else number(value)


def fitted(value: float, cells: int) -> str:
    """Return a number in full if there is room, else with as many digits as `number` shows."""
    text = exact(value)
    return text if len(text) <= cells else number(value, cells=cells)


def aligned(numbers: Sequence[str]) -> list[str]:
    """Return numbers padded on the right so that, right-aligned, their points stand in line.

    Numbers with an exponent stand flush right: their points tell nothing of their size.
    """
    tails = [len(text) - text.index(".") if _has_point(text) else 0 for text in numbers]
    widest = max(tails, default=0)
    return [
        text if "e" in text else text + " " * (widest - tail)
        for text, tail in zip(numbers, tails, strict=True)
    ]


def _has_point(number_text: str) -> bool:
    return "." in number_text and "e" not in number_text
