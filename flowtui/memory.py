"""How memory that a large read took is given back to the system."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_MMAP_THRESHOLD = -3
"""The number of the option in glibc's malloc.h."""
_LARGE_BYTES = 1 << 20


def give_back_large_blocks() -> None:
    """Have each block of a megabyte or more go back to the system as soon as it is freed.

    By itself glibc treats only blocks in this way that are larger than the largest one that was
    ever freed, up to 32 MB. The keys of a million samples then stay in its heap, which grows with
    each read beside them. Other C libraries do not have the option, or the fault.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
