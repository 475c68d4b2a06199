"""Opening attachments outside, saving them, and the same for models."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from flowtui.app.app import FlowApp
from flowtui.reports import saving
from flowtui.screens.dialogs.choose import ChooseScreen
from flowtui.screens.dialogs.save_files import SaveScreen
from flowtui.terminal import opener
from tests.conftest import open_store
from tests.pilot.attached import attached, folder, shown
from tests.pilot.pilot import opened, screen_text, settled, until

TAB = "attachments"


@pytest.fixture(autouse=True)
def _own_copies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    monkeypatch.setattr(opener, "_copies", opener.Copies())


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that one is in."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What went to the clipboard."""
    texts: list[str] = []
    monkeypatch.setattr(FlowApp, "copy", lambda _app, text: texts.append(text))
    return texts


def program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def over_ssh(pilot: Pilot[None]) -> None:
    app = pilot.app
    assert isinstance(app, FlowApp)
    app.session = app.session._replace(is_ssh=True, has_display=False)


async def ways(pilot: Pilot[None]) -> None:
    over_ssh(pilot)
    await pilot.press("o")
    await until(lambda: isinstance(pilot.app.screen, ChooseScreen), "the ways")
    await pilot.pause()


async def typed(pilot: Pilot[None], path: str) -> None:
    await until(lambda: isinstance(pilot.app.screen, SaveScreen), "the question")
    await settled(pilot)
    pilot.app.screen.query_one(Input).value = path
    await pilot.pause()


# Opening ---------------------------------------------------------------------------------------


async def test_the_viewer_gets_a_private_copy_and_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "calls"
    fake = program(tmp_path, "viewer", f'tty >> {calls}; echo "$1" >> {calls}')
    monkeypatch.setenv("FLOW_TUI_OPENER", str(fake))
    store = attached(tmp_path / "s", {"plots/a b.txt": b"hello"})
    async with opened(store, "run", tab=TAB) as pilot:
        await pilot.press("down", "o")
        await until(lambda: calls.exists() and calls.read_text().count("\n") == 2, "the call")
        tty, path = calls.read_text().splitlines()
        copy = Path(path)
        assert tty == "not a tty"
        assert copy.read_bytes() == b"hello"
        assert copy != folder(tmp_path / "s") / "plots/a b.txt"
        assert stat.S_IMODE(copy.stat().st_mode) == 0o400
        assert stat.S_IMODE(copy.parent.parent.stat().st_mode) == 0o700
        await shown(pilot, "Opened")
    opener.copies().remove()
    assert not copy.exists()


async def test_a_viewer_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOW_TUI_OPENER", str(program(tmp_path, "viewer", "exit 3")))
    store = attached(tmp_path / "s", {"a.txt": b"x"})
    async with opened(store, "run", tab=TAB) as pilot:
        await pilot.press("o")
        await shown(pilot, "ended with exit code 3")
        monkeypatch.setenv("FLOW_TUI_OPENER", "no-such-program")
        await pilot.press("o")
        await shown(pilot, "'no-such-program' is not installed")


async def test_over_ssh_it_offers_what_can_work(
    tmp_path: Path, copied: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.9 50000 10.0.0.5 2222")
    monkeypatch.setattr("getpass.getuser", lambda: "ana")
    store = attached(tmp_path / "s", {"it's.txt": b"x"})
    async with opened(store, "run", tab=TAB) as pilot:
        await ways(pilot)
        text = screen_text(pilot)
        assert "This is SSH without a display" in text
        assert "full resolution" not in text
        assert "Reverse" not in text
        await pilot.press("down", "down", "down", "enter")
        await until(lambda: bool(copied), "the command")
    assert copied[0].startswith("scp -P 2222 'ana@10.0.0.5:/")
    assert "it\\'" in copied[0].replace("'\"'\"'", "'")


async def test_over_ssh_a_text_goes_to_the_pager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paged: list[str] = []
    monkeypatch.setattr(FlowApp, "page", lambda _app, text: paged.append(text))
    store = attached(tmp_path, {"a.txt": b"one\n\x1b[2Jtwo\n", "b.bin": bytes(range(200, 255))})
    async with opened(store, "run", tab=TAB) as pilot:
        await ways(pilot)
        await pilot.press("enter")
        await until(lambda: bool(paged), "the text")
        assert paged == ["one\ntwo\n"]
        await pilot.press("down")
        await ways(pilot)
        await pilot.press("enter")
        await shown(pilot, "this is not a text file")


async def test_over_ssh_the_editor_gets_a_copy_to_view(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []
    program(tmp_path, "vim", "exit 0")
    monkeypatch.setenv("EDITOR", str(tmp_path / "vim"))
    monkeypatch.setattr(opener, "edit", lambda words, path: calls.append([*words, path.name]))
    monkeypatch.setattr(FlowApp, "suspend", _suspended)
    store = attached(tmp_path / "s", {"a.txt": b"one"})
    async with opened(store, "run", tab=TAB) as pilot:
        await ways(pilot)
        await pilot.press("down", "enter")
        await until(lambda: bool(calls), "the editor")
    assert calls == [[str(tmp_path / "vim"), "-R", "a.txt"]]


@pytest.mark.parametrize("keys", [["enter"], ["down", "enter"]], ids=["pager", "editor"])
async def test_a_terminal_that_cannot_be_lent_is_told_of_in_our_words(
    keys: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("PAGER", "EDITOR"):
        monkeypatch.setenv(variable, str(program(tmp_path, "vim", "exit 0")))
    store = attached(tmp_path / "s", {"a.txt": b"one"})
    async with opened(store, "run", tab=TAB) as pilot:
        await ways(pilot)
        await pilot.press(*keys)
        await shown(pilot, "This terminal cannot be lent")


def _suspended(_app: FlowApp) -> object:
    from contextlib import nullcontext

    return nullcontext()


async def test_over_ssh_a_terminal_with_pictures_shows_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.pilot.test_attachments import png

    written: list[bytes] = []
    monkeypatch.setenv("KITTY_WINDOW_ID", "1")
    monkeypatch.setattr("flowtui.screens.attachments.jobs._show_picture", written.append)
    monkeypatch.setattr(FlowApp, "suspend", _suspended)
    store = attached(tmp_path, {"a.png": png(30, 20)})
    async with opened(store, "run", tab=TAB) as pilot:
        await shown(pilot, "PNG · ")
        await ways(pilot)
        await pilot.press("down", "down", "down", "down")
        assert "by kitty" in screen_text(pilot)
        await pilot.press("enter")
        await until(lambda: bool(written), "the picture")
    assert written[0].startswith(b"\x1b_Gf=100,a=T")


# Saving ----------------------------------------------------------------------------------------


async def test_a_file_is_saved_and_its_path_copied(
    tmp_path: Path, target: Path, copied: list[str]
) -> None:
    store = attached(tmp_path / "s", {"plots/a.txt": b"hello"})
    async with opened(store, "run", tab=TAB) as pilot:
        await pilot.press("down", "w")
        await until(lambda: isinstance(pilot.app.screen, SaveScreen), "the question")
        await settled(pilot)
        await pilot.press("enter")
        await until((target / "a.txt").exists, "the file")
        await shown(pilot, "y copies the path")
        await settled(pilot)
        await pilot.press("y")
        assert copied == [str(target / "a.txt")]
    assert (target / "a.txt").read_bytes() == b"hello"
    assert [path.name for path in target.iterdir()] == ["a.txt"]


async def test_nothing_is_overwritten_unasked(tmp_path: Path, target: Path) -> None:
    (target / "a.txt").write_text("mine")
    store = attached(tmp_path / "s", {"a.txt": b"theirs"})
    async with opened(store, "run", tab=TAB) as pilot:
        await pilot.press("w")
        await typed(pilot, str(target / "a.txt"))
        await pilot.press("enter")
        await shown(pilot, "a.txt exists; Enter again overwrites it")
        assert (target / "a.txt").read_text() == "mine"
        await pilot.press("enter")
        await until(lambda: (target / "a.txt").read_text() == "theirs", "the file")
        await settled(pilot)


async def test_a_folder_that_is_not_there_is_made_on_the_second_enter(
    tmp_path: Path, target: Path
) -> None:
    store = attached(tmp_path / "s", {"a.txt": b"x"})
    async with opened(store, "run", tab=TAB) as pilot:
        await pilot.press("w")
        await typed(pilot, "new/deep/b.txt")
        await pilot.press("enter")
        await shown(pilot, "Enter again makes it")
        assert not (target / "new").exists()
        await pilot.press("enter")
        await until((target / "new/deep/b.txt").exists, "the file")
        await settled(pilot)


async def test_tab_completes_a_path_and_lists_what_it_may_be(tmp_path: Path, target: Path) -> None:
    (target / "models").mkdir()
    (target / "metrics").mkdir()
    store = attached(tmp_path / "s", {"a.txt": b"x"})
    async with opened(store, "run", tab=TAB) as pilot:
        await pilot.press("w")
        await typed(pilot, "m")
        await pilot.press("tab")
        await shown(pilot, "metrics/  models/")
        await pilot.press("o", "tab")
        assert pilot.app.screen.query_one(Input).value == "models/"
        await pilot.press("enter")
        await until((target / "models/a.txt").exists, "the file")
        await settled(pilot)


async def test_a_disk_without_room_is_told_before(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=1)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage)
    store = attached(tmp_path / "s", {"a.txt": b"xy"})
    async with opened(store, "run", tab=TAB) as pilot:
        await pilot.press("w")
        await typed(pilot, "b.txt")
        await pilot.press("enter")
        await shown(pilot, "it takes 2 B, and only 1 B are free there")
        assert not (target / "b.txt").exists()
        usage.free = 2
        await pilot.press("enter")
        await until((target / "b.txt").exists, "what there is room for now")


@pytest.mark.parametrize(("key", "name"), [("", "p"), ("down", "a.txt")])
async def test_a_disk_that_gets_full_is_told_and_keeps_nothing(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch, key: str, name: str
) -> None:
    pour = saving._pour

    def fill(read: BinaryIO, out: BinaryIO, *told: Any) -> None:
        pour(read, out, *told)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = attached(tmp_path / "s", {"p/a.txt": b"hello"})
    async with opened(store, "run", tab=TAB) as pilot:
        with monkeypatch.context() as full:
            full.setattr(saving, "_pour", fill)
            await pilot.press(*filter(None, [key]), "w")
            await until(lambda: isinstance(pilot.app.screen, SaveScreen), "the question")
            await settled(pilot)
            await pilot.press("enter")
            await shown(pilot, "the disk is full")
        assert list(target.iterdir()) == []
        await pilot.press("w")
        await until(lambda: isinstance(pilot.app.screen, SaveScreen), "the question")
        await settled(pilot)
        await pilot.press("enter")
        await until((target / name).exists, "what there is room for now")
        await settled(pilot)


async def test_a_whole_folder_is_saved_without_what_is_missing(
    tmp_path: Path, target: Path
) -> None:
    found = {"p/a.txt": b"1", "p/q/b.txt": b"2", "p/gone.txt": b"3", "other.txt": b"4"}
    store = attached(tmp_path / "s", found)
    (folder(tmp_path / "s") / "p/gone.txt").unlink()
    async with opened(store, "run", tab=TAB) as pilot:
        await pilot.press("w")
        await shown(pilot, "1 file cannot be read")
        await pilot.press("enter")
        await until((target / "p").exists, "the folder")
        await settled(pilot)
    saved = {str(p.relative_to(target)) for p in target.rglob("*") if p.is_file()}
    assert saved == {"p/a.txt", "p/q/b.txt"}


async def test_saving_can_be_cancelled_and_leaves_nothing(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    real = saving._pour

    def slow(read: object, out: object, told: object, cancelled: Callable[[], bool]) -> None:
        while not cancelled():
            go_on.wait(0.01)
        real(read, out, told, cancelled)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(saving, "_pour", slow)
    store = attached(tmp_path / "s", {"a.txt": b"x" * 10})
    async with opened(store, "run", tab=TAB) as pilot:
        await pilot.press("w")
        await typed(pilot, "b.txt")
        await pilot.press("enter")
        await until(lambda: "Saving b.txt  0 %" in screen_text(pilot), "the progress")
        await pilot.press("escape")
        await shown(pilot, "it was cancelled")
        assert "a.txt  text" in screen_text(pilot)
    assert os.listdir(target) == []


# Models ----------------------------------------------------------------------------------------


async def test_a_model_is_listed_opened_and_saved_from_the_overview(
    demo_copy: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "calls"
    monkeypatch.setenv("FLOW_TUI_OPENER", str(program(tmp_path, "v", f'echo "$1" > {calls}')))
    async with opened(open_store(demo_copy), "resnet50-cosine") as pilot:
        await pilot.press("tab", "tab", "enter")
        await shown(pilot, "weights.bin")
        assert "▾ Manifest" in screen_text(pilot)
        await pilot.press("escape", "o")
        await until(lambda: calls.exists() and "\n" in calls.read_text(), "the call")
        assert calls.read_text().strip().endswith("resnet50_v1.luml")
        await pilot.press("w")
        await until(lambda: isinstance(pilot.app.screen, SaveScreen), "the question")
        await settled(pilot)
        await pilot.press("enter")
        await until((target / "resnet50_v1.luml").exists, "the file")
        await settled(pilot)


async def test_a_model_whose_path_leads_out_is_refused(demo_copy: Path, target: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(demo_copy / "meta.db")) as meta, meta:
        meta.execute("update models set path = '/etc/passwd'")
    async with opened(open_store(demo_copy), "resnet50-cosine") as pilot:
        await pilot.press("tab", "tab", "enter")
        await shown(pilot, "this path is not a file in the store")
        await pilot.press("escape", "w")
        await shown(pilot, "Not saved")
    assert os.listdir(target) == []
