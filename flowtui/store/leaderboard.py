"""What tells listed runs apart: their parameters that differ, and which of them is the best.

Source: the copies of parameters and last metric values in meta.db, and for runs without copies the
figures that the caller gives (`runs.without_figures`).
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from flowtui.store.compare.directions import Direction, direction
from flowtui.store.database import table_columns
from flowtui.store.natural import sort_key
from flowtui.store.runs import figures_json, relation
from flowtui.store.values import Figures, JsonValue

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

MOST_RUNS = 1_000
"""How many of the listed runs are looked at, from the first on."""
MOST_CHARS = 100_000
"""Longer copies of parameters or metrics are not looked at."""
MANY = 0.5
"""The share of the runs that must have a parameter or metric for it to be of all of them."""
_FINITE = "typeof(value) in ('integer', 'real') and abs(value) <= 1.7976931348623157e308"


class ParamShape(NamedTuple):
    """What the values of a parameter have in common."""

    chars: int = 0
    """The length of the longest value."""
    is_number: bool = True
    """Whether all values are numbers."""
    is_nested: bool = False
    """Whether a value is an object or a list, which no cell of a table can show."""

    def with_value(self, value: JsonValue, text: str) -> ParamShape:
        """Take a value, and the same as JSON."""
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return ParamShape(
            max(self.chars, len(value) if isinstance(value, str) else len(text)),
            self.is_number and is_number,
            self.is_nested or isinstance(value, (dict, list)),
        )


class TellingKeys(NamedTuple):
    """The parameters and metrics that matter for some runs, those that matter most first."""

    params: tuple[str, ...] = ()
    """Parameters that many of the runs have, and that differ among them."""
    metrics: tuple[str, ...] = ()
    """The metrics that most runs share; first those that have a direction."""
    shapes: Mapping[str, ParamShape] = MappingProxyType({})
    """What is known of the values, by parameter."""

    @property
    def columns(self) -> list[str]:
        """The parameters whose values a table can show."""
        return [key for key in self.params if not self.shapes.get(key, ParamShape()).is_nested]


def named_columns(
    names: Sequence[str], params: Sequence[str], metrics: Sequence[str], fields: Sequence[str]
) -> list[str]:
    """Return the keys of columns by the names that a person gave, without what no run has.

    Args:
        names: Fields, parameters and metrics, with `param.`, `metric.` or `best.` if need be.
        params: The parameters that there are.
        metrics: The metrics that there are.
        fields: The columns that every run has.
    """
    known = {
        **{f"best.{metric}": f"best.{metric}" for metric in metrics},
        **{f"param.{param}": f"param.{param}" for param in params},
        **{f"metric.{metric}": f"metric.{metric}" for metric in metrics},
        **{param: f"param.{param}" for param in params},
        **{metric: f"metric.{metric}" for metric in metrics},
        "created_at": "created",
        **{field: field for field in fields},
    }
    return list(dict.fromkeys(known[name] for name in names if name in known))


def telling_keys(
    connection: sqlite3.Connection, rowids: Sequence[int], chosen: Mapping[str, str] | None = None
) -> TellingKeys:
    """Return the parameters and metrics that matter for the first of some runs.

    Args:
        connection: A connection to meta.db.
        rowids: The runs, of which the first MOST_RUNS are looked at.
        chosen: The directions that a person has chosen, as `directions.direction` takes them.
    """
    if "static_params" not in table_columns(connection, "experiments"):
        return TellingKeys()
    rows = connection.execute(
        "select static_params, dynamic_params from experiments where status = 'completed'"
        " and rowid in (select value from json_each(:rowids))"
        " and length(static_params) <= :most and coalesce(length(dynamic_params), 0) <= :most",
        {"rowids": json.dumps(list(rowids[:MOST_RUNS])), "most": MOST_CHARS},
    )
    values: dict[str, Counter[str]] = {}
    shapes: dict[str, ParamShape] = {}
    shared: Counter[str] = Counter()
    count = 0
    for params, metrics in rows:
        count += 1
        for key, value in _items(params):
            known, text = values.setdefault(key, Counter()), json.dumps(value, sort_keys=True)
            if text not in known:
                shapes[key] = shapes.get(key, ParamShape()).with_value(value, text)
            known[text] += 1
        shared.update(key for key, _ in _items(metrics))
    having = {key: some.total() for key, some in values.items()}
    differing = [
        key
        for key, some in values.items()
        if having[key] >= count * MANY and (len(some) > 1 or having[key] < count)
    ]
    differing.sort(key=lambda key: (-having[key], sort_key(key)))
    common = [key for key, number in shared.items() if number >= count * MANY] or list(shared)
    common.sort(key=lambda key: (direction(key, chosen) is None, -shared[key], sort_key(key)))
    return TellingKeys(tuple(differing), tuple(common), shapes)


def _items(raw: object) -> Sequence[tuple[str, JsonValue]]:
    try:
        parsed = json.loads(raw) if isinstance(raw, str) else {}
    except (ValueError, RecursionError):
        return ()
    return list(parsed.items()) if isinstance(parsed, dict) else ()


def best_runs(
    connection: sqlite3.Connection,
    rowids: Sequence[int],
    better: Mapping[str, Direction],
    figures: Mapping[str, Figures],
) -> dict[str, int]:
    """Return by metric which of some runs has the best last value; NaN and infinities are none.

    Args:
        connection: A connection to meta.db.
        rowids: The runs.
        better: In which direction each wanted metric is better.
        figures: The figures of the runs that meta.db has no copies of.
    """
    found: dict[str, int] = {}
    for way, best in ((Direction.LOWER, "min"), (Direction.HIGHER, "max")):
        keys = [key for key, one in better.items() if one is way]
        if not keys:
            continue
        # A bare column beside min() or max() is that of the row with the extreme.
        rows = connection.execute(
            f"{relation(connection)} select key, run.rowid, {best}(value)"
            " from run, json_each(run.metrics)"
            " where key in (select value from json_each(:keys))"
            f" and run.rowid in (select value from json_each(:rowids)) and {_FINITE}"
            " group by key",
            {
                "figures": figures_json(figures),
                "keys": json.dumps(keys),
                "rowids": json.dumps(list(rowids)),
            },
        )
        found.update({key: rowid for key, rowid, _ in rows})
    return found


class GroupSum(NamedTuple):
    """How many runs of a group meet a condition, and what a metric adds up to over them."""

    run_count: int = 0
    number_count: int = 0
    """How many of them have a finite last value."""
    low: float | None = None
    high: float | None = None
    mean: float | None = None


def group_sums(
    connection: sqlite3.Connection,
    condition: Condition | None,
    metric: str,
    figures: Mapping[str, Figures],
) -> dict[tuple[str | None, str], GroupSum]:
    """Return by (id, name) of their group how many runs meet a condition, and their metric.

    Args:
        connection: A connection to meta.db.
        condition: None for all runs.
        metric: The metric whose last values are summed up; empty for none.
        figures: The figures of the runs that meta.db has no copies of, as far as they are asked.
    """
    parameters: dict[str, object] = {"figures": figures_json(figures), "metric": metric}
    where = "true"
    if condition is not None:
        from flowtui.store.filters import register_functions

        register_functions(connection)
        where = condition.sql
        parameters.update(condition.params)
    value = "null"
    if metric:
        value = (
            "(select value from json_each(run.metrics) where key = cast(:metric as text)"
            f" and {_FINITE} limit 1)"
        )
    rows = connection.execute(
        f"{relation(connection)}, found as materialized ("
        f" select group_id, coalesce(group_name, '') as group_name, {value} as value"
        f" from run where {where})"
        " select group_id, group_name, count(*), count(value), min(value), max(value), avg(value)"
        " from found group by group_id, group_name",
        parameters,
    )
    return {(group_id, name): GroupSum(*sums) for group_id, name, *sums in rows}
