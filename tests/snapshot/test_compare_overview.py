"""How the Overview of a comparison looks: two runs, eight, one row, and what goes wrong."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.app.app import FlowApp
from flowtui.store.compare import fact_reading
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from tests.conftest import NOW, open_store
from tests.snapshot.test_screens import (
    BOTH,
    LARGE,
    MIDDLE,
    SMALL,
    Snap,
    keys,
    shows,
    wait_for_cancel,
)
from tests.unit.stores import execute

ALL_SIZES = pytest.mark.parametrize(
    "size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x40", "200x60"]
)
PROMPT = (
    "You are the support agent of a shop. Be brief. Look up the order before you answer, and never"
    " promise a refund that the policy does not allow. "
)
SWEEP = [(0.03, 7), (0.03, 21), (0.01, 7), (0.01, 21), (0.003, 7), (0.003, 21), (0.001, 7)]

pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Store]:
    """Two versions of an agent, and seven runs of a sweep."""
    monkeypatch.setenv("FLOW_TUI_STATE", str(tmp_path))
    directory = Path.home() / "compared"
    with StoreWriter(directory, clock=lambda: NOW) as writer:
        for name, is_new in (("agent-base", False), ("agent-new", True)):
            _agent(writer, name, is_new)
        for number, (lr, seed) in enumerate(SWEEP):
            _trained(writer, f"lr-{lr}-seed-{seed}", lr, seed, number)
    execute(
        directory / "meta.db",
        "insert into models (id, name, created_at, tags, path, size, experiment_id)"
        " values (?, ?, '2026-06-01', '[]', ?, ?, ?)",
        [("m1", "router", "a", 1_204_000, "agent-base"), ("m2", "router", "b", 1_318_000,
         "agent-new"), ("m3", "reranker", "c", 90_000, "agent-new")],
    )  # fmt: skip
    with closing(open_store(directory)) as opened:
        yield opened
    shutil.rmtree(directory)


def _agent(writer: StoreWriter, name: str, is_new: bool) -> None:
    writer.start_run(
        name,
        name,
        tags=["agent", "eval", *(["v2"] if is_new else [])],
        description="Second prompt, with kindness." if is_new else "The one in production.",
    )
    with writer.experiment(name) as experiment:
        experiment.params(
            {
                "model": "large-chat-4" if is_new else "small-chat-2",
                "prompt.system": PROMPT
                + ("Be kind, and say sorry once." if is_new else "Be kind."),
                "temperature": 0.2,
                "max_turns": 8,
                "retrieval": {"index": "kb-2", "top_k": 6 if is_new else 4, "rerank": True},
                "tools": ["search", "order_lookup", *(["order_cancel"] if is_new else [])],
                **({"warmup": 100} if is_new else {"seed": None}),
            }
        )
        ends = (0.5734, 0.804, 412.0) if is_new else (0.412, 0.83, 388.5)
        for key, last in zip(("loss", "eval/pass_rate", "tokens/output"), ends, strict=True):
            points = [last * (0.6 + 0.11 * step) for step in range(4)]
            experiment.metrics(
                (key, value, step, NOW) for step, value in enumerate([*points, last])
            )
        if is_new:
            experiment.metrics([("faithfulness", math.nan, 1, NOW)])
        else:
            experiment.metrics([("faithfulness", 0.875, 1, NOW), ("kappa", 0.5, 1, NOW)])
    writer.end_run(name, status="completed", duration=1_583.0 if is_new else 1_322.0)


def _trained(writer: StoreWriter, name: str, lr: float, seed: int, number: int) -> None:
    writer.start_run(name, name, tags=["sweep"])
    with writer.experiment(name) as experiment:
        experiment.params({"lr": lr, "seed": seed, "model": "resnet18", "epochs": 90})
        value = 0.35 + abs(lr - 0.008) * 20 + seed / 1000
        points = [("val/loss", value, 90, NOW), ("val/accuracy", 1 - value / 2, 90, NOW),
                  ("time/step_s", 20.5 + number / 8, 90, NOW)]  # fmt: skip
        experiment.metrics(points)
    is_done = number != len(SWEEP) - 1
    writer.end_run(name, status="completed" if is_done else "error", duration=1_300.0 + number * 61)


def app_on(store: Store, *names: str, theme: str | None = None) -> FlowApp:
    chosen = [(store, store.resolve(name)) for name in names]
    return FlowApp(store, None, Options(theme=theme, user="ana"), chosen)


def agents(store: Store, theme: str | None = None) -> FlowApp:
    return app_on(store, "agent-base", "agent-new", theme=theme)


def eight(store: Store) -> FlowApp:
    return app_on(store, *(f"lr-{lr}-seed-{seed}" for lr, seed in SWEEP), "agent-new")


@ALL_SIZES
def test_two_runs(snap_compare: Snap, store: Store, size: tuple[int, int]) -> None:
    assert snap_compare(agents(store), terminal_size=size, run_before=keys())


@pytest.mark.parametrize("theme", ["flow-light", "flow-colorblind"])
def test_two_runs_in_other_themes(snap_compare: Snap, store: Store, theme: str) -> None:
    assert snap_compare(agents(store, theme), terminal_size=MIDDLE, run_before=keys())


@ALL_SIZES
def test_eight_runs(snap_compare: Snap, store: Store, size: tuple[int, int]) -> None:
    assert snap_compare(eight(store), terminal_size=size, run_before=keys())


@BOTH
def test_all_rows(snap_compare: Snap, store: Store, size: tuple[int, int]) -> None:
    assert snap_compare(agents(store), terminal_size=size, run_before=keys("v"))


@ALL_SIZES
def test_a_long_text(snap_compare: Snap, store: Store, size: tuple[int, int]) -> None:
    pressed = keys("slash", *"system", "enter", "enter")
    assert snap_compare(agents(store), terminal_size=size, run_before=pressed)


def test_a_metric(snap_compare: Snap, store: Store) -> None:
    pressed = keys("slash", *"loss", "enter", "enter")
    assert snap_compare(eight(store), terminal_size=MIDDLE, run_before=pressed)


def test_directions(snap_compare: Snap, store: Store) -> None:
    pressed = keys("slash", *"tokens", "enter", "m")
    assert snap_compare(agents(store), terminal_size=SMALL, run_before=pressed)


@BOTH
def test_a_run_that_cannot_be_read(snap_compare: Snap, store: Store, size: tuple[int, int]) -> None:
    app = app_on(store, "agent-base", "lr-0.03-seed-7", "agent-new")
    (store.directory / "lr-0.03-seed-7" / "exp.db").write_bytes(b"no database" * 1000)
    assert snap_compare(app, terminal_size=size, run_before=keys())


def test_nothing_differs(snap_compare: Snap, store: Store) -> None:
    app = app_on(store, "lr-0.01-seed-7", "lr-0.01-seed-7")
    assert snap_compare(app, terminal_size=SMALL, run_before=keys())


def test_reading(snap_compare: Snap, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact_reading, "whole_params", wait_for_cancel)
    assert snap_compare(agents(store), terminal_size=SMALL, run_before=shows("reading"))
