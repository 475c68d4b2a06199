"""Whether a person is there to be told anything, and what is told on stderr, line by line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flowtui.cli.standard_streams import OutputFailed, print_no_more
from flowtui.registry.errors import RegistryError
from flowtui.reports.usage import WrongUsage
from flowtui.settings import settings as settings_file
from flowtui.store.errors import FilterError, RunAmbiguous, StoreError, StoreNotFound

if TYPE_CHECKING:
    from flowtui.settings.values import Mistake, Settings

_told: dict[Mistake, None] = {}
_is_app_to_tell = False


def is_terminal() -> bool:
    """Say whether an app can be shown here."""
    is_dumb = os.environ.get("TERM", "") in ("", "dumb")
    return sys.stdout.isatty() and sys.stdin.isatty() and not is_dumb


def is_completing() -> bool:
    """Say whether a shell completes a word, where nobody can be told or asked anything."""
    return "_FLOW_TUI_COMPLETE" in os.environ


def settings_told(*names: str) -> Settings:
    """Return the person's settings, and tell once on stderr what of some cannot be used.

    Args:
        names: The settings that are needed; what is wrong with the others concerns nobody here.
    """
    settings = settings_file.settings()
    for mistake in settings.mistakes:
        if mistake.key in ("", *names) and mistake not in _told:
            _told[mistake] = None
            if not (_is_app_to_tell or is_completing()):
                print(f"flow-tui: {mistake}", file=sys.stderr)
    return settings


@contextmanager
def told_by_app(is_told: bool) -> Iterator[None]:
    """Tell of mistakes in settings on stderr only if the app, which tells them, is not reached."""
    global _is_app_to_tell
    _is_app_to_tell = is_told
    try:
        yield
    except Exception:
        for mistake in _told if is_told else ():
            print(f"flow-tui: {mistake}", file=sys.stderr)
        raise
    finally:
        _is_app_to_tell = False


@contextmanager
def errors_as_one_line() -> Iterator[None]:
    """Turn what a person can do something about into a line on stderr and an exit code.

    Suggestions follow below it, one on each line.
    """
    try:
        yield
    except (StoreError, RegistryError, WrongUsage) as error:
        from flowtui.format import plain

        where = ""
        if isinstance(error, FilterError):
            where = f"--filter, character {error.position + 1}: "
        print(f"flow-tui: {where}{plain(str(error), 2_000)}", file=sys.stderr)
        below: Sequence[str] = ()
        if isinstance(error, RunAmbiguous):
            below = error.matches
        elif isinstance(error, StoreNotFound):
            below = error.ways
        for line in below:
            print(f"  {plain(line, 300)}", file=sys.stderr)
        sys.exit(2 if isinstance(error, (WrongUsage, FilterError)) else 1)
    except OutputFailed as error:
        print_no_more()
        print(f"flow-tui: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of the pipe has closed it.
        print_no_more()
        sys.exit(1)
    except OSError as error:
        from flowtui.format import plain

        where = "" if error.filename is None else f"{plain(str(error.filename), 1_000)}: "
        print(f"flow-tui: {where}{_reason(error)}", file=sys.stderr)
        sys.exit(1)


def _reason(error: OSError) -> str:
    from flowtui import temporary

    if temporary.is_full(error):
        return "there is no room left on the disk: free some, or set TMPDIR to another folder"
    return error.strerror or str(error)
