"""What is started, and how its failures are told."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass

from flowtui.store.errors import StoreError

NOT_STARTED = 125
"""The exit code where flow-tui itself fails; this one and the next two are those of `env`."""
NOT_EXECUTABLE = 126
NOT_FOUND = 127
NAME_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """A program to start."""

    words: tuple[str, ...]
    """The program and its arguments; at least one."""
    name: str = ""
    """Of the run that is made if the program logs spans only; empty for its command line."""
    group: str | None = None
    """The group of that run."""
    store: str | None = None
    """The store of that run, as on the command line."""

    @property
    def run_name(self) -> str:
        return self.name.strip() or shlex.join(self.words)[:NAME_CHARACTERS]


class LaunchFailed(StoreError):
    """The program cannot be started; `str()` says why."""

    def __init__(self, message: str, code: int) -> None:
        """Take the exit code that says so, too."""
        super().__init__(message)
        self.code = code

    @classmethod
    def by(cls, word: str, error: OSError) -> LaunchFailed:
        """Return the failure of starting what a word names."""
        code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        return cls(f"{word}: {error.strerror or error}", code)


def exit_code(status: int) -> int:
    """Return the exit code for what `waitpid` says: that of the program, or 128 and its signal."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
