"""What is written here is read once: no list is read or sorted again that did not change by it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.screens.evals import samples_pane
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations import writing as annotating
from flowtui.store.annotations.values import Target
from flowtui.store.database import Database, T
from flowtui.store.errors import DatabaseBusy
from flowtui.store.samples import listing as sample_rows
from flowtui.store.store import Store
from flowtui.store.traces import listing as trace_rows
from tests.conftest import open_store
from tests.pilot.pilot import opened, screen_text, settled
from tests.unit.annotated import OTHER_SAMPLE, RUN, SPAN, annotatable, feedback
from tests.unit.stores import age, writer

MOST_READS = 3


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    annotatable(tmp_path)
    with writer(tmp_path) as writing:
        # The one who watches a run that goes on looks for signs of its life, too.
        writing.end_run(RUN, status="completed", duration=1.0)
    age(tmp_path)
    store = open_store(tmp_path)
    yield store
    store.close()


@contextmanager
def counted(
    monkeypatch: pytest.MonkeyPatch, *lists: tuple[object, str]
) -> Iterator[tuple[list[str], list[str]]]:
    """Give the files that are read inside, and the lists that are put in order."""
    reads: list[str] = []
    ordered: list[str] = []
    read = Database.read

    def counting(self: Database, question: Callable[[sqlite3.Connection], T]) -> T:
        reads.append(self.label)
        return read(self, question)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "read", counting)
        for module, name in lists:
            asked = getattr(module, name)
            patch.setattr(
                module, name, lambda *args, asked=asked: (ordered.append("list"), asked(*args))[1]
            )
        yield reads, ordered


async def look(pilot: Pilot[None]) -> None:
    """Have the watch look once, and no more by itself."""
    assert isinstance(pilot.app, FlowApp)
    pilot.app.follows = False
    await settled(pilot)
    pilot.app.watching.look()
    await settled(pilot)


LISTS = ((sample_rows, "ordered"), (trace_rows, "ordered"))
NOTED = {"evals": "eval_annotations", "traces": "span_annotations"}


def count_of(store: Store, table: str) -> int:
    question = f"select count(*) from {table}"
    (count,) = store.run(RUN).ask(lambda db: db.execute(question).fetchone())
    assert isinstance(count, int)
    return count


@pytest.mark.parametrize(
    ("tab", "keys", "marks"),
    # The table's head has a mark, too, and so have the column of the name and its tally; a trace
    # has one beside the span and one in its summary.
    [("evals", [], (1, 4)), ("evals", ["enter"], (0, 1)), ("traces", ["enter"], (0, 2))],
)
async def test_one_key_makes_few_reads_and_sorts_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, tab: str, keys: list[str], marks: tuple[int, int]
) -> None:
    # Lower than the strip below the list is open by itself.
    async with opened(store, RUN, size=(120, 30), tab=tab) as pilot:
        await pilot.press(*keys)
        await look(pilot)
        for key, count in (("plus", 1), ("minus", 1), ("u", 1), ("u", 0)):
            with counted(monkeypatch, *LISTS) as (reads, ordered):
                await pilot.press(key)
                await look(pilot)
            assert (len(reads) <= MOST_READS, ordered) == (True, []), (key, reads)
            assert count_of(store, NOTED[tab]) == count
            assert screen_text(pilot).count("✎") == marks[count]


async def test_a_list_that_asks_for_annotations_is_read_again(store: Store) -> None:
    async with opened(store, RUN, tab="evals") as pilot:
        await pilot.press("0")
        await look(pilot)
        assert "2 samples" in screen_text(pilot)
        await pilot.press("plus")
        await look(pilot)
        assert "1 of 2" in screen_text(pilot)
        await pilot.press("u")
        await look(pilot)
        assert "2 samples" in screen_text(pilot)


@pytest.mark.parametrize(("tab", "target", "keys"), [("evals", OTHER_SAMPLE, []),
                                                     ("traces", SPAN, ["enter"])])  # fmt: skip
async def test_what_somebody_else_wrote_meanwhile_is_read(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    tab: str,
    target: Target,
    keys: list[str],
) -> None:
    others = open_store(tmp_path)
    # Lower than the strip below the list is open by itself.
    async with opened(store, RUN, size=(120, 30), tab=tab) as pilot:
        await pilot.press(*keys)
        await look(pilot)
        await pilot.press("plus")
        await settled(pilot)
        annotating.add(others.run(RUN).database, target, feedback(user="ben", name="theirs"))
        with counted(monkeypatch, (annotation_rows, "of_target")) as (_reads, asked):
            await look(pilot)
        assert asked
        assert ("Annotations  2" in screen_text(pilot)) == (tab == "traces")
    others.close()


async def test_a_read_that_fails_after_a_write_hides_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = [DatabaseBusy(Path("exp.db"), "exp.db was busy")]
    agreement = samples_pane.agreement

    def fail_once(*args: Any) -> object:
        if busy:
            raise busy.pop()
        return agreement(*args)

    async with opened(store, RUN, size=(120, 30), tab="evals") as pilot:
        await look(pilot)
        monkeypatch.setattr(samples_pane, "agreement", fail_once)
        await pilot.press("plus")
        await look(pilot)
        assert not busy
        assert screen_text(pilot).count("✎") == 4
