"""The bytes of one artifact, read by range at its storage and kept in a folder.

Whoever reads asks for a part, which is fetched once, whole, into a file of its own. What is kept
there was compared with nothing: only its length is known to be right.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from flowtui.registry.errors import (
    NotVerified,
    RangesIgnored,
    StorageFailed,
    StoredChanged,
    UploadCancelled,
    UrlExpired,
)
from flowtui.registry.sending import MAX_FRESH_URLS
from flowtui.registry.storage import Storage, is_passing
from flowtui.registry.threads import interruptible
from flowtui.registry.values import Secret
from flowtui.store.archive.values import MAX_FETCHED_BYTES, Slice, with_spare
from flowtui.store.closing import Closes

if TYPE_CHECKING:
    from flowtui.registry.http import Headers, Sink

CHUNK_BYTES = 1 << 20
ETAG = "etag"
"""The file beside the parts that says of which state they are."""
OnBytes = Callable[[int, int], None]
"""Takes how many bytes of a part are there, and of how many."""


def no_news(done: int, total: int) -> None:
    """Ignore how far it is."""


@dataclass
class RangedArtifact(Closes):
    """An artifact at a storage; parts may be asked for from any thread."""

    path: Path
    """What a person is shown."""
    size_bytes: int
    folder: Path
    """The private folder that parts are kept in; they stay valid as long as the artifact does."""
    ask_url: Callable[[], Secret] | None
    """Asks the registry for a URL to download from; None where it cannot be reached."""
    storage: Storage
    progress: OnBytes = no_news
    large: frozenset[Slice] = frozenset()
    """The parts that may be larger than `MAX_FETCHED_BYTES`."""
    is_near: bool = False
    etag: str = ""
    """What the storage calls this state of the file; empty before the first answer."""
    fetched_bytes: int = 0
    _url: Secret | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        # What is kept and what is still to be read have to be of one state of the file.
        with suppress(OSError, ValueError):
            self.etag = (self.folder / ETAG).read_text()

    def close(self) -> None:
        self.storage.close()

    @contextmanager
    def part(self, place: Slice) -> Iterator[BinaryIO]:
        """Open a part, having fetched it if it is not kept.

        Raises:
            StorageFailed: It is too large to be fetched for a look, or cannot be fetched.
            StoredChanged: The file is another one than before; everything read is void.
            UploadCancelled: Nobody waits for it any more.
            OSError: It cannot be kept.
        """
        kept = self.folder / f"{place.offset}-{place.size_bytes}"
        if not kept.exists() or kept.stat().st_size != place.size_bytes:
            if place.size_bytes > MAX_FETCHED_BYTES and place not in self.large:
                raise StorageFailed(
                    f"it takes {place.size_bytes / 1e6:,.0f} MB in the registry, too much to fetch"
                    " for a look: download the artifact with `flow-tui registry pull`"
                )
            try:
                self._fetch(place, kept)
            except StoredChanged:
                self._forget()
                raise
        with kept.open("rb") as file:
            yield file

    def download(self, target: Path, sha256: str) -> None:
        """Write all of it to a file, going on with what an earlier try has left beside it.

        Raises:
            NotVerified: What came is not what the registry says that it is; nothing is kept.
            StorageFailed, Unreachable: It cannot be read; what came stays for the next try.
            OSError: The file cannot be written.
            UploadCancelled: It was cancelled; what came stays.
        """
        partial = target.with_name(f"{target.name}.{sha256[:12] or 'unknown'}.part")
        with partial.open("ab") as out:
            done = out.tell()
            all_of_it = Slice(0, self.size_bytes)
            try:
                if done < self.size_bytes:
                    self._pour(all_of_it, out, done, takes_whole=not done)
            except RangesIgnored:
                # What came before cannot be gone on with.
                out.truncate(0)
                self._pour(all_of_it, out, takes_whole=True)
        digest = hashlib.sha256()
        with partial.open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                digest.update(piece)
        if digest.hexdigest() != sha256:
            partial.unlink()
            raise NotVerified(
                "what came is not what was uploaded: its checksum is another one; try again"
            )
        partial.replace(target)

    def _forget(self) -> None:
        """Remove what was kept of another state of the file."""
        self.etag = ""
        for part in (*self.folder.glob("[0-9]*-*"), self.folder / ETAG):
            part.unlink(missing_ok=True)

    def _fetch(self, place: Slice, kept: Path) -> None:
        free = shutil.disk_usage(self.folder).free
        if free < with_spare(place.size_bytes):
            raise StorageFailed(
                f"it takes {place.size_bytes / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB are free in"
                f" {self.folder.parent.parent}: free some, or set XDG_CACHE_HOME to another folder"
            )
        number, name = tempfile.mkstemp(prefix=".part-", dir=self.folder)
        try:
            with os.fdopen(number, "wb") as out:
                # One at a time: what is fetched by two at once is not fetched sooner.
                if place.size_bytes:
                    self._pour(place, out)
            Path(name).replace(kept)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise

    def _pour(self, place: Slice, out: BinaryIO, done: int = 0, takes_whole: bool = False) -> None:
        left = threading.Event()

        def take(headers: Headers) -> Sink:
            self._check(headers)

            def sink(piece: bytes) -> None:
                nonlocal done
                if left.is_set():
                    raise UploadCancelled("it was left")
                if done + len(piece) > place.size_bytes:
                    raise StorageFailed("the storage sends more than was asked for")
                out.write(piece)
                done += len(piece)
                self.fetched_bytes += len(piece)
                self.progress(done, place.size_bytes)

            return sink

        def attempt() -> None:
            # After a drop only what is missing is asked for.
            rest = place.size_bytes - done
            self.storage.read_range(
                self._at(), place.offset + done, rest, self.etag, take, takes_whole
            )
            if done < place.size_bytes:
                raise StorageFailed("the storage sent less than was asked for", is_passing=True)

        def pour() -> None:
            fresh_urls = 0
            while True:
                try:
                    self.storage.patience.retry(attempt, is_passing)
                    return
                except UrlExpired:
                    self._url, fresh_urls = None, fresh_urls + 1
                    if fresh_urls > MAX_FRESH_URLS:
                        raise

        with self._lock:
            try:
                interruptible(pour)
            finally:
                left.set()

    def _check(self, headers: Headers) -> None:
        """Compare an answer with what is known of the file."""
        total = headers.get("content-range", "").rpartition("/")[2]
        if total.isdigit() and int(total) != self.size_bytes:
            said = f"{self.size_bytes:,}"
            raise StoredChanged(f"the storage holds {int(total):,} bytes, not {said} as was said")
        etag = headers.get("etag", "")
        # If-Match never holds for a weak one.
        if not self.etag and not etag.startswith("W/"):
            self.etag = etag
            (self.folder / ETAG).write_text(etag)

    def _at(self) -> Secret:
        if self._url is None:
            if self.ask_url is None:
                raise StorageFailed("it was not fetched before, and the registry is out of reach")
            self._url = self.ask_url()
        return self._url
