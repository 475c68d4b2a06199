"""The samples of eval sets (exp.db: evals, eval_traces_bridge, eval_annotations).

The key of a sample is its rowid, which takes eight bytes where its ids take a hundred. A sample
that is logged again is a new row, so its key changes; `SampleTarget` stays.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from flowtui.store import decoding
from flowtui.store.annotations.values import SampleTarget
from flowtui.store.bounded_json import (
    PARSED_BYTES,
    TOO_LONG,
    Bounds,
    bounded,
    head,
    parsed,
    sql_unless_long,
    too_long,
)
from flowtui.store.database import table_columns
from flowtui.store.natural import order_sql, register_order, sort_key
from flowtui.store.samples.orders import FAILING, SORT_COLUMNS, SampleOrder, prepared
from flowtui.store.samples.relation import (
    PLAIN,
    relation,
    value_sql,
)
from flowtui.store.samples.values import JSON_COLUMNS, Dataset, Sample
from flowtui.store.samples.views import failing_first
from flowtui.store.values import JsonValue

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

_STORED = (*JSON_COLUMNS, "dataset_id", "id", "created_at", "updated_at")
_MOST_BYTES_OF_A_CHAR = 4

LISTED = Bounds(text_chars=2_000, items=200)
DETAILED = Bounds()
WHOLE = Bounds(parses_all=True)
OLDEST_FIRST = SampleOrder()


def datasets(connection: sqlite3.Connection) -> tuple[Dataset, ...]:
    """Return the eval sets by id; one scan of an index."""
    if not table_columns(connection, "evals"):
        return ()
    rows = connection.execute("select dataset_id, count(*) from evals group by dataset_id")
    found = [Dataset(decoding.text(id_), count) for id_, count in rows]
    return tuple(sorted(found, key=lambda dataset: sort_key(dataset.id)))


def ordered(
    connection: sqlite3.Connection,
    dataset: str | None = None,
    condition: Condition | None = None,
    order: SampleOrder = OLDEST_FIRST,
) -> array[int]:
    """Return the keys of the samples that meet a condition, in order.

    Numbers and booleans (as 1 and 0) come before texts, which are sorted as `natural` says, and
    missing values, null and NaN last, whatever the direction; equal rows stay in the order of
    writing.

    Args:
        connection: A connection to exp.db.
        dataset: The id of an eval set; None for all.
        condition: Which samples; None for all.
        order: What to sort by; see `SampleOrder`.
    """
    if order.column == FAILING:
        return failing_first(connection, dataset, condition, order.descending)
    if not table_columns(connection, "evals"):
        return array("q")
    where, parameters = prepared(connection, dataset, condition)
    value, sort_parameters = _sort_value(order.column)
    used = f"{where} {value}"
    register_order(connection)
    # Computed values are materialized, so that each is computed once; a stored column takes longer
    # to copy than to read.
    found = "as" if value in {f"sample.{name}" for name in PLAIN} else "as materialized"
    terms = order_sql("value", order.descending, are_names=order.column in SORT_COLUMNS)
    if order.column in ("created", "updated"):
        terms = f"value {'desc' if order.descending else 'asc'} nulls last"
    return decoding.keys(
        connection,
        f"{relation(connection, used, dataset)},"
        f" found {found} (select rowid, {value} as value from sample where {where})"
        f" select rowid from found order by {terms}, rowid",
        {**parameters, **sort_parameters},
    )


def remarks(connection: sqlite3.Connection, condition: Condition) -> tuple[str, ...]:
    """Return a sentence for each key that a condition asks for and no sample of the run has.

    Source: exp.db evals, eval_annotations.
    """
    from flowtui.store import names_in_use
    from flowtui.store.filters import SAMPLE_FIELDS

    if not table_columns(connection, "evals"):
        return ()
    prepared(connection, None, condition)
    used = " ".join(asked.sql for asked in condition.asked)
    records = names_in_use.Records(relation(connection, used), "sample", {}, "samples", "this run")
    return names_in_use.remarks(
        connection,
        condition,
        records,
        SAMPLE_FIELDS.columns,
        lambda: names_in_use.of_samples(connection),
    )


def at(
    connection: sqlite3.Connection, rowids: Sequence[int], bounds: Bounds = LISTED
) -> dict[int, Sample]:
    """Return samples by key; those that are gone are left out.

    Links and annotations have no index, so this takes one pass over each of their tables, for any
    number of keys.
    """
    present = table_columns(connection, "evals")
    if not present:
        return {}
    wanted = {"rowids": json.dumps(list(rowids))}
    traces = _trace_ids(connection, wanted)
    annotated = _annotation_counts(connection, wanted)
    head_bytes = _MOST_BYTES_OF_A_CHAR * (bounds.text_chars or 0)
    long = present.intersection(JSON_COLUMNS if head_bytes else ())
    columns = [
        sql_unless_long("evals", column)
        if column in long
        else decoding.select_list([column], present, "evals")
        for column in _STORED
    ]
    rows = connection.execute(
        f"select rowid, {', '.join(columns)} from evals"
        " where rowid in (select value from json_each(:rowids))",
        wanted,
    )
    found: dict[int, Sample] = {}
    # One row at a time, so that only one of them is held without bounds.
    for key, *stored in rows:
        values = dict(zip(_STORED, stored, strict=True))
        heads = {
            column: beginning
            for column in long
            if values[column] == TOO_LONG
            and (beginning := head(connection, "evals", column, key, head_bytes)) is not None
        }
        linked = tuple(traces.get(key, ()))
        found[key] = _sample(key, values, heads, linked, annotated.get(key, 0), bounds)
    return found


def detail(connection: sqlite3.Connection, target: SampleTarget) -> Sample | None:
    """Return one sample with everything that is stored of it, None if there is none.

    JSON of more than 32 MB is returned as its text.
    """
    found = rowid(connection, target)
    return None if found is None else at(connection, [found], DETAILED).get(found)


def annotated_by(connection: sqlite3.Connection, user: str) -> frozenset[int]:
    """Return the keys of the samples that an author has annotated.

    Source: eval_annotations, evals.
    """
    if not (table_columns(connection, "eval_annotations") and table_columns(connection, "evals")):
        return frozenset()
    rows = connection.execute(
        "select distinct evals.rowid from eval_annotations as noted"
        " join evals on evals.dataset_id = noted.dataset_id and evals.id = noted.eval_id"
        " where noted.user = cast(? as text)",
        [decoding.as_sql(user)],
    )
    return frozenset(key for (key,) in rows)


def rowid(connection: sqlite3.Connection, target: SampleTarget) -> int | None:
    """Return the present key of a sample, None if it is gone; logging it again changes its key."""
    if not table_columns(connection, "evals"):
        return None
    row = connection.execute(
        "select rowid from evals where dataset_id = cast(? as text) and id = cast(? as text)",
        [decoding.as_sql(part) for part in target.key],
    ).fetchone()
    if row is None:
        # For an id that is not text, the id given here is the text that was made to show it.
        odd = connection.execute(
            "select rowid, dataset_id, id from evals"
            " where typeof(dataset_id) <> 'text' or typeof(id) <> 'text'"
        )
        row = next((row for row in odd if tuple(map(decoding.text, row[1:])) == target.key), None)
    return None if row is None else int(row[0])


def _sort_value(column: str) -> tuple[str, dict[str, object]]:
    if column in SORT_COLUMNS:
        return SORT_COLUMNS[column], {}
    prefix, _, key = column.partition(".")
    if prefix not in JSON_COLUMNS or not key:
        from flowtui.store.filters import SAMPLE_FIELDS, sort_value

        value, parameters = sort_value(column, SAMPLE_FIELDS)
        return value, dict(parameters)
    sql, paths = value_sql(f"sample.{prefix}", key)
    names = [f"sort_{n}" for n in range(len(paths))]
    return sql.format(*(f":{name}" for name in names)), dict(zip(names, paths, strict=True))


def _trace_ids(
    connection: sqlite3.Connection, wanted: Mapping[str, object]
) -> dict[int, dict[str, None]]:
    """Return the distinct traces of samples by key, in the order of their links."""
    found: dict[int, dict[str, None]] = {}
    if table_columns(connection, "eval_traces_bridge"):
        rows = connection.execute(
            f"{_PAGE} select page.rowid, link.trace_id from eval_traces_bridge as link"
            " cross join page on page.id = link.eval_id and page.dataset_id = link.eval_dataset_id"
            " order by link.rowid",
            wanted,
        )
        for rowid, trace_id in rows:
            found.setdefault(rowid, {})[decoding.text(trace_id)] = None
    return found


def _annotation_counts(
    connection: sqlite3.Connection, wanted: Mapping[str, object]
) -> dict[int, int]:
    if not table_columns(connection, "eval_annotations"):
        return {}
    rows = connection.execute(
        f"{_PAGE} select page.rowid, count(*) from eval_annotations as note"
        " cross join page on page.id = note.eval_id and page.dataset_id = note.dataset_id"
        " group by page.rowid",
        wanted,
    )
    return dict(rows)


_PAGE = """with page as materialized (select rowid, dataset_id, id from evals
  where rowid in (select value from json_each(:rowids)))"""


def _sample(
    rowid: int,
    values: Mapping[str, object],
    heads: Mapping[str, tuple[str, int]],
    trace_ids: tuple[str, ...],
    annotation_count: int,
    bounds: Bounds,
) -> Sample:
    problems: list[str] = []
    cut: dict[str, int] = {}
    unparsed: set[str] = set()
    columns: dict[str, JsonValue] = {}
    for column in JSON_COLUMNS:
        value: JsonValue
        if column in heads:
            value, chars = heads[column]
            problem: str | None = too_long(chars)
            cut[column] = chars
            value = value[: bounds.text_chars]
        else:
            value, problem = parsed(values[column], None if bounds.parses_all else PARSED_BYTES)
            value = bounded(value, column, bounds, cut)
        if problem is not None:
            problems.append(f"{column} {problem}")
            unparsed.add(column)
        columns[column] = value
    for column in ("dataset_id", "id"):
        if not isinstance(values[column], str):
            problems.append(f"{column} is not text, so that it cannot be annotated")
    return Sample(
        rowid=rowid,
        dataset_id=decoding.text(values["dataset_id"]),
        id=decoding.text(values["id"]),
        inputs=columns["inputs"],
        outputs=columns["outputs"],
        refs=columns["refs"],
        scores=columns["scores"],
        metadata=columns["metadata"],
        trace_ids=trace_ids,
        annotation_count=annotation_count,
        created_at=decoding.timestamp(values["created_at"], "created_at", problems),
        updated_at=decoding.timestamp(values["updated_at"], "updated_at", problems),
        cut=cut,
        unparsed=frozenset(unparsed),
        problems=tuple(problems),
    )
