"""Databases on file systems of several machines, where a writer may be anywhere and `stat` is late.

There the log is never joined: it is copied, with the database, and what is known of the files is
what was seen when they were last opened. While a log is there that is done once in some seconds,
so that beside a fast writer there is one copy in that time, and every answer is of that one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from flowtui.store.files import asking
from flowtui.store.files.fingerprint import DatabaseFiles, Fingerprint

KNOWN_FOR_S = 3.0
"""How long the state of files with a log counts as known; longer where a copy takes long."""
REST_AFTER_COPY = 4
"""A copy is good for at least this many times as long as it took."""
GONE_S = 2.0
"""How long files may seem missing: after a writer's end, sshfs cannot open them for 0.8 s."""
RETRY_S = 0.1
SECOND_LOOK_S = 1.0
"""How far apart two failures of a read are that are taken for damage; a page may come late."""
COPY_LIMIT_BYTES = 1 << 30
"""The most that is copied: at 100 MB/s more would take longer than ten seconds."""


class SharedFiles:
    """What is known about the files of one database; usable from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Fingerprint | None = None
        self._known_until_s = 0.0
        self._copied: Fingerprint | None = None
        self._was_there = False

    def fingerprint(self, files: DatabaseFiles) -> Fingerprint:
        """Return the state of the files, which may be some seconds old while there is a log.

        Raises:
            OSError: The files may not be opened, or there is no answer.
        """
        with self._lock:
            if self._known is not None and self._clock() < self._known_until_s:
                return self._known
        return self.look(files)

    def look(self, files: DatabaseFiles) -> Fingerprint:
        """Return the state of the files now, as `fingerprint` does."""
        found = self._opened(files)
        with self._lock:
            self._known = found if found.has_log else None
            self._known_until_s = self._clock() + KNOWN_FOR_S
        return found

    def copied(self, of: Fingerprint, took_s: float) -> None:
        """Note the state of a copy; that of a new copy counts as known for a while."""
        with self._lock:
            if of is not self._copied:
                self._known = self._copied = of
                rest_s = max(KNOWN_FOR_S, REST_AFTER_COPY * took_s)
                self._known_until_s = self._clock() + rest_s

    def _opened(self, files: DatabaseFiles) -> Fingerprint:
        give_up_s = self._clock() + GONE_S
        while True:
            failure: OSError | None = None
            try:
                found = asking.look(files)
                if found.main is not None:
                    self._was_there = True
                    return found
            except OSError as error:
                failure = error
            is_expected = self._was_there or files.main.exists()
            if not is_expected or self._clock() > give_up_s:
                self._was_there = False
                if failure is not None:
                    raise failure
                return found
            time.sleep(RETRY_S)


def without_what_came_later(label: str, file_system: str, found: Fingerprint) -> str:
    """Return the remark about a database that is too large to be copied with its log."""
    assert found.main is not None
    since = datetime.fromtimestamp(found.main[2] / 1e9, UTC).astimezone()
    return (
        f"{label} is {found.size_bytes / 1e9:,.1f} GB on {file_system}, too large to be copied with"
        f" its log: it is shown without what was written since {since:%Y-%m-%d %H:%M:%S}"
    )
