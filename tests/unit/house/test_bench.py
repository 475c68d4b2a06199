"""The bench works: its store is what it says, its writer writes, its table adds up."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowtui.store import counts as counting
from tests.bench.__main__ import line
from tests.bench.measure import Measure
from tests.bench.reading import readings
from tests.bench.stores import BIG, RUNNING, Sizes, make
from tests.bench.writer import write
from tests.conftest import open_store

pytestmark = pytest.mark.slow

TINY = Sizes(points=100, metrics=4, spans=40, samples=9, tree=40, forest=40, many=9)


def test_store_has_the_sizes_that_were_asked_for_and_is_made_once(tmp_path: Path) -> None:
    store = make(tmp_path, TINY)
    counts = open_store(store).run(BIG).ask(counting.counts)
    assert (counts.spans, counts.traces, counts.samples, counts.metrics) == (40, 2, 9, 5)
    made_at = (store / "meta.db").stat().st_mtime_ns
    assert make(tmp_path, TINY) == store
    assert (store / "meta.db").stat().st_mtime_ns == made_at


def test_writer_logs_at_its_pace(tmp_path: Path) -> None:
    store = make(tmp_path, TINY)
    said = write(str(store / RUNNING / "exp.db"), 0.2, 100)
    assert said["failed"] == 0
    last = open_store(store).run(RUNNING).metrics.last_points()["train/loss"]
    assert last.step == said["written"]


def test_every_reading_is_made_of_the_store_that_is_there(tmp_path: Path) -> None:
    made = list(readings(make(tmp_path, TINY), TINY, rounds=1))
    assert len({measure.what for measure in made}) == len(made) == 5
    assert all(measure.measured > 0 for measure in made[:4])


def test_verdict_is_by_ratio_where_there_is_a_baseline() -> None:
    missed = Measure("paint", 0.4, 0.2, 1.5, "s")
    assert not missed.is_met
    assert "MISSED" in line(missed)
    assert Measure("bytes", 900, None, 1000, "B").is_met
