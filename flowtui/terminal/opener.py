"""Opens files outside the app: in the system's viewer, in an editor, or on the person's machine.

Each program gets a private copy; with the file itself it could change the store.
"""

from __future__ import annotations

import atexit
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from flowtui import temporary
from flowtui.failures import Failure
from flowtui.format import plain, size
from flowtui.previews.errors import PreviewCancelled
from flowtui.reports.saving import SaveFailed, copy_file, file_stem
from flowtui.terminal.session import Session

VARIABLE = "FLOW_TUI_OPENER"
WATCHED_S = 2.0
"""How long a viewer is watched before it is said to be open; one that cannot work fails at once."""
KEPT_S = 24 * 3600.0
"""How old copies must be before another session removes them; a killed session leaves its own."""
FOLDER_PREFIX = "flow-tui-open-"
DEFAULT_EDITORS = ("vim", "vi", "nano")
_VIEW_ONLY = {"vim": "-R", "vi": "-R", "nvim": "-R", "view": "-R", "gvim": "-R", "nano": "-v"}
_SAFE_IN_A_SHELL = re.compile(r"[\w@%+=:,./-]", re.ASCII)


class OpenFailed(Failure):
    """A file was not opened; `str()` says why and what would help."""


def is_elsewhere(environ: Mapping[str, str], here: Session) -> bool:
    """Say whether a viewer would open on another machine than the person's."""
    return here.is_ssh and not here.has_display and not environ.get(VARIABLE, "").strip()


def command(environ: Mapping[str, str], here: Session, platform: str = sys.platform) -> list[str]:
    """Return the command that opens a file with the system's program for its type.

    Raises:
        OpenFailed: There is no such command.
    """
    named = environ.get(VARIABLE, "").strip()
    if named:
        try:
            words = shlex.split(named)
        except ValueError as error:
            raise OpenFailed(f"{VARIABLE} is {named!r}: {error}") from error
    elif platform == "darwin":
        words = ["open"]
    elif "WSL_DISTRO_NAME" in environ or "WSL_INTEROP" in environ:
        words = ["wslview"]
    elif here.has_display:
        words = ["xdg-open"]
    else:
        raise OpenFailed(
            f"this session has no display; set {VARIABLE} to a program that needs none"
        )
    if shutil.which(words[0]) is None:
        raise OpenFailed(f"{words[0]!r} is not installed; set {VARIABLE} to another program")
    return words


def start(words: list[str], path: Path) -> None:
    """Start a program on a file, detached from this terminal, and wait until it seems to work.

    Args:
        words: The command, to which the path is added.
        path: The file's absolute path.

    Raises:
        OpenFailed: The program cannot be started, or fails within `WATCHED_S`.
    """
    try:
        process = subprocess.Popen(
            [*words, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise OpenFailed(f"{words[0]}: {error.strerror or error}") from error
    try:
        code = process.wait(WATCHED_S)
    except subprocess.TimeoutExpired:
        # It may stay open longer than the app; its end is waited for so that nothing is left of it.
        threading.Thread(target=process.wait, name="opener", daemon=True).start()
        return
    if code:
        raise OpenFailed(f"{words[0]} ended with exit code {code}")


def viewing_editor(environ: Mapping[str, str]) -> list[str]:
    """Return the command of the person's editor, read-only if that editor has a flag for it.

    Raises:
        OpenFailed: There is no editor.
    """
    words = editor(environ)
    flag = _VIEW_ONLY.get(Path(words[0]).name)
    return [*words, flag] if flag else words


def editor(environ: Mapping[str, str]) -> list[str]:
    """Return the command of the person's editor.

    Raises:
        OpenFailed: There is no editor.
    """
    named = (environ.get("VISUAL") or environ.get("EDITOR") or "").strip()
    try:
        words = shlex.split(named) or [next(filter(shutil.which, DEFAULT_EDITORS), "")]
    except ValueError as error:
        raise OpenFailed(f"$EDITOR is {named!r}: {error}") from error
    if not words[0] or shutil.which(words[0]) is None:
        missing = (
            f"{words[0]!r} is not installed" if words[0] else "neither vim nor nano is installed"
        )
        raise OpenFailed(f"{missing}; set $EDITOR to an editor that is")
    return words


def edit(words: list[str], path: Path) -> None:
    """Run an editor on a file, give it the terminal, and wait for its end.

    Raises:
        OpenFailed: The editor cannot be started, or failed.
    """
    try:
        code = subprocess.run([*words, str(path)], check=False).returncode
    except OSError as error:
        raise OpenFailed(f"{words[0]}: {error.strerror or error}") from error
    if code > 0:
        raise OpenFailed(f"{words[0]} ended with exit code {code}")


def scp_command(path: Path, environ: Mapping[str, str], user: str, host_name: str) -> str:
    """Return the command with which a person fetches a file to their own machine.

    The path is quoted for their shell and for the shell that an older scp runs on this machine; a
    newer scp, which runs no shell, takes the same backslashes.

    Raises:
        OpenFailed: No shell could take the path.
    """
    text = str(path)
    if plain(text, len(text)) != text:
        raise OpenFailed("the path has characters that cannot be typed; save a copy instead")
    quoted = "".join(
        char if _SAFE_IN_A_SHELL.match(char) or not char.isascii() else f"\\{char}" for char in text
    )
    # The variable holds the client's address and port, then the server's.
    reached = environ.get("SSH_CONNECTION", "").split()
    host, port = (reached[2], reached[3]) if len(reached) == 4 else (host_name, "22")
    host = f"[{host}]" if ":" in host else host
    words = ["scp"] if port == "22" or not port.isdigit() else ["scp", "-P", port]
    return f"{' '.join(words)} {shlex.quote(f'{user}@{host}:{quoted}')} ."


class Copies:
    """Private copies of files, which are removed when the app ends."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._lock = threading.Lock()
        self._count = 0

    def copied(self, path: Path, name: str, cancelled: Callable[[], bool]) -> Path:
        """Return a copy that only this user can read and nobody can write.

        Raises:
            OpenFailed: There is no space for it, or the file cannot be read.
            PreviewCancelled: `cancelled` said so.
        """
        target = self._place(name)
        folder = target.parent.parent
        try:
            needed, free = path.stat().st_size, shutil.disk_usage(folder).free
            if needed > free:
                raise OpenFailed(
                    f"a copy takes {size(needed)}, and {size(free)} are free in {folder.parent}:"
                    " free some, or set TMPDIR to another folder"
                )
            copy_file(path, target, lambda _count: None, cancelled)
            target.chmod(0o400)
        except OSError as error:
            raise OpenFailed(f"no copy could be made: {error.strerror}") from error
        except SaveFailed as error:
            if cancelled():
                raise PreviewCancelled from error
            raise OpenFailed(str(error)) from error
        return target

    def written(self, name: str, write: Callable[[BinaryIO], None]) -> Path:
        """Return a copy that `write` makes, which only this user can read and nobody can write.

        Raises:
            OpenFailed: There is no space for it.
        """
        target = self._place(name)
        try:
            with target.open("xb") as out:
                write(out)
            target.chmod(0o400)
        except OSError as error:
            target.unlink(missing_ok=True)
            raise OpenFailed(f"no copy could be made: {temporary.why_not(error)}") from error
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return target

    def _place(self, name: str) -> Path:
        """Return where a copy of this name may be written, in a folder of its own."""
        base = name.rpartition("/")[2]
        stem, dot, suffix = base.rpartition(".")
        safe = f"{file_stem(stem)}{dot}{file_stem(suffix)}" if stem else file_stem(base)
        with self._lock:
            self._count += 1
            try:
                place = self._made() / str(self._count)
                place.mkdir(mode=0o700)
            except OSError as error:
                why = temporary.why_not(error)
                raise OpenFailed(f"no copy could be made: {why}") from error
        return place / safe

    def remove(self) -> None:
        """Remove all copies."""
        with self._lock:
            folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _made(self) -> Path:
        if self._folder is None or not self._folder.is_dir():
            _remove_old(Path(tempfile.gettempdir()))
            # mkdtemp gives the mode 0700.
            self._folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
            atexit.register(self.remove)
        return self._folder


def _remove_old(temporary: Path) -> None:
    oldest = time.time() - KEPT_S
    for folder in temporary.glob(f"{FOLDER_PREFIX}*"):
        with suppress(OSError):
            state = folder.lstat()
            if state.st_uid == os.getuid() and state.st_mtime < oldest and not folder.is_symlink():
                shutil.rmtree(folder, ignore_errors=True)


_copies = Copies()


def copies() -> Copies:
    """Return the copies of this session."""
    return _copies
