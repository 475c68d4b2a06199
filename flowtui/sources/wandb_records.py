"""What the records of `.wandb` files mean.

Source: wandb/proto/wandb_internal.proto; the numbers of fields below are its.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from flowtui.sources.files import safe_name
from flowtui.sources.records import SourceBatch, SourceFile, moment
from flowtui.sources.wire import WireError, fields, message, numbers, signed, text
from flowtui.store.decoding import as_float
from flowtui.store.schema.mirror import RunRow
from flowtui.store.schema.rows import ParamValue
from flowtui.store.values import JsonValue, Status

HISTORY, SUMMARY, CONFIG, STATS, OUTPUT, RUN, EXIT = 2, 3, 5, 7, 13, 17, 18
_LEFT_OUT = {8: "artifacts", 9: "records of TensorBoard", 10: "alerts", 25: "uses of artifacts"}
_MEDIA = ("-file", "images/separated", "audio", "videos", "html", "plotly")
"""Ends of the types of values whose files are below `files/`, where they are listed anyway."""
_MOST_DEPTH = 8
_MOST_STEP = 2**62


@dataclass(slots=True)
class WandbLearnt:
    """What earlier records of a run have told, which later ones need."""

    keys: dict[str, bool] = field(default_factory=dict)
    """Metrics that the history has, of which the summary tells nothing new."""
    config: dict[str, JsonValue] = field(default_factory=dict)
    summary: dict[str, JsonValue] = field(default_factory=dict)
    started_s: float = 0.0
    step: int = -1


class WandbReader:
    """Reads the records of one run, one after the other, into batches."""

    def __init__(self, row: RunRow, learnt: WandbLearnt) -> None:
        self.row = row
        self.learnt = learnt
        self._has_summary = False

    def take(self, record: bytes, batch: SourceBatch) -> None:
        """Add what a record says to a batch."""
        try:
            for number, _, value in fields(record):
                if number in _LEFT_OUT:
                    batch.left_out[_LEFT_OUT[number]] += 1
                elif number in _TAKERS:
                    _TAKERS[number](self, message(value), batch)
        except (WireError, ValueError, OverflowError, RecursionError, UnicodeError):
            batch.left_out["records that are no messages of Weights & Biases"] += 1

    def _history(self, data: bytes, batch: SourceBatch) -> None:
        items: dict[str, JsonValue] = {}
        step: int | None = None
        for number, _, value in fields(data):
            if number == 1:
                path, item = _path_and_value(message(value))
                if path:
                    _put(items, path, item)
            elif number == 2:
                step = next((signed(one) for n, _, one in fields(message(value))
                             if n == 1 and isinstance(one, int)), 0)  # fmt: skip
        told = items.get("_step")
        if isinstance(told, (int, float)) and math.isfinite(told):
            step = int(told)
        self.learnt.step = self.learnt.step + 1 if step is None else step
        at_s = items.get("_timestamp")
        at = _when(at_s if isinstance(at_s, (int, float)) else self.learnt.started_s)
        for key, item in items.items():
            if not key.startswith("_"):
                self._value(key, item, at, batch, 0)

    def _value(
        self, key: str, value: JsonValue, at: datetime, batch: SourceBatch, depth: int
    ) -> None:
        if isinstance(value, (bool, int, float)):
            if abs(self.learnt.step) < _MOST_STEP:
                batch.points.append((key, as_float(value), self.learnt.step, at))
                self.learnt.keys[key] = True
        elif isinstance(value, dict) and isinstance(kind := value.get("_type"), str):
            self.learnt.keys[key] = True
            if kind == "histogram":
                self._histogram(key, value, at, batch)
            elif not kind.endswith(_MEDIA):
                batch.left_out[f"values of the type {kind}"] += 1
        elif isinstance(value, dict) and depth < _MOST_DEPTH:
            for inner, item in value.items():
                self._value(f"{key}.{inner}", item, at, batch, depth + 1)
        elif value is not None:
            batch.left_out["texts and lists among the metrics"] += 1

    def _histogram(
        self, key: str, value: dict[str, JsonValue], at: datetime, batch: SourceBatch
    ) -> None:
        edges, counts = value.get("bins"), value.get("values")
        if not isinstance(edges, list) or not isinstance(counts, list):
            batch.left_out["histograms whose buckets are packed"] += 1
            return
        buckets = [list(one) for one in zip(edges, edges[1:], counts, strict=False)]
        line = {"step": self.learnt.step, "logged_at": at.isoformat(), "buckets": buckets}
        name = safe_name("histograms", f"{key}.jsonl")
        data = (json.dumps(line) + "\n").encode()
        batch.files.append(SourceFile(name, data, created_at=at, is_appended=True))

    def _summary(self, data: bytes, batch: SourceBatch) -> None:
        for number, _, value in fields(data):
            if number == 1:
                path, item = _path_and_value(message(value))
                if path and not path[0].startswith("_"):
                    _put(self.learnt.summary, path, item)
                    self._has_summary = True

    def tell_summary(self, batch: SourceBatch) -> None:
        """Add what only the summary knows to a batch, as parameters, if that may have changed.

        The summary of a metric comes before its first point, so that this waits until the end.
        """
        if self._has_summary:
            self._tell("", self.learnt.summary, batch, 0)

    def _tell(self, key: str, value: JsonValue, batch: SourceBatch, depth: int) -> None:
        if isinstance(value, dict) and "_type" not in value and depth < _MOST_DEPTH:
            for inner, item in value.items():
                self._tell(f"{key}.{inner}" if key else inner, item, batch, depth + 1)
        elif isinstance(value, (bool, int, float, str)) and key not in self.learnt.keys:
            batch.params[f"summary.{key}"] = value

    def _config(self, data: bytes, batch: SourceBatch) -> None:
        for number, _, value in fields(data):
            if number == 1:
                path, item = _path_and_value(message(value))
                if path and not path[0].startswith("_"):
                    _put(self.learnt.config, path, item)
                    batch.params[path[0]] = _param(self.learnt.config[path[0]])

    def _stats(self, data: bytes, batch: SourceBatch) -> None:
        at_s = 0.0
        items: list[tuple[str, JsonValue]] = []
        for number, _, value in fields(data):
            if number == 2:
                at_s = _seconds(message(value))
            elif number == 3:
                path, item = _path_and_value(message(value))
                items.append((".".join(path), item))
        step = max(int(at_s - self.learnt.started_s), 0) if math.isfinite(at_s) else 0
        for key, item in items:
            if isinstance(item, (int, float)):
                batch.points.append((f"system/{key}", as_float(item), step, _when(at_s)))

    def _output(self, data: bytes, batch: SourceBatch) -> None:
        at_s, line = 0.0, b""
        for number, _, value in fields(data):
            if number == 2:
                at_s = _seconds(message(value))
            elif number == 3:
                line = message(value)
        last = batch.files[-1] if batch.files else None
        if last is not None and last.name == "console.log" and last.data is not None:
            batch.files[-1] = replace(last, data=last.data + line)
        else:
            batch.files.append(SourceFile("console.log", line, None, _when(at_s), True))

    def _run(self, data: bytes, batch: SourceBatch) -> None:
        row, tags = self.row, []
        for number, _, value in fields(data):
            if number == 3 and text(value) and row.group == self.row.group:
                row = replace(row, group=text(value))
            elif number == 4:
                self._config(message(value), batch)
            elif number == 6 and text(value):
                row = replace(row, group=text(value))
            elif number == 8 and text(value):
                row = replace(row, name=text(value))
            elif number == 9:
                row = replace(row, description=text(value))
            elif number == 10:
                tags.append(text(value))
            elif number == 17:
                self.learnt.started_s = _seconds(message(value))
                row = replace(row, created_at=_when(self.learnt.started_s))
        self.row = replace(row, tags=tuple(tags), status=Status.ACTIVE, duration_s=None)
        batch.row = self.row

    def _exit(self, data: bytes, batch: SourceBatch) -> None:
        found = {number: value for number, _, value in fields(data) if isinstance(value, int)}
        status = Status.ERROR if found.get(1) else Status.COMPLETED
        duration_s = float(found[2]) if found.get(2) else None
        self.row = replace(self.row, status=status, duration_s=duration_s)
        batch.row = self.row


_TAKERS = {
    HISTORY: WandbReader._history,
    SUMMARY: WandbReader._summary,
    CONFIG: WandbReader._config,
    STATS: WandbReader._stats,
    OUTPUT: WandbReader._output,
    RUN: WandbReader._run,
    EXIT: WandbReader._exit,
}


def _path_and_value(data: bytes) -> tuple[list[str], JsonValue]:
    """Return the key, as the path that it is, and the value of an item of any kind."""
    path: list[str] = []
    found: JsonValue = None
    for number, kind, value in fields(data):
        if number in (1, 2):
            path.append(text(value))
        elif number == 4:
            found = bool(value)
        elif number == 5 and isinstance(value, int):
            found = signed(value)
        elif number == 6:
            found = numbers(kind, value, "d")[0]
        elif number == 7:
            found = text(value)
        elif number in (8, 16):
            # It may have bare NaN and Infinity in it, which Python reads.
            found = json.loads(text(value))
    return path, found


def _put(config: dict[str, JsonValue], path: list[str], value: JsonValue) -> None:
    place = config
    path = path[:_MOST_DEPTH]
    for part in path[:-1]:
        inner = place.get(part)
        if not isinstance(inner, dict):
            inner = place[part] = {}
        place = inner
    place[path[-1]] = value


def _param(value: JsonValue) -> ParamValue:
    return value


def _seconds(data: bytes) -> float:
    """Return a google.protobuf.Timestamp as seconds since 1970."""
    found: Iterator[tuple[int, int | bytes]] = ((n, value) for n, _, value in fields(data))
    parts = {number: signed(value) for number, value in found if isinstance(value, int)}
    return parts.get(1, 0) + parts.get(2, 0) / 1e9


def _when(seconds: float) -> datetime:
    return moment(int(seconds)) if abs(seconds) < 1e18 else moment(0)
