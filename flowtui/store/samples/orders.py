"""What samples can be sorted by, and conditions over them as SQL."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowtui.store.samples.relation import dataset_parameter, register_functions

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

SORT_COLUMNS = {
    "created": "sample.created_at",
    "updated": "sample.updated_at",
    "id": "sample.id",
    "dataset": "sample.dataset_id",
    "annotations": "sample.annotation_count",
    "traces": "sample.trace_count",
}
ALSO_SORTED = {value.removeprefix("sample."): name for name, value in SORT_COLUMNS.items()}
"""The columns by their names in the filter language."""
FAILING = "failing"
SORTABLE = (*SORT_COLUMNS, FAILING)
"""The columns of the list, besides `<JSON column>.<key>`; see `views` for the last one."""


@dataclass(frozen=True, slots=True)
class SampleOrder:
    column: str = "created"
    """One of SORTABLE, or a key as the filter language names it: `scores.accuracy`, `accuracy`."""
    descending: bool = False


def prepared(
    connection: sqlite3.Connection, dataset: str | None, condition: Condition | None
) -> tuple[str, dict[str, object]]:
    """Register functions, and return the SQL of a condition over `sample` and its parameters."""
    register_functions(connection)
    parameters = dataset_parameter(dataset)
    if condition is None:
        return "true", parameters
    # Imported here: most reads do not filter, and the language takes 40 ms to import.
    from flowtui.store.filters import register_functions as register_those_of_filters

    register_those_of_filters(connection)
    return condition.sql, {**parameters, **condition.params}
