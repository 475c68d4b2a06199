"""How kinds of files look that need more than lines: a notebook, an archive, a database ..."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.previews.kind_table import PreviewKind
from flowtui.screens.attachments.file_screen import FileScreen
from flowtui.screens.attachments.preview import FilePreview
from flowtui.screens.attachments.reading import FileSource
from flowtui.store.store import Store
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.trees.file_tree import FileTree
from tests.pilot.pilot import settled, until
from tests.snapshot.test_screens import BOTH, EMPTY, MIDDLE, VISION, Snap, app_on
from tests.unit.previews.test_previews_archives import FILES, zipped
from tests.unit.previews.test_previews_models import model
from tests.unit.previews.test_previews_pages import PAGE, notebook
from tests.unit.previews.test_previews_sound import sound
from tests.unit.previews.test_previews_workbooks import workbook

pytestmark = pytest.mark.usefixtures("stopped_clock")
CONFIG = "model:\n  layers: [64, 32]\n  dropout: 0.1\ndata: {path: /data, workers: 8}\n"
DIFF = "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n kept\n-old\n+new\n"


def database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as made:
        made.executescript(
            "create table runs (id integer primary key, name text, loss real);"
            " insert into runs values (1, 'first', 0.5), (2, 'second', null);"
            " create view best as select min(loss) from runs;"
        )


MADE: dict[str, Callable[[Path], object]] = {
    "analysis.ipynb": notebook,
    "page.html": lambda path: path.write_text(PAGE),
    "config.yaml": lambda path: path.write_text(CONFIG),
    "changes.diff": lambda path: path.write_text(DIFF),
    "archive.zip": lambda path: path.write_bytes(zipped(FILES)),
    "runs.db": database,
    "results.xlsx": workbook,
    "net.onnx": model,
    "tone.wav": lambda path: sound(path, [(n * n * 7) % 30_000 - 15_000 for n in range(4_000)]),
}


@pytest.mark.parametrize("name", MADE)
def test_kind(snap_compare: Snap, demo: Store, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    MADE[name](path)

    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        pilot.app.push_screen(FileScreen(FileSource(name, name, lambda: path)))
        await until(
            lambda: (
                any(one.kind is not None for one in pilot.app.screen.query(FilePreview))
                and isinstance(pilot.app.screen, FileScreen)
            ),
            "the preview",
        )
        await settled(pilot)

    app = app_on(demo, EMPTY, "attachments")
    assert snap_compare(app, terminal_size=MIDDLE, run_before=before)


def test_rows_of_a_table_are_filtered(snap_compare: Snap, demo: Store) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        assert pilot.app.screen.query_one(FileTree).go_to("data/predictions.csv")
        preview = pilot.app.screen.query_one(FilePreview)
        await until(lambda: preview.kind is PreviewKind.CSV, "the preview")
        await pilot.press("enter", "slash")
        line = pilot.app.screen.query_one("#rows", FilterLine)
        await until(lambda: line.has_focus_within, "the line")
        typed = "truth != predicted and loss > 2"
        await pilot.press(*("space" if char == " " else char for char in typed))
        await settled(pilot)

    app = app_on(demo, VISION, "attachments")
    assert snap_compare(app, terminal_size=MIDDLE, run_before=before)


@BOTH
def test_pictures_of_a_folder(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        assert pilot.app.screen.query_one(FileTree).go_to_folder("plots")
        preview = pilot.app.screen.query_one(FilePreview)
        await until(lambda: preview.folder == "plots", "the pictures")
        await pilot.press("tab", "right")
        await settled(pilot)

    app = app_on(demo, VISION, "attachments")
    assert snap_compare(app, terminal_size=size, run_before=before)
