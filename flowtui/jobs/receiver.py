"""A receiver of spans in a process of its own, as the app sees it.

It belongs to the app and not to a screen, so it runs whichever screen is shown. Its standard input
is held open as long as the receiver is wanted: without that it would outlive an app that dies.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from flowtui import format as fmt
from flowtui.store.open_run import OpenRun
from flowtui.widgets.frame.frame import JobMark

_PIECE_BYTES = 65_536
"""How much of the receiver's output is read at once."""
_MAX_LINE_BYTES = 65_536
"""How much is kept of a line of output whose end has not come."""
_PROBLEM_CHARACTERS = 300
"""How much is shown of the reason why the receiver ended."""


class ReceiverPhase(StrEnum):
    STARTING = "starting"
    LISTENING = "listening"
    STOPPING = "stopping"
    """It writes what it has received; new requests are refused."""
    OVER = "over"


@dataclass(frozen=True, slots=True)
class ReceiverTally:
    """What a receiver has received so far."""

    received: int = 0
    """Spans that are in the run."""
    events: int = 0
    """Log events that are with their spans, or wait for them in the run."""
    logs: int = 0
    """Log records that are no events of spans, and are not kept."""
    metrics: int = 0
    """Metrics, which are not kept."""
    dropped: int = 0
    """Spans and events that are not valid, or that there was no room for."""
    refused: int = 0
    """Requests that were answered with an error."""
    last_name: str = ""
    """The name of the last span received."""
    trouble: str = ""
    """Why the last write failed; empty after one that did not."""
    hint: str = ""
    """What to change where an exporter comes to the wrong port."""


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """The state of a receiver at one moment."""

    phase: ReceiverPhase = ReceiverPhase.STARTING
    port: int = 0
    environment: tuple[str, ...] = ()
    """Environment variables that point an exporter to it, the endpoint first."""
    tally: ReceiverTally = ReceiverTally()
    problem: str = ""
    """Why it ended, if nobody asked it to."""
    is_port_taken: bool = False


@dataclass(frozen=True, slots=True)
class ReceiverRequest:
    """What to collect into, and where to listen."""

    run: OpenRun
    directory: Path
    """The store's directory."""
    port: int
    """0 takes any free port."""

    @property
    def command(self) -> list[str]:
        # -P: without it Python would import modules from the working directory, which may be
        # anybody's.
        return [
            *(sys.executable, "-P", "-m", "flowtui", "collect", "--for-program"),
            *("--store", str(self.directory), "--port", str(self.port), "--", self.run.id),
        ]


class Receiver:
    """One process that collects spans.

    Everything is called in the thread of an event loop; only `close` blocks.
    """

    def __init__(self, request: ReceiverRequest, changed: Callable[[], None]) -> None:
        """Start the process.

        Args:
            request: What to collect into, and where to listen.
            changed: Is called after each change of `state`.
        """
        self.request = request
        self.state = ReceiverState(port=request.port)
        self.over = asyncio.Event()
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._last_words = ""
        # In a session of its own: otherwise Ctrl+C and a hang-up would end it before the app has
        # decided what to do.
        self._process = subprocess.Popen(
            request.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        self._loop.add_reader(self._output.fileno(), self._read)

    def stop(self) -> None:
        """Ask it to write what it has received and to end; `over` is set when it has ended."""
        if self.state.phase in (ReceiverPhase.STARTING, ReceiverPhase.LISTENING):
            self._hang_up()
            self._become(replace(self.state, phase=ReceiverPhase.STOPPING))

    def close(self, wait_s: float) -> None:
        """Stop it for good, waiting `wait_s` for it; one that still writes then ends by itself."""
        if self.state.phase is ReceiverPhase.OVER:
            return
        self._hang_up()
        self._loop.remove_reader(self._output.fileno())
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(wait_s)
        self._output.close()
        self.state = replace(self.state, phase=ReceiverPhase.OVER)
        self.over.set()

    def _hang_up(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def _read(self) -> None:
        try:
            data = os.read(self._output.fileno(), _PIECE_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._end()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-_MAX_LINE_BYTES:]
        before = self.state
        for line in lines:
            self._take(line)
        if self.state != before:
            self._changed()

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            # A line that is not JSON is a message for a person, such as a traceback.
            self._last_words = line.decode("utf-8", "replace").strip() or self._last_words
            return
        match message:
            case {"listening": [*environment], "port": int(port)}:
                phase = self.state.phase
                self.state = replace(
                    self.state,
                    phase=ReceiverPhase.LISTENING if phase is ReceiverPhase.STARTING else phase,
                    port=port,
                    environment=tuple(map(str, environment)),
                )
            case {"received": int()}:
                self.state = replace(self.state, tally=ReceiverTally(**message))
            case {"failed": str(reason), "port_taken": bool(is_taken)}:
                self._last_words = reason
                self.state = replace(self.state, is_port_taken=is_taken)

    def _end(self) -> None:
        self._loop.remove_reader(self._output.fileno())
        self._output.close()
        self._hang_up()
        # Its output ends when the process ends, so this does not block.
        code = self._process.wait()
        problem = ""
        if self.state.phase is not ReceiverPhase.STOPPING:
            words = self._last_words.removeprefix("flow-tui: ")
            problem = fmt.plain(words or f"the receiver ended with {code}", _PROBLEM_CHARACTERS)
        self.state = replace(self.state, phase=ReceiverPhase.OVER, problem=problem)
        self.over.set()
        self._changed()

    def _become(self, state: ReceiverState) -> None:
        self.state = state
        self._changed()


def mark(state: ReceiverState) -> JobMark:
    """Return what the frame says about a receiver."""
    if state.phase is not ReceiverPhase.LISTENING:
        return JobMark((f"⇣ {state.phase}",))
    tally = state.tally
    if tally.trouble:
        return JobMark((f"✗ {state.port} not written  C",), is_failed=True)
    rest = fmt.counted([(tally.dropped, "dropped")])
    return JobMark((f"⇣ {state.port}", fmt.count(tally.received, "span"), *rest))
