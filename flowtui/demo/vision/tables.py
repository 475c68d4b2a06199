"""The long tables of the training run: csv and jsonl."""

from __future__ import annotations

import csv
import io
import json
import math

from flowtui.demo.scene import chance
from flowtui.demo.vision import story


def predictions_csv() -> bytes:
    """List 3,000 validation images with truth, guess, confidence and loss."""
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


def hard_examples_jsonl() -> bytes:
    """List the two hundred images with the highest loss, one JSON object a line."""
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
