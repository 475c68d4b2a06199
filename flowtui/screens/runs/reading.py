"""What the list of runs asks of the store, and the answers."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowtui.screens.list_query import ListQuery
from flowtui.store.liveness.standing import Signs
from flowtui.store.runs import RunOrder
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
