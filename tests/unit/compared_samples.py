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


def other_questions() -> dict[str, list[Logged]]:
    """Make two runs whose samples share their ids and, except for the first, not their inputs."""
    return {
        name: [
            {
                "id": f"{n}",
                "inputs": {"question": f"What is {n + shift * (n > 0)}?"},
                "outputs": "x",
                "scores": {"correct": True},
            }
            for n in range(5)
        ]
        for name, shift in (("first", 0), ("second", 100))
    }


def agents() -> dict[str, list[Logged]]:
    """Make the samples of an agent in two versions: some broke, some were mended."""
    broke, mended = {3, 7, 21, 33, 48}, {5, 9, 30}
    runs: dict[str, list[Logged]] = {"agent-base": [], "agent-new": []}
    for n in range(60):
        topic = ("refund", "order", "parcel")[n % 3]
        before = n not in mended
        after = n not in broke and (before or n in mended)
        answer = f"You can return order {n} within 30 days, free of charge."
        wrong = f"You can return order {n} within 14 days, at your own cost."
        for name, is_right in zip(runs, (before, after), strict=True):
            said = answer if is_right else wrong
            is_kind = name == "agent-new" and n % 4 == 0
            runs[name].append(
                {
                    "id": f"q{n:03}",
                    "dataset": "faq" if n % 5 else "hard",
                    "inputs": {"question": f"How do I return order {n}? It is about a {topic}."},
                    "outputs": {"answer": f"Gladly. {said}" if is_kind else said},
                    "refs": {"answer": answer},
                    "scores": {"correct": is_right, "similarity": 1.0 if is_right else 0.25}
                    | ({"tokens": 40 + n + (7 if is_kind else 0)} if n % 2 else {}),
                    "metadata": {"topic": topic}
                    | ({} if is_right else {"correct_reason": "It names the wrong deadline."}),
                }
            )
    only = {"inputs": {"question": "Is it new?"}, "outputs": {"answer": "It is."}}
    runs["agent-base"].append({"id": "old", **only, "scores": {"correct": True}})
    runs["agent-new"] += [{"id": f"new{n}", **only, "scores": {"correct": True}} for n in (1, 2)]
    return runs
