"""The watch over a session's store and its open run: what was written, and what is known now."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from flowtui import clock
from flowtui.failures import Failure, NoLongerWanted
from flowtui.store import counts as counting
from flowtui.store import runs as run_rows
from flowtui.store.changes import Changes, Watcher
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.liveness.standing import Signs
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.values import Counts, Kind, ReadSoFar, Run
from flowtui.widgets.asking import begin
from flowtui.widgets.host import Host

RETRY_AFTER_S = 1.0
"""How long after a failed read of the open run the next one is tried."""
COUNTED = frozenset(Kind) - {Kind.RUN}
"""The kinds of records whose number the frame shows."""


class Told(NamedTuple):
    """Whom the watch tells of what it finds."""

    list_changed: Callable[[], None]
    """The list of runs is to be read again."""
    run_changed: Callable[[frozenset[Kind] | None], None]
    """These kinds of records of the open run are to be read again; None for all of them."""
    frame_changed: Callable[[], None]
    """What is known of the run may be other than before."""


class RunLook(NamedTuple):
    """What one look at the files found."""

    changes: Changes
    signs: Signs | None
    """What is known of the process that writes the open run, while its status is active."""
    reading: ReadSoFar | None
    """How far the open run was read, if it is not wholly read yet."""
    problem: str | None


class Watching:
    """Looks for changes, and reads the open run's row and its counts when they differ.

    Its questions run in threads; all else is called in the thread of the app's loop.
    """

    def __init__(self, app: Host, store: Store, run: OpenRun | None, told: Told) -> None:
        """Take the store whose runs are listed, and the run of it that is open, if one is."""
        self._app, self._store, self._told = app, store, told
        self._is_looking = self._is_retrying = False
        self.begin(store, run)

    def begin(self, store: Store, run: OpenRun | None) -> None:
        """Watch the list and another run, of which nothing is known yet; None for no run.

        Args:
            store: The store of the run; what lies elsewhere than the list is a copy, and rests.
            run: The run.
        """
        self._run_store, self._run = store, run
        self.counts = Counts()
        self.signs: Signs | None = None
        self.reading: ReadSoFar | None = None
        """How far the run was read, if it is not wholly read yet."""
        self._look_problem: str | None = None
        self._read_problem: str | None = None
        self._watcher = Watcher(self._store.meta, run if store is self._store else None)

    @property
    def problem(self) -> str | None:
        """Why what is shown may not be what is there."""
        return self._read_problem or self._look_problem

    # Looks at the files ----------------------------------------------------------------------

    def look(self) -> None:
        """Look for changes, unless such a look is under way."""
        if not self._is_looking:
            self._is_looking = True
            self._app.run_worker(self._look(self._watcher), group="watch")

    async def _look(self, watcher: Watcher) -> None:
        try:
            question = partial(_looked, watcher, self._run_store, self._run)
            found = await begin(self._app, question).answer()
        except (Failure, NoLongerWanted):
            # Why a store cannot be read is part of the answer; a fault of ours is told elsewhere.
            return
        finally:
            self._is_looking = False
        is_news = found.problem != self._look_problem or found.reading != self.reading
        if watcher is self._watcher and (found.changes or found.signs is not None or is_news):
            self._take(found)

    def _take(self, found: RunLook) -> None:
        was_unwatched, self._look_problem = self._look_problem is not None, found.problem
        if found.problem is None:
            self.signs = found.signs
        changes = found.changes
        if self.reading is not None and found.reading is None:
            # What was said of the run while it was being read is to be said no longer.
            changes = changes._replace(kinds=changes.kinds | {Kind.RUN})
        self.reading = found.reading
        is_mended = was_unwatched and found.problem is None
        if changes.touches_list or is_mended:
            self._told.list_changed()
        if is_mended:
            self.read_all()
        elif self._run is not None and changes.kinds:
            self.read(changes.kinds)
            self._told.run_changed(changes.kinds)
        self._told.frame_changed()

    # Reads of the open run -------------------------------------------------------------------

    def read(self, kinds: frozenset[Kind] = COUNTED) -> None:
        """Read the run's row and, if anything that is counted changed, the counts."""
        if self._run is not None:
            self._app.run_worker(self._read(self._run_store, self._run, kinds), group="run")

    def read_all(self) -> None:
        """Read all that is shown of the run again."""
        self.read()
        self._told.run_changed(None)

    async def _read(self, store: Store, run: OpenRun, kinds: frozenset[Kind]) -> None:
        row: Run | None = None
        counts: Counts | None = None
        problem = None
        try:
            question = partial(_row_and_counts, store, run.id, bool(kinds & COUNTED))
            row, counts = await begin(self._app, question).answer()
        except NoLongerWanted:
            return
        except Failure as error:
            problem = str(error)
        if run is not self._run:
            return
        if row is None and problem is None:
            self._read_problem = "this run was deleted; you see what was read before"
        else:
            if row is not None:
                run.row = row
            self._take_problem(problem)
        if counts is not None:
            self.counts = counts
        self._told.frame_changed()

    def _take_problem(self, problem: str | None) -> None:
        """Note why the run cannot be read, and have it read again once it can be.

        Some faults leave the files as they were; when such a fault goes, a look finds no change,
        and without this the tabs would keep what they showed before.
        """
        was_unreadable, self._read_problem = self._read_problem is not None, problem
        if problem is not None and not self._is_retrying:
            self._is_retrying = True
            self._app.set_timer(RETRY_AFTER_S, self._read_again)
        elif problem is None and was_unreadable:
            self._told.run_changed(None)

    def _read_again(self) -> None:
        self._is_retrying = False
        if self._read_problem is not None:
            self.read()


def _looked(watcher: Watcher, store: Store, run: OpenRun | None) -> RunLook:
    changes = Changes()
    signs = reading = problem = None
    try:
        changes = watcher.look()
        if run is not None:
            signs = store.signs([run.row], clock.now()).get(run.id)
            reading = store.reading(run.id)
    except ReadCancelled:
        raise
    except StoreError as error:
        problem = str(error)
    return RunLook(changes, signs, reading, problem)


def _row_and_counts(
    store: Store, run_id: str, is_counted: bool
) -> tuple[Run | None, Counts | None]:
    row = store.ask(run_rows.run, run_id)
    if row is None or not is_counted:
        return row, None
    return row, store.run(run_id).ask(counting.counts)
