"""Where the two joiners, ZWNJ and ZWJ, are part of what is written, and where they only hide.

Persian and Urdu part the letters of a word with ZWNJ, the scripts of India choose the shape of a
cluster with both, and emoji are put together with ZWJ. Anywhere else nothing shows that one is
there, so that two texts that differ look alike.

Source: RFC 5892, appendix A.1 and A.2, as idna tells them, with the joining types of Unicode;
for emoji, Unicode Technical Standard 51, `emoji_zwj_sequence`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

ZWNJ, ZWJ = "\u200c", "\u200d"
STAND_INS = {ZWNJ: "‹ZWNJ›", ZWJ: "‹ZWJ›"}
_JOINER = re.compile(f"[{ZWNJ}{ZWJ}]")
_MARKS = ("Mn", "Me")
_MAX_MARKS = 4
"""How many marks on the letters beside a joiner are looked through; `plain` leaves fewer."""
_SKIN_TONES = range(0x1F3FB, 0x1F400)


def with_joiners_shown(text: str) -> str:
    """Return text with a visible stand-in for each joiner that no script and no emoji needs.

    A joiner is judged by what stands beside it, so the text must be the one that is shown.
    """
    if ZWNJ not in text and ZWJ not in text:
        return text
    return _JOINER.sub(
        lambda found: found[0] if is_needed(text, found.start()) else STAND_INS[found[0]], text
    )


def is_needed(text: str, at: int) -> bool:
    """Say whether the characters beside the joiner at an index of a text need it."""
    before, after = text[max(at - 1, 0) : at], text[at + 1 : at + 2]
    if _joins(before + text[at] + after, len(before)):
        return True
    if text[at] == ZWJ:
        if before and ord(before) in _SKIN_TONES:
            before = text[max(at - 2, 0) : at - 1]
        return _is_emoji(before) and _is_emoji(after)
    if _is_mark(before) or _is_mark(after):
        start = max(at - _MAX_MARKS, 0)
        return _joins(text[start : at + _MAX_MARKS + 1], at - start)
    return False


@lru_cache(maxsize=4096)
def _joins(text: str, at: int) -> bool:
    """Say whether the joiner at an index is one of appendix A.1 or A.2."""
    # Its tables take 8 ms to import, and most texts hold no joiner.
    from idna import valid_contextj

    try:
        return valid_contextj(text, at)
    except ValueError:
        # A character without a name, such as one of private use, stands beside it.
        return False


def _is_mark(char: str) -> bool:
    return bool(char) and unicodedata.category(char) in _MARKS


def _is_emoji(char: str) -> bool:
    """Say whether a character may be part of a sequence of emoji: the pictures, and ♀ ♂ ⚕ ↔ ➡."""
    if not char:
        return False
    code = ord(char)
    is_picture = 0x1F000 <= code < 0x1FB00 and code not in _SKIN_TONES
    return is_picture or 0x2600 <= code < 0x27C0 or 0x2B00 <= code < 0x2C00 or char in "↔↕"
