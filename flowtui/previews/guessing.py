"""Which encoding a text has: by its mark, its zeros, or being sound UTF-8; else a guess."""

from __future__ import annotations

import codecs
import json
import re
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO
from unicodedata import category

from flowtui.previews import files, isolated
from flowtui.previews.encodings import CODECS, FALLBACK, MARKS, UNIT_BYTES, decode, fits
from flowtui.previews.errors import PreviewFailed
from flowtui.previews.values import Cancelled, Encoding, Origin, never
from flowtui.store.values import JsonValue

_SEVERAL_BYTES = ("GB18030", "Big5", "Shift-JIS", "EUC-JP", "EUC-KR", "ISO-2022-JP")
_LATIN = (
    "Windows-1252", "Windows-1250", "ISO-8859-2", "Windows-1254", "Windows-1257", "Windows-1258",
    "Mac Roman", "CP850", "CP437",
)  # fmt: skip
_COMMON = "Windows-1252"
LOOKED_AT_BYTES = 4_000_000
"""How far into a file that begins with ASCII the first other byte is looked for."""
_BEFORE_BYTES = 1_000
_MOST_ZEROS = 0.7
_FEW_ZEROS = 0.1
_MAX_CONTROLS = 0.02
_MAX_CONTROLS_IF_NAMED = 0.1
_MAX_HIGH = 0.4
_LEAST_CONFIDENCE = 0.1
"""The least confidence of a guess about bytes of which few are ASCII; packed data gets less."""
_SOUND_FOR_BROKEN = 10
"""How many UTF-8 characters beyond ASCII there are for each broken byte, if it is UTF-8 at all."""
_WIDE_SAMPLE_BYTES = 8_000
_LEAST_BREAKS = 0.002
"""The least share of spaces, line ends and commas in a text; two-byte numbers have fewer."""
_EXCERPT_CHARS = 40
_ODD = ("Cc", "Cn", "Co", "Cs")
_MOST_ODD = 0.005
_FEW_KINDS = 3
_KEPT = 32
_HIGH = re.compile(rb"[\x80-\xff]")
_CONTROLS = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_SHIFTS = re.compile(rb"\x1b\$[@AB(]")
_BROKEN = re.compile("[\udc80-\udcff]")
_BREAKS = re.compile("[ \t\r\n,\u3001\u3002]")
_AMONG_ASCII = re.compile(
    rb"[^\n\x80-\xff]{0,8}[\x80-\xff](?:[^\n\x80-\xff]{0,16}[\x80-\xff])*[^\n\x80-\xff]{0,8}"
)
"""Bytes that are not ASCII with a little around them: the rest of a character or a Latin word."""
_RUN = re.compile(rb"([A-Za-z]?)([\x80-\xff]+)([A-Za-z]?)")
_guesses: OrderedDict[bytes, tuple[tuple[str, float], ...]] = OrderedDict()


def sample(file: BinaryIO) -> bytes:
    """Return bytes of a file that tell its encoding: the first ones, or those around the first byte
    that is not ASCII.
    """
    head = files.read_at(file, 0, files.HEAD_BYTES)
    piece, position = head, 0
    while piece and piece.isascii() and position < LOOKED_AT_BYTES:
        position += len(piece)
        piece = files.read_at(file, position, files.HEAD_BYTES)
    if not position or not (high := _HIGH.search(piece)):
        return head
    # What is before it is ASCII, so no character is cut at the beginning.
    return files.read_at(file, position + high.start() - _BEFORE_BYTES, files.HEAD_BYTES)


def guess(head: bytes, cancelled: Cancelled = never, is_named: bool = False) -> str | None:
    """Return the name of the encoding of a text that begins with `head`, None if it is not text.

    Args:
        head: Enough of its beginning.
        cancelled: Asked while a child process is at work.
        is_named: Whether its name says that it is text; else more evidence is needed.

    Raises:
        PreviewCancelled: It was cancelled.
    """
    own = known(head)
    likely = [] if own is not None else _likely(head, cancelled)
    if not likely or is_named or likely[0] in UNIT_BYTES or _share_of_high(head) <= _MAX_HIGH:
        return own or next(iter(likely), None)
    is_likely = max(share for _, share in _ranked(head, cancelled)) >= _LEAST_CONFIDENCE
    return likely[0] if is_likely else None


def known(head: bytes) -> str | None:
    """Return the encoding of a text that shows it, None if it must be guessed."""
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding
    wide = _wide(head)
    if wide is not None:
        return wide
    if not _has_few_controls(head) or _SHIFTS.search(head):
        return None
    # The head may end within a character.
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    text = decoder.decode(head)
    broken = len(_BROKEN.findall(text))
    sound = len(text) - broken - sum(map(str.isascii, text)) if broken else 0
    return "UTF-8" if sound >= broken * _SOUND_FOR_BROKEN else None


def described(head: bytes, chosen: str | None, cancelled: Cancelled = never) -> Encoding:
    """Return the encoding that a text is read in, and others that it can be read in, best first."""
    own = known(head)
    likely = [] if own is not None else _likely(head, cancelled)
    name = chosen or own or next(iter(likely), FALLBACK)
    origin: Origin = "chosen" if chosen is not None else "guessed" if own is None else "known"
    if any(head.startswith(mark) for mark, _ in MARKS):
        return Encoding(name, origin)
    if own == "UTF-8" and head.isascii():
        return Encoding(name, origin)
    is_wide = name in UNIT_BYTES
    found = dict.fromkeys([*([own] if own else likely), *CODECS])
    fitting = [one for one in found if (one in UNIT_BYTES) is is_wide and fits(head, one)]
    others = tuple((one, _excerpt(head, one)) for one in fitting)
    # Where they all read the same there is nothing to choose.
    return Encoding(name, origin, others if len({text for _, text in others}) > 1 else ())


def is_mostly_text(head: bytes) -> bool:
    """Say whether few enough bytes are control characters that a name may decide this is text."""
    few_controls = len(_CONTROLS.findall(head)) <= len(head) * _MAX_CONTROLS_IF_NAMED
    return few_controls and _share_of_high(head) <= _MAX_HIGH


def _likely(head: bytes, cancelled: Cancelled) -> list[str]:
    """Return the likely encodings of a text, the best first; empty if it is not text."""
    if b"\0" in head:
        return _likely_wide(head[:_WIDE_SAMPLE_BYTES])
    if not _has_few_controls(head) or not (_HIGH.search(head) or _SHIFTS.search(head)):
        return []
    names = {codec: name for name, codec in CODECS.items()}
    found = (names.get(codec, "") for codec, _ in _ranked(head, cancelled))
    fitting = [name for name in found if name and name not in UNIT_BYTES and fits(head, name)]
    return _ordered(head, fitting) if fitting else []


def _likely_wide(head: bytes) -> list[str]:
    """Return the forms of UTF-16 and UTF-32 in which bytes read as words, most words first."""
    breaks = {}
    for name in UNIT_BYTES:
        text = decode(head, name)
        odd = sum(category(char) in _ODD and char not in "\t\r\n" for char in text)
        found = len(_BREAKS.findall(text))
        if found >= len(text) * _LEAST_BREAKS and odd <= len(text) * _MOST_ODD:
            breaks[name] = found
    return sorted(breaks, key=lambda name: -breaks[name])


def _ordered(head: bytes, likely: list[str]) -> list[str]:
    """Return likely encodings, first those that suit the kind of bytes."""
    if likely[0] in _SEVERAL_BYTES:
        return likely
    runs = _RUN.findall(head)
    mixed = sum(bool(before or after) for before, _, after in runs)
    if len({byte for byte in head if byte > 127}) <= _FEW_KINDS:
        # A sign or two: é, °, µ, ±.
        first = [_COMMON]
    elif mixed * 2 > len(runs):
        # Words of ASCII letters and others are Latin; Greek or Russian ones would have no ASCII.
        first = [name for name in likely if name in _LATIN]
    else:
        first = likely
    found = sorted(likely, key=lambda name: name not in first)
    text = decode(head, found[0])
    # Of those that read the same, the most common one.
    same = next(name for name in CODECS if name in found and decode(head, name) == text)
    return sorted(found, key=lambda name: name != same)


def _ranked(head: bytes, cancelled: Cancelled) -> tuple[tuple[str, float], ...]:
    """Return the library's guesses, as (codec, confidence 0 to 1), made in a child process.

    Its tables take 40 MB, which this process would keep.
    """
    told = _telling(head)
    if told in _guesses:
        return _guesses[told]
    arguments: dict[str, JsonValue] = {
        "sample": told.decode("latin-1"),
        "codecs": list[JsonValue](CODECS.values()),
    }
    try:
        answer = isolated.ask("encoding", Path(), arguments, cancelled)
    except PreviewFailed:
        return ()
    found = tuple((str(codec), float(share)) for codec, share in json.loads(answer.data))
    _guesses[told] = found
    while len(_guesses) > _KEPT:
        _guesses.popitem(last=False)
    return found


def _telling(head: bytes) -> bytes:
    """Return the parts of a text that tell its encoding: ASCII would outweigh the other languages.

    Where shift sequences separate characters from ASCII, their own bytes are ASCII too.
    """
    return head if _SHIFTS.search(head) else b"\n".join(_AMONG_ASCII.findall(head))


def _excerpt(head: bytes, encoding: str) -> str:
    """Return how the first words beyond ASCII read in an encoding."""
    high = _HIGH.search(head)
    start = 0 if high is None or encoding in UNIT_BYTES else head.rfind(b"\n", 0, high.start()) + 1
    if high is not None and encoding not in UNIT_BYTES:
        start = max(start, high.start() - _EXCERPT_CHARS // 4)
    text = decode(head[start:][: 4 * _EXCERPT_CHARS], encoding).lstrip()
    return text.partition("\n")[0][:_EXCERPT_CHARS].strip()


def _has_few_controls(head: bytes) -> bool:
    return len(_CONTROLS.findall(head)) <= len(head) * _MAX_CONTROLS


def _share_of_high(head: bytes) -> float:
    """Return the share of bytes that are not ASCII, 0 to 1: it is low in most 8-bit text."""
    return len(_HIGH.findall(head)) / max(len(head), 1)


def _wide(head: bytes) -> str | None:
    """Return the UTF-16 or UTF-32 that explains the zeros, if most characters are ASCII."""
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
            letters = bytes(byte for byte in head if byte)
            return encoding if _has_few_controls(letters) else None
    return None
