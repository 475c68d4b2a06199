"""The keys and scores of a run's samples, as a comparison keeps them in memory: never texts.

One pass over exp.db evals gives all of it. A text or a nested value is kept as a number that is
made of it, which tells whether two of them are equal.
"""

from __future__ import annotations

import json
import math
import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from flowtui.store import decoding
from flowtui.store.database import table_columns
from flowtui.store.samples.score_values import as_float, parsed_object
from flowtui.store.values import JsonValue

Key = tuple[str, str]
"""The id of the eval set, and the id of the sample in it."""
_READ = ("dataset_id", "id", "scores")
_EXACT_BITS = 53
"""How many bits of a whole number a float holds."""


class ScoreType(IntEnum):
    """The type of a score, as far as a comparison tells types apart."""

    ABSENT = 0
    NULL = 1
    BOOLEAN = 2
    NUMBER = 3
    """A number that is not NaN; it may be infinite."""
    NAN = 4
    TEXT = 5
    NESTED = 6


@dataclass(slots=True)
class ScoreColumn:
    """The scores of one name, for those samples alone that have one; nine bytes and a row each."""

    rows: array[int] = field(default_factory=lambda: array("i"))
    """Which sample each belongs to, ascending: its place in `RunSamples.rowids`."""
    types: bytearray = field(default_factory=bytearray)
    """A `ScoreType` each."""
    values: array[float] = field(default_factory=lambda: array("d"))
    """Numbers as they are, 1 for true and 0 for false; what tells texts and nested values apart."""

    def add(self, row: int, value: JsonValue) -> None:
        type_, number = coded(value)
        self.rows.append(row)
        self.types.append(type_)
        self.values.append(number)

    def copied(self) -> ScoreColumn:
        return ScoreColumn(self.rows[:], self.types[:], self.values[:])


@dataclass(frozen=True, slots=True)
class RunSamples:
    """The samples of a run, in the order of their keys (exp.db evals.rowid)."""

    rowids: array[int]
    keys: Sequence[Key]
    scores: dict[str, ScoreColumn]
    """By the name of the score."""
    unreadable: Sequence[int] = ()
    """The samples whose scores are broken JSON, or not an object: their places in `rowids`."""

    @property
    def mark(self) -> int:
        """The highest rowid that this covers; logging a sample again gives it a higher one."""
        return self.rowids[-1] if self.rowids else 0


def read_samples(connection: sqlite3.Connection, known: RunSamples | None = None) -> RunSamples:
    """Return the samples of a run; of those that are known, only what came later is read.

    A row that a program other than the SDK has changed in its place is seen only where everything
    is read.

    Args:
        connection: A connection to exp.db.
        known: What was read before; None to read everything.
    """
    present = table_columns(connection, "evals")
    if not present:
        return RunSamples(array("q"), [], {})
    if known is None or not known.rowids:
        return _extended(connection, present, RunSamples(array("q"), [], {}))
    added, kept, last = connection.execute(
        "select count(*) filter (where rowid > ?1), count(*) filter (where rowid <= ?1),"
        " max(rowid) from evals",
        [known.mark],
    ).fetchone()
    if not added and kept == len(known.rowids):
        return known
    if kept != len(known.rowids):
        present_ids = decoding.keys(
            connection, "select rowid from evals where rowid <= :mark", {"mark": known.mark}
        )
        if not present_ids or len(present_ids) < kept or last is None:
            return read_samples(connection)
        known = _without_gone(known, frozenset(present_ids))
        if len(known.rowids) != kept:
            # Rows have come between those that are known, which the SDK never does.
            return read_samples(connection)
    return _extended(connection, present, known)


def coded(value: JsonValue) -> tuple[ScoreType, float]:
    """Return the type of a score, and the number that stands for it."""
    match value:
        case None:
            return ScoreType.NULL, 0.0
        case bool():
            return ScoreType.BOOLEAN, float(value)
        case float():
            return (ScoreType.NUMBER, value) if value == value else (ScoreType.NAN, 0.0)
        case int():
            return ScoreType.NUMBER, as_float(value)
        case str():
            return ScoreType.TEXT, _told_by(value)
        case _:
            try:
                return ScoreType.NESTED, _told_by(canonical(value))
            except RecursionError:
                # NaN equals nothing, so this is never said to be the same.
                return ScoreType.NESTED, math.nan


def canonical(value: JsonValue) -> str:
    """Return the one JSON text of all values that are equal: by key, and 1 for 1.0."""
    return json.dumps(_with_whole_numbers(value), sort_keys=True)


def _with_whole_numbers(value: JsonValue) -> JsonValue:
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_with_whole_numbers(item) for item in value]
        case dict():
            return {key: _with_whole_numbers(item) for key, item in value.items()}
        case _:
            return value


def _told_by(text: str) -> float:
    return float(hash(text) & ((1 << _EXACT_BITS) - 1))


def _extended(
    connection: sqlite3.Connection, present: frozenset[str], known: RunSamples
) -> RunSamples:
    rowids, keys = known.rowids[:], list(known.keys)
    columns = {name: column.copied() for name, column in known.scores.items()}
    unreadable = list(known.unreadable)
    datasets: dict[str, str] = {}
    for rowid, dataset, id_, stored in _rows(connection, present, known.mark if rowids else None):
        name = decoding.text(dataset)
        row = len(rowids)
        rowids.append(rowid)
        keys.append((datasets.setdefault(name, name), decoding.text(id_)))
        scores = parsed_object(stored)
        if scores is None:
            unreadable.append(row)
            continue
        for key, value in scores.items():
            column = columns.get(key)
            if column is None:
                column = columns[key] = ScoreColumn()
            column.add(row, value)
    return RunSamples(rowids, keys, columns, tuple(unreadable))


def _rows(
    connection: sqlite3.Connection, present: frozenset[str], mark: int | None
) -> Iterator[tuple[int, object, object, object]]:
    later = "" if mark is None else " where rowid > :mark"
    rows: Iterator[tuple[int, object, object, object]] = connection.execute(
        f"select rowid, {decoding.select_list(_READ, present, 'evals')} from evals{later}"
        " order by rowid",
        {} if mark is None else {"mark": mark},
    )
    return rows


def _without_gone(known: RunSamples, present: frozenset[int]) -> RunSamples:
    """Return what is known without the samples that are not there any more."""
    kept = [row for row, rowid in enumerate(known.rowids) if rowid in present]
    new_row = {row: at for at, row in enumerate(kept)}
    columns: dict[str, ScoreColumn] = {}
    for name, column in known.scores.items():
        left = ScoreColumn()
        for row, type_, value in zip(column.rows, column.types, column.values, strict=True):
            if row in new_row:
                left.rows.append(new_row[row])
                left.types.append(type_)
                left.values.append(value)
        if left.rows:
            columns[name] = left
    return RunSamples(
        array("q", (known.rowids[row] for row in kept)),
        [known.keys[row] for row in kept],
        columns,
        [new_row[row] for row in known.unreadable if row in new_row],
    )
