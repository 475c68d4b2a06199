"""The Export modal: choosing a format, the path that follows it, and what is asked before."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from flowtui.screens.dialogs.export import Export, ExportFormat, ExportScreen
from flowtui.store.store import Store
from tests.pilot.pilot import opened, screen_text, settled

FORMATS = (
    ExportFormat("csv", "CSV, all points", "csv"),
    ExportFormat("json", "JSON, all points", "json"),
    ExportFormat("svg", "SVG picture", "svg"),
    ExportFormat("text", "Text picture", "txt"),
)


class Asked:
    """The modal over the app, and what it was answered with."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self.pilot = pilot
        self.answers: list[Export | None] = []

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await settled(self.pilot)

    @property
    def field(self) -> Input:
        return self.pilot.app.screen.query_one(Input)

    async def write(self, path: object) -> None:
        """Write a path in place of the one that stands there."""
        self.field.value = str(path)
        await settled(self.pilot)

    @property
    def shown(self) -> str:
        return screen_text(self.pilot)

    @property
    def is_open(self) -> bool:
        return isinstance(self.pilot.app.screen, ExportScreen)


@asynccontextmanager
async def asked(
    store: Store,
    folder: Path,
    formats: Sequence[ExportFormat] = FORMATS,
    size: tuple[int, int] = (100, 30),
) -> AsyncIterator[Asked]:
    async with opened(store, "resnet50-cosine", size=size) as pilot:
        modal = Asked(pilot)
        pilot.app.push_screen(ExportScreen(folder, "loss", formats), modal.answers.append)
        await settled(pilot)
        yield modal


async def test_enter_saves_in_the_first_format_beside_everything_else(
    demo: Store, tmp_path: Path
) -> None:
    async with asked(demo, tmp_path) as modal:
        assert "Export" in modal.shown
        assert all(one.title in modal.shown for one in FORMATS)
        assert modal.field.value == str(tmp_path / "loss.csv")
        await modal.press("enter")
        assert modal.answers == [Export("csv", tmp_path / "loss.csv")]
        assert not modal.is_open
    assert list(tmp_path.iterdir()) == [], "the caller writes"


async def test_the_suffix_follows_the_format(demo: Store, tmp_path: Path) -> None:
    async with asked(demo, tmp_path) as modal:
        await modal.press("down", "down")
        assert modal.field.value == str(tmp_path / "loss.svg")
        assert "● SVG picture" in modal.shown
        assert "○ CSV" in modal.shown
        await modal.press("down", "down", "up", "up", "enter")
        assert modal.answers == [Export("json", tmp_path / "loss.json")]


async def test_a_suffix_of_ones_own_stays_when_the_format_changes(
    demo: Store, tmp_path: Path
) -> None:
    async with asked(demo, tmp_path) as modal:
        await modal.press("end", "backspace", "backspace", "backspace", *"dat")
        await modal.press("down", "down", "up", "enter")
        assert modal.answers == [Export("json", tmp_path / "loss.dat")]


async def test_a_name_of_ones_own_keeps_the_suffix_that_follows(
    demo: Store, tmp_path: Path
) -> None:
    async with asked(demo, tmp_path) as modal:
        await modal.write(tmp_path / "mine.csv")
        await modal.press("down")
        assert modal.field.value == str(tmp_path / "mine.json")


async def test_escape_saves_nothing(demo: Store, tmp_path: Path) -> None:
    async with asked(demo, tmp_path) as modal:
        await modal.press("escape")
        assert modal.answers == [None]
        assert not modal.is_open


async def test_a_file_that_exists_takes_a_second_enter(demo: Store, tmp_path: Path) -> None:
    (tmp_path / "loss.csv").touch()
    async with asked(demo, tmp_path) as modal:
        await modal.press("enter")
        assert "exists; Enter again overwrites" in modal.shown
        assert modal.answers == []
        await modal.press("enter")
        assert modal.answers == [Export("csv", tmp_path / "loss.csv")]


async def test_the_second_enter_holds_for_that_path_alone(demo: Store, tmp_path: Path) -> None:
    for name in ("loss.csv", "loss.json"):
        (tmp_path / name).touch()
    async with asked(demo, tmp_path) as modal:
        await modal.press("enter", "down")
        assert "exists" not in modal.shown
        await modal.press("enter")
        assert modal.answers == []
        await modal.press("up", "enter")
        assert modal.answers == []
        assert "exists; Enter again overwrites" in modal.shown


async def test_a_link_to_nothing_exists_too(demo: Store, tmp_path: Path) -> None:
    (tmp_path / "loss.csv").symlink_to("nowhere")
    async with asked(demo, tmp_path) as modal:
        await modal.press("enter")
        assert "exists; Enter again overwrites" in modal.shown


async def test_what_cannot_be_saved_to_is_said(demo: Store, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    said = {
        "/nowhere/loss.csv": "no such folder: /nowhere",
        "  ": "give a path",
        str(tmp_path): "this is a folder: add a name",
        f"{tmp_path}/new/": "this is a folder: add a name",
        f"{tmp_path}/pipe": "this is not a file",
        f"{tmp_path}/a\0b": "no file can have this name",
        "~nobody-of-this-name/a.csv": "there is no user of this name",
        f"{tmp_path}/" + "a" * 300: "",
    }
    async with asked(demo, tmp_path) as modal:
        for path, words in said.items():
            await modal.write(path)
            await modal.press("enter")
            assert words in modal.shown
            if words:
                assert modal.is_open, path
                await modal.write("")
                assert words not in modal.shown


async def test_a_path_may_begin_at_home_or_here(
    demo: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for typed, path in (("~/a.csv", Path.home() / "a.csv"), (" b.csv ", tmp_path / "b.csv")):
        async with asked(demo, tmp_path) as modal:
            await modal.write(typed)
            await modal.press("enter")
            assert modal.answers == [Export("csv", path)]


async def test_a_folder_that_cannot_be_shown_gives_way_to_home(demo: Store, tmp_path: Path) -> None:
    async with asked(demo, tmp_path / "\udcff\x1b[2J") as modal:
        assert modal.field.value == "~/loss.csv"


async def test_all_of_it_is_seen_on_a_small_terminal(demo: Store, tmp_path: Path) -> None:
    (tmp_path / "loss.csv").touch()
    async with asked(demo, tmp_path, size=(60, 16)) as modal:
        await modal.press("enter")
        keys = ("Enter Save", "↑↓ Format", "Esc Cancel")
        for words in (*(one.title for one in FORMATS), "exists; Enter", *keys):
            assert words in modal.shown
