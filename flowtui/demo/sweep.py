"""The many small runs: a learning-rate sweep over four seeds, and baselines of three teams."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flowtui.demo.scene import Scene, chance
from flowtui.store.schema import MetricRow, ParamValue

_RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
_SEEDS = (7, 21, 42, 1337)
_BEST_RATE = 6e-4
_STEPS = 60


@dataclass(frozen=True, slots=True)
class _Baseline:
    name: str
    group: str
    params: Mapping[str, ParamValue]
    accuracy: float
    seconds_a_step: float
    days_ago: float
    tags: tuple[str, ...] = ("baseline",)


_BASELINES = (
    _Baseline(
        "resnet18-baseline",
        "vision",
        {"model": "resnet18", "pretrained": True, "lr": 0.1, "epochs": 12},
        0.793,
        21.0,
        19.2,
    ),
    _Baseline(
        "vit-s16-baseline",
        "vision",
        {"model": "vit_small_patch16_224", "pretrained": True, "lr": 3e-4, "epochs": 12},
        0.846,
        44.0,
        16.1,
    ),
    _Baseline(
        "efficientnet-b0",
        "vision",
        {"model": "efficientnet_b0", "pretrained": True, "lr": 0.05, "epochs": 12},
        0.828,
        27.0,
        12.7,
        ("baseline", "mobile"),
    ),
    _Baseline(
        "churn-logreg",
        "churn",
        {"model": "logistic_regression", "C": 0.8, "penalty": "l2", "features": 48},
        0.741,
        0.4,
        23.4,
    ),
    _Baseline(
        "churn-random-forest",
        "churn",
        {"model": "random_forest", "n_estimators": 400, "max_depth": 12, "features": 48},
        0.802,
        1.6,
        22.8,
    ),
    _Baseline(
        "churn-lightgbm",
        "churn",
        {"model": "lightgbm", "num_leaves": 63, "learning_rate": 0.04, "features": 48},
        0.829,
        0.9,
        22.1,
        ("baseline", "candidate"),
    ),
    _Baseline(
        "support-agent-v1",
        "agents",
        {"model": "small-chat-2", "temperature": 0.7, "max_turns": 6, "tools": ["search"]},
        0.612,
        6.0,
        26.3,
    ),
    _Baseline(
        "support-agent-v2",
        "agents",
        {
            "model": "small-chat-2",
            "temperature": 0.2,
            "max_turns": 8,
            "tools": ["search", "order_lookup"],
        },
        0.704,
        7.5,
        11.5,
    ),
)


def add_runs(scene: Scene) -> None:
    """Adds forty completed runs, each with six params and four metrics of sixty steps."""
    scene.writer.group(
        "sweep-lr",
        description="Learning rate against seed, ResNet-18 on a tenth of the data.",
        tags=["sweep"],
        created_at=scene.ago(days=9),
    )
    for index, (rate, seed) in enumerate((rate, seed) for rate in _RATES for seed in _SEEDS):
        _add_sweep_run(scene, rate, seed, scene.ago(days=9, minutes=-26 * index))
    for baseline in _BASELINES:
        _add_baseline(scene, baseline)


def _add_sweep_run(scene: Scene, rate: float, seed: int, created_at: datetime) -> None:
    # A bell over log(rate): too small learns slowly, too large never settles.
    distance = math.log10(rate / _BEST_RATE)
    accuracy = (
        0.09 + 0.72 * math.exp(-(distance**2) / 1.1) + chance(f"{rate}/{seed}").gauss(0, 0.008)
    )
    name = f"lr-{rate:.0e}-seed-{seed}"
    params: dict[str, ParamValue] = {
        "model": "resnet18",
        "lr": rate,
        "seed": seed,
        "batch_size": 128,
        "warmup": rate >= 1e-3,
        "schedule": "cosine",
    }
    tags = ["sweep", "diverged"] if rate > 1e-2 else ["sweep"]
    run_id = scene.start(
        name, group="sweep-lr", created_at=created_at, tags=tags, source="train_sweep.py"
    )
    jitter = 6.0 if rate > 1e-2 else 1.0
    _finish(scene, run_id, params, _curves(name, accuracy, jitter, created_at, 22.0), 22.0)


def _add_baseline(scene: Scene, baseline: _Baseline) -> None:
    created_at = scene.ago(days=baseline.days_ago)
    run_id = scene.start(
        baseline.name,
        group=baseline.group,
        created_at=created_at,
        tags=baseline.tags,
        description=f"Baseline to beat in {baseline.group}.",
        source="baselines.py",
    )
    params = {**baseline.params, "seed": 42, "deterministic": True}
    pace = baseline.seconds_a_step
    _finish(
        scene,
        run_id,
        params,
        _curves(baseline.name, baseline.accuracy, 1.0, created_at, pace),
        pace,
    )


def _finish(
    scene: Scene,
    run_id: str,
    params: Mapping[str, ParamValue],
    points: Iterator[MetricRow],
    seconds_a_step: float,
) -> None:
    with scene.writer.experiment(run_id) as experiment:
        experiment.params(params)
        experiment.metrics(points)
    duration = _STEPS * seconds_a_step + chance(run_id).uniform(1.0, 9.0)
    scene.writer.end_run(run_id, status="completed", duration=round(duration, 3))


def _curves(
    name: str, accuracy: float, jitter: float, start: datetime, seconds_a_step: float
) -> Iterator[MetricRow]:
    rng = chance(f"curves/{name}")
    for step in range(_STEPS):
        at = start + timedelta(seconds=(step + 1) * seconds_a_step)
        progress = 1 - math.exp(-step / 14)
        reached = accuracy * progress + rng.gauss(0, 0.006 * jitter)
        loss = 2.3 * (1 - progress) + 1.6 * (1 - accuracy) * progress
        yield "train/loss", round(max(0.01, loss + rng.gauss(0, 0.03 * jitter)), 5), step, at
        yield "val/loss", round(max(0.01, loss * 1.08 + rng.gauss(0, 0.02 * jitter)), 5), step, at
        yield "val/accuracy", round(min(1.0, max(0.0, reached)), 5), step, at
        yield "time/step_s", round(seconds_a_step * rng.uniform(0.97, 1.06), 4), step, at
