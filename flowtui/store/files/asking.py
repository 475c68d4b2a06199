"""Questions about files of databases that need the files opened, which a child process does.

Closing a file by hand drops the locks that SQLite holds on it in the same process (POSIX), and
another process could then delete a log under its writer. So whatever SQLite itself does not answer
is asked of one small process, which is started when it is first needed, kept for the next question,
and ends with this process or when nothing was asked for a while.
"""

from __future__ import annotations

import atexit
import errno
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from flowtui.store.errors import ReadCancelled
from flowtui.store.files.fingerprint import DatabaseFiles, FileState, Fingerprint

CHILD = Path(__file__).with_name("child.py")
PATIENCE_S = 5.0
"""How long an answer is waited for; it takes less than 1 ms, and 20 ms with a start. On an
overloaded machine, or from a server that does not respond, there is no answer."""
COPY_PATIENCE_S = 600.0
"""How long a copy is waited for."""
END_S = 0.5
"""How long a child that was killed is waited for."""
POLL_S = 0.1
"""How often it is checked whether somebody still waits for a copy."""

Cancelled = Callable[[], bool]


def held(paths: Sequence[str]) -> list[bool | None]:
    """Return for each `-shm` whether somebody holds it, None where that cannot be known."""
    meaning = {"held": True, "free": False}
    try:
        answers = _ask(PATIENCE_S, do="held", paths=[_name(path) for path in paths])
    except OSError:
        return [None for _ in paths]
    return [meaning.get(word) for word in answers]


def head(path: Path, most_bytes: int) -> bytes:
    """Return the first bytes of a file, empty if it cannot be read."""
    try:
        return bytes.fromhex(_ask(PATIENCE_S, do="head", path=_name(path), most_bytes=most_bytes))
    except OSError:
        return b""


def agree(files: DatabaseFiles) -> bool:
    """Say whether a log and its index match, as far as can be seen."""
    try:
        answer: bool = _ask(PATIENCE_S, do="agree", wal=_name(files.wal), shm=_name(files.shm))
    except OSError:
        # SQLite itself will report a file that may not be read or has gone.
        return True
    return answer


def look(files: DatabaseFiles) -> Fingerprint:
    """Return the state of files as their server knows it, by opening each of them.

    Raises:
        OSError: The files may not be opened, or there is no answer.
    """
    taken_ns = time.time_ns()
    return _fingerprint(_ask(PATIENCE_S, do="look", **_names(files)), taken_ns)


def copy(files: DatabaseFiles, folder: Path, cancelled: Cancelled) -> Fingerprint | None:
    """Copy a database with its log, and return the state before it; None if no copy was sound.

    The copy is of one state if that is also the state afterwards; as long as the log has the same
    salts, it is of one that is at least as new.

    Raises:
        OSError: A file cannot be read, or there is no room for the copy.
        ReadCancelled: It was cancelled.
    """
    taken_ns = time.time_ns()
    # It has a process of its own, since it may take long and is ended when it is cancelled.
    child = _Child()
    try:
        answer = child.ask(
            {"do": "copy", "folder": _name(folder), **_names(files)}, COPY_PATIENCE_S, cancelled
        )
    finally:
        child.end()
    return None if answer is None else _fingerprint(answer, taken_ns)


def _names(files: DatabaseFiles) -> dict[str, object]:
    return {
        "main": _name(files.main),
        "wal": _name(files.wal),
        "journal": _name(files.journal),
    }


def _name(path: str | Path) -> str:
    """Return the bytes of a path as text for JSON, one character for each."""
    return os.fsencode(path).decode("latin-1")


def _fingerprint(answer: Any, taken_ns: int) -> Fingerprint:
    main, wal, journal, salts = answer
    return Fingerprint(_state(main), _state(wal), _state(journal), taken_ns, salts)


def _state(answer: Any) -> FileState:
    if answer is None:
        return None
    inode, size_bytes, mtime_ns = answer
    return inode, size_bytes, mtime_ns


class _Child:
    """A process that answers one question after another."""

    def __init__(self) -> None:
        if not sys.executable:
            raise OSError(errno.ENOENT, "there is no Python to start a child process with")
        self._owner = os.getpid()
        self._is_answer_due = False
        """Whether something was asked whose answer has not been read to its end."""
        # It has a session of its own, so that signals from the app's terminal do not end it.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            start_new_session=True,
        )

    @property
    def is_there(self) -> bool:
        """Whether it may be asked: after an interrupted question, the last answer is still due."""
        # After a fork, the child belongs to another process.
        is_own = self._owner == os.getpid()
        return is_own and not self._is_answer_due and self._process.poll() is None

    def ask(self, question: dict[str, object], patience_s: float, cancelled: Cancelled) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._is_answer_due = True
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        deadline = time.monotonic() + patience_s
        said = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not said.endswith(b"\n"):
                if cancelled():
                    raise ReadCancelled("the read was left")
                if time.monotonic() > deadline:
                    raise OSError(errno.ETIMEDOUT, "the child process does not answer")
                if selector.select(POLL_S):
                    data = self._process.stdout.read(1 << 16)
                    if not data:
                        raise BrokenPipeError(errno.EPIPE, "the child process has ended")
                    said += data
        self._is_answer_due = False
        answer = json.loads(said)
        if "errno" in answer:
            raise OSError(answer["errno"], answer["why"])
        return answer["answer"]

    def end(self) -> None:
        if self._owner != os.getpid():
            return
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        # A child that waits for a server that does not respond cannot be ended before it does.
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)


_lock = threading.Lock()
_kept: list[_Child] = []


def _ask(patience_s: float, **question: object) -> Any:
    with _lock:
        for is_last_try in (False, True):
            if not _kept or not _kept[0].is_there:
                end()
                _kept.append(_Child())
            try:
                return _kept[0].ask(question, patience_s, lambda: False)
            except BrokenPipeError:
                # The child ended for want of questions just as this one was asked.
                end()
                if is_last_try:
                    raise
            except OSError as error:
                if error.errno == errno.ETIMEDOUT:
                    end()
                raise
        raise AssertionError


def end() -> None:
    """End the child process that is kept, if there is one."""
    while _kept:
        _kept.pop().end()


atexit.register(end)
