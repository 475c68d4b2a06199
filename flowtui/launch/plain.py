"""A program without a terminal: its output and exit code are passed through."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from flowtui import format as fmt
from flowtui.launch.exporting import exporting
from flowtui.launch.request import NOT_STARTED, LaunchFailed, LaunchRequest, exit_code
from flowtui.launch.search import MARK
from flowtui.launch.tracing import Tracing

_FORWARDED = (
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
_OF_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
"""What a terminal sends to the program itself, too."""
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


def run_plainly(request: LaunchRequest) -> int:
    """Run a program to its end, and return the exit code of it: 128 and the signal that ended it.

    Raises:
        LaunchFailed: It cannot be started.
    """
    tracing = Tracing(request)
    given = exporting(os.environ, tracing.port)
    for line in given.said:
        say(line)
    if tracing.problem:
        say(f"the program's spans are not received: {tracing.problem}")
    code: int | None = None
    with _signals() as came:
        try:
            pid = _spawn(request.words, {**given.environ, MARK: tracing.mark})
            tracing.follow(pid)
            code = _waited(pid, came)
        finally:
            tracing.stop(code)
    _report(tracing)
    return NOT_STARTED if code is None else code


def say(text: str) -> None:
    print(f"flow-tui: {fmt.plain(text, 2_000)}", file=sys.stderr)


def _spawn(words: tuple[str, ...], environ: dict[str, str]) -> int:
    try:
        return os.posix_spawnp(words[0], words, environ, setsigdef=_IGNORED_BY_PYTHON)
    except OSError as error:
        raise LaunchFailed.by(words[0], error) from error


@contextmanager
def _signals() -> Iterator[Callable[[], bytes]]:
    """Yield a function that waits for signals and returns their numbers; none ends this process."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    heeded = [one for one in _FORWARDED if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, _note) for one in (*heeded, signal.SIGCHLD)}
    # Python's own handlers run only when the main thread comes to them.
    fd_before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def came() -> bytes:
        select.select([reading], [], [])
        return os.read(reading, 4096)

    try:
        yield came
    finally:
        signal.set_wakeup_fd(fd_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


def _note(number: int, frame: object) -> None:
    """Do nothing: that it came is read from the pipe."""


def _waited(pid: int, came: Callable[[], bytes]) -> int:
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return exit_code(status)
        for number in came():
            if number in _FORWARDED and not (number in _OF_THE_TERMINAL and _is_in_front()):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)


def _is_in_front() -> bool:
    """Say whether a terminal sends its signals to this process, and so to the program as well."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _report(tracing: Tracing) -> None:
    run, tally = tracing.run, tracing.tally
    if tracing.problem and tally.refused:
        say(f"spans were not written: {tracing.problem}")
    elif run is not None and run.is_ours:
        # Of any other run the program has told itself.
        where = f"{fmt.plain(run.name, 200)} ({fmt.short_id(run.run_id)})"
        say(f"{fmt.count(tally.received, 'span')} in {where}, in {run.directory}")
