"""The fields of runs, groups and logged models that people edit, as they are now (meta.db)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from flowtui.store.care.values import (
    GROUP_COLUMNS,
    RawValue,
    RecordState,
    RecordTable,
    tag_items,
    tag_text,
)
from flowtui.store.database import table_columns
from flowtui.store.decoding import as_sql, optional_text, text
from flowtui.store.natural import sort_key

_IDS_AT_ONCE = 500
_EDITABLE = ("name", "description", "tags")


def editable(connection: sqlite3.Connection, table: RecordTable) -> frozenset[str]:
    """Return the columns of a table that can be edited, which an older schema may lack."""
    present = table_columns(connection, table)
    wanted = [*_EDITABLE, *(GROUP_COLUMNS if table is RecordTable.RUNS else ())]
    if not table_columns(connection, "experiment_groups"):
        wanted = [column for column in wanted if column != "group_id"]
    found = present.intersection(wanted)
    return found - {"group_name"} if "group_id" in found else found


def states(
    connection: sqlite3.Connection, table: RecordTable, ids: Iterable[str]
) -> dict[str, RecordState]:
    """Return what can be edited of rows, by id; rows that are gone are left out."""
    columns = editable(connection, table)
    names = group_names(connection) if "group_id" in columns else {}
    found = stored(connection, table, ids, columns)
    return {id_: _state(id_, row, columns, names) for id_, row in found.items()}


def state(connection: sqlite3.Connection, table: RecordTable, id_: str) -> RecordState | None:
    """Return what can be edited of a row; None if there is no such row."""
    return states(connection, table, [id_]).get(id_)


def stored(
    connection: sqlite3.Connection, table: RecordTable, ids: Iterable[str], columns: Iterable[str]
) -> dict[str, dict[str, RawValue]]:
    """Return columns of rows as stored, by id in the order of the ids; those gone are left out."""
    names, wanted = sorted(columns), [*ids]
    select = f"select {', '.join(['id', *names])} from {table} where id in"
    found: dict[str, dict[str, RawValue]] = {}
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        part = wanted[start : start + _IDS_AT_ONCE]
        marks = ", ".join(["cast(? as text)"] * len(part))
        for row in connection.execute(f"{select} ({marks})", [*map(as_sql, part)]):
            found[text(row[0])] = dict(zip(names, row[1:], strict=True))
    return {id_: found[id_] for id_ in wanted if id_ in found}


def group_names(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the names of all groups by id, those without runs included, in natural order.

    Source: experiment_groups, or experiments.group_name in stores from before groups had ids.
    """
    columns = editable(connection, RecordTable.RUNS)
    sql = ""
    if "group_id" in columns:
        sql = "select id, name from experiment_groups"
    elif "group_name" in columns:
        sql = "select distinct group_name, group_name from experiments where group_name <> ''"
    found = connection.execute(sql).fetchall() if sql else []
    pairs = [(text(id_), text(name)) for id_, name in found]
    return dict(sorted(pairs, key=lambda pair: sort_key(pair[1])))


def tags_in_use(connection: sqlite3.Connection, table: RecordTable) -> list[str]:
    """Return the tags that rows of a table have, most common first."""
    if "tags" not in table_columns(connection, table):
        return []
    found = connection.execute(
        "select tag.value from (select tags from"
        f" {table} where typeof(tags) <> 'blob' and json_valid(tags)) as one, json_each(one.tags)"
        " as tag where tag.type = 'text' group by tag.value order by count(*) desc, tag.value"
    )
    return [text(tag) for (tag,) in found]


def run_count(connection: sqlite3.Connection, group_id: str) -> int:
    """Return how many runs a group has."""
    if "group_id" not in table_columns(connection, "experiments"):
        return 0
    (count,) = connection.execute(
        "select count(*) from experiments where group_id = cast(? as text)", [as_sql(group_id)]
    ).fetchone()
    return int(count)


def _state(
    id_: str,
    row: Mapping[str, RawValue],
    columns: frozenset[str],
    names: Mapping[str, str],
) -> RecordState:
    problem = ""
    tags: tuple[str, ...] = ()
    try:
        tags = tuple(tag_text(item) for item in tag_items(row.get("tags")))
    except (ValueError, RecursionError):
        problem = "its tags are not the JSON list that luml-sdk writes"
    group_id = optional_text(row.get("group_id"))
    group = names.get(group_id, "") if group_id is not None else text(row.get("group_name"))
    fields = {"group" if column in GROUP_COLUMNS else column for column in columns}
    return RecordState(
        id=id_,
        name=text(row.get("name")),
        description=text(row.get("description")),
        tags=tags,
        group=group,
        fields=frozenset(fields),
        raw=dict(row),
        problem=problem,
    )
