"""MLflow's file store: `EXPERIMENT/RUN/` with a file for each parameter, metric and tag.

A line of a metric's file is the time in ms, the value and the step. A `/` in a name makes a folder.
Source: mlflow/store/tracking/file_store.py.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flowtui import format as fmt
from flowtui.sources import files, plain_yaml
from flowtui.sources.files import FileStat
from flowtui.sources.mlflow_folder_reading import FolderReading, FolderTrace
from flowtui.sources.mlflow_records import (
    TOOL,
    Artifacts,
    RunFacts,
    artifacts,
    time_ms,
    traces_row,
    whole,
)
from flowtui.sources.open_files import LOST_S
from flowtui.sources.records import Mark, SourceBatch, SourceError, SourceRun, moment
from flowtui.store.liveness.standing import Signs
from flowtui.store.schema.mirror import RunRow
from flowtui.store.values import JsonValue, Status

META = "meta.yaml"
_MOST_BYTES = 1 << 20
_MOST_CHILDREN = 2_000
"""How many folders of a root are looked at to recognise it."""
_RUN_IDS = frozenset({"run_id", "run_uuid"})
_TRASH = ".trash"
_OTHERS = ("models", "datasets", "traces", "tags")
"""Folders of an experiment that hold no runs."""


def is_store(path: Path) -> bool:
    """Say whether a folder is a file store, or one experiment of it."""
    if _is_experiment(path):
        return True
    with suppress(OSError):
        for number, name in enumerate(sorted(os.listdir(path))):
            if number == _MOST_CHILDREN:
                break
            if not name.startswith(".") and _is_experiment(path / name):
                return True
    return False


def _is_experiment(folder: Path) -> bool:
    try:
        data = files.read_bytes(folder / META, _MOST_BYTES)
    except (OSError, SourceError):
        return False
    words = (b"experiment_id:", b"lifecycle_stage:")
    return all(word in data for word in words) and not _has_run_id(data)


def _has_run_id(data: bytes) -> bool:
    return any(line.startswith((b"run_id:", b"run_uuid:")) for line in data.splitlines())


@dataclass(slots=True)
class FolderRun:
    """The files of one run, as listing saw them."""

    row: RunRow
    facts: RunFacts | None
    """None for the run that stands for the traces of none."""
    folder: Path
    states: dict[str, FileStat] = field(default_factory=dict)
    """Of all files but artifacts and traces, by their paths in the run's folder."""
    traces: dict[str, FolderTrace] = field(default_factory=dict)
    artifacts: Artifacts = field(default_factory=lambda: Artifacts(None))
    models: int = 0
    """How many logged models it made."""
    problem: str = ""

    def small(self) -> list[object]:
        """Return what changes when anything but metrics and traces does."""
        others = [one for one in sorted(self.states.items()) if not one[0].startswith("metrics/")]
        where = self.artifacts.state(self.row.status == Status.ACTIVE)
        return [others, self.models, where, self.artifacts.note]

    def listed(self) -> SourceRun:
        """Return what the list is told."""
        said = json.dumps(
            [
                sorted(self.states.items()),
                sorted((name, trace.state) for name, trace in self.traces.items()),
                self.small(),
            ]
        )
        metrics = (size for path, (_, size, _) in self.states.items() if path.startswith("metrics"))
        size = sum(metrics) + sum(trace.size_bytes for trace in self.traces.values())
        return SourceRun(self.row, (hashlib.sha256(said.encode()).hexdigest(),), size)


class MlflowFolder:
    """One file store, or one experiment of it."""

    tool = TOOL
    remarks: Sequence[str] = ()

    def __init__(self, root: Path) -> None:
        """Take the real path of a folder."""
        self.root = root
        self._found: dict[str, FolderRun] = {}
        self._texts: dict[Path, tuple[FileStat, str]] = {}
        self._metas: dict[Path, tuple[FileStat, dict[str, JsonValue] | str]] = {}

    def runs(self) -> Sequence[SourceRun]:
        if not self.root.is_dir():
            raise SourceError(f"{self.root} is not there any more")
        self._found = {}
        deleted = 0
        for folder, meta in self._experiments():
            experiment = str(meta.get("name") or folder.name)
            inside: dict[str, FolderRun] = {}
            gone: set[str] = set()
            for run_folder in _folders(folder):
                if run_folder.name in _OTHERS:
                    continue
                run_meta, problem = self._meta(run_folder / META)
                if run_meta is None and not problem:
                    # A folder without it holds artifacts of a run whose record is in a database.
                    continue
                run_meta = run_meta or {}
                run_id = str(run_meta.get("run_id") or run_meta.get("run_uuid") or run_folder.name)
                if run_meta.get("lifecycle_stage") == "deleted":
                    gone.add(run_id)
                    continue
                inside[run_id] = self._run(run_folder, run_id, run_meta, experiment, problem)
            deleted += len(gone)
            self._take_traces(folder, meta, experiment, inside, gone)
            for found in inside.values():
                self._found[found.row.id] = found
        self.remarks = self._remarks(deleted)
        listed = [found.listed() for found in self._found.values()]
        return sorted(listed, key=lambda run: run.row.created_at or moment(0), reverse=True)

    def _remarks(self, deleted: int) -> list[str]:
        said = []
        if deleted:
            said.append(f"not listed, since deleted in MLflow: {fmt.count(deleted, 'run')}")
        with suppress(OSError):
            if trashed := len(os.listdir(self.root / _TRASH)):
                said.append(
                    f"not listed, since deleted in MLflow: {fmt.count(trashed, 'experiment')}"
                )
        return said

    def _experiments(self) -> Iterator[tuple[Path, dict[str, JsonValue]]]:
        for folder in (self.root, *_folders(self.root)):
            meta, _ = self._meta(folder / META)
            if meta is not None and "experiment_id" in meta and not _RUN_IDS & meta.keys():
                yield folder, meta

    def _meta(self, path: Path) -> tuple[dict[str, JsonValue] | None, str]:
        """Return what a file says, None where there is none, and what is wrong with it."""
        state = files.state(path)
        if state is None:
            return None, ""
        known = self._metas.get(path)
        if known is None or known[0] != state:
            found: dict[str, JsonValue] | str
            try:
                text = files.read_bytes(path, _MOST_BYTES).decode("utf-8", "replace")
                found = plain_yaml.mapping(text)
            except (OSError, SourceError, plain_yaml.YamlError, RecursionError) as error:
                # It may be half written.
                found = f"{path.name} cannot be read: {error}"
            known = self._metas[path] = state, found
        return (known[1], "") if isinstance(known[1], dict) else (None, known[1])

    def _text(self, path: Path, state: FileStat) -> str:
        known = self._texts.get(path)
        if known is None or known[0] != state:
            text = ""
            with suppress(OSError, SourceError):
                text = files.read_bytes(path, _MOST_BYTES).decode("utf-8", "replace")
            known = self._texts[path] = state, text
        return known[1]

    def _run(
        self,
        folder: Path,
        run_id: str,
        meta: dict[str, JsonValue],
        experiment: str,
        problem: str,
    ) -> FolderRun:
        states: dict[str, FileStat] = {}
        for part in ("metrics", "params", "tags", "inputs", "outputs"):
            states |= _states(str(folder), part)
        if (state := files.state(folder / META)) is not None:
            states[META] = state
        tags = {
            path.removeprefix("tags/"): self._text(folder / path, state)
            for path, state in states.items()
            if path.startswith("tags/")
        }
        facts = RunFacts(
            run_id=run_id,
            experiment=experiment,
            name=str(meta.get("run_name") or meta.get("name") or ""),
            status=str(meta.get("status") or ""),
            start_ms=meta.get("start_time"),
            end_ms=meta.get("end_time"),
            user=str(meta.get("user_id") or ""),
            tags=tags,
        )
        where = artifacts(str(meta.get("artifact_uri") or ""), self.root, [folder / "artifacts"])
        found = FolderRun(facts.row(str(folder)), facts, folder, states, artifacts=where)
        found.problem = problem
        return found

    def _take_traces(
        self,
        folder: Path,
        meta: dict[str, JsonValue],
        experiment: str,
        inside: dict[str, FolderRun],
        gone: set[str],
    ) -> None:
        """Give traces, and logged models, to the runs of an experiment that they belong to."""
        without: dict[str, FolderTrace] = {}
        for trace_folder in _folders(folder / "traces"):
            trace = self._trace(trace_folder)
            if trace.run_id in inside:
                inside[trace.run_id].traces[trace_folder.name] = trace
            elif trace.run_id not in gone:
                without[trace_folder.name] = trace
        if without:
            first = min(without.values(), key=lambda trace: trace.first_ns)
            key = str(meta.get("experiment_id") or folder.name)
            row = traces_row(key, experiment, self._began_ms(first), str(folder))
            inside[f"traces of {key}"] = FolderRun(row, None, folder, traces=without)
        for model_folder in _folders(folder / "models"):
            model, _ = self._meta(model_folder / META)
            run_id = "" if model is None else str(model.get("source_run_id") or "")
            if run_id in inside:
                inside[run_id].models += 1

    def _trace(self, folder: Path) -> FolderTrace:
        source = folder / "request_metadata" / "mlflow.sourceRun"
        state = files.state(source)
        states: list[tuple[str, FileStat]] = []
        for part in ("", "artifacts", "assessments", "tags"):
            with suppress(OSError):
                states += [
                    (entry.path, found)
                    for entry in os.scandir(folder / part)
                    if (found := files.state(Path(entry.path))) is not None
                ]
        said = json.dumps(sorted((os.path.relpath(path, folder), one) for path, one in states))
        return FolderTrace(
            folder,
            "" if state is None else self._text(source, state).strip(),
            hashlib.sha256(said.encode()).hexdigest()[:16],
            sum(size for _, (_, size, _) in states),
            min((mtime_ns for _, (_, _, mtime_ns) in states), default=0),
        )

    def _began_ms(self, trace: FolderTrace) -> int:
        """Return when a trace began; when its files came where it does not say so."""
        info, _ = self._meta(trace.folder / "trace_info.yaml")
        info = info or {}
        told = whole(info.get("timestamp_ms"))
        return told or time_ms(info.get("request_time")) or trace.first_ns // 1_000_000

    def read(self, run: SourceRun, mark: Mark) -> Iterator[SourceBatch]:
        found = self._found.get(run.row.id)
        if found is None:
            raise SourceError(f"{run.row.name} is not there any more")
        reading = FolderReading(found.folder, mark)
        if reading.is_void(found.states, found.traces):
            reading = FolderReading(found.folder, {})
            yield SourceBatch(reading.mark(), starts_anew=True)
        first = SourceBatch(None, notes={"meta": found.problem})
        if found.facts is not None and not reading.progress.has_told(found.small()):
            reading.facts(found.facts, found.states, found.models, first)
            found.artifacts.listed(first)
        first.mark = reading.mark()
        yield first
        yield from reading.metrics(found.states)
        yield from reading.traces(found.traces)

    def signs(self, run: SourceRun, now: datetime) -> Signs | None:
        found = self._found.get(run.row.id)
        if found is None:
            return None
        # A file is open only while a line of it is written: so only long silence tells.
        states = [files.state(found.folder / path) for path in found.states]
        latest_ns = max((state[2] for state in states if state is not None), default=0)
        written_at = datetime.fromtimestamp(min(latest_ns / 1e9, 2**34), UTC)
        return Signs(now, None, written_at, now - written_at > timedelta(seconds=LOST_S))


def _states(run: str, part: str) -> dict[str, FileStat]:
    """Return the states of all files in a folder of a run, by their paths in the run's folder.

    Every look asks for them, so that no more is done than that. Links to folders further inside,
    of which MLflow makes none, are not followed.
    """
    found: dict[str, FileStat] = {}
    waiting = [part]
    while waiting and len(found) < files.MOST_ENTRIES:
        inside = waiting.pop()
        with suppress(OSError), os.scandir(f"{run}/{inside}") as entries:
            for entry in entries:
                path = f"{inside}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                    continue
                with suppress(OSError):
                    state = entry.stat()
                    if stat.S_ISREG(state.st_mode):
                        found[path] = state.st_ino, state.st_size, state.st_mtime_ns
    return found


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder by name, links to folders too; none where it is missing."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir()]
    except OSError:
        return []
    return [folder / name for name in sorted(names) if not name.startswith(".")]
