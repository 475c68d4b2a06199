"""The console of a program that was started: what it shows, and where its keys go."""

from __future__ import annotations

import json
import os
import socket
import threading
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.launch.folder import LaunchFolder, LaunchState
from flowtui.launch.link import ProgramLink
from flowtui.store.store import Store
from flowtui.widgets.documents.text_lines import TextLines
from flowtui.widgets.host import Options
from tests.conftest import open_store
from tests.pilot.pilot import screen_lines, settled, until


class Supervised:
    """Stands in for a supervisor: keeps what it is told, and tells what it is asked to."""

    def __init__(self, folder: LaunchFolder, output: bytes) -> None:
        self.folder = folder
        self.told: list[dict[str, Any]] = []
        folder.output.write_bytes(output)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(folder.path / "s"))
        self._listening.listen()
        self.state = LaunchState(
            ("python", "train.py"), "here", os.getpid(), 1, str(folder.path / "s"),
            output_bytes=len(output),
        )  # fmt: skip
        folder.write(self.state)
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        self._viewer, _ = self._listening.accept()
        with self._viewer.makefile("rb") as lines:
            for line in lines:
                self.told.append(json.loads(line))

    def become(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        self.folder.write(self.state)
        self._viewer.sendall(self.state.as_json().encode() + b"\n")

    def close(self) -> None:
        self._viewer.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._viewer.close()
        self._listening.close()

    @property
    def typed(self) -> bytes:
        return b"".join(b64decode(one["type"]) for one in self.told if "type" in one)


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    one = Supervised(LaunchFolder(tmp_path), b"one\r\ntwo\r\nthree of one\r\n? ")
    yield one
    one.close()


@asynccontextmanager
async def followed(
    store: Store, supervised: Supervised, read_only: bool = False
) -> AsyncIterator[Pilot[None]]:
    app = FlowApp(
        store, store.resolve("resnet50-cosine"), Options(user="ana", read_only=read_only),
        program=ProgramLink(supervised.folder),
    )  # fmt: skip
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot)
        yield pilot


def shows(pilot: Pilot[None], text: str) -> bool:
    return any(text in line for line in screen_lines(pilot))


async def test_it_comes_and_goes_and_leads_back(demo: Store, supervised: Supervised) -> None:
    async with followed(demo, supervised) as pilot:
        assert shows(pilot, "▶ running")
        await pilot.press("3", "ctrl+t")
        await until(lambda: shows(pilot, "three of one"), "the output")
        assert pilot.app.screen.query_one(TextLines).cursor == 3
        await pilot.press("ctrl+t")
        await settled(pilot)
        assert pilot.app.current_mode == "traces"
        await pilot.press("ctrl+t", "escape")
        await settled(pilot)
        assert pilot.app.current_mode == "traces"
        await pilot.press("ctrl+t", "2")
        await settled(pilot)
        assert pilot.app.current_mode == "metrics"


async def test_keys_go_to_the_program_until_that_is_ended(
    demo: Store, supervised: Supervised
) -> None:
    async with followed(demo, supervised) as pilot:
        await pilot.press("ctrl+t", "i", *"q1?", "enter", "ctrl+p", "ctrl+t", "ctrl+c")
        await until(lambda: supervised.typed == b"q1?\r\x10\x03", "what was typed")
        assert pilot.app.current_mode == "console"


async def test_it_finds_a_text_from_the_end(demo: Store, supervised: Supervised) -> None:
    async with followed(demo, supervised) as pilot:
        await pilot.press("ctrl+t")
        await until(lambda: shows(pilot, "three of one"), "the output")
        await pilot.press("slash", *"ONE", "enter")
        await settled(pilot)
        lines = pilot.app.screen.query_one(TextLines)
        assert lines.copy_text == "three of one"
        await pilot.press("N")
        assert lines.copy_text == "one"


async def test_every_colour_can_be_shown(demo: Store, supervised: Supervised) -> None:
    colours = [f"\x1b[38;5;{number}mC{number}\x1b[0m" for number in range(256)]
    rows = [" ".join(colours[start : start + 16]) for start in range(0, 256, 16)]
    supervised.folder.output.write_text("\n".join(rows))
    async with followed(demo, supervised) as pilot:
        await pilot.press("ctrl+t")
        await until(lambda: shows(pilot, "C255"), "the last colour")
        assert shows(pilot, "C0 ")


async def test_the_output_is_kept_on_asking(demo_copy: Path, supervised: Supervised) -> None:
    with closing(open_store(demo_copy)) as store:
        async with followed(store, supervised) as pilot:
            await pilot.press("ctrl+t", "w")
            await until(lambda: shows(pilot, "kept as the attachment console.log"), "the notice")
        folder = store.resolve("resnet50-cosine").files.folder
        assert (folder / "console.log").read_bytes() == supervised.folder.output.read_bytes()


async def test_a_read_only_session_keeps_nothing(demo: Store, supervised: Supervised) -> None:
    async with followed(demo, supervised, read_only=True) as pilot:
        await pilot.press("ctrl+t", "w")
        await until(lambda: shows(pilot, "Not kept"), "the refusal")


async def test_after_the_end_keys_are_the_apps(demo: Store, supervised: Supervised) -> None:
    async with followed(demo, supervised) as pilot:
        await pilot.press("ctrl+t", "i")
        supervised.become(code=3)
        await until(lambda: shows(pilot, "✗ exit 3"), "the exit code")
        await pilot.press("1")
        await settled(pilot)
        assert pilot.app.current_mode == "overview"
        assert shows(pilot, "✗ exit 3")
        await pilot.press("q")
        await until(lambda: not pilot.app.is_running, "the end without a question")


async def test_leaving_asks_and_may_stop_it(demo: Store, supervised: Supervised) -> None:
    async with followed(demo, supervised) as pilot:
        await pilot.press("q")
        await until(lambda: shows(pilot, "Leave it running"), "the question")
        await pilot.press("escape")
        await settled(pilot)
        assert pilot.app.is_running
        await pilot.press("q", "s")
        await until(lambda: not pilot.app.is_running, "the end")
    await until(lambda: {"end": 15} in supervised.told, "the signal")
