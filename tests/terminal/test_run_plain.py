"""`flow-tui run` without a terminal: a wrapper that passes all through and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import open_store
from tests.terminal.terminal import FLOW_TUI, PATIENCE_S, environment
from tests.unit.stores import until

AGENT = """
import sys
from importlib import import_module
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
exporter = import_module(f"opentelemetry.exporter.otlp.proto.{sys.argv[1]}.trace_exporter")
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(exporter.OTLPSpanExporter()))
tracer = provider.get_tracer("agent")
with tracer.start_as_current_span("agent"):
    for step in range(3):
        with tracer.start_as_current_span(f"step {step}"):
            pass
provider.shutdown()
sys.exit(int(sys.argv[2]))
"""
"""An application that is instrumented for OpenTelemetry, and that knows nothing of flow-tui."""


def run(
    home: Path, *arguments: object, text: str = "", **variables: str | None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FLOW_TUI, "run", *map(str, arguments)],
        env=environment(home, **variables),
        cwd=home,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
    )


@contextmanager
def running(home: Path, script: str) -> Iterator[subprocess.Popen[str]]:
    """Start flow-tui on a script of the shell, and wait for its first line."""
    with subprocess.Popen(
        [*FLOW_TUI, "run", "--", "sh", "-c", script],
        env=environment(home),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def test_output_input_and_exit_code_pass_through(tmp_path: Path) -> None:
    done = run(tmp_path, "--", "sh", "-c", "cat; echo err >&2; exit 7", text="in")
    assert (done.returncode, done.stdout, done.stderr) == (7, "in", "err\n")


def test_what_follows_the_program_is_the_programs(tmp_path: Path) -> None:
    assert run(tmp_path, "echo", "--version", "-h", "--name").stdout == "--version -h --name\n"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["no-such-program"], 127),
        (["/etc/passwd"], 126),
        (["--no-such-option"], 125),
        ([], 125),
        (["--name"], 125),
    ],
)
def test_its_own_failures_are_told_as_env_tells_them(
    tmp_path: Path, words: list[str], code: int
) -> None:
    done = run(tmp_path, *words)
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr


def test_a_signal_that_ends_the_program_is_told_as_a_shell_tells_it(tmp_path: Path) -> None:
    assert run(tmp_path, "--", "sh", "-c", "kill -KILL $$").returncode == 128 + signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_goes_to_the_program(tmp_path: Path, number: signal.Signals) -> None:
    name = number.name.removeprefix("SIG")
    script = f"trap 'echo {name}; exit 5' {name}; echo ready; while :; do sleep 0.05; done"
    with running(tmp_path, script) as process:
        process.send_signal(number)
        assert process.communicate(timeout=PATIENCE_S)[0] == f"{name}\n"
        assert process.returncode == 5


def test_a_large_output_comes_whole(tmp_path: Path) -> None:
    done = run(tmp_path, "--", "sh", "-c", "yes 0123456789 | head -c 5000000")
    assert len(done.stdout) == 5_000_000


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_an_application_that_sends_spans_gets_a_run(tmp_path: Path, protocol: str) -> None:
    store = tmp_path / "store"
    command = [sys.executable, "-c", AGENT, protocol, "0"]
    options = ("--name", "agent", "--group", "g", "--store", store)
    # A proxy, as many clusters have one, must not get them.
    nowhere = "http://127.0.0.1:9"
    done = run(tmp_path, *options, "--", *command, HTTP_PROXY=nowhere, http_proxy=nowhere)
    assert (done.returncode, done.stdout) == (0, "")
    found = open_store(store).resolve("agent")
    assert (found.row.status, found.row.group_name) == ("completed", "g")
    assert f"4 spans in agent ({found.id[:8]})" in done.stderr
    names = found.ask(lambda db: db.execute("select name from spans order by name").fetchall())
    assert [name for (name,) in names] == ["agent", "step 0", "step 1", "step 2"]


def test_the_run_of_an_application_that_fails_has_failed(tmp_path: Path) -> None:
    store = tmp_path / "store"
    done = run(tmp_path, "--store", store, "--", sys.executable, "-c", AGENT, "http", "3")
    assert done.returncode == 3
    (found,) = open_store(store).ask(lambda db: db.execute(
        "select name, status from experiments"
    ).fetchall())  # fmt: skip
    assert found[0].startswith(sys.executable)
    assert found[1] == "error"


def test_an_endpoint_that_is_set_is_kept_and_said(tmp_path: Path) -> None:
    variable = "OTEL_EXPORTER_OTLP_ENDPOINT"
    done = run(tmp_path, "--", "env", **{variable: "http://127.0.0.1:9"})
    assert f"{variable}=http://127.0.0.1:9\n" in done.stdout
    assert "OTEL_EXPORTER_OTLP_PROTOCOL" not in done.stdout
    assert f"flow-tui: {variable} is set and kept: spans go to http://127.0.0.1:9" in done.stderr


def test_a_store_that_cannot_be_written_keeps_no_program_waiting(tmp_path: Path) -> None:
    store = tmp_path / "file"
    store.write_text("")
    done = run(tmp_path, "--store", store, "--", sys.executable, "-c", AGENT, "http", "0")
    assert done.returncode == 0
    assert "spans were not written" in done.stderr


def test_what_a_program_leaves_running_holds_nothing_up(tmp_path: Path) -> None:
    pid = int(run(tmp_path, "--", "sh", "-c", "sleep 60 > /dev/null 2>&1 & echo $!").stdout)
    os.kill(pid, signal.SIGKILL)


def left_behind(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def of_this_test(home: Path) -> list[str]:
    """Return the processes whose home it is."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"HOME={home}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_text())
        except OSError:
            continue
    return found


@pytest.mark.parametrize("count", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_programs_in_a_row_leave_no_file_and_no_process(tmp_path: Path, count: int) -> None:
    for _ in range(count):
        assert run(tmp_path, "--", "true").returncode == 0
    assert left_behind(tmp_path) == []
    until(lambda: not of_this_test(tmp_path), "the end of all processes")
