"""An ONNX model of layers that follow each other: one protobuf message (onnx.proto3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flowtui.demo.written.arrays import Tensor

_FLOAT = 1
_IR_VERSION = 8


@dataclass(frozen=True, slots=True)
class Layer:
    """An operator, with the names of its weights; its input is the output of the one before."""

    operator: str
    weights: tuple[str, ...] = ()


def model(
    name: str,
    layers: Sequence[Layer],
    weights: Mapping[str, Tensor],
    ends: tuple[Sequence[int | str], Sequence[int | str]],
    metadata: Mapping[str, str],
) -> bytes:
    """Return the model.

    Args:
        name: The graph's.
        layers: In their order.
        weights: By the names that the layers use.
        ends: The shapes of input and output; a text is a length that is not fixed.
        metadata: What it says of itself.
    """
    parts = [_number(1, _IR_VERSION), _text(2, "flow-tui demo"), _text(3, "1.0")]
    parts.append(_field(7, _graph(name, layers, weights, ends)))
    parts.append(_field(8, _text(1, "") + _number(2, 17)))
    parts += [_field(14, _text(1, key) + _text(2, value)) for key, value in metadata.items()]
    return b"".join(parts)


def _graph(
    name: str,
    layers: Sequence[Layer],
    weights: Mapping[str, Tensor],
    ends: tuple[Sequence[int | str], Sequence[int | str]],
) -> bytes:
    parts = []
    before = "input"
    for number, layer in enumerate(layers):
        after = "logits" if number == len(layers) - 1 else f"{layer.operator.lower()}_{number}"
        inputs = b"".join(_text(1, one) for one in (before, *layer.weights))
        node = inputs + _text(2, after) + _text(3, f"node_{number}") + _text(4, layer.operator)
        parts.append(_field(1, node))
        before = after
    parts.append(_text(2, name))
    parts += [_field(5, _initial(name, tensor)) for name, tensor in weights.items()]
    parts.append(_field(11, _end("input", ends[0])))
    parts.append(_field(12, _end("logits", ends[1])))
    return b"".join(parts)


def _initial(name: str, tensor: Tensor) -> bytes:
    dims = b"".join(_number(1, length) for length in tensor.shape)
    return dims + _number(2, _FLOAT) + _text(8, name) + _field(9, tensor.data)


def _end(name: str, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(
        _field(1, _text(2, length) if isinstance(length, str) else _number(1, length))
        for length in shape
    )
    kind = _field(1, _number(1, _FLOAT) + _field(2, dims))
    return _text(1, name) + _field(2, kind)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _field(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _text(field: int, text: str) -> bytes:
    return _field(field, text.encode())
