"""Writes a store with the real luml-sdk and prints, as JSON, what went into it.

Run by the Python of an SDK environment (`environments.py`), so it imports nothing but the standard
library and luml, and luml only where it is used: `make_golden.py` borrows the summaries from here.

    write_store.py DIR                  the store that the conformance tests read
    write_store.py DIR --live SECONDS   one active run, logged into as fast as the SDK can

The first form prints one document:

    {"sdk": "0.4.0", "groups": [name, ...], "runs": {LABEL: {
        "id", "name", "status", "group", "tags", "description", "source",
        "metadata", "upload_status",
        "params": {key: {"type": value_type, "value"}},
        "metrics": {key: {"count", "nan", "infinite", "last", "last_step", "min", "max"}},
        "traces": {trace id: {"spans", "errors", "orphans", "roots": [name], "start_ns", "end_ns"}},
        "evals": {dataset: {sample id: {score: value}}},
        "links": [[dataset, sample id, trace id], ...],
        "annotations": {"span": [...], "sample": [...]},
        "attachments": {name: bytes},
        "models": [{"name", "path", "size", "tags", "description"}]}}}

The labels are `complete`, `active`, `failed` and `bare`. NaN and infinities are strings; `min` and
`max` pass over NaN and take infinities for what they are. A column that this SDK does not have is
null. The second form prints the run's id at once and, when the time is up, one line
`{"written": n, "errors": n, "slowest_ms": x}`.
"""

from __future__ import annotations

import argparse
import json
import math
import sqlite3
import sys
import tempfile
import time
from collections.abc import Mapping
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

SOURCE = "/srv/training/train.py"
START_NS = 1_750_000_000_000_000_000
NASTY_NAME = "[bold red]résumé-日本[/] \x1b[31mred\x1b[0m \u202eesrever [link=x]"


class Precision(StrEnum):
    """A str by another name: the SDK stores the class's name as the parameter's type."""

    BF16 = "bf16"


def portable(value: Any) -> Any:
    """Turns NaN and infinities, at any depth, into the strings that stand for them in JSON."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: portable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [portable(item) for item in value]
    return value


def metric_summary(points: Mapping[int, float]) -> dict[str, Any]:
    """Sums up one metric, given as step to value."""
    numbers = [value for value in points.values() if not math.isnan(value)]
    last_step = max(points)
    return {
        "count": len(points),
        "nan": len(points) - len(numbers),
        "infinite": sum(map(math.isinf, numbers)),
        "last": portable(points[last_step]),
        "last_step": last_step,
        "min": portable(min(numbers, default=None)),
        "max": portable(max(numbers, default=None)),
    }


def trace_summary(spans: list[dict[str, Any]]) -> dict[str, Any]:
    """Sums up one trace, given as the keyword arguments of its `log_span` calls."""
    known = {span["span_id"] for span in spans}
    parents = [span.get("parent_span_id") for span in spans]
    return {
        "spans": len(spans),
        "errors": sum(span.get("status_code") == 2 for span in spans),
        "orphans": sum(parent is not None and parent not in known for parent in parents),
        "roots": [span["name"] for span in spans if span.get("parent_span_id") is None],
        "start_ns": min(span["start_time_unix_nano"] for span in spans),
        "end_ns": max(span["end_time_unix_nano"] for span in spans),
    }


class Run:
    """Logs into one run through the SDK and remembers what it logged."""

    def __init__(self, tracker: Any, group: str = "default", **start: Any) -> None:
        self._tracker = tracker
        self.id: str = tracker.start_experiment(group=group, **start)
        self.group = group
        self.status = "active"
        self.models: list[dict[str, Any]] = []
        self.links: list[list[str]] = []
        self.annotations: dict[str, list[dict[str, Any]]] = {"span": [], "sample": []}
        self._params: dict[str, Any] = {}
        self._points: dict[str, dict[int, float]] = {}
        self._spans: dict[str, list[dict[str, Any]]] = {}
        self._evals: dict[str, dict[str, Any]] = {}
        self._attachments: dict[str, int] = {}

    def param(self, key: str, value: Any) -> None:
        self._tracker.log_static(key, value, experiment_id=self.id)
        scalar = isinstance(value, str | int | float)
        self._params[key] = {
            "type": type(value).__name__ if scalar else "json",
            "value": portable(value),
        }

    def metric(self, key: str, points: Mapping[int, float]) -> None:
        for step, value in points.items():
            self._tracker.log_dynamic(key, value, step=step, experiment_id=self.id)
            self._points.setdefault(key, {})[step] = float(value)

    def span(self, trace: int, span: int, name: str, ms: tuple[int, int], **rest: Any) -> None:
        """Logs a span of `ms` = (start, end) after START_NS; `parent` is a span's number."""
        parent = rest.pop("parent", None)
        row = {
            "trace_id": f"{trace:032x}",
            "span_id": f"{span:016x}",
            "parent_span_id": None if parent is None else f"{parent:016x}",
            "name": name,
            "start_time_unix_nano": START_NS + ms[0] * 1_000_000,
            "end_time_unix_nano": START_NS + ms[1] * 1_000_000,
            **rest,
        }
        self._tracker.log_span(**row, experiment_id=self.id)
        self._spans.setdefault(f"{trace:032x}", []).append(row)

    def sample(self, dataset: str, sample: str, scores: dict[str, Any] | None, **rest: Any) -> None:
        self._tracker.log_eval_sample(sample, dataset, scores=scores, experiment_id=self.id, **rest)
        self._evals.setdefault(dataset, {})[sample] = portable(scores or {})

    def link(self, dataset: str, sample: str, trace: int) -> None:
        link = [dataset, sample, f"{trace:032x}"]
        self._tracker.link_eval_sample_to_trace(*link, experiment_id=self.id)
        self.links.append(link)

    def annotate(self, target: str, place: dict[str, str], **annotation: Any) -> None:
        """Annotates a "span" or a "sample", which `place` names in the SDK's own words."""
        log = {"span": "log_span_annotation", "sample": "log_eval_annotation"}[target]
        getattr(self._tracker, log)(**place, **annotation, experiment_id=self.id)
        self.annotations[target].append({**place, **annotation})

    def attach(self, name: str, data: str | bytes) -> None:
        binary = isinstance(data, bytes)
        self._tracker.log_attachment(name, data, binary=binary, experiment_id=self.id)
        self._attachments[name] = len(data if isinstance(data, bytes) else data.encode())

    def model(self, file_name: str, data: bytes, name: str, tags: list[str]) -> None:
        from luml.artifacts.model import ModelReference  # type: ignore[import-not-found]

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, file_name)
            path.write_bytes(data)
            reference = ModelReference(str(path))
            self._tracker.log_model(reference, name=name, tags=tags, experiment_id=self.id)
        stored = f"{self.id}/models/{file_name}"
        self.models.append({"name": name, "path": stored, "size": len(data), "tags": tags})

    def end(self) -> None:
        self._tracker.end_experiment(self.id)
        self.status = "completed"

    def fail(self) -> None:
        self._tracker.fail_experiment(self.id)
        self.status = "error"

    def document(self) -> dict[str, Any]:
        """Gives what was logged; name, tags and the like are what the SDK itself answers."""
        (row,) = [row for row in self._tracker.list_experiments() if row.id == self.id]
        return {
            "id": self.id,
            "name": row.name,
            "status": self.status,
            "group": self.group,
            "tags": row.tags,
            "description": row.description,
            "source": getattr(row, "source", None),
            "metadata": getattr(row, "metadata", None),
            "upload_status": getattr(row, "upload_status", None),
            "params": self._params,
            "metrics": {key: metric_summary(points) for key, points in self._points.items()},
            "traces": {trace: trace_summary(spans) for trace, spans in self._spans.items()},
            "evals": self._evals,
            "links": self.links,
            "annotations": self.annotations,
            "attachments": self._attachments,
            "models": self.models,
        }


def log_params(run: Run) -> None:
    run.param("optimizer", "adamw")
    run.param("empty", "")
    run.param("[bold]größe[/bold]", "日本 [red]not red[/] \x1b[2J")
    run.param("epochs", 50)
    run.param("seed", 2**70)
    run.param("learning_rate", 3e-4)
    run.param("clip", math.nan)
    run.param("ceiling", math.inf)
    run.param("floor", -math.inf)
    run.param("amp", True)
    run.param("resume", False)
    run.param("precision", Precision.BF16)
    run.param("checkpoint", None)
    run.param("milestones", [10, 20.5, "end", None, True])
    run.param("schedule", {"warmup": {"steps": 500, "kind": {"name": "linear", "from": -math.inf}}})
    run.param("schedule.warmup", "a dotted key beside a nested one")


def log_metrics(run: Run) -> None:
    loss = {step: 2.5 / (1 + step) for step in range(40)}
    run.metric("train/loss", loss | {10: math.nan, 20: math.nan, 21: 77.0})
    run.metric("train/loss", {5: 0.25, 39: 0.0625})
    run.metric("val/accuracy", {step: 0.5 + step / 100 for step in range(0, 40, 10)})
    run.metric("grad/norm", {0: 1.5, 1: math.inf, 2: -math.inf, 3: 2.5, 4: math.nan})
    run.metric("extremes", {-3: -1e308, 0: 5e-324, 10**12: 1e308})
    run.metric("reward", {1: -12, 2: -7, 3: -9})
    run.metric("never/a/number", {0: math.nan, 1: math.nan})
    run.metric("точность/[bold]top-1[/bold]", {0: 0.125})


def log_files(run: Run) -> None:
    run.attach("notes.md", "# Notes\n\n[bold]not bold[/bold], 日本\n")
    run.attach("empty.txt", "")
    run.attach("data/raw/bytes.bin", bytes(range(256)))
    run.attach("data/table.csv", "step,loss\n0,2.5\n1,1.25\n")
    run.attach("графики/[bold]loss.csv", "step;loss\n0;2,5\n")
    run.model("classifier.luml", b"weights of a very small model", "classifier", ["v1", "日本"])


def log_traces(run: Run) -> None:
    """Logs four traces: an agent with an error, a plain one, one with an orphan, one rootless."""
    chat = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "small-1",
        "gen_ai.usage.input_tokens": 120,
        "gen_ai.usage.output_tokens": 30,
        "gen_ai.input.messages": json.dumps(
            [{"role": "user", "parts": [{"type": "text", "content": "[b]日本?[/b]"}]}]
        ),
    }
    failure = {"exception.type": "TimeoutError", "exception.message": "no answer in 30 s"}
    event = {"name": "exception", "timestamp": START_NS + 890_000_000, "attributes": failure}
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    link = {"trace_id": f"{2:032x}", "span_id": f"{0x21:016x}", "trace_flags": 1}
    run.span(1, 0x12, "chat small-1", (10, 400), parent=0x11, kind=3, attributes=chat)
    run.span(
        1, 0x13, "search", (410, 900), parent=0x11, kind=1, attributes=tool,
        status_code=2, status_message="no answer in 30 s", events=[event],
    )  # fmt: skip
    agent = {"gen_ai.operation.name": "invoke_agent", "session": {"turn": 3, "tags": ["a", "b"]}}
    run.span(1, 0x11, "agent [red]α[/]", (0, 1000), kind=1, attributes=agent, status_code=1)
    run.span(2, 0x21, "predict", (2000, 2003), kind=2, links=[link | {"attributes": {"of": 1}}])
    run.span(3, 0x31, "batch", (3000, 3100))
    run.span(3, 0x32, "lost child", (3010, 3020), parent=0xDEAD, status_code=2)
    run.span(4, 0x42, "step 1", (4000, 4100), parent=0x41)
    run.span(4, 0x43, "step 2", (4100, 4250), parent=0x41)


def log_evals(run: Run) -> None:
    for number in range(6):
        scores = {"accuracy": number / 8, "pass": number % 2 == 0, "grade": "ABCDEF"[number]}
        run.sample(
            "faq_v1",
            f"q{number}",
            scores,
            inputs={"question": f"What is {number} + {number}?", "context": ["a", {"b": 1}]},
            outputs={"answer": str(2 * number)},
            references={"answer": str(2 * number)},
            metadata={"language": "日本語", "latency_ms": 12.5 * number},
        )
    run.sample("hard [v2]", "no scores", None, inputs={"question": "[red]?[/]"})
    run.sample("hard [v2]", "odd scores", {"accuracy": math.nan, "rouge": 1}, inputs={})
    run.link("faq_v1", "q0", 1)
    run.link("faq_v1", "q1", 2)
    run.link("hard [v2]", "no scores", 1)


def log_annotations(run: Run) -> None:
    search = {"trace_id": f"{1:032x}", "span_id": f"{0x13:016x}"}
    for target, place in (
        ("span", search),
        ("sample", {"dataset_id": "faq_v1", "eval_id": "q0"}),
    ):
        for name, kind, value_type, value, user, rationale in (
            ("quality", "feedback", "bool", True, "ana", None),
            ("quality", "feedback", "bool", False, "sam", "[red]too slow[/]"),
            ("stars", "expectation", "int", -4, "ana", None),
            ("answer", "expectation", "string", "日本 true", "sam", "as the manual says"),
            ("safe", "expectation", "bool", True, "sam", None),
        ):
            run.annotate(
                target, place, name=name, annotation_kind=kind, value_type=value_type,
                value=value, user=user, rationale=rationale,
            )  # fmt: skip


def write(tracker: Any) -> dict[str, Any]:
    """Writes the four runs and gives the document of them."""
    # The SDK fails the run it started last when the process exits, unless that run was ended: the
    # active one comes first, and its active state outlives this process.
    active = Run(tracker, name="still training")
    active.param("learning_rate", 1e-3)
    active.metric("train/loss", {0: 1.0, 1: 0.5})
    failed = Run(tracker, group="vision", name="out of memory", tags=["gpu"])
    failed.param("batch_size", 4096)
    failed.metric("train/loss", {0: 3.0, 1: math.nan})
    failed.attach("traceback.txt", "MemoryError: 80 GiB are not enough\n")
    failed.fail()
    tracker.create_group("vision/größe", description="[bold]pictures[/]", tags=["gpu", "日本"])
    complete = Run(tracker, group="vision/größe", name=NASTY_NAME, tags=["baseline", "[red]日本"])
    for log in (log_params, log_metrics, log_files, log_traces, log_evals, log_annotations):
        log(complete)
    complete.end()
    tracker.update_experiment(complete.id, description="First [i]line[/i]\nsecond line")
    if hasattr(tracker, "update_experiment_metadata"):
        tracker.update_experiment_metadata(complete.id, {"owner": "vision", "cost": {"usd": 1.5}})
        tracker.set_experiment_upload_status(complete.id, "uploaded")
    if hasattr(tracker, "set_remote_artifact"):
        tracker.set_remote_artifact("experiment", complete.id, "orbit-1", "artifact-1")
    bare = Run(tracker, experiment_id="nightly 7")
    bare.end()
    runs = {"complete": complete, "active": active, "failed": failed, "bare": bare}
    return {
        "sdk": version("luml-sdk"),
        "groups": sorted(group.name for group in tracker.list_groups()),
        "runs": {label: run.document() for label, run in runs.items()},
    }


def write_live(tracker: Any, seconds: float) -> dict[str, Any]:
    """Logs into an active run until the time is up; errors are writes that SQLite refused."""
    run_id = tracker.start_experiment(name="live")
    print(run_id, flush=True)
    written = errors = 0
    slowest_s = 0.0
    end = time.monotonic() + seconds
    while (begin := time.monotonic()) < end:
        step = written + errors
        try:
            tracker.log_dynamic("train/loss", 1 / (1 + step), step=step)
            written += 1
        except sqlite3.OperationalError:
            errors += 1
        slowest_s = max(slowest_s, time.monotonic() - begin)
    tracker.end_experiment(run_id)
    return {"written": written, "errors": errors, "slowest_ms": round(slowest_s * 1000, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes a store with the installed luml-sdk.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--live", type=float, metavar="SECONDS")
    arguments = parser.parse_args()
    from luml.experiments.tracker import ExperimentTracker  # type: ignore[import-not-found]

    # The SDK stores the path of the main module as a run's source: the same on every machine.
    sys.modules["__main__"].__file__ = SOURCE
    tracker = ExperimentTracker(f"sqlite://{arguments.directory}")
    if arguments.live is None:
        print(json.dumps(write(tracker), allow_nan=False))
    else:
        print(json.dumps(write_live(tracker, arguments.live)), flush=True)


if __name__ == "__main__":
    main()
