"""The child process of `holders`: says of each file named on standard input whether it is held."""

import fcntl
import os
import stat
import struct
import sys

DEAD_MAN_SWITCH = 128
"""UNIX_SHM_DMS of SQLite's os_unix.c; its place has not changed since WAL came, in 3.7."""
# struct flock: l_type, l_whence, l_start, l_len, l_pid. Native sizes and alignment are the
# compiler's own, on 64-bit Linux the same everywhere; what pads the end is given room.
_FLOCK = "hhqqi"
_ROOM = b"\0" * 16


def answer(path: bytes) -> str:
    try:
        # Never waits for the other end of a pipe that somebody put there.
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return "free"
    except OSError:
        return "unknown"
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return "unknown"
        # An exclusive lock would have to wait for any other; it is not taken.
        wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, DEAD_MAN_SWITCH, 1, 0)
        found = fcntl.fcntl(file, fcntl.F_GETLK, wanted + _ROOM)
        kind = struct.unpack_from(_FLOCK, found)[0]
        return "free" if kind == fcntl.F_UNLCK else "held"
    except OSError:
        return "unknown"
    finally:
        os.close(file)


if __name__ == "__main__":
    print(*(answer(path) for path in sys.stdin.buffer.read().split(b"\0")))
