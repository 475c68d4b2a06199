"""The receiver as a process: what exporters are answered, and that what was promised is there."""

from __future__ import annotations

import gzip
import http.client
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zstandard
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from flowtui.collector.listening import CollectFailed, Listening
from tests.terminal.terminal import FLOW_TUI, PATIENCE_S, Terminal, environment
from tests.unit.log_bodies import recorded
from tests.unit.otlp_samples import document, field, span, traces
from tests.unit.stores import one_run, until

END_S = 5.0
"""Two seconds, and what a busy machine adds; SQLite alone would wait as long."""
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
SMALL_LIMITS = """
import sys
from pathlib import Path
from flowtui.collector.limits import Limits
from flowtui.collector.receiving import application
from flowtui.collector.listening import bound as bound_to
from flowtui.collector.server import serve
from flowtui.collector.writing import Writer
from flowtui.store.database import Database
limits = Limits(body_bytes=100_000, unpacked_bytes=200_000, all_requests=2, header_s=0.3,
                body_s=0.3, drain_s=1)
writer = Writer(Database(Path(sys.argv[1]), "exp.db"), limits)
bound = bound_to("127.0.0.1", 0)
port = bound.getsockname()[1]
writer.start()
serve(application(writer, None, limits), bound,
      lambda: print(f"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:{port}", flush=True),
      lambda: None, writer.hurry, limits)
writer.stop()
"""


@dataclass(frozen=True)
class Answer:
    """What a request was answered."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Collector:
    """A receiver that accepts connections."""

    process: subprocess.Popen[str]
    port: int

    def post(self, body: bytes, path: str = "/v1/traces", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        with closing(connection):
            connection.request("POST", path, body, {**PROTOBUF, **named})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err


Start = Callable[..., Collector]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a receiver, by default the command with these arguments on a free port."""
    with ExitStack() as processes:

        def run(*arguments: object, command: tuple[str, ...] = ()) -> Collector:
            given = ["collect", "--store", tmp_path / "store", "--port", "0", *arguments]
            words = command or (*FLOW_TUI, *map(str, given))
            pipe = subprocess.PIPE
            process = subprocess.Popen(
                words, stdout=pipe, stderr=pipe, text=True, env=environment(tmp_path / "home")
            )
            processes.enter_context(process)
            processes.callback(process.kill)
            assert process.stdout is not None
            for said in process.stdout:
                if said.startswith("OTEL_EXPORTER_OTLP_ENDPOINT="):
                    return Collector(process, int(said.rpartition(":")[2]))
            raise AssertionError(f"it did not start: {process.communicate()[1]}")

        yield run


@pytest.fixture
def limited(start: Start, tmp_path: Path) -> Collector:
    """A receiver with limits that a test can reach, writing into run-1."""
    path = one_run(tmp_path / "store")
    return start(command=(sys.executable, "-c", SMALL_LIMITS, str(path)))


def stored(tmp_path: Path, table: str = "spans", columns: str = "span_id") -> list[Any]:
    name = "meta.db" if table == "experiments" else "*/exp.db"
    (path,) = (tmp_path / "store").glob(name)
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"select {columns} from {table} order by rowid").fetchall()


def body(*numbers: int) -> bytes:
    return traces(*map(span, numbers)).SerializeToString()


def otel_spans(count: int) -> tuple[ReadableSpan, ...]:
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("tests")
    for number in range(count):
        with tracer.start_as_current_span(f"span {number}", attributes={"number": number}):
            pass
    return memory.get_finished_spans()


def test_nothing_is_lost_or_doubled_when_the_receiver_dies_and_comes_back(
    start: Start, tmp_path: Path
) -> None:
    one_run(tmp_path / "store")
    first = start("run-1")
    spans = otel_spans(10_000)
    batches = [spans[at : at + 500] for at in range(0, len(spans), 500)]
    exporter = OTLPSpanExporter(
        f"http://127.0.0.1:{first.port}/v1/traces", compression=Compression.Gzip, timeout=30
    )
    with ThreadPoolExecutor(1) as sending:
        results = sending.map(exporter.export, batches)
        until(lambda: len(stored(tmp_path)) >= 3_000, "some of the spans")
        first.process.kill()
        first.process.wait()
        second = start("run-1", "--port", first.port)
        assert list(results) == [SpanExportResult.SUCCESS] * len(batches)
    exporter.shutdown()
    expected = sorted(f"{made.context.span_id:016x}" for made in spans if made.context)
    assert sorted(span_id for (span_id,) in stored(tmp_path)) == expected
    assert second.stop()[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_new_run_is_completed_at_the_end(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    collector = start("--new", "live", "--group", "g")
    assert stored(tmp_path, "experiments", "name, status") == [("live", "active")]
    assert collector.post(body(1, 2)).status == 200
    code, out, err = collector.stop(number)
    assert (code, err) == (0, "")
    assert "2 spans into live (" in out
    assert stored(tmp_path, "experiments", "name, status") == [("live", "completed")]
    assert len(stored(tmp_path)) == 2


def test_every_answer_is_in_the_encoding_of_its_request(start: Start, tmp_path: Path) -> None:
    one_run(tmp_path / "store")
    collector = start("run-1")
    good, bad = span(1), span(2)
    bad.trace_id = b"short"
    as_json = json.dumps(document(traces(span(3)))).encode()

    answer = collector.post(traces(good, bad).SerializeToString())
    partial = ExportTraceServiceResponse.FromString(answer.body).partial_success
    assert answer.headers["content-type"] == PROTOBUF["content-type"]
    assert (answer.status, partial.rejected_spans) == (200, 1)
    assert "trace id has 5 bytes" in partial.error_message

    answer = collector.post(gzip.compress(body(4)), content_encoding="gzip")
    assert (answer.status, answer.body) == (200, b"")

    answer = collector.post(zstandard.compress(body(5)), content_encoding="zstd")
    assert (answer.status, answer.body) == (200, b"")

    answer = collector.post(as_json, content_type="application/json; charset=utf-8")
    assert (answer.status, json.loads(answer.body)) == (200, {})
    assert answer.headers["content-type"] == "application/json"

    wrong = as_json.replace(b"traceId", b"tracesId")
    answer = collector.post(wrong, content_type="application/json")
    assert json.loads(answer.body)["partialSuccess"]["rejectedSpans"] == "1"

    answer = collector.post(b"\x0a\xff\xff")
    assert (answer.status, answer.headers["content-type"]) == (400, PROTOBUF["content-type"])
    assert answer.body[:3] == b"\x08\x03\x12"

    answer = collector.post(b"{", content_type="application/json")
    assert answer.status == 400
    assert json.loads(answer.body)["code"] == 3
    assert len(stored(tmp_path)) == 4


def test_logs_that_were_acknowledged_join_spans_that_come_after_the_receiver_died(
    start: Start, tmp_path: Path
) -> None:
    one_run(tmp_path / "store")
    logs, metrics, spans = recorded("messages").protobuf
    first = start("run-1")
    for path, sent in (("/v1/logs", logs), ("/v1/metrics", metrics)):
        answer = first.post(sent, path)
        assert (answer.status, answer.body) == (200, b"")
    first.process.kill()
    first.process.wait()
    second = start("run-1")
    assert second.post(spans).status == 200
    counts = [len(json.loads(events)) for (events,) in stored(tmp_path, columns="events")]
    assert sorted(counts) == [3, 6]
    assert second.post(metrics, "/v1/metrics").status == 200
    code, out, err = second.stop()
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "2 spans into run-1 (run-1) · not kept: 2 metrics"


def test_what_is_not_for_it_is_refused_with_a_reason(start: Start, tmp_path: Path) -> None:
    one_run(tmp_path / "store")
    collector = start("run-1")
    assert collector.post(b"", path="/v1/profiles").status == 404
    assert collector.post(b"", content_type="text/plain").status == 415
    assert collector.post(b"", content_encoding="br").status == 415
    assert collector.post(b"no gzip", content_encoding="gzip").status == 400
    assert collector.post(b"no zstd", content_encoding="zstd").status == 400
    connection = http.client.HTTPConnection("127.0.0.1", collector.port, timeout=PATIENCE_S)
    with closing(connection):
        connection.request("GET", "/v1/traces")
        assert connection.getresponse().status == 405


def test_large_bodies_and_bombs_are_refused(limited: Collector) -> None:
    assert limited.post(b"x" * 100_001).status == 413
    bomb = gzip.compress(field(15, bytes(50_000_000)))
    assert limited.post(bomb, content_encoding="gzip").status == 413
    bomb = zstandard.compress(field(15, bytes(50_000_000)))
    assert limited.post(bomb, content_encoding="zstd").status == 413
    many = gzip.compress(field(15, bytes(150_000))) * 2
    assert limited.post(many, content_encoding="gzip").status == 413
    assert limited.post(body(1)).status == 200


def test_those_who_stall_are_left_and_stop_nobody(limited: Collector, tmp_path: Path) -> None:
    heads = [
        b"",
        b"POST /v1/tra",
        b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
        b"Content-Length: 1000\r\n\r\nabc",
    ]
    with ExitStack() as sockets:
        stalled = []
        for head in heads * 20:
            connection = socket.create_connection(("127.0.0.1", limited.port), PATIENCE_S)
            stalled.append(sockets.enter_context(connection))
            connection.sendall(head)
        assert limited.post(body(1)).status == 200
        answers = []
        for connection in stalled:
            answer = b""
            while piece := connection.recv(65_536):
                answer += piece
            answers.append(answer[:12])
    assert answers == [b"", b"", b"HTTP/1.1 408"] * 20
    assert len(stored(tmp_path)) == 1


def test_a_full_queue_asks_to_come_again_and_keeps_its_promises(
    limited: Collector, tmp_path: Path
) -> None:
    path = tmp_path / "store" / "run-1" / "exp.db"
    seen: list[int] = []

    def post(number: int) -> Answer:
        answer = limited.post(body(number))
        seen.append(answer.status)
        return answer

    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        ThreadPoolExecutor(8) as sending,
    ):
        other.execute("begin immediate")
        answers = [sending.submit(post, number) for number in range(8)]
        until(lambda: len(seen) == 6, "six refusals")
        other.execute("rollback")
        found = [answer.result() for answer in answers]
    refused = [answer for answer in found if answer.status == 503]
    assert [answer.headers["retry-after"] for answer in refused] == ["1"] * 6
    kept = sorted(f"{n + 1:016x}" for n, answer in enumerate(found) if answer.status == 200)
    assert sorted(span_id for (span_id,) in stored(tmp_path)) == kept
    assert len(kept) == 2


def test_an_end_waits_for_nobody_and_keeps_its_promises(start: Start, tmp_path: Path) -> None:
    path = one_run(tmp_path / "store")
    collector = start("run-1")
    assert collector.post(body(1)).status == 200
    head = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        closing(socket.create_connection(("127.0.0.1", collector.port), PATIENCE_S)) as stalled,
        closing(socket.create_connection(("127.0.0.1", collector.port), PATIENCE_S)) as waiting,
    ):
        other.execute("begin immediate")
        stalled.sendall(head + b"Content-Length: 1000\r\n\r\nabc")
        sent = body(2)
        waiting.sendall(head + b"Content-Length: %d\r\n\r\n" % len(sent) + sent)
        # It is answered after that was read.
        assert collector.post(b"", path="/").status == 404
        collector.process.send_signal(signal.SIGTERM)
        out, err = collector.process.communicate(timeout=END_S)
        assert waiting.recv(12) == b"HTTP/1.1 503"
        other.execute("rollback")
    assert (collector.process.returncode, err) == (0, "")
    assert "1 span into" in out
    assert stored(tmp_path) == [(f"{2:016x}",)]


def test_a_hundred_posts_at_once_are_all_kept(start: Start, tmp_path: Path) -> None:
    one_run(tmp_path / "store")
    collector = start("run-1")
    barrier = threading.Barrier(100)

    def post(number: int) -> int:
        barrier.wait(PATIENCE_S)
        return collector.post(body(*range(number * 10, number * 10 + 10))).status

    with ThreadPoolExecutor(100) as sending:
        assert set(sending.map(post, range(100))) == {200}
    assert len(stored(tmp_path)) == 1_000


def test_a_token_keeps_others_out(start: Start, tmp_path: Path) -> None:
    one_run(tmp_path / "store")
    collector = start("run-1", "--host", "0.0.0.0", "--token", "sesame")
    for wrong in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic sesame"}):
        answer = collector.post(body(1), **wrong)
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    for right in ("Bearer sesame", "Bearer%20sesame"):
        assert collector.post(body(1), authorization=right).status == 200
    assert len(stored(tmp_path)) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run-1", "--host", "0.0.0.0"], 2, "--token"),
        (["run-1", "--token", ""], 2, "--token is empty"),
        (["run-1", "--new", "x"], 2, "--new NAME"),
        (["nobody"], 1, "nobody"),
        (["run-1", "--port", "PORT"], 1, "cannot listen on 127.0.0.1:"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    one_run(tmp_path / "store")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        words = [port if word == "PORT" else word for word in arguments]
        if "--port" not in words:
            words += ["--port", "0"]
        done = subprocess.run(
            [*FLOW_TUI, "collect", "--store", str(tmp_path / "store"), *words],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            env=environment(tmp_path / "home"),
        )
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CollectFailed, match=r"pip install .*\[receive\]'$"):
        Listening().check()


def test_a_terminal_shows_what_comes_in(tmp_path: Path) -> None:
    words = ["collect", "--store", str(tmp_path / "store"), "--new", "live", "--port", "0"]
    with Terminal([*FLOW_TUI, *words], environment(tmp_path / "home")) as terminal:
        terminal.wait_for("OTEL_EXPORTER_OTLP_ENDPOINT=")
        port = int(terminal.text.partition("http://127.0.0.1:")[2].split()[0])
        collector = Collector(None, port)  # type: ignore[arg-type]  # the terminal has the process
        made = span(2)
        made.name = "evil \x1b[31m"
        assert collector.post(traces(span(1), made).SerializeToString()).status == 200
        terminal.wait_for("2 spans · last: evil")
        assert b"evil \x1b" not in terminal.raw
        terminal.send("\x03")
        terminal.wait_for("2 spans into live")
        assert terminal.wait_exit() == 0
        assert terminal.attributes() == terminal.attributes_before
