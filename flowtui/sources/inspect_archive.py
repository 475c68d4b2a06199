"""One `.eval` log of Inspect: what its zip file has, read entry by entry within bounds.

header.json             what the run is, its results; written last
_journal/start.json     what the run is, while there is no header
samples/ID_epoch_N.json a sample; samples/ID_epoch_N/... of one that is kept in pieces
summaries.json          all samples in short; _journal/summaries/N.json while it is written
reductions.json         the scores of samples over their epochs
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from io import BufferedReader
from pathlib import Path

from flowtui.sources import files, zip_entries
from flowtui.sources.files import FileStat
from flowtui.sources.json_values import (
    mapping,
    sequence,
)
from flowtui.sources.zip_entries import EntryError, ZipEntries, ZipEntry, ZstdEntryUnread
from flowtui.store.values import JsonValue

MOST_BYTES = 64 << 20
"""Of one entry. As values in memory it takes up to ten times as much."""
HEADER, START = "header.json", "_journal/start.json"
REDUCTIONS = "reductions.json"
_SUMMARIES = "summaries.json"
_JOURNALED = re.compile(r"_journal/summaries/(\d{1,9})\.json")
_SAMPLE = re.compile(r"samples/.+_epoch_\d{1,9}(?:\.json|/sample\.json)", re.DOTALL)


class LogError(ValueError):
    """A log cannot be read; `str()` says why, as the end of a sentence about it."""


class LogPacked(LogError):
    """Nothing that is installed unpacks a log."""


class LogChanged(LogError):
    """A log was written anew since it was looked at; the next look reads it."""


class InspectArchive:
    """One `.eval` log in one state of its file, which is open only while something is read."""

    def __init__(self, path: Path, state: FileStat) -> None:
        """Take the path of a log, and what `stat` says of it."""
        self.path, self._state = path, state
        self.size_bytes = state[1]

    @contextmanager
    def opened(self) -> Iterator[BufferedReader]:
        """Open the file.

        Raises:
            LogChanged: It is in another state.
            OSError: It cannot be opened.
        """
        with files.opened(self.path) as file:
            found = os.fstat(file.fileno())
            if (found.st_ino, found.st_size, found.st_mtime_ns) != tuple(self._state):
                raise LogChanged("was written anew while it was read")
            yield file

    @cached_property
    def entries(self) -> ZipEntries:
        """Its entries; without a directory those that are whole.

        Raises:
            LogChanged: The file is in another state.
            OSError: It cannot be read.
        """
        with self.opened() as file:
            return zip_entries.entries(file, self._state[1])

    @cached_property
    def samples(self) -> Sequence[ZipEntry]:
        """The entries of samples, in the order in which they were written."""
        return [entry for name, entry in self.entries.by_name.items() if _SAMPLE.fullmatch(name)]

    @property
    def head(self) -> ZipEntry | None:
        """The entry of the header, or of the beginning where there is none yet."""
        by_name = self.entries.by_name
        return by_name.get(HEADER) or by_name.get(START)

    def header(self) -> Mapping[str, JsonValue]:
        """Return the header, or the beginning where there is none; empty where neither is there.

        Raises:
            LogError: It cannot be unpacked or parsed.
            OSError: The file cannot be read.
        """
        if (head := self.head) is None:
            return {}
        with self.opened() as file:
            return mapping(parsed(file, head))

    def summaries(self) -> Iterator[JsonValue]:
        """Yield the summaries of samples; those that cannot be read are left out.

        Raises:
            LogChanged: The file is in another state.
            OSError: It cannot be read.
        """
        by_name = self.entries.by_name
        listed = [by_name[_SUMMARIES]] if _SUMMARIES in by_name else self._journaled()
        for entry in listed:
            with self.opened() as file:
                try:
                    found = parsed(file, entry)
                except LogError:
                    continue
            yield from sequence(found)

    def _journaled(self) -> list[ZipEntry]:
        found = [
            (int(match[1]), entry)
            for name, entry in self.entries.by_name.items()
            if (match := _JOURNALED.fullmatch(name))
        ]
        return [entry for _, entry in sorted(found, key=lambda one: one[0])]


def parsed(file: BufferedReader, entry: ZipEntry) -> JsonValue:
    """Return the JSON that is in an entry, which may have bare NaN and Infinity in it.

    Raises:
        LogError: It cannot be unpacked or parsed.
    """
    try:
        found: JsonValue = json.loads(zip_entries.content(file, entry, MOST_BYTES))
    except ZstdEntryUnread as error:
        raise LogPacked(str(error)) from error
    except EntryError as error:
        raise LogError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise LogError("is no JSON that can be read") from error
    return found
