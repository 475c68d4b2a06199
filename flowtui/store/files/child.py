"""The child process of `asking`: opens files of databases, which its parent must not.

It takes lines of JSON on standard input, `{"do": NAME, ...}`, until the input ends or nothing was
asked for a while. It answers each with one: {"answer": ...}, or {"errno": ..., "why": ...}.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import stat
import struct
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

IDLE_S = 20.0
"""How long it waits for a question before it ends; the next question starts another child."""
DEAD_MAN_SWITCH = 128
"""UNIX_SHM_DMS of SQLite's os_unix.c; its place has not changed since WAL came, in 3.7."""
# struct flock: l_type, l_whence, l_start, l_len, l_pid. Native sizes and alignment are the
# compiler's own, on 64-bit Linux the same everywhere; what pads the end is given room.
_FLOCK = "hhqqi"
_ROOM = b"\0" * 16
SALTS = 16, 8
"""Where the two salts stand in the header of a log, and how many bytes they have."""
WAL_MAGIC = {b"\x37\x7f\x06\x82": "<6I", b"\x37\x7f\x06\x83": ">6I"}
"""How a log begins, and the byte order of its checksums."""
WAL_HEADER_BYTES = 32
INDEX_HEADER_BYTES = 48
"""The size of the header of a log's index; it stands there twice, with the salts of the log."""
INDEX_SALTS = slice(32, 40)
FICLONE = 0x40049409
"""An ioctl of Linux: one file shares the blocks of another, where the file system can."""
CHUNK_BYTES = 1 << 20
GIVE_UP_S = 4.0
"""How long `copy` tries to make a sound copy."""
LEAST_TRIES = 2
"""A log is restarted only after a full checkpoint, which takes a writer some time."""


def held(paths: list[str]) -> list[str]:
    """Return for each file whether somebody holds its dead man switch: held, free or unknown."""
    return [_held(_path(name)) for name in paths]


def _held(path: bytes) -> str:
    try:
        file = _opened(path)
    except FileNotFoundError:
        return "free"
    except OSError:
        return "unknown"
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return "unknown"
        # An exclusive lock would conflict with any other; it is only tested for, not taken.
        wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, DEAD_MAN_SWITCH, 1, 0)
        found = fcntl.fcntl(file, fcntl.F_GETLK, wanted + _ROOM)
        return "free" if struct.unpack_from(_FLOCK, found)[0] == fcntl.F_UNLCK else "held"
    except OSError:
        return "unknown"
    finally:
        os.close(file)


def head(path: str, most_bytes: int) -> str:
    """Return the first bytes of a file in hex digits."""
    return _head(_path(path), most_bytes).hex()


def agree(wal: str, shm: str) -> bool:
    """Say whether a log and its index match, so that a reader may join them.

    Where they do not, SQLite would try for 10 s, and nothing could interrupt it.
    """
    log = _head(_path(wal), WAL_HEADER_BYTES)
    index = _head(_path(shm), 2 * INDEX_HEADER_BYTES)
    header = index[:INDEX_HEADER_BYTES]
    is_whole = len(header) == INDEX_HEADER_BYTES and header == index[INDEX_HEADER_BYTES:]
    start, length = SALTS
    return is_whole and _is_sound(log) and log[start : start + length] == header[INDEX_SALTS]


def _is_sound(log: bytes) -> bool:
    """Say whether the header of a log has the checksums that SQLite's format asks for."""
    order = WAL_MAGIC.get(log[:4])
    if order is None or len(log) < WAL_HEADER_BYTES:
        return False
    one = other = 0
    words = struct.unpack_from(order, log)
    for place in range(0, len(words), 2):
        one = (one + words[place] + other) & 0xFFFFFFFF
        other = (other + words[place + 1] + one) & 0xFFFFFFFF
    return (one, other) == struct.unpack_from(">2I", log, 24)


def look(main: str, wal: str, journal: str) -> list[object]:
    """Open files, and return their states and the salts of the log.

    A network file system asks its server when a file is opened; otherwise it may report what it
    knew some seconds ago.
    """
    states: list[object] = [_state(_path(name)) for name in (main, wal, journal)]
    return [*states, _salts(_path(wal))]


def copy(main: str, wal: str, journal: str, folder: str) -> list[object] | None:
    """Copy a database and its log, and return what `look` returned before; None if no copy was
    sound.

    While the salts of the log are the same, whatever a checkpoint moves into the database is in the
    log too, and an incomplete transaction at its end does not count.
    """
    tries, until_s = 0, time.monotonic() + GIVE_UP_S
    while tries < LEAST_TRIES or time.monotonic() < until_s:
        tries += 1
        before = look(main, wal, journal)
        for path in map(_path, (main, wal, journal)):
            _copy_file(path, os.path.join(_path(folder), os.path.basename(path)))
        after = look(main, wal, journal)
        is_rolling_back = before[2] is not None or after[2] is not None
        if after == before if is_rolling_back else after[3] == before[3]:
            return before
    return None


def _path(name: str) -> bytes:
    """Return the bytes of a path from a text with one character for each."""
    return name.encode("latin-1")


def _opened(path: bytes) -> int:
    # Without O_NONBLOCK, opening a pipe would wait for its other end.
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _state(path: bytes) -> list[int] | None:
    try:
        file = _opened(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        found = os.fstat(file)
    finally:
        os.close(file)
    return [found.st_ino, found.st_size, found.st_mtime_ns]


def _head(path: bytes, most_bytes: int) -> bytes:
    file = _opened(path)
    try:
        return os.read(file, most_bytes)
    finally:
        os.close(file)


def _salts(wal: bytes) -> str | None:
    try:
        return _head(wal, sum(SALTS))[SALTS[0] :].hex()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _copy_file(source: bytes, target: bytes) -> None:
    try:
        read = _opened(source)
    except (FileNotFoundError, NotADirectoryError):
        if os.path.exists(target):
            os.unlink(target)
        return
    write = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.ioctl(write, FICLONE, read)
        except OSError:
            while data := os.read(read, CHUNK_BYTES):
                while data:
                    data = data[os.write(write, data) :]
    finally:
        os.close(read)
        os.close(write)


_ANSWERS: dict[str, Callable[..., object]] = {
    "held": held,
    "head": head,
    "agree": agree,
    "look": look,
    "copy": copy,
}


def main() -> None:
    while select.select([sys.stdin], [], [], IDLE_S)[0]:
        line = sys.stdin.buffer.readline()
        if not line:
            return
        asked = json.loads(line)
        try:
            said = {"answer": _ANSWERS[asked.pop("do")](**asked)}
        except OSError as error:
            said = {"errno": error.errno, "why": error.strerror}
        except (OverflowError, MemoryError, ValueError) as error:
            said = {"errno": 0, "why": str(error)}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
