"""Summaries of the scores of eval sets (exp.db: evals.scores).

One pass over the samples. SQLite's JSON functions refuse NaN, which is what a failed scorer
writes, so the scores are parsed here. Medians are exact: each number is kept until the end, 8
bytes for each sample and numeric key, hence 8 MB a key for 1,000,000 samples.
"""

from __future__ import annotations

import math
import sqlite3
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowtui.store import decoding
from flowtui.store.database import table_columns
from flowtui.store.natural import sort_key
from flowtui.store.samples.orders import prepared
from flowtui.store.samples.relation import relation
from flowtui.store.samples.score_values import (
    NumberSummary,
    ScoreSet,
    ScoreSummary,
    TextSummary,
    as_float,
    is_number,
    parsed_object,
    place,
    value_type,
)
from flowtui.store.samples.values import KeyType
from flowtui.store.values import JsonValue

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

BINS = 10
TOP_TEXTS = 10
LABEL_CHARS = 200
"""Longer texts do not count as labels, but among the others."""
MAX_LABELS = 10_000
"""How many labels of one key and eval set are counted; further ones count among the others."""


@dataclass(slots=True)
class _ScoreTally:
    """The values of one key, as they are read."""

    numbers: array[float] = field(default_factory=lambda: array("d"))
    nan_count: int = 0
    inf_count: int = 0
    pass_count: int = 0
    types: Counter[KeyType] = field(default_factory=Counter)
    """The types of all values that are not numbers."""
    labels: Counter[str] = field(default_factory=Counter)

    def add(self, value: JsonValue) -> None:
        if is_number(value):
            self._add_number(as_float(value))
            return
        self.types[value_type(value)] += 1
        if isinstance(value, bool):
            self.pass_count += value
        elif isinstance(value, str):
            self._add_text(value)

    def _add_text(self, text: str) -> None:
        has_room = text in self.labels or len(self.labels) < MAX_LABELS
        if len(text) <= LABEL_CHARS and has_room:
            self.labels[text] += 1

    def _add_number(self, number: float) -> None:
        if math.isfinite(number):
            self.numbers.append(number)
        elif math.isnan(number):
            self.nan_count += 1
        else:
            self.inf_count += 1

    def take_in(self, other: _ScoreTally) -> None:
        self.types += other.types
        self.numbers += other.numbers
        self.nan_count += other.nan_count
        self.inf_count += other.inf_count
        self.pass_count += other.pass_count
        self.labels += other.labels


@dataclass(slots=True)
class _SetTally:
    """The samples of one eval set, as they are read."""

    sample_count: int = 0
    unreadable_count: int = 0
    keys: dict[str, _ScoreTally] = field(default_factory=dict)

    def add(self, stored: object) -> None:
        self.sample_count += 1
        scores = parsed_object(stored)
        if scores is None:
            self.unreadable_count += 1
            return
        for key, value in scores.items():
            tally = self.keys.get(key)
            if tally is None:
                tally = self.keys[key] = _ScoreTally()
            tally.add(value)


def score_sets(
    connection: sqlite3.Connection,
    dataset: str | None = None,
    condition: Condition | None = None,
) -> tuple[ScoreSet, ...]:
    """Return summaries of scores: first of all eval sets together, then of each by its id.

    Args:
        connection: A connection to exp.db.
        dataset: The id of an eval set, which is then the only one returned.
        condition: Which samples; None for all.
    """
    if not table_columns(connection, "evals"):
        return ()
    tallies: dict[str, _SetTally] = {}
    where, parameters = prepared(connection, dataset, condition)
    rows = connection.execute(
        f"{relation(connection, f'{where} sample.scores', dataset)}"
        f" select dataset_id, scores_text from sample where {where}",
        parameters,
    )
    for dataset_id, stored in rows:
        tally = tallies.get(dataset_id)
        if tally is None:
            tally = tallies[dataset_id] = _SetTally()
        tally.add(stored)
    ids = sorted(tallies, key=lambda id_: sort_key(decoding.text(id_)))
    each = tuple(_score_set(decoding.text(id_), [tallies[id_]]) for id_ in ids)
    return each if dataset is not None else (_score_set(None, tallies.values()), *each)


def _score_set(dataset: str | None, tallies: Iterable[_SetTally]) -> ScoreSet:
    parts = list(tallies)
    sample_count = sum(part.sample_count for part in parts)
    keys = sorted({key for part in parts for key in part.keys}, key=sort_key)
    return ScoreSet(
        dataset,
        sample_count,
        tuple(_joined(key, sample_count, parts) for key in keys),
        sum(part.unreadable_count for part in parts),
    )


def _joined(key: str, sample_count: int, parts: Sequence[_SetTally]) -> ScoreSummary:
    tallies = [part.keys[key] for part in parts if key in part.keys]
    if len(tallies) == 1:
        return _summary(key, sample_count, tallies[0])
    joined = _ScoreTally()
    for tally in tallies:
        joined.take_in(tally)
    return _summary(key, sample_count, joined)


def _summary(key: str, sample_count: int, tally: _ScoreTally) -> ScoreSummary:
    number_count = len(tally.numbers) + tally.nan_count + tally.inf_count
    types = tally.types | Counter({KeyType.NUMBER: number_count})
    return ScoreSummary(
        key=key,
        sample_count=sample_count,
        types={type_: types[type_] for type_ in KeyType if types[type_]},
        numbers=number_summary(tally.numbers) if tally.numbers else None,
        nan_count=tally.nan_count,
        inf_count=tally.inf_count,
        pass_count=tally.pass_count,
        texts=_texts(tally),
    )


def _texts(tally: _ScoreTally) -> TextSummary | None:
    count = tally.types[KeyType.TEXT]
    if not count:
        return None
    common = sorted(tally.labels.items(), key=lambda label: (-label[1], sort_key(label[0])))
    top = tuple(common[:TOP_TEXTS])
    return TextSummary(count, top, count - sum(number for _, number in top))


def number_summary(numbers: Sequence[float]) -> NumberSummary:
    """Return the summary of one or more finite numbers."""
    ordered = sorted(numbers)
    count, low, high = len(ordered), ordered[0], ordered[-1]
    mean = min(max(_mean(ordered), low), high)
    return NumberSummary(
        count=count,
        mean=mean,
        minimum=low,
        maximum=high,
        median=_middle(ordered[(count - 1) // 2], ordered[count // 2]),
        spread=_spread(ordered, mean) if count > 1 else None,
        histogram=_histogram(ordered),
    )


def _mean(numbers: Sequence[float]) -> float:
    try:
        return math.fsum(numbers) / len(numbers)
    except OverflowError:
        # In halves, since shares that were rounded up may add up to more than the largest float.
        return 2 * math.fsum(number / 2 / len(numbers) for number in numbers)


def _middle(low: float, high: float) -> float:
    both = low + high
    return both / 2 if math.isfinite(both) else low / 2 + high / 2


def _spread(ordered: Sequence[float], mean: float) -> float:
    """Return the standard deviation, scaled so that no square overflows or vanishes."""
    low, high = ordered[0], ordered[-1]
    if low == high:
        return 0.0
    scale = max(high / 2 - mean / 2, mean / 2 - low / 2) or 1.0
    squares = math.fsum(((number / 2 - mean / 2) / scale) ** 2 for number in ordered)
    return 2 * scale * math.sqrt(squares / (len(ordered) - 1))


def _histogram(ordered: Sequence[float]) -> tuple[int, ...]:
    low, high = ordered[0], ordered[-1]
    if low == high:
        return (len(ordered),)
    # The numbers are in order, and so are their bins.
    starts = [
        bisect_left(ordered, n, key=lambda number: _bin(number, low, high)) for n in range(BINS)
    ]
    ends = [*starts[1:], len(ordered)]
    return tuple(end - start for start, end in zip(starts, ends, strict=True))


def _bin(number: float, low: float, high: float) -> int:
    return min(int(place(number, low, high) * BINS), BINS - 1)
