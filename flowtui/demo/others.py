"""Runs in the states that a list must tell apart: active, failed, empty, uploaded."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from datetime import datetime, timedelta

from flowtui.demo.resources import read_bytes
from flowtui.demo.scene import Scene, chance, seeded_uuid
from flowtui.store.schema import MetricRow

_ACTIVE_MINUTES = 14
_ACTIVE_SECONDS_A_STEP = 2


def add_runs(scene: Scene) -> None:
    """Add one run in each of the four states."""
    _add_active(scene)
    _add_failed(scene)
    _add_empty(scene)
    _add_uploaded(scene)


def _add_active(scene: Scene) -> None:
    run = scene.start("llama-lora-sft")
    with scene.writer.experiment(run.id) as experiment:
        experiment.params(run.params)
        experiment.metrics(_active_points(run.created_at))


def _active_points(start: datetime) -> Iterator[MetricRow]:
    rng = chance("llama-lora-sft")
    # The last step lies a few seconds back, as in a run that is looked at while it trains.
    steps = _ACTIVE_MINUTES * 60 // _ACTIVE_SECONDS_A_STEP - 3
    for step in range(steps):
        at = start + timedelta(seconds=(step + 1) * _ACTIVE_SECONDS_A_STEP)
        loss = 0.82 + 1.35 * math.exp(-step / 70) + rng.gauss(0, 0.05)
        yield "train/loss", round(loss, 5), step, at
        yield "train/lr", 2e-4 * min(1.0, (step + 1) / 60), step, at
        yield "train/grad_norm", round(abs(rng.gauss(0.7, 0.18)), 4), step, at
        yield "throughput/tokens_per_s", round(rng.gauss(11_840, 160), 1), step, at
        yield "gpu/memory_gb", round(61.2 + rng.uniform(-0.1, 0.4), 2), step, at
        if step % 50 == 49:
            yield "val/loss", round(loss * 1.06 + rng.gauss(0, 0.01), 5), step, at


def _add_failed(scene: Scene) -> None:
    run = scene.start("vit-b16-mixup")
    rng = chance("vit-b16-mixup")
    steps = 407
    with scene.writer.experiment(run.id) as experiment:
        experiment.params(run.params)
        experiment.metrics(
            (key, value, step, run.created_at + timedelta(seconds=2.1 * step))
            for step in range(steps)
            for key, value in (
                ("train/loss", round(3.1 + 1.5 * math.exp(-step / 160) + rng.gauss(0, 0.06), 5)),
                ("gpu/memory_gb", round(62 + 15.9 * step / steps + rng.uniform(0, 0.4), 2)),
            )
        )
        ended_at = run.created_at + timedelta(seconds=871)
        experiment.attachment(
            "logs/traceback.txt", read_bytes("attachments/traceback.txt"), ended_at
        )
    scene.writer.end_run(run.id, status="error", duration=871.442)


def _add_empty(scene: Scene) -> None:
    run = scene.start("scratch")
    # Its process went at once: nothing was written since.
    moment = run.created_at.timestamp()
    os.utime(scene.directory / run.id / "exp.db", (moment, moment))


def _add_uploaded(scene: Scene) -> None:
    run = scene.start("cv-parser-ner")
    rng = chance("cv-parser-ner")
    with scene.writer.experiment(run.id) as experiment:
        experiment.params(run.params)
        experiment.metrics(
            (f"f1/{label}", round(top * (1 - math.exp(-(epoch + 1) / 2)), 4), epoch, at)
            for epoch in range(8)
            for at in [run.created_at + timedelta(minutes=6 * (epoch + 1))]
            for label, top in (
                ("PERSON", 0.961 + rng.gauss(0, 0.003)),
                ("SKILL", 0.884 + rng.gauss(0, 0.006)),
                ("DATE", 0.972 + rng.gauss(0, 0.002)),
                ("職種", 0.861 + rng.gauss(0, 0.008)),
            )
        )
    scene.writer.end_run(run.id, status="completed", duration=2964.8)
    scene.writer.uploaded(
        run.id,
        orbit_id=seeded_uuid(chance("orbit")),
        artifact_id=seeded_uuid(chance("artifact")),
        created_at=run.created_at + timedelta(hours=1, minutes=12),
    )
