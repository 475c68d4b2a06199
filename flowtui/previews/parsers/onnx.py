"""What is in an ONNX model, by its fields alone: weights are passed over, however large they are.

An ONNX file is one protobuf message (onnx.proto3); the numbers below are those of its fields.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from flowtui.previews.errors import PreviewFailed

if TYPE_CHECKING:
    from flowtui.store.values import JsonValue

EXTRA = ""
LIBRARIES = ("collections",)
MAX_FIELDS = 3_000_000
TEXT_BYTES = 1_000
MAX_ROWS = 200
_TYPES = (
    "undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool",
    "float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16",
    "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1",
)  # fmt: skip


def in_child(path: Path, arguments: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], bytes]:
    """Return blocks that tell of the model."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        reader = _OnnxReader(file)
        model = reader.model(size)
    if not model.has_graph:
        raise PreviewFailed("This is no ONNX model: it has no graph.")
    blocks = model.blocks()
    return {"first": 0, "count": len(blocks), "total": len(blocks)}, json.dumps(blocks).encode()


class _Model:
    def __init__(self) -> None:
        self.facts: list[tuple[str, str]] = []
        self.opsets: list[tuple[str, str]] = []
        self.metadata: list[tuple[str, str]] = []
        self.inputs: list[tuple[str, str, str]] = []
        self.outputs: list[tuple[str, str, str]] = []
        self.operators: Counter[str] = Counter()
        self.weights: list[tuple[str, str, str]] = []
        self.has_graph = False

    def blocks(self) -> list[JsonValue]:
        named = {name for name, _, _ in self.weights}
        # Older models list their weights among the inputs too.
        inputs = [row for row in self.inputs if row[0] not in named]
        operators = [(name, f"{count:,}") for name, count in self.operators.most_common()]
        return [
            *_section("Model", (), self.facts),
            *_section("Operator sets", ("domain", "version"), self.opsets),
            *_section("Inputs", ("name", "type", "shape"), inputs),
            *_section("Outputs", ("name", "type", "shape"), self.outputs),
            *_section("Operators", ("operator", "count"), operators),
            *_section("Metadata", ("name", "value"), self.metadata),
            *_section("Weights", ("name", "type", "shape"), self.weights),
        ]


def _section(
    title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]
) -> Iterator[JsonValue]:
    if not rows:
        return
    yield ["heading", 1, title]
    if not heads:
        for name, value in rows:
            yield ["item", f"{name}: {value}", 0, False]
        return
    shown: list[JsonValue] = [[*row] for row in (heads, *rows[:MAX_ROWS])]
    yield ["table", shown, len(rows) + 1]


class _OnnxReader:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._fields = 0
        self._model = _Model()

    def model(self, end: int) -> _Model:
        model = self._model
        for number, value, after in self._read(0, end):
            match number, value:
                case 1, int():
                    model.facts.append(("IR version", str(value)))
                case 2 | 3 | 6, (start, stop):
                    names = {2: "made by", 3: "version of it", 6: "description"}
                    if text := self._text(start, stop):
                        model.facts.append((names[number], text))
                case 7, (start, stop):
                    model.has_graph = True
                    self._graph(start, stop)
                case 8, (start, stop):
                    model.opsets.append(self._pair(start, stop, "ai.onnx"))
                case 14, (start, stop):
                    model.metadata.append(self._pair(start, stop, ""))
            self._file.seek(after)
        return model

    def _graph(self, start: int, end: int) -> None:
        model = self._model
        for number, value, _ in self._read(start, end):
            if not isinstance(value, tuple):
                continue
            match number:
                case 1:
                    model.operators[self._operator(*value)] += 1
                case 2:
                    if text := self._text(*value):
                        model.facts.append(("graph", text))
                case 5:
                    model.weights.append(self._weight(*value))
                case 11:
                    model.inputs.append(self._value(*value))
                case 12:
                    model.outputs.append(self._value(*value))

    def _operator(self, start: int, end: int) -> str:
        name, domain = "", ""
        for number, value, _ in self._read(start, end):
            if number in (4, 7) and isinstance(value, tuple):
                text = self._text(*value)
                name, domain = (text, domain) if number == 4 else (name, text)
        return f"{domain}.{name}" if domain and domain != "ai.onnx" else name

    def _weight(self, start: int, end: int) -> tuple[str, str, str]:
        name, type_, sizes = "", 0, []
        for number, value, _ in self._read(start, end):
            match number, value:
                case 1, int():
                    sizes.append(value)
                case 1, (first, last):
                    sizes += self._packed(first, last)
                case 2, int():
                    type_ = value
                case 8, (first, last):
                    name = self._text(first, last)
        return name, _type_name(type_), " × ".join(f"{size:,}" for size in sizes) or "scalar"

    def _value(self, start: int, end: int) -> tuple[str, str, str]:
        name, type_, shape = "", "", ""
        for number, value, _ in self._read(start, end):
            if number == 1 and isinstance(value, tuple):
                name = self._text(*value)
            elif number == 2 and isinstance(value, tuple):
                type_, shape = self._type(*value)
        return name, type_, shape

    def _type(self, start: int, end: int) -> tuple[str, str]:
        for number, value, _ in self._read(start, end):
            if number == 1 and isinstance(value, tuple):
                return self._tensor_type(*value)
            if isinstance(value, tuple):
                names = {4: "sequence", 5: "map", 8: "sparse tensor", 9: "optional"}
                return names.get(number, "other"), ""
        return "", ""

    def _tensor_type(self, start: int, end: int) -> tuple[str, str]:
        type_, sizes = "", ""
        for number, value, _ in self._read(start, end):
            if number == 1 and isinstance(value, int):
                type_ = _type_name(value)
            elif number == 2 and isinstance(value, tuple):
                dimensions = [
                    self._dimension(*one)
                    for at, one, _ in self._read(*value)
                    if at == 1 and isinstance(one, tuple)
                ]
                sizes = " × ".join(dimensions) or "scalar"
        return type_, sizes

    def _dimension(self, start: int, end: int) -> str:
        for number, value, _ in self._read(start, end):
            if number == 1 and isinstance(value, int):
                return f"{value:,}"
            if number == 2 and isinstance(value, tuple):
                return self._text(*value)
        return "?"

    def _pair(self, start: int, end: int, name: str) -> tuple[str, str]:
        text = ""
        for number, value, _ in self._read(start, end):
            if number == 1 and isinstance(value, tuple):
                name = self._text(*value) or name
            elif number == 2:
                text = self._text(*value) if isinstance(value, tuple) else str(value)
        return name, text

    def _packed(self, start: int, end: int) -> list[int]:
        self._file.seek(start)
        sizes = []
        while self._file.tell() < min(end, start + TEXT_BYTES):
            sizes.append(self._number())
        return sizes

    def _text(self, start: int, end: int) -> str:
        self._file.seek(start)
        return self._file.read(min(end - start, TEXT_BYTES)).decode("utf-8", "replace")

    def _read(self, start: int, end: int) -> Iterator[tuple[int, int | tuple[int, int], int]]:
        """Yield the fields of a message: number, value or its place, and where the next begins."""
        at = start
        while at < end:
            self._fields += 1
            if self._fields > MAX_FIELDS:
                raise PreviewFailed("The model has too many parts to be shown.")
            self._file.seek(at)
            tag = self._number()
            number, form = tag >> 3, tag & 7
            if form == 0:
                value: int | tuple[int, int] = self._number()
                at = self._file.tell()
            elif form == 2:
                length = self._number()
                begin = self._file.tell()
                value, at = (begin, begin + length), begin + length
            elif form in (1, 5):
                value, at = 0, self._file.tell() + (8 if form == 1 else 4)
            else:
                raise _broken()
            if not number or at > end:
                raise _broken()
            yield number, value, at

    def _number(self) -> int:
        number = shift = 0
        while shift < 70:
            byte = self._file.read(1)
            if not byte:
                raise _broken()
            number |= (byte[0] & 0x7F) << shift
            if byte[0] < 0x80:
                # A negative number is written as one of 64 bits.
                return number - (1 << 64) if number >> 63 else number
            shift += 7
        raise _broken()


def _broken() -> PreviewFailed:
    return PreviewFailed("The ONNX model is broken, or cut off.")


def _type_name(number: int) -> str:
    return _TYPES[number] if 0 <= number < len(_TYPES) else f"type {number}"
