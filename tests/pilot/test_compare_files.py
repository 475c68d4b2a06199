"""The Attachments tab of a comparison, and two marked files of one run."""

from __future__ import annotations

import csv
import io
import json
import random
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.screens.compare.attachments_table import CompareRows
from flowtui.store.compare import files as compared_files
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.documents.picture import PicturePane
from flowtui.widgets.documents.text_lines import TextLines
from flowtui.widgets.trees.file_tree import FileTree
from tests.conftest import NOW, open_store
from tests.pilot.pilot import compared, opened, screen_lines, screen_text, settled, until

TAB = "attachments"
BIG = compared_files.SMALL_BYTES + 11
CODE = "".join(f"def step_{index}(x):\n    return x * {index}\n\n" for index in range(20))


def png(colour: tuple[int, int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 12), colour).save(out, "PNG")
    return out.getvalue()


def write_files(
    folder: Path, runs: Sequence[Mapping[str, bytes]], active: Sequence[int] = ()
) -> Store:
    with StoreWriter(folder, clock=lambda: NOW, durable=False) as writer:
        for index, files in enumerate(runs):
            writer.start_run(f"run{index}", f"run{index}")
            with writer.experiment(f"run{index}") as experiment:
                for name, data in files.items():
                    experiment.attachment(name, data)
            if index not in active:
                writer.end_run(f"run{index}", status="completed", duration=1.0)
    return open_store(folder)


@pytest.fixture
def three(tmp_path: Path) -> Store:
    same = random.Random(1).randbytes(BIG)
    return write_files(
        tmp_path,
        [
            {
                "train.py": CODE.encode(), "README.md": b"# same\n", "weights.bin": same,
                "config.json": json.dumps({"lr": 0.1, "sched": {"warmup": 5}}).encode(),
                "table.csv": b"id,value\n1,2\n3,4\n", "plot.png": png((200, 0, 0)),
            },
            {
                "train.py": CODE.replace("x * 7", "x * 8").encode(), "README.md": b"# same\n",
                "config.json": json.dumps({"lr": 0.2, "sched": {"warmup": 5}, "new": 1}).encode(),
                "table.csv": b"id,value\n1,2\n3,5\n", "plot.png": png((0, 0, 200)),
                "weights.bin": same, "logs/only.txt": b"hello\n",
            },
            {"train.py": CODE.encode(), "weights.bin": same[:-1] + b"\0"},
        ],
    )  # fmt: skip


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def rows(pilot: Pilot[None]) -> list[str]:
    lines = screen_lines(pilot)[5:-1]
    return [" ".join(line.split()) for line in lines if line.strip()]


async def at(pilot: Pilot[None], path: str, *keys: str) -> None:
    """Put the cursor on a path, and press keys."""
    table = pilot.app.screen.query_one(CompareRows)
    for _ in range(20):
        if table.file is not None and table.file.path == path:
            break
        await press(pilot, "down")
    assert table.file is not None
    assert table.file.path == path
    await press(pilot, *keys)


async def test_what_differs_is_listed_and_counted(three: Store) -> None:
    async with compared(three, "run0", "run1", tab=TAB) as pilot:
        assert "5 Attachments 5≠ 1?" in screen_text(pilot)
        title = "4 differ · 1 only in some · 1 not compared · 1 equal"
        assert title in screen_text(pilot)
        # How many bytes a picture takes depends on what writes it.
        assert [row for row in rows(pilot) if "plot.png" not in row] == [
            "≠ differs config.json 35 B ≠ 45 B",
            "only in B logs/only.txt – 6 B",
            "≠ differs table.csv 17 B ≠ 17 B",
            "≠ differs train.py 680 B ≠ 680 B",
            "? not compared weights.bin 1 MB ? 1 MB",
        ]
        await press(pilot, "v")
        assert "= equal README.md 7 B = 7 B" in rows(pilot)
        assert "all files" in screen_text(pilot)


async def test_contents_are_compared_when_asked(three: Store) -> None:
    async with compared(three, "run0", "run1", tab=TAB) as pilot:
        await at(pilot, "weights.bin", "equals_sign")
        assert not any("weights.bin" in row for row in rows(pilot))
        assert "2 equal" in screen_text(pilot)
        await press(pilot, "equals_sign")
        assert "known tell already" in screen_text(pilot)
    async with compared(three, "run0", "run1", "run2", tab=TAB) as pilot:
        assert any(row.startswith("? not compared weights.bin") for row in rows(pilot))
        await press(pilot, "a")
        assert "≠ differs weights.bin 1 MB = 1 MB ≠ 1 MB" in rows(pilot)


async def test_comparing_contents_can_be_ended(
    three: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from flowtui.store.compare.files import FileDigests

    reached, go_on = threading.Event(), threading.Event()
    read = FileDigests.read

    def slow(self: FileDigests, path: Path, told: object = None) -> str:
        if path.name == "weights.bin":
            reached.set()
            go_on.wait(20)
        return read(self, path, told)  # type: ignore[arg-type]

    monkeypatch.setattr(FileDigests, "read", slow)
    async with compared(three, "run0", "run1", tab=TAB) as pilot:
        await pilot.press("a")
        await until(reached.is_set, "the reading")
        await pilot.press("escape")
        go_on.set()
        said = "Ended before all contents were compared"
        await until(lambda: said in screen_text(pilot), "the end of the reading")
        assert any(row.startswith("? not compared weights.bin") for row in rows(pilot))
        await press(pilot, "a")
        assert not any("weights.bin" in row for row in rows(pilot))


async def test_texts_are_compared_line_by_line(three: Store) -> None:
    async with compared(three, "run0", "run1", tab=TAB) as pilot:
        await at(pilot, "train.py", "enter")
        text = screen_text(pilot)
        assert "≠ differ: both 680 B, sha256" in text
        assert "1 line only in A · 1 line only in B" in text
        assert "- A 23      return x * [-7-]" in text
        assert "+ B 23      return x * {+8+}" in text
        assert "… 19 equal lines" in text
        cursor = pilot.app.screen.query_one(TextLines).cursor
        await press(pilot, "G", "n")
        assert pilot.app.screen.query_one(TextLines).cursor == cursor
        await press(pilot, "G", "N")
        assert pilot.app.screen.query_one(TextLines).cursor == cursor
        await press(pilot, "escape")
        assert rows(pilot)[4].startswith("≠ differs train.py")


async def test_json_is_compared_by_paths_and_tables_by_rows(three: Store) -> None:
    async with compared(three, "run0", "run1", tab=TAB) as pilot:
        await at(pilot, "config.json", "enter")
        text = " ".join(screen_text(pilot).split())
        assert "2 paths differ, 1 equal" in text
        assert "≠ lr A 0.1 B 0.2" in text
        assert "+ new 1 only in B" in text
        await press(pilot, "escape")
        await at(pilot, "table.csv", "enter")
        assert "1 row only in A · 1 row only in B" in screen_text(pilot)
        assert "3 │ {+5+}" in screen_text(pilot)


async def test_pictures_stand_side_by_side(three: Store) -> None:
    async with compared(three, "run0", "run1", tab=TAB) as pilot:
        await at(pilot, "plot.png", "enter")
        panes = list(pilot.app.screen.query(PicturePane))
        assert [pane.line_count > 0 for pane in panes] == [True, True]
        assert screen_text(pilot).count("▀") > 100
        assert "16 × 12" in screen_text(pilot)


async def test_other_kinds_are_compared_by_size_and_content(three: Store) -> None:
    async with compared(three, "run0", "run1", tab=TAB) as pilot:
        await at(pilot, "weights.bin", "enter")
        assert "= equal: 1 MB, sha256" in screen_text(pilot)
        assert "cannot be shown side by side" in screen_text(pilot)
        await press(pilot, "escape")
        # It is known now, without being asked for again.
        assert "2 equal" in screen_text(pilot)


async def test_the_candidate_that_is_looked_at_is_compared(three: Store) -> None:
    async with compared(three, "run0", "run1", "run2", tab=TAB, size=(80, 24)) as pilot:
        assert "A run0" in screen_lines(pilot)[4]
        assert "B run1" in screen_lines(pilot)[4]
        await press(pilot, "right_square_bracket")
        assert "C run2" in screen_lines(pilot)[4]
        await at(pilot, "train.py", "enter")
        assert "= equal: 680 B" in screen_text(pilot)
        await press(pilot, "left_square_bracket")
        assert "{+8+}" in screen_text(pilot)


async def test_a_file_that_one_run_has_has_nothing_to_compare(three: Store) -> None:
    async with compared(three, "run0", "run1", tab=TAB) as pilot:
        await at(pilot, "logs/only.txt", "enter")
        assert "Only one run has a file there" in screen_text(pilot)


async def test_paths_are_filtered_and_copied(three: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(FlowApp, "copy", lambda _self, text: copied.append(text))
    async with compared(three, "run0", "run1", tab=TAB) as pilot:
        await press(pilot, "slash", *"*.py")
        assert "1 of 7" in screen_text(pilot)
        await press(pilot, "enter", "y", "Y")
        assert rows(pilot)[0] == "≠ differs train.py 680 B ≠ 680 B"
        assert len(rows(pilot)) == 2
    assert copied[0] == "train.py"
    assert json.loads(copied[1])["sameness"] == "differs"


@pytest.mark.parametrize(("downs", "suffix"), [(0, "csv"), (1, "jsonl"), (2, "md")])
async def test_the_list_is_exported(
    three: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, downs: int, suffix: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"run0-run1-files.{suffix}"
    async with compared(three, "run0", "run1", tab=TAB) as pilot:
        await press(pilot, "x")
        await pilot.press(*["down"] * downs, "enter")
        await until(path.exists, "the export")
        await settled(pilot)
    text = path.read_text(encoding="utf-8")
    if suffix == "csv":
        found = list(csv.DictReader(text.splitlines()))
        assert [row["path"] for row in found][:2] == ["config.json", "logs/only.txt"]
        assert found[0]["A run0 bytes"] == "35"
        assert found[1]["A run0 bytes"] == ""
    elif suffix == "jsonl":
        found = [json.loads(line) for line in text.splitlines()]
        assert (found[1]["sameness"], found[1]["runs"][0]) == ("only in some", None)
    else:
        assert "| only in B | logs/only.txt | – | 6 B |" in text


async def test_runs_without_files_say_so(tmp_path: Path) -> None:
    store = write_files(tmp_path, [{}, {}])
    async with compared(store, "run0", "run1", tab=TAB) as pilot:
        assert "None of the runs has attachments." in screen_text(pilot)


async def test_equal_files_say_that_nothing_differs(tmp_path: Path) -> None:
    store = write_files(tmp_path, [{"a": b"1"}, {"a": b"1"}])
    async with compared(store, "run0", "run1", tab=TAB) as pilot:
        assert "No file differs. v shows all files." in screen_text(pilot)


async def test_names_with_escapes_and_missing_files_are_said(tmp_path: Path) -> None:
    odd = "a\x1b[31m.txt"
    store = write_files(tmp_path, [{odd: b"1\x1b[2J\n"}, {odd: b"2\x1b]0;x\x07\n", "b": b"1"}])
    (tmp_path / "run1" / "attachments" / "b").unlink()
    async with compared(store, "run0", "run1", tab=TAB) as pilot:
        assert "✗ missing" in screen_text(pilot)
        await press(pilot, "enter")
        assert "\x1b" not in screen_text(pilot)
        assert "1 line only in A" in screen_text(pilot)


async def test_files_of_an_active_run_come_and_a_deleted_run_leaves_the_rest(
    tmp_path: Path,
) -> None:
    store = write_files(tmp_path, [{"a": b"1"}, {"a": b"1"}, {"a": b"2"}], active=[1])
    async with compared(store, "run0", "run1", "run2", tab=TAB) as pilot:
        with StoreWriter(tmp_path, clock=lambda: NOW) as writer, writer.experiment("run1") as more:
            more.attachment("later.txt", b"late")
        await until(lambda: "only in B" in screen_text(pilot), "the new file")
        with closing(sqlite3.connect(tmp_path / "meta.db")) as meta, meta:
            meta.execute("delete from experiments where id = 'run2'")
        await until(lambda: "deleted" in screen_text(pilot), "the word")
        assert "only in B" in screen_text(pilot)


# Two files of one run ------------------------------------------------------------------------


async def test_two_marked_files_of_one_run_are_compared(tmp_path: Path) -> None:
    files = {"a.txt": b"one\ntwo\n", "b.txt": b"one\nthree\n", "c.txt": b"one\ntwo\n"}
    store = write_files(tmp_path, [files])
    async with opened(store, "run0", tab=TAB) as pilot:
        await press(pilot, "space")
        assert "● a.txt" in screen_text(pilot)
        # One marked file is compared with the one under the cursor.
        await press(pilot, "down", "equals_sign")
        assert "A a.txt   B b.txt" in screen_text(pilot)
        assert "- A 2  two" in screen_text(pilot)
        assert "+ B 2  three" in screen_text(pilot)
        await press(pilot, "escape", "space", "down", "space")
        # The first one gave way to the third.
        assert "● b.txt" in screen_text(pilot)
        assert "● c.txt" in screen_text(pilot)
        assert "● a.txt" not in screen_text(pilot)
        await press(pilot, "up", "up", "space", "equals_sign")
        assert "= equal: 8 B" in screen_text(pilot)
        assert "What is shown of them is the same." in screen_text(pilot)
        await press(pilot, "escape", "space")
        assert "● a.txt" not in screen_text(pilot)
        assert pilot.app.screen.query_one(FileTree).has_focus


async def test_a_marked_file_that_has_gone_is_said(tmp_path: Path) -> None:
    store = write_files(tmp_path, [{"a.txt": b"1", "b.txt": b"2"}])
    async with opened(store, "run0", tab=TAB) as pilot:
        await press(pilot, "space", "down")
        (tmp_path / "run0" / "attachments" / "a.txt").unlink()
        await press(pilot, "equals_sign")
        assert "missing" in screen_text(pilot)
