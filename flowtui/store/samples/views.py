"""One-key views of the samples: which of them, and in what order.

`failing first` is an order, the others are conditions. A sample fails the more, the more of its
checks failed: scores that are false, and scorers that raised an error (a score `error` or
`__error__<scorer>`). Among equals the lowest numbers come first: each score is placed between the
lowest and the highest under its key, 0 to 1 (1 where they are all the same), and the mean of these
places counts. Samples with neither checks nor numbers come last.
"""

from __future__ import annotations

import math
import sqlite3
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flowtui.store.database import table_columns
from flowtui.store.samples.orders import FAILING, SampleOrder, prepared
from flowtui.store.samples.relation import relation
from flowtui.store.samples.score_values import as_float, is_number, parsed_object, place
from flowtui.store.samples.values import SamplesView
from flowtui.store.values import JsonValue

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

_APART = 4.0
"""How far one failed check moves a sample; the mean of places is 0 to 1, or 2 without numbers."""
_DIFFERS = (
    "sample.refs_text IS NOT NULL AND sample.outputs_text IS NOT sample.refs_text"
    " AND differs(CAST(sample.outputs_text AS BLOB), CAST(sample.refs_text AS BLOB))"
)
_Bounds = dict[str, tuple[float, float]]


def view_order(view: SamplesView) -> SampleOrder | None:
    """Return the order of a view, None if it leaves the order as it is."""
    return SampleOrder(FAILING) if view is SamplesView.FAILING_FIRST else None


def view_condition(view: SamplesView, condition: Condition | None = None) -> Condition | None:
    """Return the condition of a view combined with that of a filter; None for all samples."""
    from flowtui.store.filters import Condition
    from flowtui.store.filters.samples import ANNOTATED_SQL, ERRORS_SQL

    of_view = {
        SamplesView.DIFFERING: _DIFFERS,
        SamplesView.ERRORS: ERRORS_SQL,
        SamplesView.NOT_ANNOTATED: f"NOT ({ANNOTATED_SQL})",
    }.get(view)
    if of_view is None:
        return condition
    if condition is None:
        return Condition(f"({of_view})", {})
    return Condition(f"(({of_view}) AND {condition.sql})", condition.params)


def failing_first(
    connection: sqlite3.Connection,
    dataset: str | None,
    condition: Condition | None,
    descending: bool = False,
) -> array[int]:
    """Return the keys of samples by how much they fail, most first unless `descending`.

    It takes two passes over the scores, and 16 bytes for each sample.
    """
    if not table_columns(connection, "evals"):
        return array("q")
    bounds: _Bounds = {}
    for _, scores in _scores(connection, dataset, condition):
        for key, value in scores.items():
            if is_number(value) and math.isfinite(number := as_float(value)):
                low, high = bounds.get(key, (number, number))
                if number <= low or number >= high:
                    bounds[key] = min(low, number), max(high, number)
    rowids, ranks = array("q"), array("d")
    for rowid, scores in _scores(connection, dataset, condition):
        rowids.append(rowid)
        ranks.append(_rank(scores, bounds, -1 if descending else 1))
    # Rows come in the order of their keys, and a stable sort leaves equals as they are.
    return array("q", (rowids[n] for n in sorted(range(len(rowids)), key=ranks.__getitem__)))


def _scores(
    connection: sqlite3.Connection, dataset: str | None, condition: Condition | None
) -> Iterator[tuple[int, dict[str, JsonValue]]]:
    where, parameters = prepared(connection, dataset, condition)
    rows = connection.execute(
        f"{relation(connection, f'{where} sample.scores', dataset)}"
        f" select rowid, scores_text from sample where {where} order by rowid",
        parameters,
    )
    for rowid, stored in rows:
        yield rowid, parsed_object(stored) or {}


def is_error_key(key: str) -> bool:
    """Say whether a score stands for an error, as the SDK's evaluation names them."""
    return key == "error" or key.startswith("__error__")


def _rank(scores: dict[str, JsonValue], bounds: _Bounds, sign: int) -> float:
    """Return the rank of a sample: by failed checks, then by the mean of the places."""
    failed, total, count, checks = 0, 0.0, 0, 0
    for key, value in scores.items():
        if isinstance(value, bool):
            checks += 1
            failed += not value
        elif is_number(value):
            number = as_float(value)
            if not math.isnan(number):
                total += _place(number, bounds.get(key))
                count += 1
        elif value is not None and is_error_key(key):
            checks += 1
            failed += 1
    if not checks and not count:
        return math.inf
    return (
        sign * (total / count - _APART * failed) if count else _APART / 2 - sign * _APART * failed
    )


def _place(number: float, bounds: tuple[float, float] | None) -> float:
    if math.isinf(number) or bounds is None:
        return 1.0 if number > 0 else 0.0
    return place(number, *bounds)
