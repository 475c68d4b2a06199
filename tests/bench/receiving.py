"""How fast `collect` takes spans over HTTP and over gRPC, from one exporter each, in turns.

`python -m tests.bench.receiving` prints how many of them it takes in a second over each.
"""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from sqlite3 import connect

import grpc

from tests.bench.measure import Measure
from tests.terminal.terminal import FLOW_TUI, environment
from tests.unit.otlp_samples import span, traces

SPANS = 100_000
REQUEST_SPANS = 500
TURNS = 10
METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
ATTRIBUTES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "large-chat-4",
    "gen_ai.usage.input_tokens": 1_250,
    "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]',
    "server.address": "127.0.0.1",
    "cached": False,
}
_PORT = re.compile(r"OTEL_EXPORTER_OTLP_ENDPOINT=http://127\.0\.0\.1:(\d+)")
Send = Callable[[bytes], None]


def receiving(spans: int = SPANS) -> Iterator[Measure]:
    """Yield the time that the slower protocol takes, beside that of the faster."""
    taken = seconds(spans)
    what = f"receive {spans:,} spans, slower over faster"
    yield Measure(what, max(taken.values()), min(taken.values()), 1.3, "s")


def seconds(spans: int) -> dict[str, float]:
    """Return how long so many spans take over each protocol, until all are acknowledged."""
    taken = {"HTTP": 0.0, "gRPC": 0.0}
    with collecting() as (folder, senders):
        for turn in range(TURNS):
            for protocol, send in zip(taken, senders, strict=True):
                first = (turn * len(taken) + list(taken).index(protocol)) * spans // TURNS
                bodies = requests(first, spans // TURNS)
                begun = time.perf_counter()
                for body in bodies:
                    send(body)
                taken[protocol] += time.perf_counter() - begun
        (path,) = folder.glob("*/exp.db")
        with closing(connect(path)) as connection:
            ((kept,),) = connection.execute("select count(*) from spans")
        assert kept == len(taken) * TURNS * (spans // TURNS), kept
    return taken


def requests(first: int, count: int) -> list[bytes]:
    """Return requests with so many spans, numbered from the first on."""
    numbers = range(first, first + count)
    return [
        traces(
            *(span(number, **ATTRIBUTES) for number in numbers[at : at + REQUEST_SPANS])
        ).SerializeToString()
        for at in range(0, count, REQUEST_SPANS)
    ]


@contextmanager
def collecting() -> Iterator[tuple[Path, Sequence[Send]]]:
    """Run `collect` on a new store, and yield its folder and what sends over HTTP and gRPC."""
    with ExitStack() as held:
        home = Path(held.enter_context(tempfile.TemporaryDirectory()))
        given = ["--new", "bench", "--store", str(home / "store"), "--port", "0"]
        process = held.enter_context(
            subprocess.Popen(
                [*FLOW_TUI, "collect", *given, "--grpc-port", "0"],
                stdout=subprocess.PIPE, text=True, env=environment(home),
            )
        )  # fmt: skip
        held.callback(process.terminate)
        assert process.stdout is not None
        said = iter(process.stdout)
        over_grpc, over_http = (next(filter(None, map(_PORT.search, said)))[1] for _ in range(2))
        connection = http.client.HTTPConnection("127.0.0.1", int(over_http))
        held.callback(connection.close)
        export = held.enter_context(
            grpc.insecure_channel(f"127.0.0.1:{over_grpc}")
        ).unary_unary(METHOD)  # fmt: skip

        def post(body: bytes) -> None:
            headers = {"content-type": "application/x-protobuf"}
            connection.request("POST", "/v1/traces", body, headers)
            response = connection.getresponse()
            assert response.status == 200, response.read()
            response.read()

        yield home / "store", (post, export)


if __name__ == "__main__":
    for protocol, taken in seconds(SPANS).items():
        print(f"{protocol}: {SPANS / taken:,.0f} spans/s", file=sys.stdout)
