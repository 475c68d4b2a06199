"""`flow-tui run`: start a program, trace it, follow its run."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from flowtui import format as fmt
from flowtui.launch.request import NOT_STARTED, LaunchFailed, LaunchRequest
from flowtui.reports.usage import WrongUsage
from flowtui.store.errors import StoreError


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
    from flowtui.launch.plain import run_plainly

    # It is off for quick commands; a program may run for days.
    gc.enable()
    return run_plainly(request)


def _fail(error: Exception, code: int) -> None:
    print(f"flow-tui: {fmt.plain(str(error), 2_000)}", file=sys.stderr)
    sys.exit(code)
