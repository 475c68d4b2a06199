"""Writes written/trackio/ with trackio 0.43 (Python 3.12), and what it reads of its own project.

`SQLiteStorage.get_logs` is what `trackio get` prints; the tests compare points with it.
"""

import json
import math
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

os.environ |= {"TRACKIO_DIR": tempfile.mkdtemp()}

import numpy as np
import trackio
from trackio.sqlite_storage import SQLiteStorage

HERE = Path(__file__).parent / "written"
FOLDER = HERE / "trackio"
MADE = Path(os.environ["TRACKIO_DIR"])


def train() -> None:
    """Log all kinds of values, a trace with spans and one without."""
    trackio.init(
        project="demo", name="first", group="sweep", config={"lr": 0.1, "net": {"depth": 3}}
    )
    for step in range(30):
        trackio.log({"loss": 1 / (step + 1), "eval": {"acc": step / 30}})
    trackio.log({"odd": math.nan, "even": -math.inf, "done": True, "word": "text"})
    trackio.log({"hist": trackio.Histogram([1, 2, 3], num_bins=2)})
    trackio.log({"picture": trackio.Image(np.zeros((2, 2, 3), dtype=np.uint8), caption="black")})
    trackio.log({"note": trackio.Markdown("# A note")})
    trackio.log({"table": trackio.Table(columns=["a", "b"], data=[[1, "x"], [2, "y"]])})
    messages = [
        {"role": "user", "content": "What is the capital of France?"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "1", "type": "function",
             "function": {"name": "look_up", "arguments": '{"place": "Paris"}'}}]},
        {"role": "tool", "tool_call_id": "1", "content": "It is Paris."},
        {"role": "assistant", "content": "Paris."},
    ]  # fmt: skip
    spans = [
        {"id": "a", "name": "agent", "kind": "span", "start_time": "2026-06-01T12:00:00+00:00",
         "end_time": "2026-06-01T12:00:02+00:00"},
        {"id": "b", "parent_id": "a", "name": "answer", "kind": "generation", "model": "some-model",
         "start_time": "2026-06-01T12:00:00.500000+00:00", "duration_ms": 1000,
         "usage": {"input_tokens": 12, "output_tokens": 3}, "cost_usd": 0.002,
         "input": messages[:1], "output": "Paris."},
        {"id": "c", "parent_id": "a", "name": "look_up", "kind": "tool", "duration_ms": 20,
         "input": {"place": "Paris"}, "error": "it was slow", "status": "error"},
    ]  # fmt: skip
    trackio.log({"with spans": trackio.Trace(messages, {"session_id": "s1"}, spans)})
    trackio.log({"without": [trackio.Trace(messages[:1]), trackio.Trace(messages)]})
    trackio.alert("Look", text="the loss is odd", level=trackio.AlertLevel.WARN)
    trackio.log_system({"gpu": {"utilization": 0.5}, "cpu": 7})
    trackio.finish()


def main() -> None:
    """Log two runs of one name, and keep their database and media."""
    train()
    trackio.init(project="demo", name="first", config={"lr": 0.2})
    trackio.log({"loss": 3.0}, step=5)
    trackio.log({"loss": 2.0}, step=5)
    trackio.finish()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    # A copy by SQLite has what is in the log, and no log beside it.
    with sqlite3.connect(MADE / "demo.db") as made, sqlite3.connect(FOLDER / "demo.db") as kept:
        made.backup(kept)
        kept.execute("pragma journal_mode = delete")
        kept.execute("vacuum")
    shutil.copytree(MADE / "media", FOLDER / "media")
    told = {
        run["id"]: SQLiteStorage.get_logs("demo", run["name"], run_id=run["id"])
        for run in SQLiteStorage.get_run_records("demo")
    }
    (HERE / "trackio.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
