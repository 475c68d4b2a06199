"""A `.json` log of Inspect: one document, which is written anew at each flush, so read whole."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from io import BufferedReader
from pathlib import Path

from flowtui.sources import files
from flowtui.sources.inspect_archive import LogError
from flowtui.sources.inspect_header import row_of, take_header
from flowtui.sources.inspect_sample import EvalSet, take_sample
from flowtui.sources.json_values import (
    mapping,
    sequence,
    text,
)
from flowtui.sources.records import Mark, SourceBatch
from flowtui.store.schema.mirror import RunRow
from flowtui.store.values import JsonValue

MOST_BYTES = 128 << 20
_HEAD_BYTES = 4 << 20
_BATCH = 50
_BEGINNING = re.compile(rb'\s*\{\s*"version"\s*:\s*\d+\s*,\s*"status"\s*:\s*"[a-z]+"\s*,\s*"eval"')
_MEMBER = re.compile(r'[\s,{]*("(?:[^"\\]|\\.){1,200}")\s*:\s*')
_DECODER = json.JSONDecoder()


def is_log(file: BufferedReader) -> bool:
    """Say whether a file begins as a log does."""
    file.seek(0)
    return _BEGINNING.match(file.read(1_000)) is not None


def head_of(file: BufferedReader) -> Mapping[str, JsonValue]:
    """Return the members of a log that come before its samples, as far as they are whole."""
    file.seek(0)
    head = file.read(_HEAD_BYTES).decode("utf-8", "replace")
    found: dict[str, JsonValue] = {}
    at = 0
    while (member := _MEMBER.match(head, at)) is not None and member[1] != '"samples"':
        try:
            found[json.loads(member[1])], at = _DECODER.raw_decode(head, member.end())
        except (ValueError, RecursionError):
            break
    return found


def read_json(path: Path, row: RunRow, mark: Mark) -> Iterator[SourceBatch]:
    """Yield what is in a log, all of it where it has changed.

    Raises:
        LogError: It is too large.
        OSError: It cannot be read.
    """
    with files.opened(path) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise LogError(
            f"is larger than {MOST_BYTES / 1e6:,.0f} MB, and a log in JSON is read whole:"
            " `inspect log convert --to eval` makes one of it that is read in parts"
        )
    checksum: list[JsonValue] = [zlib.crc32(data), len(data)]
    if mark.get("read") == checksum:
        return
    try:
        log = mapping(json.loads(data))
    except (ValueError, RecursionError):
        note = f"{path.name} is no JSON that can be read: it may be being written"
        yield SourceBatch(None, notes={"torn": note})
        return
    if mark:
        yield SourceBatch({}, starts_anew=True)
    of = EvalSet(row.id, text(mapping(log.get("eval")).get("task")) or "samples")
    batch = SourceBatch(None, row=row_of(log, row), notes={"torn": ""})
    take_header(log, batch)
    for number, sample in enumerate(sequence(log.get("samples")), start=1):
        take_sample(sample, of, batch)
        if number % _BATCH == 0:
            yield batch
            batch = SourceBatch(None)
    batch.mark, batch.read_bytes = {"read": checksum}, len(data)
    yield batch
