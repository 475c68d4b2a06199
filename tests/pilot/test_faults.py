"""Faults under an open store: words on the screen while they last, and all as before afterwards."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import TextArea

from flowtui import clock
from flowtui.store import runs as run_rows
from flowtui.store import transaction
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations import writing
from flowtui.store.annotations.values import Annotation
from flowtui.store.database import Database
from flowtui.store.store import Store
from flowtui.store.transaction import Patience
from tests.conftest import NOW, open_store
from tests.pilot.monkey import is_sound
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until
from tests.unit.annotated import RUN, SPAN, annotatable
from tests.unit.stores import execute, held, one_run, process

ROOT = Path(__file__).parents[2]
NAME = "support-agent-v3"
SHOWN = {"1": "tokens/input", "2": "pass_rate", "3": "support-agent", "4": "hard_v2", "5": "system"}
"""A word of each tab, by the key of the tab."""
ONE_AFTER_THE_OTHER = "12345"


@pytest.fixture
def store(demo_copy: Path) -> Iterator[Store]:
    with closing(open_store(demo_copy)) as opened_store:
        yield opened_store


@pytest.fixture
def folder(store: Store) -> Path:
    """The run's own folder."""
    return store.run_directory(store.resolve(NAME).row.id)


async def assert_tabs_say(pilot: Pilot[None], words: str) -> None:
    for key in ONE_AFTER_THE_OTHER:
        await pilot.press(key)
        await until(lambda: words in screen_text(pilot), f"{words!r} on tab {key}")
        await settled(pilot)
        assert "▲" in screen_lines(pilot)[0]


async def assert_tabs_are_whole(pilot: Pilot[None]) -> None:
    await until(lambda: "▲" not in screen_lines(pilot)[0], "no more words of a problem")
    for key, word in SHOWN.items():
        await pilot.press(key)
        await until(lambda word=word: word in screen_text(pilot), f"{word!r} on tab {key}")  # type: ignore[misc]
        await settled(pilot)
        assert "tries again" not in screen_text(pilot)


# Reading -----------------------------------------------------------------------------------------


async def test_a_folder_that_goes_away_and_comes_back(store: Store, folder: Path) -> None:
    away = folder.with_name("away")
    async with opened(store, NAME) as pilot:
        folder.rename(away)
        await assert_tabs_say(pilot, "exp.db is missing")
        away.rename(folder)
        await assert_tabs_are_whole(pilot)


async def test_a_store_that_goes_away_and_comes_back(store: Store, tmp_path: Path) -> None:
    async with opened(store, NAME) as pilot:
        store.directory.rename(tmp_path / "away")
        await assert_tabs_say(pilot, "meta.db is missing")
        (tmp_path / "away").rename(store.directory)
        await assert_tabs_are_whole(pilot)


async def test_an_io_error_that_passes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> sqlite3.Connection:
        raise sqlite3.OperationalError("disk I/O error")

    async with opened(store, NAME) as pilot:
        with monkeypatch.context() as broken:
            broken.setattr(Database, "_connect", fail)
            await pilot.press("r")
            await assert_tabs_say(pilot, "cannot be read: disk I/O error")
        # No file has changed; it is tried again all the same.
        await assert_tabs_are_whole(pilot)


async def test_a_failure_at_once_is_not_overwritten_by_what_is_said_of_a_slow_read(
    store: Store, folder: Path
) -> None:
    async with opened(store, NAME) as pilot:
        folder.rename(folder.with_name("away"))
        for key in "45":
            await pilot.press(key)
            await settled(pilot)
            # Longer than it takes until a read is called slow.
            await pilot.pause(0.3)
            assert "exp.db is missing" in "\n".join(screen_lines(pilot)[2:])
            assert "reading" not in screen_text(pilot)


async def test_a_run_deleted_from_the_list_and_put_back(store: Store) -> None:
    run_id = store.resolve(NAME).row.id
    meta = store.directory / "meta.db"
    with closing(sqlite3.connect(meta)) as connection:
        row = connection.execute("select * from experiments where id = ?", (run_id,)).fetchone()
    async with opened(store, NAME) as pilot:
        execute(meta, "delete from experiments where id = ?", [(run_id,)])
        await until(lambda: "this run was deleted" in screen_text(pilot), "that it was deleted")
        assert SHOWN["1"] in screen_text(pilot)
        await pilot.press("escape")
        await until(lambda: "Runs 45" in screen_text(pilot), "the shorter list")
        execute(meta, f"insert into experiments values ({', '.join('?' * len(row))})", [row])
        await until(lambda: "Runs 46" in screen_text(pilot), "the whole list")
        await pilot.press("enter")
        await settled(pilot)


async def test_a_database_replaced_by_another_of_as_many_records_is_read_again(
    tmp_path: Path,
) -> None:
    path = one_run(tmp_path / "a", {"which": "first"}, {"loss": {0: 1.5, 1: 2.5}})
    other = one_run(tmp_path / "b", {"which": "second"}, {"loss": {0: 7.5, 1: 8.5}})
    with closing(open_store(tmp_path / "a")) as store:
        async with opened(store, "run-1") as pilot:
            await until(lambda: "first" in screen_text(pilot), "what is there")
            assert "2.5" in screen_text(pilot)
            os.replace(other, path)
            await until(lambda: "second" in screen_text(pilot), "what took its place")
            await until(lambda: "8.5" in screen_text(pilot), "its metrics")


async def test_a_database_replaced_by_what_is_none_and_put_right(
    store: Store, folder: Path
) -> None:
    path = folder / "exp.db"
    kept = Path(shutil.copy(path, folder / "kept"))
    async with opened(store, NAME) as pilot:
        (folder / "new").write_bytes(b"no database at all" * 500)
        os.replace(folder / "new", path)
        await assert_tabs_say(pilot, "exp.db is not a SQLite database")
        os.replace(kept, path)
        await assert_tabs_are_whole(pilot)


# The store's other users -------------------------------------------------------------------------

LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("pragma journal_mode = delete")
connection.execute("begin exclusive")
connection.execute("insert into static_params (key, value) values ('locked', '1')")
print("ready", flush=True)
sys.stdin.read()
connection.execute("commit")
"""


async def test_a_database_that_another_process_holds_is_read_and_then_read_again(
    store: Store, folder: Path
) -> None:
    with process(LOCK, folder / "exp.db"):
        async with opened(store, NAME) as pilot:
            await assert_tabs_are_whole(pilot)
    async with opened(store, NAME) as pilot:
        await until(lambda: "locked" in screen_text(pilot), "what was written under the lock")


async def test_the_log_folded_and_begun_anew_hides_nothing(tmp_path: Path) -> None:
    path = one_run(tmp_path / "a", {}, {"loss": {0: 1.5}})
    with (
        closing(open_store(tmp_path / "a")) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
    ):
        connection.execute("pragma journal_mode = wal")
        insert = "insert into dynamic_metrics (key, value, step) values ('loss', ?, ?)"
        async with opened(store, "run-1") as pilot:
            for step, mode in enumerate(("truncate", "restart", "passive", "truncate"), start=1):
                connection.execute(insert, (step + 40.25, step))
                wanted = f"{step + 40.25:g}"
                await until(lambda wanted=wanted: wanted in screen_text(pilot), wanted)  # type: ignore[misc]
                connection.execute(f"pragma wal_checkpoint({mode})")


async def test_a_clock_that_goes_back_shows_no_time_below_zero(
    demo_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = NOW
    monkeypatch.setattr(clock, "now", lambda: now)
    store = open_store(demo_copy)
    with held(store.resolve("llama-lora-sft").database.path):
        async with opened(store, "llama-lora-sft") as pilot:
            for days in (40, -40, 400, 0):
                now = NOW - timedelta(days=days)
                for key in ("r", "1", "2", "escape", "enter"):
                    await pilot.press(key)
                    await settled(pilot)
                    frame = screen_lines(pilot)[0]
                    assert " -" not in frame, frame
                    assert "▲" not in frame


# Writing -----------------------------------------------------------------------------------------


@contextmanager
def disk_without_room(patch: pytest.MonkeyPatch) -> Iterator[None]:
    connect = transaction._connect

    def connect_without_room(database: Database) -> sqlite3.Connection:
        connection = connect(database)
        (pages,) = connection.execute("pragma page_count").fetchone()
        connection.execute(f"pragma max_page_count = {pages}")
        return connection

    with patch.context() as full:
        full.setattr(transaction, "_connect", connect_without_room)
        yield


@contextmanager
def lock_held(path: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    impatient = Patience(limit_s=0.05)
    write = transaction.write

    def write_impatiently(
        database: Database, change: Callable[[sqlite3.Connection], object], _: object = None
    ) -> object:
        return write(database, change, impatient)

    with patch.context() as hurried, closing(sqlite3.connect(path)) as connection:
        hurried.setattr(writing, "write", write_impatiently)
        connection.execute("begin exclusive")
        yield


async def fill_form(pilot: Pilot[None], rationale: str) -> None:
    """Open the form on the first span and fill it."""
    await pilot.press("3", "enter")
    await settled(pilot)
    await pilot.press("a", *"tone", "tab", "tab")
    await settled(pilot)
    pilot.app.screen.query_one("#rationale", TextArea).text = rationale


async def test_a_lock_that_goes_lets_the_annotation_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = annotatable(tmp_path)
    with closing(open_store(tmp_path)) as store:
        async with opened(store, RUN) as pilot:
            with lock_held(path, monkeypatch):
                await fill_form(pilot, "kept")
                await pilot.press("ctrl+s")
                await until(lambda: "was busy for" in screen_text(pilot), "why it was not written")
                assert "kept" in screen_text(pilot)
            await pilot.press("ctrl+s")
            await until(lambda: bool(stored(store)), "the annotation")
            assert [one.rationale for one in stored(store)] == ["kept"]


async def test_a_full_disk_keeps_what_was_typed_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotatable(tmp_path)
    # More than is left in the pages that are there.
    rationale = 2_000 * "more than fits"
    with closing(open_store(tmp_path)) as store:
        async with opened(store, RUN) as pilot:
            with disk_without_room(monkeypatch):
                await fill_form(pilot, rationale)
                await pilot.press("ctrl+s")
                await until(lambda: "no room left" in screen_text(pilot), "why")
                assert stored(store) == []
            await pilot.press("ctrl+s")
            await until(lambda: bool(stored(store)), "the annotation")
            assert [one.rationale for one in stored(store)] == [rationale]


def stored(store: Store) -> list[Annotation]:
    return list(store.run(RUN).ask(annotation_rows.of_target, SPAN))


def test_a_log_that_was_only_begun_by_a_writer_that_was_killed_is_read_at_once(
    tmp_path: Path,
) -> None:
    path = annotatable(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("create table t (x)")
        header = path.with_name("exp.db-wal").read_bytes()[:32]
    path.with_name("exp.db-wal").write_bytes(header)
    path.with_name("exp.db-shm").write_bytes(bytes(32_768))
    with closing(open_store(tmp_path)) as store:
        before = time.monotonic()
        assert store.ask(run_rows.run, RUN) is not None
        assert stored(store) == []
        # SQLite would try for ten seconds, and then fail.
        assert time.monotonic() - before < 5


ANNOTATE = """
import sys
from pathlib import Path
from flowtui.store.annotations.values import AnnotationKind, Draft
from flowtui.store.annotations.writing import add
from flowtui.store.store import Store
from flowtui.store.values import StoreLocation
from tests.unit.annotated import RUN, SPAN
store = Store(StoreLocation(Path(sys.argv[1]), "a test"))
print("ready", flush=True)
number = int(sys.argv[2])
while True:
    draft = Draft(f"n{number}", AnnotationKind.EXPECTATION, f"{number} " * 500, "why " * 500, "ana")
    add(store.run(RUN).database, SPAN, draft)
    print(number, flush=True)
    number += 1
"""


def test_a_kill_while_it_annotates_leaves_each_annotation_whole_or_not_there(
    tmp_path: Path,
) -> None:
    path = annotatable(tmp_path)
    rng = random.Random(5)
    number = 0
    for _ in range(8):
        done = killed_at_random(tmp_path, number, rng)
        with closing(open_store(tmp_path)) as store:
            found = stored(store)
        # All that it said was written is there, and at most the one that it was about to say.
        names = [one.name for one in found]
        assert names[: done + 1] == [f"n{index}" for index in range(done + 1)]
        assert len(names) <= done + 2
        for one in found:
            assert one.value == f"{one.name[1:]} " * 500
            assert one.rationale == "why " * 500
        assert is_sound(path)
        number = len(names)


def killed_at_random(directory: Path, number: int, rng: random.Random) -> int:
    """Kill a process that annotates from `number` on; return the last that it said it wrote."""
    command = [sys.executable, "-c", ANNOTATE, str(directory), str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        said = [child.stdout.readline() for _ in range(rng.randrange(1, 8))]
        # Somewhere within the next write, which takes a few milliseconds.
        with suppress(subprocess.TimeoutExpired):
            child.wait(rng.random() / 100)
        child.send_signal(signal.SIGKILL)
        said += child.stdout.readlines()
        return int(said[-1])
