"""Which encoding a text has: by its mark, its zeros, or by being sound UTF-8."""

from __future__ import annotations

import codecs
import re

MARKS = (
    # The mark of UTF-32 begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "UTF-32LE"),
    (codecs.BOM_UTF32_BE, "UTF-32BE"),
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16LE"),
    (codecs.BOM_UTF16_BE, "UTF-16BE"),
)
UNIT_BYTES = {"UTF-16LE": 2, "UTF-16BE": 2, "UTF-32LE": 4, "UTF-32BE": 4}
_MOST_ZEROS = 0.7
_FEW_ZEROS = 0.1
_MAX_CONTROLS = 0.02
_MAX_CONTROLS_IF_NAMED = 0.1
_MAX_HIGH = 0.4
_HIGH = re.compile(rb"[\x80-\xff]")
_CONTROLS = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")


def guess(head: bytes) -> str | None:
    """Return the name of the encoding of a text that begins with `head`, None if it is no text."""
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding
    wide = _wide(head)
    if wide is not None:
        return wide
    few_controls = len(_CONTROLS.findall(head)) <= len(head) * _MAX_CONTROLS
    if not few_controls:
        return None
    try:
        # The head may end within a character.
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "Latin-1" if _has_few_high(head) and b"\0" not in head else None
    return "UTF-8"


def is_mostly_text(head: bytes) -> bool:
    """Return whether so few bytes are controls that a name may say that this is a text."""
    few_controls = len(_CONTROLS.findall(head)) <= len(head) * _MAX_CONTROLS_IF_NAMED
    return few_controls and _has_few_high(head)


def decode(data: bytes, encoding: str) -> str:
    """Return a text; undecodable bytes of UTF-8 survive as surrogates."""
    return data.decode(encoding, "surrogateescape" if encoding == "UTF-8" else "replace")


def mark_bytes(head: bytes, encoding: str) -> int:
    """Return how long the byte order mark is that a text begins with."""
    return next(
        (len(mark) for mark, name in MARKS if name == encoding and head.startswith(mark)), 0
    )


def line_end(encoding: str) -> bytes:
    return "\n".encode(encoding)


def last_line_end(data: bytes, encoding: str) -> int:
    """Return where the last line ends in a text, just behind its mark; 0 if none does."""
    mark = line_end(encoding)
    found = data.rfind(mark)
    while found >= 0 and found % len(mark):
        found = data.rfind(mark, 0, found + len(mark) - 1)
    return found + len(mark) if found >= 0 else 0


def _has_few_high(head: bytes) -> bool:
    """Return whether most bytes are ASCII: so it is in 8-bit text, and not in packed data."""
    return len(_HIGH.findall(head)) <= len(head) * _MAX_HIGH


def _wide(head: bytes) -> str | None:
    """Return a UTF-16 or UTF-32 whose characters, mostly ASCII, leave zeros where these are."""
    if b"\0" not in head or len(head) < 8:
        return None
    by_place = [head[place::4] for place in range(4)]
    zeros = [part.count(0) / len(part) for part in by_place]
    full = [share >= _MOST_ZEROS for share in zeros]
    empty = [share <= _FEW_ZEROS for share in zeros]
    for encoding, zero_places in (
        ("UTF-32LE", (1, 2, 3)),
        ("UTF-32BE", (0, 1, 2)),
        ("UTF-16LE", (1, 3)),
        ("UTF-16BE", (0, 2)),
    ):
        if all(full[n] if n in zero_places else empty[n] for n in range(4)):
            return encoding
    return None
