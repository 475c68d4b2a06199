"""The keys that samples use, and the groups into which one of them divides the samples."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowtui.store import decoding
from flowtui.store.annotations import judgements
from flowtui.store.annotations.listing import SAMPLES
from flowtui.store.database import table_columns
from flowtui.store.natural import order_sql, register_order, sort_key
from flowtui.store.samples import listing
from flowtui.store.samples.orders import prepared
from flowtui.store.samples.relation import (
    dataset_parameter,
    register_functions,
    relation,
    value_sql,
)
from flowtui.store.samples.values import (
    KeyInUse,
    KeyType,
    SampleGroup,
    SampleGroups,
)

if TYPE_CHECKING:
    from flowtui.store.filters import Condition
    from flowtui.store.values import JsonValue

MOST_NAMED_FIRST = ("scores", "metadata", "inputs", "outputs", "refs")
"""The columns, beginning with those whose keys people use most."""
GROUPS_SHOWN = 1_000
GROUP_CHARS = 500
"""How many characters are kept of a text that stands for a group."""

_TYPES = {
    "true": KeyType.BOOLEAN,
    "false": KeyType.BOOLEAN,
    "integer": KeyType.NUMBER,
    "real": KeyType.NUMBER,
    "text": KeyType.TEXT,
    "array": KeyType.LIST,
    "object": KeyType.OBJECT,
}


def keys(
    connection: sqlite3.Connection,
    dataset: str | None = None,
    columns: Sequence[str] = MOST_NAMED_FIRST,
) -> tuple[KeyInUse, ...]:
    """Return the keys at the top of JSON columns, column by column, most common first.

    Args:
        connection: A connection to exp.db.
        dataset: The id of an eval set; None for all.
        columns: The columns to look at; each costs a pass over its texts.
    """
    if not table_columns(connection, "evals"):
        return ()
    register_functions(connection)
    found: list[KeyInUse] = []
    for column in columns:
        rows = connection.execute(
            f"{relation(connection, f'sample.{column}', dataset)}"
            f" select pair.key, pair.type, count(*) from sample, json_each(sample.{column}) as pair"
            " where typeof(pair.key) = 'text' group by pair.key, pair.type",
            dataset_parameter(dataset),
        )
        types: dict[str, dict[KeyType, int]] = {}
        for key, type_, count in rows:
            counts = types.setdefault(decoding.text(key), {})
            kind = _TYPES.get(type_, KeyType.NULL)
            counts[kind] = counts.get(kind, 0) + count
        of_column = [KeyInUse(column, key, counts) for key, counts in types.items()]
        found += sorted(of_column, key=lambda used: (-used.count, sort_key(used.key)))
    return tuple(found)


def groups(
    connection: sqlite3.Connection,
    key: str,
    dataset: str | None = None,
    condition: Condition | None = None,
    limit: int = GROUPS_SHOWN,
) -> SampleGroups:
    """Return how many samples have each value under a key, most common first.

    Samples without the key, or with null or NaN under it, are one group.

    Args:
        connection: A connection to exp.db.
        key: The key with its column: `scores.label`, `metadata.lang`; or `dataset`.
        dataset: The id of an eval set; None for all.
        condition: Which samples; None for all.
        limit: How many groups at most; the others are counted.
    """
    if not table_columns(connection, "evals"):
        return SampleGroups((), 0, 0)
    if key.startswith(judgements.PREFIX):
        return _said(connection, key, dataset, condition, limit)
    where, parameters = prepared(connection, dataset, condition)
    value, type_, paths = _grouped_by(key)
    register_order(connection)
    names = [f"group_{n}" for n in range(len(paths))]
    marks = [f":{name}" for name in names]
    value, type_ = value.format(*marks), type_.format(*marks)
    rows = connection.execute(
        f"{relation(connection, f'{where} {value}', dataset)},"
        f" found as (select {value} as value, {type_} as type from sample where {where})"
        f" select case typeof(value) when 'text' then substr(value, 1, {GROUP_CHARS})"
        " else value end, min(type), count(*) as sample_count from found"
        " group by value, type in ('true', 'false'), type in ('array', 'object')"
        f" order by sample_count desc, {order_sql('value')}",
        {**parameters, **dict(zip(names, paths, strict=True))},
    )
    shown = [_group(*row) for row in rows.fetchmany(limit)] if limit else []
    rest = [count for _, _, count in rows]
    return SampleGroups(tuple(shown), len(rest), sum(rest))


def _said(
    connection: sqlite3.Connection,
    field: str,
    dataset: str | None,
    condition: Condition | None,
    limit: int,
) -> SampleGroups:
    """Return how many samples people said each thing of; of some they may have said several."""
    rowids = listing.ordered(connection, dataset, condition)
    said = judgements.of_rows(connection, SAMPLES, rowids)
    counts: Counter[tuple[type, JsonValue]] = Counter()
    for of in said.values():
        counts.update(
            (type(value), value) for value, _ in (of[field].counts if field in of else ())
        )
    without = sum(field not in said.get(rowid, {}) for rowid in rowids)
    found = [SampleGroup(value, number) for (_, value), number in counts.most_common()]
    found += [SampleGroup(None, without)] if without else []
    return SampleGroups(
        tuple(found[:limit]), len(found[limit:]), sum(one.count for one in found[limit:])
    )


def _grouped_by(key: str) -> tuple[str, str, tuple[str, ...]]:
    if key == "dataset":
        return "sample.dataset_id", "'text'", ()
    column, _, name = key.partition(".")
    value, paths = value_sql(f"sample.{column}", name)
    type_, _ = value_sql(f"sample.{column}", name, "type")
    return value, type_, paths


def _group(value: JsonValue, type_: str | None, count: int) -> SampleGroup:
    if type_ in ("true", "false"):
        return SampleGroup(bool(value), count)
    return SampleGroup(value, count, is_json=type_ in ("array", "object"))
