"""How long traces and samples take to list and open, over the raw SQL that reads the same rows.

`python -m tests.bench.listing STORE tree|forest|samples` prints by how many bytes the memory in use
ever rose for it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from sqlite3 import connect

from flowtui.screens.evals.reading import SamplesQuery, read_list
from flowtui.screens.traces.reading import read_trace
from flowtui.store.filters import sample_condition
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.orders import SampleOrder
from flowtui.store.store import Store
from flowtui.store.traces import listing as trace_rows
from tests.bench.measure import MB, Measure
from tests.bench.reading import medians, open_store, peak_bytes
from tests.bench.stores import BIG, FOREST, TREE, TREE_ID

PAGE = 100
_TREE = f"select * from spans where trace_id = '{TREE_ID}'"
TRACES = """
select trace_id, min(start_time_unix_nano), max(end_time_unix_nano), count(*),
  sum(status_code = 2) from spans group by trace_id order by 2 desc"""
SAMPLE_ORDER = "select rowid from evals order by created_at, rowid"
"""What comes first is only known when all of them are in order."""
SAMPLES = f"select * from evals order by rowid limit {PAGE}"
_SORTED = "select rowid from evals order by json_extract(scores, '$.relevance') desc"
_FILTERED = "select rowid from evals where json_extract(scores, '$.relevance') > 0.5"


def listings(directory: Path, rounds: int) -> Iterator[Measure]:
    """Yield every measure of listing and opening; times are medians, interleaved."""
    store = open_store(directory)

    def over(what: str, sql: str, run: str, read: Callable[[], object], budget: float) -> Measure:
        taken, base = medians(rounds, read, raw(store, run, sql))
        return Measure(f"{what}, over its raw SQL", taken - base, None, budget, "s")

    for count, run, budget in (("30,000", TREE, 0.5), ("200,000", FOREST, 2)):
        opening = partial(open_tree, store, run)
        yield over(f"open a trace of {count} spans", _TREE, run, opening, budget)
    yield over("list the traces", TRACES, BIG, lambda: list_traces(store), 0.3)
    order, filtered = (
        SampleOrder("scores.relevance", True),
        sample_condition("scores.relevance > 0.5"),
    )
    for what, sql, wanted in (
        ("first page of samples", SAMPLES, SamplesQuery()),
        ("samples by a score", _SORTED, SamplesQuery(order=order)),
        ("samples by a filter", _FILTERED, SamplesQuery(condition=filtered)),
    ):
        yield over(what, sql, BIG, partial(list_samples, store, wanted), 0.3)
    for what, name, budget in (
        ("30,000 spans", TREE, 30),
        ("200,000 spans", FOREST, 150),
        ("100,000 samples", "samples", 20),
    ):
        command = [sys.executable, "-m", "tests.bench.listing", str(directory), name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        yield Measure(f"memory for {what}", int(done.stdout) / MB, None, budget, "MB")


def raw(store: Store, run: str, sql: str) -> Callable[[], None]:
    """Return what fetches the rows of a statement, with a connection of its own."""
    uri = f"{(store.run_directory(run) / 'exp.db').as_uri()}?immutable=1"

    def run_it() -> None:
        with closing(connect(uri, uri=True)) as connection:
            connection.execute(sql).fetchall()

    return run_it


def open_tree(store: Store, run: str) -> None:
    read_trace(store.run(run), TREE_ID, None)


def list_traces(store: Store) -> None:
    keys = store.run(BIG).ask(trace_rows.ordered)
    store.run(BIG).ask(trace_rows.at, keys[:PAGE])


def list_samples(store: Store, wanted: SamplesQuery) -> None:
    found = read_list(store.run(BIG), wanted, None)
    store.run(BIG).ask(sample_rows.at, found.rowids[:PAGE])


def main(directory: Path, name: str) -> int:
    """Return by how many bytes the peak rises for a tree, or for the table of samples."""
    store = open_store(directory)
    # What has to be imported for it is not for its size.
    store.run(BIG).ask(trace_rows.at, store.run(BIG).ask(trace_rows.ordered)[:1])
    store.run(BIG).ask(sample_rows.at, [1])
    before = peak_bytes()
    if name == "samples":
        list_samples(store, SamplesQuery(order=SampleOrder("scores.relevance", True)))
    else:
        open_tree(store, name)
    return peak_bytes() - before


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), sys.argv[2]))
