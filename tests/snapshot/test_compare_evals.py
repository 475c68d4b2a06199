"""How the Evals tab of a comparison looks: the samples, and one of them in all runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.app.app import FlowApp
from flowtui.store.schema import EvalAnnotationRow
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from tests.conftest import NOW, open_store
from tests.snapshot.test_screens import LARGE, MIDDLE, SMALL, Snap, keys
from tests.unit.compared_samples import agents, log_samples
from tests.unit.stores import writer

THREE = pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x40", "200x60"])
JUDGED = EvalAnnotationRow(
    dataset_id="faq", eval_id="q003", name="quality", kind="feedback", value=False, user="ana",
    rationale="It cites the policy for other countries.", created_at=NOW,
)  # fmt: skip
pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.fixture
def store() -> Iterator[Store]:
    """Yield a store with an agent in two versions and a third run that has other ids."""
    directory = Path.home() / "agents"
    made = agents()
    made["agent-odd"] = [{**one, "id": f"x{one['id']}"} for one in made["agent-new"]]
    for name, samples in made.items():
        with writer(directory) as written:
            written.start_run(f"id-{name}", name)
            log_samples(directory / f"id-{name}" / "exp.db", samples)
            if name == "agent-new":
                with written.experiment(f"id-{name}") as experiment:
                    experiment.eval_annotations([JUDGED])
            written.end_run(f"id-{name}", status="completed", duration=60.0)
    for path in directory.rglob("*"):
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    with closing(open_store(directory)) as opened:
        yield opened
    shutil.rmtree(directory)


def app_on(store: Store, *runs: str) -> FlowApp:
    chosen = [(store, store.resolve(run)) for run in runs]
    return FlowApp(store, None, Options(tab="evals", user="ana"), chosen)


@THREE
def test_compare_evals(snap_compare: Snap, store: Store, size: tuple[int, int]) -> None:
    app = app_on(store, "agent-base", "agent-new")
    assert snap_compare(app, terminal_size=size, run_before=keys())


@THREE
def test_compare_evals_sample(snap_compare: Snap, store: Store, size: tuple[int, int]) -> None:
    app = app_on(store, "agent-base", "agent-new")
    assert snap_compare(app, terminal_size=size, run_before=keys("enter"))


@THREE
def test_compare_evals_unjoined(snap_compare: Snap, store: Store, size: tuple[int, int]) -> None:
    app = app_on(store, "agent-base", "agent-odd", "agent-new")
    assert snap_compare(app, terminal_size=size, run_before=keys("0"))
