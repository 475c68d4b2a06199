"""Stores for measuring: a small run, and one of the size that a long training leaves."""

from __future__ import annotations

import io
import json
import math
import random
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path

from flowtui.store.schema import EvalRow, SpanRow, StoreWriter

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
SMALL, BIG, RUNNING, LONG = "small", "big", "running", "long"
TREE, FOREST, MANY, FILES = "tree", "forest", "many", "files"
"""Ids and names of the runs: 10 parameters, all that `Sizes` says, one that is being written, one
with all the points in one metric, one with a single large trace, one with a larger one, one with
thousands of metrics, and one with large attachments."""
PIXELS = 4_000, 3_000
CSV_ROWS = 250_000
TREE_ID = "f" * 32
CHAIN = 200
"""The first spans of the large trace, each below the one before."""
LONG_KEY = "train/reward"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much the big run holds."""

    points: int = 1_000_000
    metrics: int = 10
    spans: int = 100_000
    samples: int = 100_000
    tree: int = 30_000
    """Spans of the large trace."""
    forest: int = 200_000
    """Spans of the larger one."""
    many: int = 3_000
    """Metrics of the run that has nothing but metrics."""

    @property
    def words(self) -> str:
        return f"{self.points:,} points, {self.spans:,} spans, {self.samples:,} samples"

    @property
    def name(self) -> str:
        return "-".join(map(str, (*astuple(self), FILES)))


SMALL_SIZES = Sizes(points=5_000, metrics=10, spans=400, samples=200, tree=400, forest=400, many=40)
"""For tests, to which it matters only that there is more than fits on a screen."""


def make(directory: Path, sizes: Sizes) -> Path:
    """Return a store with one of each of the runs, made where it is not there yet."""
    store = directory / f"bench-{sizes.name}"
    done = store / "meta.db"
    if done.exists():
        return store
    partial = store.with_name(f"{store.name}.partial")
    with StoreWriter(partial, clock=lambda: STARTED, durable=False) as writer:
        for run in (SMALL, LONG, BIG, RUNNING, TREE, FOREST, MANY, FILES):
            writer.start_run(run, run)
            with writer.experiment(run) as experiment:
                experiment.params({f"param_{index}": index for index in range(10)})
                if run != LONG:
                    experiment.metrics([("train/loss", 1.0, 0, STARTED)])
        with writer.experiment(BIG) as experiment:
            experiment.metrics(_points(sizes))
            experiment.spans(_spans(sizes.spans))
            experiment.evals(_samples(sizes.samples))
        with writer.experiment(LONG) as experiment:
            experiment.metrics(_long(sizes.points))
        for run, count in ((TREE, sizes.tree), (FOREST, sizes.forest)):
            with writer.experiment(run) as experiment:
                experiment.spans(_tree(count))
        with writer.experiment(MANY) as experiment:
            experiment.metrics(
                (f"grad_norm/model.layers.self_attn.{index:04}", index**1.5, step, STARTED)
                for index in range(sizes.many)
                for step in range(3)
            )
        with writer.experiment(FILES) as experiment:
            for name, data in _files():
                experiment.attachment(name, data)
        for run in (SMALL, LONG, BIG, TREE, FOREST, MANY, FILES):
            writer.end_run(run, status="completed", duration=3600.0)
    return partial.rename(store)


def _points(sizes: Sizes) -> Iterator[tuple[str, float, int, datetime]]:
    rng = random.Random(7)
    for index in range(sizes.points):
        step, metric = divmod(index, sizes.metrics)
        value = math.exp(-step / 20_000) + rng.random() / 20
        yield metric_key(metric), value, step, STARTED


def metric_key(metric: int) -> str:
    """Return the key of one of the big run's metrics."""
    return f"group_{metric % 3}/metric_{metric}"


def _long(count: int) -> Iterator[tuple[str, float, int, datetime]]:
    rng = random.Random(13)
    for step in range(count):
        yield LONG_KEY, math.exp(-step / 20_000) + rng.random() / 20, step, STARTED


def _spans(count: int) -> Iterator[SpanRow]:
    start_ns = int(STARTED.timestamp() * 1e9)
    for index in range(count):
        trace, position = divmod(index, 20)
        begins = start_ns + index * 1_000_000
        yield SpanRow(
            trace_id=f"{trace:032x}",
            span_id=f"{index:016x}",
            parent_span_id=None if position == 0 else f"{trace * 20:016x}",
            name=f"step_{position}",
            start_ns=begins,
            end_ns=begins + 900_000,
            attributes={"gen_ai.request.model": "model", "index": index},
        )


def _tree(count: int) -> Iterator[SpanRow]:
    """Yield one trace: a chain, and under it spans at random, half of them calls of a model."""
    rng = random.Random(17)
    start_ns = int(STARTED.timestamp() * 1e9)
    chat = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 100}
    chat |= {"gen_ai.usage.output_tokens": 7, "gen_ai.request.model": "model"}
    for index in range(count):
        parent = None if index == 0 else index - 1 if index < CHAIN else rng.randrange(index)
        begins = start_ns + index * 1_000_000
        yield SpanRow(
            trace_id=TREE_ID,
            span_id=f"{index:016x}",
            parent_span_id=None if parent is None else f"{parent:016x}",
            name=f"span_{index}",
            start_ns=begins,
            end_ns=begins + rng.randrange(1, 2_000_000_000),
            status_code=2 if rng.random() < 0.005 else 1,
            attributes=chat if index % 2 else {"note": "x" * 200},
        )


def _files() -> Iterator[tuple[str, bytes]]:
    """Yield a table, a picture of 12 megapixels, and JSON, each as large as one meets them."""
    from PIL import Image

    rng = random.Random(19)
    lines = (f"{index},{rng.random():.6f},label {index % 97}" for index in range(CSV_ROWS))
    yield "a.csv", "\n".join(["index,score,label", *lines]).encode()
    picture = io.BytesIO()
    noise = Image.effect_noise(PIXELS, 60).convert("RGB")
    noise.save(picture, "PNG", compress_level=1)
    yield "b.png", picture.getvalue()
    yield (
        "c.json",
        json.dumps([{"index": index, "text": "x" * 40} for index in range(30_000)]).encode(),
    )


def _samples(count: int) -> Iterator[EvalRow]:
    rng = random.Random(11)
    for index in range(count):
        yield EvalRow(
            id=f"sample-{index}",
            dataset_id=f"set-{index % 3}",
            inputs={"question": f"what is {index} + {index}?"},
            outputs={"answer": str(2 * index)},
            refs={"answer": str(2 * index)},
            scores={"exact": rng.random() > 0.2, "relevance": rng.random()},
        )
