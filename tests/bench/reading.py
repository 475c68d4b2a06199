"""How long reading and drawing metrics takes, beside one SQL scan of the same points.

The scan is the one statement that answers what a chart asks: count, minimum and maximum of the
points in each of as many equal ranges of steps as the chart has columns (`group by`).

`python -m tests.bench.reading STORE` prints by how many bytes the memory in use ever rose while
the long run was read.
"""

from __future__ import annotations

import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from flowtui.screens.compare.curve_plan import CurvePlan, planned
from flowtui.screens.metrics.reading import Zoom, zoomed
from flowtui.store.compare.run_set import LETTERS
from flowtui.store.metrics import series as metric_series
from flowtui.store.store import Store
from flowtui.store.values import StoreLocation
from flowtui.widgets.charts.card import GAP_CELLS, Card
from flowtui.widgets.charts.chart import DOTS_A_CELL
from flowtui.widgets.charts.curve import Curve
from flowtui.widgets.charts.curve_lines import curve_lines
from flowtui.widgets.charts.run_card import run_card_lines
from tests.bench.measure import MB, Measure
from tests.bench.stores import BIG, LONG, LONG_KEY, Sizes, metric_key

WIDTH, HEIGHT = 240, 60
CARD_COLUMNS, CARD_LINES = 76, 12
_SCAN = """
select key, (step - :start) * :columns / (:end + 1 - :start) as bucket,
  count(*), min(value), max(value)
from dynamic_metrics where key {keys} and step between :start and :end group by key, bucket"""


def readings(directory: Path, sizes: Sizes, rounds: int) -> Iterator[Measure]:
    """Yield every measure of reading as it is made; times are medians, interleaved."""
    store = open_store(directory)
    last = sizes.points - 1
    middle = last // 2
    quarter = last // 4
    twentieth = last // 20
    whole = scan(store, LONG, f"= '{LONG_KEY}'", (0, last), WIDTH)
    taken, base = medians(rounds, lambda: draw(store, None), whole)
    yield Measure("first draw of one metric / its scan", taken, base, 1.3, "s")

    keys = [metric_key(index) for index in range(sizes.metrics)]
    listed = ", ".join(f"'{key}'" for key in keys)
    steps = (0, sizes.points // sizes.metrics - 1)
    all_of_them = scan(store, BIG, f"in ({listed})", steps, CARD_COLUMNS)
    taken, base = medians(
        rounds,
        lambda: [
            store.run(BIG).metrics.ask(key, metric_series.series, key, None, CARD_COLUMNS)
            for key in keys
        ],
        all_of_them,
    )
    yield Measure("read of all metrics / scan of table", taken, base, 1.3, "s")

    half = (middle - quarter, middle + quarter)
    scanned = scan(store, LONG, f"= '{LONG_KEY}'", half, WIDTH)
    taken, base = medians(rounds, lambda: draw(store, half), scanned)
    yield Measure("zoom to half of them / its scan", taken, base, 1.3, "s")

    tenth = (middle - twentieth, middle + twentieth)
    taken, _ = medians(rounds, lambda: draw(store, tenth), lambda: None)
    yield Measure("pan with a tenth of them in sight", taken * 1e3, None, 60, "ms")

    command = [sys.executable, "-m", "tests.bench.reading", str(directory)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    yield Measure("memory to read one metric", int(done.stdout) / MB, None, 20, "MB")

    # The same run eight times is eight runs: nothing is shared between their reads.
    big = store.resolve(BIG)
    runs = planned([(letter, big, frozenset(keys), {}) for letter in LETTERS])
    taken, base = medians(
        rounds,
        lambda: draw_compared(CurvePlan(runs), keys),
        lambda: [all_of_them() for _ in LETTERS],
    )
    yield Measure("draw 8 runs' metrics, over their scans", taken - base, None, 0.3, "s")


def open_store(directory: Path) -> Store:
    return Store(StoreLocation(directory, "--store"))


def draw(store: Store, window: tuple[int, int] | None) -> None:
    """Read the long metric and draw it."""
    series = store.run(LONG).metrics.ask(LONG_KEY, metric_series.series, LONG_KEY, window, WIDTH)
    assert series is not None
    curve_lines(Curve(series), WIDTH, HEIGHT)


def draw_compared(plan: CurvePlan, keys: Sequence[str]) -> None:
    """Read metrics of all runs of a comparison, and draw their small charts."""
    for key in keys:
        found = zoomed(plan.curved(key), Zoom(key, of=plan), 0, CARD_COLUMNS, None, of_runs=True)
        assert found is not None
        card = Card(key, key, None, curves=plan.overlays(found))
        run_card_lines(card, CARD_COLUMNS // DOTS_A_CELL + GAP_CELLS + 1, CARD_LINES)


def scan(
    store: Store, run: str, keys: str, window: tuple[int, int], columns: int
) -> Callable[[], None]:
    """Return what scans points of metrics, with a connection of its own as every read has."""
    uri = f"{(store.run_directory(run) / 'exp.db').as_uri()}?immutable=1"
    given = {"start": window[0], "end": window[1], "columns": columns}

    def run_it() -> None:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.execute(_SCAN.format(keys=keys), given).fetchall()

    return run_it


def medians(
    rounds: int, measured: Callable[[], object], baseline: Callable[[], object]
) -> tuple[float, float]:
    """Return how many seconds two things take, in turns; the first turn only warms up."""
    times: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        measured()
        between = time.perf_counter()
        baseline()
        times.append((between - begun, time.perf_counter() - between))
    first, second = zip(*times[1:], strict=True)
    return statistics.median(first), statistics.median(second)


def peak_bytes() -> int:
    """Return the most memory this process ever had in use. Source: /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(peak) * 1024


def main(directory: Path) -> int:
    """Return by how many bytes the peak rises when all points are read after a hundred were."""
    store = open_store(directory)
    draw(store, (0, 99))
    before = peak_bytes()
    draw(store, None)
    return peak_bytes() - before


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
