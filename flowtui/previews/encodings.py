"""Encodings by name: their byte order marks, and where characters and lines end in them."""

from __future__ import annotations

import codecs

MARKS = (
    # The mark of UTF-32 begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "UTF-32LE"),
    (codecs.BOM_UTF32_BE, "UTF-32BE"),
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16LE"),
    (codecs.BOM_UTF16_BE, "UTF-16BE"),
)
LONGEST_MARK = 4
UNIT_BYTES = {"UTF-16LE": 2, "UTF-16BE": 2, "UTF-32LE": 4, "UTF-32BE": 4}
WITHOUT_ASCII = frozenset((*UNIT_BYTES, "ISO-2022-JP"))
"""In these, a byte of ASCII may be part of another character."""
WITH_BARS = ("GB18030", "Big5", "Shift-JIS")
"""In these, the byte of `|` may be the second one of a character."""
FALLBACK = "Latin-1"
"""It has a character for every byte."""
CODECS = {
    "UTF-8": "utf-8", "GB18030": "gb18030", "Big5": "big5hkscs", "Shift-JIS": "cp932",
    "EUC-JP": "euc_jis_2004", "ISO-2022-JP": "iso2022_jp_2", "EUC-KR": "cp949",
    "Windows-1251": "cp1251", "KOI8-R": "koi8-r", "CP866": "cp866",
    "Windows-1252": "cp1252", "Windows-1250": "cp1250", "ISO-8859-2": "iso8859-2",
    "Windows-1253": "cp1253", "ISO-8859-7": "iso8859-7", "Windows-1254": "cp1254",
    "Windows-1255": "cp1255", "Windows-1256": "cp1256", "Windows-1257": "cp1257",
    "Windows-1258": "cp1258", "CP874": "cp874", "Mac Roman": "mac-roman", "CP850": "cp850",
    "CP437": "cp437", "UTF-16LE": "utf-16-le",
    "UTF-16BE": "utf-16-be", "UTF-32LE": "utf-32-le", "UTF-32BE": "utf-32-be",
    FALLBACK: "latin-1",
}  # fmt: skip
"""The Python codec of each encoding by the name that is shown. Where one includes another it is the
larger one: GB18030 for GBK, cp932 for Shift-JIS, cp949 for EUC-KR, Windows-1252 for Latin-1."""


def decode(data: bytes, encoding: str) -> str:
    """Return a text; undecodable bytes of UTF-8 survive as surrogates."""
    return data.decode(CODECS[encoding], "surrogateescape" if encoding == "UTF-8" else "replace")


def mark_bytes(head: bytes, encoding: str) -> int:
    """Return the length of the byte order mark at the beginning of a text."""
    return next(
        (len(mark) for mark, name in MARKS if name == encoding and head.startswith(mark)), 0
    )


def whole_bytes(data: bytes, encoding: str) -> int:
    """Return the length of a text without an incomplete character at its end."""
    decoder = codecs.getincrementaldecoder(CODECS[encoding])("replace")
    decoder.decode(data)
    return len(data) - len(decoder.getstate()[0]) or len(data)


def encoded(mark: str, encoding: str) -> bytes:
    """Return a mark that ends a line, or a part of one, in an encoding."""
    return mark.encode(CODECS[encoding])


def find(data: bytes, mark: bytes, start: int = 0) -> int:
    """Return where a character first stands in a text after `start`; -1 if nowhere."""
    found = data.find(mark, start)
    while found >= 0 and found % len(mark):
        found = data.find(mark, found + 1)
    return found


def last_line_end(data: bytes, encoding: str, end: str = "\n") -> int:
    """Return where the last line of a text ends, just after its mark; 0 if none does."""
    mark = encoded(end, encoding)
    found = data.rfind(mark)
    while found >= 0 and found % len(mark):
        found = data.rfind(mark, 0, found + len(mark) - 1)
    return found + len(mark) if found >= 0 else 0


def fits(head: bytes, encoding: str) -> bool:
    """Say whether every byte of a text is part of a character."""
    try:
        codecs.getincrementaldecoder(CODECS[encoding])().decode(head)
    except UnicodeDecodeError:
        return False
    return True
