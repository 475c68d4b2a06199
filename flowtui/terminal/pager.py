"""Shows a long text in the person's own pager."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping

from flowtui import temporary
from flowtui.failures import Failure

DEFAULT_PAGERS = ("less", "more")


class PagerFailed(Failure):
    """No pager could show a text; `str()` says why and what would help."""


def command(environ: Mapping[str, str]) -> list[str]:
    """Return the command of the pager: $PAGER, else less, else more.

    Raises:
        PagerFailed: There is no pager, or $PAGER cannot be parsed.
    """
    named = environ.get("PAGER", "").strip()
    try:
        words = shlex.split(named) or [next(filter(shutil.which, DEFAULT_PAGERS), "")]
    except ValueError as error:
        raise PagerFailed(f"$PAGER is {named!r}: {error}") from error
    if not words[0] or shutil.which(words[0]) is None:
        missing = (
            f"{words[0]!r} is not installed" if words[0] else "neither less nor more is installed"
        )
        raise PagerFailed(f"{missing}; set $PAGER to a pager that is")
    return words


def show(text: str, words: list[str]) -> None:
    """Run a pager on a text, give it the terminal, and wait for its end.

    The text lies in a private file, which no other user can read and which is removed afterwards.

    Raises:
        PagerFailed: The file cannot be written, or the pager failed.
    """
    environ = dict(os.environ, LESSSECURE="1")
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", errors="replace", prefix="flow-tui-", suffix=".txt"
        ) as file:
            file.write(text)
            file.flush()
            code = subprocess.run([*words, file.name], env=environ, check=False).returncode
    except OSError as error:
        why = temporary.why_not(error) if temporary.is_full(error) else error.strerror or error
        raise PagerFailed(f"{words[0]}: {why}") from error
    if code > 0:
        raise PagerFailed(f"{words[0]} ended with exit code {code}")
