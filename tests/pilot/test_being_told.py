"""Being told of a run: asking for it, what the frame says, and what comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.screens.alarm.screen import AlarmScreen
from flowtui.store.store import Store
from tests.conftest import NOW, open_store
from tests.pilot.pilot import opened, screen_lines, screen_text, settled, until
from tests.unit.stores import held, writer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Yield a store with an active run whose process lives."""
    with writer(tmp_path) as made:
        made.start_run("it", "it")
        with made.experiment("it") as run:
            run.metrics([("loss", 0.9, 1, NOW)])
    with held(tmp_path / "meta.db"), closing(open_store(tmp_path)) as made:
        yield made


def sent_by(pilot: Pilot[None], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what the app sends to the terminal as notices, from now on."""
    sent: list[str] = []
    assert isinstance(pilot.app, FlowApp)
    monkeypatch.setattr(pilot.app, "send_notice", sent.append)
    return sent


async def ask(pilot: Pilot[None], text: str) -> None:
    await pilot.press("exclamation_mark")
    await settled(pilot)
    keys = {" ": "space", "<": "less_than_sign", ">": "greater_than_sign", ".": "full_stop"}
    await pilot.press(*(keys.get(char, char) for char in text), "enter")
    await settled(pilot)


async def test_a_condition_is_told_with_a_bell_when_it_holds(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(store, "it") as pilot:
        sent = sent_by(pilot, monkeypatch)
        await ask(pilot, "loss < 0.5")
        assert "◷ !  loss < 0.5" in screen_lines(pilot)[0]
        with writer(store.directory) as made, made.experiment("it") as run:
            run.metrics([("loss", 0.4, 2, NOW)])
        await until(lambda: "loss < 0.5 holds" in screen_text(pilot))
        assert [one[0] for one in sent] == ["\a"]
        assert "◷" not in screen_lines(pilot)[0]


async def test_the_end_is_told_also_from_the_list_of_runs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(store, "it") as pilot:
        sent = sent_by(pilot, monkeypatch)
        await ask(pilot, "")
        assert "◷ !  until its end" in screen_lines(pilot)[0]
        await pilot.press("escape")
        with writer(store.directory) as made:
            made.end_run("it", status="error", duration=3.0)
        await until(lambda: "the run has failed" in screen_text(pilot))
        assert len(sent) == 1


async def test_a_mistake_is_said_where_it_is_and_nothing_is_set(store: Store) -> None:
    async with opened(store, "it") as pilot:
        await ask(pilot, "loss <")
        assert isinstance(pilot.app.screen, AlarmScreen)
        assert "At character" in screen_text(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert "◷" not in screen_lines(pilot)[0]


async def test_the_key_again_asks_whether_to_stop(store: Store) -> None:
    async with opened(store, "it") as pilot:
        await ask(pilot, "loss < 0.1")
        await pilot.press("exclamation_mark")
        await settled(pilot)
        assert "Stop watching it?" in screen_text(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert "◷" not in screen_lines(pilot)[0]


async def test_there_is_nothing_to_be_told_of_on_the_list(store: Store) -> None:
    async with opened(store, None) as pilot:
        await pilot.press("exclamation_mark")
        await settled(pilot)
        assert not isinstance(pilot.app.screen, AlarmScreen)
