"""Why a temporary file could not be made or written, and what to do about it."""

from __future__ import annotations

import errno
import tempfile


def is_full(error: OSError) -> bool:
    """Say whether an error means that there is no room left."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def why_not(error: OSError) -> str:
    """Return why nothing could be written in the folder for temporary files, and what to do."""
    try:
        folder = tempfile.gettempdir()
    except OSError:
        return "no folder for temporary files can be written: set TMPDIR to one that can"
    if is_full(error):
        return f"there is no room left in {folder}: free some, or set TMPDIR to another folder"
    return f"{folder} cannot be written ({error.strerror or error}): set TMPDIR to another folder"
