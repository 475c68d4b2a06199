"""Counts the messages in a message before parsing, which makes large objects of empty ones."""

from __future__ import annotations

from typing import cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from flowtui.store.otlp.items import Unreadable

_VARINT, _LENGTH = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}


def check(data: bytes, kind: type[Message], limit: int) -> None:
    """Raise if a message holds more messages than it may.

    Data that is not protobuf passes: the parser will report it.

    Raises:
        Unreadable: It holds more messages than the limit.
    """
    count = 0
    # The library's own type is a class in C.
    outer = [(0, len(data), cast(Descriptor, kind.DESCRIPTOR))]
    while outer:
        at, end, within = outer.pop()
        while at < end:
            tag, at = varint(data, at)
            wire_type = tag & 7
            if wire_type == _LENGTH:
                size, at = varint(data, at)
                field = within.fields_by_number.get(tag >> 3)
                inner = None if field is None else field.message_type
                if inner is None:
                    at += size
                    continue
                count += 1
                if count > limit:
                    raise Unreadable(f"a {kind.__name__} has more than {limit:,} parts")
                outer.append((at + size, end, within))
                end, within = min(at + size, end), inner
            elif wire_type == _VARINT:
                at = varint(data, at)[1]
            else:
                at = at + _FIXED_BYTES[wire_type] if wire_type in _FIXED_BYTES else end


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number and where it ends, which is no further than the data."""
    value = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80 or shift > 63:
            break
        shift += 7
    return value, at
