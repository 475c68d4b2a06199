"""The run that is open, as others change it: its name, its process, its end."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input

from flowtui import format as fmt
from flowtui.store.liveness import holders, signs
from tests.conftest import open_store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until
from tests.unit.stores import NOW, execute, held, killed, one_run

LATER = timedelta(days=3)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """exp.db of an active run that logged its last point after ten minutes, three days ago."""
    path = one_run(tmp_path / "store", {"lr": 0.1}, {"loss": {1: 0.5}})
    execute(path, "update dynamic_metrics set logged_at = datetime(logged_at, '+10 minutes')")
    monkeypatch.setattr("flowtui.clock.now", lambda: NOW + LATER)
    return path


def make_old(database: Path) -> None:
    ns = int((NOW + timedelta(minutes=10)).timestamp() * 1e9)
    for file in database.parent.glob("exp.db*"):
        os.utime(file, ns=(ns, ns))


def rename(directory: Path, name: str) -> None:
    with closing(sqlite3.connect(directory / "meta.db")) as connection, connection:
        connection.execute("update experiments set name = ? where id = 'run-1'", (name,))


def fields(pilot: Pilot[None]) -> list[str]:
    return [field.value for field in pilot.app.screen.query(Input)]


def top(pilot: Pilot[None]) -> str:
    return screen_lines(pilot)[0]


async def test_a_killed_run_says_that_it_stopped_and_counts_no_further(database: Path) -> None:
    killed(database)
    make_old(database)
    async with opened(open_store(database.parents[1]), "run-1") as pilot:
        await until(lambda: "▲ stopped without an end  ~10 m" in top(pilot), "the frame")
        assert "live" not in top(pilot)
        card = screen_text(pilot).split("─\n", 1)[1]
        assert "▲ stopped without an end" in card
        assert "~10 m" in card
        await pilot.press("escape")
        await until(lambda: "▲ stopped" in screen_text(pilot), "the list")
        (row,) = [line for line in screen_lines(pilot) if "▲ stopped" in line]
        assert "~10 m" in row


async def test_a_run_that_is_killed_while_one_looks_is_quiet_first(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signs, "ASK_EVERY_S", 0.0)
    with held(database):
        make_old(database)
        async with opened(open_store(database.parents[1]), None) as pilot:
            await until(lambda: "○ quiet" in screen_text(pilot), "the list")
            await pilot.press("enter")
            await until(lambda: "● active, quiet 2 d 23 h  3 d" in top(pilot), "the frame")
            assert "live" not in top(pilot)
            killed(database)
            make_old(database)
            assert "stopped" not in screen_text(pilot)
    # (The process that held it has gone; one that looks from now on finds that out.)
    async with opened(open_store(database.parents[1]), "run-1") as pilot:
        await until(lambda: "▲ stopped without an end" in top(pilot), "the frame")


async def test_a_run_that_logs_again_is_active(database: Path) -> None:
    make_old(database)
    async with opened(open_store(database.parents[1]), "run-1") as pilot:
        await until(lambda: "▲ stopped without an end" in top(pilot), "the frame")
        stamp = (NOW + LATER).strftime("%Y-%m-%d %H:%M:%S")
        execute(database, f"insert into dynamic_metrics values ('loss', 0.4, 2, '{stamp}')")
        # The file's stamp, unlike the points, is by the real clock: that of another machine here.
        await until(lambda: "● active  ~3 d" in top(pilot), "the frame")


@pytest.mark.parametrize("keys", [("enter", "x"), ("U",)])
async def test_a_run_that_is_renamed_elsewhere_has_its_new_name_everywhere(
    database: Path, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    monkeypatch.setenv("LUML_API_KEY", "a-key")
    monkeypatch.setenv("LUML_BASE_URL", "http://127.0.0.1:9")
    async with opened(open_store(database.parents[1]), "run-1", tab="metrics") as pilot:
        for key in keys[:-1]:
            await pilot.press(key)
            await settled(pilot)
        rename(database.parents[1], "resnet")
        await until(lambda: "resnet" in top(pilot), "the frame")
        await pilot.press(keys[-1])
        await until(lambda: isinstance(pilot.app.screen, ModalScreen), "the dialog")
        await until(lambda: any("resnet" in text for text in fields(pilot)), "the name")
        assert not any("run-1" in Path(text).name for text in fields(pilot))


async def test_what_nobody_touched_in_an_open_dialog_takes_the_new_name(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUML_API_KEY", "a-key")
    monkeypatch.setenv("LUML_BASE_URL", "http://127.0.0.1:9")
    async with opened(open_store(database.parents[1]), "run-1") as pilot:
        await pilot.press("U")
        await until(lambda: isinstance(pilot.app.screen, ModalScreen), "the dialog")
        await settled(pilot)
        pilot.app.screen.query_one("#upload-description", Input).value = "typed"
        rename(database.parents[1], "resnet")
        await pilot.press("ctrl+r")
        name = pilot.app.screen.query_one("#upload-name", Input)
        await until(lambda: name.value == "resnet", "the name")
        assert pilot.app.screen.query_one("#upload-description", Input).value == "typed"
        assert "Upload resnet" in screen_text(pilot)


async def test_of_a_run_that_another_clock_stamps_one_is_told_what_is_known(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holders, "is_local", lambda path: False)
    stamped_at = datetime.fromtimestamp(database.stat().st_mtime, UTC)
    async with opened(open_store(database.parents[1]), "run-1") as pilot:
        await until(lambda: "○ no change seen yet" in top(pilot), "the frame")
        assert f"· its files say {fmt.when(stamped_at)}, by another clock" in top(pilot)
        assert "live" not in top(pilot)
        assert " ago" not in top(pilot)
        execute(database, "insert into dynamic_metrics values ('loss', 0.4, 2, '2020-01-01')")
        await until(lambda: "● live now" in top(pilot), "the change")
