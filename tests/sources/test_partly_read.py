"""What is said of a run while it is being read, which may take minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowtui.sources import event_records, filling, places, recognising
from flowtui.sources.filling import Filling
from flowtui.sources.private_store import SourceStore
from flowtui.store.values import ReadSoFar
from flowtui.widgets.frame.frame import reading_mark
from tests.pilot.pilot import opened, screen_lines, screen_text, until
from tests.sources.reading import points, problems
from tests.sources.test_tensorboard import add, events, scalar

PARTIAL = "it is still being read"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An event file of which a tenth is read at a time."""
    steps = b"".join(scalar("loss", step, 1.0) for step in range(1, 101))
    monkeypatch.setattr(event_records, "CHUNK_BYTES", len(steps) // 10)
    monkeypatch.setattr(filling, "_MUCH_BYTES", len(steps) // 2)
    return events(tmp_path / "logs", steps)


@pytest.fixture
def filled(file: Path) -> Filling:
    """Its reader, which has read nothing yet."""
    source = recognising.recognise(file.parent)
    assert source is not None
    made = Filling(source, places.place(source.tool, source.root))
    made.look()
    return made


def test_a_run_says_how_far_it_was_read_until_it_is_read(file: Path, filled: Filling) -> None:
    store = SourceStore(filled, False, None)
    run = store.resolve("logs")
    assert store.reading(run.id) == ReadSoFar(0, 0)
    filled.fill(run.id, lambda: False)
    read = store.reading(run.id)
    assert read is not None
    assert 0 < read.done_bytes < read.size_bytes == file.stat().st_size
    assert PARTIAL in " ".join(problems(store, run))
    filled.fill(run.id)
    assert store.reading(run.id) is None
    assert problems(store, run) == []


def test_a_run_that_grew_by_much_meanwhile_is_not_wholly_read_until_that_is(
    file: Path, filled: Filling
) -> None:
    store = SourceStore(filled, False, None)
    run = store.resolve("logs")
    filled.fill(run.id)
    add(file, scalar("loss", 101, 1.0))
    filled.look()
    filled.fill(run.id, lambda: False)
    assert store.reading(run.id) is None, "a little that is new is read at once"
    add(file, b"".join(scalar("loss", step, 1.0) for step in range(102, 202)))
    filled.look()
    filled.fill(run.id, lambda: False)
    assert store.reading(run.id) is not None
    filled.fill(run.id, lambda: False)
    assert PARTIAL in " ".join(problems(store, run))
    filled.fill(run.id)
    assert store.reading(run.id) is None
    assert len(points(run)["loss"]) == 201


def test_the_list_can_be_read_while_many_runs_are_read(tmp_path: Path) -> None:
    for number in range(5):
        events(tmp_path / "logs" / str(number), scalar("loss", 0, 1.0))
    source = recognising.recognise(tmp_path / "logs")
    assert source is not None
    filling = Filling(source, places.place(source.tool, source.root))
    filling.look()
    database = filling.place.store / "meta.db"
    before = database.stat()
    for run_id in filling.pending():
        filling.fill(run_id)
    # A reader joins the log; a database that is written anew for each run is seldom at rest.
    assert database.stat().st_mtime_ns == before.st_mtime_ns
    filling.rest()
    assert not database.with_name("meta.db-wal").exists()


@pytest.mark.parametrize("tab", ["overview", "metrics"])
async def test_every_tab_says_so_as_long_as_it_is_so(filled: Filling, tab: str) -> None:
    store = SourceStore(filled, False, None)
    run = store.resolve("logs")
    filled.fill(run.id, lambda: False)
    async with opened(store, "logs", tab=tab) as pilot:
        await until(lambda: "◔ reading" in screen_lines(pilot)[0], "the frame")
        said = "▲ it is still being" if tab == "overview" else "10 points"
        await until(lambda: said in screen_text(pilot), "what is partial")
        filled.fill(run.id)
        await until(lambda: "◔" not in screen_lines(pilot)[0], "the end of it")
        await until(lambda: said not in screen_text(pilot), "what is whole")


async def test_the_list_says_how_many_runs_are_still_being_read(filled: Filling) -> None:
    store = SourceStore(filled, False, None)
    async with opened(store, None) as pilot:
        assert "Runs 1  ◔ 1 still being read" in screen_lines(pilot)[0]
        (run_id,) = filled.runs()
        filled.fill(run_id)
        await until(lambda: "◔" not in screen_lines(pilot)[0], "the end of it")


def test_the_words_of_the_top_line() -> None:
    assert reading_mark(None) is None
    for read, words in (
        (ReadSoFar(0, 0), ("◔ reading",)),
        (ReadSoFar(500_000, 2_000_000), ("◔ reading 25 %", "of 2 MB")),
        (ReadSoFar(3_000_000, 2_000_000), ("◔ reading 99 %", "of 2 MB")),
    ):
        mark = reading_mark(read)
        assert mark is not None
        assert mark.words == words
