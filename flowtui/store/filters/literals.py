"""Reads the values of a filter: numbers, quantities with units, booleans, moments."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from fractions import Fraction

from flowtui.store import natural

# Digits are bounded, so that the exact arithmetic below never gets a number of a million digits.
_QUANTITY = re.compile(
    r"([+-]?)((?:(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})\s*[a-zµμ]+\s*)+)", re.I | re.A
)
_PART = re.compile(r"([\d.]+)\s*([^\d.\s]+)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.A)
_TIME = re.compile(r"\d{1,2}:\d\d.*", re.A)
_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d(?::\d\d)?)(?P<zone>Z|[+-]\d\d:\d\d)?", re.A
)
_MONTH = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2]))?", re.A)

_BOOLEANS = {"true": 1, "false": 0}

_NS_PER_UNIT = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # micro sign
    "μs": 1_000,  # Greek mu, which it folds to
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
_BYTES_PER_UNIT = {"b": 1} | {
    prefix + suffix: base**power
    for power, prefix in enumerate("kmgt", start=1)
    for suffix, base in (("b", 1000), ("ib", 1024))
}

_UNITS = _NS_PER_UNIT.keys() | _BYTES_PER_UNIT.keys()


def is_number(text: str) -> bool:
    """Say whether a word is written as a number."""
    return natural.NUMBER.fullmatch(text) is not None


def goes_on(word: str, following: str) -> bool:
    """Say whether two words side by side are one value: `1 h`, `2h 30m`, `2025-03-01 10:30`."""
    if _DAY.fullmatch(word):
        return _TIME.fullmatch(following) is not None
    if is_number(word):
        return following.lower() in _UNITS
    is_amount = _QUANTITY.fullmatch(word) is not None or word.lower() in _UNITS
    return is_amount and (is_number(following) or _QUANTITY.fullmatch(following) is not None)


def number(text: str) -> int | float | None:
    """Return the number or boolean (as 1 or 0) that a word is, or None."""
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    return natural.number(text)


def duration_ns(text: str) -> Fraction | None:
    """Return the nanoseconds of a duration such as `500ms`, `1.5h` or `1 h 30 m`, or None."""
    return _quantity(text, _NS_PER_UNIT)


def size_bytes(text: str) -> Fraction | None:
    """Return the bytes of a size such as `10MB` (a thousand thousands) or `4KiB`, or None."""
    return _quantity(text, _BYTES_PER_UNIT)


def _quantity(text: str, units: dict[str, int]) -> Fraction | None:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    total = Fraction(0)
    for amount, unit in _PART.findall(match.group(2)):
        factor = units.get(unit.lower())
        if factor is None:
            return None
        total += Fraction(amount) * factor
    return -total if match.group(1) == "-" else total


def moment_prefix(text: str) -> str | None:
    """Return the start of `YYYY-MM-DD HH:MM:SS` (UTC) that a date or time stands for, or None.

    It is as long as the text is precise: `2025` gives a year, `2025-03-01 10:30+02:00` a minute. A
    time without a zone is UTC, as the stores' times are.
    """
    if _MONTH.fullmatch(text):
        return None if text.startswith("0000") else text
    try:
        match = _MOMENT.fullmatch(text)
        if match is None:
            return date.fromisoformat(text).isoformat()
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    shape = "%H:%M:%S" if len(match["time"]) > len("10:30") else "%H:%M"
    return f"{moment.date().isoformat()} {moment.strftime(shape)}"
