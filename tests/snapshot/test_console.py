"""How the output of a program looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.launch.folder import LaunchFolder
from flowtui.launch.link import ProgramLink
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from tests.pilot.pilot import screen_lines, settled, until
from tests.pilot.test_console import Supervised
from tests.snapshot.test_screens import MIDDLE, SMALL, Snap

pytestmark = pytest.mark.usefixtures("stopped_clock")

OUTPUT = (
    b"\x1b[1mepoch 1\x1b[0m  loss \x1b[32m0.412\x1b[0m\r\n"
    b"\x1b[33mwarning\x1b[0m: the learning rate is high\r\n"
    b"  0%|          | 0/10\r 50%|#####     | 5/10\r100%|##########| 10/10\r\n"
    b"\x1b]0;not a title\x07a line with \xe2\x80\xae an override\r\n"
    b"\x1b[31mTraceback (most recent call last):\x1b[0m\r\n"
    b"Go on? [y/N] "
)


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    one = Supervised(LaunchFolder(tmp_path), OUTPUT)
    yield one
    one.close()


def app_of(store: Store, supervised: Supervised) -> FlowApp:
    run = store.resolve("resnet50-cosine")
    return FlowApp(store, run, Options(user="ana"), program=ProgramLink(supervised.folder))


@pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
def test_console(
    snap_compare: Snap, demo: Store, supervised: Supervised, size: tuple[int, int]
) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("ctrl+t", "i")
        await until(lambda: any("Go on?" in line for line in screen_lines(pilot)), "the output")

    assert snap_compare(app_of(demo, supervised), terminal_size=size, run_before=before)


def test_console_of_a_program_that_failed(
    snap_compare: Snap, demo: Store, supervised: Supervised
) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("ctrl+t")
        await until(lambda: any("Go on?" in line for line in screen_lines(pilot)), "the output")
        supervised.become(code=1, trouble="the disk is full")
        await until(lambda: "✗ exit 1" in screen_lines(pilot)[3], "the end")

    assert snap_compare(app_of(demo, supervised), terminal_size=MIDDLE, run_before=before)


def test_question_before_leaving_a_program(
    snap_compare: Snap, demo: Store, supervised: Supervised
) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("q")
        await until(lambda: any("Stop it" in line for line in screen_lines(pilot)), "the question")

    assert snap_compare(app_of(demo, supervised), terminal_size=SMALL, run_before=before)
