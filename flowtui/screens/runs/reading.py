"""What the list of runs asks of the store, and the answers."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowtui import format as fmt
from flowtui.screens.list_query import ListQuery
from flowtui.store import runs as run_rows
from flowtui.store.liveness.standing import Signs
from flowtui.store.runs import RunOrder
from flowtui.store.store import Store
from flowtui.store.values import Figures, Group, Run

if TYPE_CHECKING:
    from flowtui.store.filters import Condition


@dataclass(frozen=True, slots=True)
class RunsQuery(ListQuery):
    """Which runs are wanted, and in which order."""

    group: Group | None = None
    """The group of the runs; None for all groups."""
    order: RunOrder = field(default_factory=RunOrder)

    @property
    def sorted_by(self) -> tuple[str, bool]:
        return self.order.column, self.order.descending

    @property
    def whole_condition(self) -> Condition | None:
        group, condition = self.group, self.condition
        if group is None:
            return condition
        from flowtui.store.filters import Condition

        by_group = Condition("run.group_id is :chosen_group", {"chosen_group": group.id})
        if group.id is None:
            by_group = Condition(
                "coalesce(run.group_name, '') = :chosen_group", {"chosen_group": group.name}
            )
        if condition is None:
            return by_group
        return Condition(
            f"{by_group.sql} and {condition.sql}", {**by_group.params, **condition.params}
        )


@dataclass(frozen=True, slots=True)
class ListedRuns:
    """The keys of the wanted runs in their order, and the groups and keys to choose from."""

    wanted: RunsQuery
    rowids: array[int]
    groups: tuple[Group, ...]
    total: int
    metric_keys: Sequence[str]
    param_keys: Sequence[str]
    remarks: Sequence[str]
    """Sentences about the filter."""


@dataclass(frozen=True, slots=True)
class ReadRuns:
    """Runs that came into sight, or active runs that were read again."""

    runs: dict[int, Run]
    figures: dict[str, Figures]
    signs: dict[str, Signs]
    """The signs of the processes of active runs, by run id."""


def runs_to_compare(store: Store, marked: Sequence[str], here: Run | None) -> list[Run] | str:
    """Return the runs to compare, the baseline first, or a sentence that says why there are none.

    Args:
        store: The store whose runs are listed.
        marked: The ids of the marked runs, the baseline first. A single one is compared with the
            run under the cursor, and without marks that run with the one before it in its group.
        here: The run under the cursor; None if there is none.

    Raises:
        DatabaseError: meta.db cannot be read.
    """
    rows = {run_id: store.ask(run_rows.run, run_id) for run_id in marked}
    found = [row for row in rows.values() if row is not None]
    if len(found) < len(marked):
        gone = next(run_id for run_id, row in rows.items() if row is None)
        return f"The marked run {fmt.short_id(gone)} was deleted. = compares the others."
    if len(found) == 1 and here is not None and here.id != found[0].id:
        return [found[0], here]
    if len(found) == 1:
        return "One run is marked: mark another, or go to the run to compare it with."
    if found or here is None:
        return found or "There is no run to compare."
    before = store.ask(run_rows.before, here)
    if before is None:
        return "No run of its group was created before this one: mark the runs to compare."
    return [before, here]
