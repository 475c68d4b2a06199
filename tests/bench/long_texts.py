"""How much memory the lists of traces and samples take where each record holds 100 MB of text."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from flowtui.store.schema import EvalRow, SpanRow
from tests.bench.measure import MB, Measure
from tests.unit.peak import peak_kb
from tests.unit.stores import execute, writer

RUN = "long"
COUNT = 4
HUNDRED_MB = "json_object('text', hex(zeroblob(50000000)))"


def long_texts() -> Iterator[Measure]:
    """Yield the most memory that each list takes as the command that prints it."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        _make(directory)
        for command, noun in (("traces", "spans"), ("evals", "samples")):
            peak = peak_kb(command, RUN, "--store", directory) * 1_024 / MB
            yield Measure(f"memory to list {noun} of 100 MB", peak, None, 100, "MB")


def _make(directory: Path) -> None:
    with writer(directory) as store:
        store.start_run(RUN, RUN)
        with store.experiment(RUN) as experiment:
            experiment.spans(
                SpanRow(trace_id=f"{n:032x}", span_id=f"{n:016x}", name="a", start_ns=1, end_ns=2)
                for n in range(1, COUNT + 1)
            )
            experiment.evals(EvalRow(dataset_id="faq", id=str(n), inputs={}) for n in range(COUNT))
    database = directory / RUN / "exp.db"
    execute(database, f"update spans set attributes = {HUNDRED_MB}")
    execute(database, f"update evals set inputs = {HUNDRED_MB}")
