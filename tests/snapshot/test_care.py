"""How the dialogs that edit and delete runs, groups and logged models look."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from flowtui.screens.attachments.file_screen import FileScreen
from flowtui.screens.care.form import CareForm
from flowtui.screens.dialog import Dialog
from flowtui.screens.dialogs.delete import DeleteScreen
from flowtui.store.care import folders
from flowtui.store.care.folders import FolderExtent
from flowtui.store.store import Store
from tests.conftest import open_store
from tests.pilot.pilot import screen_text, settled, until
from tests.snapshot.test_screens import BOTH, MIDDLE, VISION, Before, Snap, app_on, keys
from tests.unit.stores import execute, held

pytestmark = pytest.mark.usefixtures("stopped_clock")
CARD = (
    "# ResNet-50, EMA weights\n\nTrained on **four** GPUs.\n\n## Intended use\n\n"
    "- Classifying photographs\n- Not: medical images\n\n| split | top-1 |\n|---|---|\n"
    "| val | 0.764 |\n| test | 0.751 |\n"
)


@pytest.fixture(autouse=True)
def _same_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have folders of one size: another SQLite makes databases of other sizes."""
    monkeypatch.setattr(folders, "extent", lambda _folder: FolderExtent(23, 6_420_000))


@pytest.fixture
def directory(demo_directory: Path) -> Iterator[Path]:
    """A copy of the demo store in the home folder, whose path is the same in every picture."""
    directory = Path.home() / "care"
    shutil.copytree(demo_directory, directory)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    with closing(open_store(directory)) as store:
        yield store


def dialog(kind: type[Dialog[object]], *pressed: str) -> Before:
    """Press keys of which the last opens a dialog, and wait until it is there."""

    async def before(pilot: Pilot[None]) -> None:
        await keys(*pressed)(pilot)
        await until(lambda: isinstance(pilot.app.screen, kind), "the dialog")
        await settled(pilot)

    return before


def form(*pressed: str) -> Before:
    return dialog(CareForm, *pressed)  # type: ignore[arg-type]  # of whatever it dismisses with


def deleting(*pressed: str) -> Before:
    return dialog(DeleteScreen, *pressed)  # type: ignore[arg-type]


@BOTH
def test_edit_a_run(snap_compare: Snap, store: Store, size: tuple[int, int]) -> None:
    assert snap_compare(app_on(store, VISION), terminal_size=size, run_before=form("e"))


@BOTH
def test_edit_marked_runs(snap_compare: Snap, store: Store, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await form("space", "space", "space", "e")(pilot)
        await keys(*"vis")(pilot)

    assert snap_compare(app_on(store, None), terminal_size=size, run_before=before)


def test_edit_conflict(snap_compare: Snap, store: Store, directory: Path) -> None:
    async def before(pilot: Pilot[None]) -> None:
        # What is below the form stays as it is, whenever the watch would look.
        await form("f", "e")(pilot)
        execute(directory / "meta.db", "update experiments set name = 'resnet50, warm restarts'"
                " where name = 'resnet50-cosine'")  # fmt: skip
        pilot.app.screen.query_one("#name", Input).value = "resnet50-cosine-best"
        await pilot.press("ctrl+s")
        await until(lambda: "^S again overwrites" in screen_text(pilot), "the conflict")
        await settled(pilot)

    assert snap_compare(app_on(store, VISION), terminal_size=(80, 24), run_before=before)


@BOTH
def test_delete_a_run(snap_compare: Snap, store: Store, size: tuple[int, int]) -> None:
    assert snap_compare(app_on(store, VISION), terminal_size=size, run_before=deleting("D"))


@BOTH
def test_delete_marked_runs(
    snap_compare: Snap, store: Store, directory: Path, size: tuple[int, int]
) -> None:
    with closing(sqlite3.connect(directory / "meta.db")) as connection:
        (active,) = connection.execute("select id from experiments where status = 'active'"
                                       " order by created_at desc").fetchone()  # fmt: skip

    async def before(pilot: Pilot[None]) -> None:
        await deleting(*["space"] * 6, "D")(pilot)
        await keys(*"dele", "enter")(pilot)

    with held(directory / active / "exp.db"):
        assert snap_compare(app_on(store, None), terminal_size=size, run_before=before)


@BOTH
def test_model_card(
    snap_compare: Snap, store: Store, directory: Path, size: tuple[int, int]
) -> None:
    execute(directory / "meta.db", "update models set description = ?", [(CARD,)])
    opened = dialog(FileScreen, "tab", "tab", "enter")  # type: ignore[arg-type]
    assert snap_compare(app_on(store, VISION), terminal_size=size, run_before=opened)


def test_edit_a_model(snap_compare: Snap, store: Store, directory: Path) -> None:
    execute(directory / "meta.db", "update models set description = ?", [(CARD,)])
    before = form("tab", "tab", "e")
    assert snap_compare(app_on(store, VISION), terminal_size=MIDDLE, run_before=before)
