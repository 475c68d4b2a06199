"""Whether what a person waits for has come: the end of a run, or a condition on its values."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING

from flowtui import clock
from flowtui.store import decoding, params, runs
from flowtui.store.errors import RunNotFound
from flowtui.store.liveness.standing import Activity, standing
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.values import Figures, Status

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

STEP = "step"
"""The name under which conditions find the highest step that any metric has reached."""


class Outlook(Enum):
    """How it stands with what is waited for."""

    WAITING = "waiting"
    HOLDS = "the condition holds"
    ENDED = "the run has ended well"
    FAILED = "the run has failed"
    STOPPED = "the run's process is gone, and nobody recorded an end"


def look(store: Store, run: OpenRun, condition: Condition | None) -> Outlook:
    """Return how it stands with a run, and note its row; silence alone is no end.

    Args:
        store: The store of the run.
        run: The run.
        condition: What is waited for besides the end; the name `STEP` is known in it.

    Raises:
        RunNotFound: The run was deleted.
        DatabaseError: It cannot be read now.
    """
    row = store.ask(runs.run, run.id)
    if row is None:
        raise RunNotFound(f"the run {run.name!r} was deleted")
    run.row = row
    if condition is not None and holds(store, run, condition):
        return Outlook.HOLDS
    if row.status == Status.COMPLETED:
        return Outlook.ENDED
    if not row.is_active:
        return Outlook.FAILED
    now = clock.now()
    found = standing(row, store.signs([row], now).get(row.id), now)
    if found.activity is Activity.STOPPED:
        return Outlook.STOPPED
    return Outlook.WAITING


def holds(store: Store, run: OpenRun, condition: Condition) -> bool:
    """Say whether a condition of the list of runs holds of a run as it is now.

    Raises:
        DatabaseError: It cannot be read now.
    """
    from flowtui.store.filters import Condition

    # The copies that meta.db may have of figures are those of the end.
    of_run = Condition(
        f"(run.id = cast(:waited as text) AND {condition.sql})",
        {**condition.params, "waited": decoding.as_sql(run.id)},
    )
    figures = {run.id: _figures(run)}
    return bool(store.ask(runs.ordered, of_run, runs.RunOrder(), figures))


def _figures(run: OpenRun) -> Figures:
    points = {key: point for key, point in run.metrics.last_points().items() if point is not None}
    values: dict[str, float | None] = {key: point.value for key, point in points.items()}
    logged = {param.key: param.value for param in run.ask(params.params) or ()}
    if points and STEP not in values and STEP not in logged:
        values[STEP] = max(float(point.step) for point in points.values())
    return Figures(logged, {key: value for key, value in values.items() if not _is_nan(value)})


def _is_nan(value: float | None) -> bool:
    return value is not None and math.isnan(value)
