"""Stores with traces of two runs that are alike, for tests of comparing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from flowtui.store.compare.run_set import RunSet
from flowtui.store.schema import EvalRow, LinkRow, SpanRow
from flowtui.store.store import Store
from tests.unit.stores import writer

SECOND = 1_000_000_000
BEGIN_NS = 1_780_000_000 * SECOND


class Step(NamedTuple):
    """One span of a trace: its place in the tree by its level."""

    level: int
    name: str
    took_s: float = 1.0
    attributes: Mapping[str, object] = {}
    status: int = 1


def span_rows(trace: int, steps: Sequence[Step]) -> list[SpanRow]:
    """Return the spans of a trace, given in the order in which they are shown."""
    rows: list[SpanRow] = []
    above: list[str] = []
    for number, step in enumerate(steps):
        span_id = f"{trace:08x}{number:08x}"
        del above[step.level :]
        start = BEGIN_NS + trace * 100 * SECOND + number
        rows.append(
            SpanRow(
                trace_id=f"{trace:032x}",
                span_id=span_id,
                parent_span_id=above[-1] if above else None,
                name=step.name,
                start_ns=start,
                end_ns=start + round(step.took_s * SECOND),
                status_code=step.status,
                attributes=dict(step.attributes),
            )
        )
        above.append(span_id)
    return rows


def add_run(
    directory: Path,
    name: str,
    traces: Sequence[Sequence[Step]],
    samples: Mapping[int, str] | None = None,
) -> None:
    """Add a run with traces, of which some are of a sample of the set `faq`, by its id."""
    with writer(directory) as store:
        store.start_run(f"id-{name}", name)
        with store.experiment(f"id-{name}") as run:
            for number, steps in enumerate(traces, start=1):
                run.spans(span_rows(number, steps))
            for number, id_ in (samples or {}).items():
                run.evals([EvalRow(dataset_id="faq", id=id_, inputs={"q": id_})])
                run.links([LinkRow(dataset_id="faq", eval_id=id_, trace_id=f"{number:032x}")])


def run_set(store: Store, *names: str) -> RunSet:
    return RunSet.of([(store, store.resolve(name)) for name in names])
