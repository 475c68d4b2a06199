"""How long the samples of two runs take to join, beside the raw SQL that reads the same rows.

`python -m tests.bench.comparing STORE` prints by how many bytes the memory in use ever rose for it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from flowtui.screens.compare.evals_reading import ComparedQuery, ComparisonReader
from flowtui.store.compare.run_set import RunSet
from flowtui.store.compare.sample_filter import compared_condition
from flowtui.store.compare.sample_views import ComparedView
from flowtui.store.store import Store
from tests.bench.listing import PAGE, raw
from tests.bench.measure import MB, Measure
from tests.bench.reading import medians, open_store, peak_bytes
from tests.bench.stores import BIG

KEYS = "select rowid, dataset_id, id, scores from evals order by rowid"
OUTPUTS = f"{KEYS.replace('scores', 'scores, outputs')}"
FILTER = "B.scores.relevance <= A.scores.relevance"


def comparisons(directory: Path, rounds: int) -> Iterator[Measure]:
    """Yield every measure of the big run beside itself; times are medians, interleaved."""
    store = open_store(directory)
    for what, sql, wanted, budget in (
        ("join 100,000 x 2 samples", KEYS, ComparedQuery(), 20),
        (
            "joined samples whose outputs differ",
            OUTPUTS,
            ComparedQuery(view=ComparedView.OUTPUTS_DIFFER),
            25,
        ),
        (
            "joined samples by a filter",
            KEYS,
            ComparedQuery(condition=compared_condition(FILTER, "AB")),
            35,
        ),
    ):
        once = raw(store, BIG, sql)

        def twice() -> None:
            once()  # noqa: B023  # It is called before the next round of the loop.
            once()  # noqa: B023

        taken, base = medians(rounds, partial(first_page, store, wanted), twice)
        yield Measure(f"{what} / raw SQL", taken, base, budget, "s")
    command = [sys.executable, "-m", "tests.bench.comparing", str(directory)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    yield Measure("memory for 100,000 x 2 samples", int(done.stdout) / MB, None, 120, "MB")


def first_page(store: Store, wanted: ComparedQuery) -> None:
    """Read what the Evals tab of a comparison of the big run with itself shows first."""
    runs = RunSet.of([(store, store.run(BIG)), (store, store.run(BIG))])
    letters = {run.letter for run in runs.runs}
    reader = ComparisonReader(runs)
    reader.read(wanted, lambda _name, _is_pass_fail: True, letters, (), PAGE)


def main(directory: Path) -> int:
    """Return by how many bytes the peak rises when all samples are joined after a few were read."""
    store = open_store(directory)
    store.run(BIG).ask(lambda db: db.execute(f"{KEYS} limit 1").fetchall())
    before = peak_bytes()
    first_page(store, ComparedQuery())
    return peak_bytes() - before


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
