"""How the messages of a span look with pictures, tools, reasoning and an answer from elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.screens.attachments.file_screen import FileScreen
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.documents.document import Document
from flowtui.widgets.documents.picture import PicturePane
from tests.conftest import NOW
from tests.pilot.pilot import settled, until
from tests.pilot.test_chat_view import SEEING
from tests.pilot.test_trace_view import open_trace, written
from tests.snapshot.test_screens import MIDDLE, SMALL, Snap, app_on

pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.fixture
def seeing(demo_directory: Path) -> Iterator[Store]:
    directory = demo_directory.with_name("seeing")
    store = written(directory, SEEING)
    with StoreWriter(directory, clock=lambda: NOW) as writer:
        writer.end_run("run", status="completed", duration=9.0)
    yield store
    store.close()
    shutil.rmtree(directory)


async def in_detail(pilot: Pilot[None]) -> Document:
    await settled(pilot)
    await open_trace(pilot)
    await pilot.press("tab")
    await settled(pilot)
    return pilot.app.screen.query_one("#span-detail", Document)


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
def test_chat_with_all(snap_compare: Snap, seeing: Store, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await in_detail(pilot)

    assert snap_compare(app_on(seeing, "run", "traces"), terminal_size=size, run_before=before)


def test_picture_of_a_chat(snap_compare: Snap, seeing: Store) -> None:
    async def before(pilot: Pilot[None]) -> None:
        document = await in_detail(pilot)
        document.find("image/png")
        document.find_next()
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, FileScreen), "the picture's screen")
        pane = pilot.app.screen.query_one(PicturePane)
        await until(lambda: pane.line_count > 0, "the picture")

    assert snap_compare(app_on(seeing, "run", "traces"), terminal_size=MIDDLE, run_before=before)
