"""Collecting spans from within the app: C in the Traces tab, what it says, and how it ends."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.app.app import FlowApp
from flowtui.cli.collect import collect
from flowtui.cli.export import export
from flowtui.cli.stores import open_store as open_any
from flowtui.cli.target_run import Target
from flowtui.collector.listening import Listening
from flowtui.screens.collect import flow as collect_flow
from flowtui.screens.collect.screen import CollectScreen
from flowtui.screens.dialogs.confirm import ConfirmScreen
from flowtui.screens.upload.progress import LeaveScreen
from flowtui.store import counts as counting
from flowtui.store.errors import DatabaseReadOnly
from flowtui.store.liveness.standing import Standing
from flowtui.store.otlp.ingesting import Batch
from flowtui.store.otlp.items import OtlpSpan
from flowtui.store.store import Store
from flowtui.store.values import Counts
from flowtui.widgets.cells import width_of
from flowtui.widgets.frame.frame import Frame, JobMark, UploadMark, run_line
from flowtui.widgets.host import Options
from flowtui.widgets.lists.virtual_table import VirtualTable
from tests.conftest import open_store
from tests.pilot.pilot import PATIENCE_S, opened, screen_lines, screen_text, settled, until
from tests.unit.fake_registry import KEY, served
from tests.unit.otlp_samples import START_NS, pairs, span, spans_of, traces
from tests.unit.stores import one_run

ENDPOINT = "http://127.0.0.1:"


@pytest.fixture
def free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """C listens wherever there is room: others may have the usual port."""
    monkeypatch.setattr(collect_flow, "PORT", 0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Two active runs without spans."""
    one_run(tmp_path / "store")
    one_run(tmp_path / "store", run_id="run-2")
    with closing(open_store(tmp_path / "store")) as opened_store:
        yield opened_store


def flow(pilot: Pilot[None]) -> FlowApp:
    assert isinstance(pilot.app, FlowApp)
    return pilot.app


async def shown(pilot: Pilot[None], text: str) -> None:
    await until(lambda: text in screen_text(pilot), f"{text!r} on the screen")


async def gone(pilot: Pilot[None], kind: type) -> None:
    await until(lambda: not isinstance(pilot.app.screen, kind), f"the end of {kind.__name__}")


def endpoint_port(pilot: Pilot[None]) -> int:
    return int(screen_text(pilot).partition(ENDPOINT)[2].split()[0])


@asynccontextmanager
async def collecting(
    store: Store, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Pilot[None], int]]:
    """The Traces tab of run-1 with a receiver that listens, and its port."""
    async with opened(store, "run-1", size, tab="traces") as pilot:
        await pilot.press("C")
        await shown(pilot, ENDPOINT)
        yield pilot, endpoint_port(pilot)


async def post(port: int, *numbers: int, bad: int = 0) -> int:
    """Send spans, and some that are none; return the status of the answer."""
    made = [span(number) for number in numbers]
    for _ in range(bad):
        wrong = span(0)
        wrong.trace_id = b"short"
        made.append(wrong)
    data = traces(*made).SerializeToString()

    def send() -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as to:
            to.request("POST", "/v1/traces", data, {"content-type": "application/x-protobuf"})
            return to.getresponse().status

    return await asyncio.to_thread(send)


def is_refused(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


async def test_spans_that_are_sent_appear_in_the_tab_and_in_the_frame(
    free_port: None, store: Store
) -> None:
    async with collecting(store) as (pilot, port):
        await shown(pilot, f"⇣ {port}  0 spans")
        assert await post(port, 1, 2, bad=3) == 200
        await shown(pilot, f"⇣ {port}  2 spans  3 dropped")
        await until(lambda: pilot.app.screen.query_one(VirtualTable).line_count == 1, "the trace")
        await pilot.press("1")
        await shown(pilot, f"⇣ {port}  2 spans")


async def test_c_again_says_where_to_what_came_and_stops_it(
    free_port: None, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    monkeypatch.setattr(FlowApp, "copy", lambda _, text: copied.append(text))
    async with collecting(store, (80, 24)) as (pilot, port):
        await post(port, 1, 2, bad=1)
        await pilot.press("C")
        await until(lambda: isinstance(pilot.app.screen, CollectScreen), "the modal")
        await shown(pilot, "2 spans  ▲ 1 dropped")
        await shown(pilot, "Last      span 2")
        await pilot.press("y")
        await until(lambda: copied == [f"OTEL_EXPORTER_OTLP_ENDPOINT={ENDPOINT}{port}"], "the copy")
        await pilot.press("escape")
        await gone(pilot, CollectScreen)
        assert not is_refused(port)
        await pilot.press("C", "s")
        await shown(pilot, "2 spans into run-1")
        assert flow(pilot).frame.collect is None  # type: ignore[union-attr]
        assert is_refused(port)
        await pilot.press("C")
        await shown(pilot, "⇣ ")


async def test_what_cannot_be_written_is_said(free_port: None, store: Store) -> None:
    async with collecting(store) as (pilot, port):
        path = store.run("run-1").database.path
        path.rename(path.with_name("away.db"))
        assert await post(port, 1) == 503
        await shown(pilot, f"✗ {port} not written  C")
        await pilot.press("C")
        await shown(pilot, "not written: run-1/exp.db is missing")
        path.with_name("away.db").rename(path)


async def test_a_receiver_that_dies_is_told_of(free_port: None, store: Store) -> None:
    async with collecting(store) as (pilot, port):
        await post(port, 1)
        await shown(pilot, "1 span")
        os.kill(child(), signal.SIGKILL)
        await shown(pilot, "the receiver ended with -9")
        assert flow(pilot).frame.collect is None  # type: ignore[union-attr]


def child() -> int:
    """Return the id of this process's one receiver."""
    (found,) = [
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if _status(path).get("PPid") == str(os.getpid())
        and b"--for-program" in (path / "cmdline").read_bytes()
    ]
    return found


def _status(path: Path) -> dict[str, str]:
    try:
        lines = (path / "status").read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def test_a_port_that_is_taken_can_be_another(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(collect_flow, "PORT", port)
        async with opened(store, "run-1", tab="traces") as pilot:
            await pilot.press("C")
            await shown(pilot, f"Port {port} is taken")
            await pilot.press("escape")
            await gone(pilot, ConfirmScreen)
            assert flow(pilot).frame.collect is None  # type: ignore[union-attr]
            await pilot.press("C")
            await shown(pilot, f"Port {port} is taken")
            await pilot.press("y")
            await shown(pilot, ENDPOINT)
            assert endpoint_port(pilot) != port


async def test_one_question_is_about_the_upload_too(
    free_port: None, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOW_TUI_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("LUML_API_KEY", KEY)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with served() as registry:
        registry.faults.puts = ["stall"] * 4
        monkeypatch.setenv("LUML_BASE_URL", registry.url)
        async with collecting(store, (80, 24)) as (pilot, port):
            await pilot.press("U")
            await shown(pilot, "not uploaded before")
            await settled(pilot)
            await pilot.press("ctrl+s")
            await until(registry.stalled.is_set, "the upload")
            await shown(pilot, "↑ ")
            assert f"⇣ {port}" in screen_lines(pilot)[0]
            assert "run-1" in screen_lines(pilot)[0]
            await pilot.press("q")
            await shown(
                pilot, "An upload is under way. Spans are being collected. End both and quit?"
            )
            await pilot.press("c")
            await until(lambda: pilot.app._exit, "the exit")
        assert registry.statuses() == []
    assert is_refused(port)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_top_line_has_room_for_both_marks(store: Store, width: int) -> None:
    upload = UploadMark("run-1", ("↑ 34 %", "12.3 MB/s", "40 s left"))
    collect = JobMark(("⇣ 4318", "1,204 spans", "3 dropped"))
    frame = Frame(
        store.resolve("run-1").row,
        Counts(),
        "~/s",
        Standing(elapsed_s=3.0),
        upload=upload,
        collect=collect,
    )
    line = run_line(frame, width)
    said = "".join(piece.text for piece in line)
    assert width_of(line) <= width
    assert all(text in said for text in ("run-1", "⇣ 4318", "↑ 34 %"))
    assert ("1,204 spans" in said) == (width >= 80)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_quitting_asks_and_keeps_what_was_sent(
    free_port: None, store: Store, key: str
) -> None:
    async with collecting(store) as (pilot, port):
        await pilot.press(key)
        await shown(pilot, "Spans are being collected.")
        await pilot.press("w")
        await gone(pilot, LeaveScreen)
        assert await post(port, 1) == 200
        await pilot.press(key)
        await shown(pilot, "Spans are being collected.")
        await pilot.press("c")
        await until(lambda: pilot.app._exit, "the exit")
    assert is_refused(port)
    assert store.run("run-1").ask(counting.counts).spans == 1


async def test_leaving_from_outside_ends_it(free_port: None, store: Store) -> None:
    async with collecting(store) as (pilot, port):
        flow(pilot).exit(return_code=143)
    await until(lambda: is_refused(port), "the end of the receiver")


async def test_opening_another_run_asks_and_ends_it(free_port: None, store: Store) -> None:
    async with collecting(store) as (pilot, port):
        flow(pilot).open_run(store.resolve("run-2").row)
        await shown(pilot, "Stop collecting, and open the other run?")
        await pilot.press("n")
        await gone(pilot, ConfirmScreen)
        assert flow(pilot).frame.run.id == "run-1"  # type: ignore[union-attr]
        assert not is_refused(port)
        flow(pilot).open_run(store.resolve("run-1").row)
        await settled(pilot)
        assert not isinstance(pilot.app.screen, ConfirmScreen)
        flow(pilot).open_run(store.resolve("run-2").row)
        await shown(pilot, "Stop collecting, and open the other run?")
        await pilot.press("y")
        await until(lambda: flow(pilot).frame.run.id == "run-2", "the other run")  # type: ignore[union-attr]
        assert is_refused(port)


async def test_a_database_that_cannot_be_written_is_no_place_to_collect_into(
    free_port: None, store: Store
) -> None:
    async with opened(store, "run-1", tab="traces") as pilot:
        path = store.run("run-1").database.path
        path.write_bytes(b"")
        await pilot.press("C")
        await shown(pilot, "run-1/exp.db is empty")
        await until(lambda: flow(pilot).frame.collect is None, "no mark")  # type: ignore[union-attr]


def test_a_read_only_database_is_refused_before_anything_listens(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    target = Target("run-1", "run-1", store.run("run-1").database)
    with socket.socket() as bound, pytest.raises(DatabaseReadOnly, match="is read-only for you"):
        collect(target, bound, Listening())


async def test_the_missing_extra_is_named(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(store, "run-1", tab="traces") as pilot:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        await pilot.press("C")
        await shown(pilot, "[receive]")


async def test_read_only_says_why_nothing_is_collected(store: Store) -> None:
    app = FlowApp(store, store.resolve("run-1"), Options(tab="traces", read_only=True))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("C")
        await shown(pilot, "--read-only")


async def test_an_exported_file_takes_no_spans(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "out.luml"
    export(store, store.resolve("run-1"), path)
    with closing(open_any(str(path))) as artifact:
        async with opened(artifact, "latest", tab="traces") as pilot:
            await pilot.press("C")
            await shown(pilot, "exported or uploaded file")


async def test_an_evaluation_that_came_as_an_event_shows_on_its_span(store: Store) -> None:
    made = span(1)
    result = {
        "gen_ai.evaluation.name": "helpfulness",
        "gen_ai.evaluation.score.value": 0.75,
        "gen_ai.evaluation.score.label": "pass",
        "gen_ai.evaluation.explanation": "names a step",
    }
    made.events.add(
        time_unix_nano=START_NS + 5, name="gen_ai.evaluation.result", attributes=pairs(result)
    )
    batch = Batch()
    for one in spans_of(traces(made).SerializeToString()):
        assert isinstance(one, OtlpSpan)
        batch.add(one)
    batch.write(store.run("run-1").database)
    async with opened(store, "run-1", (160, 48), tab="traces") as pilot:
        await pilot.press("enter")
        await shown(pilot, "Evaluations")
        await shown(pilot, "helpfulness")
        await shown(pilot, "0.75")
        await shown(pilot, "names a step")


@pytest.mark.usefixtures("free_port")
async def test_commands_are_not_listed_over_a_question(store: Store) -> None:
    async with collecting(store) as (pilot, _port):
        await pilot.press("ctrl+p", "ctrl+c", "ctrl+p")
        await until(lambda: isinstance(pilot.app.screen, LeaveScreen), "the question")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert len(pilot.app.screen_stack) == 1
        assert pilot.app._exception is None


@pytest.mark.usefixtures("free_port")
async def test_leaving_is_asked_again_on_another_tab(store: Store) -> None:
    async with collecting(store) as (pilot, _port):
        await pilot.press("ctrl+c")
        await until(lambda: isinstance(pilot.app.screen, LeaveScreen), "the question")
        # As what was asked for before it does, when it comes late.
        await pilot.app.switch_mode("metrics")
        await pilot.press("ctrl+c", "ctrl+c")
        await until(lambda: isinstance(pilot.app.screen, LeaveScreen), "the question")
        assert len(pilot.app.screen_stack) == 2
