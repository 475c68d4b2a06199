"""`flow-tui run`: start a program, trace it, follow its run."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flowtui import format as fmt
from flowtui.cli.opening import is_terminal
from flowtui.launch.request import NOT_STARTED, LaunchFailed, LaunchRequest
from flowtui.reports.usage import WrongUsage
from flowtui.store.errors import StoreError

if TYPE_CHECKING:
    from flowtui.launch.link import ProgramLink


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


def _followed(link: ProgramLink) -> int:
    """Show a program until its run is known, then its run; return the exit code."""
    from flowtui.launch.passing import pass_through

    pass_through(link, lambda: link.state.run is not None)
    return _left(link)


def _left(link: ProgramLink) -> int:
    """Tell how it stands with a program that nobody looks at any more, and return the exit code."""
    link.close()
    if link.is_lost:
        folder = link.folder
        folder.remove()
        print("flow-tui: the supervisor of the program is gone", file=sys.stderr)
        return NOT_STARTED
    if link.state.code is not None:
        link.folder.remove()
        return link.state.code
    return 0


def _fail(error: Exception, code: int) -> None:
    print(f"flow-tui: {fmt.plain(str(error), 2_000)}", file=sys.stderr)
    sys.exit(code)
