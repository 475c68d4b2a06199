"""`flow-tui run` beside the real luml-sdk: spans go into the run that the program makes itself."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import open_store
from tests.terminal.terminal import FLOW_TUI, environment

TRAIN = """
import json, os, sys, threading, time, urllib.request
from luml.experiments.tracker import ExperimentTracker

def send(trace_id, span_id, name):
    at = {"startTimeUnixNano": "1000", "endTimeUnixNano": "2000"}
    span = {"traceId": trace_id, "spanId": span_id, "name": name, **at}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "svc"}}]}
    of = {"resource": resource, "scopeSpans": [{"spans": [span]}]}
    request = urllib.request.Request(
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces",
        json.dumps({"resourceSpans": [of]}).encode(),
        {"content-type": "application/json"},
    )
    assert urllib.request.urlopen(request, timeout=10).status == 200

if sys.argv[2] == "early":
    early = threading.Thread(target=send, args=("ab" * 16, "12" * 8, "early"))
    early.start()
if sys.argv[2] == "late":
    send("ab" * 16, "34" * 8, "before its run")
if sys.argv[2] == "forked" and (child := os.fork()):
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
tracker = ExperimentTracker("sqlite://" + sys.argv[1])
run = tracker.start_experiment(name="trained")
if sys.argv[2] == "early":
    early.join()
if sys.argv[2] == "late":
    time.sleep(2)
tracker.log_span("ab" * 16, "cd" * 8, "by the SDK", 1000, 2000)
send("ab" * 16, "cd" * 8, "over OTLP")
send("ab" * 16, "ef" * 8, "beside")
tracker.log_dynamic("loss", 0.5, step=0)
tracker.end_experiment(run)
if sys.argv[2] == "again":
    run = tracker.start_experiment(name="again")
    time.sleep(2.5)
    send("ab" * 16, "56" * 8, "of the second")
    tracker.end_experiment(run)
print("done")
"""


@pytest.mark.parametrize("how", ["alone", "forked", "early", "late", "again"])
def test_spans_go_into_the_run_of_the_sdk(
    sdk_python: Callable[[str], Path], tmp_path: Path, how: str
) -> None:
    store = tmp_path / "a store"
    command = [sdk_python("0.4.0"), "-c", TRAIN, store, how]
    done = subprocess.run(
        [*FLOW_TUI, "run", "--name", "unused", "--", *map(str, command)],
        env=environment(tmp_path / "home"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    early = [("12" * 8, "early")] if how == "early" else []
    assert spans(store, "trained") == [*early, ("cd" * 8, "by the SDK"), ("ef" * 8, "beside")]
    if how == "again":
        assert spans(store, "again") == [("56" * 8, "of the second")]
    if how == "late":
        # It waited as long as an exporter may wait, and its run came afterwards.
        assert spans(tmp_path / "home/.luml/experiments", "unused") == [
            ("34" * 8, "before its run")
        ]
    else:
        assert not (tmp_path / "home").exists()


def spans(store: Path, name: str) -> list[tuple[str, str]]:
    found = open_store(store).resolve(name)
    assert found.row.status == "completed"
    return sorted(found.ask(lambda db: db.execute("select span_id, name from spans").fetchall()))
