"""Numbers that tell whether a JSON column of two samples is equal; read only when asked for."""

from __future__ import annotations

import sqlite3
from array import array
from dataclasses import dataclass

from flowtui.store.bounded_json import parsed
from flowtui.store.compare.run_samples import RunSamples, canonical
from flowtui.store.database import table_columns


@dataclass(frozen=True, slots=True)
class Digests:
    """A number for one JSON column of each sample of a run; equal values have equal numbers."""

    rowids: array[int]
    values: array[int]
    """64 bits each, which depend on this process."""


def digests(
    connection: sqlite3.Connection, column: str, samples: RunSamples, known: Digests | None = None
) -> Digests:
    """Return the digests of a column (`inputs`, `outputs`) of exp.db evals, one for each sample.

    As JSON, 1 equals 1.0, and keys may be in any order; NULL and nothing are equal to null. Broken
    JSON equals only the same text.

    Args:
        connection: A connection to exp.db.
        column: The column.
        samples: The samples of the run.
        known: Digests that were read before; only those of later samples are read.
    """
    rowids = samples.rowids
    done = 0 if known is None else len(known.rowids)
    if known is None or done > len(rowids) or known.rowids != rowids[:done]:
        known, done = Digests(array("q"), array("q")), 0
    if done == len(rowids):
        return known
    values = known.values[:]
    if column not in table_columns(connection, "evals"):
        values.extend([hash("null")] * (len(rowids) - done))
        return Digests(rowids, values)
    rows = connection.execute(
        f"select rowid, {column} from evals where rowid >= :first order by rowid",
        {"first": rowids[done]},
    )
    for rowid, stored in rows:
        if done == len(rowids):
            break
        # A sample that is gone since has no digest, and equals nothing but another such.
        while done < len(rowids) and rowids[done] < rowid:
            values.append(0)
            done += 1
        if done < len(rowids) and rowids[done] == rowid:
            values.append(_digest(stored))
            done += 1
    values.extend([0] * (len(rowids) - done))
    return Digests(rowids, values)


def _digest(stored: object) -> int:
    value, problem = parsed(stored)
    return hash(canonical(value) if problem is None else f"broken {value}")
