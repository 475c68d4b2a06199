"""The many small runs: a sweep of two parameters, each over three seeds, and baselines of teams."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from itertools import product

from flowtui.demo.resources import read_json
from flowtui.demo.scene import Scene, StartedRun, chance
from flowtui.store.schema import MetricRow

_RATES = (1e-5, 1e-4, 3e-4, 1e-3, 3e-2)
_DECAYS = (0.0, 0.05)
_SEEDS = (7, 21, 42)
_BEST_RATE = 6e-4
_STEPS = 60


def add_runs(scene: Scene) -> None:
    """Add thirty-eight completed runs, each with six params and four metrics of sixty steps."""
    scene.group("sweep-lr")
    for index, (rate, decay, seed) in enumerate(product(_RATES, _DECAYS, _SEEDS)):
        _add_sweep_run(scene, rate, decay, seed, minutes_later=26 * index)
    for name, baseline in read_json("baselines.json").items():
        run = scene.start_described(name, baseline)
        _finish(scene, run, baseline["accuracy"], 1.0, baseline["seconds_a_step"])


def _add_sweep_run(
    scene: Scene, rate: float, decay: float, seed: int, minutes_later: float
) -> None:
    # Short enough for the list of runs on a small screen.
    name = f"lr{rate:.0e}-wd{decay:g}-seed{seed}".replace("e-0", "e-")
    # A bell over log(rate): too small learns slowly, too large never settles. Decay helps only
    # where there is something to overfit.
    distance = math.log10(rate / _BEST_RATE)
    bell = math.exp(-(distance**2) / 1.1)
    accuracy = 0.09 + (0.70 + 0.6 * decay * bell) * bell + chance(name).gauss(0, 0.008)
    diverged = rate > 1e-2
    described = {
        "group": "sweep-lr",
        "ago": {"days": 9, "minutes": -minutes_later},
        "tags": ["sweep", "diverged"] if diverged else ["sweep"],
        "source": "train_sweep.py",
        "params": {
            "model": "resnet18",
            "lr": rate,
            "weight_decay": decay,
            "seed": seed,
            "batch_size": 128,
            "schedule": "cosine",
        },
    }
    run = scene.start_described(name, described)
    _finish(scene, run, accuracy, 6.0 if diverged else 1.0, 22.0)


def _finish(
    scene: Scene,
    run: StartedRun,
    accuracy: float,
    jitter: float,
    seconds_a_step: float,
) -> None:
    with scene.writer.experiment(run.id) as experiment:
        experiment.params(run.params)
        experiment.metrics(_curves(run, accuracy, jitter, seconds_a_step))
    duration = _STEPS * seconds_a_step + chance(run.id).uniform(1.0, 9.0)
    scene.writer.end_run(run.id, status="completed", duration=round(duration, 3))


def _curves(
    run: StartedRun, accuracy: float, jitter: float, seconds_a_step: float
) -> Iterator[MetricRow]:
    rng = chance(f"curves/{run.name}")
    for step in range(_STEPS):
        at = run.created_at + timedelta(seconds=(step + 1) * seconds_a_step)
        progress = 1 - math.exp(-step / 14)
        reached = accuracy * progress + rng.gauss(0, 0.006 * jitter)
        loss = 2.3 * (1 - progress) + 1.6 * (1 - accuracy) * progress
        yield "train/loss", round(max(0.01, loss + rng.gauss(0, 0.03 * jitter)), 5), step, at
        yield "val/loss", round(max(0.01, loss * 1.08 + rng.gauss(0, 0.02 * jitter)), 5), step, at
        yield "val/accuracy", round(min(1.0, max(0.0, reached)), 5), step, at
        yield "time/step_s", round(seconds_a_step * rng.uniform(0.97, 1.06), 4), step, at
