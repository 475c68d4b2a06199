"""What tests of attachments share: a store with files, and what is on the screen about them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from textual.pilot import Pilot

from flowtui.screens.attachments.preview import FilePreview
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.trees.file_tree import FileTree
from tests.conftest import NOW, open_store
from tests.pilot.pilot import screen_text, settled, until


def attached(directory: Path, files: Mapping[str, bytes]) -> Store:
    """Returns a store with a run that has these attachments; called again, it has more."""
    is_new = not (directory / "meta.db").exists()
    with StoreWriter(directory, clock=lambda: NOW) as writer:
        if is_new:
            writer.start_run("run", "run")
        with writer.experiment("run") as experiment:
            for name, data in files.items():
                experiment.attachment(name, data)
    return open_store(directory)


def folder(directory: Path) -> Path:
    return directory / "run" / "attachments"


def files(pilot: Pilot[None]) -> FileTree:
    return pilot.app.screen.query_one(FileTree)


def preview(pilot: Pilot[None]) -> FilePreview:
    return pilot.app.screen.query_one(FilePreview)


async def shown(pilot: Pilot[None], text: str) -> None:
    """Waits until a text is on the screen."""
    await until(lambda: text in screen_text(pilot), f"{text!r} on the screen")
    await settled(pilot)
