"""Fills a private store from its source: the list of runs, and what is new in each of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from flowtui.sources import files, standing
from flowtui.sources.places import PrivatePlace
from flowtui.sources.records import SourceBatch, SourceError, SourceFile, SourceRun, moment
from flowtui.sources.source import RunSource
from flowtui.sources.standing import ReadState
from flowtui.store.schema.experiment import uuid4
from flowtui.store.schema.mirror import FileRow, MirrorExperiment, MirrorWriter, RunRow
from flowtui.store.values import Status

_SPARE_BYTES = 200 << 20
"""So much of the disk stays free."""
_MUCH_BYTES = 4 << 20
"""A run with more that is new counts as not wholly read meanwhile; this takes half a second."""


@dataclass(slots=True)
class _Kept:
    run: SourceRun
    seen: list[object]
    """The state of its files as JSON gives it back."""
    state: ReadState
    row: RunRow
    """As it was last written."""


@dataclass(slots=True)
class Filling:
    """Fills one private store; only the process that holds its lock does so."""

    source: RunSource
    place: PrivatePlace
    _runs: dict[str, _Kept] = field(default_factory=dict)
    _has_looked: bool = False
    _remarks: Sequence[str] | None = None
    _name: str = field(default_factory=uuid4)
    """What the place knows it by."""
    _logs: bool = field(init=False)
    _open: MirrorWriter | None = None
    """Stays open until `rest`: if it were closed after each of many runs, its log would be folded
    into meta.db each time, and whoever reads that file would seldom find it at rest."""

    def __post_init__(self) -> None:
        self._logs = self.place.may_log

    @property
    def is_alone(self) -> bool:
        """Whether it has looked and nobody else has since written what it knows of."""
        return self._has_looked and self.place.last_writer() == self._name

    def look(self) -> None:
        """Bring the list of runs up to date.

        Raises:
            SourceError: The source cannot be read.
            DatabaseError: The private store cannot be written.
        """
        if not self._has_looked:
            self.place.note_writer(self._name)
        found = {run.row.id: run for run in self.source.runs()}
        if self.source.remarks != self._remarks:
            self._remarks = self.source.remarks
            self.place.note_remarks(self._remarks)
        gone = self._runs.keys() - found.keys()
        changed: list[RunRow] = []
        for run_id, run in found.items():
            kept = self._runs.get(run_id)
            if kept is None:
                kept = self._runs[run_id] = self._first_look(run)
                changed.append(kept.row)
            elif kept.run.state != run.state or kept.run.row != run.row:
                if kept.run.row != run.row and not kept.state.row:
                    changed.append(run.row)
                kept.run, kept.seen = run, standing.as_json(run.state)
                kept.state.why = ""
        if changed or gone or not self._has_looked:
            rows = standing.as_json([asdict(kept.row) for kept in self._runs.values()])
            # What was listed the last time need not be written again, which would take longer.
            if self._has_looked or not self.place.has_listed(rows):
                # While it is being written, it is known to have nothing in particular.
                self.place.note_listed([None])
                mirror = self._mirror()
                if not self._has_looked:
                    gone = mirror.ids() - found.keys()
                mirror.put(changed)
                mirror.remove(gone)
                if not self._has_looked:
                    self.place.note_listed(rows)
            self._has_looked = True
        for run_id in gone:
            self._runs.pop(run_id, None)
            self.place.state(run_id).unlink(missing_ok=True)

    def _first_look(self, run: SourceRun) -> _Kept:
        state = ReadState()
        if (self.place.store / run.row.id / "exp.db").exists():
            state = standing.load(self.place.state(run.row.id))
            # What kept it from being read may be over.
            state.why = ""
        # What reading told of a run is better than what listing tells.
        return _Kept(run, standing.as_json(run.state), state, standing.row_of(state) or run.row)

    def pending(self) -> list[str]:
        """Return the ids of the runs that have something new, the newest run first."""
        return [
            run_id
            for run_id, kept in self._runs.items()
            if not kept.state.is_read(kept.seen) and not kept.state.why
        ]

    def runs(self) -> dict[str, SourceRun]:
        """Return the runs as they were last listed, by id."""
        return {run_id: kept.run for run_id, kept in self._runs.items()}

    def fill(self, run_id: str, goes_on: Callable[[], bool] = lambda: True) -> bool:
        """Write down what is new in a run, and return whether it was read to its end.

        Args:
            run_id: The run.
            goes_on: Is asked after each batch.

        Raises:
            DatabaseError: The private store cannot be written.
            SourceError: There is no room for it.
        """
        kept = self._runs[run_id]
        seen, run, path = kept.seen, kept.run, self.place.state(run_id)
        if run.size_bytes - kept.state.size_bytes > _MUCH_BYTES:
            kept.state.seen = []
        kept.state.size_bytes, kept.state.why = run.size_bytes, ""
        with self._experiment(run_id) as experiment:
            last_steps = experiment.last_steps()
            is_noted = True
            try:
                for batch in self.source.read(run, kept.state.mark):
                    if not is_noted:
                        kept.state.save(path)
                    self._check_room()
                    if batch.starts_anew:
                        experiment.clear()
                        shutil.rmtree(self.place.store / run_id / "attachments", True)
                        kept.state = ReadState(size_bytes=run.size_bytes)
                        kept.state.save(path)
                        last_steps = {}
                    self._write(batch, run_id, experiment, last_steps)
                    if batch.row is not None and batch.row != kept.row:
                        self._mirror().put([batch.row])
                        kept.row = batch.row
                        kept.state.row = asdict(batch.row)
                    # After the last one it is noted with the end.
                    is_noted = False
                    if not goes_on():
                        kept.state.save(path)
                        return False
            except SourceError as error:
                # Nothing stays of a batch that could not be written wholly: it comes again.
                kept.state = standing.load(path)
                kept.state.why = str(error)
            is_first = not kept.state.seen
            if not kept.state.why:
                kept.state.seen = seen
                last = experiment.logged_at()
                kept.state.logged_at = "" if last is None else last.isoformat()
            kept.state.save(path)
            if is_first or kept.row.status == Status.COMPLETED:
                # The row changes with it, so that those who look at the run read its problems.
                self._mirror().put_copies(run_id, experiment)
        return True

    def _write(
        self,
        batch: SourceBatch,
        run_id: str,
        experiment: MirrorExperiment,
        last_steps: dict[str, int],
    ) -> None:
        state = self._runs[run_id].state
        if batch.restarts_at is not None:
            state.dropped += experiment.drop_points(batch.restarts_at)
            for key, step in last_steps.items():
                last_steps[key] = min(step, batch.restarts_at - 1)
        if batch.params:
            experiment.params(batch.params)
        if batch.points:
            state.replaced += experiment.points(batch.points, last_steps)
        if batch.spans:
            experiment.spans(batch.spans)
        if batch.judged:
            experiment.judge(batch.judged)
        if batch.samples:
            experiment.evals(batch.samples)
        if batch.links:
            experiment.links(batch.links)
        if batch.files:
            folder = self.place.store / run_id / "attachments"
            experiment.files([self._written(folder, file, state) for file in batch.files])
        if batch.mark is not None:
            state.mark = batch.mark
        state.read_bytes = batch.read_bytes
        state.count(batch.left_out)
        state.notes.update(batch.notes)

    def _written(self, folder: Path, file: SourceFile, state: ReadState) -> FileRow:
        created_at = file.created_at or moment(0)
        if file.path is not None:
            state.paths[file.name] = str(file.path)
            # A file that went meanwhile is listed all the same, as missing.
            found = files.state(file.path)
            return FileRow(file.name, 0 if found is None else found[1], created_at)
        data = file.data or b""
        target = folder / file.name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if not file.is_appended:
                target.write_bytes(data)
                return FileRow(file.name, len(data), created_at)
            before = state.sizes.get(file.name, 0)
            with open(target, "ab") as out:
                # What a process wrote that was killed before it noted so is written again.
                out.truncate(before)
                out.seek(before)
                out.write(data)
        except OSError as error:
            raise SourceError(f"{target}: {error.strerror or error}") from error
        state.sizes[file.name] = before + len(data)
        return FileRow(file.name, before + len(data), created_at)

    def _check_room(self) -> None:
        free = shutil.disk_usage(self.place.folder).free
        if free < _SPARE_BYTES:
            raise SourceError(
                f"{free / 1e6:,.0f} MB are free in {self.place.folder}: free some, or set"
                " FLOW_TUI_CACHE to another folder"
            )

    def rest(self) -> None:
        """Close what is open from one read to the next; to be called when there is none for now."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _mirror(self) -> MirrorWriter:
        if self._open is None:
            self._open = MirrorWriter(self.place.store, logs=self._logs, is_made=self._has_looked)
        return self._open

    def _experiment(self, run_id: str) -> MirrorExperiment:
        path = self.place.store / run_id / "exp.db"
        return MirrorExperiment(path, durable=False, logs=self._logs)
