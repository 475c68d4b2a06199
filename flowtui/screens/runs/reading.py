"""What the list of runs asks of the store, and the answers."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import TYPE_CHECKING

from flowtui import format as fmt
from flowtui.screens.list_query import ListQuery
from flowtui.screens.runs.column_plan import METRIC
from flowtui.screens.runs.columns import Bests
from flowtui.store import runs as run_rows
from flowtui.store.compare.directions import Direction
from flowtui.store.leaderboard import GroupSum, TellingKeys
from flowtui.store.liveness.standing import Signs
from flowtui.store.runs import BEST, RunOrder
from flowtui.store.store import Store
from flowtui.store.values import Figures, Group, MetricSummary, Run

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
    telling: TellingKeys
    """The parameters and metrics that matter for the listed runs."""
    unread_count: int
    """How many runs of the store are not wholly read yet."""


@dataclass(frozen=True, slots=True)
class ReadRuns:
    """Runs that came into sight, or active runs that were read again."""

    runs: dict[int, Run]
    figures: dict[str, Figures]
    signs: dict[str, Signs]
    """The signs of the processes of active runs, by run id."""
    summaries: Mapping[str, Mapping[str, MetricSummary] | None] = field(default_factory=dict)
    """By run id the metrics of which more than the last value is shown; None for a run whose
    database cannot be read."""


@dataclass(frozen=True, slots=True)
class ReadBests:
    """What is known of all listed runs together, beside the keys of them."""

    wanted: RunsQuery
    columns: tuple[str, ...]
    bests: Bests
    groups: Mapping[tuple[str | None, str], GroupSum]
    metric: str
    """The metric that the groups were summed up by; empty for none."""


MOST_READ = 500
"""In how many runs the best value is looked for that only their own databases have, unasked."""


def read_bests(
    store: Store,
    listed: ListedRuns,
    columns: Sequence[str],
    better: Mapping[str, Direction],
    has_groups: bool,
) -> ReadBests:
    """Return the best values of all listed runs, and the sums of their groups.

    The best of best values is left out where more than MOST_READ runs are listed.

    Raises:
        DatabaseError: meta.db cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    wanted = listed.wanted
    lasts = [key.partition(".")[2] for key in columns if key.startswith(METRIC)]
    found = store.list.best_runs(
        listed.rowids, {key: better[key] for key in lasts if key in better}
    )
    values = {f"{METRIC}{key}": value for key, value in found.items()}
    for key in columns if len(listed.rowids) <= MOST_READ else ():
        name = key.partition(".")[2]
        if key.startswith(BEST) and name in better:
            of_runs = store.list.best_values(listed.rowids, name, better[name]).values()
            if of_runs:
                values[key] = (min if better[name] is Direction.LOWER else max)(of_runs)
    column = next((key for key in columns if key.startswith((METRIC, BEST))), "")
    metric = column.partition(".")[2] if has_groups else ""
    if metric in better and column.startswith(BEST):
        sums = _sums_of_bests(store, wanted, metric, better[metric])
    elif metric or wanted.condition is not None:
        sums = store.list.group_sums(wanted.condition, metric)
    else:
        sums = {}
    return ReadBests(wanted, tuple(columns), Bests(better, values), sums, metric)


def _sums_of_bests(
    store: Store, wanted: RunsQuery, metric: str, better: Direction
) -> Mapping[tuple[str | None, str], GroupSum]:
    """Return what the best values add up to in each group; of too many runs only their number."""
    rowids = store.list.ordered(wanted.condition)
    if len(rowids) > MOST_READ:
        return store.list.group_sums(wanted.condition)
    bests = store.list.best_values(rowids, metric, better)
    members: dict[tuple[str | None, str], list[float | None]] = {}
    for rowid, run in store.ask(run_rows.at, rowids).items():
        members.setdefault((run.group_id, run.group_name or ""), []).append(bests.get(rowid))
    return {group: _sum(values) for group, values in members.items()}


def _sum(values: Sequence[float | None]) -> GroupSum:
    numbers = [value for value in values if value is not None]
    if not numbers:
        return GroupSum(len(values))
    mean = fsum(number / len(numbers) for number in numbers)
    return GroupSum(len(values), len(numbers), min(numbers), max(numbers), mean)


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
