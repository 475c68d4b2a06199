"""Stores with runs whose samples are compared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flowtui.store.compare.run_set import RunSet
from tests.unit.stores import execute, one_run, opened

Logged = Mapping[str, Any]
"""A sample: `id`, and any of `dataset`, `inputs`, `outputs`, `refs`, `scores`, `metadata`."""
COLUMNS = ("dataset_id", "id", "inputs", "outputs", "refs", "scores", "metadata")


def log_samples(path: Path, samples: Sequence[Logged]) -> None:
    """Log samples as the SDK does; values that are texts already are stored as they are."""
    execute(
        path,
        f"insert or replace into evals ({', '.join(COLUMNS)}) values (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                sample.get("dataset", "faq"),
                sample["id"],
                _json(sample.get("inputs", {})),
                *(_json(sample.get(column)) for column in COLUMNS[3:]),
            )
            for sample in samples
        ],
    )


@contextmanager
def run_set(folder: Path, runs: Mapping[str, Sequence[Logged]]) -> Iterator[RunSet]:
    """Make a store with runs of these samples, by the name of the run; the first is A."""
    for name, samples in runs.items():
        log_samples(one_run(folder, run_id=name), samples)
    with opened(folder) as store:
        yield RunSet.of([(store, store.run(name)) for name in runs])


def _json(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
