"""The pictures of a folder, side by side."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest
from PIL import Image
from textual.pilot import Pilot

from flowtui.previews.values import Request
from flowtui.screens.attachments import folder as folders
from flowtui.screens.attachments.reading import FileSource
from flowtui.widgets.documents.picture import PicturePane
from flowtui.widgets.documents.picture_grid import PictureGrid
from tests.pilot.attached import attached, files, preview, shown
from tests.pilot.pilot import opened, screen_text, settled, until

TAB = "attachments"


def png(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (48, 36), (shade, 40, 200)).save(out, "PNG")
    return out.getvalue()


def grid(pilot: Pilot[None]) -> PictureGrid:
    return pilot.app.screen.query_one(PictureGrid)


async def on_folder(pilot: Pilot[None], path: str = "plots") -> None:
    assert files(pilot).go_to_folder(path)
    await until(lambda: preview(pilot).folder == path, "the pictures")
    await settled(pilot)


async def test_pictures_of_a_folder_are_gone_through_and_opened(tmp_path: Path) -> None:
    pictures = {f"plots/p{n}.png": png(20 * n) for n in range(5)}
    others = {"plots/a.txt": b"text", "plots/deep/x.png": png(9), "b.txt": b"text"}
    async with opened(attached(tmp_path, pictures | others), "run", tab=TAB) as pilot:
        await on_folder(pilot)
        await shown(pilot, "5 pictures, Enter shows one · 7 files")
        assert all(f"p{n}.png" in screen_text(pilot) for n in range(5))
        assert screen_text(pilot).count("▀") > 400
        await pilot.press("tab", "right", "down", "left")
        picture = grid(pilot).picture
        assert picture is not None
        assert picture.name == "p2.png"
        await pilot.press("enter")
        await shown(pilot, "p2.png  PNG · 48 × 36")
        assert isinstance(pilot.app.focused, PicturePane)
        assert files(pilot).attachment is not None
        # Esc leads back to the picture among the others, and then to the files.
        await pilot.press("escape")
        await until(lambda: preview(pilot).folder == "plots" and grid(pilot).has_focus, "the grid")
        assert grid(pilot).picture == picture
        await pilot.press("escape")
        await until(lambda: files(pilot).has_focus, "the files")
        assert preview(pilot).folder == "plots"
        files(pilot).go_to("b.txt")
        await until(lambda: preview(pilot).source is not None, "the text")
        assert preview(pilot).folder is None


async def test_a_folder_without_pictures_says_what_it_has(tmp_path: Path) -> None:
    async with opened(attached(tmp_path, {"logs/a.txt": b"a"}), "run", tab=TAB) as pilot:
        files(pilot).go_to_folder("logs")
        await shown(pilot, "1 file, 1 B, last changed")
        assert preview(pilot).folder is None


async def test_only_pictures_in_sight_are_read_and_none_once_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = attached(
        tmp_path,
        {f"plots/{n:03}.png": png(n) for n in range(200)} | {"about/a.txt": b"a", "z.txt": b"z"},
    )
    read: list[str] = []
    may_go_on = threading.Event()

    def reading(source: FileSource, request: Request) -> str:
        read.append(source.name)
        may_go_on.wait(20)
        return "seen"

    monkeypatch.setattr(folders, "small_picture", reading)
    async with opened(made, "run", tab=TAB) as pilot:
        files(pilot).go_to_folder("plots")
        await until(lambda: bool(read), "the first picture")
        assert read == ["plots/000.png"]
        # The cursor moves on while it is read: those after it are not.
        files(pilot).go_to("z.txt")
        await until(lambda: preview(pilot).source is not None, "the text")
        may_go_on.set()
        await settled(pilot)
        assert read == ["plots/000.png"]
        await on_folder(pilot)
        in_sight = set(read)
        assert 4 <= len(in_sight) < 30
        await pilot.press("tab", "G")
        await settled(pilot)
        assert "plots/199.png" in read
        assert len(set(read)) < 60


async def test_what_cannot_be_drawn_says_so_in_its_place(tmp_path: Path) -> None:
    broken = {"plots/a.png": png(90), "plots/b.png": b"no picture at all", "plots/c.png": b""}
    async with opened(attached(tmp_path, broken), "run", tab=TAB) as pilot:
        await on_folder(pilot)
        await shown(pilot, "3 pictures")
        await until(lambda: screen_text(pilot).count("no picture") >= 2, "what they are")


async def test_a_picture_that_changes_is_drawn_anew(tmp_path: Path) -> None:
    store = attached(tmp_path, {"plots/a.png": png(90), "plots/b.png": png(10)})
    async with opened(store, "run", tab=TAB) as pilot:
        await on_folder(pilot)
        before = grid(pilot)._held["plots/a.png"]
        path = tmp_path / "run" / "attachments" / "plots" / "a.png"
        path.write_bytes(png(250) + b"longer")
        await pilot.press("r")
        await until(lambda: grid(pilot)._held.get("plots/a.png", before) != before, "the change")


@pytest.mark.parametrize("size", [(80, 24), (60, 12), (200, 60)])
async def test_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    store = attached(tmp_path, {f"plots/{n}.png": png(n) for n in range(30)})
    async with opened(store, "run", size=size, tab=TAB) as pilot:
        await on_folder(pilot)
        await pilot.press("tab", "G", "up", "pagedown", "g", "pagedown", "end")
        await settled(pilot)
        assert "▸ 29.png" in screen_text(pilot)
