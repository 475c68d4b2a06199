"""Runs and their groups (meta.db: experiments, experiment_groups), of every schema version.

Older schemas lack columns: before version 2 a run named its group itself (`group_name`) and had
no duration, description or copies of its figures; `source` came with 4, `upload_status` with 5.
"""

from __future__ import annotations

import json
import math
import sqlite3
from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from flowtui.store import decoding
from flowtui.store.compare.directions import Direction
from flowtui.store.database import table_columns
from flowtui.store.natural import order_sql, register_order, sort_key
from flowtui.store.values import Figures, Group, JsonValue, Run

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

_COLUMNS = (
    "rowid",
    "id",
    "name",
    "status",
    "created_at",
    "duration",
    "description",
    "tags",
    "source",
    "upload_status",
    "metadata",
    "static_params",
    "dynamic_params",
)
_ROW = (
    "rowid, id, name, status, created_at, duration, description, tags, group_id, group_name,"
    " source, upload_status"
)

SORTABLE = ("created", "name", "status", "duration", "group", "tags", "id")
"""The columns of the list; any field of a run in the filter language can be sorted by too."""
_SORT_SQL = {
    "created": "created_at",
    "name": "name",
    "status": "status",
    "duration": "duration",
    "group": "group_name",
    "tags": "nullif(tags, '[]')",
    "id": "id",
}


BEST = "best."
"""What the name of a column begins with that shows the best value of a metric, not its last."""


class RunOrder(NamedTuple):
    column: str = "created"
    """One of SORTABLE, a field of the filter language (`param.KEY`, `metric.KEY`, a bare key), or
    `best.KEY`, which only `RunList.ordered` knows."""
    descending: bool = True
    better: Direction | None = None
    """In which direction the metric of `best.KEY` is better."""


def needs_figures(condition: Condition | None, order: RunOrder) -> bool:
    """Say whether a condition or an order asks for parameters or metrics."""
    sql = "" if condition is None else condition.sql
    is_of_figures = order.column not in SORTABLE and not order.column.startswith(BEST)
    return is_of_figures or "run.params" in sql or "run.metrics" in sql


def has_runs_table(connection: sqlite3.Connection) -> bool:
    return bool(table_columns(connection, "experiments"))


def run(connection: sqlite3.Connection, run_id: str) -> Run | None:
    """Return one run, None if there is none with this id. Source: experiments."""
    sql = f"{relation(connection)} select {_ROW} from run where id = cast(:id as text)"
    row = connection.execute(sql, {"id": decoding.as_sql(run_id), "figures": "{}"}).fetchone()
    return None if row is None else _run(row)


def latest(connection: sqlite3.Connection) -> Run | None:
    """Return the run that was created last."""
    sql = f"{relation(connection)} select {_ROW} from run order by created_at desc, rowid desc"
    row = connection.execute(f"{sql} limit 1", {"figures": "{}"}).fetchone()
    return None if row is None else _run(row)


def before(connection: sqlite3.Connection, of: Run) -> Run | None:
    """Return the run of the same group that was created last before one, None if it is the first.

    Runs without a group count as one.
    """
    row = connection.execute(
        f"{relation(connection)}, this as (select * from run where rowid = :rowid)"
        f" select {', '.join(f'run.{name.strip()}' for name in _ROW.split(','))} from run, this"
        " where run.group_id is this.group_id and run.group_name is this.group_name"
        " and (run.created_at, run.rowid) < (this.created_at, this.rowid)"
        " order by run.created_at desc, run.rowid desc limit 1",
        {"figures": "{}", "rowid": of.rowid},
    ).fetchone()
    return None if row is None else _run(row)


def ids(connection: sqlite3.Connection) -> dict[int, str]:
    """Return the ids of all runs by their rowids. Source: experiments."""
    rows = connection.execute("select rowid, id from experiments")
    return {rowid: decoding.text(run_id) for rowid, run_id in rows}


def candidates(connection: sqlite3.Connection, word: str) -> list[Run]:
    """Return the runs whose id starts with a word or whose name it is, newest first."""
    rows = connection.execute(
        f"{relation(connection)}, typed as (select cast(:word as text) as word)"
        f" select {_ROW} from run, typed"
        " where name = word or substr(id, 1, length(word)) = word order by created_at desc",
        {"word": decoding.as_sql(word), "figures": "{}"},
    )
    return [_run(row) for row in rows]


def identities(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return (id, name) of all runs, newest first."""
    rows = connection.execute("select id, name from experiments order by created_at desc")
    return [(decoding.text(run_id), decoding.text(name)) for run_id, name in rows]


def groups(connection: sqlite3.Connection, *, with_empty: bool = False) -> tuple[Group, ...]:
    """Return the groups that have runs, by name; runs without one come last as a group.

    Args:
        connection: A connection to meta.db.
        with_empty: Whether to return the groups without runs too.
    """
    register_order(connection)
    rows = connection.execute(
        f"{relation(connection)} select group_id, group_name, count(*) from run"
        f" group by group_id, group_name order by {order_sql('group_name', are_names=True)}",
        {"figures": "{}"},
    )
    found = [
        Group(decoding.optional_text(group_id), decoding.text(name), count)
        for group_id, name, count in rows
    ]
    have_ids = "group_id" in table_columns(connection, "experiments")
    if not (with_empty and have_ids and table_columns(connection, "experiment_groups")):
        return tuple(found)
    with_runs = {group.id for group in found}
    for group_id, name in connection.execute("select id, name from experiment_groups"):
        if decoding.text(group_id) not in with_runs:
            found.append(Group(decoding.text(group_id), decoding.text(name), 0))
    return tuple(sorted(found, key=lambda group: (not group.name, sort_key(group.name))))


def ordered(
    connection: sqlite3.Connection,
    condition: Condition | None,
    order: RunOrder,
    figures: Mapping[str, Figures],
) -> array[int]:
    """Return the rowids of the runs that meet a condition, in order; missing values come last.

    Args:
        connection: A connection to meta.db.
        condition: None for all runs.
        order: What to sort by; equal runs are sorted newest first.
        figures: The figures of the runs that meta.db has no copies of (`without_figures`); needed
            where the condition or the order asks for parameters or metrics.
    """
    parameters: dict[str, object] = {"figures": figures_json(figures)}
    if order.column in SORTABLE:
        value = _SORT_SQL[order.column]
    else:
        from flowtui.store.filters import RUN_FIELDS, sort_value

        value, of_value = sort_value(order.column, RUN_FIELDS)
        parameters.update(of_value)
    where = "true"
    if condition is not None:
        # Imported here: most starts filter nothing, and the language takes 40 ms to import.
        from flowtui.store.filters import register_functions

        where = condition.sql
        parameters.update(condition.params)
        register_functions(connection)
    terms = f"value {'desc' if order.descending else 'asc'} nulls last"
    if order.column not in ("created", "status", "duration"):
        register_order(connection)
        are_names = order.column in SORTABLE
        terms = order_sql("value", order.descending, are_names=are_names)
    return decoding.keys(
        connection,
        f"{relation(connection)}, found as materialized ("
        f" select rowid, created_at, {value} as value from run where {where})"
        f" select rowid from found order by {terms}, created_at desc, rowid desc",
        parameters,
    )


def remarks(
    connection: sqlite3.Connection, condition: Condition, figures: Mapping[str, Figures]
) -> tuple[str, ...]:
    """Return a sentence for each key that a condition asks for and no run of the store has.

    Args:
        connection: A connection to meta.db.
        condition: A filter's condition.
        figures: The figures of the runs that meta.db has no copies of, as for `ordered`.
    """
    from flowtui.store import names_in_use
    from flowtui.store.filters import RUN_FIELDS, register_functions

    register_functions(connection)
    bound = {"figures": figures_json(figures)}
    is_whole = not any(of_run.problem for of_run in figures.values())
    place = "this store" if is_whole else "the runs that can be read"
    records = names_in_use.Records(
        relation(connection), "run", bound, "runs", place, is_bounded=False
    )
    return names_in_use.remarks(
        connection,
        condition,
        records,
        RUN_FIELDS.columns,
        lambda: names_in_use.of_runs(connection, figure_keys(connection), figures),
    )


def at(connection: sqlite3.Connection, rowids: Sequence[int]) -> dict[int, Run]:
    """Return runs by rowid; those that are gone are left out."""
    rows = connection.execute(
        f"{relation(connection)} select {_ROW} from run"
        " where rowid in (select value from json_each(:rowids))",
        {"rowids": json.dumps(list(rowids)), "figures": "{}"},
    )
    return {row[0]: _run(row) for row in rows}


def figure_keys(connection: sqlite3.Connection) -> tuple[list[str], list[str]]:
    """Return the keys of parameters and of metrics that completed runs have, most common first.

    Source: the keys of experiments.static_params and .dynamic_params.
    """
    if "static_params" not in table_columns(connection, "experiments"):
        return [], []

    def keys(column: str) -> list[str]:
        rows = connection.execute(
            f"select key, count(*) from experiments, json_each({decoding.if_json(column)})"
            " where typeof(key) = 'text' group by key"
        )
        return [key for key, _ in sorted(rows, key=lambda row: (-row[1], sort_key(row[0])))]

    return keys("static_params"), keys("dynamic_params")


def without_figures(connection: sqlite3.Connection) -> list[str]:
    """Return the ids of the runs whose figures meta.db does not hold as JSON objects.

    The SDK writes the copies when a run completes, so active and failed runs have none; and SQLite
    cannot read a copy with a NaN or an infinity in it as JSON.
    """
    present = table_columns(connection, "experiments")
    if "static_params" not in present:
        return [run_id for run_id, _ in identities(connection)]
    rows = connection.execute(
        "select id from experiments where status is not 'completed'"
        f" or (static_params is not null and {_if_object('static_params')} is null)"
        f" or (dynamic_params is not null and {_if_object('dynamic_params')} is null)"
    )
    return [decoding.text(run_id) for (run_id,) in rows]


def copied_figures(connection: sqlite3.Connection, run_ids: Sequence[str]) -> dict[str, Figures]:
    """Return the figures of completed runs from their copies in meta.db, where those are sound.

    Source: experiments.static_params, .dynamic_params.
    """
    if "static_params" not in table_columns(connection, "experiments"):
        return {}
    rows = connection.execute(
        "select id, static_params, dynamic_params from experiments where status = 'completed'"
        " and id in (select value from json_each(:ids))",
        {"ids": json.dumps(list(run_ids))},
    )
    found: dict[str, Figures] = {}
    for run_id, params, metrics in rows:
        try:
            found[run_id] = Figures(_object(params), _numbers(_object(metrics)))
        except (ValueError, RecursionError):
            continue
    return found


def relation(connection: sqlite3.Connection) -> str:
    """Return the WITH clause that makes `run`: one row a run, the same columns in any schema.

    It has one parameter, `figures`: see `figures_json`.
    """
    present = table_columns(connection, "experiments") | {"rowid"}
    columns = decoding.select_list(_COLUMNS, present, "experiments")
    if "group_id" in present and table_columns(connection, "experiment_groups"):
        group = "experiments.group_id, experiment_groups.name as group_name"
        join = "left join experiment_groups on experiment_groups.id = experiments.group_id"
    else:
        group = f"null as group_id, {'group_name' if 'group_name' in present else 'null'}"
        group += " as group_name"
        join = ""
    return f"""
with stored as (select {columns}, {group} from experiments {join}),
live as (
  select key as run_id, json_extract(value, '$.params') as params,
    json_extract(value, '$.metrics') as metrics from json_each(:figures)),
run as (
  select stored.rowid as rowid, id, name, status, description, group_id, group_name, created_at,
    duration, tags, source, upload_status, {decoding.if_json("metadata")} as metadata,
    coalesce(live.params, {_if_object("static_params")}) as params,
    coalesce(live.metrics, {_if_object("dynamic_params")}) as metrics
  from stored left join live on live.run_id = stored.id)"""


def _if_object(column: str) -> str:
    # Where it is not JSON, on which json_type would fail, it is NULL.
    is_object = f"json_type({decoding.if_json(column)}) = 'object'"
    return f"case when {is_object} then {column} end"


def _run(row: Sequence[object]) -> Run:
    rowid, run_id, name, status, created_at, duration, description, tags = row[:8]
    group_id, group_name, source, upload_status = row[8:]
    problems: list[str] = []
    assert isinstance(rowid, int)
    if not isinstance(run_id, str):
        problems.append(f"the id is not text, so the run cannot be opened: {run_id!r:.40}")
    return Run(
        rowid=rowid,
        id=decoding.text(run_id),
        name=decoding.text(name),
        status=decoding.text(status),
        created_at=decoding.timestamp(created_at, "created_at", problems),
        duration_s=decoding.number(duration, "duration", problems),
        description=decoding.optional_text(description),
        tags=decoding.text_list(tags, "tags", problems),
        group_id=decoding.optional_text(group_id),
        group_name=decoding.optional_text(group_name),
        source=decoding.optional_text(source),
        upload_status=decoding.optional_text(upload_status),
        problems=tuple(problems),
    )


def _object(value: object) -> dict[str, JsonValue]:
    parsed = json.loads(decoding.text(value) or "{}")
    if not isinstance(parsed, dict):
        raise ValueError("not a JSON object")
    return parsed


def _numbers(values: Mapping[str, JsonValue]) -> dict[str, float | None]:
    return {
        key: math.nan if value is None else decoding.as_float(value)
        for key, value in values.items()
        if value is None or isinstance(value, (int, float))
    }


def figures_json(figures: Mapping[str, Figures]) -> str:
    """Return the figures of runs that meta.db has no copies of, for `relation`."""
    return json.dumps(
        {
            run_id: {"params": _sql_json(dict(of.params)), "metrics": _sql_json(dict(of.metrics))}
            for run_id, of in figures.items()
        }
    )


def _sql_json(value: object) -> object:
    """Return a value for SQLite's JSON: NaN as null, an infinity as a number too large."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else 10**400 * int(math.copysign(1, value))
    if isinstance(value, dict):
        return {key: _sql_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_sql_json(item) for item in value]
    return value
