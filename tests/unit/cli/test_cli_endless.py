"""Ctrl+C in the middle of a query: it ends whatever is asked, also a table that has no end."""

from __future__ import annotations

import fcntl
import http.client
import os
import re
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from flowtui.store import transaction
from flowtui.store.database import Database
from flowtui.store.new_run import new_run
from flowtui.store.otlp.ingesting import SpanWriter
from flowtui.store.schema import StoreWriter
from flowtui.store.schema.rows import EvalRow, SpanRow
from tests.unit.stores import NOW, until, writer

TRACE = "5b8efff798038103d269b633813fc60c"
SPAN = (
    f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{TRACE}","name":"x",'
    '"spanId":"eee19b7ec3c1b174","startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}\n'
)
PIPE_BYTES = 4096
TABLES = {
    "meta.db": ("experiments", "experiment_groups", "models"),
    "run-1/exp.db": (
        "spans",
        "evals",
        "dynamic_metrics",
        "attachments",
        "static_params",
        "eval_traces_bridge",
        "span_annotations",
        "eval_annotations",
    ),
}
COMMANDS = """
import os, signal, sys, threading
from flowtui.cli import interrupts
from flowtui.cli.commands import cli
from flowtui.cli.telling import errors_as_one_line

ENDED = 128 + signal.SIGINT
STORES, SPANS, OUT = sys.argv[1].split(","), sys.argv[2], sys.argv[3]
COMMANDS = [
    "list --json", "list --filter param.lr>0 --sort metric.loss", "show run-1", "metrics run-1",
    "metrics run-1 loss --csv", "traces run-1", "traces run-1 5b8e", "evals run-1",
    "evals run-1 --aggregate", f"export run-1 -o {OUT}", f"ingest run-1 {SPANS}",
    f"ingest --new n {SPANS}", "doctor", "run-1",
]

# What cannot be left is not left: the next look at what came ends the query all the same.
interrupts._end_if_interrupted = lambda unraisable: None

def carried_out(words, timer):
    try:
        with interrupts.interrupts_end_quietly(True), errors_as_one_line():
            timer.start()
            return cli(words, standalone_mode=False) or 0
    except SystemExit as ended:
        return ended.code

def outcome(words, after_s):
    timer = threading.Timer(after_s, os.kill, (os.getpid(), signal.SIGINT))
    try:
        try:
            return carried_out(words, timer)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            timer.cancel()
            # One that is about to send its signal would send it after this.
            if timer.ident:
                timer.join()
    except KeyboardInterrupt:
        return ENDED
    except Exception as error:
        return error

# What is imported for each command is imported before one is interrupted.
for words in COMMANDS:
    outcome([*words.split(), "-s", STORES[0]], 60)
for store in STORES[1:]:
    for words in COMMANDS:
        print(f"\\n{os.path.basename(store)}: {words}", end=" ", file=sys.stderr, flush=True)
        ended = outcome([*words.split(), "-s", store], 0.02)
        print("ended by", repr(ended), end="", file=sys.stderr, flush=True)
"""


def waiting_bytes(pipe: int) -> int:
    (count,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"    "))
    return int(count)


def make_store(directory: Path) -> Path:
    with writer(directory) as store:
        store.start_run("run-1", "run-1")
        fill(store)
    return directory


def fill(store: StoreWriter) -> None:
    with store.experiment("run-1") as experiment:
        experiment.params({"lr": 0.1})
        experiment.metrics(("loss", 1.0, step, NOW) for step in range(3))
        experiment.spans(
            [SpanRow(trace_id=TRACE, span_id="00f067aa0ba902b7", name="x", start_ns=1, end_ns=2)]
        )
        experiment.evals([EvalRow(dataset_id="set", id="1", inputs={"a": 1}, scores={"b": 0.5})])


def without_end(path: Path, table: str) -> None:
    """Put a view without end in the place of a table: each row has its number in every column."""
    with closing(sqlite3.connect(path)) as db, db:
        names = [name for (name,) in db.execute("select name from pragma_table_info(?)", (table,))]
        db.execute(f"drop table {table}")
        columns = ", ".join(f"n as {name}" for name in ("rowid", *names))
        db.execute(
            f"create view {table} as with recursive endless(n) as"
            f" (select 1 union all select n + 1 from endless) select {columns} from endless"
        )


def test_every_command_ends_in_the_middle_of_any_query(tmp_path: Path) -> None:
    stores = [make_store(tmp_path / "sound")]
    for name, tables in TABLES.items():
        for table in tables:
            stores.append(make_store(tmp_path / table))
            without_end(stores[-1] / name, table)
    (tmp_path / "spans.json").write_text(SPAN)
    words = [",".join(map(str, stores)), str(tmp_path / "spans.json"), str(tmp_path / "out.luml")]
    try:
        done = subprocess.run(
            [sys.executable, "-c", COMMANDS, *words], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, timeout=300, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as hung:
        said = (hung.stderr or b"").decode()
        pytest.fail(f"not ended by ctrl+c: {said.splitlines()[-1]}")
    # Python notes for good that an interrupt came in the middle of `exec`, by which dataclasses
    # are made, and ends by that signal at last though it was handled.
    assert done.returncode in (0, -signal.SIGINT), done.stderr
    ends = re.findall(r"ended by (.*)", done.stderr)
    assert len(ends) == 14 * 11
    # Where nothing asks for the table, it ends by itself; `ingest` says what is written.
    assert {*ends} <= {"0", "1", "130"}, done.stderr
    assert ends.count("130") > 60


def test_no_connection_that_writes_waits_inside_sqlite_where_ctrl_c_is_not_heeded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path / "store")
    timeouts: list[object] = []
    connect = sqlite3.connect

    def connected(*words: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*words, **options)
        timeouts.extend(connection.execute("pragma busy_timeout").fetchone())
        return connection

    monkeypatch.setattr(sqlite3, "connect", connected)
    database = Database(store / "run-1" / "exp.db", "run-1/exp.db")
    transaction.write(database, lambda _: None)
    SpanWriter(database).__exit__(None, None, None)
    with new_run(store, "another"):
        pass
    assert {*timeouts} == {0}


@pytest.mark.parametrize("command", ["show run-1", "ingest run-1 SPANS", "run-1"])
def test_the_program_ends_by_ctrl_c_without_a_word(tmp_path: Path, command: str) -> None:
    store = make_store(tmp_path / "store")
    without_end(store / "run-1" / "exp.db", "spans")
    (tmp_path / "spans.json").write_text(SPAN)
    words = command.replace("SPANS", str(tmp_path / "spans.json")).split()
    code = (
        "import os, signal, sys, threading\n"
        "def heed(event, given):\n"
        "    if event == 'sqlite3.connect' and not began:\n"
        "        began.append(1)\n"
        "        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "began = []\n"
        "from flowtui.__main__ import main\n"
        "sys.addaudithook(heed)\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "-s", str(store)], env=os.environ,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (128 + signal.SIGINT, "")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1


def test_collecting_ends_by_ctrl_c_while_spans_come_for_a_table_without_end(
    tmp_path: Path,
) -> None:
    store = make_store(tmp_path / "store")
    without_end(store / "run-1" / "exp.db", "spans")
    with subprocess.Popen(
        [sys.executable, "-m", "flowtui", "collect", "run-1", "--port", "0", "-s", str(store)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        endpoint = process.stdout.readline().strip().partition("=")[2]
        host, _, port = endpoint.removeprefix("http://").partition(":")
        with closing(http.client.HTTPConnection(host, int(port), timeout=20)) as exporter:
            headers = {"Content-Type": "application/json"}
            exporter.request("POST", "/v1/traces", SPAN.encode(), headers)
            busy = processor_s(process.pid)
            until(lambda: processor_s(process.pid) > busy + 0.3, "a query that has no end")
            began_s = time.monotonic()
            process.send_signal(signal.SIGINT)
            code = process.wait(20)
        assert time.monotonic() - began_s < 2.0
        assert code in (0, 128 + signal.SIGINT)
        assert "0 spans into run-1" in process.stdout.read()
        assert "Traceback" not in process.stderr.read()


def processor_s(pid: int) -> float:
    """Gives for how many seconds a process has used a processor."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_the_program_ends_by_ctrl_c_while_nobody_takes_what_it_prints(tmp_path: Path) -> None:
    with writer(tmp_path) as store:
        store.start_run("run-1", "run-1")
        with store.experiment("run-1") as experiment:
            experiment.metrics(("loss", 1.0, step, NOW) for step in range(10_000))
    command = [sys.executable, "-m", "flowtui", "metrics", "run-1", "--csv", "-s", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        pipe = process.stdout.fileno()
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        # As much is printed at once, so that the program waits for its reader when it is full.
        until(lambda: waiting_bytes(pipe) >= PIPE_BYTES, "the pipe to be full")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 128 + signal.SIGINT
        assert process.stderr.read() == b""
