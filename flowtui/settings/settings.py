"""The person's settings, as config.toml has them now.

Without a file nothing of TOML is loaded, since a start has no time for it.
"""

from __future__ import annotations

import os
from pathlib import Path

from flowtui import person
from flowtui.settings.values import FILE_NAME, Mistake, Settings

PATH_VARIABLE = "FLOW_TUI_CONFIG"
"""The variable that names another file; `/dev/null` stands for none."""


def path() -> Path:
    """Return where the file is, or would be.

    Raises:
        OSError: No home is known, and no folder for temporary files can be written.
    """
    named = os.environ.get(PATH_VARIABLE)
    return Path(named) if named else person.folder("config") / FILE_NAME


_read: tuple[Path, tuple[int, ...], Settings] | None = None


def settings() -> Settings:
    """Return the settings of this user, read again if the file has changed."""
    global _read
    try:
        where = path()
    except OSError:
        return Settings(Path(os.devnull))
    try:
        found = where.stat()
    except (FileNotFoundError, NotADirectoryError):
        return Settings(where)
    except OSError as error:
        text = f"the file cannot be read: {error.strerror}"
        return Settings(where, exists=True, mistakes=(Mistake(0, "", text),))
    if str(where) == os.devnull:
        return Settings(where)
    mark = found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
    if _read is None or _read[:2] != (where, mark):
        from flowtui.settings.reading import read

        _read = where, mark, read(where)
    return _read[2]
