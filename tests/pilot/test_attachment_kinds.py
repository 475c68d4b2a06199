"""Kinds of attachments as a person sees them: archives that open, documents, trees, tables."""

from __future__ import annotations

import io
from pathlib import Path

import numpy

from flowtui.previews.values import Request
from flowtui.screens.attachments.reading import FileSource
from flowtui.screens.attachments.whole import whole_text
from flowtui.widgets.documents.document import Document
from tests.pilot.attached import attached, files, preview, shown
from tests.pilot.pilot import opened, screen_text, until
from tests.unit.previews.test_previews_archives import FILES, tarred, zipped
from tests.unit.previews.test_previews_documents import pdf, word
from tests.unit.previews.test_previews_pages import notebook
from tests.unit.previews.test_previews_workbooks import workbook

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
        await pilot.press("slash", *"a.csv")
        await shown(pilot, "1 found")
        await pilot.press("enter", "enter")
        await shown(pilot, "a.zip › a.csv")
        assert "found" not in screen_text(pilot)
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


async def test_a_text_is_found_in_all_of_a_large_file(tmp_path: Path) -> None:
    lines = [f"line {n}" + (" with the Needle" if n % 7_000 == 5 else "") for n in range(30_000)]
    store = attached(tmp_path, {"a.txt": "\n".join(lines).encode()})
    async with opened(store, "run", tab=TAB, size=(120, 40)) as pilot:
        await shown(pilot, "line 1")
        await pilot.press("enter")
        await pilot.press("slash", *"needle")
        await shown(pilot, "5 found")
        await pilot.press("enter")
        await shown(pilot, "1 of 5")
        assert preview(pilot).current.cursor == 5
        await pilot.press("n")
        await shown(pilot, "line 7005 with the Needle")
        await shown(pilot, "2 of 5")
        await shown(pilot, "lines 7,0")
        text = preview(pilot).current
        assert "Needle" in "".join(piece.text for piece in text.line(text.cursor, 80))
        roles = {piece.text: piece.role for piece in text.line(text.cursor, 80)}
        assert roles["Needle"] == "accent"
        await pilot.press("N", "N")
        await shown(pilot, "5 of 5")
        await shown(pilot, "line 28005")
        await pilot.press("slash")
        await pilot.press("escape")
        await until(lambda: "first 1,000 lines" in screen_text(pilot), "the beginning again")


async def test_a_text_is_found_on_all_pages_of_a_pdf_and_in_a_document(tmp_path: Path) -> None:
    store = attached(
        tmp_path / "s",
        {
            "a.pdf": pdf(tmp_path / "made.pdf", 12).read_bytes(),
            "b.html": b"<h1>One</h1><p>needle here<h1>Two</h1><p>and a Needle there",
        },
    )
    async with opened(store, "run", tab=TAB, size=(120, 40)) as pilot:
        await shown(pilot, "page 1 of 12")
        await pilot.press("enter", "slash", *"page 1")
        await shown(pilot, "4 found")
        await pilot.press("enter", "n")
        await shown(pilot, "page 10 of 12")
        await pilot.press("escape", "down")
        await shown(pilot, "needle here")
        await pilot.press("enter", "slash", *"needle")
        await shown(pilot, "2 found")
        await pilot.press("enter", "n")
        await shown(pilot, "2 of 2")


async def test_a_text_that_is_found_on_and_on_ends_when_it_is_left(tmp_path: Path) -> None:
    store = attached(
        tmp_path, {"a.txt": (b"other line\n" * 999 + b"needle\n") * 4_000, "b.txt": b"other\n"}
    )
    async with opened(store, "run", tab=TAB, size=(120, 40)) as pilot:
        await shown(pilot, "first 1,000 lines")
        await pilot.press("enter", "slash", *"needle")
        await until(lambda: "so far" in screen_text(pilot), "how many are known")
        await pilot.press("down", "escape", "down")
        await shown(pilot, "other")
        workers = [one for one in pilot.app.workers if one.group == "find" and one.is_running]
        await until(lambda: not any(one.is_running for one in workers), "the end of the search")


async def test_the_pager_takes_what_a_preview_shows(tmp_path: Path) -> None:
    def text_of(name: str) -> str | None:
        return whole_text(FileSource(name, name, lambda: tmp_path / name), Request())

    word(tmp_path / "a.docx")
    assert "Results\n───────\n\nAll is well." in (text_of("a.docx") or "")
    pdf(tmp_path / "a.pdf", 3)
    assert [line for line in (text_of("a.pdf") or "").splitlines() if line] == [
        "page 1", "page 2", "page 3",
    ]  # fmt: skip
    notebook(tmp_path / "a.ipynb")
    shown_text = text_of("a.ipynb") or ""
    assert "def f(x):\n    return x" in shown_text
    assert "ZeroDivisionError" in shown_text
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))
    assert text_of("a.bin") is None


async def test_what_has_no_lines_is_not_searched_and_says_so(tmp_path: Path) -> None:
    store = attached(tmp_path, {"a.csv": b"x,y\n1,2\n", "b.bin": bytes(range(256))})
    async with opened(store, "run", tab=TAB, size=(120, 40)) as pilot:
        await shown(pilot, "CSV")
        await pilot.press("H")
        await shown(pilot, "78 2c 79")
        await pilot.press("enter", "slash", "1")
        await shown(pilot, "found in text only")
        await pilot.press("escape", "H")
        await shown(pilot, "1 row")
        await pilot.press("p")
        await shown(pilot, "1,2")
        await pilot.press("slash", "1")
        await shown(pilot, "1 found")


async def test_leaving_the_tab_stops_what_a_preview_reads(tmp_path: Path) -> None:
    large = (b"other line\n" * 999 + b"needle\n") * 6_000
    store = attached(tmp_path, {"a.txt": large})
    async with opened(store, "run", tab=TAB, size=(120, 40)) as pilot:
        await shown(pilot, "first 1,000 lines")
        await pilot.press("enter", "slash", *"needle")
        await until(lambda: "so far" in screen_text(pilot), "how many are known")
        await pilot.press("down", "1")
        await until(
            lambda: not any(one.group == "find" and one.is_running for one in pilot.app.workers),
            "the end of the search",
        )


async def test_statistics_of_arrays_come_and_go_on_a_key(tmp_path: Path) -> None:
    out = io.BytesIO()
    numpy.savez(out, weight=numpy.array([1.0, 2.0, numpy.nan]))
    store = attached(tmp_path, {"a.npz": out.getvalue()})
    async with opened(store, "run", tab=TAB, size=(120, 40)) as pilot:
        await shown(pilot, "S statistics")
        await pilot.press("S")
        await shown(pilot, "mean")
        assert "1.5" in screen_text(pilot)
        await pilot.press("S")
        await until(lambda: "mean" not in screen_text(pilot), "the table without them")


async def test_sheets_of_a_workbook_are_turned(tmp_path: Path) -> None:
    data = workbook(tmp_path / "made.xlsx").read_bytes()
    store = attached(tmp_path / "s", {"a.xlsx": data})
    async with opened(store, "run", tab=TAB, size=(140, 40)) as pilot:
        await shown(pilot, "sheet 1 of 3 · runs")
        assert "run 2" in screen_text(pilot)
        await pilot.press("right_square_bracket")
        await shown(pilot, "sheet 2 of 3 · Numbers & more")
        await shown(pilot, "2026-02-03 04:05")
        await pilot.press("left_square_bracket", "left_square_bracket")
        await shown(pilot, "sheet 1 of 3 · runs")
