"""The receiver of a program's spans, and the run that it writes into.

The port is there before the program is; what answers on it is imported when something comes, which
for many programs is never. Requests wait until the run is known: an exporter that is told to come
again gives up after some seconds, and a short program has ended by then.
"""

from __future__ import annotations

import importlib.util
import os
import select
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from flowtui import person
from flowtui.collector import listening
from flowtui.collector.limits import LIMITS
from flowtui.collector.listening import HOST, CollectFailed, GrpcPlace, Listening
from flowtui.collector.writing import Writer, WriterTally
from flowtui.launch.request import LaunchRequest
from flowtui.launch.search import ProgramRun, RunSearch
from flowtui.store.errors import StoreError
from flowtui.store.location import locate
from flowtui.store.new_run import DEFAULT_GROUP, new_run

UNDECIDED_S = 2.0
"""How long the first spans wait for a run of luml-sdk; exporters wait 10 s for an answer."""
_FIRST_LOOK_S, _LAST_LOOK_S, _SLOWER = 0.03, 0.5, 1.3
"""The pauses between looks for the run: the first, the longest, and by what they grow."""
_NEXT_LOOK_S = 1.0
"""The pause between looks for runs after the first."""
_BACKLOG = 128


class _ProgramFailed(Exception):
    """Marks the run of a program that failed as failed."""


class Tracing:
    """Receives the spans of one program and finds its run; all may be asked from any thread."""

    def __init__(self, request: LaunchRequest) -> None:
        """Take a port, if the extra that listens is installed."""
        self.run: ProgramRun | None = None
        """The program's run, once it is known; of several, the one that it made last."""
        self.problem = ""
        """Why nothing is received, or nothing can be written."""
        self.port: int | None = None
        self._request = request
        self._search = RunSearch(self._directory)
        self._writer = Writer(None)
        self._bound: socket.socket | None = None
        try:
            Listening().check()
            self._bound = listening.bound(HOST, 0)
            self._bound.listen(_BACKLOG)
            self.port = self._bound.getsockname()[1]
        except (CollectFailed, OSError) as error:
            self.problem = str(error)
        self._pid = 0
        self._code: int | None = None
        self._is_over = threading.Event()
        """Whether the program has ended."""
        self._settled = threading.Event()
        """Whether it is known which run it is, or that there is none."""
        self._written = threading.Event()
        self._ending = threading.Event()
        self._waking, self._wake = os.pipe()
        self._searcher = threading.Thread(target=self._find, name="run-search", daemon=True)
        self._server = threading.Thread(target=self._serve, name="span-server", daemon=True)

    @property
    def mark(self) -> str:
        """The value of `search.MARK` in the program's environment."""
        return self._search.mark

    @property
    def tally(self) -> WriterTally:
        return self._writer.tally

    def follow(self, pid: int) -> None:
        """Receive, and look for the run of the program with that number."""
        self._pid = pid
        self._searcher.start()
        if self._bound is not None:
            self._server.start()

    def stop(self, code: int | None) -> None:
        """Write what was received, and end the run if it was made here.

        Args:
            code: The exit code of the program; None where it was never started.
        """
        self._code = code
        if self._searcher.ident is not None:
            self._is_over.set()
            self._settled.wait()
        self._ending.set()
        os.close(self._wake)
        if self._server.ident is not None:
            self._server.join()
        elif self._bound is not None:
            self._bound.close()
        os.close(self._waking)
        self._writer.stop()
        self._written.set()
        if self._searcher.ident is not None:
            self._searcher.join()

    def _directory(self) -> Path:
        request = self._request
        return locate(request.store, os.environ, person.cwd(), person.home()).directory

    # The run ---------------------------------------------------------------------------------

    def _find(self) -> None:
        try:
            run = self._searched()
            if run is not None:
                self._settle(run)
                self._turn_to_later_runs()
            elif self._writer.has_waiting:
                self._write_into_own()
        except StoreError as error:
            self.problem = str(error)
            # Refuses what waits, and what is still to come.
            self._writer.stop()
        finally:
            self._settled.set()

    def _searched(self) -> ProgramRun | None:
        """Return the program's run, None if it is to be made or if there is none."""
        pause_s = _FIRST_LOOK_S
        waits_since_s: float | None = None
        while True:
            is_over = self._is_over.is_set()
            if (found := self._search.look(self._pid)) is not None:
                return found
            if waits_since_s is None and self._writer.has_waiting:
                waits_since_s = time.monotonic()
                pause_s = _FIRST_LOOK_S
            is_late = waits_since_s is not None and time.monotonic() - waits_since_s > UNDECIDED_S
            if is_over or is_late:
                return None
            self._is_over.wait(pause_s)
            pause_s = min(pause_s * _SLOWER, _LAST_LOOK_S)

    def _write_into_own(self) -> None:
        request, directory = self._request, self._directory()
        with (
            suppress(_ProgramFailed),
            new_run(directory, request.run_name, request.group or DEFAULT_GROUP) as run_id,
        ):
            self._settle(ProgramRun(directory, run_id, request.run_name, is_ours=True))
            self._turn_to_later_runs()
            self._written.wait()
            if self._code:
                raise _ProgramFailed

    def _turn_to_later_runs(self) -> None:
        """Write into each run that the program makes later, from then on."""
        while not self._is_over.wait(_NEXT_LOOK_S):
            found = self._search.look(self._pid, besides=self.run)
            if found is not None and found != self.run:
                self._writer.turn_to(found.database, spares_sdk=True)
                self.run = found

    def _settle(self, run: ProgramRun) -> None:
        database = run.database
        database.is_held_here = run.is_ours
        self._writer.start(database, spares_sdk=not run.is_ours)
        self.run = run
        self._settled.set()

    # The receiver ----------------------------------------------------------------------------

    def _serve(self) -> None:
        assert self._bound is not None
        if self._waking in select.select([self._bound.fileno(), self._waking], [], [])[0]:
            self._bound.close()
            return
        from flowtui.collector import server
        from flowtui.collector.places import RequestPlaces
        from flowtui.collector.receiving import application

        # See `collect`.
        sys.setswitchinterval(0.001)
        places = RequestPlaces(LIMITS)
        grpc_place = GrpcPlace(HOST, 0)

        def beside() -> server.Beside:
            from flowtui.collector.grpc_receiving import GrpcReceiver

            return GrpcReceiver(grpc_place, self._writer, places, None)

        has_grpc = importlib.util.find_spec("grpc") is not None
        server.serve(
            application(self._writer, None, LIMITS, places),
            self._bound,
            lambda: None,
            lambda: None,
            self._writer.hurry,
            knocked=lambda: grpc_place.port or None,
            beside=beside if has_grpc else None,
            ending=self._ending,
        )
