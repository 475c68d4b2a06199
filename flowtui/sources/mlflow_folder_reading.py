"""Reads what is new in the files of one run of MLflow's file store."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flowtui.sources import files, plain_yaml
from flowtui.sources.files import FileStat
from flowtui.sources.mlflow_progress import RunProgress
from flowtui.sources.mlflow_records import RunFacts, param
from flowtui.sources.mlflow_traces import Assessment, MlflowTrace, assessment
from flowtui.sources.records import Mark, SourceBatch, SourceError, moment
from flowtui.store.schema.rows import MetricRow
from flowtui.store.values import JsonValue

_CHUNK_BYTES = 2 << 20
_BATCH_BYTES = 2 << 20
_MOST_LINE_BYTES = 4_096
_MOST_SPANS_BYTES = 256 << 20
_MOST_SMALL_BYTES = 1 << 20
_MOST_STEP = 2**62
_METRICS, _PARAMS = "metrics/", "params/"


@dataclass(frozen=True, slots=True)
class FolderTrace:
    """The folder of one trace, as listing saw it."""

    folder: Path
    run_id: str
    """Of the run that it belongs to; empty where it belongs to none."""
    state: str
    """Changes with any of its files."""
    size_bytes: int
    first_ns: int
    """When the oldest of its files was written."""


class FolderReading:
    """How far the files of a run were read."""

    def __init__(self, folder: Path, mark: Mark) -> None:
        """Take the run's folder, and the mark after which to go on."""
        self._folder = folder
        ends = mark.get("ends")
        self._ends: dict[str, tuple[int, int]] = {}
        """By path: its inode, and where its next line begins."""
        if isinstance(ends, dict):
            self._ends = {path: (int(one[0]), int(one[1])) for path, one in ends.items()}  # type: ignore
        self.progress = RunProgress(mark)

    def mark(self) -> Mark:
        """Return the mark as of now."""
        ends: Mark = {path: list(end) for path, end in self._ends.items()}
        return {"ends": ends, **self.progress.mark()}

    @property
    def _read_bytes(self) -> int:
        return sum(end for _, end in self._ends.values())

    def is_void(self, states: Mapping[str, FileStat], traces: Mapping[str, FolderTrace]) -> bool:
        """Say whether something of what was read is not there any more."""
        for path, (inode, end) in self._ends.items():
            state = states.get(path)
            if state is None or state[0] != inode or state[1] < end:
                return True
        return bool(self.progress.versions.keys() - traces.keys())

    def facts(
        self,
        facts: RunFacts,
        states: Mapping[str, FileStat],
        models: int,
        batch: SourceBatch,
    ) -> None:
        """Add parameters, and counts of what has no place, to a batch."""
        for path, (_, size, _) in states.items():
            if path.startswith(_PARAMS) and size <= _MOST_SMALL_BYTES:
                with suppress(OSError, SourceError):
                    data = files.read_bytes(self._folder / path, _MOST_SMALL_BYTES)
                    batch.params[path.removeprefix(_PARAMS)] = param(
                        data.decode("utf-8", "replace")
                    )
        inputs = sum(path.startswith(("inputs/", "outputs/")) for path in states)
        self.progress.facts(facts, models, inputs, batch)

    def metrics(self, states: Mapping[str, FileStat]) -> Iterator[SourceBatch]:
        """Yield the points of lines that are new and whole."""
        batch, size = SourceBatch(None), 0
        for path, (inode, end, _) in states.items():
            if not path.startswith(_METRICS):
                continue
            start = self._ends.get(path, (inode, 0))[1]
            while start < end:
                try:
                    with files.opened(self._folder / path) as file:
                        file.seek(start)
                        data = file.read(min(end - start, _CHUNK_BYTES))
                except OSError as error:
                    batch.notes[path] = f"{path} cannot be read: {error.strerror or error}"
                    break
                # What stands behind the last line break may be half a line.
                whole = data.rfind(b"\n") + 1
                if not whole:
                    if len(data) <= _MOST_LINE_BYTES:
                        break
                    batch.left_out["parts of metrics that are no lines"] += 1
                    whole = len(data)
                key = path.removeprefix(_METRICS)
                _take_lines(key, data[:whole], batch)
                start += whole
                size += whole
                self._ends[path] = inode, start
                if size >= _BATCH_BYTES:
                    batch.mark, batch.read_bytes = self.mark(), self._read_bytes
                    yield batch
                    batch, size = SourceBatch(None), 0
        batch.mark, batch.read_bytes = self.mark(), self._read_bytes
        yield batch

    def traces(self, traces: Mapping[str, FolderTrace]) -> Iterator[SourceBatch]:
        """Yield the traces that are new, or of which something has changed."""

        def load(names: Sequence[str]) -> list[tuple[MlflowTrace, int]]:
            found = traces[names[0]]
            return [(_trace(found.folder), found.size_bytes)]

        versions = {name: found.state for name, found in traces.items()}
        for batch in self.progress.traces(versions, load):
            batch.mark, batch.read_bytes = self.mark(), self._read_bytes
            yield batch


def _take_lines(key: str, data: bytes, batch: SourceBatch) -> None:
    points: list[MetricRow] = []
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        # A fourth and fifth word are a dataset's name and digest; the oldest lines have no step.
        words = line.split()
        try:
            time_ms, value = int(words[0]), float(words[1])
            step = int(words[2]) if len(words) > 2 else 0
            if abs(step) >= _MOST_STEP or len(line) > _MOST_LINE_BYTES:
                raise ValueError
        except (ValueError, IndexError):
            batch.left_out["lines of metrics that cannot be read"] += 1
            continue
        points.append((key, value, step, moment(time_ms // 1_000)))
    batch.points += points


def _trace(folder: Path) -> MlflowTrace:
    """Return what is in the folder of a trace; what cannot be read is not there."""
    spans: JsonValue = None
    with suppress(OSError, SourceError, ValueError, RecursionError):
        spans = json.loads(
            files.read_bytes(folder / "artifacts" / "traces.json", _MOST_SPANS_BYTES)
        )
    listed = spans.get("spans") if isinstance(spans, dict) else None
    return MlflowTrace(
        folder.name,
        listed if isinstance(listed, list) else [],
        _texts(folder / "request_metadata"),
        _texts(folder / "tags"),
        _assessments(folder / "assessments"),
    )


def _texts(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    with suppress(OSError):
        for name in sorted(os.listdir(folder)):
            with suppress(OSError, SourceError):
                data = files.read_bytes(folder / name, _MOST_SMALL_BYTES)
                found[name] = data.decode("utf-8", "replace")
    return found


def _assessments(folder: Path) -> list[Assessment]:
    found = []
    for text in _texts(folder).values():
        with suppress(plain_yaml.YamlError, RecursionError):
            one = assessment(plain_yaml.mapping(text))
            if one is not None:
                found.append(one)
    return sorted(found, key=lambda one: (one.created_ms, one.id))
