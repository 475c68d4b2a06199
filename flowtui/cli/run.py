"""`flow-tui run`: start a program, trace it, follow its run."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from flowtui import format as fmt
from flowtui.cli.opening import Opening
from flowtui.cli.stores import located
from flowtui.cli.telling import is_terminal
from flowtui.launch.request import NOT_STARTED, LaunchFailed, LaunchRequest
from flowtui.reports.usage import WrongUsage
from flowtui.settings.values import FILE_NAME
from flowtui.store.errors import RunNotFound, StoreError
from flowtui.store.location import LATEST
from flowtui.store.values import StoreLocation

if TYPE_CHECKING:
    from flowtui.launch.folder import LaunchState
    from flowtui.launch.link import ProgramLink

_LOOK_EVERY_S = 0.05
_BEFORE_BYTES = 16_384
"""How much of the earlier output is shown to who comes back."""


@contextmanager
def own_failures() -> Iterator[None]:
    """Exit as `env` and `timeout` do where flow-tui itself fails: 125, 126 or 127."""
    try:
        yield
    except LaunchFailed as error:
        _fail(error, error.code)
    except (StoreError, WrongUsage) as error:
        _fail(error, NOT_STARTED)
    except OSError as error:
        _fail(error, NOT_STARTED)


def run(request: LaunchRequest) -> int:
    """Run a program, and return the exit code."""
    # It is off for quick commands; a program may run for days.
    gc.enable()
    if request.store is None and (place := located(None)).source == FILE_NAME:
        request = replace(request, store=str(place.directory))
    if not is_terminal():
        from flowtui.launch.plain import run_plainly

        return run_plainly(request)
    from flowtui.launch.link import ProgramLink
    from flowtui.launch.passing import terminal_size
    from flowtui.launch.starting import started

    folder, said = started(request, terminal_size())
    for line in said:
        print(f"flow-tui: {fmt.plain(line, 2_000)}", file=sys.stderr)
    return _followed(ProgramLink(folder))


def attach(word: str) -> int:
    """Come back to a program that was left running, or that has ended since.

    Raises:
        WrongUsage: There is no terminal here.
        RunNotFound: No program of that run, name or number is known.
    """
    from flowtui.launch.folder import folders
    from flowtui.launch.link import ProgramLink

    if not is_terminal():
        raise WrongUsage("--attach needs a terminal; flow-tui wait RUN needs none")
    gc.enable()
    for folder in folders():
        state = folder.state
        if state is not None and _is_meant(word, state):
            return _followed(ProgramLink(folder), _BEFORE_BYTES)
    raise RunNotFound(
        f"no program of a run {word!r} is known that flow-tui run has started on this machine"
    )


def _is_meant(word: str, state: LaunchState) -> bool:
    if word in (LATEST, str(state.pid)):
        return True
    return state.run is not None and (
        state.run.name == word or (len(word) > 3 and state.run.run_id.startswith(word))
    )


def _followed(link: ProgramLink, most_before: int | None = None) -> int:
    """Show a program until its run is known, then its run; return the exit code."""
    from flowtui.launch.passing import pass_through
    from flowtui.store.store import Store

    if link.state.run is None:
        pass_through(link, lambda: link.state.run is not None, most_before)
    if (run := link.state.run) is not None:
        store = Store(StoreLocation(run.directory, "of the program"))
        try:
            Opening().run_app(store, store.resolve(run.run_id), program=link)
        except SystemExit as left:
            if left.code:
                # A signal, or an error in flow-tui: the program goes on.
                raise
    return _left(link)


def _left(link: ProgramLink) -> int:
    """Tell how it stands with a program that nobody looks at any more, and return the exit code."""
    # An end is there once everything is written.
    while (link.is_ending or link.state.code is not None) and not link.is_over:
        time.sleep(_LOOK_EVERY_S)
    link.close()
    state = link.state
    if state.code is not None:
        link.folder.remove()
        return state.code
    if link.is_lost:
        link.folder.remove()
        print("flow-tui: the supervisor of the program was killed", file=sys.stderr)
        return NOT_STARTED
    word = state.pid if state.run is None else fmt.short_id(state.run.run_id)
    print(f"flow-tui: the program goes on; flow-tui run --attach {word}", file=sys.stderr)
    return 0


def _fail(error: Exception, code: int) -> None:
    print(f"flow-tui: {fmt.plain(str(error), 2_000)}", file=sys.stderr)
    sys.exit(code)
