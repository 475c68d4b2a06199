"""How every screen looks: full, empty, in error, and while a read takes its time."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.worker import get_current_worker

from flowtui.app.app import FlowApp
from flowtui.app.welcome import WelcomeApp
from flowtui.screens.attachments.preview import FilePreview
from flowtui.sources.recognising import SeenRuns
from flowtui.store import params as logged_params
from flowtui.store import runs as run_rows
from flowtui.store.errors import ReadCancelled
from flowtui.store.schema import StoreWriter
from flowtui.store.store import Store
from flowtui.store.traces import spans as span_rows
from flowtui.store.values import StoreLocation
from flowtui.widgets.host import Options
from flowtui.widgets.trees.file_tree import FileTree
from tests.conftest import NOW, open_store
from tests.pilot.pilot import screen_text, settled, until
from tests.unit.sessions import spans as traced_sessions
from tests.unit.stores import held

SMALL, MIDDLE, LARGE = (80, 24), (120, 40), (200, 60)
BOTH = pytest.mark.parametrize("size", [SMALL, MIDDLE], ids=["80x24", "120x40"])
VISION, AGENT, ACTIVE, EMPTY = "resnet50-cosine", "support-agent-v3", "llama-lora-sft", "scratch"

pytestmark = pytest.mark.usefixtures("stopped_clock")
Snap = Callable[..., bool]
Before = Callable[[Pilot[None]], Awaitable[None]]


def app_on(
    store: Store, run: str | None, tab: str = "overview", theme: str | None = None
) -> FlowApp:
    chosen = None if run is None else store.resolve(run)
    return FlowApp(store, chosen, Options(tab=tab, theme=theme, user="ana"))


def keys(*pressed: str) -> Before:
    """Wait until the screen is at rest, press keys, and wait again."""

    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        for key in pressed:
            await pilot.press(key)
            await settled(pilot)

    return before


@pytest.fixture
def stopped_run(demo_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The demo store, three hours after the process of its active run has gone."""
    directory = Path.home() / "stopped"
    shutil.copytree(demo_directory, directory)
    for path in directory.rglob("*"):
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    monkeypatch.setattr("flowtui.clock.now", lambda: NOW + timedelta(hours=3))
    with closing(open_store(directory)) as store:
        yield store
    shutil.rmtree(directory)


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x40", "200x60"])
def test_runs(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    assert snap_compare(app_on(demo, None), terminal_size=size, run_before=keys())


@BOTH
@pytest.mark.parametrize("run", [ACTIVE, None], ids=["overview", "runs"])
def test_stopped(
    snap_compare: Snap, stopped_run: Store, size: tuple[int, int], run: str | None
) -> None:
    assert snap_compare(app_on(stopped_run, run), terminal_size=size, run_before=keys())


@BOTH
def test_quiet(snap_compare: Snap, stopped_run: Store, size: tuple[int, int]) -> None:
    with held(stopped_run.resolve(ACTIVE).database.path):
        app = app_on(stopped_run, ACTIVE)
        assert snap_compare(app, terminal_size=size, run_before=keys())


@BOTH
def test_runs_empty(
    snap_compare: Snap, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    directory = Path.home() / f"new-store-{size[0]}"
    monkeypatch.chdir(Path.home())
    with StoreWriter(directory):
        pass
    app = app_on(open_store(directory), None)
    assert snap_compare(app, terminal_size=size, run_before=keys())


@BOTH
def test_runs_unreadable(snap_compare: Snap, demo_directory: Path, size: tuple[int, int]) -> None:
    directory = Path.home() / f"broken-{size[0]}"
    shutil.copytree(demo_directory, directory)
    store = open_store(directory)
    (directory / "meta.db").write_bytes(b"no database" * 1000)
    assert snap_compare(app_on(store, None), terminal_size=size, run_before=keys())


@BOTH
def test_runs_reading(
    snap_compare: Snap, demo: Store, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setattr(run_rows, "ordered", wait_for_cancel)
    assert snap_compare(app_on(demo, None), terminal_size=size, run_before=shows("reading"))


def test_runs_filtered(snap_compare: Snap, demo: Store) -> None:
    typed = keys("slash", *"val", "slash", *"accuracy>0.7", "space", *"and", "space", *"lr<1e")
    assert snap_compare(app_on(demo, None), terminal_size=SMALL, run_before=typed)


def test_runs_filtered_by_nothing_known(snap_compare: Snap, demo: Store) -> None:
    typed = keys("slash", *"lr 0.1 learning_ratee < 1")
    assert snap_compare(app_on(demo, None), terminal_size=SMALL, run_before=typed)


def test_runs_columns(snap_compare: Snap, demo: Store) -> None:
    assert snap_compare(app_on(demo, None), terminal_size=SMALL, run_before=keys("c"))


def test_runs_sort(snap_compare: Snap, demo: Store) -> None:
    assert snap_compare(app_on(demo, None), terminal_size=SMALL, run_before=keys("s"))


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x40", "200x60"])
def test_overview(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    assert snap_compare(app_on(demo, VISION), terminal_size=size, run_before=keys())


@pytest.mark.parametrize("pane", ["parameters", "models", "run"])
def test_overview_panes(snap_compare: Snap, demo: Store, pane: str) -> None:
    tabs = {"parameters": 1, "models": 2, "run": 3}[pane]
    unfold = ["down", "right", "down", "right"] if pane == "parameters" else []
    before = keys(*["tab"] * tabs, *unfold)
    assert snap_compare(app_on(demo, VISION), terminal_size=SMALL, run_before=before)


@BOTH
def test_overview_empty(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    assert snap_compare(app_on(demo, EMPTY), terminal_size=size, run_before=keys("f"))


@BOTH
def test_overview_unreadable(
    snap_compare: Snap, demo_directory: Path, size: tuple[int, int]
) -> None:
    directory = Path.home() / f"damaged-{size[0]}"
    shutil.copytree(demo_directory, directory)
    store = open_store(directory)
    run = store.resolve(VISION).row
    (directory / run.id / "exp.db").write_bytes(b"no database" * 1000)
    assert snap_compare(app_on(store, VISION), terminal_size=size, run_before=keys())


@BOTH
def test_overview_reading(
    snap_compare: Snap, demo: Store, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setattr(logged_params, "params", wait_for_cancel)
    assert snap_compare(app_on(demo, VISION), terminal_size=size, run_before=shows("reading"))


def test_overview_not_following(snap_compare: Snap, demo: Store) -> None:
    # Not following, because how old a file is depends on the clock of the file system.
    assert snap_compare(app_on(demo, ACTIVE), terminal_size=MIDDLE, run_before=keys("f"))


@pytest.mark.parametrize("theme", ["flow-light", "flow-colorblind", "ansi"])
def test_overview_themes(snap_compare: Snap, demo: Store, theme: str) -> None:
    app = app_on(demo, VISION, theme=theme)
    assert snap_compare(app, terminal_size=MIDDLE, run_before=keys())


@pytest.mark.parametrize("tab", ["traces", "evals"])
def test_cursor_in_terminal_colours(snap_compare: Snap, demo: Store, tab: str) -> None:
    """Where it has the keys, and where another pane has them."""
    app = app_on(demo, AGENT, tab, theme="ansi")
    pressed = {"traces": [*WITH_ERRORS, "tab"], "evals": ["7"]}[tab]
    shown = {"traces": "Error", "evals": "faithfulness"}[tab]
    before = has_rested(*pressed, until_shows=shown)
    assert snap_compare(app, terminal_size=MIDDLE, run_before=before)


def test_dialog_in_terminal_colours(snap_compare: Snap, demo: Store) -> None:
    """What is below stays in sight, but for keys that do not work."""
    app = app_on(demo, VISION, theme="ansi")
    assert snap_compare(app, terminal_size=SMALL, run_before=keys("D"))


@pytest.mark.parametrize("tab", ["traces", "evals", "attachments"])
def test_tabs_unreadable(snap_compare: Snap, demo_directory: Path, tab: str) -> None:
    directory = Path.home() / f"damaged-{tab}"
    shutil.copytree(demo_directory, directory)
    store = open_store(directory)
    run = store.resolve(AGENT).row
    (directory / run.id / "exp.db").write_bytes(b"no database" * 1000)
    assert snap_compare(app_on(store, AGENT, tab), terminal_size=SMALL, run_before=keys())


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x40", "200x60"])
def test_metrics(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    app = app_on(demo, VISION, "metrics")
    assert snap_compare(app, terminal_size=size, run_before=keys("right"))


def test_metrics_folded_and_pinned(snap_compare: Snap, demo: Store) -> None:
    app = app_on(demo, VISION, "metrics")
    chosen = keys("right", "p", "down", "space", "slash", *"a")
    assert snap_compare(app, terminal_size=MIDDLE, run_before=chosen)


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x40", "200x60"])
def test_metrics_zoomed(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    app = app_on(demo, VISION, "metrics")
    zoom = keys("right", "enter", "M", "plus", "plus", "left", "left", "o")
    assert snap_compare(app, terminal_size=size, run_before=zoom)


@BOTH
def test_metrics_overlaid(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    app = app_on(demo, VISION, "metrics")
    chosen = keys("enter", "w", "w", "w", "w", "t", "v", "space", "down", "down", "space", "enter")
    assert snap_compare(app, terminal_size=size, run_before=chosen)


def test_metrics_in_blocks(snap_compare: Snap, demo: Store) -> None:
    app = app_on(demo, VISION, "metrics")
    assert snap_compare(app, terminal_size=SMALL, run_before=keys("b"))


def test_metrics_export(snap_compare: Snap, demo: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path.home())
    app = app_on(demo, VISION, "metrics")
    assert snap_compare(app, terminal_size=SMALL, run_before=keys("enter", "x", "down"))


@BOTH
def test_metrics_unreadable(
    snap_compare: Snap, demo_directory: Path, size: tuple[int, int]
) -> None:
    directory = Path.home() / f"metrics-damaged-{size[0]}"
    shutil.copytree(demo_directory, directory)
    store = open_store(directory)
    run = store.resolve(VISION).row
    (directory / run.id / "exp.db").write_bytes(b"no database" * 1000)
    assert snap_compare(app_on(store, VISION, "metrics"), terminal_size=size, run_before=keys())


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Store]:
    """A store whose traces are turns of two sessions."""
    directory = Path.home() / "sessions"
    with StoreWriter(directory, clock=lambda: NOW) as writer:
        writer.start_run("run", "run")
        with writer.experiment("run") as experiment:
            experiment.spans(traced_sessions())
        writer.end_run("run", status="completed", duration=60.0)
    with closing(open_store(directory)) as store:
        yield store
    shutil.rmtree(directory)


def test_traces_filtered(snap_compare: Snap, demo: Store) -> None:
    typed = keys("slash", *"errors and execution_time > 2s")
    assert snap_compare(app_on(demo, AGENT, "traces"), terminal_size=SMALL, run_before=typed)


@BOTH
@pytest.mark.parametrize("tab", ["traces", "evals", "attachments"])
def test_tabs(snap_compare: Snap, demo: Store, tab: str, size: tuple[int, int]) -> None:
    assert snap_compare(app_on(demo, AGENT, tab), terminal_size=size, run_before=keys())


@BOTH
def test_trace_groups(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    app = app_on(demo, AGENT, "traces")
    assert snap_compare(app, terminal_size=size, run_before=keys("b", *["down"] * 3, "enter"))


@BOTH
def test_session(snap_compare: Snap, sessions: Store, size: tuple[int, int]) -> None:
    app = app_on(sessions, "run", "traces")
    assert snap_compare(app, terminal_size=size, run_before=keys("b", "down", "enter", "c"))


WITH_ERRORS = ("slash", *"errors", "enter", "down", "enter")


def has_rested(*pressed: str, until_shows: str) -> Before:
    """Press keys, and wait until the span that the cursor came to is read."""

    async def before(pilot: Pilot[None]) -> None:
        await keys(*pressed)(pilot)
        await until(lambda: until_shows in screen_text(pilot), until_shows)
        await settled(pilot)

    return before


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x40", "200x60"])
def test_trace(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    app = app_on(demo, AGENT, "traces")
    shown = "line 88, in call" if size == SMALL else "none yet"
    before = has_rested(*WITH_ERRORS, until_shows=shown)
    assert snap_compare(app, terminal_size=size, run_before=before)


@BOTH
def test_trace_chat(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    app = app_on(demo, AGENT, "traces")
    pane = ["|", "tab"] if size == SMALL else []
    before = has_rested(*WITH_ERRORS, "G", *pane, until_shows="wrong colour")
    assert snap_compare(app, terminal_size=size, run_before=before)


def test_trace_searched(snap_compare: Snap, demo: Store) -> None:
    app = app_on(demo, AGENT, "traces")
    typed = ("slash", *"cancelled", "enter", "w")
    before = has_rested(*WITH_ERRORS, *typed, until_shows="Tool")
    assert snap_compare(app, terminal_size=MIDDLE, run_before=before)


def test_trace_reading(snap_compare: Snap, demo: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span_rows, "mark", wait_for_cancel)
    app = app_on(demo, AGENT, "traces")
    assert snap_compare(app, terminal_size=SMALL, run_before=opens_and_shows("reading…"))


@BOTH
def test_annotate(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    app = app_on(demo, AGENT, "traces")
    before = has_rested(*WITH_ERRORS, "a", "right", until_shows="Annotate span")
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x40", "200x60"])
def test_evals(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    app = app_on(demo, AGENT, "evals")
    before = has_rested("7", until_shows="faithfulness")
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [SMALL, MIDDLE, LARGE], ids=["80x24", "120x40", "200x60"])
def test_sample(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    app = app_on(demo, AGENT, "evals")
    before = has_rested("7", "down", "enter", until_shows="Inputs")
    assert snap_compare(app, terminal_size=size, run_before=before)


def test_evals_columns(snap_compare: Snap, demo: Store) -> None:
    app = app_on(demo, AGENT, "evals")
    assert snap_compare(app, terminal_size=SMALL, run_before=keys("c", "right"))


def test_evals_filtered(snap_compare: Snap, demo: Store) -> None:
    app = app_on(demo, AGENT, "evals")
    typed = keys("slash", *"faithfulness < 0.5 and topic =")
    assert snap_compare(app, terminal_size=SMALL, run_before=typed)


@BOTH
def test_review(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    app = app_on(demo, AGENT, "evals")
    before = has_rested("7", "R", until_shows="Inputs")
    assert snap_compare(app, terminal_size=size, run_before=before)


FILES = {
    "predictions.csv": "data", "confusion_matrix.png": "plots", "model_card.docx": "reports",
    "report.md": "reports", "report.pdf": "reports", "train.py": "",
}  # fmt: skip
"""The folders of files that are shown."""


@pytest.mark.parametrize("name", FILES)
def test_attachment(snap_compare: Snap, demo: Store, name: str) -> None:
    async def read(pilot: Pilot[None]) -> None:
        await settled(pilot)
        path = "/".join(filter(None, (FILES[name], name)))
        # In one go: what a file on the way is gets known where its preview has had the time.
        assert pilot.app.screen.query_one(FileTree).go_to(path)
        preview = pilot.app.screen.query_one(FilePreview)
        await until(lambda: preview.source is not None and preview.source.key.endswith(name), name)
        await until(lambda: preview.kind is not None, "the preview")
        await settled(pilot)

    app = app_on(demo, VISION, "attachments")
    assert snap_compare(app, terminal_size=MIDDLE, run_before=read)


@pytest.mark.parametrize("tab", ["metrics", "traces", "evals", "attachments"])
def test_tabs_empty(snap_compare: Snap, demo: Store, tab: str) -> None:
    assert snap_compare(app_on(demo, EMPTY, tab), terminal_size=SMALL, run_before=keys("f"))


@BOTH
def test_keys(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    assert snap_compare(app_on(demo, VISION), terminal_size=size, run_before=keys("question_mark"))


@pytest.mark.parametrize("size", [SMALL, (40, 10)], ids=["80x24", "40x10"])
def test_commands(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    pressed = keys("ctrl+p", "r", "u", "n", "down")
    assert snap_compare(app_on(demo, VISION), terminal_size=size, run_before=pressed)


@pytest.mark.parametrize("size", [SMALL, MIDDLE, (40, 10)], ids=["80x24", "120x40", "40x10"])
def test_hostile_text(snap_compare: Snap, size: tuple[int, int]) -> None:
    directory = Path.home() / f"hostile-{size[0]}"
    write_hostile(directory)
    assert snap_compare(
        app_on(open_store(directory), "hostile"), terminal_size=size, run_before=keys("tab")
    )


HOSTILE = (
    "[bold red]markup[/] \x1b[2J\x1b]0;title\x07 \x9b31m \u202egnol\u202c nul\0 tab\t"
    + "e\u0301\u0302\u0303\u0304\u0305 "
    + "長い" * 40
)


def write_hostile(directory: Path) -> None:
    """Write a store in which every text is what a terminal must not be sent."""
    with StoreWriter(directory, clock=lambda: NOW) as writer:
        writer.start_run(
            "hostile", HOSTILE, group=HOSTILE, tags=[HOSTILE, "x" * 5000], description=HOSTILE
        )
        with writer.experiment("hostile") as experiment:
            experiment.params({HOSTILE: HOSTILE, "nested": {HOSTILE: [HOSTILE]}, "k" * 5000: 1})
            experiment.metrics([(HOSTILE, 1.0, 1, NOW), ("train/[/x]", 2.0, 1, NOW)])
        writer.end_run("hostile", status="completed", duration=1.0)
    with sqlite3.connect(directory / "hostile" / "exp.db") as connection:
        connection.execute("update static_params set value_type = ?", (HOSTILE,))
    connection.close()


def wait_for_cancel(*_: object, **__: object) -> None:
    """Stand in for a read that takes for ever, and ends when it is left."""
    import time

    worker = get_current_worker()
    while not worker.is_cancelled:
        time.sleep(0.005)
    raise ReadCancelled("the read was left")


def opens_and_shows(text: str) -> Before:
    """Wait until the screen is at rest, press Enter, and wait until it shows a text."""

    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("enter")
        await shows(text)(pilot)

    return before


def shows(text: str) -> Before:
    """Wait until the screen shows a text."""

    async def before(pilot: Pilot[None]) -> None:
        await until(lambda: text in screen_text(pilot), f"{text!r} on the screen")
        await pilot.pause()

    return before


@BOTH
def test_no_store(
    snap_compare: Snap, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.chdir(Path.home())
    where = StoreLocation(Path.home() / ".luml" / "experiments", "the default place")
    app = WelcomeApp(Options(user="ana"), where, lambda: False)
    assert snap_compare(app, terminal_size=size, run_before=keys())


@BOTH
def test_no_store_but_runs_of_others(
    snap_compare: Snap, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.chdir(Path.home())
    where = StoreLocation(Path.home() / ".luml" / "experiments", "the default place")
    others = (
        SeenRuns(Path("logs"), "TensorBoard", 12),
        SeenRuns(Path("my runs"), "Weights & Biases", 1),
    )
    app = WelcomeApp(Options(user="ana"), where, lambda: False, others)
    assert snap_compare(app, terminal_size=size, run_before=keys())
