"""The receiver over gRPC: what its clients are answered, and that what was promised is there."""

from __future__ import annotations

import gzip
import json
import re
import socket
import sqlite3
import subprocess
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.terminal.terminal import FLOW_TUI, PATIENCE_S, environment
from tests.unit.log_bodies import recorded
from tests.unit.otlp_samples import field, span, traces
from tests.unit.stores import one_run, until

SERVICE = "/opentelemetry.proto.collector.{}.v1.{}Service/Export"
TRACES, LOGS = SERVICE.format("trace", "Trace"), SERVICE.format("logs", "Logs")
METRICS = SERVICE.format("metrics", "Metrics")
SPEAKING = re.compile(r"over gRPC: OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:(\d+) ")


@dataclass(frozen=True)
class Collector:
    """A receiver that answers gRPC."""

    process: subprocess.Popen[str]
    port: int
    http_port: int

    def call(self, body: bytes, method: str = TRACES, **how: Any) -> bytes:
        with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            return channel.unary_unary(method)(body, timeout=PATIENCE_S, **how)  # type: ignore[no-any-return]  # as it was sent

    def stop(self) -> tuple[int, str, str]:
        self.process.terminate()
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err


Start = Callable[..., Collector]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    one_run(tmp_path / "store")
    with ExitStack() as processes:

        def run(*arguments: object) -> Collector:
            given = ["collect", "--store", tmp_path / "store", "--port", "0", *arguments]
            pipe = subprocess.PIPE
            process = subprocess.Popen(
                [*FLOW_TUI, *map(str, given), "run-1"],
                stdout=pipe, stderr=pipe, text=True, env=environment(tmp_path / "home"),
            )  # fmt: skip
            processes.enter_context(process)
            processes.callback(process.kill)
            assert process.stdout is not None
            port = 0
            for said in process.stdout:
                if found := SPEAKING.match(said):
                    port = int(found[1])
                if said.startswith("OTEL_EXPORTER_OTLP_ENDPOINT="):
                    return Collector(process, port, int(said.rpartition(":")[2]))
            raise AssertionError(f"it did not start: {process.communicate()[1]}")

        yield run


def stored(tmp_path: Path, columns: str = "span_id") -> list[Any]:
    (path,) = (tmp_path / "store").glob("*/exp.db")
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"select {columns} from spans order by rowid").fetchall()


def body(*numbers: int) -> bytes:
    return traces(*map(span, numbers)).SerializeToString()


def refused(collector: Collector, sent: bytes, **how: Any) -> tuple[str, str, Status]:
    with pytest.raises(grpc.RpcError) as caught:
        collector.call(sent, **how)
    error: Any = caught.value
    trailing = dict(error.trailing_metadata() or ())
    status = Status.FromString(trailing.get("grpc-status-details-bin", b""))
    return error.code().name, error.details(), status


def test_nothing_is_lost_or_doubled_when_the_receiver_dies_and_comes_back(
    start: Start, tmp_path: Path
) -> None:
    first = start("--grpc-port", 0)
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    for number in range(10_000):
        provider.get_tracer("tests").start_span(f"span {number}").end()
    spans = memory.get_finished_spans()
    batches = [spans[at : at + 500] for at in range(0, len(spans), 500)]
    exporter = OTLPSpanExporter(
        f"http://127.0.0.1:{first.port}", compression=grpc.Compression.Gzip, timeout=30
    )
    with ThreadPoolExecutor(1) as sending:
        results = sending.map(exporter.export, batches)
        until(lambda: len(stored(tmp_path)) >= 3_000, "some of the spans")
        first.process.kill()
        first.process.wait()
        second = start("--grpc-port", first.port)
        assert list(results) == [SpanExportResult.SUCCESS] * len(batches)
    exporter.shutdown()
    expected = sorted(f"{made.context.span_id:016x}" for made in spans if made.context)
    assert sorted(span_id for (span_id,) in stored(tmp_path)) == expected
    assert second.stop()[0] == 0


def test_signals_and_packings_are_answered_as_over_http(start: Start, tmp_path: Path) -> None:
    collector = start("--grpc-port", 0)
    logs, metrics, spans = recorded("messages").protobuf
    assert collector.call(logs, LOGS) == collector.call(metrics, METRICS) == b""
    assert collector.call(spans, compression=grpc.Compression.Deflate) == b""
    counts = [len(json.loads(events)) for (events,) in stored(tmp_path, "events")]
    assert sorted(counts) == [3, 6]
    good, bad = span(1), span(2)
    bad.trace_id = b"short"
    sent = traces(good, bad).SerializeToString()
    answer = collector.call(sent, compression=grpc.Compression.Gzip)
    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    assert (partial.rejected_spans, "trace id has 5 bytes" in partial.error_message) == (1, True)
    wrong = logs.replace(recorded_trace_id(logs), b"\0" * 16)
    partial_logs = ExportLogsServiceResponse.FromString(collector.call(wrong, LOGS)).partial_success
    assert partial_logs.rejected_log_records > 0
    code, out, err = collector.stop()
    assert (code, err) == (0, "")
    assert "3 spans, " in out.splitlines()[-1]


def recorded_trace_id(logs: bytes) -> bytes:
    (resource,) = recorded("messages").logs["resourceLogs"]
    found = bytes.fromhex(resource["scopeLogs"][0]["logRecords"][0]["traceId"])
    assert found in logs
    return found


def test_what_is_wrong_is_refused_with_the_status_that_exporters_know(start: Start) -> None:
    collector = start("--grpc-port", 0, "--token", "sesame")
    bearer = {"metadata": (("authorization", "Bearer sesame"),)}
    assert refused(collector, body(1))[0] == "UNAUTHENTICATED"
    assert collector.call(body(1), **bearer) == b""
    assert refused(collector, b"\x0a\xff\xff", **bearer)[0] == "INVALID_ARGUMENT"
    code, said, status = refused(collector, b"x" * (17 << 20), **bearer)
    assert (code, list(status.details)) == ("RESOURCE_EXHAUSTED", [])
    for packed in (gzip.compress, zlib.compress):
        bomb = packed(field(15, bytes(70 << 20)))
        code, said, status = refused(collector, bomb, **bearer)
        assert (code, list(status.details)) == ("RESOURCE_EXHAUSTED", [])
        assert "when it is unpacked" in said
    assert collector.call(body(2), **bearer) == b""


def test_a_client_of_grpc_at_the_port_of_http_is_told_what_to_do(start: Start) -> None:
    collector = start("--grpc-port", 0)
    for _ in range(2):
        channel = grpc.insecure_channel(f"127.0.0.1:{collector.http_port}")
        with channel, pytest.raises(grpc.RpcError):
            channel.unary_unary(TRACES)(body(1), timeout=PATIENCE_S)
    err = collector.stop()[2]
    assert err.count("\n") == 1
    assert f"came to port {collector.http_port} with gRPC" in err
    assert f"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:{collector.port} " in err
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in err


def test_a_port_of_grpc_that_is_taken_is_told(tmp_path: Path) -> None:
    one_run(tmp_path / "store")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        words = ["collect", "--store", str(tmp_path / "store"), "--port", "0", "--grpc-port", port]
        done = subprocess.run(
            [*FLOW_TUI, *words, "run-1"], capture_output=True, text=True, timeout=PATIENCE_S,
            env=environment(tmp_path / "home"),
        )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"cannot listen on 127.0.0.1:{port}; another --grpc-port may do" in done.stderr
