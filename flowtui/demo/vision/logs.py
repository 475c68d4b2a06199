"""The training log, as the terminal showed it and as it was archived."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from flowtui.demo.scene import chance
from flowtui.demo.vision import story

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def coloured(started_at: datetime) -> bytes:
    """Return the log of every 25th step and all warnings, with ANSI colours."""
    return "".join(_lines(started_at, every=25)).encode()


def gzipped(started_at: datetime) -> bytes:
    """Return the log of every other step, without colours, gzipped."""
    text = "".join(_lines(started_at, every=2))
    # Without a fixed time the same log would differ in bytes at every making.
    return gzip.compress(_COLOURS.sub("", text).encode(), mtime=0)


def _lines(started_at: datetime, every: int) -> Iterator[str]:
    rng = chance("vision/log")
    yield "\x1b[1mresnet50-cosine\x1b[0m  food-101, 101 classes, 75,750 train images\n"
    for step in range(story.STEPS):
        message = _message(step, every, rng.uniform(214, 224))
        if message:
            at = started_at + timedelta(seconds=(step + 1) * story.SECONDS_A_STEP)
            yield f"\x1b[2m{at:%H:%M:%S}\x1b[0m {message}\n"
    yield "\x1b[1;32mdone\x1b[0m best val/accuracy 0.877\n"


def _message(step: int, every: int, pace: float) -> str | None:
    warning = "\x1b[33mWARN \x1b[0m"
    if step == story.SPIKE_STEP:
        what = f"loss {story.SPIKE_LOSS}, gradient norm inf, batch 167 of shard 9"
        return f"\x1b[1;31mERROR\x1b[0m step {step}: {what}"
    if step in story.LOST_STEPS:
        return f"{warning} step {step}: loss nan, scale halved, step skipped"
    if story.loader_restarts(step):
        return f"{warning} loader worker 7 restarted"
    if step % every:
        return None
    epoch = step // story.STEPS_AN_EPOCH
    return (
        f"\x1b[32mINFO \x1b[0m epoch \x1b[36m{epoch:>2}\x1b[0m"
        f" step \x1b[36m{step:>4}\x1b[0m  {pace:.1f} images/s"
    )
