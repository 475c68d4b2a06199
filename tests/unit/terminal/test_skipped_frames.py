"""Frames that a terminal doesn't take: they wait, are left out, and are dropped at the end."""

from __future__ import annotations

from threading import Event
from typing import IO, cast

import pytest
from textual.app import App
from textual.drivers._writer_thread import WriterThread

from flowtui.terminal.driver import DiffDriver
from tests.pilot.pilot import until

BEGINS, ENDS = "\x1b[?2026h", "\x1b[?2026l"
PATIENCE_S = 30.0


class StuckTerminal:
    """Takes nothing until it is let go."""

    def __init__(self) -> None:
        self.writes: list[str] = []
        self.is_asked, self.may_take = Event(), Event()

    def write(self, text: str) -> None:
        self.is_asked.set()
        assert self.may_take.wait(PATIENCE_S)
        self.writes.append(text)

    def flush(self) -> None:
        """Nothing is kept back."""

    @property
    def text(self) -> str:
        return "".join(self.writes)


def new_driver(app: App[None], terminal: StuckTerminal) -> DiffDriver:
    driver = DiffDriver(app)
    driver._writer_thread = WriterThread(cast(IO[str], terminal))
    driver._writer_thread.start()
    return driver


def driver_of(app: App[None], terminal: StuckTerminal) -> DiffDriver:
    """Return a driver with frames A to E drawn one after the other, none of which got through."""
    driver = new_driver(app, terminal)
    for name in "ABCDE":
        draw(driver, f"\x1b[1;1Hframe {name}")
        assert terminal.is_asked.wait(PATIENCE_S)
    return driver


def draw(driver: DiffDriver, frame: str) -> None:
    for data in (BEGINS, frame, ENDS):
        driver.write(data)


async def test_two_frames_wait_and_what_comes_after_is_drawn_as_it_looks_by_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = StuckTerminal()
    async with App[None]().run_test() as pilot:
        driver = driver_of(pilot.app, terminal)
        drawn_again: list[bool] = []
        monkeypatch.setattr(pilot.app.screen, "refresh", lambda: drawn_again.append(True))
        await pilot.pause(0.1)
        assert drawn_again == [], "nothing goes through yet"
        terminal.may_take.set()
        await until(lambda: drawn_again == [True], "the screen to be drawn once more")
        draw(driver, "\x1b[1;1Hframe F")
        driver.close()
    changes = ["\x1b[1;1Hframe A", *(f"\x1b[1;7H{name}" for name in "BCF")]
    assert terminal.text == "".join(f"{BEGINS}{change}{ENDS}" for change in changes)


async def test_what_still_waits_when_one_leaves_is_not_drawn() -> None:
    terminal = StuckTerminal()
    driver = driver_of(App[None](), terminal)
    driver.write("\x1b]52;c;eA==\x07")
    driver.stop_application_mode()
    terminal.may_take.set()
    driver.close()
    # The first write was under way.
    assert terminal.text.startswith(f"{BEGINS}{ENDS}")
    assert "frame" not in terminal.text
    assert "\x1b]52;c;eA==\x07" in terminal.text, "what was copied is"
    assert terminal.text.index("\x1b[0m") < terminal.text.index("\x1b[?1049l")


async def test_of_a_frame_that_changes_nothing_not_even_its_edges_are_sent() -> None:
    terminal = StuckTerminal()
    terminal.may_take.set()
    driver = new_driver(App[None](), terminal)
    for name in "AAB":
        draw(driver, f"\x1b[1;1Hframe {name}")
    driver.close()
    changes = ["\x1b[1;1Hframe A", "\x1b[1;7HB"]
    assert terminal.text == "".join(f"{BEGINS}{change}{ENDS}" for change in changes)
