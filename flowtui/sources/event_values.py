"""What the records of TensorBoard's event files mean: scalars, hparams, texts, media, histograms.

Source: tensorboard/compat/proto/{event,summary,tensor,types,histogram}.proto, and
tensorboard/plugins/hparams/plugin_data.proto; the numbers of fields below are theirs.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass, field
from datetime import datetime

from flowtui.sources.files import safe_name
from flowtui.sources.records import SourceBatch, SourceFile, moment
from flowtui.sources.wire import (
    BYTES,
    FIXED32,
    FIXED64,
    WireError,
    fields,
    message,
    numbers,
    signed,
    text,
    varint,
    varints,
)
from flowtui.store.schema.rows import ParamValue

_DOUBLE = struct.Struct("<d")
_FLOAT = struct.Struct("<f")
_DT_FLOAT, _DT_DOUBLE, _DT_STRING = 1, 2, 7
_CODES = {_DT_FLOAT: "f", _DT_DOUBLE: "d", 3: "i", 9: "q", 19: "e"}
"""Types of tensors, and how struct names them."""
_VALUE_FIELDS = {5: "f", 6: "d"}
_INT_FIELDS = (7, 10)
_MOST_FILES = 10_000
_MOST_BYTES = 1 << 30
_SUFFIXES = ((b"\x89PNG", ".png"), (b"\xff\xd8", ".jpg"), (b"GIF8", ".gif"), (b"RIFF", ".wav"))
_HPARAMS = "_hparams_/"
_SESSION_START = 1
_TEMPLATES = 10_000
"""Of so many kinds of record the form is known at a time; there are about as many as tags."""


@dataclass(slots=True)
class Learnt:
    """What earlier records of a run have told, which later ones need."""

    plugins: dict[str, str] = field(default_factory=dict)
    """By tag, since a writer need not repeat it."""
    files: int = 0
    file_bytes: int = 0


class EventReader:
    """Reads the records of one run, one after the other, into batches."""

    def __init__(self, learnt: Learnt) -> None:
        self.learnt = learnt
        self._tags: dict[bytes, str] = {}
        """The tag of a record by all its bytes but time, step and value."""
        self._value_ends: dict[int, set[int]] = {}
        """By the length of what follows the step: how far before its end a value begins."""

    def take(self, record: bytes, batch: SourceBatch) -> int | None:
        """Add what a record says to a batch.

        Returns:
            The step from which earlier points are void, if the record says so.
        """
        # Nearly all records are one scalar, and differ from others of its tag in three places only.
        if record[:1] == b"\x09" and len(record) > 24:
            step, at = 0, 9
            if record[9] == 0x10:
                try:
                    step, at = varint(record, 10)
                except WireError:
                    at = len(record)
            rest = record[at:]
            for before_end in self._value_ends.get(len(rest), ()):
                place = len(rest) - before_end
                tag = self._tags.get(rest[:place] + rest[place + 4 :])
                if tag is not None:
                    wall_s = _DOUBLE.unpack_from(record, 1)[0]
                    value = _FLOAT.unpack_from(rest, place)[0]
                    batch.points.append((tag, value, signed(step), _when(wall_s)))
                    return None
            return self._take_slowly(record, rest, batch)
        return self._take_slowly(record, b"", batch)

    def _take_slowly(self, record: bytes, rest: bytes, batch: SourceBatch) -> int | None:
        before = len(batch.points)
        try:
            restarts_at = self._event(record, batch)
        except (WireError, struct.error, ValueError, OverflowError):
            del batch.points[before:]
            batch.left_out["records that are no messages of TensorBoard"] += 1
            return None
        if rest and len(batch.points) == before + 1:
            self._learn(rest, *batch.points[-1][:2])
        return restarts_at

    def _learn(self, rest: bytes, tag: str, value: float) -> None:
        """Note the form of a record with one scalar of four bytes, if its place is certain."""
        try:
            packed = _FLOAT.pack(value)
        except OverflowError:
            return
        if rest.count(packed) == 1 and value not in (0, 1) and math.isfinite(value):
            place = rest.index(packed)
            if len(self._tags) >= _TEMPLATES:
                self._tags.clear()
                self._value_ends.clear()
            self._tags[rest[:place] + rest[place + 4 :]] = tag
            self._value_ends.setdefault(len(rest), set()).add(len(rest) - place)

    def _event(self, record: bytes, batch: SourceBatch) -> int | None:
        wall_s, step, is_start = 0.0, 0, False
        summaries: list[bytes] = []
        for number, kind, value in fields(record):
            if number == 1 and kind == FIXED64:
                wall_s = _DOUBLE.unpack(message(value))[0]
            elif number == 2 and isinstance(value, int):
                step = signed(value)
            elif number == 5:
                summaries.append(message(value))
            elif number in (4, 9):
                batch.left_out["graphs"] += 1
            elif number == 6:
                batch.left_out["log messages"] += 1
            elif number == 7:
                status = next((one for n, _, one in fields(message(value)) if n == 1), 0)
                is_start = status == _SESSION_START
            elif number == 8:
                batch.left_out["profiles of graphs"] += 1
        for summary in summaries:
            for number, _, value in fields(summary):
                if number == 1:
                    self._value(message(value), step, wall_s, batch)
        # A file begins with step 0 where nothing is taken back.
        return step if is_start else None

    def _value(self, data: bytes, step: int, wall_s: float, batch: SourceBatch) -> None:
        tag, plugin, content = "", "", b""
        simple: float | None = None
        parts: dict[int, bytes] = {}
        for number, kind, value in fields(data):
            if number == 1:
                tag = text(value)
            elif number == 2 and kind == FIXED32:
                simple = _FLOAT.unpack(message(value))[0]
            elif number == 9:
                plugin, content = _plugin(message(value))
            elif number in (3, 4, 5, 6, 8):
                parts[number] = message(value)
        if plugin:
            self.learnt.plugins[tag] = plugin
        plugin = plugin or self.learnt.plugins.get(tag, "")
        at = _At(tag, step, wall_s)
        if simple is not None:
            batch.points.append((tag, simple, step, _when(wall_s)))
        elif tag.startswith(_HPARAMS) or plugin == "hparams":
            batch.params.update(_hparams(content))
        elif 4 in parts:
            self._keep(batch, at, "images", [_field(parts[4], 4)])
        elif 6 in parts:
            self._keep(batch, at, "audio", [_field(parts[6], 4)])
        elif 5 in parts:
            self._keep_line(batch, at, _old_histogram(parts[5]))
        elif 8 in parts:
            self._tensor(parts[8], plugin, at, batch)
        else:
            batch.left_out[f"records of the plugin {plugin}" if plugin else "empty records"] += 1

    def _tensor(self, data: bytes, plugin: str, at: _At, batch: SourceBatch) -> None:
        shape, values, strings = _tensor(data)
        if plugin == "images":
            # The first two are the width and the height.
            self._keep(batch, at, "images", strings[2:])
        elif plugin == "audio":
            self._keep(batch, at, "audio", strings[:: 2 if len(shape) == 2 else 1])
        elif plugin == "text" or (strings and not plugin):
            self._keep(batch, at, "text", ["\n\n".join(map(text, strings)).encode()], ".md")
        elif plugin == "histograms" and values is not None:
            self._keep_line(batch, at, [values[i : i + 3] for i in range(0, len(values), 3)])
        elif plugin in ("", "scalars") and values is not None and len(values) == 1:
            batch.points.append((at.tag, values[0], at.step, _when(at.wall_s)))
        else:
            batch.left_out[f"records of the plugin {plugin}" if plugin else "tensors"] += 1

    def _keep(
        self, batch: SourceBatch, at: _At, kind: str, contents: list[bytes], suffix: str = ""
    ) -> None:
        for place, content in enumerate(contents):
            ending = suffix or next(
                (ending for start, ending in _SUFFIXES if content.startswith(start)), ".bin"
            )
            nth = f"-{place}" if len(contents) > 1 else ""
            name = safe_name(kind, f"{at.tag}/step-{at.step:06d}{nth}{ending}")
            if self._has_room(len(content), batch):
                batch.files.append(SourceFile(name, content, created_at=_when(at.wall_s)))

    def _keep_line(self, batch: SourceBatch, at: _At, buckets: list[list[float]]) -> None:
        line = json.dumps({"step": at.step, "wall_time": at.wall_s, "buckets": buckets}) + "\n"
        if self._has_room(len(line), batch, count=0):
            name = safe_name("histograms", f"{at.tag}.jsonl")
            batch.files.append(
                SourceFile(name, line.encode(), created_at=_when(at.wall_s), is_appended=True)
            )

    def _has_room(self, size: int, batch: SourceBatch, count: int = 1) -> bool:
        learnt = self.learnt
        if learnt.files + count > _MOST_FILES or learnt.file_bytes + size > _MOST_BYTES:
            batch.left_out["pictures, sounds, texts and histograms past 10,000 files or 1 GB"] += 1
            return False
        learnt.files += count
        learnt.file_bytes += size
        return True


@dataclass(frozen=True, slots=True)
class _At:
    tag: str
    step: int
    wall_s: float


def _when(wall_s: float) -> datetime:
    # Records of one second share their time, which is dear to make.
    return moment(int(wall_s)) if -1e18 < wall_s < 1e18 else moment(0)


def _field(data: bytes, wanted: int) -> bytes:
    return next((message(value) for number, _, value in fields(data) if number == wanted), b"")


def _plugin(metadata: bytes) -> tuple[str, bytes]:
    name, content = "", b""
    for number, _, value in fields(_field(metadata, 1)):
        if number == 1:
            name = text(value)
        elif number == 2:
            content = message(value)
    return name, content


def _tensor(data: bytes) -> tuple[list[int], list[float] | None, list[bytes]]:
    """Return the shape, the numbers (None of a type that has none) and the strings of a tensor."""
    dtype, content = 0, b""
    shape: list[int] = []
    values: list[float] = []
    strings: list[bytes] = []
    for number, kind, value in fields(data):
        if number == 1 and isinstance(value, int):
            dtype = value
        elif number == 2:
            sizes = [one for n, _, one in fields(message(value)) if n == 2]
            shape = [
                varints(size)[0] for one in sizes for n, _, size in fields(message(one)) if n == 1
            ]
        elif number == 4:
            content = message(value)
        elif number == 8:
            strings.append(message(value))
        elif number in _VALUE_FIELDS:
            values += numbers(kind, value, _VALUE_FIELDS[number])
        elif number in _INT_FIELDS:
            values += map(float, varints(value))
    code = _CODES.get(dtype)
    if dtype == _DT_STRING or code is None:
        return shape, None, strings
    if content:
        count = len(content) // struct.calcsize(f"<{code}")
        values = [float(one) for one in struct.unpack(f"<{count}{code}", content)]
    total = math.prod(shape)
    if len(values) == 1 and 1 < total <= 1_000_000:
        # Equal numbers are written once.
        values *= total
    return shape, values, strings


def _old_histogram(data: bytes) -> list[list[float]]:
    """Return [left, right, count] of each bucket of a HistogramProto."""
    limits: list[float] = []
    counts: list[float] = []
    low = -math.inf
    for number, kind, value in fields(data):
        if number == 1:
            low = numbers(kind, value, "d")[0]
        elif number == 6:
            limits += numbers(kind, value, "d")
        elif number == 7:
            counts += numbers(kind, value, "d")
    lefts = [low, *limits]
    return [list(bucket) for bucket in zip(lefts, limits, counts, strict=False)]


def _hparams(content: bytes) -> dict[str, ParamValue]:
    """Return the hyperparameters of a session that starts; nothing of any other record."""
    found: dict[str, ParamValue] = {}
    for number, _, value in fields(_field(content, 3)):
        if number != 1:
            continue
        key, kept = "", b""
        for part, _, item in fields(message(value)):
            if part == 1:
                key = text(item)
            elif part == 2:
                kept = message(item)
        found[key] = _struct_value(kept)
    return found


def _struct_value(data: bytes) -> ParamValue:
    """Return a google.protobuf.Value; lists and structs, which hparams have not, are None."""
    for number, kind, value in fields(data):
        if number == 2 and kind == FIXED64:
            value_f: float = _DOUBLE.unpack(message(value))[0]
            return int(value_f) if value_f.is_integer() and abs(value_f) < 2**53 else value_f
        if number == 3 and kind == BYTES:
            return text(value)
        if number == 4:
            return bool(value)
    return None
