"""Runs in the states that a list must tell apart: active, failed, empty, uploaded."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from datetime import datetime, timedelta

from flowtui.demo.scene import Scene, chance, seeded_uuid
from flowtui.store.schema import MetricRow

_ACTIVE_MINUTES = 14
_ACTIVE_SECONDS_A_STEP = 2

_TRACEBACK = """\
Traceback (most recent call last):
  File "train.py", line 212, in <module>
    main(parse_args())
  File "train.py", line 198, in main
    trainer.fit(model, loaders, epochs=args.epochs)
  File "vision/trainer.py", line 141, in fit
    loss = self.step(batch)
  File "vision/trainer.py", line 167, in step
    self.scaler.scale(loss).backward()
  File "vision/attention.py", line 88, in backward
    scores = torch.matmul(query, key.transpose(-2, -1)) * self.scale
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 3.38 GiB. GPU 0 has a total capacity \
of 79.15 GiB of which 1.21 GiB is free. 77.90 GiB is allocated by PyTorch, 412.50 MiB is reserved \
but unallocated.
"""


def add_runs(scene: Scene) -> None:
    """Adds one run in each of the four states."""
    _add_active(scene)
    _add_failed(scene)
    _add_empty(scene)
    _add_uploaded(scene)


def _add_active(scene: Scene) -> None:
    created_at = scene.ago(minutes=_ACTIVE_MINUTES)
    run_id = scene.start(
        "llama-lora-sft",
        group="language",
        created_at=created_at,
        tags=["sft", "lora", "nightly"],
        description="LoRA fine-tune on 48k support dialogues; watch eval/loss after step 300.",
        source="finetune.py",
    )
    with scene.writer.experiment(run_id) as experiment:
        experiment.params(
            {
                "base_model": "llama-3.1-8b-instruct",
                "lora": {"r": 16, "alpha": 32, "dropout": 0.05, "targets": ["q_proj", "v_proj"]},
                "lr": 2e-4,
                "max_steps": 1200,
                "batch_size": 4,
                "gradient_accumulation": 8,
                "bf16": True,
                "dataset": "support-dialogues-48k",
                "packing": True,
            }
        )
        experiment.metrics(_active_points(created_at))


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
            yield "eval/loss", round(loss * 1.06 + rng.gauss(0, 0.01), 5), step, at


def _add_failed(scene: Scene) -> None:
    created_at = scene.ago(days=2, hours=3)
    run_id = scene.start(
        "vit-b16-mixup",
        group="vision",
        created_at=created_at,
        tags=["vit", "oom"],
        description="ViT-B/16 with mixup at batch 512; died in the second epoch.",
        source="train.py",
    )
    rng = chance("vit-b16-mixup")
    steps = 407
    with scene.writer.experiment(run_id) as experiment:
        experiment.params(
            {"model": "vit_base_patch16_224", "lr": 1e-3, "batch_size": 512, "mixup": 0.8}
        )
        experiment.metrics(
            (key, value, step, created_at + timedelta(seconds=2.1 * step))
            for step in range(steps)
            for key, value in (
                ("train/loss", round(3.1 + 1.5 * math.exp(-step / 160) + rng.gauss(0, 0.06), 5)),
                ("gpu/memory_gb", round(62 + 15.9 * step / steps + rng.uniform(0, 0.4), 2)),
            )
        )
        ended_at = created_at + timedelta(seconds=871)
        experiment.attachment("logs/traceback.txt", _TRACEBACK.encode(), ended_at)
    scene.writer.end_run(run_id, status="error", duration=871.442)


def _add_empty(scene: Scene) -> None:
    created_at = scene.ago(days=1, hours=5)
    run_id = scene.start("scratch", group="default", created_at=created_at)
    # Its process went at once: nothing was written since.
    moment = created_at.timestamp()
    os.utime(scene.directory / run_id / "exp.db", (moment, moment))


def _add_uploaded(scene: Scene) -> None:
    created_at = scene.ago(days=4, hours=7)
    run_id = scene.start(
        "cv-parser-ner",
        group="documents",
        created_at=created_at,
        tags=["ner", "résumé-日本", "größe-XL", "production"],
        description="Reads names, skills and dates out of résumés in six languages.",
        source="train_ner.py",
    )
    rng = chance("cv-parser-ner")
    with scene.writer.experiment(run_id) as experiment:
        experiment.params(
            {
                "encoder": "xlm-roberta-base",
                "languages": ["de", "en", "fr", "ja", "pl", "uk"],
                "labels": ["PERSON", "SKILL", "ORG", "DATE", "職種"],
                "lr": 3e-5,
                "epochs": 8,
                "crf": True,
            }
        )
        experiment.metrics(
            (f"f1/{label}", round(top * (1 - math.exp(-(epoch + 1) / 2)), 4), epoch, at)
            for epoch in range(8)
            for at in [created_at + timedelta(minutes=6 * (epoch + 1))]
            for label, top in (
                ("PERSON", 0.961 + rng.gauss(0, 0.003)),
                ("SKILL", 0.884 + rng.gauss(0, 0.006)),
                ("DATE", 0.972 + rng.gauss(0, 0.002)),
                ("職種", 0.861 + rng.gauss(0, 0.008)),
            )
        )
    scene.writer.end_run(run_id, status="completed", duration=2964.8)
    scene.writer.uploaded(
        run_id,
        orbit_id=seeded_uuid(chance("orbit")),
        artifact_id=seeded_uuid(chance("artifact")),
        created_at=created_at + timedelta(hours=1, minutes=12),
    )
