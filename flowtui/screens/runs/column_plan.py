"""Which columns the list of runs has: those that a person chose, or those that matter.

A person's choice is remembered for each store, since its parameters and metrics are that store's;
whether metrics are shown as their last or their best values is remembered for all.
"""

from __future__ import annotations

from collections.abc import Sequence

from flowtui.screens.compare.chosen_directions import chosen_directions
from flowtui.store.compare.directions import Direction, direction
from flowtui.store.leaderboard import TellingKeys
from flowtui.store.runs import BEST, RunOrder
from flowtui.store.values import JsonValue
from flowtui.widgets import remembered

COLUMNS_KEY = "runs.columns"
BEST_KEY = "runs.best"
STORES_KEPT = 20
"""For how many stores the chosen columns are remembered."""
METRIC = "metric."
CURVE = "curve."
"""What the key of a column begins with that shows the sparkline of a metric."""
DEFAULT = ("name", "status", "created", "duration")
DEFAULT_PARAMS, DEFAULT_METRICS = 3, 4
"""How many parameters and metrics are columns by default."""
ALL = ""
"""Under which name it is remembered how metrics are shown that were not switched themselves."""


class ColumnPlan:
    """The columns of the list in one store."""

    def __init__(self, store: str) -> None:
        """Take the folder of the store."""
        self._store = store
        kept = _object(remembered.get(COLUMNS_KEY)).get(store)
        self.chosen = tuple(str(key) for key in kept) if isinstance(kept, list) else ()
        """The keys of the columns that a person chose; empty for the default ones."""
        self._bests = {
            key: is_best
            for key, is_best in _object(remembered.get(BEST_KEY)).items()
            if isinstance(is_best, bool)
        }

    def choose(self, keys: Sequence[str]) -> None:
        """Keep these columns, and remember them; none for the default ones."""
        self.chosen = tuple(keys)
        kept = _object(remembered.get(COLUMNS_KEY))
        kept.pop(self._store, None)
        if keys:
            kept[self._store] = list(keys)
        remembered.put(COLUMNS_KEY, dict(list(kept.items())[-STORES_KEPT:]) or None)

    def keys(
        self, telling: TellingKeys, order: RunOrder, has_groups: bool, usual: Sequence[str] = ()
    ) -> list[str]:
        """Return the keys of the columns; that of the order is among them.

        Args:
            telling: What matters among the listed runs.
            order: How they are sorted.
            has_groups: Whether there are several groups.
            usual: The columns of the person's settings, which take the place of what matters.
        """
        column = order.column
        usual = [
            self.of_metric(key.removeprefix(METRIC)) if key.startswith(METRIC) else key
            for key in usual
        ]
        shown = list(self.chosen) or usual or self._default(telling, has_groups)
        if order == RunOrder() or (self.chosen and column in shown):
            return shown
        if column.startswith(BEST) and self.as_last(column) in shown:
            shown.remove(self.as_last(column))
        # Directly after the name, where it is in sight.
        return [*shown[:1], column, *(key for key in shown[1:] if key != column)]

    def _default(self, telling: TellingKeys, has_groups: bool) -> list[str]:
        params = [f"param.{key}" for key in telling.columns[:DEFAULT_PARAMS]]
        metrics = [self.of_metric(key) for key in telling.metrics[:DEFAULT_METRICS]]
        return [*DEFAULT[:2], *metrics[:1], *params, *metrics[1:], *DEFAULT[2:], "tags",
                *(["group"] if has_groups else [])]  # fmt: skip

    # The last or the best value --------------------------------------------------------------

    def better(self, metric: str) -> Direction | None:
        """Return in which direction a metric is better, None if nobody has said."""
        return direction(metric, chosen_directions())

    def of_metric(self, metric: str) -> str:
        """Return the key of a metric's column: its best value if that is wanted and known."""
        is_best = self._bests.get(metric, self._bests.get(ALL, False))
        return f"{BEST if is_best and self.better(metric) else METRIC}{metric}"

    @staticmethod
    def as_last(key: str) -> str:
        """Return the key of the column with the last value of a column's metric."""
        return f"{METRIC}{key.removeprefix(BEST)}" if key.startswith(BEST) else key

    def switch(self, shown: Sequence[str], metric: str | None) -> None:
        """Show the last value of metrics in the place of the best, or the other way round.

        Args:
            shown: The keys of the present columns.
            metric: The metric whose column is switched; None for all columns of metrics.
        """
        metrics = [key.partition(".")[2] for key in shown if key.startswith((METRIC, BEST))]
        if metric is not None:
            self._bests[metric] = f"{BEST}{metric}" not in shown
        else:
            has_best = any(key.startswith(BEST) for key in shown)
            self._bests = {ALL: not has_best}
        wanted = [metric] if metric is not None else metrics
        if self.chosen:
            forms = {
                f"{form}{one}": self.of_metric(one) for one in wanted for form in (METRIC, BEST)
            }
            self.choose([forms.get(key, key) for key in self.chosen])
        kept: dict[str, JsonValue] = {**self._bests}
        remembered.put(BEST_KEY, kept)


def _object(value: JsonValue) -> dict[str, JsonValue]:
    return dict(value) if isinstance(value, dict) else {}
