"""The person who runs this: their name, their home and the folders in it, where there are any.

In a container the user may have a number without a name, and no home. Everything that needs one of
them asks here.
"""

from __future__ import annotations

import getpass
import os
import stat
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Literal

CACHE_VARIABLE = "FLOW_TUI_CACHE"
"""The variable that names another folder for what was read elsewhere."""
STATE_VARIABLE = "FLOW_TUI_STATE"
"""The variable that names another folder than the user's state folder."""
NO_HOME = "no home folder is known: set HOME"


def name() -> str:
    """Return the name of the person, or their number where the system knows no name."""
    # KeyError until Python 3.12, OSError since.
    with suppress(KeyError, OSError):
        return getpass.getuser()
    return number()


def number() -> str:
    """Return the number of the user, which stands in for a name that is not known."""
    return str(os.getuid())


def home() -> Path | None:
    """Return the home folder, None where none is known."""
    with suppress(RuntimeError):
        return cwd() / Path.home()
    return None


def cwd() -> Path:
    """Return the current folder; if it was removed, the path that it had."""
    with suppress(OSError):
        return Path.cwd()
    return Path(os.environ.get("PWD") or "/")


def folder(kind: Literal["cache", "config", "log", "state"]) -> Path:
    """Return the person's folder for what flow-tui keeps; it need not exist.

    Where no home is known, it is a private one in the folder for temporary files.

    Raises:
        OSError: No folder for temporary files can be written either.
    """
    import platformdirs

    with suppress(RuntimeError):
        return Path(getattr(platformdirs, f"user_{kind}_path")("flow-tui"))
    return _temporary() / kind


def kept_folder() -> Path:
    """Return the folder for what was read of the registry and of other tools; it need not exist.

    Raises:
        OSError: None is named, and none can be written.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else folder("cache")


def state_folder() -> Path:
    """Return the folder for what lasts from one session to the next; it need not exist.

    Raises:
        OSError: None is named, and none can be written.
    """
    chosen = os.environ.get(STATE_VARIABLE)
    return Path(chosen) if chosen else folder("state")


@lru_cache(1)
def _temporary() -> Path:
    path = Path(tempfile.gettempdir(), f"flow-tui-{os.getuid()}")
    with suppress(FileExistsError):
        path.mkdir(0o700)
    found = path.lstat()
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    if is_own and not found.st_mode & 0o077:
        return path
    # Somebody else made it first, and could read and change what is kept there.
    return Path(tempfile.mkdtemp(prefix="flow-tui-"))
