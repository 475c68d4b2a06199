"""How the dialogs of an upload, of a receiver of spans, and of leaving them look.

All but the key's screen and the port's question are opened by their key. What goes on
behind them stands still: how far an upload is by the time of
the picture, and which port is free, no run of a test could say.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.jobs.receiver import Receiver, ReceiverRequest, ReceiverTally
from flowtui.jobs.receiver import ReceiverPhase as Receiving
from flowtui.jobs.receiver import ReceiverState as ReceiverState
from flowtui.jobs.upload import Plan, Upload, UploadItem, UploadOutcome, UploadState, pack_run
from flowtui.registry.client import Registry
from flowtui.registry.errors import Unreachable
from flowtui.registry.progress import Phase, Progress
from flowtui.registry.values import Destination, Labels, Organization
from flowtui.screens.collect.flow import Collector
from flowtui.screens.dialogs.confirm import ConfirmScreen
from flowtui.screens.upload import preflight
from flowtui.screens.upload.connecting import NO_KEY
from flowtui.screens.upload.flow import Uploads
from flowtui.screens.upload.key import KeyScreen
from flowtui.screens.upload.lists import PickList
from flowtui.screens.upload.screen import UploadScreen
from flowtui.store.store import Store
from flowtui.store.uploaded import LocalType
from tests.conftest import NOW, open_store
from tests.pilot.pilot import screen_text, settled, until
from tests.snapshot.test_screens import ACTIVE, AGENT, BOTH, VISION, Before, Snap, app_on, keys
from tests.unit.fake_registry import DESTINATION, KEY, FakeRegistry, served

pytestmark = pytest.mark.usefixtures("stopped_clock")
Step = Callable[[Pilot[None]], object]
SERVER = "https://luml.example"
PORT = 4318
ENVIRONMENT = (
    f"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:{PORT}",
    "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
)


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take key, server and memory from nowhere else, and have a disk that is as full as ever."""
    monkeypatch.setenv("FLOW_TUI_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("LUML_API_KEY", KEY)
    monkeypatch.setenv("LUML_BASE_URL", SERVER)
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    usage = shutil.disk_usage("/")._replace(free=48 << 30)
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda _: usage)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRegistry]:
    """A registry that is the one to upload to."""
    with served() as fake:
        monkeypatch.setenv("LUML_BASE_URL", fake.url)
        yield fake


# The form ------------------------------------------------------------------------------------


def form(*pressed: str, until_shows: str = "Before") -> Before:
    """Press U, wait until everything that is asked is there, and press further keys."""

    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("U")
        await until(lambda: isinstance(pilot.app.screen, UploadScreen), "the form")
        await until(lambda: _has_collection(pilot), "a collection")
        await until(lambda: until_shows in screen_text(pilot), until_shows)
        await keys(*pressed)(pilot)

    return before


def _has_collection(pilot: Pilot[None]) -> bool:
    lists = pilot.app.screen.query("#collection").results(PickList)
    return any(found.entry is not None for found in lists)


@BOTH
def test_upload(
    snap_compare: Snap, demo: Store, registry: FakeRegistry, size: tuple[int, int]
) -> None:
    assert snap_compare(app_on(demo, VISION), terminal_size=size, run_before=form())


@BOTH
def test_upload_with_models(
    snap_compare: Snap, demo: Store, registry: FakeRegistry, size: tuple[int, int]
) -> None:
    to_parcel = ["tab"] * 6

    async def before(pilot: Pilot[None]) -> None:
        await form(*to_parcel, "down", "space")(pilot)
        await until(lambda: "Everything" in screen_text(pilot), "a collection for both")
        await until(lambda: "Before" in screen_text(pilot), "the copies")
        await settled(pilot)

    assert snap_compare(app_on(demo, VISION), terminal_size=size, run_before=before)


@BOTH
def test_upload_with_objections(
    snap_compare: Snap, demo_directory: Path, registry: FakeRegistry, size: tuple[int, int]
) -> None:
    """An active run that the collection has already; what was typed has to be mended first."""
    directory = Path.home() / f"active-{size[0]}"
    shutil.copytree(demo_directory, directory)
    for path in directory.rglob("*"):
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    store = open_store(directory)
    run = store.resolve(ACTIVE)
    registry.artifacts["art-1"] = copy_of(run.id)
    erase = ["tab"] * 3 + ["ctrl+u"]
    before = form(*erase, "ctrl+s", until_shows="1 copy")
    assert snap_compare(app_on(store, ACTIVE), terminal_size=size, run_before=before)


@BOTH
def test_upload_without_right(
    snap_compare: Snap, demo: Store, registry: FakeRegistry, size: tuple[int, int]
) -> None:
    before = form("right", "down")
    assert snap_compare(app_on(demo, VISION), terminal_size=size, run_before=before)


@BOTH
def test_upload_unreachable(
    snap_compare: Snap, demo: Store, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    def organizations(_: Registry) -> tuple[Organization, ...]:
        raise Unreachable(f"{SERVER} cannot be reached: Temporary failure in name resolution")

    monkeypatch.setattr(Registry, "organizations", organizations)

    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("U")
        await until(lambda: isinstance(pilot.app.screen, UploadScreen), "the form")
        await until(lambda: "free in" in screen_text(pilot), "the sizes")
        await settled(pilot)

    assert snap_compare(app_on(demo, VISION), terminal_size=size, run_before=before)


@BOTH
def test_upload_narrowed(
    snap_compare: Snap, demo: Store, registry: FakeRegistry, size: tuple[int, int]
) -> None:
    registry.collections = [
        {"id": f"col-{n}", "name": name, "type": "experiment", "description": ""}
        for n, name in enumerate(COLLECTIONS)
    ]
    before = form("right", "right", *"arch")
    assert snap_compare(app_on(demo, VISION), terminal_size=size, run_before=before)


def copy_of(run_id: str) -> dict[str, object]:
    return {
        "id": "art-1",
        "name": ACTIVE,
        "status": "uploaded",
        "created_at": "2026-06-11T08:15:00Z",
        "manifest": {"payload": {"local_experiment_id": run_id}},
    }


COLLECTIONS = (
    "Baselines", "Ablations", "Architecture search", "Archive 2024", "Archive 2025",
    "Augmentation", "Distillation", "A collection whose name is much longer than its list is wide",
    "Released", "Sweeps",
)  # fmt: skip


# The key -------------------------------------------------------------------------------------


def pushed_key_screen(reason: str, *pressed: str) -> Before:
    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        pilot.app.push_screen(KeyScreen(SERVER, reason))
        await until(lambda: isinstance(pilot.app.screen, KeyScreen), "the key's screen")
        await keys(*pressed)(pilot)

    return before


REFUSED = f"{SERVER} does not know this key (it is from LUML_API_KEY in the environment)"


@BOTH
@pytest.mark.parametrize("reason", [NO_KEY, REFUSED], ids=["none", "refused"])
def test_key(snap_compare: Snap, demo: Store, size: tuple[int, int], reason: str) -> None:
    before = pushed_key_screen(reason)
    assert snap_compare(app_on(demo, VISION), terminal_size=size, run_before=before)


@BOTH
def test_key_that_is_none(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    before = pushed_key_screen(NO_KEY, *"two words", "enter")
    assert snap_compare(app_on(demo, VISION), terminal_size=size, run_before=before)


# How far an upload is ------------------------------------------------------------------------


@dataclass
class StillUpload:
    """An upload at one moment."""

    plan: Plan
    state: UploadState
    is_cancelling: bool = False

    @property
    def is_running(self) -> bool:
        return self.state.outcome is UploadOutcome.RUNNING

    def cancel(self) -> None:
        """Nothing runs."""

    def close(self) -> bool:
        return True


SENDING = UploadState(
    UploadOutcome.RUNNING,
    Progress(Phase.SENDING, 134_217_728, 402_653_184, 11_534_336.0),
    number=1,
    item_count=1,
    title=VISION,
)
UPLOADS = {
    "packing": replace(SENDING, progress=Progress(Phase.PACKING, 20_000_000, 402_653_184)),
    "sending": SENDING,
    "confirming": replace(SENDING, progress=Progress(Phase.CONFIRMING), item_count=3, number=2),
    "failed": replace(
        SENDING,
        outcome=UploadOutcome.FAILED,
        progress=replace(SENDING.progress, phase=Phase.FAILED, rate_bytes_s=None),
        problem="the storage answered 503 to part 17 of 48, five times in a row; it may be busy",
    ),
    "refused": replace(
        SENDING,
        outcome=UploadOutcome.FAILED,
        progress=Progress(Phase.FAILED),
        problem=f"{SERVER} does not know this key",
        needs_key=True,
    ),
    "done": replace(SENDING, outcome=UploadOutcome.DONE, progress=Progress(Phase.DONE)),
}


def uploading(
    state: UploadState, to: Destination = DESTINATION, is_cancelling: bool = False
) -> Step:
    """Put an upload that stands still behind the app."""

    def put(pilot: Pilot[None]) -> None:
        app = cast("FlowApp", pilot.app)
        uploads = Uploads(app)
        run_id = app.frame.run.id  # type: ignore[union-attr]
        item = UploadItem(LocalType.EXPERIMENT, run_id, Labels(VISION), pack_run(app.store, run_id))
        plan = Plan(run_id, to, (item,), ())
        uploads._upload = cast("Upload", StillUpload(plan, state, is_cancelling))
        app.background._uploads = uploads
        app.show_frame()

    return put


def behind(*steps: Step, then: str) -> Before:
    """Put things behind the app, press a key, and wait until a dialog is there."""

    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        for step in steps:
            step(pilot)
        await settled(pilot)
        screens = len(pilot.app.screen_stack)
        await pilot.press(then)
        await until(lambda: len(pilot.app.screen_stack) > screens, "a dialog")
        await settled(pilot)

    return before


@BOTH
@pytest.mark.parametrize("state", UPLOADS)
def test_progress(snap_compare: Snap, demo: Store, size: tuple[int, int], state: str) -> None:
    before = behind(uploading(UPLOADS[state]), then="U")
    assert snap_compare(app_on(demo, VISION), terminal_size=size, run_before=before)


@BOTH
def test_progress_cancelling(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    before = behind(uploading(SENDING, is_cancelling=True), then="U")
    assert snap_compare(app_on(demo, VISION), terminal_size=size, run_before=before)


# A receiver ----------------------------------------------------------------------------------


@dataclass
class StillReceiver:
    """A receiver at one moment."""

    request: ReceiverRequest
    state: ReceiverState

    def stop(self) -> None:
        """Nothing runs."""

    def close(self, wait_s: float) -> None:
        """Nothing runs."""


LISTENING = ReceiverState(Receiving.LISTENING, PORT, ENVIRONMENT)
RECEIVERS = {
    "waiting": LISTENING,
    "receiving": replace(
        LISTENING, tally=ReceiverTally(1_204, dropped=3, refused=1, last_name="chat gpt-4o-mini")
    ),
    "not-written": replace(
        LISTENING,
        tally=ReceiverTally(1_204, last_name="tool.order_cancel", trouble="the disk is full"),
    ),
    "starting": ReceiverState(port=PORT),
    "stopping": replace(
        LISTENING,
        phase=Receiving.STOPPING,
        tally=ReceiverTally(1_204, last_name="chat gpt-4o-mini"),
    ),
}


def collecting(state: ReceiverState) -> Step:
    """Put a receiver that stands still behind the app."""

    def put(pilot: Pilot[None]) -> None:
        app = cast("FlowApp", pilot.app)
        collector = Collector(app)
        run = app.frame.run  # type: ignore[union-attr]
        request = ReceiverRequest(app.store.opened(run), app.store.directory, PORT)
        collector._receiver = cast("Receiver", StillReceiver(request, state))
        app.background._collector = collector
        app.show_frame()

    return put


@BOTH
@pytest.mark.parametrize("state", RECEIVERS)
def test_collect(snap_compare: Snap, demo: Store, size: tuple[int, int], state: str) -> None:
    before = behind(collecting(RECEIVERS[state]), then="C")
    assert snap_compare(app_on(demo, AGENT, "traces"), terminal_size=size, run_before=before)


# Questions -----------------------------------------------------------------------------------


@BOTH
def test_leave(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    both = uploading(SENDING), collecting(RECEIVERS["receiving"])
    before = behind(*both, then="q")
    assert snap_compare(app_on(demo, AGENT, "traces"), terminal_size=size, run_before=before)


@BOTH
def test_port_taken(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        collector = Collector(cast("FlowApp", pilot.app))
        request = ReceiverRequest(demo.resolve(AGENT), demo.directory, PORT)
        pilot.app.run_worker(collector._offer_free_port(request))
        await until(lambda: isinstance(pilot.app.screen, ConfirmScreen), "the question")
        await settled(pilot)

    assert snap_compare(app_on(demo, AGENT, "traces"), terminal_size=size, run_before=before)
