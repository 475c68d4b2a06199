"""What goes over the wire at 120x40 in 24-bit colours: the budgets of a slow link."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowtui.store.schema import StoreWriter
from tests.terminal.conftest import Start
from tests.terminal.terminal import Terminal

START_BYTES = 25_000
TAB_BYTES = 20_000
STEP_BYTES = 1_000
ANY_STEP_BYTES = 600
LIVE_S, LIVE_BYTES = 3, 600
"""A second of a run that logs ten times a second, whatever it is called."""
TICK_BYTES = 120
"""A second of a run that is active: its clock."""


def opened(start: Start) -> Terminal:
    terminal = start("resnet50-cosine")
    terminal.wait_for("val/loss")
    terminal.settle()
    return terminal


def cost_of(terminal: Terminal, key: str) -> int:
    """Return how many bytes a key brings, counted from before it is sent."""
    before = terminal.byte_count
    terminal.send(key)
    terminal.settle()
    return terminal.byte_count - before


def cost_of_change(terminal: Terminal, key: str) -> int:
    """Return the same for a key that must bring some, however late they begin to come."""
    before = terminal.byte_count
    terminal.send(key)
    terminal.wait_until(lambda: terminal.byte_count > before)
    terminal.settle()
    return terminal.byte_count - before


def test_the_start(start: Start) -> None:
    assert opened(start).byte_count <= START_BYTES


def test_tabs_there_and_back(start: Start) -> None:
    terminal = opened(start)
    costs = {key: cost_of_change(terminal, key) for key in "23451"}
    assert all(0 < cost <= TAB_BYTES for cost in costs.values()), costs


def test_the_list_of_runs_and_back(start: Start) -> None:
    terminal = opened(start)
    costs = {key: cost_of_change(terminal, key) for key in ("\x1b", "\r")}
    assert all(0 < cost <= TAB_BYTES for cost in costs.values()), costs


def test_steps_of_the_cursor(start: Start) -> None:
    terminal = opened(start)
    for key in ("j", "\x1b[B", "k", "\t", "j", "j", "\t", "j", "\x1b[Z"):
        cost = cost_of(terminal, key)
        assert cost <= STEP_BYTES, (key, cost)


def test_steps_in_the_list_of_runs(start: Start) -> None:
    terminal = start()
    terminal.wait_for("resnet50-cosine")
    terminal.settle()
    for key in ("j", "j", "\x1b[B", "k"):
        assert 0 < cost_of_change(terminal, key) <= STEP_BYTES


def test_nothing_is_sent_about_a_run_that_has_ended(start: Start) -> None:
    assert opened(start).bytes_during(3.0) == 0


def test_nothing_is_sent_about_a_run_that_stopped_without_an_end(start: Start) -> None:
    terminal = start("llama-lora-sft")
    terminal.wait_for("stopped without an end")
    terminal.settle()
    assert terminal.bytes_during(3.0) == 0


@pytest.mark.usefixtures("active_run")
def test_only_the_clock_is_sent_about_a_run_that_writes_nothing(start: Start) -> None:
    terminal = start("llama-lora-sft")
    terminal.wait_for("● live")
    terminal.settle(0.3)
    assert terminal.bytes_during(3.0) <= 3 * TICK_BYTES + TICK_BYTES


@pytest.mark.parametrize("key", ["x", "\x1b[I", "\x1b[O"], ids=["unbound", "focus", "blur"])
def test_keys_that_mean_nothing_send_little(start: Start, key: str) -> None:
    assert cost_of(opened(start), key) <= STEP_BYTES


@pytest.mark.parametrize("name", ["résumé 🚀 of 👩\u200d🔬", "क्षि e\u0301 🇬🇧 1\u20e3", "plain"])
def test_no_name_of_a_run_makes_it_dear(start: Start, tmp_path: Path, name: str) -> None:
    directory = tmp_path / "store"
    now = datetime.now(UTC)
    with StoreWriter(directory) as writer:
        writer.start_run("run-1", name, created_at=now - timedelta(minutes=5))
        with writer.experiment("run-1") as experiment:
            keys = [f"loss/{number}" for number in range(30)]
            experiment.metrics((key, 0.5, step, now) for key in keys for step in range(9))
            experiment.params({f"param_{number}": name for number in range(30)})
            terminal = start("run-1", store=directory)
            terminal.wait_for("loss/10")
            terminal.settle(0.3)
            before = terminal.byte_count
            for step in range(LIVE_S * 10):
                experiment.metrics([("loss/0", 0.5 + step / 7, 9 + step, datetime.now(UTC))])
                terminal.bytes_during(0.1)
            assert terminal.byte_count - before <= LIVE_S * LIVE_BYTES
        writer.end_run("run-1", status="completed", duration=300.0)
    terminal.wait_for("completed")
    terminal.settle()
    for key in ("j", "k", "\t", "j", "j"):
        cost = cost_of_change(terminal, key)
        assert cost <= ANY_STEP_BYTES, (key, cost)
