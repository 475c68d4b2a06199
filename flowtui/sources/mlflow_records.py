"""What MLflow says of a run, in either of its stores, as the records of a run here.

Source: mlflow/entities, and mlflow/utils/mlflow_tags.py for the tags that are MLflow's own.
"""

from __future__ import annotations

import json
import math
import os
import re
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flowtui.sources import files
from flowtui.sources.records import SourceBatch, SourceFile, moment
from flowtui.store.schema.mirror import RunRow
from flowtui.store.schema.rows import ParamValue
from flowtui.store.values import Status

TOOL = "MLflow"
SPACE = uuid.UUID("3c0e5a0e-51a2-5f0b-8f7e-2a9d51c4e6b7")
"""What the ids of all that has no usable id of its own are made in."""
_RUN_ID = re.compile(r"[0-9a-f]{32}")
_STATUSES = {
    "RUNNING": Status.ACTIVE, "FINISHED": Status.COMPLETED, "FAILED": Status.ERROR,
    "KILLED": "canceled", "SCHEDULED": "pending",
    # Files have the numbers of the protobuf enum.
    "1": Status.ACTIVE, "2": "pending", "3": Status.COMPLETED, "4": Status.ERROR, "5": "canceled",
}  # fmt: skip
_NAME, _NOTE, _SOURCE = "mlflow.runName", "mlflow.note.content", "mlflow.source.name"
_SHOWN = {
    "mlflow.user": "user",
    "mlflow.source.git.commit": "commit",
    "mlflow.source.git.branch": "branch",
    "mlflow.parentRunId": "parent",
}
"""MLflow's own tags that tell a person something, and what they are called here."""
_OWN = "mlflow."
_TAG_CHARS = 120
"""A longer tag is a text to read, and becomes a parameter."""
_MOST_FILES = 5_000
_HUGE = 1.7976931348623157e308
"""What the database has in place of infinity, which some databases do not know."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What either store says of a run itself."""

    run_id: str
    experiment: str
    """The name of its experiment."""
    name: str = ""
    status: str = ""
    """A name or a number."""
    start_ms: object = None
    end_ms: object = None
    user: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def row(self, where: str) -> RunRow:
        """Return it as the list shows it.

        Args:
            where: What is said of its source where MLflow knows none.
        """
        start_ms, end_ms = whole(self.start_ms), whole(self.end_ms)
        ended = start_ms is not None and end_ms is not None and end_ms >= start_ms
        tags = dict(self.tags)
        if self.user and self.user != "unknown":
            tags.setdefault("mlflow.user", self.user)
        shown = {_SHOWN.get(key, key): value for key, value in tags.items() if _is_shown(key)}
        return RunRow(
            id=run_key(self.run_id),
            name=tags.get(_NAME) or self.name or self.run_id,
            group=self.experiment or "Default",
            status=_STATUSES.get(self.status, self.status.lower() or "unknown"),
            created_at=None if start_ms is None else moment(start_ms // 1_000),
            duration_s=(end_ms - start_ms) / 1_000 if ended else None,  # type: ignore[operator]
            tags=tuple(
                f"{key}={value}" if value else key
                for key, value in sorted(shown.items())
                if _is_short(value)
            ),
            description=tags.get(_NOTE) or None,
            source=tags.get(_SOURCE) or where,
        )

    def long_tags(self) -> dict[str, ParamValue]:
        """Return the tags that are too long for a list, as parameters."""
        return {
            f"tag.{_SHOWN.get(key, key)}": value
            for key, value in self.tags.items()
            if _is_shown(key) and not _is_short(value)
        }

    def own_tags(self) -> int:
        """Return how many tags of MLflow's own are shown nowhere."""
        told = (_NAME, _NOTE, _SOURCE)
        return sum(not _is_shown(key) and key not in told for key in self.tags)


def _is_shown(key: str) -> bool:
    return key in _SHOWN or not key.startswith(_OWN)


def _is_short(value: str) -> bool:
    return len(value) <= _TAG_CHARS and "\n" not in value


def run_key(run_id: str) -> str:
    """Return MLflow's id of a run; another that can name a folder where it is none of its ids."""
    return run_id if _RUN_ID.fullmatch(run_id) else str(uuid.uuid5(SPACE, run_id))


def traces_key(experiment_id: str) -> str:
    """Return the id of the run that stands for an experiment's traces without one."""
    return str(uuid.uuid5(SPACE, f"traces\0{experiment_id}"))


def traces_row(experiment_id: str, experiment: str, first_ms: object, where: str) -> RunRow:
    """Return the run that stands for those traces of an experiment that belong to no run.

    It goes on for ever, but as a run of no process, so that it is complete at any moment.
    """
    first = whole(first_ms)
    return RunRow(
        id=traces_key(experiment_id),
        name=f"{experiment} (traces)",
        group=experiment or "Default",
        status=Status.COMPLETED,
        created_at=None if first is None else moment(first // 1_000),
        description="The traces of this experiment that belong to no run.",
        source=where,
    )


def whole(value: object) -> int | None:
    """Return a whole number of a store, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if math.isfinite(value) else None


def time_ms(text: object) -> int:
    """Return a time that is written as RFC 3339 says, in ms since 1970; 0 where it is none."""
    try:
        return int(datetime.fromisoformat(str(text)).timestamp() * 1_000)
    except (ValueError, OverflowError):
        return 0


def param(text: str) -> ParamValue:
    """Return a parameter, which MLflow keeps as text, as the value that is written like that.

    Only what would be written with the same characters is taken for a number: a version 3.10 stays
    what it is.
    """
    if text in ("True", "False"):
        return text == "True"
    try:
        if text.lstrip("-").isdecimal() and len(text) < 300 and str(int(text)) == text:
            return int(text)
        number = float(text)
        if math.isfinite(number) and repr(number) == text:
            return number
    except ValueError:
        pass
    if text[:1] in ("{", "[") and len(text) < 1_000_000:
        try:
            found: ParamValue = json.loads(text)
            return found
        except (ValueError, RecursionError):
            pass
    return text


def metric(value: object, is_nan: object = False) -> float | None:
    """Return a value of the database's table of metrics; None for one that is no number."""
    if is_nan or value is None:
        return math.nan
    if not isinstance(value, (int, float)):
        return None
    return math.copysign(math.inf, value) if abs(value) >= _HUGE else float(value)


def count(batch: SourceBatch, told: Counter[str], now: Mapping[str, int]) -> Counter[str]:
    """Add to a batch by how much the counts of what has no place have changed.

    Args:
        batch: It.
        told: What earlier batches told.
        now: What is there now.

    Returns:
        What was told with it.
    """
    for what in {*told, *now}:
        if more := now.get(what, 0) - told.get(what, 0):
            batch.left_out[what] += more
    return Counter(now)


# Artifacts -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Where the artifacts of a run are."""

    folder: Path | None
    """On this machine, inside what was opened; None where there is no such folder."""
    note: str = ""
    """What there is to say of those that are elsewhere."""

    def state(self, is_running: bool) -> tuple[object, ...]:
        """Return what changes when artifacts come: of all folders while the run goes on."""
        if self.folder is None:
            return ()
        if not is_running:
            return (_stamp(self.folder),)
        return tuple(_stamp(folder) for folder, _ in files.walk(self.folder, most=_MOST_FILES))

    def listed(self, batch: SourceBatch) -> None:
        """Add the artifacts to a batch; they stay where they are."""
        batch.notes["artifacts"] = self.note
        if self.folder is None:
            return
        for inside, entries in files.walk(self.folder):
            for entry in entries:
                path = inside / entry.name
                state = files.state(path)
                if state is None:
                    continue
                if len(batch.files) == _MOST_FILES:
                    batch.notes["artifacts"] = f"only {_MOST_FILES:,} of its artifacts are shown"
                    return
                name = files.safe_name(os.path.relpath(path, self.folder))
                batch.files.append(SourceFile(name, None, path, moment(state[2] // 1_000_000_000)))


def _stamp(folder: Path) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


def artifacts(uri: str, around: Path, others: Iterable[Path]) -> Artifacts:
    """Find the artifacts of a run.

    Args:
        uri: What the store says: a path, or the address of a storage.
        around: The folder that was opened, or that has the database in it, by its real path.
        others: Where they may be instead, since a store that was moved keeps its old paths.
    """
    for folder in (*_local(uri, around), *others):
        if folder.is_dir() and files.is_inside(folder, around):
            return Artifacts(folder)
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        return Artifacts(None, "its artifacts are at an address that is none")
    if parts.scheme in ("", "file"):
        is_there = any(folder.is_dir() for folder in _local(uri, around))
        note = f"its artifacts are outside of {around}, in {unquote(parts.path)}"
        return Artifacts(None, note if is_there else "")
    # What stands before the host may be a password.
    where = f"{parts.scheme}://{host}{parts.path}"
    return Artifacts(None, f"its artifacts are not on this machine's disks, but at {where}")


def _local(uri: str, around: Path) -> Sequence[Path]:
    try:
        parts = urlsplit(uri)
        # A proxied address is below the folder that the server was started in.
        if parts.scheme == "mlflow-artifacts":
            return [around / "mlartifacts" / unquote(parts.path).lstrip("/")]
        if parts.scheme == "file":
            return [around / unquote(parts.path)]
        return [around / uri] if uri and not parts.scheme else []
    except ValueError:
        return []
