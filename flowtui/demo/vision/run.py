"""Parameters, curves and models of the training run."""

from __future__ import annotations

import io
import json
import math
import tarfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from flowtui.demo.scene import Scene, chance
from flowtui.demo.vision import story
from flowtui.demo.vision.files import attachments
from flowtui.store.schema import MetricRow, ParamValue

_PARAMS: dict[str, ParamValue] = {
    "model": "resnet50",
    "weights": "IMAGENET1K_V2",
    "pretrained": True,
    "dataset": "food-101",
    "num_classes": 101,
    "image_size": 224,
    "batch_size": 256,
    "steps": story.STEPS,
    "optimizer": "sgd",
    "lr": story.PEAK_RATE,
    "momentum": 0.9,
    "nesterov": True,
    "weight_decay": 5e-5,
    "label_smoothing": 0.1,
    "grad_clip": 5.0,
    "ema_decay": 0.9998,
    "amp": True,
    "channels_last": True,
    "compile": False,
    "seed": 1337,
    "num_workers": 12,
    "resume_from": None,
    "schedule": {
        "name": "cosine",
        "warmup": {"steps": story.WARMUP_STEPS, "start_factor": 0.01, "shape": "linear"},
        "floor": story.FLOOR_RATE,
    },
    "augmentation": {
        "train": {
            "random_resized_crop": {"scale": [0.35, 1.0], "ratio": [0.75, 1.333]},
            "rand_augment": {"ops": 2, "magnitude": 9},
            "mixup": 0.2,
            "cutmix": 0.0,
        },
        "val": {"resize": 256, "center_crop": 224},
    },
    "mean_rgb": [0.485, 0.456, 0.406],
    "freeze_layers": ["stem", "layer1"],
    "class_weights": [round(0.7 + 0.6 * ((7 * n) % 101) / 101, 3) for n in range(101)],
    "notes": "Same as the June baseline, but cosine instead of step decay — größere Lernrate.",
}


def add_run(scene: Scene) -> None:
    """Adds the completed run "resnet50-cosine"."""
    created_at = scene.ago(days=6, hours=4)
    scene.writer.group(
        "vision",
        description="Food photos: classify 101 dishes on the phone.",
        tags=["food-101", "mobile"],
        created_at=scene.ago(days=25),
    )
    run_id = scene.start(
        story.RUN,
        group="vision",
        created_at=created_at,
        tags=["resnet", "cosine", "baseline", "prod-candidate"],
        description="ResNet-50 with a cosine schedule; beats step decay by 1.4 points of top-1.",
        source="train.py",
    )
    ended_at = created_at + timedelta(seconds=story.STEPS * story.SECONDS_A_STEP)
    with scene.writer.experiment(run_id) as experiment:
        experiment.params(_PARAMS)
        experiment.metrics(_points(created_at))
        for file in attachments(created_at, ended_at):
            experiment.attachment(file.name, file.data, file.created_at)
    _add_models(scene, run_id, ended_at)
    seconds = (ended_at - created_at).total_seconds()
    scene.writer.end_run(run_id, status="completed", duration=round(seconds + 25.317, 3))


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
    stem = file_name.removesuffix(".luml")
    manifest = {
        "artifact_type": "model",
        "variant": "pyfunc",
        "name": stem,
        "description": None,
        "version": "1",
        "producer_name": "vision",
        "producer_version": "2.3.0",
        "producer_tags": ["vision::pytorch:v1"],
        "payload": {
            "inputs": [{"name": "image", "dtype": "float32", "shape": ["batch", 3, 224, 224]}],
            "outputs": [{"name": "logits", "dtype": "float32", "shape": ["batch", 101]}],
        },
    }
    members = {
        "manifest.json": json.dumps(manifest, indent=2).encode(),
        "env.json": json.dumps({"python": "3.12", "dependencies": ["torch", "numpy"]}).encode(),
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
