"""How the metrics of compared runs look."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from flowtui.app.app import FlowApp
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from tests.conftest import NOW, open_store
from tests.snapshot.test_screens import MIDDLE, SMALL, Snap, keys

SIZES = pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
RUNS = [f"lr{lr}-seed{seed}" for lr in ("1e-3", "3e-4") for seed in (1, 2, 3)]

pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.fixture
def sweep() -> Iterator[Store]:
    """A sweep over two rates and three seeds, of which the last trained for longer."""
    folder = Path.home() / "sweep"
    with StoreWriter(folder, clock=lambda: NOW, durable=False) as writer:
        for index, name in enumerate(RUNS):
            seed = index % 3 + 1
            rate = 1e-3 if index < 3 else 3e-4
            writer.start_run(name, name)
            with writer.experiment(name) as experiment:
                experiment.params({"lr": rate, "seed": seed, "epochs": 3})
                steps = 1_200 if seed == 3 else 1_000
                for key, every in (("train/loss", 1), ("val/loss", 50), ("val/accuracy", 50)):
                    experiment.metrics(
                        (key, value(key, rate, seed, step), step,
                         NOW + timedelta(seconds=step * (2 + index)))
                        for step in range(0, steps, every)
                    )  # fmt: skip
                if index == 4:
                    experiment.metrics([("grad/norm", float(step), step, NOW) for step in range(9)])
            writer.end_run(name, status="completed", duration=1.0)
    with closing(open_store(folder)) as store:
        yield store
    shutil.rmtree(folder)


def value(key: str, rate: float, seed: int, step: int) -> float:
    if key == "train/loss" and (seed, step) == (2, 500):
        return math.nan
    fall = math.exp(-step / (200_000 * rate))
    noise = 0.06 * math.sin(step * (1.7 + seed)) if key == "train/loss" else 0.0
    return 1 - 0.9 * fall - seed / 100 if key == "val/accuracy" else fall + seed / 50 + noise + 0.1


def app_on(store: Store) -> FlowApp:
    compared = [(store, store.resolve(run)) for run in RUNS]
    return FlowApp(store, None, Options(tab="metrics", user="ana"), compared)


@SIZES
@pytest.mark.parametrize(
    "pressed",
    [
        [],
        ["S"],
        ["i", "t", "t"],
        ["enter", "colon", *"432", "enter"],
        ["enter", "S", "colon", *"432", "enter"],
        ["right", "right", "enter", "t", "t", "P", "w", "w"],
    ],
    ids=["grid", "folded", "difference", "full", "full-folded", "full-share"],
)
def test_metrics_of_runs(
    snap_compare: Snap, sweep: Store, size: tuple[int, int], pressed: list[str]
) -> None:
    assert snap_compare(app_on(sweep), terminal_size=size, run_before=keys(*pressed))
