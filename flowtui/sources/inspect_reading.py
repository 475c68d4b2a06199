"""Reads an `.eval` log of Inspect into batches: what it is, all samples in short, each in full.

The mark has the number of samples that were read, and a digest of their entries: where these are
others now, the log was written anew, as by `inspect score`, and all is read again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from flowtui.sources import zip_entries
from flowtui.sources.inspect_archive import (
    MOST_BYTES,
    REDUCTIONS,
    InspectArchive,
    LogChanged,
    LogError,
    LogPacked,
    parsed,
)
from flowtui.sources.inspect_header import row_of, take_header, task_of
from flowtui.sources.inspect_sample import EvalSet, take_sample, take_summary
from flowtui.sources.json_values import (
    mapping,
)
from flowtui.sources.records import Mark, SourceBatch, SourceFile, moment
from flowtui.sources.zip_entries import EntryError, ZipEntry
from flowtui.store.schema.mirror import RunRow
from flowtui.store.values import JsonValue

_MANY = 100
"""Of so many samples all are listed by their summaries before each is read in full."""
_BATCH_BYTES = 4 << 20
_BATCH_SAMPLES = 200
_LISTED = 500
_PIECES = "/sample.json"
"""The end of the name of a sample of which each message and event is an entry of its own."""


class ArchiveReading:
    """Reads what a log has beyond a mark."""

    def __init__(self, archive: InspectArchive, row: RunRow, mark: Mark) -> None:
        """Take a log, the row of its run as it was listed, and a mark."""
        self._archive, self._row = archive, row
        self._head: JsonValue = mark.get("head")
        done, listed = mark.get("done"), mark.get("listed")
        self._done = done if isinstance(done, int) else 0
        self._listed = listed if isinstance(listed, int) else 0
        self._digest: JsonValue = mark.get("digest")
        self._summaries: dict[str, JsonValue] | None = None

    def batches(self) -> Iterator[SourceBatch]:
        """Yield what is new; a log that is written anew meanwhile ends it.

        Raises:
            LogError: The log cannot be read.
            OSError: Its file cannot be read.
        """
        try:
            yield from self._batches()
        except LogChanged:
            # The next look finds it in its new state.
            return

    def _batches(self) -> Iterator[SourceBatch]:
        samples = self._archive.samples
        is_whole = self._archive.entries.is_whole
        if not is_whole and len(samples) < self._done:
            yield SourceBatch(None, notes={"torn": self._torn()})
            return
        if self._done and self._digest != _digest(samples[: self._done]):
            self._head, self._done, self._listed, self._digest = None, 0, 0, None
            yield SourceBatch({}, starts_anew=True)
        batch = SourceBatch(None, notes={"torn": "" if is_whole else self._torn()})
        of = EvalSet(self._row.id, self._take_head(batch))
        yield batch
        if len(samples) - max(self._done, self._listed) > _MANY:
            yield from self._in_short(of, len(samples))
        yield from self._in_full(of, samples)

    def _torn(self) -> str:
        return (
            f"the end of {self._archive.path.name} is not written yet, or is lost: what is whole"
            " of it is shown"
        )

    def _take_head(self, batch: SourceBatch) -> str:
        """Add what the log says of itself, if that is new; return the name of the task."""
        head = self._archive.head
        try:
            header = self._archive.header()
        except (LogChanged, LogPacked):
            raise
        except LogError as error:
            batch.notes["header"] = f"what the log says of the run {error}"
            return "samples"
        found: JsonValue = None if head is None else [head.crc, head.size_bytes]
        if header and found != self._head:
            batch.notes["header"] = ""
            batch.row = row_of(header, self._row)
            take_header(header, batch)
            self._take_reductions(batch)
            self._head = found
        return task_of(header)

    def _take_reductions(self, batch: SourceBatch) -> None:
        """Add the scores of samples over their epochs, as the file that they are."""
        entry = self._archive.entries.by_name.get(REDUCTIONS)
        if entry is None:
            return
        with self._archive.opened() as file:
            try:
                data = zip_entries.content(file, entry, MOST_BYTES)
            except EntryError:
                batch.left_out["scores over epochs that cannot be read"] += 1
                return
        at = self._row.created_at or moment(0)
        batch.files.append(SourceFile(REDUCTIONS, data, created_at=at))

    def _in_short(self, of: EvalSet, count: int) -> Iterator[SourceBatch]:
        batch = SourceBatch(None)
        for summary in self._archive.summaries():
            take_summary(summary, of, batch)
            if len(batch.samples) == _LISTED:
                yield batch
                batch = SourceBatch(None)
        self._listed = count
        batch.mark = self._mark()
        yield batch

    def _in_full(self, of: EvalSet, samples: Sequence[ZipEntry]) -> Iterator[SourceBatch]:
        batch, size = SourceBatch(None), 0
        digest = hashlib.sha256(_words(samples[: self._done]))
        for entry in samples[self._done :]:
            self._take(entry, of, batch)
            digest.update(_words([entry]))
            self._done += 1
            self._digest = digest.hexdigest()
            size += entry.size_bytes
            if size > _BATCH_BYTES or len(batch.samples) >= _BATCH_SAMPLES:
                batch.mark, batch.read_bytes = self._mark(), entry.offset + entry.packed_bytes
                yield batch
                batch, size = SourceBatch(None), 0
        batch.mark = self._mark()
        batch.read_bytes = self._archive.size_bytes
        yield batch

    def _take(self, entry: ZipEntry, of: EvalSet, batch: SourceBatch) -> None:
        """Add a sample; one that cannot be read whole by its summary."""
        if entry.name.endswith(_PIECES):
            batch.left_out["traces of samples that are kept in pieces"] += 1
        else:
            try:
                with self._archive.opened() as file:
                    sample = parsed(file, entry)
                take_sample(sample, of, batch)
                return
            except (LogChanged, LogPacked):
                raise
            except LogError as error:
                batch.left_out[f"traces of samples of which one entry {error}"] += 1
        self._take_in_short(entry, of, batch)

    def _take_in_short(self, entry: ZipEntry, of: EvalSet, batch: SourceBatch) -> None:
        if self._summaries is None:
            self._summaries = {}
            for summary in self._archive.summaries():
                said = mapping(summary)
                self._summaries[f"{said.get('id')}_epoch_{said.get('epoch')}"] = summary
        name = entry.name.removeprefix("samples/").removesuffix(_PIECES).removesuffix(".json")
        if name in self._summaries:
            take_summary(self._summaries[name], of, batch)

    def _mark(self) -> Mark:
        return {
            "head": self._head,
            "done": self._done,
            "listed": self._listed,
            "digest": self._digest,
        }


def _words(entries: Sequence[ZipEntry]) -> bytes:
    return "".join(f"{one.name}\0{one.crc}\0{one.size_bytes}\0" for one in entries).encode(
        "utf-8", "replace"
    )


def _digest(entries: Sequence[ZipEntry]) -> str:
    return hashlib.sha256(_words(entries)).hexdigest()
