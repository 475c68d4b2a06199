"""How what a screen shows first grows with its store: `python -m tests.bench --growth`.

Each is measured at 1, 10 and 100 times a size, beside the SQL that any program needs for it. Time
is `size ** exponent`; nothing may have an exponent that is higher than that of its SQL by more
than the noise of a machine makes.
"""

from __future__ import annotations

import json
import math
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from flowtui.screens.evals.reading import SamplesQuery, read_list
from flowtui.screens.traces.reading import read_trace
from flowtui.store import runs as run_rows
from flowtui.store.samples import listing as sample_rows
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.store.traces import listing as trace_rows
from tests.bench import stores
from tests.bench.listing import PAGE, SAMPLE_ORDER, TRACES, raw
from tests.bench.measure import MB
from tests.bench.reading import WIDTH, draw, medians, open_store, peak_bytes, scan
from tests.bench.stores import LONG, LONG_KEY, STARTED, TREE_ID

ROUNDS = 3
NOISE = 0.15
"""How much higher an exponent may be than its SQL's."""
FLOOR_S = 0.01
"""What takes less than this is as good as nothing, and says nothing about growth."""
_TREE_SQL = f"select * from spans where trace_id = '{TREE_ID}'"
_METRICS = """
select key, count(*), min(value), max(value), max(step) from dynamic_metrics group by key"""
_RUNS = "select * from experiments order by created_at desc"


@dataclass(frozen=True, slots=True)
class Grown:
    """One thing that grows: what makes a store of a size, what reads it, and what SQL has to."""

    what: str
    sizes: tuple[int, int, int]
    make: Callable[[Path, int], None]
    read: Callable[[Store, int], object]
    sql: Callable[[Store, int], Callable[[], object]]
    memory_mb: float
    """What it may take more at the largest size than at the smallest."""


def growth(directory: Path) -> Iterator[tuple[str, bool]]:
    """Yield a line for each thing, and whether it grows no faster than its SQL."""
    for one in THINGS:
        times, bases, peaks = [], [], []
        for size in one.sizes:
            store = open_store(_made(directory, one, size))
            taken, base = medians(ROUNDS, partial(one.read, store, size), one.sql(store, size))
            store.close()
            times.append(taken)
            bases.append(base)
            peaks.append(_peak_mb(directory, one, size))
        own, of_sql = exponent(one.sizes, times), exponent(one.sizes, bases)
        more_mb = peaks[-1] - peaks[0]
        is_met = (own <= of_sql + NOISE or times[-1] < FLOOR_S) and more_mb <= one.memory_mb
        numbers = "  ".join(
            f"{taken:8.3f} s {base:8.3f} s" for taken, base in zip(times, bases, strict=True)
        )
        yield (
            f"{one.what:<22}{numbers}  exponent {own:5.2f}, SQL {of_sql:5.2f}  "
            f"{more_mb:+6.1f} MB  {'ok' if is_met else 'MISSED'}",
            is_met,
        )


def exponent(sizes: Sequence[int], times: Sequence[float]) -> float:
    """Return by which power of the size the time grows, over the whole range."""
    first, last = max(times[0], FLOOR_S / 10), max(times[-1], FLOOR_S / 10)
    return math.log(last / first) / math.log(sizes[-1] / sizes[0])


def _made(directory: Path, one: Grown, size: int) -> Path:
    place = directory / f"growth-{one.what.replace(' ', '-')}-{size}"
    if not (place / "meta.db").exists():
        partial_place = place.with_name(f"{place.name}.partial")
        one.make(partial_place, size)
        partial_place.rename(place)
    return place


def _peak_mb(directory: Path, one: Grown, size: int) -> float:
    """Return how much memory a process of its own takes for it in all."""
    command = [sys.executable, "-m", "tests.bench.growth", str(directory), one.what, str(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout) / MB


def _in_run(name: str, fill: Callable[..., None]) -> Callable[[Path, int], None]:
    def made(directory: Path, size: int) -> None:
        with StoreWriter(directory, clock=lambda: STARTED, durable=False) as writer:
            writer.start_run(name, name)
            with writer.experiment(name) as experiment:
                fill(experiment, size)
            writer.end_run(name, status="completed", duration=60.0)

    return made


def _runs(directory: Path, size: int) -> None:
    """Write rows of runs as the SDK leaves them when they end; only lists read these."""
    _in_run("first", lambda _experiment, _size: None)(directory, 1)
    rng = random.Random(3)
    with closing(sqlite3.connect(directory / "meta.db")) as db, db:
        (group,) = db.execute("select group_id from experiments").fetchone()
        db.executemany(
            "insert into experiments (id, name, created_at, status, group_id, duration,"
            " static_params, dynamic_params, upload_status)"
            " values (?, ?, ?, 'completed', ?, 60, ?, ?, 'not_uploaded')",
            (
                (
                    f"{at:08x}-run", f"run-{at}",
                    f"{STARTED - timedelta(minutes=at):%Y-%m-%d %H:%M:%S}", group,
                    json.dumps({"lr": rng.random(), "seed": at}),
                    json.dumps({"val/loss": rng.random(), "train/loss": rng.random()}),
                )
                for at in range(1, size)
            ),
        )  # fmt: skip


def _read_traces(store: Store, _: int) -> None:
    run = store.resolve("latest")
    run.ask(trace_rows.at, run.ask(trace_rows.ordered)[:PAGE])


def _read_samples(store: Store, _: int) -> None:
    run = store.resolve("latest")
    run.ask(sample_rows.at, read_list(run, SamplesQuery(), None).rowids[:PAGE])


def _read_runs(store: Store, _: int) -> None:
    page = store.list.ordered()[:PAGE]
    found = store.meta.read(lambda db: run_rows.at(db, page))
    store.list.figures([run.id for run in found.values()])


THINGS = (
    Grown(
        "points of a metric", (100_000, 1_000_000, 10_000_000),
        _in_run(LONG, lambda experiment, size: experiment.metrics(stores._long(size))),
        lambda store, _: draw(store, None),
        lambda store, size: scan(store, LONG, f"= '{LONG_KEY}'", (0, size - 1), WIDTH), 20,
    ),
    Grown(
        "metrics", (30, 300, 3_000),
        _in_run("many", lambda experiment, size: experiment.metrics(
            (f"group_{at % 9}/metric_{at:05}", at * 0.1 + step, step, STARTED)
            for at in range(size) for step in range(100)
        )),
        lambda store, _: list(store.run("many").metrics.summaries({})),
        lambda store, _: raw(store, "many", _METRICS), 20,
    ),
    Grown(
        "spans", (10_000, 100_000, 1_000_000),
        _in_run("spans", lambda experiment, size: experiment.spans(stores._spans(size))),
        _read_traces, lambda store, _: raw(store, "spans", TRACES), 60,
    ),
    Grown(
        "spans of a trace", (3_000, 30_000, 200_000),
        _in_run("tree", lambda experiment, size: experiment.spans(stores._tree(size))),
        lambda store, _: read_trace(store.run("tree"), TREE_ID, None),
        lambda store, _: raw(store, "tree", _TREE_SQL), 150,
    ),
    Grown(
        "samples", (10_000, 100_000, 1_000_000),
        _in_run("samples", lambda experiment, size: experiment.evals(stores._samples(size))),
        _read_samples, lambda store, _: raw(store, "samples", SAMPLE_ORDER), 40,
    ),
    Grown(
        "runs", (500, 5_000, 50_000), _runs, _read_runs,
        lambda store, _: partial(_fetch, store.meta.path, _RUNS), 20,
    ),
)  # fmt: skip


def _fetch(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
        connection.execute(sql).fetchall()


def main(directory: Path, what: str, size: int) -> int:
    """Return how many bytes a process has in use at most that reads one thing."""
    (one,) = [thing for thing in THINGS if thing.what == what]
    store = open_store(_made(directory, one, size))
    one.read(store, size)
    return peak_bytes()


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
