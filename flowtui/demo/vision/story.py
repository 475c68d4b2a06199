"""What happened in the run, so that curves and logs tell the same.

What lies in data/ tells it too: runs.json and attachments/ hold the same numbers.
"""

from __future__ import annotations

import math

RUN = "resnet50-cosine"
STEPS = 5_000
SECONDS_A_STEP = 1.18
STEPS_AN_EPOCH = 296
VALIDATE_EVERY = 100
WARMUP_STEPS = 250
PEAK_RATE = 0.08
FLOOR_RATE = 1e-5

SPIKE_STEP = 3_127
"""A corrupt batch: the loss reads 77, the gradient norm overflows."""
SPIKE_LOSS = 77.0
LOST_STEPS = range(3_128, 3_133)
"""The steps after it, whose loss is NaN until the scaler has backed off."""

CLASSES = (
    "baklava",
    "bibimbap",
    "churros",
    "dumplings",
    "falafel",
    "gyoza",
    "lasagne",
    "paella",
    "pho",
    "ramen",
    "sashimi",
    "tiramisu",
)

CONFUSED = {("dumplings", "gyoza"): 0.19, ("pho", "ramen"): 0.14, ("ramen", "pho"): 0.09}
"""Share of samples of the first class that were taken for the second."""


def loader_restarts(step: int) -> bool:
    """Say whether a loader worker restarted at this step, which the step time shows."""
    return step % 487 == 486


def learning_rate(step: int) -> float:
    """Return the rate of the schedule: a linear warm-up, then half a cosine."""
    if step < WARMUP_STEPS:
        return PEAK_RATE * (0.01 + 0.99 * step / WARMUP_STEPS)
    share = (step - WARMUP_STEPS) / (STEPS - WARMUP_STEPS)
    return FLOOR_RATE + (PEAK_RATE - FLOOR_RATE) * 0.5 * (1 + math.cos(math.pi * share))
