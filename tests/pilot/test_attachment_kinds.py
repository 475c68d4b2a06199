"""Kinds of attachments as a person sees them: archives that open, documents, trees, tables."""

from __future__ import annotations

from pathlib import Path

from flowtui.widgets.documents.document import Document
from tests.pilot.attached import attached, files, preview, shown
from tests.pilot.pilot import opened, screen_text, until
from tests.unit.previews.test_previews_archives import FILES, tarred, zipped

TAB = "attachments"


async def test_members_of_an_archive_open_and_close_again(tmp_path: Path) -> None:
    store = attached(tmp_path, {"a.zip": zipped({**FILES, "in.tar": tarred(FILES)})})
    async with opened(store, "run", tab=TAB, size=(120, 40)) as pilot:
        await shown(pilot, "log.txt")
        await pilot.press("enter")
        document = preview(pilot).query_one(Document)
        await until(lambda: document.has_focus, "the focus in the preview")
        lines = screen_text(pilot)
        assert "▾ data/" in lines
        assert "a.csv" in lines
        await pilot.press("down", "enter")
        await shown(pilot, "a.zip › a.csv")
        assert "x" in screen_text(pilot)
        await pilot.press("escape")
        await shown(pilot, "in.tar")
        assert document.cursor == 1
        await pilot.press("G", "enter")
        await shown(pilot, "a.zip › in.tar")
        await pilot.press("G", "enter")
        await shown(pilot, "a.zip › in.tar › notes.txt")
        await shown(pilot, "hello")
        await pilot.press("escape", "escape")
        await shown(pilot, "4 members")
        await pilot.press("escape")
        await until(lambda: files(pilot).has_focus, "the focus among the files")


async def test_a_member_is_saved(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    there = tmp_path / "there"
    there.mkdir()
    monkeypatch.chdir(there)
    store = attached(tmp_path / "store", {"a.zip": zipped({"b/notes.txt": b"hello\n"})})
    async with opened(store, "run", tab=TAB, size=(120, 40)) as pilot:
        await shown(pilot, "notes.txt")
        await pilot.press("enter")
        await pilot.press("down", "enter")
        await shown(pilot, "a.zip › notes.txt")
        await pilot.press("w")
        await shown(pilot, "6 B")
        await pilot.press("enter")
        await until((there / "notes.txt").exists, "the file")
    assert (there / "notes.txt").read_bytes() == b"hello\n"


async def test_a_diff_is_coloured_and_a_config_is_a_tree(tmp_path: Path) -> None:
    diff = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n"
    config = b"model:\n  layers: [64, 32]\n  name: net\n"
    store = attached(tmp_path, {"a.patch": diff, "b.yaml": config, "c.yaml": b"a: [1\n"})
    async with opened(store, "run", tab=TAB, size=(120, 40)) as pilot:
        await shown(pilot, "+new")
        lines = preview(pilot).current
        roles = {
            piece.text: piece.role for n in range(lines.line_count) for piece in lines.line(n, 80)
        }
        assert (roles["-old"], roles["+new"]) == ("error", "ok"), roles
        await pilot.press("down")
        await shown(pilot, "▾ layers")
        await pilot.press("p")
        await shown(pilot, "layers: [64, 32]")
        await pilot.press("down")
        await shown(pilot, "The file is not YAML at line 2")
