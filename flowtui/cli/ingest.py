"""`flow-tui ingest`: spans out of files into a run."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from flowtui import format as fmt
from flowtui.cli.target_run import Target
from flowtui.store.errors import StoreError
from flowtui.store.otlp import files as otlp_files
from flowtui.store.otlp import joining
from flowtui.store.otlp.ingesting import SpanWriter
from flowtui.store.otlp.items import LogEvent, OtlpSpan, Rejected

STANDARD_INPUT = "-"
NAMED = 5
"""How many of the bad lines are named; the others are counted."""
LINE_CHARACTERS = 500
_REPORT_BYTES = 1 << 18


class IngestFailed(StoreError):
    """Files were not read to the end; `str()` says why, and what of them is written."""


@dataclass
class IngestTally:
    """What was found in the files so far."""

    rejected: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    """Records that are not kept, by their signal."""


def ingest(target: Target, files: Sequence[str], strict: bool) -> None:
    """Write the spans of files into a run and print what became of them.

    Args:
        target: The run.
        files: Paths, or `-` for standard input.
        strict: Stop at the first thing that cannot be read.

    Raises:
        IngestFailed: A file cannot be read, none holds a readable span, or, with `strict`,
            something in one cannot be read.
        DatabaseError: The run cannot be written.
    """
    tally = IngestTally()
    with SpanWriter(target.database) as writer:
        try:
            for file in files:
                with _opened(file) as (stream, size), _progress(file, size) as report:
                    _read(file, _CountedFile(stream, report), writer, tally, strict)
        except KeyboardInterrupt:
            message = "stopped; what was written stays, and the same files can be read again"
            raise IngestFailed(message) from None
    _print(target, writer, tally)
    is_empty = not (writer.written.total or writer.written.events)
    if is_empty and not tally.skipped:
        files_named = ", ".join(
            "standard input" if file == STANDARD_INPUT else file for file in files
        )
        raise IngestFailed(f"no readable spans in {files_named}")


def check_readable(files: Sequence[str]) -> None:
    """Check that files are there, before anything is written.

    Raises:
        IngestFailed: A file is missing, or this user may not read it.
    """
    for file in files:
        if file == STANDARD_INPUT:
            continue
        if not Path(file).exists():
            raise IngestFailed(f"{file} cannot be read: there is no such file")
        # They are not opened: a program that writes into a pipe would take that for its reader.
        if Path(file).is_dir() or not os.access(file, os.R_OK):
            raise IngestFailed(
                f"{file} cannot be read: it is a folder, or this user may not read it"
            )


def _read(
    file: str, stream: _CountedFile, writer: SpanWriter, tally: IngestTally, strict: bool
) -> None:
    for item in otlp_files.items(stream):
        if isinstance(item, OtlpSpan):
            writer.add(item)
        elif isinstance(item, LogEvent):
            writer.add_event(item)
        elif isinstance(item, Rejected):
            tally.rejected += 1
            where = f"{file}, {item.where}: {item.reason}"
            if strict:
                raise IngestFailed(where)
            if tally.rejected <= NAMED:
                _say(where)
        else:
            tally.skipped[item.signal] += 1


def _print(target: Target, writer: SpanWriter, tally: IngestTally) -> None:
    written = writer.written
    if tally.rejected > NAMED:
        _say(f"and {tally.rejected - NAMED:,} more that cannot be read")
    parts = fmt.counted(
        [(written.new, "new"), (written.changed, "changed"), (written.same, "there already")]
    )
    said = f"{fmt.count(written.total, 'span')} into {target.line}"
    print(said + (f": {', '.join(parts)}" if parts else ""))
    if written.annotations:
        print(f"{fmt.count(written.annotations, 'annotation')} of them taken back")
    if written.events:
        print(f"{fmt.count(written.events, 'log event')} with their spans, or waiting for them")
    if writer.dropped_events:
        print(f"not kept: {fmt.count(writer.dropped_events, 'log event')}; {joining.NO_ROOM}")
    if tally.skipped:
        skipped = fmt.counted((count, signal) for signal, count in sorted(tally.skipped.items()))
        print(f"skipped, since they are not spans: {', '.join(skipped)}")
    if tally.rejected:
        print(f"not readable: {tally.rejected:,}")


def _say(text: str) -> None:
    print(f"flow-tui: {fmt.plain(text, LINE_CHARACTERS)}", file=sys.stderr)


@contextmanager
def _opened(file: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """Open a file and yield it with its size, None where that is not known."""
    if file == STANDARD_INPUT:
        yield sys.stdin.buffer, None
        return
    path = Path(file)
    try:
        with path.open("rb") as stream:
            yield stream, path.stat().st_size if path.is_file() else None
    except OSError as error:
        raise IngestFailed(f"{file} cannot be read: {error.strerror}") from error


class _CountedFile:
    """A file that reports how much of it was read."""

    def __init__(self, stream: BinaryIO, report: Callable[[int], None]) -> None:
        self._stream = stream
        self._report = report
        self._unreported = 0

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._unreported += len(data)
        if self._unreported >= _REPORT_BYTES or not data:
            self._report(self._unreported)
            self._unreported = 0
        return data


@contextmanager
def _progress(file: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """Show how much of a file is read, where a person is there to see it."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(fmt.plain(Path(file).name, 40), total=size)
        yield lambda count: progress.advance(task, count)
