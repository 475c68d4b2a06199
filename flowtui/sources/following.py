"""The child process that follows a source, so that reading it slows down neither keys nor drawing.

    python -m flowtui.sources.following PATH

Each line on its input is the id of a run that is to be read before all others; it ends when its
input does, so that it never outlives the process that started it.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from flowtui.sources import places, recognising
from flowtui.sources.filling import Filling
from flowtui.sources.places import PrivatePlace
from flowtui.sources.records import SourceError
from flowtui.sources.source import RunSource
from flowtui.store.errors import StoreError

LOOK_EVERY_S = 1.0
_SHARE = 40
"""Between two looks at all files, this many times as long passes as a look takes."""
_NICE = 10
"""Training beside it comes first."""


class Follower:
    """Follows one source until its input ends."""

    def __init__(self, source: RunSource, place: PrivatePlace, told: int) -> None:
        """Take a source, its place, and the descriptor that says what is wanted first."""
        self._source, self._place, self._told = source, place, told
        self._line = b""
        self._wanted = ""
        self._has_ended = False

    def follow(self) -> None:
        """Read until the input ends; where another process does so, wait until it has ended."""
        while not self._has_ended:
            with self._place.writing(waits=False) as is_writer:
                if is_writer:
                    self._work()
            self._listen(LOOK_EVERY_S)

    def _work(self) -> None:
        filling = Filling(self._source, self._place)
        look_at_s = 0.0
        while not self._has_ended:
            now_s = time.monotonic()
            if now_s >= look_at_s:
                self._tried(filling.look)
                look_at_s = time.monotonic() + max(
                    LOOK_EVERY_S, _SHARE * (time.monotonic() - now_s)
                )
            pending = filling.pending()
            if not pending:
                filling.rest()
                self._listen(look_at_s - time.monotonic())
                continue
            run_id = self._wanted if self._wanted in pending else pending[0]
            if not self._tried(lambda: filling.fill(run_id, self._goes_on(look_at_s))):  # noqa: B023
                self._listen(LOOK_EVERY_S)
        filling.rest()

    def _goes_on(self, until_s: float) -> Callable[[], bool]:
        def goes_on() -> bool:
            before = self._wanted
            self._listen(0)
            return not self._has_ended and self._wanted == before and time.monotonic() < until_s

        return goes_on

    def _tried(self, work: Callable[[], object]) -> bool:
        """Do some work, and note why it could not be done, which every run then says."""
        why = self._place.why
        try:
            work()
        except (StoreError, OSError) as error:
            with suppress(OSError):
                why.write_text(f"{self._source.tool}'s files are not followed: {error}", "utf-8")
            return False
        why.unlink(missing_ok=True)
        return True

    def _listen(self, for_s: float) -> None:
        """Take what was told, waiting for a while if nothing was."""
        while select.select([self._told], [], [], max(for_s, 0))[0]:
            data = os.read(self._told, 65_536)
            if not data:
                self._has_ended = True
                return
            *lines, self._line = (self._line + data).split(b"\n")
            if lines:
                self._wanted = lines[-1].decode("ascii", "replace")
            for_s = 0


def main(path: str) -> None:
    """Follow the source at a path, told by standard input."""
    with suppress(OSError):
        os.nice(_NICE)
    with suppress(SourceError):
        source = recognising.recognise(Path(path))
        if source is not None:
            place = places.place(source.tool, source.root)
            places.prune(place)
            Follower(source, place, sys.stdin.fileno()).follow()


if __name__ == "__main__":
    main(sys.argv[1])
