"""The folder of a launched program: its output, its state, and the socket of its supervisor.

Only the person who launched it may search the folder. It is there as long as its program runs, and
after that until somebody has seen how it ended, or for a week.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from flowtui import person
from flowtui.launch.search import ProgramRun

KEPT_S = 7 * 86_400.0
_STATE = "state.json"
_SOCKET_BYTES = 100
"""The longest path of a socket that every system takes."""


@dataclass(frozen=True, slots=True)
class LaunchState:
    """How it stands with a program; what its supervisor tells, and what it leaves."""

    words: tuple[str, ...]
    host: str = ""
    """The machine that it runs on; others may share the folder."""
    supervisor: int = 0
    """The process number of the supervisor."""
    pid: int = 0
    socket: str = ""
    """Where the supervisor listens."""
    run: ProgramRun | None = None
    """The program's run, once it is known."""
    output_bytes: int = 0
    lost_bytes: int = 0
    """How much of the output could not be written, for a disk that was full."""
    received: int = 0
    """Spans that came over OTLP and are in the run."""
    trouble: str = ""
    """Why spans are not received or not written."""
    code: int | None = None
    """The exit code; None while the program runs."""
    is_over: bool = False
    """Whether everything is written and the supervisor has nothing more to do."""

    def as_json(self) -> str:
        run = (
            None if self.run is None else {**asdict(self.run), "directory": str(self.run.directory)}
        )
        return json.dumps({**asdict(replace(self, run=None)), "run": run})

    @classmethod
    def from_json(cls, text: str) -> LaunchState:
        """Return what `as_json` made.

        Raises:
            ValueError: It is something else.
        """
        try:
            found = json.loads(text)
            run = found.pop("run")
            words = tuple(map(str, found.pop("words")))
            if run is not None:
                run = ProgramRun(**{**run, "directory": Path(run["directory"])})
            return cls(words, run=run, **found)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(str(error)) from error


@dataclass(frozen=True, slots=True)
class LaunchFolder:
    """The folder of one program."""

    path: Path

    @property
    def output(self) -> Path:
        return self.path / "output"

    @property
    def state(self) -> LaunchState | None:
        """The state as the supervisor wrote it last; None where there is none."""
        try:
            return LaunchState.from_json((self.path / _STATE).read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def write(self, state: LaunchState) -> None:
        """Replace the state; on a full disk the old one stays."""
        new = self.path / f"{_STATE}.new"
        with suppress(OSError):
            new.write_text(state.as_json(), "utf-8")
            new.replace(self.path / _STATE)

    def remove(self) -> None:
        """Remove it with all that is in it, and its socket."""
        if (state := self.state) is not None and state.socket:
            path = Path(state.socket)
            with suppress(OSError):
                path.unlink()
            if path.parent != self.path:
                with suppress(OSError):
                    path.parent.rmdir()
        shutil.rmtree(self.path, ignore_errors=True)


def socket_path(folder: LaunchFolder) -> Path:
    """Return where a supervisor listens: in its folder, or where paths are shorter."""
    path = folder.path / "control"
    if len(os.fsencode(path)) <= _SOCKET_BYTES:
        return path
    return Path(tempfile.mkdtemp(prefix="flow-tui-")) / "control"


def new_folder() -> LaunchFolder:
    """Make the folder of a program, and remove those that nobody needs any more.

    Raises:
        OSError: It cannot be made.
    """
    above = _above()
    above.mkdir(parents=True, exist_ok=True)
    above.chmod(0o700)
    for folder in folders():
        if _is_old(folder):
            folder.remove()
    path = above / uuid.uuid4().hex[:12]
    path.mkdir(mode=0o700)
    return LaunchFolder(path)


def folders() -> Iterator[LaunchFolder]:
    """Yield the folders of all programs of this machine, the newest first."""
    try:
        found = [(entry.stat().st_mtime, entry.path) for entry in os.scandir(_above())]
    except OSError:
        return
    for _, path in sorted(found, reverse=True):
        folder = LaunchFolder(Path(path))
        state = folder.state
        if state is None or state.host == socket.gethostname():
            yield folder


def is_living(pid: int) -> bool:
    """Say whether a process of this user is there."""
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):
        return False
    return pid > 0


def _above() -> Path:
    return person.state_folder() / "launched"


def _is_old(folder: LaunchFolder) -> bool:
    state = folder.state
    if state is not None and not state.is_over and is_living(state.supervisor):
        return False
    with suppress(OSError):
        return time.time() - folder.path.stat().st_mtime > KEPT_S
    return False
