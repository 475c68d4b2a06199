"""What the strip below the list of runs says about the run under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from flowtui import format as fmt
from flowtui.screens.runs.columns import BEST_SIGN
from flowtui.store.compare.directions import Direction
from flowtui.store.leaderboard import TellingKeys
from flowtui.store.store import Store
from flowtui.store.values import Figures, MetricSummary, Run
from flowtui.widgets.lists.detail_strip import StripPart

METRICS, PARAMS = 6, 40
"""Of how many metrics the extremes are read, and how many parameters are shown."""
VALUE_CHARS = 60
GAP = "   "


def run_parts(
    store: Store, run: Run, telling: TellingKeys, better: Callable[[str], Direction | None]
) -> Sequence[StripPart]:
    """Return the parameters in which a run differs from those around it, and its best metrics.

    Raises:
        DatabaseError: meta.db cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    figures = store.list.figures([run.id])[run.id]
    wanted = [key for key in telling.metrics if key in figures.metrics]
    others = sorted(key for key in figures.metrics if key not in wanted)
    keys = [*wanted, *others][:METRICS]
    summaries = store.list.bests.summaries(run.id, keys)
    return list(_parts(run, figures, telling, keys, summaries, better))


def _parts(
    run: Run,
    figures: Figures,
    telling: TellingKeys,
    keys: Sequence[str],
    summaries: Mapping[str, MetricSummary] | None,
    better: Callable[[str], Direction | None],
) -> Iterator[StripPart]:
    differing = [key for key in telling.params if key in figures.params]
    label = "differs" if differing else "params"
    params = [
        f"{fmt.plain(key, VALUE_CHARS)}={fmt.json_text(figures.params[key], VALUE_CHARS)}"
        for key in (differing or sorted(figures.params))[:PARAMS]
    ]
    if params:
        yield StripPart(label, GAP.join(params))
    problem = figures.problem or ("its metrics cannot be read" if summaries is None else "")
    if problem:
        yield StripPart("metrics", f"▲ {fmt.plain(problem)}", "attention")
    texts = [_metric_text(key, (summaries or {}).get(key), better(key)) for key in keys]
    if found := [text for text in texts if text]:
        yield StripPart("metrics", GAP.join(found))
    if run.description:
        yield StripPart("about", fmt.one_line(run.description, 2_000), "muted")
    if run.tags:
        yield StripPart("tags", "  ".join(fmt.plain(tag, 40) for tag in run.tags), "muted")


def _metric_text(key: str, summary: MetricSummary | None, better: Direction | None) -> str:
    """Return a metric with its best value and step, or its last where nobody knows what is best."""
    if summary is None or summary.last is None:
        return ""
    name, last = fmt.plain(key, VALUE_CHARS), summary.last
    best = None
    if better is not None:
        best = summary.minimum if better is Direction.LOWER else summary.maximum
    if best is None:
        return f"{name} {fmt.number(last.value, 4)}"
    if best.value == last.value:
        return f"{name} {BEST_SIGN}{fmt.number(best.value, 4)}"
    texts = fmt.distinct([best.value, last.value], 4)
    return f"{name} {BEST_SIGN}{texts[0]} @ {fmt.number(best.step)}, last {texts[1]}"
