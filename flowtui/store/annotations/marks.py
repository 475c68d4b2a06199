"""A mark that differs where annotations do, and how far writes of this process have moved it.

Who writes an annotation here shows it at once. So the watch (store/changes.py) reports only what is
not explained by own writes: else each of them would have every list read again a second time.
"""

from __future__ import annotations

import sqlite3
from typing import TypeAlias

from flowtui.store.annotations.listing import TABLES, table_of
from flowtui.store.annotations.values import Added, Annotation, Change, Deleted, Edited
from flowtui.store.database import Database, table_columns

AnnotationMark: TypeAlias = tuple[object, ...]
"""How many of the tables there are, and the sum of the digests of their rows."""


def mark(connection: sqlite3.Connection) -> AnnotationMark:
    """Return the mark of all annotations, by a pass over them; 10,000 take 5 ms.

    The SDK updates rows in place, so neither their count nor their rowids tell.
    """
    present = [table.name for table in TABLES if table_columns(connection, table.name)]
    total = 0
    for name in present:
        rows = connection.execute(f"select id, value, rationale from {name}")
        total += sum(hash((name, *row)) for row in rows)
    return len(present), total


def note(database: Database, change: Change) -> None:
    """Take note of a change that this process has written."""
    match change:
        case Added(after):
            move = _digest(after)
        case Edited(before, after):
            move = _digest(after) - _digest(before)
        case Deleted(before):
            move = -_digest(before)
    database.own_moves.append(move)


def changed_by_others(
    database: Database,
    noted_count: int,
    before: AnnotationMark | None,
    after: AnnotationMark | None,
) -> bool:
    """Say whether somebody else changed annotations between two marks; None is of no database.

    What cannot be explained is taken for somebody else's: so is a write that is noted later than
    it is seen, at the cost of a read.

    Args:
        database: exp.db.
        noted_count: How many moves were noted before `after` was read, all of which are in it.
        before: The mark that is known.
        after: The mark as it was read.
    """
    moves = tuple(database.own_moves)
    match before, after:
        case (tables, int(total)), _:
            for count in range(noted_count, len(moves) + 1):
                if (tables, total + sum(moves[:count])) == after:
                    for _ in range(count):
                        database.own_moves.popleft()
                    return False
            is_changed = True
        case _:
            is_changed = before != after
    database.own_moves.clear()
    return is_changed


def _digest(annotation: Annotation) -> int:
    name = table_of(annotation.target).name
    return hash((name, annotation.id, annotation.raw_value, annotation.rationale))
