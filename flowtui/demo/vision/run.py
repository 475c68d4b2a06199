"""Curves and models of the training run."""

from __future__ import annotations

import io
import math
import tarfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from flowtui.demo.resources import filled, read_text
from flowtui.demo.scene import Scene, chance
from flowtui.demo.vision import files, story
from flowtui.store.schema import MetricRow


def add_run(scene: Scene) -> None:
    """Add the completed run "resnet50-cosine"."""
    scene.group("vision")
    run = scene.start(story.RUN)
    length = timedelta(seconds=story.STEPS * story.SECONDS_A_STEP)
    ended_at = run.created_at + length
    with scene.writer.experiment(run.id) as experiment:
        experiment.params(run.params)
        experiment.metrics(_points(run.created_at))
        for name, data in files.made_at_start(run.created_at).items():
            experiment.attachment(name, data, run.created_at)
        for name, data in files.made_at_end(run.created_at, ended_at).items():
            experiment.attachment(name, data, ended_at)
    _add_models(scene, run.id, ended_at)
    duration = round(length.total_seconds() + 25.317, 3)
    scene.writer.end_run(run.id, status="completed", duration=duration)


def _points(start: datetime) -> Iterator[MetricRow]:
    rng = chance("vision/curves")
    for step in range(story.STEPS):
        at = start + timedelta(seconds=int((step + 1) * story.SECONDS_A_STEP))
        yield from _train_points(rng, step, at)
        if (step + 1) % story.VALIDATE_EVERY == 0:
            yield from _val_points(rng, step, at)


def _train_points(rng: Random, step: int, at: datetime) -> Iterator[MetricRow]:
    progress = step / story.STEPS
    loss = 0.74 + 3.87 * math.exp(-5.2 * progress) + rng.gauss(0, 0.09 - 0.05 * progress)
    norm = 0.9 + 2.6 * math.exp(-7 * progress) + abs(rng.gauss(0, 0.25))
    accuracy = 0.93 - 0.92 * math.exp(-4.6 * progress) + rng.gauss(0, 0.018)
    if step == story.SPIKE_STEP:
        loss, norm, accuracy = story.SPIKE_LOSS, math.inf, 0.0117
    elif step in story.LOST_STEPS:
        loss = norm = math.nan
    stalled = story.loader_restarts(step)
    busy = rng.gauss(96.5, 1.4) - (58 if stalled else 0)
    step_ms = rng.gauss(1_160, 14) + (2_900 if stalled else 0)
    yield "train/loss", round(loss, 5), step, at
    yield "train/accuracy", round(min(1.0, max(0.0, accuracy)), 5), step, at
    yield "train/grad_norm", round(norm, 4), step, at
    yield "lr", story.learning_rate(step), step, at
    yield "gpu/memory_gb", round(34.1 + (step > 40) * 2.7 + rng.uniform(0, 0.12), 3), step, at
    yield "gpu/utilization", round(min(100.0, busy), 1), step, at
    yield (
        "gpu/temperature_c",
        round(71 - 27 * math.exp(-step / 220) + rng.gauss(0, 0.6), 1),
        step,
        at,
    )
    yield "throughput/images_per_s", round(256_000 / step_ms, 2), step, at
    yield "time/step_ms", round(step_ms, 1), step, at
    yield "epoch", round(step / story.STEPS_AN_EPOCH, 4), step, at


def _val_points(rng: Random, step: int, at: datetime) -> Iterator[MetricRow]:
    progress = step / story.STEPS
    top1 = 0.874 - 0.82 * math.exp(-5.4 * progress) + rng.gauss(0, 0.005)
    yield (
        "val/loss",
        round(0.86 + 3.3 * math.exp(-5.6 * progress) + rng.gauss(0, 0.02), 5),
        step,
        at,
    )
    yield "val/accuracy", round(top1, 5), step, at
    yield "val/top5", round(min(0.981, top1 + 0.107 + rng.gauss(0, 0.003)), 5), step, at
    yield (
        "val/ece",
        round(0.021 + 0.06 * math.exp(-3 * progress) + rng.uniform(0, 0.004), 5),
        step,
        at,
    )


def _add_models(scene: Scene, run_id: str, ended_at: datetime) -> None:
    for file_name, weights, tags, text in (
        ("resnet50_v1.luml", 24_576, ["best", "val-top1"], "Weights of the best validation step."),
        ("resnet50_v1_ema.luml", 16_384, ["ema"], "Moving average over the last 5,000 steps."),
    ):
        scene.writer.model(
            run_id,
            file_name,
            _model_archive(file_name, weights, ended_at),
            tags=tags,
            description=text,
            source="train.py",
            created_at=ended_at,
        )


def _model_archive(file_name: str, weights_bytes: int, made_at: datetime) -> bytes:
    manifest = filled(read_text("model_manifest.json"), {"name": file_name.removesuffix(".luml")})
    members = {
        "manifest.json": manifest.encode(),
        "env.json": b'{"python": "3.12", "dependencies": ["torch", "numpy"]}',
        "model_artifacts/weights.bin": chance(file_name).randbytes(weights_bytes),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mtime = int(made_at.timestamp())
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
