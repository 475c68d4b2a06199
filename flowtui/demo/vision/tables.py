"""Data files of the training run: csv, tsv, json, jsonl, npy, and one of no known kind."""

from __future__ import annotations

import csv
import io
import json
import math
import struct

from flowtui.demo.scene import chance
from flowtui.demo.vision import story


def predictions_csv() -> bytes:
    """Lists 3,000 validation images with truth, guess, confidence and loss."""
    rng = chance("vision/predictions")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["image", "truth", "predicted", "correct", "confidence", "loss", "note"])
    for number in range(3_000):
        truth = rng.choice(story.CLASSES)
        correct = rng.random() < 0.874
        guess = truth if correct else rng.choice(story.CLASSES)
        confidence = min(0.9999, rng.betavariate(9, 1.4) if correct else rng.betavariate(3, 2.6))
        loss = -math.log(confidence if truth == guess else 1 - confidence)
        note = 'label doubted, "see review"' if rng.random() < 0.01 else ""
        writer.writerow(
            [
                f"val/{truth}/{number:05d}.jpg",
                truth,
                guess,
                truth == guess,
                f"{confidence:.4f}",
                f"{loss:.4f}",
                note,
            ]
        )
    return out.getvalue().encode()


def class_counts_tsv() -> bytes:
    """Counts the images of each class in each split."""
    rng = chance("vision/counts")
    lines = ["class\ttrain\tval\ttest"]
    lines += [
        f"{name}\t{rng.randrange(690, 751)}\t125\t{rng.randrange(120, 126)}"
        for name in story.CLASSES
    ]
    return ("\n".join(lines) + "\n").encode()


def config_json() -> bytes:
    """Gives the resolved configuration, five levels deep."""
    config = {
        "experiment": {"name": story.RUN, "seed": 1337, "deterministic": False},
        "data": {
            "root": "data/food-101",
            "loader": {
                "workers": 12,
                "prefetch": 4,
                "sampler": {"kind": "class_balanced", "options": {"power": 0.5, "replace": True}},
            },
            "splits": [
                {"name": "train", "share": 0.75, "shuffle": True},
                {"name": "val", "share": 0.125, "shuffle": False},
                {"name": "test", "share": 0.125, "shuffle": False},
            ],
        },
        "model": {"arch": "resnet50", "head": {"dropout": 0.2, "bias": True}, "checkpoint": None},
        "optim": {"name": "sgd", "lr": story.PEAK_RATE, "betas": None, "no_decay": ["bias", "bn"]},
        "classes": list(story.CLASSES),
    }
    return (json.dumps(config, indent=2) + "\n").encode()


def hard_examples_jsonl() -> bytes:
    """Lists the two hundred images with the highest loss, one JSON object a line."""
    rng = chance("vision/hard")
    lines = []
    for rank in range(200):
        truth, guess = rng.choice(list(story.CONFUSED))
        lines.append(
            json.dumps(
                {
                    "rank": rank + 1,
                    "image": f"val/{truth}/{rng.randrange(9_000):05d}.jpg",
                    "truth": truth,
                    "top": [
                        {"label": guess, "p": round(rng.uniform(0.6, 0.99), 4)},
                        {"label": truth, "p": round(rng.uniform(0.0, 0.3), 4)},
                    ],
                    "loss": round(9.4 * math.exp(-rank / 90) + 1.1, 4),
                }
            )
        )
    return ("\n".join(lines) + "\n").encode()


def features_npy() -> bytes:
    """Gives 128 feature vectors of 32 float32 in NumPy's format, version 1.0."""
    rows, columns = 128, 32
    rng = chance("vision/features")
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}"
    # The format wants the data to start at a multiple of 64.
    header = header.ljust(64 * math.ceil((len(header) + 11) / 64) - 11) + "\n"
    values = (rng.gauss(0, 1) for _ in range(rows * columns))
    return (
        b"\x93NUMPY\x01\x00"
        + struct.pack("<H", len(header))
        + header.encode("latin-1")
        + struct.pack(f"<{rows * columns}f", *values)
    )


def optimizer_state() -> bytes:
    """Gives bytes in a private format, which only a hex view can show."""
    return (
        b"SGDS\x00\x02\x00\x00"
        + struct.pack("<Qd", story.STEPS, 0.9)
        + chance("state").randbytes(9_000)
    )
