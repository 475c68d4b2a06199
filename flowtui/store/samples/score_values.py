"""The summaries of the scores of an eval set, and how one score is read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from flowtui.store import decoding
from flowtui.store.samples.values import KeyType
from flowtui.store.values import JsonValue


@dataclass(frozen=True, slots=True)
class NumberSummary:
    """The finite numbers under one key."""

    count: int
    """Finite numbers, at least one."""
    mean: float
    minimum: float
    maximum: float
    median: float
    spread: float | None
    """Standard deviation of a sample (n - 1); None for a single number."""
    histogram: tuple[int, ...]
    """Counts in ten equal bins from minimum to maximum; one bin where these are the same."""


@dataclass(frozen=True, slots=True)
class TextSummary:
    """The texts under one key."""

    count: int
    top: tuple[tuple[str, int], ...]
    """The most common texts with their counts, most common first."""
    other_count: int
    """How many samples have a text that is not among the most common ones."""


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """The summary of one score key over one eval set, or over all."""

    key: str
    sample_count: int
    types: Mapping[KeyType, int]
    """How many samples have a value of each type; NaN and infinities are numbers."""
    numbers: NumberSummary | None
    """None if there is no finite number."""
    nan_count: int
    inf_count: int
    pass_count: int
    """How many are true."""
    texts: TextSummary | None

    @property
    def count(self) -> int:
        """How many samples have a value; null does not count."""
        return sum(count for type_, count in self.types.items() if type_ is not KeyType.NULL)

    @property
    def missing(self) -> int:
        """How many samples have no value or null."""
        return self.sample_count - self.count

    @property
    def boolean_count(self) -> int:
        return self.types.get(KeyType.BOOLEAN, 0)

    @property
    def pass_rate(self) -> float | None:
        """The share of true among true and false, None if there is neither."""
        return self.pass_count / self.boolean_count if self.boolean_count else None


@dataclass(frozen=True, slots=True)
class ScoreSet:
    """The summaries of the scores of one eval set, or of all."""

    dataset: str | None
    """None for all eval sets together."""
    sample_count: int
    scores: tuple[ScoreSummary, ...]
    """The summaries, by key."""
    unreadable_count: int
    """Samples whose scores are broken JSON, or not an object."""


def value_type(value: JsonValue) -> KeyType:
    """Return the type of a JSON value."""
    match value:
        case bool():
            return KeyType.BOOLEAN
        case int() | float():
            return KeyType.NUMBER
        case str():
            return KeyType.TEXT
        case list():
            return KeyType.LIST
        case dict():
            return KeyType.OBJECT
        case _:
            return KeyType.NULL


def is_number(value: JsonValue) -> TypeGuard[int | float]:
    return type(value) is float or type(value) is int


def as_float(value: float) -> float:
    """Return a number as a float; one beyond the range of floats is infinite, as for SQLite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def place(number: float, low: float, high: float) -> float:
    """Return where a number is between two others, 0 to 1; 1 if they are the same."""
    if low == high:
        return 1.0
    if math.isinf(high - low):
        number, low, high = number / 2, low / 2, high / 2
    return (number - low) / (high - low)


def parsed_object(stored: object) -> dict[str, JsonValue] | None:
    """Return the JSON object in a column, None if it holds something else."""
    if stored is None or stored == "":
        return {}
    try:
        value = json.loads(decoding.text(stored))
    except (ValueError, RecursionError):
        return None
    if value is None:
        return {}
    return value if isinstance(value, dict) else None
